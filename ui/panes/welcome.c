/*
 * welcome.c: a few centred lines: the examples, and keys above and below them.
 */
#include "panes/welcome.h"
#include "text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 5 /* besides the examples */ };

bool welcome_init(struct welcome *w, const struct keymap *keymap, const char *const *examples,
                  size_t n, bool first_time)
{
    *w = (struct welcome){.keymap = keymap, .first_time = first_time};
    w->examples = calloc(n + 1, sizeof *w->examples);
    while (w->examples && w->n < n && (w->examples[w->n] = strdup(examples[w->n])))
        w->n++;
    return w->examples && w->n == n;
}

void welcome_done(struct welcome *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->examples[i]);
    free(w->examples);
}

/* Drawing */

struct hint {
    enum keymap_place place;
    enum keymap_action action;
    const char *what;
};
enum { N_HINTS = 3 };

/* For a first-time user, and for everyone. */
static const struct hint first_hints[N_HINTS] = {
    {IN_COMPOSER, ACT_TAB, "goes to what was said"},
    {IN_TRANSCRIPT, ACT_FOLD, "unfolds reasoning there"},
    {IN_TRANSCRIPT, ACT_COPY, "copies"},
};
static const struct hint hints[N_HINTS] = {
    {IN_ALL, ACT_HELP, "help"},
    {IN_ALL, ACT_SIDEBAR, "conversations"},
    {IN_COMPOSER, ACT_EOF, "quits"},
};

/* The keys in effect, as many as fit. */
static void draw_hints(const struct keymap *map, const struct hint *hint, struct grid *g,
                       struct area line)
{
    struct bytes keys = {0};

    for (int i = 0; i < N_HINTS; i++) {
        size_t before = keys.len;
        keymap_add_hint(map, &keys, hint[i].place, hint[i].action, ACT_NONE, hint[i].what);
        if (text_width(bytes_string(&keys), keys.len) > line.width)
            bytes_cut(&keys, before);
    }
    grid_center(g, line, bytes_string(&keys), STYLE_DIM);
    bytes_free(&keys);
}

static void draw_first_words(const struct keymap *map, struct grid *g, struct area line)
{
    char send[KEYMAP_KEYS_MAX], text[KEYMAP_KEYS_MAX + 64];

    keymap_first(map, IN_COMPOSER, ACT_SEND, send);
    snprintf(text, sizeof text, "Ask something%s%s, for example", *send ? " and press " : "", send);
    grid_center(g, line, text, STYLE_TEXT);
}

/* Centered as one column; returns how many there is room for. */
static int draw_examples(const struct welcome *w, struct grid *g, struct area area)
{
    int widest = 0, n = 0;

    for (size_t i = 0; i < w->n; i++) {
        int width = text_width(w->examples[i], strlen(w->examples[i])) + 2;
        widest = width > widest ? width : widest;
    }
    int left = widest < area.width ? (area.width - widest) / 2 : 0, col = area.col + left;
    for (; n < (int)w->n && n < area.height; n++) {
        grid_label(g, area.row + n, col, 2, "›", STYLE_RULE);
        grid_label(g, area.row + n, col + 2, area.width - left - 2, w->examples[n], STYLE_TEXT);
    }
    return n;
}

void welcome_draw(const struct welcome *w, struct grid *g, struct area area)
{
    int rows = ROWS + (int)w->n + 2 * w->first_time, end = area.row + area.height;
    bool roomy = area.height >= rows + 2, whole = area.height >= rows;
    bool first = w->first_time && whole;
    struct area line = {area.row, area.col, 1, area.width};

    line.row += roomy ? (area.height - rows) / 3 : 0;
    if (area.height > 1) {
        grid_center(g, line, "duet", STYLE_TITLE);
        line.row++;
    }
    if (whole) {
        grid_center(g, line, "language models in your terminal", STYLE_DIM);
        line.row++;
    }
    line.row += roomy;
    if (first) {
        draw_first_words(w->keymap, g, line);
        line.row++;
    }
    area.height = end - 1 - line.row;
    area.row = line.row;
    line.row += draw_examples(w, g, area) + roomy;
    if (first) {
        draw_hints(w->keymap, first_hints, g, line);
        line.row++;
    }
    if (line.row < end)
        draw_hints(w->keymap, hints, g, line);
}
