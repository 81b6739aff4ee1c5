/*
 * sidebar.h: the list of conversations beside the transcript. It holds only the rows that it asked
 * for: a new filter, or scrolling further, makes it ask again.
 */
#ifndef UI_SIDEBAR_H
#define UI_SIDEBAR_H

#include "field.h"
#include "grid.h"
#include "keymap.h"
#include "list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIDEBAR_WANTED = 200 }; /* rows, at first */

struct sidebar {
    const struct keymap *keymap;
    struct list list;
    bool open, archived; /* archived: those are listed, and no others */
    size_t wanted;       /* rows asked for */
    bool renaming;
    struct field title; /* being written */
    char *deleted;      /* the title of what can be restored; NULL: nothing */
};

void sidebar_init(struct sidebar *s, const struct keymap *keymap);
void sidebar_done(struct sidebar *s);

/* Whether the rows end while there may be more, near what is selected. Then more are wanted. */
bool sidebar_wants_more(struct sidebar *s);

/* Starts to write the selected row's title anew; false: there is no row. */
bool sidebar_rename(struct sidebar *s);

void sidebar_draw(struct sidebar *s, struct grid *g, int width, bool active);

#endif
