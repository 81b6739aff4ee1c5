/*
 * draw.c: draws the draft, or in its place the search through earlier prompts.
 */
#include "composer/composer.h"
#include "text/text.h"

#include <string.h>

enum { FOUND_ROWS = 6 }; /* rows of a found prompt */

/* The search: a row for the query, and rows for the match */

static size_t found_row(const char *text, size_t pos, size_t len, int width)
{
    const char *newline = memchr(text + pos, '\n', len - pos);
    size_t end = newline ? (size_t)(newline - text) : len;
    return end > pos ? text_wrap(text + pos, end - pos, width) : 0;
}

/* Draws the prompt from the row that contains the match; returns the number of rows. */
static int draw_found(const struct composer *c, struct grid *g, int row, int col, int rows,
                      int width)
{
    size_t at, from = 0, pos = 0;
    const char *text = recall_found(&c->search, &c->recall, &at);
    size_t len = text ? strlen(text) : 0;
    int n = 0;

    if (!text || width < 1)
        return 0;
    /* Show the prompt from its start if the match is then visible, else from the match's row. */
    for (int i = 0; pos < len; i++) {
        size_t end = pos + found_row(text, pos, len, width);
        if (at < end || (at == end && end == len)) {
            from = i < rows ? 0 : pos;
            break;
        }
        pos = end + (end < len && text[end] == '\n');
    }
    for (pos = from; pos < len && n < rows; n++) {
        size_t end = pos + found_row(text, pos, len, width);
        if (g) {
            grid_text(g, row + n, col, width, text + pos, end - pos, STYLE_TEXT);
            if (at >= pos && at < end && c->search.part.len > 0)
                grid_restyle(g, row + n, col + text_width(text + pos, at - pos),
                             text_width(text + at, c->search.part.len), STYLE_SELECTED);
        }
        pos = end + (end < len && text[end] == '\n');
    }
    return n;
}

static void draw_search(const struct composer *c, struct grid *g, int row, int col, int height,
                        int width)
{
    const struct recall_search *s = &c->search;
    const char *part = s->part.data ? s->part.data : "";
    int end = col + width, at = col + COMPOSER_MARGIN;

    grid_label(g, row, col, 1, "?", STYLE_PROMPT);
    at += grid_label(g, row, at, end - at, "earlier: ", STYLE_DIM);
    int room = end - at - 1;
    size_t skip = 0; /* an overlong query shows its end */
    while (room > 0 && text_width(part + skip, s->part.len - skip) > room)
        skip += text_fit(part + skip, s->part.len - skip, 2, NULL);
    at += grid_text(g, row, at, room, part + skip, s->part.len - skip, STYLE_TEXT);
    g->cursor_row = row;
    g->cursor_col = at < end ? at : end - 1;
    const char *note = s->failed ? "  no other" : "";
    if (s->failed && s->at >= c->recall.n)
        note = "  not found";
    at += 1;
    at += grid_label(g, row, at, end - at, note, STYLE_WARN);
    if (height > 1)
        draw_found(c, g, row + 1, col + COMPOSER_MARGIN, height - 1, width - COMPOSER_MARGIN);
    else
        draw_found(c, g, row, at + 1, 1, end - at - 1);
}

int composer_rows(struct composer *c, int width)
{
    int room = width - COMPOSER_MARGIN - 1;
    rows_update(&c->rows, &c->editor, room > 1 ? room : 1);
    if (c->search.active)
        return 1 + draw_found(c, NULL, 0, 0, FOUND_ROWS, width - COMPOSER_MARGIN);
    return c->rows.n < GRID_ROWS_MAX ? (int)c->rows.n : GRID_ROWS_MAX;
}

/* The draft */

/* Commands are styled differently from prompts. */
static void draw_command(const struct composer *c, struct grid *g, int row, int col)
{
    const char *text = c->editor.text.data;
    size_t n = strcspn(text, " \n");
    if (text[0] == '/' && text[1] != '/')
        grid_restyle(g, row, col, text_width(text, n), STYLE_KEY);
}

/* Scrolls the cursor's row into view. */
static void scroll(struct composer *c, size_t row, size_t height)
{
    size_t n = c->rows.n;
    if (row < c->top)
        c->top = row;
    if (row >= c->top + height)
        c->top = row + 1 - height;
    if (c->top + height > n)
        c->top = n > height ? n - height : 0;
}

void composer_draw(struct composer *c, struct grid *g, int row, int col, int height, int width,
                   bool active)
{
    int room = width - COMPOSER_MARGIN, body = col + COMPOSER_MARGIN;
    const struct editor *e = &c->editor;
    size_t marked[2] = {0, 0};
    bool empty = e->text.len == 0;

    composer_rows(c, width);
    if (c->search.active && active) {
        draw_search(c, g, row, col, height, width);
        return;
    }
    grid_label(g, row, col, 1, c->uses_vi ? vi_sign(&c->vi) : "›", STYLE_PROMPT);
    if (empty)
        grid_label(g, row, body, room, "Ask anything", STYLE_DIM);
    if (c->rows.n == 0)
        return;
    size_t at = rows_at(&c->rows, e->cursor);
    scroll(c, at, (size_t)height);
    if (c->uses_vi)
        vi_selected(&c->vi, e, marked);
    for (int i = 0; i < height && c->top + (size_t)i < c->rows.n; i++)
        rows_draw(&c->rows, e, c->top + (size_t)i, g, &(struct rows_place){row + i, body, room},
                  marked);
    if (c->top == 0 && !empty)
        draw_command(c, g, row, body);
    if (c->top > 0 && !(c->uses_vi && c->vi.mode != VI_INSERT))
        grid_label(g, row, col, 1, "↑", STYLE_DIM);
    if (c->top + (size_t)height < c->rows.n)
        grid_label(g, row + height - 1, col, 1, "↓", STYLE_DIM);
    if (active) {
        int column = rows_column(&c->rows, e, at, e->cursor);
        g->cursor_row = row + (int)(at - c->top);
        g->cursor_col = body + (column < room ? column : room - 1);
    }
}
