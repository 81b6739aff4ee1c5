/*
 * layout.c: places each region on the grid for any window size. Reads the regions through their
 * interfaces and changes none of them.
 */
#include "layout.h"
#include "text/text.h"

#include <stdio.h>
#include <string.h>

enum {
    ROWS_MIN = 5,
    COLS_MIN = 20,
    MEASURE = 100, /* longer lines are hard to read */
    SIDEBAR_MIN = 30,
    SIDEBAR_MAX = 44,
    ROOMY_ROWS = 16, /* from this height on, blank lines are inserted */
    COMPOSER_ROWS_MAX = 12,
    WELCOME_LEAST = 3,
};

/* In words that fit. */
static void draw_too_small(struct grid *g)
{
    struct area line = {g->rows / 2, 0, 1, g->cols};
    if (g->cols >= 16) {
        grid_center(g, line, "window too small", STYLE_WARN);
    } else if (g->cols >= 9 || line.row == 0) {
        grid_center(g, line, "too small", STYLE_WARN);
    } else {
        grid_center(g, line, "small", STYLE_WARN);
        line.row--;
        grid_center(g, line, "too", STYLE_WARN);
    }
}

/* Above the composer */

struct reading_hint {
    enum keymap_action action, other;
    const char *what;
    bool possible, shown;
};

static void add_shown(const struct keymap *map, const struct reading_hint *hints, int n,
                      struct bytes *out)
{
    bytes_cut(out, 0);
    for (int i = 0; i < n; i++)
        if (hints[i].shown)
            keymap_add_hint(map, out, IN_TRANSCRIPT, hints[i].action, hints[i].other,
                            hints[i].what);
}

/* Actions for the selected message, the most useful first, as many as fit. */
static void add_reading_keys(const struct ui *u, int width, struct bytes *out)
{
    bool varies = transcript_selected_has_versions(&u->transcript);
    bool folds = transcript_selected_has_reasoning(&u->transcript);
    struct reading_hint hints[] = {
        {.action = ACT_MESSAGE_UP, .other = ACT_MESSAGE_DOWN, .what = "message", .possible = true},
        {.action = ACT_STEP_UP, .other = ACT_STEP_DOWN, .what = "step", .possible = folds},
        {.action = ACT_FOLD, .what = "folds", .possible = folds},
        {.action = ACT_VERSION_BEFORE,
         .other = ACT_VERSION_AFTER,
         .what = "versions",
         .possible = varies},
        {.action = ACT_COPY, .what = "copy", .possible = true},
        {.action = ACT_REASK, .what = "edit", .possible = true},
        {.action = ACT_REGEN, .what = "again", .possible = true},
        {.action = ACT_FIND, .what = "finds", .possible = true},
        {.action = ACT_COMPOSE, .what = "writes", .possible = true},
    };
    enum { N_HINTS = sizeof hints / sizeof *hints };
    static const int by_worth[N_HINTS] = {8, 0, 3, 2, 4, 5, 6, 7, 1};

    for (int n = 0; n < N_HINTS; n++) {
        struct reading_hint *hint = &hints[by_worth[n]];
        hint->shown = hint->possible;
        add_shown(&u->keymap, hints, N_HINTS, out);
        if (out->len > 0 && text_width(out->data, out->len) + 6 > width)
            hint->shown = false;
    }
    add_shown(&u->keymap, hints, N_HINTS, out);
}

/* The rule above the composer, with the keys for reading or a note that there is more below. */
static void draw_rule(const struct ui *u, struct grid *g, struct area rule, bool more_below)
{
    struct bytes keys = {0};

    grid_repeat(g, rule.row, rule.col, rule.width, 0x2500, STYLE_RULE);
    if (u->focus == FOCUS_TRANSCRIPT)
        add_reading_keys(u, rule.width, &keys);
    grid_inset_right(g, rule, more_below && keys.len == 0 ? "↓ more below" : bytes_string(&keys),
                     STYLE_DIM);
    bytes_free(&keys);
}

/*
 * The transcript, or the first screen, with notices from the program below if there is room; true
 * if there is more below.
 */
static bool draw_said(struct ui *u, struct grid *g, struct area area)
{
    if (!transcript_has_messages(&u->transcript)) {
        int notices = transcript_rows(&u->transcript, area.width, area.height);
        if (notices == 0 || notices + WELCOME_LEAST <= area.height) {
            area.height -= notices;
            welcome_draw(&u->welcome, g, area);
            area.row += area.height;
            area.height = notices;
        }
    }
    return transcript_draw(&u->transcript, g, area);
}

/* Transcript, rule, composer and status line, in the columns beside the sidebar. */
static void draw_main(struct ui *u, int left, int64_t now)
{
    struct grid *g = &u->grid;
    int room = g->cols - left, width = room < MEASURE ? room : MEASURE;
    int col = left + (room - width) / 2;
    int most = g->rows / 3 < COMPOSER_ROWS_MAX ? g->rows / 3 : COMPOSER_ROWS_MAX;
    int draft = composer_rows(&u->composer, width - 1);
    int height = draft < most ? draft : most;
    bool writing = u->focus == FOCUS_COMPOSER;

    height = height < 1 ? 1 : height;
    int top = g->rows - 1 - height; /* of the composer */
    u->rule_row = top - 1;
    int pending = pending_rows(&u->pending, most);
    int end = top - 1 - pending; /* of the transcript */
    struct area said = {0, col, end - (g->rows >= ROOMY_ROWS), width};
    bool more = draw_said(u, g, said);

    if (u->focus == FOCUS_TRANSCRIPT)
        find_highlight(&u->find, g, said);
    struct area rule = {end, col, 1, width};
    if (u->find.typing)
        find_draw(&u->find, g, rule);
    else
        draw_rule(u, g, rule, more);
    pending_draw(&u->pending, g, (struct area){end + 1, col + 2, pending, width - 3},
                 u->composer.editor.text.len > 0);
    composer_draw(&u->composer, g, (struct area){top, col, height, width - 1}, writing);
    int popup = complete_rows(&u->composer.complete);
    popup = popup < top - 1 ? popup : top - 1;
    if (popup > 0 && writing)
        complete_draw(&u->composer.complete, g, (struct area){top - 1 - popup, col, popup, width});
    status_draw(&u->status, g, (struct area){g->rows - 1, col + 2, 1, width - 3}, now);
}

void layout_draw(struct ui *u, int64_t now)
{
    struct grid *g = &u->grid;
    int sidebar = 0;

    grid_clear(g);
    if (g->rows < ROWS_MIN || g->cols < COLS_MIN) {
        draw_too_small(g);
        return;
    }
    if (u->sidebar.open) {
        sidebar = g->cols / 3 < SIDEBAR_MIN ? SIDEBAR_MIN : g->cols / 3;
        sidebar = sidebar > SIDEBAR_MAX ? SIDEBAR_MAX : sidebar;
        if (g->cols < 2 * SIDEBAR_MIN) /* too narrow for both */
            sidebar = u->focus == FOCUS_SIDEBAR ? g->cols : 0;
    }
    u->main_col = sidebar;
    if (sidebar < g->cols)
        draw_main(u, sidebar, now);
    if (sidebar > 0)
        sidebar_draw(&u->sidebar, g, sidebar, u->focus == FOCUS_SIDEBAR);
    dialog_draw(&u->dialog, g);
    if (u->dialog.kind == DIALOG_SEARCH)
        search_draw(&u->search, g);
}
