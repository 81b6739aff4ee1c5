/*
 * space.c: spacing between neighbours, and the precedence of parts of a formula.
 */
#include "math/tree.h"
#include "text/ascii.h"

#include <string.h>

static const struct math_node *at(const struct math_tree *t, int node)
{
    return &t->nodes[node];
}

int math_unwrap(const struct math_tree *t, int node)
{
    while (at(t, node)->kind == MATH_ROW && at(t, node)->a && !at(t, at(t, node)->a)->next)
        node = at(t, node)->a;
    return node;
}

static enum math_class edge(const struct math_tree *t, int node, bool right)
{
    const struct math_node *n = at(t, node);
    while (n->kind == MATH_SCRIPTS && at(t, n->a)->kind == MATH_DELIM && !right)
        n = at(t, n->a);
    if (n->kind == MATH_DELIM)
        return right ? n->c ? CLASS_CLOSE : CLASS_ORD : n->b ? CLASS_OPEN : CLASS_ORD;
    return (enum math_class)n->class;
}

/* The text at one end of a node; returns its length, 0 if it is not plain text. */
static size_t end_text(const struct math_tree *t, int node, bool right, const char **text_out)
{
    const struct math_node *n = at(t, node);
    while (n->kind == MATH_ROW || n->kind == MATH_SCRIPTS) {
        if (n->kind == MATH_SCRIPTS && right)
            return 0;
        int next = n->a;
        while (right && at(t, next)->next)
            next = at(t, next)->next;
        if (next == 0)
            return 0;
        n = at(t, node = next);
    }
    if (n->kind != MATH_ATOM && n->kind != MATH_TEXT)
        return 0;
    *text_out = t->text.data + n->text;
    return n->len;
}

/* Words are separated from letters and digits. */
static bool words_touch(const struct math_tree *t, int left, int right)
{
    const char *l = "", *r = "";
    size_t l_len = end_text(t, left, true, &l), r_len = end_text(t, right, false, &r);
    if (l_len == 0 || r_len == 0)
        return false;
    char last = l[l_len - 1], first = r[0];
    bool operators = (at(t, left)->class != CLASS_ORD && ascii_is_letter(last)) ||
                     (at(t, right)->class != CLASS_ORD && ascii_is_letter(first));
    bool l_word = l_len > 1 && ascii_is_letter(last), r_word = r_len > 1 && ascii_is_letter(first);
    if (at(t, right)->kind == MATH_TEXT && !t->ascii && at(t, left)->number)
        return false; /* 5kg */
    bool l_joins = ascii_is_letter(last) || (last >= '0' && last <= '9') ||
                   (unsigned char)last >= 0x80;
    bool r_joins = ascii_is_letter(first) || (first >= '0' && first <= '9') ||
                   (unsigned char)first >= 0x80;
    return ((l_word && r_joins) || (r_word && l_joins) || operators) && l_joins && r_joins;
}

static bool is_operator(enum math_class class)
{
    return class == CLASS_OP || class == CLASS_BIG;
}

static int class_gap(enum math_class l, enum math_class r, bool tight)
{
    if (l == CLASS_OPEN || r == CLASS_CLOSE || r == CLASS_PUNCT)
        return 0;
    if (l == CLASS_BIN || r == CLASS_BIN || l == CLASS_PUNCT)
        return !tight;
    if (l == CLASS_REL || r == CLASS_REL)
        return !tight && l != r;
    if (is_operator(l))
        return r != CLASS_OPEN || l == CLASS_BIG;
    if (is_operator(r))
        return 1;
    return (l == CLASS_INNER || r == CLASS_INNER) && !tight;
}

static bool is_char(const struct math_tree *t, int node, uint32_t cp)
{
    return at(t, node)->kind == MATH_ATOM && at(t, node)->cp == cp;
}

static bool is_symbol(const struct math_tree *t, int node, const char *name)
{
    const struct math_node *n = at(t, node);
    return n->kind == MATH_ATOM && n->symbol && strcmp(n->symbol->name, name) == 0;
}

static bool is_sign(const struct math_tree *t, int node)
{
    return is_char(t, node, '-') || is_char(t, node, '+') || is_symbol(t, node, "pm") ||
           is_symbol(t, node, "mp");
}

static bool is_fenced_by_bars(const struct math_tree *t, int node)
{
    const struct math_node *n = at(t, node);
    const struct math_symbol *symbol = at(t, n->b)->symbol;
    return n->kind == MATH_DELIM && symbol &&
           (symbol->text[0] == '|' || strcmp(symbol->text, "‖") == 0);
}

/* Whether a text has a blank of its own. */
static bool text_has_blank(const struct math_tree *t, int node, bool at_end)
{
    const struct math_node *n = at(t, node);
    const char *text = t->text.data + n->text;
    return n->kind == MATH_TEXT && n->len > 0 && text[at_end ? n->len - 1 : 0] == ' ';
}

/* Whether its root is drawn without a bar. */
static bool is_bare(const struct math_tree *t, int node)
{
    const struct math_node *n = at(t, math_unwrap(t, node));
    return n->kind == MATH_ATOM || n->kind == MATH_TEXT;
}

int math_gap(const struct math_tree *t, int left, int right, bool tight)
{
    if (left == 0 || right == 0)
        return 0;
    if (text_has_blank(t, left, true) || text_has_blank(t, right, false))
        return 0;
    int gap = class_gap(edge(t, left, true), edge(t, right, false), tight);
    const struct math_node *n = at(t, right);
    if (n->kind == MATH_ROOT && (n->b || t->ascii) && math_is_value(t, left))
        return 1; /* or the degree is a power of what stands before */
    if (at(t, left)->kind == MATH_ROOT && is_bare(t, at(t, left)->a) && math_is_value(t, right))
        return !is_char(t, right, '!');
    if (at(t, left)->class == CLASS_REL && n->class == CLASS_REL && !tight)
        return at(t, left)->symbol || n->symbol; /* := is one sign */
    if (is_fenced_by_bars(t, left) && is_fenced_by_bars(t, right))
        return 1;
    if (is_operator((enum math_class)n->class) && is_sign(t, left) &&
        at(t, left)->class == CLASS_ORD)
        return 0; /* -cos x */
    return gap ? gap : words_touch(t, left, right);
}

bool math_is_value(const struct math_tree *t, int node)
{
    const struct math_node *n = at(t, node);
    if (node == 0 || n->kind == MATH_SPACE)
        return false;
    if (n->kind == MATH_TEXT)
        return n->len > 0 && t->text.data[n->text] != ' ';
    if (is_char(t, node, '-') || is_char(t, node, '+') || is_symbol(t, node, "pm"))
        return false;
    return n->class == CLASS_ORD || n->class == CLASS_OPEN || n->class == CLASS_CLOSE ||
           n->class == CLASS_INNER;
}

static int base_of(const struct math_tree *t, int node)
{
    node = math_unwrap(t, node);
    return at(t, node)->kind == MATH_SCRIPTS ? math_unwrap(t, at(t, node)->a) : node;
}

static bool is_d(const struct math_tree *t, int node)
{
    node = base_of(t, node);
    return is_char(t, node, 'd') || is_symbol(t, node, "partial") || is_symbol(t, node, "Delta");
}

/* d and its variable: a letter, or one in braces. */
bool math_is_differential(const struct math_tree *t, int first)
{
    int of = first ? at(t, first)->next : 0;
    if (first == 0 || of == 0 || !is_d(t, first))
        return false;
    of = base_of(t, of);
    return (at(t, of)->kind == MATH_ATOM && at(t, of)->class == CLASS_ORD && !at(t, of)->number) ||
           at(t, of)->kind == MATH_ACCENT;
}

static bool all_differentials(const struct math_tree *t, int first)
{
    while (first && math_is_differential(t, first)) {
        first = at(t, at(t, first)->next)->next;
        while (first && at(t, first)->kind == MATH_SPACE)
            first = at(t, first)->next;
    }
    return first == 0;
}

static bool names_function(const struct math_tree *t, int node)
{
    node = base_of(t, node);
    uint32_t cp = at(t, node)->cp;
    if (at(t, node)->class == CLASS_OP)
        return true;
    return at(t, node)->kind == MATH_ATOM && ((cp >= 'f' && cp <= 'h') || (cp >= 'A' && cp <= 'Z'));
}

static enum math_level row_level(const struct math_tree *t, int first)
{
    int count = 0, second = at(t, first)->next;
    bool has_sign = is_sign(t, first) || is_symbol(t, first, "neg");

    if (all_differentials(t, first))
        return LEVEL_DIFFERENTIAL;
    if (second && !at(t, second)->next && names_function(t, first) &&
        at(t, second)->kind == MATH_DELIM)
        return LEVEL_ONE;
    for (int i = first; i; i = at(t, i)->next) {
        enum math_class class = (enum math_class)at(t, i)->class;
        if (class == CLASS_BIN || class == CLASS_REL || class == CLASS_PUNCT || is_operator(class))
            return LEVEL_SUM;
        if (at(t, i)->kind == MATH_TABLE || (i != first && is_sign(t, i) && has_sign))
            return LEVEL_SUM;
        count += at(t, i)->kind != MATH_SPACE;
    }
    if (has_sign)
        return LEVEL_SIGNED;
    if (count == 2 && is_char(t, second, '!') && math_level(t, first) <= LEVEL_SCRIPTED)
        return LEVEL_SCRIPTED;
    return LEVEL_PRODUCT;
}

enum math_level math_level(const struct math_tree *t, int node)
{
    const struct math_node *n = at(t, node = math_unwrap(t, node));
    switch (n->kind) {
    case MATH_ROW: return n->a ? row_level(t, n->a) : LEVEL_ONE;
    case MATH_TEXT: return memchr(t->text.data + n->text, ' ', n->len) ? LEVEL_SUM : LEVEL_ONE;
    case MATH_SCRIPTS:
        return at(t, math_unwrap(t, n->a))->kind == MATH_BRACE ? LEVEL_SUM : LEVEL_SCRIPTED;
    case MATH_DELIM: return n->b && n->c ? LEVEL_ONE : LEVEL_SUM;
    case MATH_FRACTION:
    case MATH_TABLE:
    case MATH_ARROW:
    case MATH_PHANTOM: return LEVEL_SUM;
    case MATH_BRACE: return math_level(t, n->a);
    case MATH_CANCEL: return math_level(t, n->a);
    default: return LEVEL_ONE;
    }
}
