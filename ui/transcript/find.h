/*
 * find.h: searches the transcript as shown on the screen. A line end matches a space, or nothing
 * between wide characters, so that wrapping hides no match.
 *
 * A search proceeds in steps, so that keys are handled meanwhile however long the conversation is.
 * Folded reasoning that contains a match is unfolded when the search reaches it.
 */
#ifndef UI_TRANSCRIPT_FIND_H
#define UI_TRANSCRIPT_FIND_H

#include "editor/field.h"
#include "keys/keymap.h"
#include "terminal/grid.h"
#include "transcript/transcript.h"

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
    const struct keymap *keymap; /* for hints; owned by the caller, as is `in` */
    struct field field;
    bool typing;
    uint32_t needle[FIND_NEEDLE_MAX]; /* lower case */
    size_t needle_len;
    struct find_place match; /* while a match is shown */
    bool found, wrapped;
    size_t opened; /* item unfolded by the search, numbered from 1; 0: none */
    enum ui_fold opened_from;

    bool seeking, unfolds;
    int direction;
    struct find_place at; /* progress of the search */
    size_t left;          /* items left to search, including the current one */
    struct grid lines;    /* some of them, drawn for searching */

    struct transcript_view before; /* the view when typing began */
};

void find_init(struct find *f, struct transcript *in, const struct keymap *keymap);
void find_done(struct find *f);
void find_forget(struct find *f); /* another conversation was loaded */

/* Starts editing the query; accepts it; or cancels and restores the view. */
void find_begin(struct find *f);
void find_accept(struct find *f);
void find_cancel(struct find *f);

/* The query changed: searches again from where editing began. */
void find_changed(struct find *f);

/* Finds the next match, or the previous one; false: no query. */
bool find_next(struct find *f, int direction);

/* Shows the match in one message, or else the message; `unfold`: it may be in the reasoning. */
void find_in_message(struct find *f, int64_t id, bool unfold, const char *text);

/* Continues a search for one step. */
void find_step(struct find *f);

/* Highlights all matches in the area of the transcript. */
void find_highlight(const struct find *f, struct grid *g, struct area area);

/* Draws the query line in place of the rule above the composer. */
void find_draw(const struct find *f, struct grid *g, struct area at);

#endif
