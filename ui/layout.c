/*
 * layout.c: where on the grid each region goes, for any size of the window; and the first screen. Knows
 * the regions from outside only, and changes none of them.
 */
#include "state.h"
#include "text.h"

#include <string.h>

enum {
    ROWS_MIN = 5,
    COLS_MIN = 20,
    MEASURE = 100, /* lines longer than this are hard to read */
    SIDEBAR_MIN = 30,
    SIDEBAR_MAX = 44,
    ROOMY_ROWS = 16, /* from here on there is room for empty lines */
    COMPOSER_ROWS_MAX = 12,
    WELCOME_ROWS = 5, /* besides the examples */
};

/* Text in the middle of a width. */
static void draw_centered(struct grid *g, int row, int col, int width, const char *text,
                          uint8_t style)
{
    int n = text_width(text, strlen(text));
    grid_label(g, row, col + (n < width ? (width - n) / 2 : 0), width, text, style);
}

static void draw_too_small(struct ui *u)
{
    draw_centered(&u->grid, u->grid.rows / 2, 0, u->grid.cols, "window too small", STYLE_WARN);
}

/* The first screen, while nothing has been said. */
static void draw_welcome(const struct ui *u, struct grid *g, int row, int col, int height,
                         int width)
{
    int n = (int)u->n_examples, rows = WELCOME_ROWS + n, left = 0;
    bool roomy = height >= rows + 2;
    int at = row + (roomy ? (height - rows) / 3 : 0), end = row + height;

    for (int i = 0; i < n; i++) {
        int w = text_width(u->examples[i], strlen(u->examples[i])) + 2;
        left = w > left ? w : left;
    }
    left = col + (left < width ? (width - left) / 2 : 0);
    draw_centered(g, at++, col, width, "duet", STYLE_TITLE);
    if (at < end)
        draw_centered(g, at++, col, width, "language models in your terminal", STYLE_DIM);
    at += roomy;
    for (int i = 0; i < n && at < end - roomy; i++, at++) {
        grid_label(g, at, left, 2, "›", STYLE_RULE);
        grid_label(g, at, left + 2, col + width - left - 2, u->examples[i], STYLE_TEXT);
    }
    at += roomy;
    if (at < end)
        draw_centered(g, at, col, width, "F1 help · F2 conversations · Ctrl-D quits", STYLE_DIM);
}

/* The line over the composer; it tells what there is besides. */
static void draw_rule(struct ui *u, struct grid *g, int row, int col, int width, bool more_below)
{
    /* The first that fits. */
    static const char *const keys[] = {
        " [ ] message · e edit · r again · < > versions · Space folds · Tab writes ",
        " [ ] message · e edit · r again · Tab writes ",
        " Tab writes · ? keys ",
    };
    const char *label = NULL;
    int n = 0;

    grid_repeat(g, row, col, width, 0x2500, STYLE_RULE);
    for (size_t i = 0; u->focus == FOCUS_TRANSCRIPT && !label && i < sizeof keys / sizeof *keys;
         i++)
        if (text_width(keys[i], strlen(keys[i])) + 4 <= width)
            label = keys[i];
    if (!label && more_below)
        label = " ↓ more below ";
    if (!label || (n = text_width(label, strlen(label))) + 4 > width)
        return;
    grid_label(g, row, col + width - n - 2, n, label, STYLE_DIM);
}

/*
 * What was said, or the first screen, with the program's own notices under it if there is room; true
 * when there is more below.
 */
static bool draw_said(struct ui *u, struct grid *g, int height, int col, int width)
{
    int notices = 0;

    if (!transcript_has_messages(&u->transcript)) {
        notices = transcript_rows(&u->transcript, width, height);
        if (notices + WELCOME_ROWS + (int)u->n_examples <= height) {
            draw_welcome(u, g, 0, col, height - notices, width);
            height -= notices;
            return transcript_draw(&u->transcript, g, height, col, notices, width);
        }
    }
    return transcript_draw(&u->transcript, g, 0, col, height, width);
}

/* Transcript, rule, composer and status line, in the columns that the sidebar leaves. */
static void draw_main(struct ui *u, int left, int64_t now)
{
    struct grid *g = &u->grid;
    int room = g->cols - left, width = room < MEASURE ? room : MEASURE;
    int col = left + (room - width) / 2;
    int most = g->rows / 3 < COMPOSER_ROWS_MAX ? g->rows / 3 : COMPOSER_ROWS_MAX;
    int draft = composer_rows(&u->composer, width - 1);
    int height = draft < most ? draft : most;

    height = height < 1 ? 1 : height;
    int top = g->rows - 1 - height; /* of the composer */
    bool active = u->focus == FOCUS_COMPOSER;
    int pending = pending_rows(&u->pending, most);
    int end = top - 1 - pending; /* of the transcript */
    bool more = draw_said(u, g, end - (g->rows >= ROOMY_ROWS), col, width);

    draw_rule(u, g, end, col, width, more);
    pending_draw(&u->pending, g, end + 1, col + 2, pending, width - 3);
    composer_draw(&u->composer, g, top, col, height, width - 1, active);
    int popup = complete_rows(&u->composer.complete);
    popup = popup < top - 1 ? popup : top - 1;
    if (popup > 0 && active)
        complete_draw(&u->composer.complete, g, top - 1 - popup, col, popup, width);
    status_draw(&u->status, g, g->rows - 1, col + 2, width - 3, now);
}

static void draw_sidebar(struct ui *u, int width)
{
    struct grid *g = &u->grid;
    struct list *l = &u->sidebar;
    bool active = u->focus == FOCUS_SIDEBAR;

    grid_blank(g, 0, 0, g->rows, width);
    grid_label(g, 0, 1, width - 2, "Conversations", STYLE_TITLE);
    int at = 1 + grid_label(g, 1, 1, width - 3, l->filter.len ? l->filter.data : "", STYLE_KEY);
    if (l->filter.len == 0)
        grid_label(g, 1, 1, width - 3, active ? "type to filter" : "", STYLE_DIM);
    list_draw(l, g, 2, 0, g->rows - 3, width - 1, active);
    if (active)
        grid_label(g, g->rows - 1, 1, width - 3, "Enter opens · Esc closes", STYLE_DIM);
    if (width < g->cols)
        for (int row = 0; row < g->rows; row++)
            grid_label(g, row, width - 1, 1, "│", STYLE_RULE);
    if (active) {
        g->cursor_row = 1;
        g->cursor_col = at;
    }
}

void layout_draw(struct ui *u, int64_t now)
{
    struct grid *g = &u->grid;
    int sidebar = 0;

    grid_clear(g);
    if (g->rows < ROWS_MIN || g->cols < COLS_MIN) {
        draw_too_small(u);
        return;
    }
    if (u->sidebar_open) {
        sidebar = g->cols / 3 < SIDEBAR_MIN ? SIDEBAR_MIN : g->cols / 3;
        sidebar = sidebar > SIDEBAR_MAX ? SIDEBAR_MAX : sidebar;
        if (g->cols < 2 * SIDEBAR_MIN) /* too narrow for both */
            sidebar = u->focus == FOCUS_SIDEBAR ? g->cols : 0;
    }
    if (sidebar < g->cols)
        draw_main(u, sidebar, now);
    if (sidebar > 0)
        draw_sidebar(u, sidebar);
    dialog_draw(&u->dialog, g);
}
