/*
 * sidebar.h: the list of conversations beside the transcript. It holds only the rows it has
 * requested: a new filter, or scrolling further, requests more.
 */
#ifndef UI_PANES_SIDEBAR_H
#define UI_PANES_SIDEBAR_H

#include "editor/field.h"
#include "keys/keymap.h"
#include "panes/list.h"
#include "terminal/grid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIDEBAR_WANTED = 200 }; /* initial number of rows */

struct sidebar {
    const struct keymap *keymap;
    struct list list;
    bool open, archived; /* archived: only archived conversations are listed */
    size_t wanted;       /* rows requested */
    bool renaming;
    struct field title; /* being written */
    char *deleted;      /* title of the conversation that can be restored; NULL: none */
};

void sidebar_init(struct sidebar *s, const struct keymap *keymap);
void sidebar_done(struct sidebar *s);

/*
 * Whether the selection is near the end of the rows and more may exist, so that more are requested.
 */
bool sidebar_wants_more(struct sidebar *s);

/* Starts editing the selected row's title; false: no row. */
bool sidebar_rename(struct sidebar *s);

void sidebar_draw(struct sidebar *s, struct grid *g, int width, bool active);

#endif
