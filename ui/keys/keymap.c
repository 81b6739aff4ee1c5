/*
 * keymap.c: the key table. Knows names and keys, not what actions do.
 */
#include "keys/keymap.h"
#include "keys/keyname.h"
#include "ui.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct keymap_row table[] = {
    {ACT_HELP, IN_ALL, "help", "F1", "this help"},
    {ACT_SIDEBAR, IN_ALL, "sidebar", "F2", "conversations"},
    {ACT_SEARCH, IN_ALL, "search", "C-f, C-x f", "search all conversations"},
    {ACT_NEW, IN_ALL, "new", "C-x n", "new conversation"},
    {ACT_MODELS, IN_ALL, "models", "C-x m", "choose the model"},
    {ACT_FOLD_ALL, IN_ALL, "fold-all", "C-o", "fold or unfold all reasoning"},
    {ACT_THINK, IN_ALL, "think", "C-t", "thinking before the answer on or off"},
    {ACT_ANSWER_NOW, IN_ALL, "answer-now", "M-a, C-x a", "end the thinking: answer now"},
    {ACT_CONTINUE, IN_ALL, "continue", "C-x c", "continue an interrupted answer"},
    {ACT_THINK_MORE, IN_ALL, "think-more", "C-x t", "think more about the last answer"},
    {ACT_PAGE_UP, IN_ALL, "page-up", "PgUp", "scroll back a page"},
    {ACT_PAGE_DOWN, IN_ALL, "page-down", "PgDn", "scroll forward a page"},
    {ACT_CANCEL, IN_ALL, "cancel", "Esc", "stop the answer; close what is open"},
    {ACT_INTERRUPT, IN_ALL, "interrupt", "C-c", "stop the answer; clear the draft; twice: quit"},
    {ACT_REPAINT, IN_ALL, "repaint", "C-l", "repaint the screen"},
    {ACT_SUSPEND, IN_ALL, "suspend", "C-z", "suspend"},

    {ACT_SEND, IN_COMPOSER, "send", "Enter", "send"},
    {ACT_NEWLINE, IN_COMPOSER, "newline", "C-j, M-Enter, S-Enter", "new line"},
    {ACT_TAB, IN_COMPOSER, "complete", "Tab", "complete a command; else go to the transcript"},
    {ACT_TAB_BACK, IN_COMPOSER, "complete-back", "S-Tab", "previous completion; else the same"},
    {ACT_EDITOR, IN_COMPOSER, "editor", "C-g, C-x C-e", "edit in $EDITOR"},
    {ACT_UP, IN_COMPOSER, "up", "Up, C-p", "line up; waiting question or earlier prompt"},
    {ACT_DOWN, IN_COMPOSER, "down", "Down, C-n", "line down; later prompt"},
    {ACT_LEFT, IN_COMPOSER, "left", "Left, C-b", "back a character"},
    {ACT_RIGHT, IN_COMPOSER, "right", "Right", "forward a character"},
    {ACT_WORD_LEFT, IN_COMPOSER, "word-left", "M-b, C-Left, M-Left", "back a word"},
    {ACT_WORD_RIGHT, IN_COMPOSER, "word-right", "M-f, C-Right, M-Right", "forward a word"},
    {ACT_HOME, IN_COMPOSER, "line-start", "C-a, Home", "start of the line"},
    {ACT_END, IN_COMPOSER, "line-end", "C-e, End", "end of the line"},
    {ACT_TEXT_START, IN_COMPOSER, "text-start", "M-<, C-Home", "start of the draft"},
    {ACT_TEXT_END, IN_COMPOSER, "text-end", "M->, C-End", "end of the draft"},
    {ACT_DELETE_LEFT, IN_COMPOSER, "delete-left", "Backspace", "delete back"},
    {ACT_DELETE_RIGHT, IN_COMPOSER, "delete-right", "Delete", "delete forward"},
    {ACT_KILL_SPACE_LEFT, IN_COMPOSER, "cut-to-space", "C-w", "cut back to the space"},
    {ACT_KILL_WORD_LEFT, IN_COMPOSER, "cut-word-left", "M-Backspace, C-Backspace",
     "cut the previous word"},
    {ACT_KILL_WORD_RIGHT, IN_COMPOSER, "cut-word-right", "M-d, C-Delete", "cut the next word"},
    {ACT_KILL_START, IN_COMPOSER, "cut-to-start", "C-u", "cut to the start of the line"},
    {ACT_KILL_END, IN_COMPOSER, "cut-to-end", "C-k", "cut to the end of the line"},
    {ACT_YANK, IN_COMPOSER, "yank", "C-y", "paste the last cut"},
    {ACT_YANK_OLDER, IN_COMPOSER, "yank-older", "M-y", "paste the cut before it instead"},
    {ACT_UNDO, IN_COMPOSER, "undo", "C-_, C-x C-u", "undo"},
    {ACT_REDO, IN_COMPOSER, "redo", "M-_, C-x C-r", "redo"},
    {ACT_SWAP_CHARACTERS, IN_COMPOSER, "swap-characters", "C-x C-t",
     "swap the characters around the cursor"},
    {ACT_SWAP_WORDS, IN_COMPOSER, "swap-words", "M-t", "swap the words around the cursor"},
    {ACT_UPPER, IN_COMPOSER, "upper-case", "M-u", "upper-case the word"},
    {ACT_LOWER, IN_COMPOSER, "lower-case", "M-l", "lower-case the word"},
    {ACT_TITLE, IN_COMPOSER, "capitalise", "M-c", "capitalise the word"},
    {ACT_JOIN_SPACES, IN_COMPOSER, "cut-spaces", "M-\\", "delete the spaces around the cursor"},
    {ACT_QUOTE, IN_COMPOSER, "quote", "C-v", "insert the next key literally"},
    {ACT_OPEN_CHIP, IN_COMPOSER, "open-chip", "C-x o, M-o", "unfold a paste"},
    {ACT_SEARCH_PROMPTS, IN_COMPOSER, "search-prompts", "C-r", "search earlier prompts"},
    {ACT_PROMPT_BEFORE, IN_COMPOSER, "prompt-before", "M-p", "earlier prompt, from any line"},
    {ACT_PROMPT_AFTER, IN_COMPOSER, "prompt-after", "M-n", "later prompt, from any line"},
    {ACT_TAKE_BACK, IN_COMPOSER, "take-back", "C-x q", "take the latest waiting question back"},
    {ACT_DROP, IN_COMPOSER, "drop", "C-x k", "drop the latest waiting question"},
    {ACT_EOF, IN_COMPOSER, "quit", "C-d", "quit if the draft is empty; else delete"},

    {ACT_LINE_UP, IN_TRANSCRIPT, "scroll-up", "k, Up, C-p", "scroll back a line"},
    {ACT_LINE_DOWN, IN_TRANSCRIPT, "scroll-down", "j, Down, C-n", "scroll forward a line"},
    {ACT_SIDE_LEFT, IN_TRANSCRIPT, "scroll-left", "h, Left", "scroll a wide formula or table left"},
    {ACT_SIDE_RIGHT, IN_TRANSCRIPT, "scroll-right", "l, Right",
     "scroll a wide formula or table right"},
    {ACT_MESSAGE_UP, IN_TRANSCRIPT, "message-up", "K, {", "previous message"},
    {ACT_MESSAGE_DOWN, IN_TRANSCRIPT, "message-down", "J, }", "next message"},
    {ACT_STEP_UP, IN_TRANSCRIPT, "step-up", "[ [", "previous reasoning step"},
    {ACT_STEP_DOWN, IN_TRANSCRIPT, "step-down", "] ]", "next reasoning step"},
    {ACT_TOP, IN_TRANSCRIPT, "top", "g, Home", "top"},
    {ACT_BOTTOM, IN_TRANSCRIPT, "bottom", "G, End", "bottom; follows new output"},
    {ACT_FOLD, IN_TRANSCRIPT, "fold", "Space, Enter, z a",
     "fold or unfold the marked reasoning or step"},
    {ACT_COPY, IN_TRANSCRIPT, "copy", "y, c", "copy the marked message"},
    {ACT_REASK, IN_TRANSCRIPT, "edit", "e", "edit the marked question"},
    {ACT_REGEN, IN_TRANSCRIPT, "again", "r", "regenerate the answer"},
    {ACT_REGEN_WITH, IN_TRANSCRIPT, "again-by", "R", "regenerate it with another model"},
    {ACT_VERSION_BEFORE, IN_TRANSCRIPT, "version-back", "<",
     "previous version of the marked message"},
    {ACT_VERSION_AFTER, IN_TRANSCRIPT, "version-on", ">", "its next version"},
    {ACT_FORK, IN_TRANSCRIPT, "fork", "b", "fork: continue in a copy up to here"},
    {ACT_PAGE_UP, IN_TRANSCRIPT, "page-up", "C-b, C-u", "scroll back a page"},
    {ACT_PAGE_DOWN, IN_TRANSCRIPT, "page-down", "f, C-d", "scroll forward a page"},
    {ACT_HELP, IN_TRANSCRIPT, "help", "?", "this help"},
    {ACT_FIND, IN_TRANSCRIPT, "find", "/", "find in this conversation"},
    {ACT_FIND_NEXT, IN_TRANSCRIPT, "find-next", "n", "next match"},
    {ACT_FIND_BACK, IN_TRANSCRIPT, "find-back", "N", "previous match"},
    {ACT_COMPOSE, IN_TRANSCRIPT, "write", "Tab, S-Tab, i", "back to writing"},

    {ACT_ROW_UP, IN_LIST, "row-up", "Up, C-p", "previous row"},
    {ACT_ROW_DOWN, IN_LIST, "row-down", "Down, C-n", "next row"},
    {ACT_ROWS_UP, IN_LIST, "rows-up", "PgUp", "previous page"},
    {ACT_ROWS_DOWN, IN_LIST, "rows-down", "PgDn", "next page"},
    {ACT_ROW_FIRST, IN_LIST, "first-row", "Home", "first row"},
    {ACT_ROW_LAST, IN_LIST, "last-row", "End", "last row"},
    {ACT_CHOOSE, IN_LIST, "choose", "Enter", "open the row; typing narrows the list"},
    {ACT_ERASE, IN_LIST, "erase", "Backspace", "delete the last character"},
    {ACT_KILL_START, IN_LIST, "cut-to-start", "C-u", "clear the filter"},
    {ACT_SCOPE, IN_LIST, "scope", "Tab, S-Tab", "conversations: show or hide archived ones"},
    {ACT_RENAME, IN_LIST, "rename", "M-r, C-x r", "conversations: rename"},
    {ACT_ARCHIVE, IN_LIST, "archive", "M-a, C-x a", "conversations: archive or unarchive"},
    {ACT_DELETE_ROW, IN_LIST, "delete", "Delete, M-d, C-x d", "conversations: delete"},
    {ACT_RESTORE_ROW, IN_LIST, "restore", "M-u, C-_, C-x u",
     "conversations: undo the last deletion"},

    {ACT_CHOOSE, IN_FIELD, "choose", "Enter", "open the hit; keep the match or the title"},
    {ACT_ROW_UP, IN_FIELD, "row-up", "Up, C-p", "previous hit or match"},
    {ACT_ROW_DOWN, IN_FIELD, "row-down", "Down, C-n", "next hit or match"},
    {ACT_ROWS_UP, IN_FIELD, "rows-up", "PgUp", "previous page"},
    {ACT_ROWS_DOWN, IN_FIELD, "rows-down", "PgDn", "next page"},
    {ACT_SCOPE, IN_FIELD, "scope", "Tab, S-Tab", "search all, questions, answers or reasoning"},
    {ACT_LEFT, IN_FIELD, "left", "Left, C-b", "back a character"},
    {ACT_RIGHT, IN_FIELD, "right", "Right, C-f", "forward a character"},
    {ACT_WORD_LEFT, IN_FIELD, "word-left", "M-b, C-Left", "back a word"},
    {ACT_WORD_RIGHT, IN_FIELD, "word-right", "M-f, C-Right", "forward a word"},
    {ACT_HOME, IN_FIELD, "line-start", "Home, C-a", "start of the line"},
    {ACT_END, IN_FIELD, "line-end", "End, C-e", "end of the line"},
    {ACT_DELETE_LEFT, IN_FIELD, "delete-left", "Backspace", "delete back"},
    {ACT_DELETE_RIGHT, IN_FIELD, "delete-right", "Delete, C-d", "delete forward"},
    {ACT_KILL_SPACE_LEFT, IN_FIELD, "cut-to-space", "C-w", "cut back to the space"},
    {ACT_KILL_START, IN_FIELD, "cut-to-start", "C-u", "cut to the start"},
    {ACT_KILL_END, IN_FIELD, "cut-to-end", "C-k", "cut to the end"},
    {ACT_YANK, IN_FIELD, "yank", "C-y", "paste the last cut"},

    {ACT_SEARCH_PROMPTS, IN_SEARCH, "search-prompts", "C-r, Up, C-p", "older match"},
    {ACT_SEARCH_NEWER, IN_SEARCH, "search-newer", "C-s, Down, C-n", "newer match"},
    {ACT_ERASE, IN_SEARCH, "erase", "Backspace", "delete the last character"},
    {ACT_TAKE_FOUND, IN_SEARCH, "take-found", "Enter, Tab, C-j", "insert into the draft"},
    {ACT_CANCEL, IN_SEARCH, "cancel", "Esc, C-g, C-c", "cancel; the draft is unchanged"},
    {ACT_NONE, IN_ALL, NULL, NULL, NULL},
};

const struct keymap_row *keymap_table(void)
{
    return table;
}

static const char *const place_names[IN_PLACES] = {
    [IN_ALL] = "",
    [IN_COMPOSER] = "writing",
    [IN_SEARCH] = "searching",
    [IN_TRANSCRIPT] = "reading",
    [IN_LIST] = "lists",
    [IN_FIELD] = "fields",
};

const char *keymap_place_name(enum keymap_place place)
{
    return place_names[place];
}

const char *keymap_place_title(enum keymap_place place)
{
    static const char *const titles[IN_PLACES] = {
        [IN_ALL] = "Everywhere",
        [IN_COMPOSER] = "Writing",
        [IN_SEARCH] = "Searching earlier prompts",
        [IN_TRANSCRIPT] = "Reading the transcript",
        [IN_LIST] = "Lists",
        [IN_FIELD] = "Searching, finding, renaming",
    };
    return titles[place];
}

/* Binding */

/* Parses one alternative, "C-x C-e", and the comma after it; false: invalid. */
static bool next_keys(const char **s, struct key out[2])
{
    out[1] = (struct key){0};
    bool known = keyname_parse(s, &out[0]);
    *s += strspn(*s, " ");
    if (known && **s && **s != ',') {
        known = keyname_parse(s, &out[1]);
        *s += strspn(*s, " ");
    }
    if (!known || (**s && **s != ','))
        return false;
    if (**s) {
        (*s)++;
        *s += strspn(*s, " ");
        return **s != '\0';
    }
    return true;
}

static bool add(struct keymap *map, enum keymap_place place, enum keymap_action action,
                const struct key key[2])
{
    if (map->n == KEYMAP_BINDINGS_MAX)
        return false;
    map->bindings[map->n++] = (struct keymap_binding){place, action, {key[0], key[1]}};
    return true;
}

void keymap_init(struct keymap *map)
{
    map->n = map->n_rows = 0;
    for (const struct keymap_row *row = table; row->keys; row++) {
        struct key key[2];
        assert(map->n_rows < KEYMAP_ROWS_MAX);
        map->rows[map->n_rows++] = *row;
        for (const char *s = row->keys; *s;) {
            bool known = next_keys(&s, key) && add(map, row->place, row->action, key);
            assert(known);
            (void)known;
        }
    }
}

static void drop(struct keymap *map, size_t i)
{
    map->n--;
    memmove(&map->bindings[i], &map->bindings[i + 1], (map->n - i) * sizeof *map->bindings);
}

static bool same(struct key a, struct key b)
{
    return a.code == b.code && a.mods == b.mods;
}

static enum keymap_action lookup_in(const struct keymap *map, enum keymap_place place,
                                    const struct key *prefix, struct key key)
{
    for (size_t i = 0; i < map->n; i++) {
        const struct keymap_binding *b = &map->bindings[i];
        bool longer = b->key[1].code != 0;
        if (b->place != place || longer < (prefix != NULL))
            continue;
        if (prefix && same(b->key[0], *prefix) && same(b->key[1], key))
            return b->action;
        if (!prefix && same(b->key[0], key))
            return longer ? ACT_PREFIX : b->action;
    }
    return ACT_NONE;
}

enum keymap_action keymap_lookup(const struct keymap *map, enum keymap_place place,
                                 const struct key *prefix, struct key key)
{
    enum keymap_action action = lookup_in(map, place, prefix, key);
    return action != ACT_NONE ? action : lookup_in(map, IN_ALL, prefix, key);
}

/* Rebinding */

static const struct keymap_row *find_name(const char *name)
{
    const struct keymap_row *row = table;
    while (row->keys && strcmp(row->name, name) != 0)
        row++;
    return row->keys ? row : NULL;
}

/* The table row of an action in a place; NULL: the action does not apply there. */
static const struct keymap_row *find_row(const char *name, enum keymap_place place)
{
    const struct keymap_row *everywhere = NULL;
    for (const struct keymap_row *row = table; row->keys; row++) {
        if (strcmp(row->name, name) != 0)
            continue;
        if (row->place == place)
            return row;
        if (row->place == IN_ALL)
            everywhere = row;
    }
    return everywhere;
}

/* Unbinds keys from other actions in this place, also where one is a prefix of the other. */
static void take_from_others(struct keymap *map, enum keymap_place place, const struct key key[2])
{
    for (size_t i = map->n; i-- > 0;) {
        const struct keymap_binding *b = &map->bindings[i];
        bool meet = same(b->key[0], key[0]) &&
                    (!b->key[1].code || !key[1].code || same(b->key[1], key[1]));
        if (b->place == place && meet)
            drop(map, i);
    }
}

static int read_keys(struct keymap *map, const struct keymap_row *row, const char *keys, char *err,
                     size_t errlen)
{
    struct key key[2];

    if (strcmp(keys, "none") == 0)
        return 0;
    for (const char *s = keys, *at = keys; *s; at = s) {
        if (!next_keys(&s, key)) {
            snprintf(err, errlen, "not a key (got %s)", at);
            return UI_ERROR;
        }
        if (row->place != IN_TRANSCRIPT && key_is_text(key[0])) {
            snprintf(err, errlen,
                     "a key that types a character is free for \"reading\" only (got %s)", at);
            return UI_ERROR;
        }
        take_from_others(map, row->place, key);
        if (!add(map, row->place, row->action, key)) {
            snprintf(err, errlen, "too many keys (limit %d)", KEYMAP_BINDINGS_MAX);
            return UI_ERROR;
        }
    }
    return 0;
}

/* Whether quitting is still possible while writing, by one key or two. */
static bool can_quit(const struct keymap *map)
{
    for (size_t i = 0; i < map->n; i++) {
        const struct keymap_binding *b = &map->bindings[i];
        bool two = b->key[1].code != 0;
        if (b->action != ACT_EOF && b->action != ACT_INTERRUPT)
            continue;
        if (keymap_lookup(map, IN_COMPOSER, two ? &b->key[0] : NULL, b->key[two]) == b->action)
            return true;
    }
    return false;
}

static void add_row(struct keymap *map, const struct keymap_row *row)
{
    for (size_t i = 0; i < map->n_rows; i++)
        if (map->rows[i].action == row->action && map->rows[i].place == row->place)
            return;
    if (map->n_rows < KEYMAP_ROWS_MAX)
        map->rows[map->n_rows++] = *row;
}

int keymap_bind(struct keymap *map, const char *place, const char *name, const char *keys,
                char *err, size_t errlen)
{
    const struct keymap_row *known = find_name(name), *found;
    struct keymap changed = *map;
    int at = 0;

    while (at < IN_PLACES && strcmp(place_names[at], place) != 0)
        at++;
    if (at == IN_PLACES || !known) {
        snprintf(err, errlen, "%s", known ? "no such place" : "no such action");
        return UI_UNKNOWN;
    }
    found = *place ? find_row(name, (enum keymap_place)at) : known;
    if (!found) {
        snprintf(err, errlen, "means nothing while %s", place);
        return UI_UNKNOWN;
    }
    struct keymap_row row = *found;
    if (*place)
        row.place = (enum keymap_place)at;
    for (size_t i = changed.n; i-- > 0;)
        if (changed.bindings[i].action == row.action && changed.bindings[i].place == row.place)
            drop(&changed, i);
    int status = read_keys(&changed, &row, keys, err, errlen);
    if (status != 0)
        return status;
    if (!can_quit(&changed)) {
        snprintf(err, errlen, "refused: no key would be left to quit with; it keeps what it has");
        return UI_REFUSED;
    }
    add_row(&changed, &row);
    *map = changed;
    return 0;
}

/* Names */

static int print_binding(const struct keymap_binding *b, bool words, char *out, size_t size)
{
    char first[KEYNAME_MAX], second[KEYNAME_MAX] = "";
    keyname_print(b->key[0], words, first);
    if (b->key[1].code)
        keyname_print(b->key[1], words, second);
    bool typed = words && !first[1] && !second[1]; /* two characters read as one word: za */
    return snprintf(out, size, "%s%s%s", first, *second && !typed ? " " : "", second);
}

static void print_keys(const struct keymap *map, enum keymap_place place, enum keymap_action action,
                       bool words, char out[KEYMAP_KEYS_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < map->n; i++) {
        const struct keymap_binding *b = &map->bindings[i];
        if (b->place != place || b->action != action || n + 2 * KEYNAME_MAX + 3 > KEYMAP_KEYS_MAX)
            continue;
        if (n > 0)
            n += (size_t)snprintf(out + n, KEYMAP_KEYS_MAX - n, ", ");
        n += (size_t)print_binding(b, words, out + n, KEYMAP_KEYS_MAX - n);
    }
    if (n == 0)
        snprintf(out, KEYMAP_KEYS_MAX, "none");
}

void keymap_keys(const struct keymap *map, enum keymap_place place, enum keymap_action action,
                 char out[KEYMAP_KEYS_MAX])
{
    print_keys(map, place, action, false, out);
}

void keymap_keys_in_words(const struct keymap *map, enum keymap_place place,
                          enum keymap_action action, char out[KEYMAP_KEYS_MAX])
{
    print_keys(map, place, action, true, out);
}

void keymap_first(const struct keymap *map, enum keymap_place place, enum keymap_action action,
                  char out[KEYMAP_KEYS_MAX])
{
    const struct keymap_binding *found = NULL;

    for (size_t i = map->n; i-- > 0;) {
        const struct keymap_binding *b = &map->bindings[i];
        bool better = !found || found->place != place || b->place == place;
        if (b->action == action && (b->place == place || b->place == IN_ALL) && better)
            found = b;
    }
    *out = '\0';
    if (found)
        print_binding(found, true, out, KEYMAP_KEYS_MAX);
}

bool keymap_first_named(const struct keymap *map, const char *name, char out[KEYMAP_KEYS_MAX])
{
    const struct keymap_row *row = find_name(name);

    *out = '\0';
    if (row)
        keymap_first(map, row->place, row->action, out);
    return *out != '\0';
}

static bool add_first_key(const struct keymap *map, struct bytes *line, enum keymap_place place,
                          enum keymap_action action)
{
    char key[2 * KEYNAME_MAX];

    for (size_t i = 0; i < map->n; i++) {
        const struct keymap_binding *b = &map->bindings[i];
        if (b->place != place || b->action != action)
            continue;
        int n = print_binding(b, true, key, sizeof key);
        return bytes_add(line, key, (size_t)n) && bytes_add(line, " ", 1);
    }
    return false;
}

void keymap_add_hint(const struct keymap *map, struct bytes *line, enum keymap_place place,
                     enum keymap_action action, enum keymap_action other, const char *what)
{
    static const char between[] = " · ";
    size_t before = line->len;

    if (before > 0)
        bytes_add(line, between, strlen(between));
    bool one = add_first_key(map, line, place, action);
    bool two = other != ACT_NONE && add_first_key(map, line, place, other);
    if (one || two)
        bytes_add(line, what, strlen(what));
    else
        bytes_cut(line, before);
}
