/*
 * item.h: one entry of the transcript (a question, an answer with its reasoning, a notice of the
 * program's own) as rows of the screen.
 */
#ifndef UI_ITEM_H
#define UI_ITEM_H

#include "block.h"
#include "grid.h"
#include "reasoning.h"
#include "steps.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ITEM_GUTTER = 2 }; /* columns left of all text, where only the program draws */

/* A rule's name stands in it; its tone is that of a notice. */
enum item_kind { ITEM_USER, ITEM_ASSISTANT, ITEM_NOTICE, ITEM_RULE };

/* A stretch of text of one kind: an answer's is a block. */
struct part {
    enum ui_text kind;
    struct bytes text;
    struct block block;
    struct reasoning reasoning;
    struct boxed boxed;
};

struct item {
    enum item_kind kind;
    int64_t id;
    char *name;
    bool close_up; /* no gap between it and the one before */
    bool ended;
    bool lost; /* some text could not be kept */
    struct part *parts;
    size_t n_parts;
    int64_t thought_tokens, thought_ms;
    size_t version, versions; /* which of how many; 0: the only one */
    enum ui_tone tone;
    char *note;
};

struct item *item_new(enum item_kind kind); /* NULL: out of memory */
void item_free(struct item *item);

/* `fold`: of reasoning that this text begins or follows. */
void item_append(struct item *item, enum ui_text kind, const char *text, size_t len,
                 enum ui_fold fold);
void item_end(struct item *item, enum ui_tone tone, const char *note);

bool item_has_reasoning(const struct item *item);
bool item_is_open(const struct item *item); /* some of its reasoning is unfolded */
void item_fold(struct item *item, enum ui_fold fold);
enum ui_fold item_fold_of(const struct item *item);
void item_open(struct item *item); /* what is not; single steps stay folded */

/* The steps of its reasoning, counted through; those of a folded one count, too. */
size_t item_steps(const struct item *item);
void item_fold_step(struct item *item, size_t step);
size_t item_row_of(struct item *item, size_t step); /* where it begins, as counted by item_rows */

/* Whether what is folded away holds the text. */
bool item_hides(const struct item *item, const char *text);

/* Scrolls lines that are wider than the window sideways. */
void item_shift(struct item *item, int columns);

/* Lays out what is new, or all for a new width, and counts the rows. */
size_t item_rows(struct item *item, int width);

enum { ITEM_UNMARKED = -2, ITEM_MARKED = -1 }; /* or the number of a step */

/* Draws one of the rows that were counted. `mark`: what of it bears the sign of what is chosen. */
void item_draw(struct item *item, size_t n, int mark, struct grid *g, int row, int col, int width);

#endif
