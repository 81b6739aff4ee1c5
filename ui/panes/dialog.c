/*
 * dialog.c: boxes in the middle of the screen. The help is generated from the key table and the
 * list of commands, so that it cannot go stale.
 */
#include "panes/dialog.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    HELP_WIDTH = 76,
    HELP_KEYS = 26, /* width of the key column */
    PICK_WIDTH = 60,
    PICK_ROWS = 20,
    MANY = 6, /* from this many rows on a filter is shown */
};

#define TO_FILTER "type to filter"

void dialog_init(struct dialog *d, const struct keymap *keymap, const struct ui_command *commands,
                 size_t n)
{
    *d = (struct dialog){.keymap = keymap, .commands = commands, .n_commands = n, .height = 1};
    list_init(&d->list);
}

void dialog_done(struct dialog *d)
{
    free(d->title);
    list_done(&d->list);
}

void dialog_help(struct dialog *d, enum keymap_place place)
{
    list_clear_filter(&d->list);
    d->kind = DIALOG_HELP;
    d->place = place;
    d->top = 0;
}

void dialog_pick(struct dialog *d, int tag, const char *title, const struct ui_row *rows, size_t n,
                 int64_t selected)
{
    list_done(&d->list);
    if (!list_set(&d->list, rows, n, selected))
        return;
    free(d->title);
    d->title = strdup(title);
    d->kind = DIALOG_PICK;
    d->tag = tag;
}

void dialog_close(struct dialog *d)
{
    d->kind = DIALOG_NONE;
}

/* The help */

/* Lays out the help; g NULL: only counts its lines. */
struct page {
    struct grid *g;
    int row, col, width; /* width of the text */
    int first, rows;     /* visible lines */
    int n;
    const char *sought; /* only entries with this text; "": all */
    const char *title;  /* of the entries that follow, if there are any; NULL: it is there */
};

struct words {
    const char *text;
    size_t len, head; /* bytes in `style`, the rest dimmed */
    uint8_t style;
};

/* Draws words in a column, wrapped; returns the lines used. */
static int column(const struct page *p, int col, int width, const struct words *w)
{
    int n = 0;

    for (size_t at = 0, end; at < w->len; at = end, n++) {
        int line = p->n + n - p->first, used;
        end = at + text_wrap(w->text + at, w->len - at, width);
        if (!p->g || line < 0 || line >= p->rows)
            continue;
        size_t head = w->head < at ? at : w->head < end ? w->head : end;
        struct area here = {p->row + line, p->col + col, 1, width};
        used = grid_text(p->g, here, w->text + at, head - at, w->style);
        here.col += used;
        here.width -= used;
        grid_text(p->g, here, w->text + head, end - head, STYLE_DIM);
    }
    return n;
}

static void add_title(struct page *p)
{
    size_t len = strlen(p->title);
    p->n += p->n > 0; /* blank line before all but the first */
    p->n += column(p, 0, p->width, &(struct words){p->title, len, len, STYLE_TITLE});
    p->title = NULL;
}

/* A command with its arguments, and its description. */
static void add_entry(struct page *p, const char *typed, const char *args, const char *help)
{
    int keys = p->width > 2 * HELP_KEYS ? HELP_KEYS : p->width / 2;
    struct bytes left = {0};

    if (!text_contains(typed, p->sought) && !text_contains(help, p->sought))
        return;
    if (p->title)
        add_title(p);
    bytes_add(&left, typed, strlen(typed));
    if (*args && bytes_add(&left, " ", 1))
        bytes_add(&left, args, strlen(args));
    struct words l = {bytes_string(&left), left.len, strlen(typed), STYLE_KEY};
    struct words r = {help, strlen(help), strlen(help), STYLE_TEXT};
    int rows = column(p, 0, keys - 1, &l), beside = column(p, keys, p->width - keys, &r);
    p->n += rows > beside ? rows : beside;
    bytes_free(&left);
}

static void add_place(const struct keymap *map, enum keymap_place place, struct page *p)
{
    char keys[KEYMAP_KEYS_MAX];
    p->title = keymap_place_title(place);
    for (size_t i = 0; i < map->n_rows; i++) {
        const struct keymap_row *row = &map->rows[i];
        if (row->place != place)
            continue;
        keymap_keys_in_words(map, place, row->action, keys);
        add_entry(p, keys, "", row->help);
    }
}

/* What can be done where the help was called for comes first. */
static void add_help(const struct dialog *d, struct page *p)
{
    if (d->place != IN_ALL)
        add_place(d->keymap, d->place, p);
    for (int place = 0; place < IN_PLACES; place++) {
        if (place == IN_ALL || place != (int)d->place)
            add_place(d->keymap, (enum keymap_place)place, p);
        if (place != IN_ALL)
            continue;
        p->title = "Commands";
        for (size_t i = 0; i < d->n_commands; i++)
            add_entry(p, d->commands[i].name, d->commands[i].args, d->commands[i].help);
    }
}

static int help_length(const struct dialog *d, const char *sought)
{
    struct page p = {.width = d->width, .sought = sought};
    add_help(d, &p);
    return p.n;
}

void dialog_move(struct dialog *d, int64_t rows)
{
    if (d->kind == DIALOG_PICK) {
        list_move(&d->list, rows);
        return;
    }
    int64_t top = d->top + rows, most = help_length(d, bytes_string(&d->list.filter)) - d->height;
    top = top > most ? most : top;
    d->top = top < 0 ? 0 : (int)top;
}

/* Drawing */

void dialog_box(struct grid *g, struct area box, const char *title)
{
    int row = box.row, last = row + box.height - 1;
    int col = box.col, cols = box.width, right = col + cols - 1;

    grid_blank(g, box);
    grid_repeat(g, row, col, cols, 0x2500, STYLE_RULE);
    grid_repeat(g, last, col, cols, 0x2500, STYLE_RULE);
    for (int r = row + 1; r < last; r++) {
        grid_label(g, r, col, 1, "│", STYLE_RULE);
        grid_label(g, r, right, 1, "│", STYLE_RULE);
    }
    grid_label(g, row, col, 1, "╭", STYLE_RULE);
    grid_label(g, row, right, 1, "╮", STYLE_RULE);
    grid_label(g, last, col, 1, "╰", STYLE_RULE);
    grid_label(g, last, right, 1, "╯", STYLE_RULE);
    grid_inset_left(g, box, title, STYLE_TITLE);
}

/* The keys: Enter's if it does something, and those that scroll. */
static void draw_foot(const struct dialog *d, struct grid *g, struct area box, const char *enter,
                      bool scrolls)
{
    struct area border = {box.row + box.height - 1, box.col, 1, box.width};
    struct bytes keys = {0}, more = {0};

    if (enter)
        keymap_add_hint(d->keymap, &keys, IN_LIST, ACT_CHOOSE, ACT_NONE, enter);
    if (scrolls)
        keymap_add_hint(d->keymap, &keys, IN_LIST, ACT_ROW_UP, ACT_ROW_DOWN, "scroll");
    keymap_add_hint(d->keymap, &keys, IN_ALL, ACT_CANCEL, ACT_NONE, "closes");
    if (scrolls && bytes_add(&more, TO_FILTER " · ", strlen(TO_FILTER " · ")))
        bytes_add(&more, bytes_string(&keys), keys.len);
    if (more.len == 0 || !grid_inset_right(g, border, bytes_string(&more), STYLE_DIM))
        grid_inset_right(g, border, bytes_string(&keys), STYLE_DIM);
    bytes_free(&keys);
    bytes_free(&more);
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* The box, centred, for so many rows of text if there is room. */
static struct area place_box(struct dialog *d, const struct grid *g, int rows, int cols)
{
    struct area box = {.height = least(g->rows, rows + 2), .width = cols};

    box.row = (g->rows - box.height) / 2;
    box.col = (g->cols - box.width) / 2;
    d->height = box.height - 2;
    return box;
}

static void draw_help(struct dialog *d, struct grid *g)
{
    int cols = least(g->cols, HELP_WIDTH);

    d->width = cols - 4;
    struct area box = place_box(d, g, help_length(d, ""), cols);
    struct bytes title = {0};
    const char *sought = bytes_string(&d->list.filter);
    bytes_add(&title, "Help", 4);
    if (*sought && bytes_add(&title, ": ", 2))
        bytes_add(&title, sought, strlen(sought));
    dialog_box(g, box, bytes_string(&title));
    bytes_free(&title);
    dialog_move(d, 0);
    struct page p = {
        .g = g,
        .row = box.row + 1,
        .col = box.col + 2,
        .width = d->width,
        .first = d->top,
        .rows = d->height,
        .sought = sought,
    };
    add_help(d, &p);
    if (p.n == 0)
        grid_label(g, p.row, p.col, p.width, "nothing matches", STYLE_DIM);
    draw_foot(d, g, box, NULL, d->height < p.n);
}

static void draw_pick(struct dialog *d, struct grid *g)
{
    int cols = least(g->cols, PICK_WIDTH);
    struct area box = place_box(d, g, least(PICK_ROWS, (int)d->list.n) + 1, cols);
    struct area body = {box.row + 2, box.col + 1, box.height - 3, cols - 2};
    const struct bytes *filter = &d->list.filter;

    dialog_box(g, box, d->title ? d->title : "");
    list_draw(&d->list, g, body, true);
    if (filter->len > 0)
        grid_label(g, box.row + 1, box.col + 3, cols - 6, filter->data, STYLE_KEY);
    else if (d->list.n >= MANY)
        grid_label(g, box.row + 1, box.col + 3, cols - 6, TO_FILTER, STYLE_DIM);
    draw_foot(d, g, box, "chooses", false);
}

void dialog_draw(struct dialog *d, struct grid *g)
{
    if (d->kind != DIALOG_HELP && d->kind != DIALOG_PICK)
        return;
    g->cursor_row = -1;
    if (d->kind == DIALOG_HELP)
        draw_help(d, g);
    else
        draw_pick(d, g);
}
