/*
 * welcome.h: the first screen, shown while the conversation is empty.
 */
#ifndef UI_PANES_WELCOME_H
#define UI_PANES_WELCOME_H

#include "keys/keymap.h"
#include "terminal/grid.h"

#include <stdbool.h>
#include <stddef.h>

struct welcome {
    const struct keymap *keymap; /* for hints; owned by the caller */
    char **examples;             /* questions */
    size_t n;
    bool first_time; /* explains more */
};

/* False: out of memory. */
bool welcome_init(struct welcome *w, const struct keymap *keymap, const char *const *examples,
                  size_t n, bool first_time);
void welcome_done(struct welcome *w);

/* In small windows only what to do. */
void welcome_draw(const struct welcome *w, struct grid *g, struct area area);

#endif
