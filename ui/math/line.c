/*
 * line.c: a formula, or a part of one, on one line: a/b, √(x + 1), x², with parentheses where
 * two dimensions would show the grouping.
 */
#include "math/line.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

enum { LINE_BYTES_MAX = 16 * MATH_SOURCE_MAX };

static void emit(struct line *l, int node);

static bool joins(const char *s, size_t len)
{
    uint32_t cp;
    text_decode(s, len, &cp);
    if (cp == '(' || cp == '[' || (cp >= '0' && cp <= '9'))
        return true;
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)cp);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

void line_put(struct line *l, const char *s, size_t len)
{
    if (len == 0 || l->failed)
        return;
    if (l->guard && joins(s, len))
        l->failed |= !bytes_add(l->out, " ", 1);
    l->guard = false;
    l->failed |= l->out->len + len > LINE_BYTES_MAX || !bytes_add(l->out, s, len);
}

void line_say(struct line *l, const char *s)
{
    line_put(l, s, strlen(s));
}

static void blank(struct line *l, int columns)
{
    while (columns-- > 0)
        line_say(l, " ");
}

static void emit_group(struct line *l, int node, bool parens)
{
    bool tight = l->tight;
    if (parens) {
        line_say(l, "(");
        l->tight = false;
    }
    emit(l, node);
    l->tight = tight;
    if (parens) {
        l->guard = false;
        line_say(l, ")");
    }
}

/* d/dx and the like, which apply to what follows. */
static bool is_derivative(const struct line *l, const struct math_node *fraction)
{
    int above = math_unwrap(l->t, fraction->a), below = math_unwrap(l->t, fraction->b);
    if (math_level(l->t, below) != LEVEL_DIFFERENTIAL)
        return false;
    if (at(l, above)->kind == MATH_SCRIPTS)
        above = math_unwrap(l->t, at(l, above)->a);
    const struct math_symbol *symbol = at(l, above)->symbol;
    return at(l, above)->cp == 'd' || (symbol && strcmp(symbol->name, "partial") == 0);
}

static bool is_number(const struct line *l, int node)
{
    return at(l, math_unwrap(l->t, node))->number;
}

/* Whether a fraction among its neighbours needs parentheses: in a product it does. */
static bool fraction_needs_parens(const struct line *l, int before, int node, int *gap)
{
    const struct math_node *n = at(l, node);
    int next = n->next;
    bool value_before = math_is_value(l->t, before), function = at(l, before)->class == CLASS_OP;
    bool value_after = next && (math_is_value(l->t, next) || at(l, next)->class == CLASS_OP ||
                                at(l, next)->class == CLASS_BIG);
    if (next && at(l, next)->class == CLASS_CLOSE && at(l, next)->kind == MATH_ATOM)
        value_after = at(l, next)->cp == '!';
    if (value_after && math_is_differential(l->t, next))
        value_after = false;
    if (before && is_derivative(l, n) && !function) {
        *gap = value_before ? 1 : *gap;
        return false;
    }
    if (is_derivative(l, n))
        return false;
    if (value_before && !value_after && is_number(l, before) && is_number(l, n->a) &&
        is_number(l, n->b)) {
        *gap = 1; /* 2 1/2 */
        return false;
    }
    return (before && (value_before || function)) || value_after;
}

static void emit_row(struct line *l, int first)
{
    int before = 0, space = 0, touching = 0;
    for (int i = first; i && !l->failed; i = at(l, i)->next) {
        const struct math_node *n = at(l, i);
        if (n->kind == MATH_SPACE) {
            space = n->form > space ? n->form : space;
            touching = 0;
            continue;
        }
        int gap = math_gap(l->t, before, i, l->tight);
        bool parens = false, fraction = n->kind == MATH_FRACTION && n->form <= FRACTION_SMALL;
        if (fraction) {
            gap = at(l, before)->class == CLASS_BIG || gap > 0 ? gap : 0;
            if (at(l, before)->class == CLASS_ORD || math_is_value(l->t, before) ||
                at(l, before)->class == CLASS_OP)
                gap = 0;
            parens = fraction_needs_parens(l, touching, i, &gap);
        }
        bool beside = n->class == CLASS_ORD || n->class == CLASS_OPEN || n->class == CLASS_INNER;
        if (at(l, before)->kind == MATH_FRACTION && beside)
            gap = math_is_differential(l->t, i) || is_derivative(l, at(l, before));
        blank(l, gap > space ? gap : space);
        space = 0;
        emit_group(l, i, parens);
        before = touching = i;
    }
    blank(l, space);
}

static void emit_fraction(struct line *l, const struct math_node *n)
{
    enum math_level above = math_level(l->t, n->a), below = math_level(l->t, n->b);
    bool tight = l->tight;

    if (n->form >= FRACTION_CHOOSE) {
        l->tight = false;
        emit(l, n->a);
        line_say(l, n->form == FRACTION_CHOOSE ? " choose " : ", ");
        emit(l, n->b);
        l->tight = tight;
        return;
    }
    emit_group(l, n->a, above == LEVEL_SUM);
    l->guard = false;
    line_say(l, "/");
    emit_group(l, n->b, below > LEVEL_DIFFERENTIAL);
}

static void emit_scripts(struct line *l, int node)
{
    const struct math_node *n = at(l, node), *base = at(l, math_unwrap(l->t, n->a));
    bool parens = base->kind == MATH_FRACTION || base->kind == MATH_ROOT ||
                  (base->kind == MATH_SCRIPTS && !base->form) ||
                  (base->kind == MATH_BRACE && math_level(l->t, base->a) > LEVEL_SCRIPTED);
    emit_group(l, n->a, parens);
    l->guard = false;
    line_put_scripts(l, node);
}

/* A space after a letter or digit. */
static void stand_apart(struct line *l)
{
    size_t len = l->out->len;
    size_t last = len > 0 ? text_prev(l->out->data, len) : 0;
    char c = len > 0 ? l->out->data[last] : '(';
    if (c == ')' || (c != '(' && c != '[' && joins(l->out->data + last, len - last)))
        blank(l, 1);
}

static void emit_root(struct line *l, const struct math_node *n)
{
    const struct math_node *of = at(l, math_unwrap(l->t, n->a));
    const struct math_node *degree = at(l, math_unwrap(l->t, n->b));
    char digit = degree->len == 1 ? l->t->text.data[degree->text] : '\0';
    bool plain = of->kind == MATH_ATOM || of->kind == MATH_TEXT || of->kind == MATH_ACCENT ||
                 (of->kind == MATH_SCRIPTS && !of->c && !l->t->ascii && !of->form);
    bool own = of->kind == MATH_DELIM && of->b && l->t->text.data[at(l, of->b)->text] == '(';
    struct bytes s = {0};

    plain = plain && math_level(l->t, n->a) <= LEVEL_SCRIPTED && !l->t->ascii;
    if (!n->b || (!l->t->ascii && (digit == '3' || digit == '4') && degree->number)) {
        if (l->t->ascii)
            stand_apart(l);
        line_say(l, l->t->ascii ? "sqrt" : !n->b ? "√" : digit == '3' ? "∛" : "∜");
    } else if (!math_line(l->t, n->b, true, &s)) {
        l->failed = true;
    } else {
        struct bytes raised = {0};
        if (!l->t->ascii && line_add_script(&raised, s.data, s.len, true)) {
            line_put(l, raised.data, raised.len);
            line_say(l, "√");
        } else {
            stand_apart(l);
            line_say(l, l->t->ascii ? "sqrt[" : "√[");
            line_put(l, s.data, s.len);
            line_say(l, "]");
        }
        bytes_free(&raised);
    }
    bytes_free(&s);
    emit_group(l, n->a, !plain && !own);
    l->guard = plain;
}

static void put_node_text(struct line *l, int node)
{
    if (node)
        line_put(l, l->t->text.data + at(l, node)->text, at(l, node)->len);
}

static bool ends_in_comma(const struct line *l)
{
    return l->out->len > 0 && strchr(",;", l->out->data[l->out->len - 1]);
}

/* Cells and lines separated by signs, unless a cell ends in one. */
static void emit_table(struct line *l, const struct math_node *n)
{
    bool tight = l->tight, first_line = true;
    l->tight = tight && n->form == TABLE_LINES;
    for (int line = n->a; line && !l->failed; line = at(l, line)->next, first_line = false) {
        int before = 0;
        bool goes_on = n->form == TABLE_ALIGNED &&
                       !at(l, at(l, line)->a)->a; /* &= c after a &= b */
        if (at(l, line)->form && !at(l, at(l, line)->a)->a && !at(l, at(l, line)->a)->next)
            continue; /* nothing after the last rule */
        goes_on = goes_on || ends_in_comma(l);
        if (!first_line)
            line_say(l, goes_on ? " " : l->tight ? ", " : "; ");
        int column = 0;
        for (int cell = at(l, line)->a; cell && !l->failed; cell = at(l, cell)->next, column++) {
            if (before && n->form == TABLE_ALIGNED) {
                int last = at(l, before)->a, next = at(l, cell)->a;
                while (last && at(l, last)->next)
                    last = at(l, last)->next;
                if (column % 2 == 0)
                    line_say(l, ", "); /* another equation */
                else
                    blank(l, math_gap(l->t, last, next, false));
            } else if (before) {
                line_say(l, ends_in_comma(l) ? " " : ", ");
            }
            emit(l, cell);
            before = cell;
        }
        if (at(l, line)->b) {
            blank(l, 2);
            emit(l, at(l, line)->b);
        }
    }
    l->tight = tight;
}

/* Puts a combining mark on each cluster written from `start` on, or on one of them. */
static void put_marks(struct line *l, size_t start, uint32_t mark, bool all, bool spaces)
{
    struct bytes marked = {0};
    struct text_cluster c;
    size_t len = l->out->len, count = 0, n = 0;
    char utf8[4];
    size_t mark_len = text_encode(mark, utf8);

    if (l->failed)
        return;
    for (size_t i = start; i < len; i += c.len, count++)
        text_next(l->out->data + i, len - i, &c);
    for (size_t i = start; i < len && !l->failed; i += c.len, n++) {
        text_next(l->out->data + i, len - i, &c);
        l->failed |= !bytes_add(&marked, l->out->data + i, c.len);
        bool is_blank = c.len == 1 && l->out->data[i] == ' ';
        if ((all && (spaces || !is_blank)) || (!all && n == count / 2))
            l->failed |= !bytes_add(&marked, utf8, mark_len);
    }
    if (!l->failed && marked.len > 0) {
        utf8proc_uint8_t *composed = utf8proc_NFC((utf8proc_uint8_t *)marked.data);
        bytes_cut(l->out, start);
        l->failed |= !composed || !bytes_add(l->out, (char *)composed, strlen((char *)composed));
        free(composed);
    }
    bytes_free(&marked);
}

static void emit_call(struct line *l, const char *name, int node)
{
    stand_apart(l);
    stand_apart(l);
    line_say(l, name);
    emit_group(l, node, true);
}

static void emit_accent(struct line *l, const struct math_node *n)
{
    size_t start = l->out->len;
    enum math_level level = math_level(l->t, n->a);
    if (l->t->ascii || level > LEVEL_PRODUCT) {
        emit_call(l, math_accent(n->cp)->name, n->a);
        return;
    }
    if (l->guard)
        blank(l, 1);
    start = l->out->len;
    emit(l, n->a);
    put_marks(l, start, n->cp, n->cp == 0x304, false);
}

static void emit_bar(struct line *l, const struct math_node *n)
{
    if (l->t->ascii) {
        emit_call(l, n->form == SIDE_OVER ? "bar" : "underline", n->a);
        return;
    }
    if (l->guard)
        blank(l, 1);
    size_t start = l->out->len;
    emit(l, n->a);
    bool one = math_level(l->t, n->a) == LEVEL_ONE &&
               at(l, math_unwrap(l->t, n->a))->kind == MATH_ATOM;
    put_marks(l, start, n->form == SIDE_UNDER ? 0x332 : one ? 0x304 : 0x305, true, true);
}

/* The labels of an arrow, without surrounding blanks. */
static void put_label(struct line *l, int node)
{
    struct bytes s = {0};
    size_t from = 0;
    l->failed |= !math_line(l->t, node, true, &s);
    while (from < s.len && s.data[from] == ' ')
        from++;
    while (s.len > from && s.data[s.len - 1] == ' ')
        s.len--;
    if (s.len > from)
        line_put(l, s.data + from, s.len - from);
    l->guard = false;
    bytes_free(&s);
}

static void emit_arrow(struct line *l, const struct math_node *n)
{
    const struct math_symbol *symbol = at(l, n->c)->symbol;
    const char *arrow = symbol ? symbol->text : "→";
    bool twice = strcmp(arrow, "⇒") == 0 || strcmp(arrow, "⇐") == 0;
    bool left = strcmp(arrow, "←") == 0 || strcmp(arrow, "⇐") == 0 || strcmp(arrow, "↔") == 0;
    const char *shaft = l->t->ascii ? twice ? "==" : "--" : twice ? "═" : "─";

    if (l->t->ascii)
        arrow = left ? "<" : ">";
    line_say(l, left ? arrow : shaft);
    if (l->t->ascii && left)
        line_say(l, shaft);
    put_label(l, n->a);
    line_say(l, shaft);
    if (!left)
        line_say(l, arrow);
    if (n->b) {
        line_say(l, "_");
        emit_group(l, n->b, math_level(l->t, n->b) != LEVEL_ONE);
    }
}

static void emit_cancel(struct line *l, const struct math_node *n)
{
    if (l->t->ascii) {
        emit_call(l, "cancel", n->a);
        return;
    }
    size_t start = l->out->len;
    emit(l, n->a);
    put_marks(l, start, 0x338, true, false);
}

static void emit_phantom(struct line *l, const struct math_node *n)
{
    size_t start = l->out->len;
    emit(l, n->a);
    if (l->failed)
        return;
    int width = text_width(l->out->data + start, l->out->len - start);
    bytes_cut(l->out, start);
    l->guard = false;
    blank(l, width);
}

static void emit(struct line *l, int node)
{
    const struct math_node *n = at(l, node);
    if (node == 0 || l->failed)
        return;
    switch (n->kind) {
    case MATH_ROW: emit_row(l, n->a); break;
    case MATH_ATOM:
    case MATH_TEXT: put_node_text(l, node); break;
    case MATH_SPACE: blank(l, n->form); break;
    case MATH_FRACTION: emit_fraction(l, n); break;
    case MATH_ROOT: emit_root(l, n); break;
    case MATH_SCRIPTS: emit_scripts(l, node); break;
    case MATH_DELIM: {
        bool tight = l->tight;
        put_node_text(l, n->b);
        l->guard = false;
        emit(l, n->a);
        l->guard = false;
        put_node_text(l, n->c);
        l->tight = tight;
        break;
    }
    case MATH_TABLE: emit_table(l, n); break;
    case MATH_ACCENT: emit_accent(l, n); break;
    case MATH_BAR: emit_bar(l, n); break;
    case MATH_BRACE: emit(l, n->a); break;
    case MATH_ARROW: emit_arrow(l, n); break;
    case MATH_BOXED:
        line_say(l, "[");
        emit(l, n->a);
        l->guard = false;
        line_say(l, "]");
        break;
    case MATH_CANCEL: emit_cancel(l, n); break;
    case MATH_PHANTOM: emit_phantom(l, n); break;
    }
}

bool math_line(const struct math_tree *t, int node, bool tight, struct bytes *out)
{
    struct line l = {.t = t, .out = out, .tight = tight};
    emit(&l, node);
    return !l.failed;
}
