/*
 * bracket.c: passes over a complete row: matching brackets, and signs.
 */
#include "math/parse.h"

#include <string.h>

enum {
    OPEN_MAX = 32, /* nesting depth within one row */
    KET_MAX = 16,  /* parts between | and > */
};

void math_settle_classes(struct math_parser *p, int first)
{
    enum math_class before = CLASS_OPEN;
    struct math_node *last = NULL;

    for (int i = first; i; i = node(p, i)->next) {
        struct math_node *n = node(p, i);
        if (n->kind == MATH_SPACE)
            continue;
        if (n->class == CLASS_BIN &&
            (before == CLASS_BIN || before == CLASS_OP || before == CLASS_BIG ||
             before == CLASS_REL || before == CLASS_PUNCT || (before == CLASS_OPEN)))
            n->class = CLASS_ORD;
        if (last && last->class == CLASS_BIN && (n->class == CLASS_REL || n->class == CLASS_PUNCT))
            last->class = CLASS_ORD;
        before = n->kind == MATH_DELIM ? CLASS_CLOSE : (enum math_class)n->class;
        last = n;
    }
    if (last && last->class == CLASS_BIN)
        last->class = CLASS_ORD;
}

static bool is_bar(const struct math_node *n)
{
    return n->kind == MATH_ATOM && n->symbol && n->symbol->flags & SYMBOL_DELIM &&
           n->class == CLASS_ORD && n->symbol->text[0] != '/' && n->symbol->text[0] != '\\';
}

struct open {
    int at, before;
    bool bar, ket;
};

/* The bracket of a node, itself or its base; 0: none. */
static int bracket_of(struct math_parser *p, int i)
{
    const struct math_node *n = node(p, i);
    if (n->kind == MATH_SCRIPTS && n->form == 0)
        n = node(p, i = n->a);
    bool is = n->kind == MATH_ATOM && n->symbol && n->symbol->flags & SYMBOL_DELIM;
    return is && (n->class == CLASS_OPEN || n->class == CLASS_CLOSE || is_bar(n)) ? i : 0;
}

/* Wraps everything from an opening bracket to its closing one into one node; returns that. */
static int close_bracket(struct math_parser *p, struct math_list *list, struct open open, int last,
                         int closing)
{
    int inside = math_node(p, MATH_ROW, CLASS_ORD), n = math_node(p, MATH_DELIM, CLASS_OPEN);
    if (p->failed)
        return 0;
    int first = node(p, open.at)->next, next = node(p, closing)->next;
    for (int i = first; i && i != closing; i = node(p, i)->next)
        if (node(p, i)->next == closing)
            node(p, i)->next = 0;
    node(p, inside)->a = first == closing ? 0 : first;
    math_settle_classes(p, node(p, inside)->a);
    node(p, open.at)->next = 0;
    node(p, n)->a = inside;
    node(p, n)->b = open.at;
    node(p, n)->c = last;
    if (last != closing) { /* the scripts of the closing bracket apply to the whole */
        node(p, closing)->a = n;
        node(p, closing)->class = CLASS_CLOSE;
        n = closing;
    } else {
        node(p, n)->next = next;
        node(p, last)->next = 0;
    }
    if (open.before)
        node(p, open.before)->next = n;
    else
        list->first = n;
    return n;
}

static bool is_named(struct math_parser *p, int i, const char *name)
{
    const struct math_symbol *symbol = node(p, i)->symbol;
    return symbol && strcmp(symbol->name, name) == 0;
}

/* |0>: a bar closed by an angle bracket. */
static bool is_ket(struct math_parser *p, int bar)
{
    int seen = 0;
    for (int i = node(p, bar)->next; i && seen < KET_MAX; i = node(p, i)->next, seen++) {
        int bracket = bracket_of(p, i);
        if (bracket)
            return is_named(p, bracket, "rangle");
    }
    return false;
}

/* A bar opens where an operand is expected; elsewhere only if it may pair with another. */
static bool bar_opens(struct math_parser *p, int before, int bars_left)
{
    if (before == 0 || bars_left % 2 == 0)
        return true;
    enum math_class class = node(p, before)->class;
    bool value = node(p, before)->kind == MATH_DELIM || class == CLASS_ORD || class == CLASS_CLOSE;
    return !value && class != CLASS_INNER;
}

static int count_bars(struct math_parser *p, int first)
{
    int count = 0, bracket;
    for (int i = first; i; i = node(p, i)->next)
        count += (bracket = bracket_of(p, i)) && is_bar(node(p, bracket));
    return count;
}

void math_match_brackets(struct math_parser *p, struct math_list *list)
{
    struct open stack[OPEN_MAX];
    int depth = 0, before = 0, bars_left = count_bars(p, list->first);

    for (int i = list->first; i && !p->failed; before = i, i = node(p, i)->next) {
        int bracket = bracket_of(p, i);
        if (!bracket)
            continue;
        bool bar = is_bar(node(p, bracket)), closes = node(p, bracket)->class == CLASS_CLOSE;
        bool ket = bar ? is_ket(p, i) : is_named(p, bracket, "rangle");
        if (bar)
            closes = depth > 0 && stack[depth - 1].bar &&
                     node(p, stack[depth - 1].at)->symbol == node(p, bracket)->symbol;
        if (closes) {
            while (depth > 0 && stack[depth - 1].bar != bar && !(ket && stack[depth - 1].ket))
                depth--;
            if (depth > 0)
                i = close_bracket(p, list, stack[--depth], bracket, i);
        } else if (bracket == i && depth < OPEN_MAX &&
                   (!bar || ket || bar_opens(p, before, bars_left))) {
            bool within_angle = depth > 0 && is_named(p, stack[depth - 1].at, "langle");
            if (!bar || !within_angle) /* <a|b|c> */
                stack[depth++] = (struct open){i, before, bar, bar && ket};
        }
        bars_left -= bar;
    }
}
