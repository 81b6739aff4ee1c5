/*
 * complete.h: completion of a command line, shown above it: first commands, then candidates that
 * the program offers for their arguments.
 */
#ifndef UI_COMPOSER_COMPLETE_H
#define UI_COMPOSER_COMPLETE_H

#include "terminal/grid.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    COMPLETE_ROWS = 8,  /* rows shown at once */
    COMPLETE_MAX = 500, /* candidates kept */
};

struct complete_offer {
    const char *word, *args, *help;
    char *own; /* owned storage behind word, if any */
};

struct complete {
    const struct ui_command *commands; /* owned by the caller */
    size_t n_commands;
    ui_complete source; /* for arguments; may be NULL */
    void *source_ud;

    struct complete_offer *offers;
    size_t n, selected;
    size_t from;    /* start of the completed word; 0: the command itself */
    bool moved;     /* the user has moved the selection */
    bool held;      /* the draft shows the selection: keep the candidates */
    bool dismissed; /* closed until the text changes */
};

void complete_init(struct complete *c, const struct ui_command *commands, size_t n);
void complete_done(struct complete *c);

/* Recomputes the candidates after a change of the draft. */
void complete_update(struct complete *c, const char *draft, size_t len);

bool complete_is_open(const struct complete *c);
void complete_dismiss(struct complete *c);
void complete_move(struct complete *c, int rows); /* wraps around */

/* The selected one; NULL: none. */
const struct complete_offer *complete_chosen(const struct complete *c);

/* Length of the longest common prefix of all candidates, in bytes. */
size_t complete_common(const struct complete *c);

int complete_rows(const struct complete *c);
void complete_draw(const struct complete *c, struct grid *g, struct area area);

#endif
