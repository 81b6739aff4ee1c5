/*
 * pending.h: the lines between the transcript and the composer: background work with its progress,
 * the queued questions, and a banner with an offer (to continue an interrupted answer, or that the
 * draft replaces an earlier question).
 */
#ifndef UI_PANES_PENDING_H
#define UI_PANES_PENDING_H

#include "keys/keymap.h"
#include "terminal/grid.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>

struct pending {
    const struct keymap *keymap;  /* for hints; owned by the caller */
    char **texts;                 /* next first */
    size_t n, due;                /* the first `due` are sent automatically, the rest on request */
    char *banner;                 /* NULL: none */
    enum ui_action_kind taken_by; /* the action that accepts the banner */
    char *task, *task_words;      /* background task; NULL: none */
    double share;
};

void pending_init(struct pending *p, const struct keymap *keymap);
void pending_done(struct pending *p);

void pending_set(struct pending *p, const char *const *texts, size_t n, size_t due);
void pending_banner(struct pending *p, const char *text, enum ui_action_kind taken_by);

/* False: no change. */
bool pending_task(struct pending *p, const char *name, double share, const char *words);

/* Rows needed, at most `most`. */
int pending_rows(const struct pending *p, int most);

/* Draws as much as there are rows; `writing`: the keys are taken by a draft. */
void pending_draw(const struct pending *p, struct grid *g, struct area area, bool writing);

#endif
