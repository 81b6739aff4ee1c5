/*
 * block.c: lays out text as lines, piece by piece, and draws lines into cells.
 */
#include "markdown/block.h"
#include "markdown/formula.h"
#include "text/text.h"

#include <string.h>

enum { WIDTH_MIN = 4 };

void block_init(struct block *b, bool plain, bool strikes)
{
    *b = (struct block){.plain = plain, .lines.strikes = strikes};
}

void block_done(struct block *b)
{
    lines_free(&b->lines);
    *b = (struct block){0};
}

static void settle(struct block *b, size_t pos)
{
    b->settled.pos = pos;
    b->settled.lines = lines_mark(&b->lines);
}

/* Plain text */

static bool add_plain(struct runs *r, const char *s, size_t n)
{
    int col = 0;
    bool ok = true;

    for (size_t i = 0; i < n && ok;) {
        const char *tab = memchr(s + i, '\t', n - i);
        size_t part = tab ? (size_t)(tab - s) - i : n - i;
        ok = runs_add(r, s + i, part, STYLE_TEXT, RUN_TEXT, 0);
        i += part;
        if (tab) {
            col += text_width(s + i - part, part);
            int columns = LINES_TAB - col % LINES_TAB;
            ok = ok && runs_add(r, "    ", (size_t)columns, STYLE_TEXT, RUN_TEXT, 0);
            col += columns;
            i++;
        }
    }
    return ok;
}

/* Source lines unchanged; an overlong line is laid out in segments. */
static bool layout_plain(struct block *b, const char *text, size_t len)
{
    struct runs runs = {.n = 0};
    struct lines *l = &b->lines;
    bool ok = true;

    for (size_t pos = b->settled.pos; pos < len && ok;) {
        size_t most = len - pos > OUTLINE_PIECE ? pos + OUTLINE_PIECE : len;
        const char *newline = memchr(text + pos, '\n', most - pos);
        size_t end = newline ? (size_t)(newline - text) : most;
        bool cut = !newline && end < len;
        if (cut)
            end = outline_cut(text, pos, end);
        size_t shown = end - (newline && end > pos && text[end - 1] == '\r');
        if (l->open && text[pos - 1] == ' ')
            ok = runs_add(&runs, " ", 1, STYLE_TEXT, RUN_TEXT, 0);
        ok = ok && add_plain(&runs, text + pos, shown - pos);
        if (shown == pos && !l->open)
            lines_begin(l, NULL);
        runs_layout(&runs, 0, l, NULL, b->width);
        runs_clear(&runs);
        pos = newline ? end + 1 : end;
        if (cut)
            lines_reopen(l);
        ok = ok && !l->failed;
        if (ok && (newline || (cut && len - pos > OUTLINE_PIECE)))
            settle(b, pos);
    }
    runs_free(&runs);
    return ok;
}

static bool layout_markdown(struct block *b, const char *text, size_t len)
{
    struct outline_reader reader = {
        .text = text,
        .len = len,
        .find = formula_find,
        .now = b->settled.outline,
        .pos = b->settled.pos,
    };
    struct markdown_carry carry = b->settled.carry;
    struct outline_piece piece;
    bool ok = true, certain = true;

    while (ok && outline_next(&reader, &piece)) {
        ok = !reader.failed && markdown_layout(&b->lines, text, &reader, &piece, b->width, &carry);
        certain = certain && piece.certain;
        if (ok && certain) {
            b->settled.outline = piece.after;
            b->settled.carry = carry;
            settle(b, piece.end);
        }
    }
    outline_done(&reader);
    return ok;
}

bool block_layout(struct block *b, const char *text, size_t len, int width)
{
    if (width < WIDTH_MIN)
        width = WIDTH_MIN;
    if (b->width == width && b->laid == len)
        return true;
    if (b->width != width) {
        b->width = width;
        b->settled = (struct block_point){.pos = 0};
    }
    lines_rewind(&b->lines, &b->settled.lines);
    b->lines.failed = false;
    b->laid = len;
    bool ok = b->plain ? layout_plain(b, text, len) : layout_markdown(b, text, len);
    lines_end(&b->lines);
    b->n_lines = b->lines.n;
    if (!ok)
        b->laid = SIZE_MAX;
    block_scroll(b, 0);
    return ok;
}

bool block_scroll(struct block *b, int columns)
{
    int most = (int)b->lines.widest - b->width, before = b->shift;

    b->shift += columns;
    if (b->shift > most)
        b->shift = most;
    if (b->shift < 0)
        b->shift = 0;
    return b->shift != before;
}

/* Drawing */

/*
 * A line wider than the window: the margin stays fixed, the rest scrolls, and marks show that it
 * continues.
 */
static void draw_wide(const struct block *b, size_t n, struct grid *g, int row, int col,
                      uint8_t flags)
{
    const struct line *line = &b->lines.lines[n];
    const char *text = b->lines.text.data + line->text;
    int fixed = line->fixed, most = (int)line->width - b->width, at = 0;
    int shift = b->shift < most ? b->shift : most;
    struct text_cluster c;
    size_t pos = 0;

    for (size_t i = line->span; i < lines_span_end(&b->lines, n); i++) {
        const struct line_span *span = &b->lines.spans[i];
        for (; pos < span->end; pos += c.len, at += c.width) {
            text_next(text + pos, span->end - pos, &c);
            int left = at < fixed ? 0 : fixed, right = at < fixed ? fixed : b->width;
            int shown_at = at < fixed ? at : at - shift;
            if (shown_at >= left && shown_at + c.width <= right)
                grid_text(g, (struct area){row, col + shown_at, 1, c.width}, text + pos, c.len,
                          span->style | flags);
        }
    }
    if (shift > 0)
        grid_label(g, row, col + fixed, 1, "◂", STYLE_KEY);
    if (shift < most)
        grid_label(g, row, col + b->width - 1, 1, "▸", STYLE_KEY);
}

void block_draw(const struct block *b, size_t line, struct grid *g, int row, int col, uint8_t flags)
{
    const struct line *at = &b->lines.lines[line];
    uint32_t begin = 0;

    if (at->width > 0) {
        draw_wide(b, line, g, row, col, flags);
        return;
    }
    for (size_t i = at->span; i < lines_span_end(&b->lines, line); i++) {
        const struct line_span *span = &b->lines.spans[i];
        struct area rest = {row, col, 1, g->cols - col};
        col += grid_text(g, rest, b->lines.text.data + at->text + begin, span->end - begin,
                         span->style | flags);
        begin = span->end;
    }
}
