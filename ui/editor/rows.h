/*
 * rows.h: a draft as screen rows, with chips shown as labels. Recomputed only from the first
 * change, so that typing in a long draft costs a row or two.
 */
#ifndef UI_EDITOR_ROWS_H
#define UI_EDITOR_ROWS_H

#include "editor/chip.h"
#include "editor/editor.h"
#include "terminal/grid.h"

#include <stdbool.h>
#include <stddef.h>

struct rows {
    const struct chips *chips; /* owned by the caller */
    size_t *start;             /* start of each row in the text */
    size_t n, cap;
    int width; /* inputs of the last layout */
};

void rows_done(struct rows *r);

/* Updates the rows for a width >= 1. */
void rows_update(struct rows *r, struct editor *e, int width);

/* The row of a position. */
size_t rows_at(const struct rows *r, size_t pos);

/* The column of a position in its row, and the last position at or before a column. */
int rows_column(const struct rows *r, const struct editor *e, size_t row, size_t pos);
size_t rows_fit(const struct rows *r, const struct editor *e, size_t row, int column);

/* Draws a row; [selection[0], selection[1]) of the text is highlighted. */
void rows_draw(const struct rows *r, const struct editor *e, size_t row, struct grid *g,
               struct area at, const size_t selection[2]);

#endif
