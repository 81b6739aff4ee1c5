/*
 * composer.h: the editor for prompts: a draft over several rows with chips in it, the history of
 * prompts and a search through it, command completion, emacs or vi keys.
 */
#ifndef UI_COMPOSER_H
#define UI_COMPOSER_H

#include "chip.h"
#include "complete.h"
#include "editor.h"
#include "grid.h"
#include "keymap.h"
#include "recall.h"
#include "rows.h"
#include "vi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMPOSER_MARGIN = 2 }; /* columns of the prompt sign */

struct composer {
    struct editor editor;
    struct chips chips;
    struct rows rows;
    struct recall recall;
    struct recall_search search;
    struct complete complete;
    struct vi vi;
    bool uses_vi;
    bool quoting;       /* the next key is text, whatever it is */
    struct bytes whole; /* the draft with what its chips stand for, */
    uint64_t whole_of;  /* made of this revision, plus 1 */
    size_t top;         /* uppermost row shown */
    int goal;           /* the column that Up and Down keep, -1: the cursor's own */
};

void composer_init(struct composer *c, const struct ui_command *commands, size_t n_commands);
void composer_done(struct composer *c);

/* Edits as vi does from now on. */
void composer_use_vi(struct composer *c);

/* The draft, its chips as the text they stand for; until it changes. */
const char *composer_text(struct composer *c, size_t *len_out);

/*
 * Text from outside: what is not valid UTF-8 is made so, carriage returns become newlines. A long
 * paste becomes a chip; what is attached is one in any case. False: too long.
 */
bool composer_set(struct composer *c, const char *text, size_t len);
bool composer_insert(struct composer *c, const char *text, size_t len);
bool composer_paste(struct composer *c, const char *text, size_t len);
bool composer_attach(struct composer *c, const char *name, const char *text, size_t len);
bool composer_type(struct composer *c, uint32_t cp);

/* Runs an editing action; false: it is not one, or has nothing to do here. */
bool composer_do(struct composer *c, enum keymap_action action);

/* What vi makes of a key; VI_PASS where emacs' keys are used. */
enum vi_wish composer_vi(struct composer *c, struct key key);

/*
 * Tab in a command: adds what all that is offered has in common, or else goes through it, on or
 * back. False: nothing is offered.
 */
bool composer_complete(struct composer *c, int step);

/* Enter in a command: puts in what is chosen; false: that is a folder, and there is more to
 * choose. */
bool composer_choose(struct composer *c);

/* Empties the draft that was sent, and remembers it; brings it back with its chips: false: it is
 * gone. */
void composer_sent(struct composer *c);
bool composer_unsend(struct composer *c, const char *text, size_t len);

/* How many rows the draft takes in this width. */
int composer_rows(struct composer *c, int width);

void composer_draw(struct composer *c, struct grid *g, int row, int col, int height, int width,
                   bool active);

#endif
