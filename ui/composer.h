/*
 * composer.h: where the user writes: a draft over several rows, earlier prompts, command completion.
 */
#ifndef UI_COMPOSER_H
#define UI_COMPOSER_H

#include "complete.h"
#include "editor.h"
#include "grid.h"
#include "keymap.h"
#include "recall.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMPOSER_MARGIN = 2 }; /* columns of the prompt sign */

struct composer {
    struct editor editor;
    struct recall recall;
    struct complete complete;
    size_t *rows; /* where each row of the screen begins in the text */
    size_t n_rows, cap_rows;
    int width;  /* the rows were made for, without the margin */
    size_t top; /* uppermost row shown */
    int goal;   /* the column that Up and Down keep, -1: the cursor's own */
};

void composer_init(struct composer *c, const struct ui_command *commands, size_t n_commands);
void composer_done(struct composer *c);

const char *composer_text(const struct composer *c, size_t *len_out);

/* Text that is not valid UTF-8 is made so, carriage returns become newlines. False: too long. */
bool composer_set(struct composer *c, const char *text, size_t len);
bool composer_insert(struct composer *c, const char *text, size_t len);
bool composer_type(struct composer *c, uint32_t cp);

/* Runs an editing action; false: it is not one, or has nothing to do here. */
bool composer_do(struct composer *c, enum keymap_action action);

/* Replaces the draft by the chosen command, with a space if it takes arguments. */
void composer_complete(struct composer *c);

/* Empties the draft that was sent, and remembers it. */
void composer_sent(struct composer *c);

/* How many rows the draft takes in this width. */
int composer_rows(struct composer *c, int width);

void composer_draw(struct composer *c, struct grid *g, int row, int col, int height, int width,
                   bool active);

#endif
