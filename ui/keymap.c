/*
 * keymap.c: the table of keys. Knows names and keys, not what an action does.
 */
#include "keymap.h"
#include "text.h"

#include <assert.h>
#include <string.h>

static const struct keymap_row table[] = {
    {ACT_HELP, IN_ALL, "F1", "this help"},
    {ACT_SIDEBAR, IN_ALL, "F2", "conversations"},
    {ACT_NEW, IN_ALL, "C-x n", "new conversation"},
    {ACT_MODELS, IN_ALL, "C-x m", "choose the model"},
    {ACT_FOLD_ALL, IN_ALL, "C-o", "fold or unfold all reasoning"},
    {ACT_PAGE_UP, IN_ALL, "PgUp", "scroll back a page"},
    {ACT_PAGE_DOWN, IN_ALL, "PgDn", "scroll on a page"},
    {ACT_CANCEL, IN_ALL, "Esc", "stop the answer; close what is open"},
    {ACT_INTERRUPT, IN_ALL, "C-c", "stop the answer; clear the draft; twice: quit"},
    {ACT_REPAINT, IN_ALL, "C-l", "repaint the screen"},
    {ACT_SUSPEND, IN_ALL, "C-z", "suspend"},

    {ACT_SEND, IN_COMPOSER, "Enter", "send"},
    {ACT_NEWLINE, IN_COMPOSER, "C-j, M-Enter, S-Enter", "new line"},
    {ACT_TAB, IN_COMPOSER, "Tab, S-Tab", "complete a command; else go to the transcript"},
    {ACT_EDITOR, IN_COMPOSER, "C-g, C-x C-e", "write in $EDITOR"},
    {ACT_UP, IN_COMPOSER, "Up, C-p", "line up; earlier prompt"},
    {ACT_DOWN, IN_COMPOSER, "Down, C-n", "line down; later prompt"},
    {ACT_LEFT, IN_COMPOSER, "Left, C-b", "back a character"},
    {ACT_RIGHT, IN_COMPOSER, "Right, C-f", "on a character"},
    {ACT_WORD_LEFT, IN_COMPOSER, "M-b, C-Left, M-Left", "back a word"},
    {ACT_WORD_RIGHT, IN_COMPOSER, "M-f, C-Right, M-Right", "on a word"},
    {ACT_HOME, IN_COMPOSER, "C-a, Home", "start of the line"},
    {ACT_END, IN_COMPOSER, "C-e, End", "end of the line"},
    {ACT_TEXT_START, IN_COMPOSER, "M-<, C-Home", "start of the draft"},
    {ACT_TEXT_END, IN_COMPOSER, "M->, C-End", "end of the draft"},
    {ACT_DELETE_LEFT, IN_COMPOSER, "Backspace", "delete back"},
    {ACT_DELETE_RIGHT, IN_COMPOSER, "Delete", "delete on"},
    {ACT_KILL_SPACE_LEFT, IN_COMPOSER, "C-w", "cut back to the space"},
    {ACT_KILL_WORD_LEFT, IN_COMPOSER, "M-Backspace, C-Backspace", "cut the word before"},
    {ACT_KILL_WORD_RIGHT, IN_COMPOSER, "M-d, C-Delete", "cut the word after"},
    {ACT_KILL_START, IN_COMPOSER, "C-u", "cut to the start of the line"},
    {ACT_KILL_END, IN_COMPOSER, "C-k", "cut to the end of the line"},
    {ACT_YANK, IN_COMPOSER, "C-y", "put back what was cut"},
    {ACT_UNDO, IN_COMPOSER, "C-_, C-x C-u", "undo"},
    {ACT_TAKE_BACK, IN_COMPOSER, "C-x q", "take the latest waiting question back (also Up)"},
    {ACT_DROP, IN_COMPOSER, "C-x k", "drop the latest waiting question"},
    {ACT_EOF, IN_COMPOSER, "C-d", "quit when the draft is empty; else delete on"},

    {ACT_LINE_UP, IN_TRANSCRIPT, "k, Up, C-p", "scroll back a line"},
    {ACT_LINE_DOWN, IN_TRANSCRIPT, "j, Down, C-n", "scroll on a line"},
    {ACT_MESSAGE_UP, IN_TRANSCRIPT, "[, K", "message before"},
    {ACT_MESSAGE_DOWN, IN_TRANSCRIPT, "], J", "message after"},
    {ACT_TOP, IN_TRANSCRIPT, "g, Home", "top"},
    {ACT_BOTTOM, IN_TRANSCRIPT, "G, End", "bottom; follows what streams in"},
    {ACT_FOLD, IN_TRANSCRIPT, "Space, Enter", "fold or unfold the marked message's reasoning"},
    {ACT_REASK, IN_TRANSCRIPT, "e", "ask the marked question in other words"},
    {ACT_REGEN, IN_TRANSCRIPT, "r", "answer it once more"},
    {ACT_REGEN_BY, IN_TRANSCRIPT, "R", "answer it once more, by a model to choose"},
    {ACT_BACK, IN_TRANSCRIPT, "<", "the marked message's version before"},
    {ACT_ON, IN_TRANSCRIPT, ">", "its version after"},
    {ACT_FORK, IN_TRANSCRIPT, "b", "fork: a new conversation that begins as this one"},
    {ACT_PAGE_UP, IN_TRANSCRIPT, "C-b, C-u", "scroll back a page"},
    {ACT_PAGE_DOWN, IN_TRANSCRIPT, "f, C-d", "scroll on a page"},
    {ACT_HELP, IN_TRANSCRIPT, "?", "this help"},
    {ACT_COMPOSE, IN_TRANSCRIPT, "Tab, S-Tab, Esc, i", "back to writing"},

    {ACT_ROW_UP, IN_LIST, "Up, C-p", "row before"},
    {ACT_ROW_DOWN, IN_LIST, "Down, C-n", "row after"},
    {ACT_ROWS_UP, IN_LIST, "PgUp", "page before"},
    {ACT_ROWS_DOWN, IN_LIST, "PgDn", "page after"},
    {ACT_ROW_FIRST, IN_LIST, "Home", "first row"},
    {ACT_ROW_LAST, IN_LIST, "End", "last row"},
    {ACT_CHOOSE, IN_LIST, "Enter", "open the row; typing narrows the list"},
    {ACT_ERASE, IN_LIST, "Backspace, C-u", "take back what was typed"},
    {ACT_NONE, IN_ALL, NULL, NULL},
};

const struct keymap_row *keymap_table(void)
{
    return table;
}

const char *keymap_place_name(enum keymap_place place)
{
    static const char *const names[IN_PLACES] = {
        [IN_ALL] = "Everywhere",
        [IN_COMPOSER] = "Writing",
        [IN_TRANSCRIPT] = "Reading the transcript",
        [IN_LIST] = "Lists",
    };
    return names[place];
}

bool keymap_parse(const char **s, struct key *out)
{
    static const struct {
        const char *name;
        uint32_t code;
    } names[] = {
        {"Enter", KEY_ENTER},
        {"Tab", KEY_TAB},
        {"Esc", KEY_ESC},
        {"Space", ' '},
        {"Backspace", KEY_BACKSPACE},
        {"Insert", KEY_INSERT},
        {"Delete", KEY_DELETE},
        {"Up", KEY_UP},
        {"Down", KEY_DOWN},
        {"Left", KEY_LEFT},
        {"Right", KEY_RIGHT},
        {"Home", KEY_HOME},
        {"End", KEY_END},
        {"PgUp", KEY_PAGE_UP},
        {"PgDn", KEY_PAGE_DOWN},
    };
    const char *p = *s;

    *out = (struct key){0};
    while (p[0] && p[1] == '-' && p[2]) {
        unsigned mod = p[0] == 'C' ? KEY_CTRL : p[0] == 'M' ? KEY_ALT : p[0] == 'S' ? KEY_SHIFT : 0;
        if (!mod)
            return false;
        out->mods |= (uint8_t)mod;
        p += 2;
    }
    size_t len = strcspn(p, ", ");
    if (len == 0)
        len = *p ? 1 : 0; /* the comma itself */
    if (len > 1 && p[0] == 'F' && p[1] >= '1' && p[1] <= '9') {
        unsigned number = (unsigned)(p[1] - '0');
        if (len == 3 && p[2] >= '0' && p[2] <= '9')
            number = number * 10 + (unsigned)(p[2] - '0');
        if (len > 3 || number > 12)
            return false;
        out->code = KEY_F1 + number - 1;
    }
    for (size_t i = 0; !out->code && i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == len && strncmp(p, names[i].name, len) == 0)
            out->code = names[i].code;
    if (!out->code && len > 0 && text_decode(p, len, &out->code) != len)
        return false;
    *s = p + len;
    return out->code != 0;
}

static void bind(struct keymap *map, const struct keymap_row *row)
{
    const char *s = row->keys;

    while (*s) {
        assert(map->n < KEYMAP_BINDINGS_MAX);
        struct keymap_binding *b = &map->bindings[map->n++];
        *b = (struct keymap_binding){.place = row->place, .action = row->action};
        bool known = keymap_parse(&s, &b->key[0]);
        if (*s == ' ') {
            s++;
            known = known && keymap_parse(&s, &b->key[1]);
        }
        assert(known);
        (void)known;
        if (*s == ',')
            s += 1 + (s[1] == ' ');
    }
}

void keymap_init(struct keymap *map)
{
    map->n = 0;
    for (const struct keymap_row *row = table; row->keys; row++)
        bind(map, row);
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
