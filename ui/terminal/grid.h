/*
 * grid.h: the cells that everything is drawn on. Drawing needs no terminal: tests read the cells,
 * screen.c sends them to a terminal.
 *
 * Text reaches a cell only through grid_text(), and there through text_next(), which passes nothing
 * that could control a terminal.
 */
#ifndef UI_TERMINAL_GRID_H
#define UI_TERMINAL_GRID_H

#include "terminal/theme.h"
#include "text/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GRID_ROWS_MAX = 400, /* larger windows use only the top left */
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

/* A rectangle of cells, to draw a region in; what draws a line uses the first row. */
struct area {
    int row, col, height, width;
};

/*
 * Scrolling: the first of n rows to show in `height` rows, as near to `top` as it may be for `row`
 * to be seen and for no blank rows at the end.
 */
size_t grid_scroll(size_t top, size_t row, size_t height, size_t n);

/*
 * Sets the size, clamped to 1x1 ... the maximum, and clears. False: out of memory, nothing changed.
 */
bool grid_resize(struct grid *g, int rows, int cols);
void grid_free(struct grid *g);

/* Blanks all cells and hides the cursor. */
void grid_clear(struct grid *g);

/*
 * Draws text from the left of an area on, as much as fits in its width; returns the columns used.
 * Stops at a newline; a tab is one space. Clipped to the grid.
 */
int grid_text(struct grid *g, struct area at, const char *text, size_t len, uint8_t style);

/* The same for a whole string at (row, col); an overlong one ends in an ellipsis. */
int grid_label(struct grid *g, int row, int col, int width, const char *label, uint8_t style);

/* The same in the middle of a line. */
void grid_center(struct grid *g, struct area line, const char *label, uint8_t style);

/*
 * Sets a label into a rule, or the side of a box, with a blank before and after it: at the left,
 * shortened if need be, or at the right, if all of it fits; returns the columns of the rule taken.
 */
int grid_inset_left(struct grid *g, struct area rule, const char *label, uint8_t style);
int grid_inset_right(struct grid *g, struct area rule, const char *label, uint8_t style);

/* Repeats a one-column character n times. */
void grid_repeat(struct grid *g, int row, int col, int n, uint32_t cp, uint8_t style);

/* Blanks an area before an overlay is drawn on it. */
void grid_blank(struct grid *g, struct area area);

/* Sets the style of n cells of a row; what is struck stays so. */
void grid_restyle(struct grid *g, int row, int col, int n, uint8_t style);

/* Mutes the style of n cells. */
void grid_mute(struct grid *g, int row, int col, int n);

struct cell *grid_at(const struct grid *g, int row, int col);

#endif
