/*
 * rows.h: a draft as rows of the screen, with its chips as their labels. Only recomputed from where
 * the text changed, so that typing in a long draft costs a row or two.
 */
#ifndef UI_ROWS_H
#define UI_ROWS_H

#include "chip.h"
#include "editor.h"
#include "grid.h"

#include <stdbool.h>
#include <stddef.h>

struct rows {
    const struct chips *chips; /* stay the owner's */
    size_t *start;             /* where each row begins in the text */
    size_t n, cap;
    int width; /* they were made for */
};

void rows_done(struct rows *r);

/* Brings the rows up to date for a width >= 1. */
void rows_update(struct rows *r, struct editor *e, int width);

/* The row that a position is in. */
size_t rows_at(const struct rows *r, size_t pos);

/* The column of a position in its row, and the last position at or before a column. */
int rows_column(const struct rows *r, const struct editor *e, size_t row, size_t pos);
size_t rows_fit(const struct rows *r, const struct editor *e, size_t row, int column);

/* Draws a row; what lies in [from, to) of the text is marked. */
struct rows_place {
    int row, col, width;
};
void rows_draw(const struct rows *r, const struct editor *e, size_t row, struct grid *g,
               const struct rows_place *place, const size_t marked[2]);

#endif
