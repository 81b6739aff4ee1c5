/*
 * item.h: one entry of the transcript (a question, an answer with its reasoning, or a notice from
 * the program) as screen rows.
 */
#ifndef UI_TRANSCRIPT_ITEM_H
#define UI_TRANSCRIPT_ITEM_H

#include "markdown/block.h"
#include "terminal/grid.h"
#include "transcript/reasoning.h"
#include "transcript/steps.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ITEM_GUTTER = 2 }; /* left margin, written only by the program */

/* A rule holds its name; its tone is that of a notice. */
enum item_kind { ITEM_USER, ITEM_ASSISTANT, ITEM_NOTICE, ITEM_RULE };

/* A run of text of one kind; an answer's is a block. */
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
    bool close_up; /* no blank row before it */
    bool ended;
    bool strikes; /* the terminal can strike text through */
    bool lost;    /* some text was lost for lack of memory */
    struct part *parts;
    size_t n_parts;
    int64_t thought_tokens, thought_ms;
    size_t version, versions; /* which of how many; 0: the only one */
    enum ui_tone tone;
    size_t times; /* that a notice was said */
    char *note;
};

struct item *item_new(enum item_kind kind); /* NULL: out of memory */
void item_free(struct item *item);

/* `fold`: how reasoning that this text begins or follows is folded. */
void item_append(struct item *item, enum ui_text kind, const char *text, size_t len,
                 enum ui_fold fold);
void item_end(struct item *item, enum ui_tone tone, const char *note);

bool item_has_reasoning(const struct item *item);
bool item_is_open(const struct item *item); /* some of its reasoning is unfolded */
void item_fold(struct item *item, enum ui_fold fold);
enum ui_fold item_fold_of(const struct item *item);
void item_open(struct item *item); /* the rest; single steps stay folded */

/* The steps of its reasoning, numbered throughout, folded ones included. */
size_t item_steps(const struct item *item);
void item_fold_step(struct item *item, size_t step);
size_t item_row_of(struct item *item, size_t step); /* its first row, as counted by item_rows */

/* Whether folded text contains the needle. */
bool item_hides(const struct item *item, const char *text);

/* Scrolls overlong lines sideways. */
void item_shift(struct item *item, int columns);

/* Lays out new text, or everything for a new width, and counts the rows. */
size_t item_rows(struct item *item, int width);

enum { ITEM_UNSELECTED = -2, ITEM_SELECTED = -1 }; /* or the number of a step */

/* Draws one of the counted rows, with the sign of the selection where that is. */
void item_draw(struct item *item, size_t n, int selected, struct grid *g, struct area at);

#endif
