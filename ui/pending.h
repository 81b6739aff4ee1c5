/*
 * pending.h: what is about to be asked, between the transcript and the composer: the questions that
 * wait for the answer's end, and, where the draft is to take an earlier question's place, that it is.
 */
#ifndef UI_PENDING_H
#define UI_PENDING_H

#include "grid.h"

#include <stdbool.h>
#include <stddef.h>

struct pending {
    char **texts; /* the next first */
    size_t n;
    bool held;    /* they wait for the user */
    char *banner; /* NULL: none */
};

void pending_done(struct pending *p);

void pending_set(struct pending *p, const char *const *texts, size_t n, bool held);
void pending_banner(struct pending *p, const char *text); /* NULL: none */

/* Rows that it takes, at most `most`. */
int pending_rows(const struct pending *p, int most);

void pending_draw(const struct pending *p, struct grid *g, int row, int col, int rows, int width);

#endif
