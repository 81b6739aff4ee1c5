/*
 * find.h: looking for text in the transcript, as it stands on the screen. A line's end counts as a
 * space, or as nothing between wide characters, so that wrapping hides no match.
 *
 * A search goes through the lines in steps, so that keys are answered meanwhile however long the
 * conversation is. Folded reasoning that holds the text is opened when the search comes by.
 */
#ifndef UI_FIND_H
#define UI_FIND_H

#include "field.h"
#include "grid.h"
#include "keymap.h"
#include "transcript.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FIND_NEEDLE_MAX = 200 }; /* characters */

struct find_place {
    size_t item, row;
    int col;
};

struct find {
    struct transcript *in;
    struct field field;
    bool typing;
    uint32_t needle[FIND_NEEDLE_MAX]; /* lower case */
    size_t needle_len;
    struct find_place match; /* while found */
    bool found, wrapped;
    size_t opened; /* number of the item that a search unfolded, from 1; 0: none */
    enum ui_fold opened_from;

    bool seeking, unfolds;
    int direction;
    struct find_place at; /* where the search has come */
    size_t left;          /* items still to come, with the one at hand */
    struct grid lines;    /* some of them, drawn to be read */

    size_t top_item, top_row; /* of the view when typing began */
    bool follow;
};

void find_init(struct find *f, struct transcript *in);
void find_done(struct find *f);
void find_forget(struct find *f); /* another conversation is in the transcript */

/* Begins to type what is looked for; accepts what was typed; or goes back to where it began. */
void find_begin(struct find *f);
void find_accept(struct find *f);
void find_cancel(struct find *f);

/* The text was changed: looks for it from where typing began. */
void find_changed(struct find *f);

/* Looks for the next match, or the one before; false: nothing is looked for. */
bool find_next(struct find *f, int direction);

/* Shows the match in one message, or else the message; `unfold`: it may be in the reasoning. */
void find_in_message(struct find *f, int64_t id, bool unfold, const char *text);

/* Goes on seeking for a moment. */
void find_step(struct find *f);

/* Marks all matches in the rectangle that the transcript was drawn into. */
void find_mark(const struct find *f, struct grid *g, int col, int height, int width);

/* The line to type in, in place of the rule over the composer. */
void find_draw(const struct find *f, const struct keymap *map, struct grid *g, int row, int col,
               int width);

#endif
