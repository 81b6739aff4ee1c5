/*
 * table.c: environments: lines of cells between \begin and \end.
 */
#include "math/parse.h"

#include <string.h>

static const struct environment {
    const char *name;
    enum math_table form;
    const char *open, *close; /* parser state around it */
    bool columns;             /* takes a column specification {lcr} */
} environments[] = {
    {"matrix", TABLE_MATRIX, NULL, NULL, false},
    {"smallmatrix", TABLE_MATRIX, NULL, NULL, false},
    {"pmatrix", TABLE_MATRIX, "(", ")", false},
    {"bmatrix", TABLE_MATRIX, "[", "]", false},
    {"Bmatrix", TABLE_MATRIX, "{", "}", false},
    {"vmatrix", TABLE_MATRIX, "lvert", "rvert", false},
    {"Vmatrix", TABLE_MATRIX, "lVert", "rVert", false},
    {"cases", TABLE_CASES, "{", NULL, false},
    {"dcases", TABLE_CASES, "{", NULL, false},
    {"rcases", TABLE_CASES, NULL, "}", false},
    {"array", TABLE_ARRAY, NULL, NULL, true},
    {"subarray", TABLE_LINES, NULL, NULL, true},
    {"aligned", TABLE_ALIGNED, NULL, NULL, false},
    {"align", TABLE_ALIGNED, NULL, NULL, false},
    {"alignat", TABLE_ALIGNED, NULL, NULL, true},
    {"alignedat", TABLE_ALIGNED, NULL, NULL, true},
    {"flalign", TABLE_ALIGNED, NULL, NULL, false},
    {"split", TABLE_ALIGNED, NULL, NULL, false},
    {"eqnarray", TABLE_ALIGNED, NULL, NULL, false},
    {"equation", TABLE_ALIGNED, NULL, NULL, false},
    {"displaymath", TABLE_ALIGNED, NULL, NULL, false},
    {"math", TABLE_ALIGNED, NULL, NULL, false},
    {"multline", TABLE_LINES, NULL, NULL, false},
    {"gather", TABLE_LINES, NULL, NULL, false},
    {"gathered", TABLE_LINES, NULL, NULL, false},
};

/* Reads {name}, with or without a star. NULL: unknown environment. */
static const struct environment *take_name(struct math_parser *p)
{
    struct math_name name;
    if (!math_raw_argument(p, &name))
        return NULL;
    if (name.len > 0 && name.s[name.len - 1] == '*')
        name.len--;
    for (size_t i = 0; i < sizeof environments / sizeof *environments; i++)
        if (name_is(name, environments[i].name))
            return &environments[i];
    return NULL;
}

/* Any number of \hline. */
static int take_rules(struct math_parser *p)
{
    int rules = 0;
    for (;;) {
        math_skip_spaces(p);
        struct math_name name = math_peek_command(p);
        if (!name_is(name, "hline") && !name_is(name, "hdashline") && !name_is(name, "toprule") &&
            !name_is(name, "midrule") && !name_is(name, "bottomrule"))
            return rules;
        math_take_command(p);
        rules = 1;
    }
}

static bool takes_line_end(struct math_parser *p)
{
    struct math_name name = math_peek_command(p);
    if (!name_is(name, "\\") && !name_is(name, "cr") && !name_is(name, "newline"))
        return false;
    math_take_command(p);
    if (math_next_is(p, '*'))
        p->at++;
    if (math_next_is(p, '[')) /* \\[4pt]; a bracket after a space belongs to the formula */
        while (p->at < p->len && p->s[p->at++] != ']')
            ;
    return true;
}

/* \tag{1}: (1) at the right; \tag*{1}: as it stands. */
static int take_tag(struct math_parser *p)
{
    struct math_name name = math_peek_command(p);
    bool star = name_is(name, "tag*");
    if (!star && !name_is(name, "tag"))
        return 0;
    math_take_command(p);
    int words = math_parse_text(p);
    if (p->failed || star)
        return words;
    int n = math_node(p, MATH_DELIM, CLASS_OPEN), open = math_char_node(p, '('),
        close = math_char_node(p, ')');
    if (p->failed)
        return 0;
    node(p, n)->a = words;
    node(p, n)->b = open;
    node(p, n)->c = close;
    return n;
}

/* a &+ b: the sign attaches to the text before the &. */
static void join_sign(struct math_parser *p, int cell)
{
    int i = node(p, cell)->a;
    while (i && node(p, i)->kind == MATH_SPACE)
        i = node(p, i)->next;
    if (i == 0 || !node(p, i)->next || node(p, i)->kind != MATH_ATOM)
        return;
    const struct math_symbol *symbol = node(p, i)->symbol;
    if (node(p, i)->cp == '+' || node(p, i)->cp == '-' || (symbol && symbol->class == CLASS_BIN))
        node(p, i)->class = CLASS_BIN;
}

/* The cells of one line; returns the number of columns. */
static int parse_line(struct math_parser *p, int line, enum math_table form)
{
    struct math_list cells = {0};
    int columns = 0, tag = 0;
    do {
        math_list_add(p, &cells, math_parse_row(p, false));
        if (!p->failed && columns % 2 == 1 && form == TABLE_ALIGNED)
            join_sign(p, cells.last);
        columns++;
        math_skip_spaces(p);
        while (!p->failed && !tag && (tag = take_tag(p))) {
            math_skip_spaces(p);
            while (math_peek_command(p).len && (name_is(math_peek_command(p), "label") ||
                                                name_is(math_peek_command(p), "nonumber"))) {
                struct math_name ignored;
                if (name_is(math_take_command(p), "label"))
                    math_raw_argument(p, &ignored);
                math_skip_spaces(p);
            }
        }
    } while (!p->failed && math_take(p, '&'));
    if (p->failed)
        return 0;
    node(p, line)->a = cells.first;
    node(p, line)->b = tag;
    return columns > MATH_COLUMNS_MAX ? math_fail(p) : columns;
}

int math_parse_table(struct math_parser *p, enum math_table form)
{
    struct math_list lines = {0};
    int table = math_node(p, MATH_TABLE, CLASS_ORD);

    if (p->depth >= MATH_DEPTH_MAX)
        return math_fail(p);
    p->depth++;
    do {
        int rules = take_rules(p), line = math_node(p, MATH_LINE, CLASS_ORD);
        if (p->failed)
            return 0;
        node(p, line)->form = (uint8_t)rules;
        if (parse_line(p, line, form) == 0)
            return 0;
        bool empty = !node(p, node(p, line)->a)->a && !node(p, node(p, line)->a)->next;
        bool last = !name_is(math_peek_command(p), "\\") && !name_is(math_peek_command(p), "cr") &&
                    !name_is(math_peek_command(p), "newline");
        if (!(empty && last && lines.first && !rules)) /* after the last \\ */
            math_list_add(p, &lines, line);
    } while (!p->failed && takes_line_end(p));
    p->depth--;
    if (p->failed)
        return 0;
    node(p, table)->a = lines.first;
    node(p, table)->form = (uint8_t)form;
    return table;
}

/* Keeps only the letters and bars of {|l|c @{} r}. */
static void set_columns(struct math_parser *p, int table, struct math_name columns)
{
    char kept[2 * MATH_COLUMNS_MAX];
    size_t n = 0, depth = 0;
    for (size_t i = 0; i < columns.len && n < sizeof kept; i++) {
        char c = columns.s[i];
        depth += c == '{';
        depth -= c == '}' && depth > 0;
        if (depth == 0 && strchr("lcr|", c) && c)
            kept[n++] = c;
    }
    math_set_text(p, table, kept, n);
}

int math_parse_environment(struct math_parser *p)
{
    const struct environment *env = take_name(p);
    struct math_name columns = {"", 0};
    int open = 0, close = 0;

    if (!env)
        return math_fail(p);
    if (math_next_is(p, '[')) /* [t]: position of the baseline */
        while (p->at < p->len && p->s[p->at++] != ']')
            ;
    if (env->columns && !math_raw_argument(p, &columns))
        return math_fail(p);
    int table = math_parse_table(p, env->form);
    if (p->failed || !name_is(math_take_command(p), "end") || take_name(p) != env)
        return math_fail(p);
    if (env->form == TABLE_ARRAY)
        set_columns(p, table, columns);
    if (!env->open && !env->close)
        return table;
    int n = math_node(p, MATH_DELIM, CLASS_OPEN);
    if (env->open && (open = math_symbol_node(p, math_symbol(env->open, strlen(env->open)))))
        node(p, open)->class = CLASS_OPEN;
    if (env->close && (close = math_symbol_node(p, math_symbol(env->close, strlen(env->close)))))
        node(p, close)->class = CLASS_CLOSE;
    if (p->failed)
        return 0;
    node(p, n)->a = table;
    node(p, n)->b = open;
    node(p, n)->c = close;
    return n;
}
