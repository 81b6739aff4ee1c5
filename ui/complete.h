/*
 * complete.h: the slash commands that begin with what is typed, shown above it with their help.
 */
#ifndef UI_COMPLETE_H
#define UI_COMPLETE_H

#include "grid.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    COMPLETE_ROWS = 8, /* shown at once */
    COMPLETE_MAX = 64, /* commands */
};

struct complete {
    const struct ui_command *commands; /* stay the owner's */
    size_t n_commands;
    size_t matches[COMPLETE_MAX];
    size_t n, selected;
    bool dismissed; /* until the text changes */
};

void complete_init(struct complete *c, const struct ui_command *commands, size_t n);

/* Looks again, for a draft that changed; a draft with a space in it is past completing. */
void complete_update(struct complete *c, const char *draft, size_t len);

bool complete_is_open(const struct complete *c);
void complete_dismiss(struct complete *c);
void complete_move(struct complete *c, int rows); /* around the ends */
const struct ui_command *complete_chosen(const struct complete *c);

int complete_rows(const struct complete *c);
void complete_draw(const struct complete *c, struct grid *g, int row, int col, int rows, int width);

#endif
