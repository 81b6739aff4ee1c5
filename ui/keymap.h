/*
 * keymap.h: which key does what. One table names every action, where it applies, its keys and its
 * help; lookups, the help screen, the hints and the manual are all made from it. Users may rebind
 * keys.
 */
#ifndef UI_KEYMAP_H
#define UI_KEYMAP_H

#include "bytes.h"
#include "key.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>

enum keymap_action {
    ACT_NONE,
    ACT_PREFIX, /* the first of two keys */

    ACT_INTERRUPT,
    ACT_CANCEL,
    ACT_HELP,
    ACT_SIDEBAR,
    ACT_SEARCH,
    ACT_FOLD_ALL,
    ACT_THINK,
    ACT_ANSWER_NOW,
    ACT_CONTINUE,
    ACT_MORE,
    ACT_MODELS,
    ACT_NEW,
    ACT_PAGE_UP,
    ACT_PAGE_DOWN,
    ACT_REPAINT,
    ACT_SUSPEND,

    ACT_SEND,
    ACT_NEWLINE,
    ACT_TAB,
    ACT_TAB_BACK,
    ACT_EDITOR,
    ACT_EOF,
    ACT_LEFT,
    ACT_RIGHT,
    ACT_WORD_LEFT,
    ACT_WORD_RIGHT,
    ACT_UP,
    ACT_DOWN,
    ACT_HOME,
    ACT_END,
    ACT_TEXT_START,
    ACT_TEXT_END,
    ACT_DELETE_LEFT,
    ACT_DELETE_RIGHT,
    ACT_KILL_WORD_LEFT,
    ACT_KILL_SPACE_LEFT,
    ACT_KILL_WORD_RIGHT,
    ACT_KILL_START,
    ACT_KILL_END,
    ACT_YANK,
    ACT_YANK_OLDER,
    ACT_UNDO,
    ACT_REDO,
    ACT_SWAP_CHARACTERS,
    ACT_SWAP_WORDS,
    ACT_UPPER,
    ACT_LOWER,
    ACT_TITLE,
    ACT_JOIN_SPACES,
    ACT_QUOTE,
    ACT_OPEN_CHIP,
    ACT_PROMPT_BEFORE,
    ACT_PROMPT_AFTER,
    ACT_SEARCH_PROMPTS,
    ACT_TAKE_BACK,
    ACT_DROP,

    ACT_COMPOSE,
    ACT_LINE_UP,
    ACT_LINE_DOWN,
    ACT_SIDE_LEFT,
    ACT_SIDE_RIGHT,
    ACT_TOP,
    ACT_BOTTOM,
    ACT_MESSAGE_UP,
    ACT_MESSAGE_DOWN,
    ACT_STEP_UP,
    ACT_STEP_DOWN,
    ACT_FOLD,
    ACT_COPY,
    ACT_REASK,
    ACT_REGEN,
    ACT_REGEN_BY,
    ACT_BACK,
    ACT_ON,
    ACT_FORK,

    ACT_ROW_UP,
    ACT_ROW_DOWN,
    ACT_ROWS_UP,
    ACT_ROWS_DOWN,
    ACT_ROW_FIRST,
    ACT_ROW_LAST,
    ACT_CHOOSE,
    ACT_ERASE,
    ACT_SCOPE,
    ACT_RENAME,
    ACT_ARCHIVE,
    ACT_DELETE_ROW,
    ACT_RESTORE_ROW,

    ACT_FIND,
    ACT_FIND_NEXT,
    ACT_FIND_BACK,

    ACT_SEARCH_NEWER,
    ACT_TAKE_FOUND,
};

/* Where a binding holds. Those of IN_ALL hold everywhere unless the place has its own. */
enum keymap_place {
    IN_ALL,
    IN_COMPOSER,
    IN_SEARCH, /* through earlier prompts, in the composer */
    IN_TRANSCRIPT,
    IN_LIST,  /* the sidebar, dialogs */
    IN_FIELD, /* a line to write in: a query, a title */
    IN_PLACES,
};

struct keymap_row {
    enum keymap_action action;
    enum keymap_place place;
    const char *name; /* of the action, as a configuration file spells it */
    const char *keys; /* those it has at first: "Up, C-p"; a sequence of two: "C-x C-e" */
    const char *help;
};

enum {
    KEYMAP_ROWS_MAX = 160,
    KEYMAP_BINDINGS_MAX = 320,
    KEYMAP_KEYS_MAX = UI_KEY_MAX, /* bytes for the keys of a row, written out */
};

struct keymap_binding {
    enum keymap_place place;
    enum keymap_action action;
    struct key key[2]; /* key[1].code 0: one key */
};

struct keymap {
    struct keymap_row rows[KEYMAP_ROWS_MAX]; /* the table's, and those of places a user added */
    size_t n_rows;
    struct keymap_binding bindings[KEYMAP_BINDINGS_MAX];
    size_t n;
};

/* The table, in the order of the help screen; ends at a row with keys NULL. */
const struct keymap_row *keymap_table(void);

/* "Writing", as a heading of the help screen; "writing", as configuration names it ("": IN_ALL). */
const char *keymap_place_title(enum keymap_place place);
const char *keymap_place_name(enum keymap_place place);

/* The first key of an action there, or everywhere, in words for hints: "Alt-R"; "" where it has
 * none. */
void keymap_first(const struct keymap *map, enum keymap_place place, enum keymap_action action,
                  char out[KEYMAP_KEYS_MAX]);

/* The same of an action by its name, where the table has it first; false: it has none. */
bool keymap_first_named(const struct keymap *map, const char *name, char out[KEYMAP_KEYS_MAX]);

/* Binds the table's default keys. */
void keymap_init(struct keymap *map);

/*
 * Gives an action the keys of a list like those of the table, or "none", instead of those it has in
 * a place; place "" is where the table has it first. A key that something else had there is taken
 * from it. 0, or a ui_error with one line in err and nothing changed: UI_UNKNOWN where there is no
 * such action or place, UI_REFUSED where no key would be left to quit with.
 */
int keymap_bind(struct keymap *map, const char *place, const char *name, const char *keys,
                char *err, size_t errlen);

/* The keys that an action has in a place, as keymap_bind() takes them; "none" where it has none. */
void keymap_keys(const struct keymap *map, enum keymap_place place, enum keymap_action action,
                 char out[KEYMAP_KEYS_MAX]);

/* The same in a reader's words: "Ctrl-F, Ctrl-X f". */
void keymap_keys_in_words(const struct keymap *map, enum keymap_place place,
                          enum keymap_action action, char out[KEYMAP_KEYS_MAX]);

/*
 * Adds "j k scroll" to a line of hints, by the first keys of one action or of two (else ACT_NONE);
 * nothing where there are none.
 */
void keymap_add_hint(const struct keymap *map, struct bytes *line, enum keymap_place place,
                     enum keymap_action action, enum keymap_action other, const char *what);

/*
 * The action of a key in a place; `prefix` is the key before it if that gave ACT_PREFIX, else NULL.
 */
enum keymap_action keymap_lookup(const struct keymap *map, enum keymap_place place,
                                 const struct key *prefix, struct key key);

#endif
