/* grid.h - a table of short texts, as aligned columns or as Markdown. Texts may hold anything:
 * what a terminal or Markdown would interpret is made visible. */
#ifndef APP_GRID_H
#define APP_GRID_H

#include <stdbool.h>
#include <stddef.h>

#include "app/str.h"

enum { GRID_MAX_COLUMNS = 64 };

/* {0} with n_columns set is an empty one. */
struct grid {
    int n_columns; /* at most GRID_MAX_COLUMNS; the first left-aligned, the others right-aligned */
    char **cells;  /* [n_cells] row after row; NULL: as "" */
    size_t n_cells;
};

/* The next cell; the text is copied. */
void grid_add(struct grid *g, const char *text);
__attribute__((format(printf, 2, 3))) void grid_addf(struct grid *g, const char *format, ...);

/* An empty row: a blank line; left out in Markdown. */
void grid_add_gap(struct grid *g);

void grid_done(struct grid *g);

void grid_print_text(const struct grid *g, struct str *out);

/* The first row is the head. */
void grid_print_markdown(const struct grid *g, struct str *out);

#endif
