/*
 * status.h: the line at the bottom: model and device, state, speed and context.
 */
#ifndef UI_PANES_STATUS_H
#define UI_PANES_STATUS_H

#include "keys/keymap.h"
#include "terminal/grid.h"
#include "ui.h"

#include <stdbool.h>
#include <stdint.h>

enum { STATUS_SPIN_MS = 120, STATUS_STRINGS = 8 };

struct status {
    struct ui_status now;
    char *strings[STATUS_STRINGS]; /* copies of the current strings */
    char *hint;
    const struct keymap *keymap; /* for hints; owned by the caller */
};

void status_init(struct status *s, const struct keymap *keymap);
void status_done(struct status *s);

bool status_set(struct status *s, const struct ui_status *now); /* false: no change */
void status_hint(struct status *s, const char *text);           /* NULL: none */

bool status_is_busy(const struct status *s);
bool status_spins(const struct status *s); /* changes every STATUS_SPIN_MS */

/* What does not fit is dropped, least important first. */
void status_draw(const struct status *s, struct grid *g, struct area at, int64_t now_ms);

#endif
