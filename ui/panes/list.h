/*
 * list.h: rows to choose from, filtered by typing. The sidebar and the dialogs are lists.
 */
#ifndef UI_PANES_LIST_H
#define UI_PANES_LIST_H

#include "terminal/grid.h"
#include "text/bytes.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct list_row {
    int64_t id;
    size_t title, detail; /* in list.text */
};

struct list {
    struct bytes text; /* strings of the rows, each with its NUL */
    struct list_row *rows;
    size_t n;
    struct bytes filter;
    bool narrowed; /* filtering is done by the provider of the rows */
    bool afresh;   /* the filter changed: select the first row */
    size_t *shown; /* rows that match the filter */
    size_t n_shown, selected, top;
    int64_t current;  /* id of the row marked as the one in use; -1: none */
    struct area area; /* as of the last draw */
};

void list_init(struct list *l);
void list_done(struct list *l);

/* Replaces the rows; keeps the filter, and the selection on its row if possible. */
bool list_set(struct list *l, const struct ui_row *rows, size_t n, int64_t current);

void list_select(struct list *l, int64_t id);
void list_move(struct list *l, int64_t rows);
void list_type(struct list *l, const char *text, size_t len); /* appends to the filter */
void list_erase(struct list *l);                              /* deletes its last character */
void list_clear_filter(struct list *l);

/* The selected row's id and title; false and NULL: none. */
bool list_chosen(const struct list *l, int64_t *id_out);
const char *list_chosen_title(const struct list *l);

/* Selects the row drawn at that position; false: none there. */
bool list_point(struct list *l, int row, int col);

/* `active`: highlights the selected row. */
void list_draw(struct list *l, struct grid *g, struct area area, bool active);

#endif
