/*
 * view.c: the viewport and the selection in it. Knows the rows of each item and which are visible,
 * not their content.
 */
#include "transcript/transcript.h"

size_t transcript_item_rows(struct transcript *t, size_t item)
{
    return item_rows(t->items[item], t->width);
}

/*
 * Sets the top so that the last line is at the bottom of the viewport, or the start at its top if
 * everything fits.
 */
static void show_end(struct transcript *t)
{
    size_t room = (size_t)t->height;

    t->top_item = t->top_row = 0;
    for (size_t i = t->n; i-- > 0;) {
        size_t height = transcript_item_rows(t, i);
        if (height >= room) {
            t->top_item = i;
            t->top_row = height - room;
            return;
        }
        room -= height;
    }
}

/* Whether everything from the top on fits the viewport. */
static bool ends_in_view(struct transcript *t)
{
    size_t shown = 0;
    for (size_t i = t->top_item; i < t->n; i++) {
        shown += transcript_item_rows(t, i);
        if (shown > (size_t)t->height + t->top_row)
            return false;
    }
    return true;
}

static size_t last_in_view(struct transcript *t)
{
    size_t shown = 0, i = t->top_item;
    for (; i < t->n; i++) {
        shown += transcript_item_rows(t, i);
        if (shown >= (size_t)t->height + t->top_row)
            return i;
    }
    return t->n ? t->n - 1 : 0;
}

static void select_in_view(struct transcript *t)
{
    size_t last = last_in_view(t), was = t->selected;
    if (t->selected < t->top_item)
        t->selected = t->top_item;
    if (t->selected > last)
        t->selected = last;
    if (t->selected != was)
        t->step = ITEM_SELECTED;
}

/* After any scrolling: at the end, the viewport follows again. */
static void moved(struct transcript *t)
{
    t->follow = ends_in_view(t);
    if (t->follow)
        show_end(t);
    select_in_view(t);
}

/* While following, the top depends on the current lines. */
static void fix_top(struct transcript *t)
{
    if (t->follow)
        show_end(t);
    if (t->n > 0 && t->top_item >= t->n)
        t->top_item = t->n - 1;
    if (t->n > 0) {
        size_t height = transcript_item_rows(t, t->top_item);
        if (t->top_row >= height)
            t->top_row = height > 0 ? height - 1 : 0;
    }
}

void transcript_scroll(struct transcript *t, int rows)
{
    fix_top(t);
    for (; rows < 0 && (t->top_row > 0 || t->top_item > 0); rows++) {
        if (t->top_row == 0)
            t->top_row = transcript_item_rows(t, --t->top_item);
        t->top_row -= t->top_row > 0;
    }
    for (; rows > 0 && t->n > 0 && !ends_in_view(t); rows--) {
        if (++t->top_row >= transcript_item_rows(t, t->top_item)) {
            t->top_item++;
            t->top_row = 0;
        }
    }
    moved(t);
}

void transcript_page(struct transcript *t, int pages)
{
    int page = t->height > 2 ? t->height - 2 : 1;
    transcript_scroll(t, pages * page);
}

void transcript_top(struct transcript *t)
{
    t->top_item = t->top_row = 0;
    t->follow = false;
    moved(t);
    t->selected = 0;
}

void transcript_bottom(struct transcript *t)
{
    t->follow = true;
    show_end(t);
    t->selected = t->n ? t->n - 1 : 0;
}

/* Positions */

struct transcript_view transcript_view(struct transcript *t)
{
    fix_top(t);
    return (struct transcript_view){t->top_item, t->top_row, t->follow};
}

void transcript_restore(struct transcript *t, const struct transcript_view *view)
{
    t->top_item = view->item;
    t->top_row = view->row;
    t->follow = view->follow;
}

int transcript_screen_row(struct transcript *t, size_t item, size_t row)
{
    size_t rows = 0;
    for (size_t i = t->top_item; i < item && i < t->n && rows < t->top_row + (size_t)t->height; i++)
        rows += transcript_item_rows(t, i);
    rows += row;
    bool seen = item >= t->top_item && item < t->n && rows >= t->top_row &&
                rows < t->top_row + (size_t)t->height;
    return seen ? (int)(rows - t->top_row) : -1;
}

void transcript_show(struct transcript *t, size_t item, size_t row)
{
    fix_top(t);
    if (transcript_screen_row(t, item, row) < 0) {
        t->top_item = item;
        t->top_row = row;
        t->follow = false;
        transcript_scroll(t, -(t->height / 3));
    }
    t->follow = ends_in_view(t);
    t->selected = item;
}

/* The selection */

void transcript_focus(struct transcript *t, bool on)
{
    t->focused = on;
    t->step = ITEM_SELECTED;
    if (!on)
        return;
    fix_top(t);
    size_t last = t->selected = last_in_view(t);
    for (size_t i = t->top_item; i <= last && i < t->n; i++)
        if (item_has_reasoning(t->items[i])) /* most likely to be folded */
            t->selected = i;
}

void transcript_move_selection(struct transcript *t, int messages)
{
    fix_top(t);
    t->step = ITEM_SELECTED;
    if (messages < 0 && t->selected > 0)
        t->selected--;
    else if (messages > 0 && t->selected + 1 < t->n)
        t->selected++;
    if (t->selected <= t->top_item) {
        t->top_item = t->selected;
        t->top_row = 0;
        t->follow = false;
    }
    while (t->n > 0 && t->selected > last_in_view(t) && !ends_in_view(t))
        transcript_scroll(t, 1);
    t->follow = ends_in_view(t);
}

void transcript_select(struct transcript *t, int64_t id)
{
    size_t item = transcript_index(t, id);
    if (item == t->n)
        return;
    t->selected = item;
    transcript_move_selection(t, 0);
}

int64_t transcript_selected(const struct transcript *t)
{
    return t->selected < t->n ? t->items[t->selected]->id : 0;
}

bool transcript_selected_has_versions(const struct transcript *t)
{
    return t->selected < t->n && t->items[t->selected]->versions > 1;
}

bool transcript_selected_has_reasoning(const struct transcript *t)
{
    return t->selected < t->n && item_has_reasoning(t->items[t->selected]);
}

/* Steps are known once a message is laid out. */
static int steps_of(struct transcript *t, size_t i)
{
    transcript_item_rows(t, i);
    return (int)item_steps(t->items[i]);
}

/* The step after or before the selected one, in this message or another; false: none. */
static bool next_step(struct transcript *t, int steps, size_t *item, int *step)
{
    size_t i = t->selected;
    int at = t->step >= 0 ? t->step + steps : steps > 0 ? 0 : -1;
    while (i < t->n) {
        int n = steps_of(t, i);
        if (at >= 0 && at < n) {
            *item = i;
            *step = at;
            return true;
        }
        i += (size_t)steps; /* wraps below 0, which ends the loop */
        at = steps > 0 ? 0 : i < t->n ? steps_of(t, i) - 1 : -1;
    }
    return false;
}

/* Scrolls a step into view, near the top if it was not visible. */
static void show_step(struct transcript *t)
{
    size_t rows = transcript_item_rows(t, t->selected), height = 0;
    size_t row = item_row_of(t->items[t->selected], (size_t)t->step);

    for (size_t i = t->top_item; i < t->selected && i < t->n; i++)
        height += transcript_item_rows(t, i);
    bool above = t->selected < t->top_item || (t->selected == t->top_item && row < t->top_row);
    if (!above && height + row < t->top_row + (size_t)t->height)
        return;
    t->top_item = t->selected;
    t->top_row = row < rows ? row : 0;
    moved(t);
}

void transcript_move_step(struct transcript *t, int steps)
{
    size_t item;
    int step;

    fix_top(t);
    if (!next_step(t, steps, &item, &step))
        return;
    item_open(t->items[item]);
    t->selected = item;
    t->step = step;
    t->follow = false;
    show_step(t);
    t->follow = ends_in_view(t);
}

void transcript_fold(struct transcript *t)
{
    if (t->selected >= t->n)
        return;
    struct item *item = t->items[t->selected];
    if (t->step >= 0)
        item_fold_step(item, (size_t)t->step);
    else
        item_fold(item, item_is_open(item) ? UI_FOLD_SHUT : UI_FOLD_OPEN);
    fix_top(t);
    moved(t);
}

bool transcript_point(struct transcript *t, int row)
{
    size_t at = t->top_row + (size_t)(row - t->row);

    if (row < t->row || row >= t->row + t->height)
        return false;
    for (size_t i = t->top_item; i < t->n; i++) {
        size_t rows = transcript_item_rows(t, i);
        if (at < rows) {
            t->selected = i;
            t->step = ITEM_SELECTED;
            return true;
        }
        at -= rows;
    }
    return false;
}

void transcript_shift(struct transcript *t, int columns)
{
    if (t->selected < t->n)
        item_shift(t->items[t->selected], columns);
}

/* Drawing */

int transcript_rows(struct transcript *t, int width, int most)
{
    size_t rows = 0;
    for (size_t i = 0; i < t->n && rows < (size_t)most; i++)
        rows += item_rows(t->items[i], width);
    return rows < (size_t)most ? (int)rows : most;
}

int transcript_draw_rows(struct transcript *t, size_t item, size_t first, struct grid *g, int most)
{
    size_t rows = transcript_item_rows(t, item);
    int n = 0;

    if (g->cols != t->width && !grid_resize(g, most, t->width))
        return 0;
    grid_clear(g);
    for (; n < most && first + (size_t)n < rows; n++)
        item_draw(t->items[item], first + (size_t)n, ITEM_UNSELECTED, g,
                  (struct area){n, 0, 1, t->width});
    return n;
}

bool transcript_draw(struct transcript *t, struct grid *g, struct area area)
{
    struct area line = {area.row, area.col, 1, area.width};

    t->row = area.row;
    t->height = area.height;
    t->width = area.width;
    fix_top(t);
    if (!t->follow && ends_in_view(t))
        show_end(t);
    int end = area.row + area.height;
    for (size_t i = t->top_item; i < t->n && line.row < end; i++) {
        size_t rows = transcript_item_rows(t, i);
        int selected = t->focused && i == t->selected ? t->step : ITEM_UNSELECTED;
        for (size_t r = i == t->top_item ? t->top_row : 0; r < rows && line.row < end; r++) {
            item_draw(t->items[i], r, selected, g, line);
            if (i < t->rule) /* not sent to the model */
                grid_mute(g, line.row, line.col, line.width);
            line.row++;
        }
    }
    return t->n > 0 && !t->follow && !ends_in_view(t);
}
