/*
 * complete.h: completion of a command line, shown above it: the commands, and then whatever the
 * program offers for their arguments.
 */
#ifndef UI_COMPLETE_H
#define UI_COMPLETE_H

#include "grid.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    COMPLETE_ROWS = 8,  /* shown at once */
    COMPLETE_MAX = 500, /* offered */
};

struct complete_offer {
    const char *word, *args, *help;
    char *own; /* what word points to, if it is ours */
};

struct complete {
    const struct ui_command *commands; /* stay the owner's */
    size_t n_commands;
    ui_complete source; /* of arguments; may be NULL */
    void *source_ud;

    struct complete_offer *offers;
    size_t n, selected;
    size_t from;    /* what is completed begins there; 0: the command itself */
    bool moved;     /* one was selected by hand */
    bool held;      /* the text follows what is selected: the offers stay as they are */
    bool dismissed; /* until the text changes */
};

void complete_init(struct complete *c, const struct ui_command *commands, size_t n);
void complete_done(struct complete *c);

/* Looks again, for a draft that changed. */
void complete_update(struct complete *c, const char *draft, size_t len);

bool complete_is_open(const struct complete *c);
void complete_dismiss(struct complete *c);
void complete_move(struct complete *c, int rows);                       /* around the ends */
const struct complete_offer *complete_chosen(const struct complete *c); /* NULL: none */

/* How many bytes all that is offered begins with. */
size_t complete_common(const struct complete *c);

int complete_rows(const struct complete *c);
void complete_draw(const struct complete *c, struct grid *g, int row, int col, int rows, int width);

#endif
