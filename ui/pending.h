/*
 * pending.h: the lines between the transcript and the composer: background work with its progress,
 * the questions that wait for the answer's end, and a banner that offers something (an interrupted
 * answer to continue, or that the draft replaces an earlier question).
 */
#ifndef UI_PENDING_H
#define UI_PENDING_H

#include "grid.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>

struct pending {
    char **texts;  /* the next first */
    size_t n, due; /* the first so many come by themselves, the others when the user says so */
    char *banner;  /* NULL: none */
    enum ui_action_kind taken_by; /* what the banner offers */
    char *task, *task_words;      /* what goes on beside; NULL: nothing does */
    double share;
};

void pending_done(struct pending *p);

void pending_set(struct pending *p, const char *const *texts, size_t n, size_t due);
void pending_banner(struct pending *p, const char *text, enum ui_action_kind taken_by);

/* False: it was so already. */
bool pending_task(struct pending *p, const char *name, double share, const char *words);

/* Rows that it takes, at most `most`. */
int pending_rows(const struct pending *p, int most);

/* Draws the task and the questions in that many rows; the banner is left to whoever knows the keys
 * for it. keys: what can be done to them. */
void pending_draw(const struct pending *p, struct grid *g, int row, int col, int rows, int width,
                  const char *keys);

#endif
