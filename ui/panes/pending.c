/*
 * pending.c: a row for the task, one per queued question, as many as fit, and one for the banner.
 */
#include "panes/pending.h"
#include "text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BAR_MOST = 24,
    BAR_SHARE = 4,   /* of the line, at most */
    BANNER_MIN = 24, /* minimum columns for the text beside the keys */
};

static void forget(struct pending *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->texts[i]);
    free(p->texts);
    p->texts = NULL;
    p->n = 0;
}

void pending_init(struct pending *p, const struct keymap *keymap)
{
    *p = (struct pending){.keymap = keymap};
}

void pending_done(struct pending *p)
{
    forget(p);
    free(p->banner);
    free(p->task);
    free(p->task_words);
}

void pending_set(struct pending *p, const char *const *texts, size_t n, size_t due)
{
    forget(p);
    p->due = due;
    p->texts = calloc(n + 1, sizeof *p->texts);
    while (p->texts && p->n < n && (p->texts[p->n] = strdup(texts[p->n])))
        p->n++;
}

void pending_banner(struct pending *p, const char *text, enum ui_action_kind taken_by)
{
    p->taken_by = taken_by;
    free(p->banner);
    p->banner = text ? strdup(text) : NULL;
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool pending_task(struct pending *p, const char *name, double share, const char *words)
{
    if (same(p->task, name) && same(p->task_words, words) && (!name || p->share == share))
        return false;
    char *task = name ? strdup(name) : NULL, *task_words = words ? strdup(words) : NULL;
    free(p->task);
    free(p->task_words);
    p->task = task;
    p->task_words = task_words;
    p->share = share;
    return true;
}

int pending_rows(const struct pending *p, int most)
{
    size_t rows = p->n + (p->banner != NULL) + (p->task != NULL);
    return rows < (size_t)most ? (int)rows : most > 0 ? most : 0;
}

/* Name, a bar if there is room and a known total, and the state. */
static void draw_task(const struct pending *p, struct grid *g, struct area line)
{
    int row = line.row, col = line.col, width = line.width;
    const char *words = p->task_words ? p->task_words : "";
    int at = grid_label(g, row, col, width, p->task, STYLE_NAME) + 1;
    int room = width - at - text_width(words, strlen(words)) - 1;
    int bar = width / BAR_SHARE < BAR_MOST ? width / BAR_SHARE : BAR_MOST;

    if (p->share >= 0 && bar <= room) { /* fixed width, whatever the length of the text */
        int full = (int)(p->share * bar);
        full = full < 0 ? 0 : full > bar ? bar : full;
        grid_repeat(g, row, col + at, full, 0x2588, STYLE_INFO);
        grid_repeat(g, row, col + at + full, bar - full, 0x2591, STYLE_RULE);
        at += bar + 1;
    }
    if (at < width)
        grid_label(g, row, col + at, width - at, words, STYLE_DIM);
}

/* The first line of a question, and a note after it. */
static void draw_waiting(const struct pending *p, size_t i, struct grid *g, struct area area,
                         const char *tail)
{
    int row = area.row, col = area.col, width = area.width;
    const char *name = i >= p->due ? "kept: " : i > 0 ? "then: " : "next: ";
    const char *text = p->texts[i] + strspn(p->texts[i], " \t\n");
    size_t len = strcspn(text, "\n");
    char *line = strndup(text, len);
    int at = grid_label(g, row, col, width, name, STYLE_PROMPT);
    int wanted = text_width(tail, strlen(tail)) + (text[len] ? 2 : 0), room = width - at - wanted;

    if (line)
        at += grid_label(g, row, col + at, room > 8 ? room : width - at, line, STYLE_USER);
    if (text[len])
        at += grid_label(g, row, col + at, width - at, " …", STYLE_DIM);
    grid_label(g, row, col + at, width - at, tail, STYLE_DIM);
    free(line);
}

static void draw_questions(const struct pending *p, struct grid *g, struct area area, bool writing)
{
    struct bytes keys = {0};
    size_t shown = p->n < (size_t)area.height ? p->n : (size_t)area.height;
    char tail[160];

    if (p->due == 0 && !writing)
        keymap_add_hint(p->keymap, &keys, IN_COMPOSER, ACT_SEND, ACT_NONE, "asks it");
    keymap_add_hint(p->keymap, &keys, IN_COMPOSER, writing ? ACT_TAKE_BACK : ACT_UP, ACT_NONE,
                    "takes it back");
    for (size_t i = 0; i < shown; i++, area.row++) {
        tail[0] = '\0';
        if (i + 1 == shown && shown < p->n)
            snprintf(tail, sizeof tail, " (and %zu more)", p->n - shown);
        else if (i + 1 == shown && keys.len > 0)
            snprintf(tail, sizeof tail, " · %s", keys.data);
        draw_waiting(p, i, g, area, tail);
    }
    bytes_free(&keys);
}

/* The offer and its keys; the text is shortened first, down to a readable minimum. */
static void draw_banner(const struct pending *p, struct grid *g, struct area line)
{
    int row = line.row, col = line.col, width = line.width;
    struct bytes keys = {0};

    if (p->taken_by == UI_CONTINUE)
        keymap_add_hint(p->keymap, &keys, IN_ALL, ACT_CONTINUE, ACT_NONE, "continues it");
    else
        keymap_add_hint(p->keymap, &keys, IN_COMPOSER, ACT_SEND, ACT_NONE, "asks it");
    keymap_add_hint(p->keymap, &keys, IN_ALL, ACT_CANCEL, ACT_NONE, "leaves it");
    const char *hint = bytes_string(&keys);
    int room = width - 3 - text_width(hint, keys.len);
    room = room > BANNER_MIN ? room : BANNER_MIN;
    int at = grid_label(g, row, col, *hint && room < width ? room : width, p->banner, STYLE_WARN);
    if (*hint && at + 3 < width) {
        at += grid_label(g, row, col + at, width - at, " · ", STYLE_RULE);
        grid_label(g, row, col + at, width - at, hint, STYLE_DIM);
    }
    bytes_free(&keys);
}

void pending_draw(const struct pending *p, struct grid *g, struct area area, bool writing)
{
    struct area last = {area.row + area.height - 1, area.col, 1, area.width};

    if (p->banner && area.height > 0) {
        draw_banner(p, g, last);
        area.height--;
    }
    if (p->task && area.height > 0) {
        draw_task(p, g, area);
        area.row++;
        area.height--;
    }
    draw_questions(p, g, area, writing);
}
