/*
 * list.h: rows to choose from, filtered by what is typed. The sidebar and the dialogs are lists.
 */
#ifndef UI_LIST_H
#define UI_LIST_H

#include "bytes.h"
#include "grid.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct list_row {
    int64_t id;
    size_t title, detail; /* in list.text */
};

struct list {
    struct bytes text; /* the rows' strings, each with its NUL */
    struct list_row *rows;
    size_t n;
    struct bytes filter;
    bool narrowed; /* by whoever gives the rows, who is told the filter */
    bool afresh;   /* the filter changed: new rows are looked at from the first on */
    size_t *shown; /* rows that hold the filter */
    size_t n_shown, selected, top;
    int64_t current;             /* the row that is marked */
    int row, col, height, width; /* of the last drawing */
};

void list_init(struct list *l);
void list_done(struct list *l);

/* Takes new rows; the filter stays, and the selection on its row, or else in its place. */
bool list_set(struct list *l, const struct ui_row *rows, size_t n, int64_t current);

void list_select(struct list *l, int64_t id);
void list_move(struct list *l, int64_t rows);
void list_type(struct list *l, const char *text, size_t len); /* adds to the filter */
void list_erase(struct list *l);                              /* its last character */
void list_clear_filter(struct list *l);

/* The selected row's id, and its title; false and NULL: there is none. */
bool list_chosen(const struct list *l, int64_t *id_out);
const char *list_chosen_title(const struct list *l);

/* Selects the row that was drawn there; false: none was. */
bool list_point(struct list *l, int row, int col);

/* Draws rows from (row, col) on; `active`: the selected one is shown as such. */
void list_draw(struct list *l, struct grid *g, int row, int col, int height, int width,
               bool active);

#endif
