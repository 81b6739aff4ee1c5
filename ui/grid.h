/*
 * grid.h: the cells that everything is drawn on. No terminal is needed to draw: a test reads the
 * cells, screen.c brings them to a terminal.
 *
 * Text reaches a cell through grid_text() only, and there through text_next(), which lets nothing
 * pass that could steer a terminal.
 */
#ifndef UI_GRID_H
#define UI_GRID_H

#include "text.h"
#include "theme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GRID_ROWS_MAX = 400, /* of a larger window the upper left part is used */
    GRID_COLS_MAX = 1000,
};

/* cp[0] is 0 in the right half of a wide character; cp[1..] are combining marks, ended by 0. */
struct cell {
    uint32_t cp[1 + TEXT_MARKS];
    uint8_t style;
};

struct grid {
    int rows, cols;
    struct cell *cells;         /* [rows, cols] */
    int cursor_row, cursor_col; /* row -1: hidden */
};

/* Takes a size, cut to 1x1 ... the maximum, and clears. False: out of memory, nothing changed. */
bool grid_resize(struct grid *g, int rows, int cols);
void grid_free(struct grid *g);

/* All blank, the cursor hidden. */
void grid_clear(struct grid *g);

/*
 * Draws text from (row, col) on, at most `width` columns; returns the columns used. A newline ends
 * it, a tab is one space. What falls outside the grid is dropped.
 */
int grid_text(struct grid *g, int row, int col, int width, const char *text, size_t len,
              uint8_t style);

/* The same for a whole string; one too long ends in an ellipsis. */
int grid_label(struct grid *g, int row, int col, int width, const char *label, uint8_t style);

/* One character of one column, n times. */
void grid_repeat(struct grid *g, int row, int col, int n, uint32_t cp, uint8_t style);

/* Blanks a rectangle, for what is drawn over other things. */
void grid_blank(struct grid *g, int row, int col, int rows, int cols);

/* Gives n cells of a row another style. */
void grid_restyle(struct grid *g, int row, int col, int n, uint8_t style);

/* Gives them the muted form of the style they have. */
void grid_mute(struct grid *g, int row, int col, int n);

struct cell *grid_at(const struct grid *g, int row, int col);

#endif
