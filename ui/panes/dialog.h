/*
 * dialog.h: boxes shown over everything else: the help, or a list to choose from.
 */
#ifndef UI_PANES_DIALOG_H
#define UI_PANES_DIALOG_H

#include "keys/keymap.h"
#include "panes/list.h"
#include "terminal/grid.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dialog_kind { DIALOG_NONE, DIALOG_HELP, DIALOG_PICK, DIALOG_SEARCH };

struct dialog {
    enum dialog_kind kind;
    const struct keymap *keymap; /* for the help; owned by the caller */
    const struct ui_command *commands;
    size_t n_commands;
    enum keymap_place place; /* that the help begins with */
    int top;                 /* its first visible line */
    int height, width;       /* rows of text as drawn, and columns of the help's */
    char *title;
    int tag;
    struct list list;
};

void dialog_init(struct dialog *d, const struct keymap *keymap, const struct ui_command *commands,
                 size_t n);
void dialog_done(struct dialog *d);

/* The help, beginning with what can be done in that place; typing narrows it. */
void dialog_help(struct dialog *d, enum keymap_place place);
void dialog_pick(struct dialog *d, int tag, const char *title, const struct ui_row *rows, size_t n,
                 int64_t selected);
void dialog_close(struct dialog *d);

/* Scrolls the help, or moves in the list. */
void dialog_move(struct dialog *d, int64_t rows);

/* DIALOG_SEARCH is drawn by search.h. */
void dialog_draw(struct dialog *d, struct grid *g);

/* An empty box with its title. */
void dialog_box(struct grid *g, struct area box, const char *title);

#endif
