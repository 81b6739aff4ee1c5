/*
 * transcript.h: the conversation as scrollable lines.
 *
 * Messages are laid out when they come into view, and a line is addressed by its message and row,
 * so neither a long conversation nor a new width costs more than what is visible.
 */
#ifndef UI_TRANSCRIPT_TRANSCRIPT_H
#define UI_TRANSCRIPT_TRANSCRIPT_H

#include "terminal/grid.h"
#include "transcript/item.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transcript {
    struct item **items;
    size_t n, cap;
    size_t top_item, top_row; /* the topmost line, unless following */
    bool follow;              /* the last line stays visible */
    enum ui_fold fold;        /* for reasoning when the answer begins */
    bool strikes;             /* the terminal can strike text through */
    bool focused;
    size_t selected;
    size_t rule;            /* where the context window begins, at this item's index; 0: nowhere */
    int row, width, height; /* as of the last draw */
    int step; /* of the selected message's reasoning, or ITEM_SELECTED: all of the message */
};

void transcript_init(struct transcript *t, enum ui_fold fold);
void transcript_clear(struct transcript *t); /* also frees it */

/* The same as in ui.h. */
void transcript_begin(struct transcript *t, int64_t id, enum ui_role role, const char *name);
void transcript_append(struct transcript *t, int64_t id, enum ui_text kind, const char *text,
                       size_t len);
void transcript_thought(struct transcript *t, int64_t id, int64_t tokens, int64_t ms);
void transcript_end(struct transcript *t, int64_t id, enum ui_tone tone, const char *note);
void transcript_notice(struct transcript *t, enum ui_tone tone, const char *text);
void transcript_version(struct transcript *t, int64_t id, size_t version, size_t versions);
void transcript_cut(struct transcript *t, int64_t id);
void transcript_select(struct transcript *t, int64_t id);
void transcript_context_begin(struct transcript *t, int64_t id, enum ui_tone tone,
                              const char *label);

/* The id of the selected message; 0: none, or a notice from the program. */
int64_t transcript_selected(const struct transcript *t);

/* Whether it has versions, or reasoning to fold. */
bool transcript_selected_has_versions(const struct transcript *t);
bool transcript_selected_has_reasoning(const struct transcript *t);

/* The id of the selected message, or of the latest answer; 0: none. */
int64_t transcript_chosen(const struct transcript *t);

void transcript_scroll(struct transcript *t, int rows);
void transcript_page(struct transcript *t, int pages);
void transcript_top(struct transcript *t);
void transcript_bottom(struct transcript *t);

/* Folds all reasoning if any is unfolded, else unfolds all; applies to later reasoning too. */
void transcript_fold_all(struct transcript *t);

/* With the focus a visible message, or a step of its reasoning, is selected. */
void transcript_focus(struct transcript *t, bool on);

/* Moves the selection by a message, -1 or 1, or by a step, which is unfolded. */
void transcript_move_selection(struct transcript *t, int messages);
void transcript_move_step(struct transcript *t, int steps);

/* Folds what is selected, or unfolds it. */
void transcript_fold(struct transcript *t);

/* Scrolls overlong lines of the selected message sideways. */
void transcript_shift(struct transcript *t, int columns);

/* Selects the message drawn in this screen row; false: none there. */
bool transcript_point(struct transcript *t, int row);

/* What is visible, to return to: the topmost item and its row, and whether it follows the end. */
struct transcript_view {
    size_t item, row;
    bool follow;
};
struct transcript_view transcript_view(struct transcript *t);
void transcript_restore(struct transcript *t, const struct transcript_view *view);

/* The screen row of a position, an item and a row of it; -1: not visible. */
int transcript_screen_row(struct transcript *t, size_t item, size_t row);

/* Scrolls a position into view and selects its message. */
void transcript_show(struct transcript *t, size_t item, size_t row);

/* The index of a message; transcript_items(): unknown. */
size_t transcript_index(const struct transcript *t, int64_t id);

/* The messages and notices, counted from 0, and the rows of one. */
size_t transcript_items(const struct transcript *t);
size_t transcript_item_rows(struct transcript *t, size_t item);

/*
 * Draws rows of an item, from `first` on, on a grid that is made as wide as the transcript and
 * `most` rows high; returns how many.
 */
int transcript_draw_rows(struct transcript *t, size_t item, size_t first, struct grid *g, int most);

/* Unfolds an item if what is folded of it contains the text: true, and how it was folded. */
bool transcript_uncover(struct transcript *t, size_t item, const char *text,
                        enum ui_fold *before_out);
void transcript_set_fold(struct transcript *t, size_t item, enum ui_fold fold);

bool transcript_has_messages(const struct transcript *t); /* more than notices */

/* Its rows at this width, counted up to `most`. */
int transcript_rows(struct transcript *t, int width, int most);

/* Draws into the area; true if there is more below. */
bool transcript_draw(struct transcript *t, struct grid *g, struct area area);

#endif
