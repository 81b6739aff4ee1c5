/*
 * formula.c: formulas of a text as runs and lines. A formula that is still being written is shown
 * as far as it parses: open groups are closed, and an incomplete command is left out.
 */
#include "markdown/formula.h"
#include "math/math.h"
#include "text/ascii.h"
#include "text/text.h"

#include <langinfo.h>
#include <string.h>

enum {
    INDENT = 4,
    INDENT_ROOM = 40, /* narrower windows show none */
    TRIES_MAX = 8,    /* tokens dropped from an open formula until it parses */
    OPEN_MAX = 64,    /* nested groups */
    NAME_MAX_BYTES = 32,
};

_Static_assert((int)OUTLINE_SPAN > (int)MATH_SOURCE_MAX, "a formula fits a span");

bool formula_find(const char *text, size_t len, size_t from, struct outline_span *out)
{
    struct math_span found;
    if (!math_find(text, len, from, &found))
        return false;
    *out = (struct outline_span){
        .start = found.start,
        .end = found.end,
        .tex = found.tex,
        .tex_len = found.tex_len,
        .display = found.style == MATH_DISPLAY,
        .open = found.open,
    };
    return true;
}

static bool ascii_only(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

/* Open formulas */

/* End of the token at i: a command with its name, or one character. */
static size_t token_end(const char *s, size_t len, size_t i)
{
    size_t end = i + 1;
    uint32_t cp;

    if (s[i] != '\\')
        return i + text_decode(s + i, len - i, &cp);
    while (end < len && ascii_is_letter(s[end]))
        end++;
    return end == i + 1 && end < len ? end + 1 : end;
}

static bool is_token(const char *s, size_t n, const char *token)
{
    return strlen(token) == n && memcmp(s, token, n) == 0;
}

enum group_kind { GROUP_NONE, GROUP_BRACES, GROUP_LEFT, GROUP_ENVIRONMENT };

struct group {
    enum group_kind kind;
    const char *name; /* of an environment, with its braces */
    size_t name_len;
};

/* The group that the token [i, end) opens. */
static struct group group_opened(const char *s, size_t len, size_t i, size_t end)
{
    const char *brace;

    if (s[i] == '{')
        return (struct group){.kind = GROUP_BRACES};
    if (is_token(s + i, end - i, "\\left"))
        return (struct group){.kind = GROUP_LEFT};
    if (is_token(s + i, end - i, "\\begin") && end < len && s[end] == '{' &&
        (brace = memchr(s + end, '}', len - end)) && brace - (s + end) < NAME_MAX_BYTES)
        return (struct group){GROUP_ENVIRONMENT, s + end, (size_t)(brace + 1 - (s + end))};
    return (struct group){.kind = GROUP_NONE};
}

static bool closes_group(const char *s, size_t n)
{
    return *s == '}' || is_token(s, n, "\\right") || is_token(s, n, "\\end");
}

static bool add_closer(struct bytes *out, const struct group *group)
{
    switch (group->kind) {
    case GROUP_BRACES: return bytes_add(out, "}", 1);
    case GROUP_LEFT: return bytes_add(out, "\\right.", 7);
    default: return bytes_add(out, "\\end", 4) && bytes_add(out, group->name, group->name_len);
    }
}

/* Closes the groups that s leaves open, innermost first; false: too many, or out of memory. */
static bool add_closers(struct bytes *out, const char *s, size_t len)
{
    struct group open[OPEN_MAX];
    int depth = 0;

    for (size_t i = 0, end; i < len; i = end) {
        end = token_end(s, len, i);
        struct group group = group_opened(s, len, i, end);
        if (group.kind && depth == OPEN_MAX)
            return false;
        if (group.kind)
            open[depth++] = group;
        else if (depth > 0 && closes_group(s + i, end - i))
            depth--;
        if (group.kind == GROUP_ENVIRONMENT || is_token(s + i, end - i, "\\end")) {
            const char *brace = memchr(s + end, '}', len - end); /* the name is no group */
            end = brace ? (size_t)(brace + 1 - s) : len;
        }
    }
    while (depth > 0)
        if (!add_closer(out, &open[--depth]))
            return false;
    return true;
}

/* The last layout of a formula that is still being written. */
static struct math *layout_open(const char *tex, size_t len, enum math_style style)
{
    size_t ends[TRIES_MAX], n = 0;
    struct math *m = NULL;

    for (size_t i = 0; i < len; n++)
        ends[n % TRIES_MAX] = i = token_end(tex, len, i);
    for (size_t tries = 0; tries < TRIES_MAX && tries < n && !m; tries++) {
        struct bytes closed = {0};
        size_t end = ends[(n - 1 - tries) % TRIES_MAX];
        if (bytes_add(&closed, tex, end) && add_closers(&closed, tex, end))
            m = math_layout(closed.data, closed.len, style, ascii_only());
        bytes_free(&closed);
    }
    return m;
}

/* Layouts */

/* The TeX without quote marks at the start of its lines. */
static bool copy_tex(struct bytes *out, const char *text, const struct outline_span *span)
{
    size_t line = span->start, end = span->tex + span->tex_len;
    int quotes = 0;

    while (line > 0 && text[line - 1] != '\n')
        line--;
    for (; line < span->start && strchr(" \t>", text[line]); line++)
        quotes += text[line] == '>';
    for (size_t i = span->tex; i < end;) {
        const char *newline = memchr(text + i, '\n', end - i);
        size_t stop = newline ? (size_t)(newline - text) + 1 : end;
        if (!bytes_add(out, text + i, stop - i))
            return false;
        i = stop;
        for (int left = quotes; newline && left > 0 && i < end && strchr(" \t>", text[i]); i++)
            left -= text[i] == '>';
    }
    return bytes_add(out, "", 0);
}

/* NULL: no valid formula, or not yet. */
static struct math *layout(const char *text, const struct outline_span *span, enum math_style style)
{
    struct bytes tex = {0};
    struct math *m = NULL;

    if (copy_tex(&tex, text, span)) {
        size_t len = tex.len;
        bool half = span->open && len > 0 &&
                    (ascii_is_letter(tex.data[len - 1]) || tex.data[len - 1] == '\\');
        while (half && len > 0 && ascii_is_letter(tex.data[len - 1]))
            len--;
        half = half && len > 0 && tex.data[len - 1] == '\\'; /* a command that may be incomplete */
        len = half ? len - 1 : tex.len;
        m = math_layout(tex.data, len, style, ascii_only());
        if (!m && span->open)
            m = layout_open(tex.data, len, style);
    }
    bytes_free(&tex);
    return m;
}

static uint8_t style_of(const char *text, const struct outline_span *span)
{
    static const char boxed[] = "\\boxed";
    return memmem(text + span->tex, span->tex_len, boxed, strlen(boxed)) ? STYLE_RESULT
                                                                         : STYLE_MATH;
}

/* Falls back to the source; for an open formula to an ellipsis. */
static bool add_source(struct runs *runs, const char *text, const struct outline_span *span)
{
    bool ok = true;

    if (span->open && span->tex_len < TRIES_MAX)
        return runs_add(runs, "…", strlen("…"), STYLE_DIM, RUN_TEXT, 0);
    for (size_t i = span->start; i < span->end && ok;) {
        const char *newline = memchr(text + i, '\n', span->end - i);
        size_t stop = newline ? (size_t)(newline - text) : span->end;
        ok = runs_add(runs, text + i, stop - i, STYLE_TEXT, RUN_TEXT, 0) &&
             (!newline || runs_add(runs, " ", 1, STYLE_TEXT, RUN_TEXT, 0));
        i = stop + (newline != NULL);
    }
    return ok;
}

bool formula_add(struct runs *runs, const char *text, const struct outline_span *span,
                 bool as_inline, uint32_t arg)
{
    if (span->display && !as_inline)
        return runs_add(runs, "", 0, STYLE_TEXT, RUN_BLOCK, arg);
    struct math *m = layout(text, span, MATH_INLINE);
    if (!m)
        return add_source(runs, text, span);
    size_t n;
    const char *row = math_row(m, math_baseline(m), &n);
    bool ok = runs_add(runs, row, n, style_of(text, span), RUN_ATOM, 0);
    math_free(m);
    return ok;
}

void formula_layout(struct lines *l, struct margin *margin, int width, const char *text,
                    const struct outline_span *span)
{
    struct math *m = layout(text, span, MATH_DISPLAY);

    if (!m) {
        struct runs runs = {.n = 0};
        l->failed = l->failed || !add_source(&runs, text, span);
        runs_layout(&runs, 0, l, margin, width);
        runs_free(&runs);
        return;
    }
    for (int row = 0; row < math_rows(m); row++) {
        size_t n;
        const char *s = math_row(m, row, &n);
        lines_begin(l, margin);
        lines_spaces(l, width >= INDENT_ROOM ? INDENT : 0, STYLE_TEXT);
        lines_put(l, s, n, math_width(m), style_of(text, span));
        lines_end_wide(l, width);
    }
    math_free(m);
}

bool formula_on_line(struct bytes *out, const char *tex, size_t len)
{
    struct math *m = math_layout(tex, len, MATH_INLINE, ascii_only());
    if (m)
        tex = math_row(m, 0, &len);
    bool added = bytes_add(out, tex, len);
    math_free(m);
    return added;
}
