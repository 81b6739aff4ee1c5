/*
 * keymap.h: key bindings. One table lists every action with its place, its keys and its help;
 * lookups, the help screen, the hints and the manual are generated from it. Users may rebind keys.
 */
#ifndef UI_KEYS_KEYMAP_H
#define UI_KEYS_KEYMAP_H

#include "keys/key.h"
#include "text/bytes.h"
#include "ui.h"

#include <stdbool.h>
#include <stddef.h>

enum keymap_action {
    ACT_NONE,
    ACT_PREFIX, /* the first of a two-key sequence */

    ACT_INTERRUPT,
    ACT_CANCEL,
    ACT_HELP,
    ACT_SIDEBAR,
    ACT_SEARCH,
    ACT_FOLD_ALL,
    ACT_THINK,
    ACT_ANSWER_NOW,
    ACT_CONTINUE,
    ACT_THINK_MORE,
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
    ACT_REGEN_WITH,
    ACT_VERSION_BEFORE,
    ACT_VERSION_AFTER,
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

/* Where a binding applies. IN_ALL applies everywhere unless overridden. */
enum keymap_place {
    IN_ALL,
    IN_COMPOSER,
    IN_SEARCH, /* the search through earlier prompts */
    IN_TRANSCRIPT,
    IN_LIST,  /* the sidebar, dialogs */
    IN_FIELD, /* text fields: a query, a title */
    IN_PLACES,
};

struct keymap_row {
    enum keymap_action action;
    enum keymap_place place;
    const char *name; /* action name in the configuration file */
    const char *keys; /* default keys: "Up, C-p"; a two-key sequence: "C-x C-e" */
    const char *help;
};

enum {
    KEYMAP_ROWS_MAX = 160,
    KEYMAP_BINDINGS_MAX = 320,
    KEYMAP_KEYS_MAX = UI_KEY_MAX, /* bytes for the keys of a row as text */
};

struct keymap_binding {
    enum keymap_place place;
    enum keymap_action action;
    struct key key[2]; /* key[1].code 0: one key */
};

struct keymap {
    struct keymap_row rows[KEYMAP_ROWS_MAX]; /* those of the table, and places added by the user */
    size_t n_rows;
    struct keymap_binding bindings[KEYMAP_BINDINGS_MAX];
    size_t n;
};

/* The table, in the order of the help screen; terminated by a row with keys NULL. */
const struct keymap_row *keymap_table(void);

/*
 * The place as a heading of the help screen ("Writing"), and as spelled in the configuration
 * ("writing"; "" for IN_ALL).
 */
const char *keymap_place_title(enum keymap_place place);
const char *keymap_place_name(enum keymap_place place);

/*
 * The first key of an action in a place, or everywhere, as text for hints: "Alt-R"; "" if unbound.
 */
void keymap_first(const struct keymap *map, enum keymap_place place, enum keymap_action action,
                  char out[KEYMAP_KEYS_MAX]);

/* The same by action name, at its first place in the table; false: unbound. */
bool keymap_first_named(const struct keymap *map, const char *name, char out[KEYMAP_KEYS_MAX]);

/* Binds the table's default keys. */
void keymap_init(struct keymap *map);

/*
 * Rebinds an action in a place to a list of keys, or to "none"; place "" is the action's first
 * place in the table. A key bound to something else there is taken from it. 0, or a ui_error with
 * one line in err and nothing changed: UI_UNKNOWN for an unknown action or place, UI_REFUSED if no
 * key would be left to quit with.
 */
int keymap_bind(struct keymap *map, const char *place, const char *name, const char *keys,
                char *err, size_t errlen);

/* The keys of an action in a place, as keymap_bind() accepts them; "none" if unbound. */
void keymap_keys(const struct keymap *map, enum keymap_place place, enum keymap_action action,
                 char out[KEYMAP_KEYS_MAX]);

/* The same for display: "Ctrl-F, Ctrl-X f". */
void keymap_keys_in_words(const struct keymap *map, enum keymap_place place,
                          enum keymap_action action, char out[KEYMAP_KEYS_MAX]);

/*
 * Appends "j k scroll" to a line of hints, with the first keys of one or two actions (else
 * ACT_NONE); nothing if they are unbound.
 */
void keymap_add_hint(const struct keymap *map, struct bytes *line, enum keymap_place place,
                     enum keymap_action action, enum keymap_action other, const char *what);

/*
 * Looks up a key in a place; `prefix` is the previous key if that returned ACT_PREFIX, else NULL.
 */
enum keymap_action keymap_lookup(const struct keymap *map, enum keymap_place place,
                                 const struct key *prefix, struct key key);

#endif
