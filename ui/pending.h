/*
 * pending.h: what is about to be asked, between the transcript and the composer: the questions that
 * wait for the answer's end, and, where the draft is to take an earlier question's place, that it is.
 */
#ifndef UI_PENDING_H
#define UI_PENDING_H

#include "grid.h"

#include <stddef.h>

struct pending {
    char **texts;  /* the next first */
    size_t n, due; /* the first so many come by themselves, the others when the user says so */
    char *banner;  /* NULL: none */
};

void pending_done(struct pending *p);

void pending_set(struct pending *p, const char *const *texts, size_t n, size_t due);
void pending_banner(struct pending *p, const char *text); /* NULL: none */

/* Rows that it takes, at most `most`. */
int pending_rows(const struct pending *p, int most);

/* Draws the questions in that many rows; the banner is left to whoever knows the keys for it. keys: what
 * can be done to them. */
void pending_draw(const struct pending *p, struct grid *g, int row, int col, int rows, int width,
                  const char *keys);

#endif
