/*
 * transcript.h: what was said, as lines that scroll.
 *
 * Messages are laid out when they come into view, and a line's place is known by its message and
 * its row there, so neither a long conversation nor a new width costs more than what is seen of it.
 */
#ifndef UI_TRANSCRIPT_H
#define UI_TRANSCRIPT_H

#include "grid.h"
#include "item.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct transcript {
    struct item **items;
    size_t n, cap;
    size_t top_item, top_row; /* the uppermost line, unless following */
    bool follow;              /* the last line stays in sight */
    enum ui_fold fold;        /* of reasoning when the answer begins */
    bool focused;
    size_t selected;
    size_t rule;            /* where the window begins, at this item's place; 0: nowhere */
    int row, width, height; /* of the last drawing */
    int step; /* of the selected message's reasoning, or ITEM_MARKED: the message as a whole */
};

void transcript_init(struct transcript *t, enum ui_fold fold);
void transcript_clear(struct transcript *t); /* also frees it */

/* As the calls of ui.h. */
void transcript_begin(struct transcript *t, int64_t id, enum ui_role role, const char *name);
void transcript_append(struct transcript *t, int64_t id, enum ui_text kind, const char *text,
                       size_t len);
void transcript_thought(struct transcript *t, int64_t id, int64_t tokens, int64_t ms);
void transcript_end(struct transcript *t, int64_t id, enum ui_tone tone, const char *note);
void transcript_notice(struct transcript *t, enum ui_tone tone, const char *text);
void transcript_version(struct transcript *t, int64_t id, size_t version, size_t versions);
void transcript_cut(struct transcript *t, int64_t id);
void transcript_mark(struct transcript *t, int64_t id);
void transcript_window(struct transcript *t, int64_t id, enum ui_tone tone, const char *label);

/* The id of the marked message; 0: none, or a line of the program's own. */
int64_t transcript_marked(const struct transcript *t);

/* Whether it has versions, or reasoning to fold. */
bool transcript_marked_varies(const struct transcript *t);
bool transcript_marked_folds(const struct transcript *t);

/* The id of the marked message, or of the latest that a model said; 0: there is none. */
int64_t transcript_chosen(const struct transcript *t);

void transcript_scroll(struct transcript *t, int rows);
void transcript_page(struct transcript *t, int pages);
void transcript_top(struct transcript *t);
void transcript_bottom(struct transcript *t);

/* Folds all reasoning if some is open, else opens all; later reasoning follows. */
void transcript_fold_all(struct transcript *t);

/* Focus: a message in sight, or a step of its reasoning, is marked, and folds and unfolds. */
void transcript_focus(struct transcript *t, bool on);
void transcript_select(struct transcript *t, int messages); /* moves the mark: -1, 1 */
void transcript_step(struct transcript *t, int steps);      /* likewise, opening what it comes to */
void transcript_fold(struct transcript *t);

/* Scrolls what of the chosen message is wider than the window. */
void transcript_shift(struct transcript *t, int columns);

/* Marks the message that was drawn in this row of the screen; false: none was. */
bool transcript_point(struct transcript *t, int row);

/* Places are an item and a row of it. The uppermost in sight; where one is on the screen, -1:
 * nowhere. */
void transcript_top_place(struct transcript *t, size_t *item_out, size_t *row_out);
int transcript_screen_row(struct transcript *t, size_t item, size_t row);

/* Brings a place into sight, and marks its message. */
void transcript_show(struct transcript *t, size_t item, size_t row);

size_t transcript_index(const struct transcript *t, int64_t id); /* of a message; t->n: unknown */

bool transcript_has_messages(const struct transcript *t); /* not only notices */

/* Its rows in this width, counted up to `most`. */
int transcript_rows(struct transcript *t, int width, int most);

/* Draws into the rectangle; true when there is more below it. */
bool transcript_draw(struct transcript *t, struct grid *g, int row, int col, int height, int width);

#endif
