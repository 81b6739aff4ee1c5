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

/* The keys for the selected message; in a narrow window the highest ranks are left out. */
static const struct {
    enum keymap_action action, other;
    const char *what;
    int rank;
} hints[] = {
    {ACT_MESSAGE_UP, ACT_MESSAGE_DOWN, "message", 1},
    {ACT_STEP_UP, ACT_STEP_DOWN, "step", 8},
    {ACT_FOLD, ACT_NONE, "folds", 3},
    {ACT_VERSION_BEFORE, ACT_VERSION_AFTER, "versions", 2},
    {ACT_COPY, ACT_NONE, "copy", 4},
    {ACT_REASK, ACT_NONE, "edit", 5},
    {ACT_REGEN, ACT_NONE, "again", 6},
    {ACT_FIND, ACT_NONE, "finds", 7},
    {ACT_COMPOSE, ACT_NONE, "writes", 0},
};
enum { N_HINTS = sizeof hints / sizeof *hints };

static bool is_possible(const struct transcript *t, enum keymap_action action)
{
    if (action == ACT_STEP_UP || action == ACT_FOLD)
        return transcript_selected_has_reasoning(t);
    return action != ACT_VERSION_BEFORE || transcript_selected_has_versions(t);
}

/* `shown`: a bit for each hint. */
static void write_hints(const struct keymap *map, unsigned shown, struct bytes *out)
{
    bytes_cut(out, 0);
    for (int i = 0; i < N_HINTS; i++)
        if (shown >> i & 1)
            keymap_add_hint(map, out, IN_TRANSCRIPT, hints[i].action, hints[i].other,
                            hints[i].what);
}

static void add_reading_keys(const struct ui *u, int width, struct bytes *out)
{
    unsigned shown = 0;

    for (int rank = 0; rank < N_HINTS; rank++)
        for (int i = 0; i < N_HINTS; i++) {
            if (hints[i].rank != rank || !is_possible(&u->transcript, hints[i].action))
                continue;
            write_hints(&u->keymap, shown | 1u << i, out);
            if (text_width(bytes_string(out), out->len) + 6 <= width)
                shown |= 1u << i;
        }
    write_hints(&u->keymap, shown, out);
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
    u->composer_row = top;
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
