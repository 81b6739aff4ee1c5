/*
 * code.c: see code.h.
 */
#include "markdown/code.h"
#include "text/text.h"

#include <string.h>

enum { CODE_INDENT = 2 };

void code_begin(struct code *c, const char *info, size_t n, uint8_t state)
{
    c->open = true;
    c->language = highlight_language(info, n);
    c->state = state;
}

void code_header(struct code *c, const char *info, size_t n)
{
    int used;

    lines_begin(c->l, c->margin);
    lines_label(c->l, "── ", STYLE_RULE);
    n = text_fit(info, n, c->width - c->l->col, &used);
    lines_put(c->l, info, n, used, STYLE_DIM);
    lines_end(c->l);
}

/* Leading white space in columns, up to the widest indentation that is kept. */
static int indent_of(const struct code *c)
{
    int columns = 0, most = c->width / 2;
    for (size_t i = 0; i < c->line.len; i++) {
        if (c->line.data[i] == '\t')
            columns += LINES_TAB - columns % LINES_TAB;
        else if (c->line.data[i] == ' ')
            columns++;
        else
            break;
    }
    return columns < most ? columns : most;
}

static void begin_line(struct code *c, bool first, int indent)
{
    lines_begin(c->l, c->margin);
    if (first)
        lines_spaces(c->l, CODE_INDENT, STYLE_TEXT);
    else
        lines_label(c->l, "↪ ", STYLE_RULE);
    c->l->fixed = c->l->col;
    lines_spaces(c->l, indent, STYLE_TEXT);
}

static void wrap(struct code *c, int indent)
{
    lines_end(c->l);
    begin_line(c, false, indent);
}

/* The next word of a token with trailing spaces; *columns_out excludes the spaces. */
static size_t word_of(const char *s, size_t n, int *columns_out)
{
    size_t end = 0;
    while (end < n && s[end] != ' ' && s[end] != '\t')
        end++;
    *columns_out = text_width(s, end);
    while (end < n && (s[end] == ' ' || s[end] == '\t'))
        end++;
    return end;
}

static void put_word(struct code *c, const char *s, size_t n, uint8_t style, int indent)
{
    struct lines *l = c->l;
    struct text_cluster cluster;

    for (size_t i = 0; i < n; i += cluster.len) {
        text_next(s + i, n - i, &cluster);
        bool tab = cluster.n == 1 && cluster.cp[0] == '\t';
        int columns = tab ? LINES_TAB - (l->col - l->fixed) % LINES_TAB : cluster.width;
        if (l->col + columns > c->width && l->col > l->fixed) {
            if (text_is_space(&cluster))
                continue; /* would be clipped anyway */
            wrap(c, indent);
        }
        if (tab)
            lines_spaces(l, columns, style);
        else
            lines_cluster(l, s + i, &cluster, style);
    }
}

/* Lays out one token; breaks at spaces, and inside a word only if it is wider than the line. */
static void put_token(struct code *c, const char *s, size_t n, uint8_t style, int indent)
{
    int columns;
    for (size_t at = 0, end; at < n; at += end) {
        end = word_of(s + at, n - at, &columns);
        bool fits = c->l->col + columns <= c->width;
        if (!fits && c->l->fixed + indent + columns <= c->width && c->l->col > c->l->fixed)
            wrap(c, indent);
        put_word(c, s + at, end, style, indent);
    }
}

static void layout_line(struct code *c)
{
    const char *s = c->line.data;
    size_t n = c->line.len;
    int indent = indent_of(c);

    n -= n > 0 && s[n - 1] == '\r';
    if (!c->l->open)
        begin_line(c, true, 0);
    if (!c->language && n > 0)
        put_token(c, s, n, STYLE_CODE, indent);
    for (size_t at = 0, end; c->language && at < n; at = end) {
        uint8_t style;
        end = highlight_next(c->language, &c->state, s, n, at, &style);
        put_token(c, s + at, end - at, style, indent);
    }
    lines_end(c->l);
    bytes_cut(&c->line, 0);
}

void code_add(struct code *c, const char *s, size_t n)
{
    while (n > 0 && !c->l->failed) {
        const char *newline = memchr(s, '\n', n);
        size_t part = newline ? (size_t)(newline - s) : n;
        if (!bytes_add(&c->line, s, part))
            c->l->failed = true;
        if (!newline)
            return;
        layout_line(c);
        s += part + 1;
        n -= part + 1;
    }
}

void code_end(struct code *c)
{
    if (c->line.len > 0)
        layout_line(c);
    c->open = false;
}

void code_done(struct code *c)
{
    bytes_free(&c->line);
}
