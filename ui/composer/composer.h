/*
 * composer.h: the prompt editor: a multi-row draft with chips, prompt history and its search,
 * command completion, emacs or vi keys.
 */
#ifndef UI_COMPOSER_COMPOSER_H
#define UI_COMPOSER_COMPOSER_H

#include "composer/complete.h"
#include "composer/recall.h"
#include "editor/chip.h"
#include "editor/editor.h"
#include "editor/rows.h"
#include "editor/vi.h"
#include "keys/keymap.h"
#include "terminal/grid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COMPOSER_MARGIN = 2 }; /* columns of the prompt */

struct composer {
    struct editor editor;
    struct chips chips;
    struct rows rows;
    struct recall recall;
    struct recall_search search;
    struct complete complete;
    struct vi vi;
    bool uses_vi;
    bool quoting;          /* insert the next key literally */
    struct bytes expanded; /* the draft with chips expanded, */
    uint64_t expanded_of;  /* and the revision + 1 it was built from */
    size_t top;            /* first visible row */
    int goal;              /* goal column for Up and Down; -1: the cursor's own */
};

void composer_init(struct composer *c, const struct ui_command *commands, size_t n_commands);
void composer_done(struct composer *c);

/* Switches to vi editing. */
void composer_use_vi(struct composer *c);

/* The draft with chips expanded; valid until it changes. */
const char *composer_text(struct composer *c, size_t *len_out);

/*
 * Inserts text from outside: invalid UTF-8 is replaced, carriage returns become newlines. A long
 * paste is folded to a chip; an attachment always is. False: too long.
 */
bool composer_set(struct composer *c, const char *text, size_t len);
bool composer_insert(struct composer *c, const char *text, size_t len);
bool composer_paste(struct composer *c, const char *text, size_t len);
bool composer_attach(struct composer *c, const char *name, const char *text, size_t len);
bool composer_type(struct composer *c, uint32_t cp);

/* Runs an editing action; false: not an editing action, or nothing to do. */
bool composer_do(struct composer *c, enum keymap_action action);

/* Passes a key to vi; VI_PASS if emacs keys are in use. */
enum vi_request composer_vi(struct composer *c, struct key key);

/*
 * Tab in a command: inserts the common prefix of all candidates, else cycles through them, forward
 * or back. False: no candidates.
 */
bool composer_complete(struct composer *c, int step);

/* Enter in a command: accepts the selection; false: it is a folder, and completion continues. */
bool composer_choose(struct composer *c);

/*
 * Clears the draft after it was sent, and remembers it; or restores it with its chips. False: gone.
 */
void composer_sent(struct composer *c);
bool composer_unsend(struct composer *c, const char *text, size_t len);

/* Rows needed for the draft at this width. */
int composer_rows(struct composer *c, int width);

void composer_draw(struct composer *c, struct grid *g, struct area area, bool active);

#endif
