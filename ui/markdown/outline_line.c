/*
 * outline_line.c: reads lines as CommonMark does: which containers continue, which begin, and
 * whether the line begins a block. The content of a block is left to the parser.
 */
#include "markdown/outline_line.h"

#include <string.h>

enum {
    CODE_INDENT = 4, /* indentation from which a line is code, not a marker */
    ITEM_SPACES = 4, /* at most, between a marker and its text */
    FENCE_MIN = 3,
    DIGITS_MAX = 9,
    TAB = 4,
};

/* A line being read; tabs count as the columns they span. */
struct cursor {
    const char *s;
    size_t i, end;
    int col, spare; /* columns left of a partly consumed tab */
};

static int indent_of(const struct cursor *c, struct cursor *after)
{
    int columns = c->spare;
    *after = *c;
    after->spare = 0;
    while (after->i < after->end && (after->s[after->i] == ' ' || after->s[after->i] == '\t')) {
        int n = after->s[after->i] == '\t' ? TAB - after->col % TAB : 1;
        after->i++;
        after->col += n;
        columns += n;
    }
    return columns;
}

/* Consumes up to this many columns of white space. */
static void take_columns(struct cursor *c, int columns)
{
    int n = c->spare < columns ? c->spare : columns;
    c->spare -= n;
    columns -= n;
    while (columns > 0 && c->i < c->end) {
        n = c->s[c->i] == '\t' ? TAB - c->col % TAB : 1;
        c->i++;
        c->col += n;
        c->spare = n > columns ? n - columns : 0;
        columns -= n;
    }
}

static char at(const struct cursor *c)
{
    return c->i < c->end ? c->s[c->i] : '\0';
}

static bool is_empty(const struct cursor *c)
{
    struct cursor after;
    indent_of(c, &after);
    return after.i == after.end;
}

/* Length of a run of one character. */
static size_t run_of(const struct cursor *c, char ch)
{
    size_t n = 0;
    while (c->i + n < c->end && c->s[c->i + n] == ch)
        n++;
    return n;
}

static bool is_rule(const struct cursor *c)
{
    size_t n = 0;
    char ch = at(c);
    if (ch != '-' && ch != '*' && ch != '_')
        return false;
    for (size_t i = c->i; i < c->end; i++) {
        if (c->s[i] == ch)
            n++;
        else if (c->s[i] != ' ' && c->s[i] != '\t')
            return false;
    }
    return n >= 3;
}

static bool is_heading(const struct cursor *c)
{
    size_t n = run_of(c, '#');
    return n >= 1 && n <= 6 &&
           (c->i + n == c->end || c->s[c->i + n] == ' ' || c->s[c->i + n] == '\t');
}

static bool is_underline(const struct cursor *c)
{
    struct cursor rest = *c;
    char ch = at(c);
    if (ch != '=' && ch != '-')
        return false;
    rest.i += run_of(c, ch);
    return is_empty(&rest);
}

/* Length of a fence; 0: none. */
static size_t fence_of(const struct cursor *c)
{
    char ch = at(c);
    size_t n = ch == '`' || ch == '~' ? run_of(c, ch) : 0;
    if (n < FENCE_MIN)
        return 0;
    return ch == '`' && memchr(c->s + c->i + n, '`', c->end - c->i - n) ? 0 : n;
}

/* The delimiter row of a table: dashes, colons and bars. */
static bool is_delimiter_row(const struct cursor *c)
{
    bool bar = false, dash = false;
    for (size_t i = c->i; i < c->end; i++) {
        char ch = c->s[i];
        bar = bar || ch == '|';
        dash = dash || ch == '-';
        if (!strchr("|-: \t", ch) || ch == '\0')
            return false;
    }
    return bar && dash;
}

/* Length of a list marker; 0: none. */
static size_t marker_of(const struct cursor *c, struct outline_open *out)
{
    size_t n = 0;
    *out = (struct outline_open){0};
    while (c->i + n < c->end && n < DIGITS_MAX && c->s[c->i + n] >= '0' && c->s[c->i + n] <= '9')
        out->number = out->number * 10 + (uint32_t)(c->s[c->i + n++] - '0');
    out->digits = (uint8_t)n;
    if (c->i + n == c->end)
        return 0;
    out->mark = c->s[c->i + n];
    if (out->mark == '\0' || !strchr(n > 0 ? ".)" : "-+*", out->mark))
        return 0;
    n++;
    if (c->i + n < c->end && c->s[c->i + n] != ' ' && c->s[c->i + n] != '\t')
        return 0;
    return n;
}

/* Matches the open containers that continue in this line; returns their number. */
static int match(const struct outline *o, struct cursor *c)
{
    struct cursor after;
    int depth = 0;

    for (; depth < o->depth; depth++) {
        const struct outline_open *open = &o->open[depth];
        int indent = indent_of(c, &after);
        if (open->mark == '>') {
            if (indent >= CODE_INDENT || at(&after) != '>')
                break;
            after.i++;
            after.col++;
            *c = after;
            if (indent_of(c, &after) > 0)
                take_columns(c, 1);
        } else if (after.i < after.end) {
            if (indent < open->indent + open->content)
                break;
            take_columns(c, open->indent + open->content);
        }
    }
    return depth;
}

/* Whether a marker may start an item here, inside a paragraph or not. */
static bool may_open(const struct cursor *after, const struct outline_open *item, size_t n,
                     bool in_text)
{
    struct cursor rest = *after;
    rest.i += n;
    if (is_rule(after))
        return false;
    return !in_text || (!is_empty(&rest) && (item->digits == 0 || item->number == 1));
}

/* Opens the containers that begin in this line; returns whether there are any. */
static bool open_containers(struct outline *o, struct cursor *c, bool in_text)
{
    bool any = false;

    while (o->depth < OUTLINE_DEPTH) {
        struct cursor after, text;
        struct outline_open item;
        int indent = indent_of(c, &after);
        size_t n = 1;
        if (indent >= CODE_INDENT)
            break;
        if (at(&after) == '>') {
            item = (struct outline_open){.mark = '>'};
        } else {
            n = marker_of(&after, &item);
            if (n == 0 || !may_open(&after, &item, n, in_text && !any))
                break;
        }
        after.i += n;
        after.col += (int)n;
        *c = after;
        int spaces = indent_of(c, &text);
        if (item.mark != '>') {
            bool few = spaces >= 1 && spaces <= ITEM_SPACES && text.i < text.end;
            spaces = few ? spaces : 1;
            item.indent = (uint8_t)indent;
            item.content = (uint8_t)((int)n + spaces);
        }
        take_columns(c, item.mark == '>' && spaces > 1 ? 1 : spaces);
        o->open[o->depth++] = item;
        any = true;
    }
    return any;
}

static void read_fence(struct outline *o, const struct cursor *c, size_t n, int indent)
{
    o->leaf = LEAF_FENCE;
    o->fence = at(c);
    o->fence_len = (uint32_t)n;
    o->fence_indent = (uint8_t)indent;
    o->fence_info = c->i + n;
}

/* Blocks that begin or continue in a line's containers; `table`: a delimiter row follows. */
static enum line_kind read_leaf(struct outline *o, struct cursor *c, bool same, bool table)
{
    struct cursor after;
    int indent = indent_of(c, &after);
    enum outline_leaf was = same ? o->leaf : LEAF_NONE;
    size_t n;

    o->leaf = LEAF_NONE;
    if (indent >= CODE_INDENT && was == LEAF_NONE)
        return LINE_STARTS;
    if (indent < CODE_INDENT) {
        if (was == LEAF_TEXT && is_underline(&after))
            return LINE_CONTINUES;
        if (is_heading(&after) || is_rule(&after))
            return LINE_STARTS;
        if ((n = fence_of(&after)) > 0) {
            read_fence(o, &after, n, indent);
            return LINE_STARTS;
        }
        if (table && was != LEAF_TABLE) {
            o->leaf = LEAF_TABLE;
            o->table = after.i;
            return LINE_STARTS;
        }
    }
    o->leaf = was == LEAF_TABLE ? LEAF_TABLE : LEAF_TEXT;
    return was == LEAF_NONE ? LINE_STARTS : LINE_CONTINUES;
}

static bool closes_fence(const struct outline *o, const struct cursor *c)
{
    struct cursor after;
    int indent = indent_of(c, &after);
    size_t n = run_of(&after, o->fence);

    if (indent >= CODE_INDENT || n < o->fence_len)
        return false;
    after.i += n;
    return is_empty(&after);
}

/* Lazy continuation: whether a line outside the containers still belongs to their paragraph. */
static bool is_lazy(const struct outline *o, const struct cursor *c, int depth)
{
    struct cursor after;

    if (o->leaf != LEAF_TEXT)
        return false;
    if (indent_of(c, &after) >= CODE_INDENT)
        return true;
    struct outline probe = {.depth = depth};
    struct cursor marker = *c;
    return !open_containers(&probe, &marker, false) && !is_heading(&after) && !is_rule(&after) &&
           fence_of(&after) == 0;
}

/* The number of an item, counted from the previous one of its list. */
static void count_on(struct outline *o, int depth, const struct outline_open *sibling)
{
    struct outline_open *item = &o->open[depth];
    if (o->depth > depth && item->digits > 0 && sibling->digits > 0 && item->mark == sibling->mark)
        item->number = sibling->number + 1;
}

enum line_kind outline_line(struct outline *o, const char *s, size_t start, size_t end, bool table,
                            size_t *text_out)
{
    struct cursor c = {.s = s, .i = start, .end = end}, after;

    if (end > start && s[end - 1] == '\n')
        c.end--;
    int depth = match(o, &c);
    bool same = depth == o->depth, bare = o->bare;
    o->bare = false;
    if (same && o->leaf == LEAF_FENCE) {
        if (closes_fence(o, &c))
            o->leaf = LEAF_NONE;
        o->blank = false;
        return LINE_CONTINUES;
    }
    if (is_empty(&c)) {
        o->blank = true;
        o->leaf = LEAF_NONE;
        o->depth = depth - (same && bare); /* an item may begin with one blank line, not with two */
        return LINE_EMPTY;
    }
    o->blank = false;
    if (!same && is_lazy(o, &c, depth))
        return LINE_CONTINUES;
    struct outline_open sibling = {0};
    if (!same)
        sibling = o->open[depth];
    o->depth = depth;
    bool opened = open_containers(o, &c, same && o->leaf == LEAF_TEXT);
    if (opened && !same)
        count_on(o, depth, &sibling);
    enum line_kind kind = LINE_STARTS;
    if (is_empty(&c)) {
        o->leaf = LEAF_NONE;
        o->bare = true;
    } else {
        kind = read_leaf(o, &c, same && !opened, table);
    }
    indent_of(&c, &after);
    *text_out = after.i;
    return same && bare ? LINE_CONTINUES : kind;
}

bool outline_is_delimiter(const struct outline *o, const char *s, size_t start, size_t end)
{
    struct cursor c = {.s = s, .i = start, .end = end};
    match(o, &c);
    return is_delimiter_row(&c);
}
