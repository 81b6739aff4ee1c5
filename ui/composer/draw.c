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

/* Where the shown part of a prompt begins: at its start, or else at the row of the match. */
static size_t found_from(const char *text, size_t len, size_t match, struct area area)
{
    size_t pos = 0;

    for (int i = 0; pos < len; i++) {
        size_t end = pos + found_row(text, pos, len, area.width);
        if (match < end || (match == end && end == len))
            return i < area.height ? 0 : pos;
        pos = end + (end < len && text[end] == '\n');
    }
    return 0;
}

/* Draws the prompt that was found, g NULL: draws nothing; returns the number of rows. */
static int draw_found(const struct composer *c, struct grid *g, struct area area)
{
    struct area line = {area.row, area.col, 1, area.width};
    size_t at;
    const char *text = recall_found(&c->search, &c->recall, &at);
    size_t len = text ? strlen(text) : 0;
    int n = 0;

    if (!text || area.width < 1)
        return 0;
    for (size_t pos = found_from(text, len, at, area); pos < len && n < area.height; n++) {
        size_t end = pos + found_row(text, pos, len, area.width);
        if (g) {
            grid_text(g, line, text + pos, end - pos, STYLE_TEXT);
            if (at >= pos && at < end && c->search.query.len > 0)
                grid_restyle(g, line.row, line.col + text_width(text + pos, at - pos),
                             text_width(text + at, c->search.query.len), STYLE_SELECTED);
        }
        pos = end + (end < len && text[end] == '\n');
        line.row++;
    }
    return n;
}

static void draw_search(const struct composer *c, struct grid *g, struct area area)
{
    const struct recall_search *s = &c->search;
    const char *query = bytes_string(&s->query);
    int row = area.row, end = area.col + area.width, at = area.col + COMPOSER_MARGIN;

    grid_label(g, row, area.col, 1, "?", STYLE_PROMPT);
    at += grid_label(g, row, at, end - at, "earlier: ", STYLE_DIM);
    struct area field = {row, at, 1, end - at - 1};
    size_t skip = 0; /* an overlong query shows its end */
    while (field.width > 0 && text_width(query + skip, s->query.len - skip) > field.width)
        skip += text_fit(query + skip, s->query.len - skip, 2, NULL);
    at += grid_text(g, field, query + skip, s->query.len - skip, STYLE_TEXT);
    g->cursor_row = row;
    g->cursor_col = at < end ? at : end - 1;
    const char *note = s->failed ? "  no other" : "";
    if (s->failed && s->at >= c->recall.n)
        note = "  not found";
    at += 1;
    at += grid_label(g, row, at, end - at, note, STYLE_WARN);
    struct area found = {row, at + 1, 1, end - at - 1}; /* beside the query, or below it */
    if (area.height > 1)
        found = (struct area){row + 1, area.col + COMPOSER_MARGIN, area.height - 1,
                              area.width - COMPOSER_MARGIN};
    draw_found(c, g, found);
}

int composer_rows(struct composer *c, int width)
{
    int room = width - COMPOSER_MARGIN - 1;
    rows_update(&c->rows, &c->editor, room > 1 ? room : 1);
    if (c->search.active)
        return 1 + draw_found(c, NULL, (struct area){0, 0, FOUND_ROWS, width - COMPOSER_MARGIN});
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

/* The signs in the margin: whose turn it is, and that there is more above or below. */
static void draw_margin(const struct composer *c, struct grid *g, struct area area)
{
    bool has_mode = c->uses_vi && c->vi.mode != VI_INSERT;

    grid_label(g, area.row, area.col, 1, c->uses_vi ? vi_sign(&c->vi) : "›", STYLE_PROMPT);
    if (c->top > 0 && !has_mode)
        grid_label(g, area.row, area.col, 1, "↑", STYLE_DIM);
    if (c->top + (size_t)area.height < c->rows.n)
        grid_label(g, area.row + area.height - 1, area.col, 1, "↓", STYLE_DIM);
}

static void draw_draft(struct composer *c, struct grid *g, struct area body)
{
    struct area line = {body.row, body.col, 1, body.width};
    size_t end = c->top + (size_t)body.height, selection[2] = {0, 0};

    if (c->editor.text.len == 0)
        grid_label(g, body.row, body.col, body.width, "Ask anything", STYLE_DIM);
    if (c->uses_vi)
        vi_selected(&c->vi, &c->editor, selection);
    for (size_t i = c->top; i < end && i < c->rows.n; i++) {
        rows_draw(&c->rows, &c->editor, i, g, line, selection);
        line.row++;
    }
    if (c->top == 0 && c->editor.text.len > 0)
        draw_command(c, g, body.row, body.col);
}

void composer_draw(struct composer *c, struct grid *g, struct area area, bool active)
{
    struct area body = {area.row, area.col + COMPOSER_MARGIN, area.height,
                        area.width - COMPOSER_MARGIN};

    composer_rows(c, area.width);
    if (c->search.active && active) {
        draw_search(c, g, area);
        return;
    }
    size_t row = c->rows.n > 0 ? rows_at(&c->rows, c->editor.cursor) : 0;
    c->top = grid_scroll(c->top, row, (size_t)area.height, c->rows.n);
    draw_margin(c, g, area);
    draw_draft(c, g, body);
    if (active && c->rows.n > 0) {
        int column = rows_column(&c->rows, &c->editor, row, c->editor.cursor);
        g->cursor_row = body.row + (int)(row - c->top);
        g->cursor_col = body.col + (column < body.width ? column : body.width - 1);
    }
}
