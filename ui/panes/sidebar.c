/*
 * sidebar.c: the list of conversations, and at the foot the actions on them.
 */
#include "panes/sidebar.h"
#include "keys/keymap.h"
#include "text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_ROWS = 2,
    ROOMY_ROWS = 14, /* from this height on the whole foot is shown */
    FOOT_ROWS = 6,
};

void sidebar_init(struct sidebar *s, const struct keymap *keymap)
{
    *s = (struct sidebar){.keymap = keymap, .wanted = SIDEBAR_WANTED};
    list_init(&s->list);
    s->list.narrowed = true;
    field_init(&s->title);
}

void sidebar_done(struct sidebar *s)
{
    list_done(&s->list);
    field_done(&s->title);
    free(s->deleted);
}

bool sidebar_wants_more(struct sidebar *s)
{
    size_t ahead = s->list.selected + 2 * (size_t)s->list.area.height;
    if (s->list.n < s->wanted || ahead < s->list.n)
        return false;
    s->wanted *= 2;
    return true;
}

bool sidebar_rename(struct sidebar *s)
{
    const char *title = list_chosen_title(&s->list);
    s->renaming = title != NULL;
    if (title)
        field_set(&s->title, title);
    return s->renaming;
}

/* The foot */

struct foot {
    const struct keymap *keymap;
    enum keymap_place place;
    struct grid *g;       /* NULL: only count lines */
    int row, width, most; /* lines available; the rest is dropped */
    int line, col;
};

static void add(struct foot *f, enum keymap_action action, const char *what)
{
    char key[KEYMAP_KEYS_MAX];
    keymap_first(f->keymap, f->place, action, key);
    if (!*key)
        return;
    int keys = text_width(key, strlen(key)), n = keys + 1 + text_width(what, strlen(what));

    if (f->col > 0 && f->col + n > f->width) {
        if (f->line + 1 == f->most)
            return;
        f->line++;
        f->col = 0;
    }
    if (f->g) {
        grid_label(f->g, f->row + f->line, 1 + f->col, keys, key, STYLE_KEY);
        grid_label(f->g, f->row + f->line, 2 + f->col + keys, f->width - f->col - keys - 1, what,
                   STYLE_DIM);
    }
    f->col += n + 2;
}

/* Returns the number of lines; draws them if f->g is set. */
static int add_all(const struct sidebar *s, struct foot *f)
{
    if (s->renaming) {
        add(f, ACT_CHOOSE, "renames");
        add(f, ACT_CANCEL, "leaves it");
        return f->line + 1;
    }
    add(f, ACT_CHOOSE, "opens");
    if (f->most == 1) {
        add(f, ACT_SIDEBAR, "closes");
        return 1;
    }
    add(f, ACT_SCOPE, s->archived ? "current ones" : "archived");
    add(f, ACT_RENAME, "rename");
    add(f, ACT_ARCHIVE, s->archived ? "take back" : "archive");
    add(f, ACT_DELETE_ROW, "delete");
    add(f, ACT_SIDEBAR, "closes");
    return f->line + 1;
}

static void draw_undo(const struct sidebar *s, struct grid *g, int row, int width)
{
    char key[KEYMAP_KEYS_MAX];
    keymap_first(s->keymap, IN_LIST, ACT_RESTORE_ROW, key);
    int at = 1 + grid_label(g, row, 1, width, key, STYLE_KEY);
    at += grid_label(g, row, at, width - at, " restores ", STYLE_WARN);
    grid_label(g, row, at, width + 1 - at, s->deleted, STYLE_WARN);
}

/* Draws the foot; returns its first row. */
static int draw_foot(const struct sidebar *s, struct grid *g, int width)
{
    struct foot foot = {
        .keymap = s->keymap,
        .place = s->renaming ? IN_FIELD : IN_LIST,
        .width = width - 3,
        .most = g->rows >= ROOMY_ROWS ? FOOT_ROWS : 1,
    };
    struct foot drawn = foot;
    int row = g->rows - add_all(s, &foot);

    drawn.g = g;
    drawn.row = row;
    add_all(s, &drawn);
    if (s->deleted)
        draw_undo(s, g, --row, width - 3);
    return row;
}

static void draw_filter(struct sidebar *s, struct grid *g, int width, bool active)
{
    const char *filter = bytes_string(&s->list.filter);
    int at = 1 + grid_label(g, 1, 1, width - 3, filter, STYLE_KEY);

    if (s->list.filter.len == 0)
        grid_label(g, 1, 1, width - 3, active ? "type to filter" : "", STYLE_DIM);
    if (active) {
        g->cursor_row = 1;
        g->cursor_col = at;
    }
}

void sidebar_draw(struct sidebar *s, struct grid *g, int width, bool active)
{
    grid_blank(g, (struct area){0, 0, g->rows, width});
    grid_label(g, 0, 1, width - 2, s->archived ? "Archived conversations" : "Conversations",
               STYLE_TITLE);
    draw_filter(s, g, width, active);
    int foot = active ? draw_foot(s, g, width) : g->rows;
    int gap = active && g->rows >= ROOMY_ROWS;
    struct area rows = {HEAD_ROWS, 0, foot - HEAD_ROWS - gap, width - 1};
    list_draw(&s->list, g, rows, active);
    if (width < g->cols)
        for (int row = 0; row < g->rows; row++)
            grid_label(g, row, width - 1, 1, "│", STYLE_RULE);
    if (active && s->renaming) {
        struct area title = {rows.row + (int)(s->list.selected - s->list.top), 3, 1, width - 5};
        field_draw(&s->title, g, title, STYLE_KEY);
    }
}
