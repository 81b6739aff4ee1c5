/*
 * parse.c: TeX source to a tree: rows, atoms and scripts.
 */
#include "math/parse.h"
#include "text/array.h"
#include "text/ascii.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    TREE_DEPTH_MAX = 3 *
                     MATH_DEPTH_MAX, /* including brackets, for which the parser does not recurse */
    OPEN_MAX = 32,                   /* nesting of brackets within one row */
};

int math_fail(struct math_parser *p)
{
    p->failed = true;
    return 0;
}

int math_node(struct math_parser *p, enum math_kind kind, enum math_class class)
{
    struct math_tree *t = p->t;
    if (p->failed)
        return 0;
    struct math_node *nodes = array_grow(t->nodes, t->n, &t->cap, sizeof *nodes);
    if (!nodes)
        return math_fail(p);
    t->nodes = nodes;
    t->nodes[t->n] = (struct math_node){.kind = (uint8_t)kind, .class = (uint8_t) class};
    return (int)t->n++;
}

void math_list_add(struct math_parser *p, struct math_list *list, int n)
{
    if (n == 0 || p->failed)
        return;
    if (list->last)
        node(p, list->last)->next = n;
    else
        list->first = n;
    list->last = n;
}

void math_set_text(struct math_parser *p, int n, const char *text, size_t len)
{
    if (p->failed)
        return;
    node(p, n)->text = (uint32_t)p->t->text.len;
    node(p, n)->len = (uint32_t)len;
    if (!bytes_add(&p->t->text, text, len))
        math_fail(p);
}

int math_symbol_node(struct math_parser *p, const struct math_symbol *symbol)
{
    int n = math_node(p, MATH_ATOM, symbol->class);
    uint32_t cp;
    char dressed[4];
    const char *text = symbol->text;
    if (n == 0)
        return 0;
    text_decode(text, strlen(text), &cp);
    if (p->t->ascii)
        text = symbol->ascii ? symbol->ascii : symbol->name;
    node(p, n)->symbol = symbol;
    node(p, n)->font = (uint8_t)p->font;
    node(p, n)->word = symbol->flags & SYMBOL_WORD && text[1] && (unsigned char)text[0] < 0x80;
    if (!p->t->ascii && math_font(cp, p->font) != cp)
        math_set_text(p, n, dressed, text_encode(math_font(cp, p->font), dressed));
    else
        math_set_text(p, n, text, strlen(text));
    return n;
}

void math_skip_spaces(struct math_parser *p)
{
    while (p->at < p->len) {
        char c = p->s[p->at];
        bool comment = c == '%' && p->at + 1 < p->len && p->s[p->at + 1] == '\n';
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r' && !comment)
            return;
        p->at++;
    }
}

bool math_next_is(const struct math_parser *p, char c)
{
    return p->at < p->len && p->s[p->at] == c;
}

bool math_take(struct math_parser *p, char c)
{
    math_skip_spaces(p);
    if (!math_next_is(p, c))
        return false;
    p->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

struct math_name math_peek_command(const struct math_parser *p)
{
    struct math_name name = {p->s + p->at + 1, 0};
    if (!math_next_is(p, '\\') || p->at + 1 >= p->len)
        return name;
    while (p->at + 1 + name.len < p->len && ascii_is_letter(name.s[name.len]))
        name.len++;
    if (name.len == 0)
        name.len = 1;
    else if (p->at + 1 + name.len < p->len && name.s[name.len] == '*')
        name.len += name_is(name, "operatorname") || name_is(name, "tag");
    return name;
}

struct math_name math_take_command(struct math_parser *p)
{
    struct math_name name = math_peek_command(p);
    p->at += name.len ? name.len + 1 : 0;
    return name;
}

/* ASCII characters with a meaning of their own. */
static const struct math_symbol *ascii_symbol(char c)
{
    switch (c) {
    case '(':
    case ')':
    case '[':
    case ']': return math_symbol(&c, 1);
    case '|': return math_symbol("vert", 4);
    case '/': return math_symbol("slash", 5);
    case '<': return math_symbol("lt", 2);
    case '>': return math_symbol("gt", 2);
    default: return NULL;
    }
}

static enum math_class ascii_class(uint32_t cp)
{
    switch (cp) {
    case '+':
    case '-':
    case '*':
    case 0x2212: return CLASS_BIN;
    case '=':
    case ':': return CLASS_REL;
    case ',':
    case ';': return CLASS_PUNCT;
    case '!':
    case '?': return CLASS_CLOSE;
    default: return CLASS_ORD;
    }
}

int math_char_node(struct math_parser *p, uint32_t cp)
{
    const struct math_symbol *symbol = cp < 0x80 ? ascii_symbol((char)cp) : math_symbol_of(cp);
    char utf8[4];
    if (symbol)
        return math_symbol_node(p, symbol);
    int n = math_node(p, MATH_ATOM, ascii_class(cp));
    if (n == 0)
        return 0;
    node(p, n)->cp = cp == 0x2212 ? '-' : cp;
    node(p, n)->font = (uint8_t)p->font;
    node(p, n)->number = cp < 0x80 && is_digit((char)cp);
    uint32_t drawn = p->t->ascii ? cp : cp == '-' ? 0x2212 : math_font(cp, p->font);
    if (p->t->ascii && cp >= 0x80)
        drawn = cp == 0x2212 ? '-' : '?';
    math_set_text(p, n, utf8, text_encode(drawn, utf8));
    return n;
}

/* A letter with its combining marks, a sign, or the visible form of invalid bytes. */
static int parse_cluster(struct math_parser *p)
{
    struct text_cluster c;
    char drawn[TEXT_CLUSTER_MAX * 4];
    size_t len = 0;

    text_next(p->s + p->at, p->len - p->at, &c);
    p->at += c.len;
    if (c.n == 1)
        return math_char_node(p, c.cp[0]);
    int n = math_node(p, MATH_ATOM, CLASS_ORD);
    for (int i = 0; i < c.n; i++)
        len += text_encode(p->t->ascii && c.cp[i] >= 0x80 ? '?' : c.cp[i], drawn + len);
    if (n)
        math_set_text(p, n, drawn, len);
    return n;
}

/* Length of a number, including a decimal point and thousands commas. */
static size_t number_length(const char *s, size_t len)
{
    size_t n = 0, digits = 0;
    while (digits < len && is_digit(s[digits]))
        digits++;
    n = digits;
    while (digits <= 3 && n + 3 < len && s[n] == ',' && is_digit(s[n + 1]) && is_digit(s[n + 2]) &&
           is_digit(s[n + 3]) && (n + 4 == len || !is_digit(s[n + 4])))
        n += 4;
    if (n + 1 < len && s[n] == '.' && is_digit(s[n + 1]))
        for (n++; n < len && is_digit(s[n]);)
            n++;
    return n;
}

static int parse_number(struct math_parser *p)
{
    size_t len = number_length(p->s + p->at, p->len - p->at), from = p->at;
    bool point = p->at > 0 && (p->s[p->at - 1] == '(' || p->s[p->at - 1] == '[');
    for (size_t i = 0; point && i < len; i++)
        if (p->s[from + i] == ',')
            len = i; /* the coordinates of a point */
    p->at += len;
    int n = math_node(p, MATH_ATOM, CLASS_ORD);
    if (n == 0)
        return 0;
    node(p, n)->number = true;
    node(p, n)->cp = '0';
    if (p->font == FONT_PLAIN || p->t->ascii) {
        math_set_text(p, n, p->s + from, len);
        return n;
    }
    node(p, n)->text = (uint32_t)p->t->text.len;
    for (size_t i = 0; i < len; i++) {
        char utf8[4];
        size_t k = text_encode(math_font((unsigned char)p->s[from + i], p->font), utf8);
        if (!bytes_add(&p->t->text, utf8, k))
            return math_fail(p);
    }
    node(p, n)->len = (uint32_t)p->t->text.len - node(p, n)->text;
    return n;
}

/* A row in braces. */
static int parse_group(struct math_parser *p)
{
    if (!math_take(p, '{'))
        return math_fail(p);
    int n = math_parse_row(p, false);
    return math_take(p, '}') ? n : math_fail(p);
}

static int parse_atom(struct math_parser *p, bool one_digit)
{
    char c = p->s[p->at];
    if (c == '{')
        return parse_group(p);
    if (c == '\\') {
        struct math_name name = math_take_command(p);
        return name.len ? math_parse_command(p, name) : math_fail(p);
    }
    if (c == '^' || c == '_' || c == '\'')
        return math_node(p, MATH_ROW, CLASS_ORD); /* a script of nothing */
    if (c == '~') {
        p->at++;
        int n = math_node(p, MATH_SPACE, CLASS_ORD);
        if (n)
            node(p, n)->form = 1;
        return n;
    }
    if (c == '$')
        return math_fail(p);
    return is_digit(c) && !one_digit ? parse_number(p) : parse_cluster(p);
}

int math_parse_argument(struct math_parser *p)
{
    int n = 0;
    math_skip_spaces(p);
    if (p->at >= p->len || p->failed || p->depth >= MATH_DEPTH_MAX || strchr("}&^_", p->s[p->at]))
        return math_fail(p);
    p->depth++;
    n = parse_atom(p, true);
    p->depth--;
    return n ? n : math_fail(p);
}

int math_parse_optional(struct math_parser *p)
{
    if (!math_take(p, '['))
        return 0;
    int n = math_parse_row(p, true);
    return math_take(p, ']') ? n : math_fail(p);
}

bool math_raw_argument(struct math_parser *p, struct math_name *out)
{
    size_t depth = 0, from;
    if (!math_take(p, '{'))
        return false;
    from = p->at;
    for (; p->at < p->len; p->at++) {
        char c = p->s[p->at];
        if (c == '\\' && p->at + 1 < p->len)
            p->at++;
        else if (c == '{')
            depth++;
        else if (c == '}' && depth-- == 0)
            break;
    }
    if (p->at >= p->len)
        return false;
    *out = (struct math_name){p->s + from, p->at++ - from};
    return true;
}

/* Primes: ', '' and so on, and the superscript after them. */
static int parse_primes(struct math_parser *p)
{
    static const char *const marks[] = {"\u2032", "\u2033", "\u2034"};
    struct math_list list = {0};
    int count = 0, row = math_node(p, MATH_ROW, CLASS_ORD);

    while (math_take(p, '\''))
        count++;
    for (int many; count > 0 && !p->failed; count -= many) {
        many = count > 3 ? 3 : count;
        int n = math_symbol_node(p, math_symbol("prime", 5));
        if (n)
            math_set_text(p, n, p->t->ascii ? "'''" : marks[many - 1],
                          p->t->ascii ? (size_t)many : strlen(marks[many - 1]));
        math_list_add(p, &list, n);
    }
    if (math_take(p, '^'))
        math_list_add(p, &list, math_parse_argument(p));
    if (!p->failed)
        node(p, row)->a = list.first;
    return row;
}

static bool takes_limits(struct math_parser *p, int base)
{
    const struct math_node *n = node(p, base);
    if (n->kind == MATH_BRACE || (n->form == 1 && (n->kind == MATH_TEXT || n->kind == MATH_ROW)))
        return true;
    return n->kind == MATH_ATOM && n->symbol && n->symbol->flags & SYMBOL_LIMITS;
}

/* The scripts of the preceding atom, if any. */
static int parse_scripts(struct math_parser *p, int base)
{
    int below = 0, above = 0, n;
    bool limits = takes_limits(p, base);

    for (;;) {
        math_skip_spaces(p);
        struct math_name name = math_peek_command(p);
        if (name_is(name, "limits") || name_is(name, "nolimits")) {
            limits = name.s[0] == 'l';
            math_take_command(p);
        } else if (math_next_is(p, '\'')) {
            if (above)
                return math_fail(p);
            above = parse_primes(p);
        } else if (math_next_is(p, '^') && !above) {
            p->at++;
            above = math_parse_argument(p);
            if (math_next_is(p, '\''))
                above = math_fail(p);
        } else if (math_next_is(p, '_') && !below) {
            p->at++;
            below = math_parse_argument(p);
        } else {
            break;
        }
        if (p->failed)
            return 0;
    }
    if (math_next_is(p, '^') || math_next_is(p, '_'))
        return math_fail(p);
    if (!below && !above)
        return base;
    n = math_node(p, MATH_SCRIPTS, node(p, base)->class);
    if (n == 0)
        return 0;
    node(p, n)->a = base;
    node(p, n)->b = below;
    node(p, n)->c = above;
    node(p, n)->form = limits;
    if (node(p, base)->kind == MATH_DELIM)
        node(p, n)->class = CLASS_CLOSE;
    if (limits && node(p, n)->class == CLASS_OP)
        node(p, n)->class = CLASS_BIG;
    return n;
}

static bool ends_row(const struct math_parser *p, bool until_bracket)
{
    if (p->failed || p->at >= p->len)
        return true;
    char c = p->s[p->at];
    if (c == '}' || c == '&' || (until_bracket && c == ']'))
        return true;
    struct math_name name = math_peek_command(p);
    return name_is(name, "\\") || name_is(name, "right") || name_is(name, "end") ||
           name_is(name, "cr") || name_is(name, "newline") || name_is(name, "tag") ||
           name_is(name, "tag*");
}

/* TeX's {a \over b}. */
static int parse_infix(struct math_parser *p, struct math_name name, int row, bool until_bracket)
{
    int n = math_node(p, MATH_FRACTION, CLASS_INNER), below = math_parse_row(p, until_bracket);
    if (p->failed)
        return 0;
    node(p, n)->a = row;
    node(p, n)->b = below;
    node(p, n)->form = name_is(name, "over")     ? FRACTION_PLAIN
                       : name_is(name, "choose") ? FRACTION_CHOOSE
                                                 : FRACTION_ATOP;
    if (!name_is(name, "choose"))
        return n;
    int whole = math_node(p, MATH_DELIM, CLASS_OPEN), open = math_char_node(p, '('),
        close = math_char_node(p, ')');
    if (p->failed)
        return 0;
    node(p, whole)->a = n;
    node(p, whole)->b = open;
    node(p, whole)->c = close;
    return whole;
}

static void parse_items(struct math_parser *p, struct math_list *list, bool until_bracket)
{
    for (;;) {
        math_skip_spaces(p);
        if (ends_row(p, until_bracket))
            return;
        struct math_name name = math_peek_command(p);
        if (name_is(name, "over") || name_is(name, "choose") || name_is(name, "atop")) {
            int row = math_node(p, MATH_ROW, CLASS_ORD);
            math_take_command(p);
            math_match_brackets(p, list);
            math_settle_classes(p, list->first);
            if (!p->failed)
                node(p, row)->a = list->first;
            list->first = list->last = parse_infix(p, name, row, until_bracket);
            return;
        }
        int n = parse_atom(p, false);
        if (n && !p->failed)
            math_list_add(p, list, parse_scripts(p, n));
    }
}

int math_parse_row(struct math_parser *p, bool until_bracket)
{
    struct math_list list = {0};
    enum math_font font = p->font;
    int row = math_node(p, MATH_ROW, CLASS_ORD);

    if (p->failed || p->depth >= MATH_DEPTH_MAX)
        return math_fail(p);
    p->depth++;
    parse_items(p, &list, until_bracket);
    p->depth--;
    p->font = font;
    math_match_brackets(p, &list);
    if (p->failed)
        return 0;
    math_settle_classes(p, list.first);
    node(p, row)->a = list.first;
    return row;
}

static bool too_deep(const struct math_tree *t, int first, int depth)
{
    if (depth > TREE_DEPTH_MAX)
        return true;
    for (int i = first; i; i = t->nodes[i].next)
        if (too_deep(t, t->nodes[i].a, depth + 1) || too_deep(t, t->nodes[i].b, depth + 1) ||
            too_deep(t, t->nodes[i].c, depth + 1))
            return true;
    return false;
}

bool math_parse(struct math_tree *t, const char *tex, size_t len, bool ascii)
{
    struct math_parser p = {.t = t, .s = tex, .len = len};

    *t = (struct math_tree){.ascii = ascii};
    if (len > MATH_SOURCE_MAX || !bytes_reserve(&t->text, len)) /* so that it exists, if empty */
        return false;
    math_node(&p, MATH_ROW, CLASS_ORD); /* node 0 is reserved */
    t->root = math_parse_table(&p, TABLE_ALIGNED);
    if (p.failed || p.at < p.len)
        return false;
    /* A single cell is not a table. */
    const struct math_node *line = &t->nodes[t->nodes[t->root].a];
    if (!line->next && !line->b && !t->nodes[line->a].next)
        t->root = line->a;
    return !too_deep(t, t->root, 0);
}

void math_tree_free(struct math_tree *t)
{
    free(t->nodes);
    bytes_free(&t->text);
    *t = (struct math_tree){0};
}
