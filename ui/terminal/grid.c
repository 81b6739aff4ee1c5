/*
 * grid.c: drawing into cells. Knows widths and clipping, nothing of terminals or content.
 */
#include "terminal/grid.h"

#include <stdlib.h>
#include <string.h>

static int clamp(int n, int least, int most)
{
    return n < least ? least : n > most ? most : n;
}

size_t grid_scroll(size_t top, size_t row, size_t height, size_t n)
{
    if (row < top)
        top = row;
    if (row >= top + height)
        top = row + 1 - height;
    if (top + height > n)
        top = n > height ? n - height : 0;
    return top;
}

bool grid_resize(struct grid *g, int rows, int cols)
{
    rows = clamp(rows, 1, GRID_ROWS_MAX);
    cols = clamp(cols, 1, GRID_COLS_MAX);
    struct cell *cells = malloc((size_t)rows * (size_t)cols * sizeof *cells);
    if (!cells)
        return false;
    free(g->cells);
    *g = (struct grid){.rows = rows, .cols = cols, .cells = cells};
    grid_clear(g);
    return true;
}

void grid_free(struct grid *g)
{
    free(g->cells);
    *g = (struct grid){0};
}

struct cell *grid_at(const struct grid *g, int row, int col)
{
    return &g->cells[(size_t)row * (size_t)g->cols + (size_t)col];
}

static void set(struct cell *cell, uint32_t cp, uint8_t style)
{
    memset(cell, 0, sizeof *cell); /* clear padding too: rows are compared with memcmp */
    cell->cp[0] = cp;
    cell->style = style;
}

void grid_clear(struct grid *g)
{
    for (size_t i = 0; i < (size_t)g->rows * (size_t)g->cols; i++)
        set(&g->cells[i], ' ', STYLE_TEXT);
    g->cursor_row = -1;
    g->cursor_col = 0;
}

/* Overwriting half of a wide character blanks the other half. */
static void unpair(struct grid *g, int row, int col)
{
    struct cell *cell = grid_at(g, row, col);
    if (cell->cp[0] == 0 && col > 0)
        set(cell - 1, ' ', cell->style);
    if (col + 1 < g->cols && cell[1].cp[0] == 0)
        set(cell + 1, ' ', cell->style);
}

void grid_blank(struct grid *g, struct area area)
{
    for (int i = 0; i < area.height; i++)
        grid_repeat(g, area.row + i, area.col, area.width, ' ', STYLE_TEXT);
}

void grid_repeat(struct grid *g, int row, int col, int n, uint32_t cp, uint8_t style)
{
    if (row < 0 || row >= g->rows)
        return;
    int first = col < 0 ? 0 : col, last = col + n < g->cols ? col + n : g->cols;
    if (first >= last)
        return;
    unpair(g, row, first);
    unpair(g, row, last - 1);
    for (int c = first; c < last; c++)
        set(grid_at(g, row, c), cp, style);
}

void grid_restyle(struct grid *g, int row, int col, int n, uint8_t style)
{
    for (int c = col; c < col + n; c++)
        if (row >= 0 && row < g->rows && c >= 0 && c < g->cols) {
            struct cell *cell = grid_at(g, row, c);
            cell->style = style | (cell->style & STYLE_STRUCK);
        }
}

void grid_mute(struct grid *g, int row, int col, int n)
{
    for (int c = col; c < col + n; c++)
        if (row >= 0 && row < g->rows && c >= 0 && c < g->cols)
            grid_at(g, row, c)->style |= STYLE_MUTED;
}

/* Draws one cluster if it fits before column `end`. */
static void put(struct grid *g, int row, int col, const struct text_cluster *c, uint8_t style)
{
    struct cell *cell = NULL;
    int marks = 0;

    grid_repeat(g, row, col, c->width, ' ', style);
    for (int i = 0; i < c->n; i++) {
        int columns = text_columns(c->cp[i]);
        if (columns == 0) {
            if (cell && marks < TEXT_MARKS)
                cell->cp[1 + marks++] = c->cp[i];
            continue;
        }
        cell = grid_at(g, row, col);
        cell->cp[0] = c->cp[i] == '\t' ? ' ' : c->cp[i];
        if (columns == 2)
            cell[1].cp[0] = 0;
        col += columns;
        marks = 0;
    }
}

int grid_text(struct grid *g, struct area at, const char *text, size_t len, uint8_t style)
{
    struct text_cluster c;
    int col = at.col, end = col + at.width < g->cols ? col + at.width : g->cols;

    if (at.row < 0 || at.row >= g->rows || col < 0)
        return 0;
    for (size_t i = 0; i < len && text[i] != '\n'; i += c.len) {
        text_next(text + i, len - i, &c);
        if (col + c.width > end)
            break;
        put(g, at.row, col, &c, style);
        col += c.width;
    }
    return col - at.col;
}

int grid_label(struct grid *g, int row, int col, int width, const char *label, uint8_t style)
{
    size_t len = strlen(label);
    int used;

    if (width <= 0)
        return 0;
    if (text_fit(label, len, width, &used) == len)
        return grid_text(g, (struct area){row, col, 1, width}, label, len, style);
    used = grid_text(g, (struct area){row, col, 1, width - 1}, label, len, style);
    return used + grid_text(g, (struct area){row, col + used, 1, 1}, "…", strlen("…"), style);
}

void grid_center(struct grid *g, struct area line, const char *label, uint8_t style)
{
    int n = text_width(label, strlen(label)), left = n < line.width ? (line.width - n) / 2 : 0;
    grid_label(g, line.row, line.col + left, line.width, label, style);
}

enum { INSET = 2 /* columns of the rule beside it */ };

int grid_inset_left(struct grid *g, struct area rule, const char *label, uint8_t style)
{
    int at = rule.col + INSET, room = rule.width - (INSET + 3); /* a column of it goes on behind */
    if (room < 3 || !*label)
        return 0;
    int n = grid_label(g, rule.row, at + 1, room, label, style);
    grid_repeat(g, rule.row, at, 1, ' ', style);
    grid_repeat(g, rule.row, at + 1 + n, 1, ' ', style);
    return INSET + n + 2;
}

int grid_inset_right(struct grid *g, struct area rule, const char *label, uint8_t style)
{
    int n = text_width(label, strlen(label)), taken = INSET + n + 2;
    if (n == 0 || taken + INSET > rule.width)
        return 0;
    rule.col += rule.width - taken - INSET;
    rule.width = taken + INSET;
    grid_inset_left(g, rule, label, style);
    return taken;
}
