/*
 * find.c: finds matches in drawn lines. It searches what the reader sees, and so needs no knowledge
 * of how text was laid out.
 */
#include "transcript/find.h"
#include "text/text.h"

#include <string.h>

enum {
    LINES = 64,        /* rows drawn at once */
    SPAN = 4,          /* lines that a match may span */
    STEP_LINES = 2500, /* lines per step, some ms, before keys are handled again */
    STEP_TIMES = 500,
    LAST_COL = 9999, /* past every column */
};

void find_init(struct find *f, struct transcript *in, const struct keymap *keymap)
{
    *f = (struct find){.in = in, .keymap = keymap};
    field_init(&f->field);
}

void find_done(struct find *f)
{
    field_done(&f->field);
    grid_free(&f->lines);
}

void find_forget(struct find *f)
{
    f->typing = f->found = f->seeking = false;
    f->opened = 0;
}

/* Lines */

/* Text lines in a grid: the rows from `row` to `end` between the margins. */
struct view {
    const struct grid *g;
    int row, end;
    int left, right; /* columns of the text; `right` is exclusive */
};

static bool is_margin(const struct cell *cell)
{
    return cell->cp[0] == ' ' || (cell->style & ~STYLE_FLAGS) == STYLE_RULE;
}

static int line_begin(const struct view *v, int row)
{
    int col = v->left;
    while (col < v->right && is_margin(grid_at(v->g, row, col)))
        col++;
    return col;
}

static int line_end(const struct view *v, int row)
{
    int col = v->right;
    while (col > v->left && grid_at(v->g, row, col - 1)->cp[0] == ' ')
        col--;
    return col;
}

/* Whether the text wraps from `row` to the next line without a separator. */
static bool is_wrapped_between(const struct view *v, int row, int next)
{
    const struct cell *last = grid_at(v->g, row, line_end(v, row) - 1);
    const struct cell *first = grid_at(v->g, row + 1, next);
    return last->cp[0] == 0 || text_columns(first->cp[0]) == 2;
}

/* Whether the needle matches at (row, col), which are then set to its end. */
static bool matches_at(const struct find *f, const struct view *v, int *row, int *col)
{
    int r = *row, c = *col, end = line_end(v, r);

    for (size_t i = 0; i < f->needle_len;) {
        if (c >= end) {
            if (i == 0 || r + 1 >= v->end)
                return false;
            int next = line_begin(v, r + 1);
            bool space = f->needle[i] == ' ';
            if (next >= line_end(v, r + 1) || (!space && !is_wrapped_between(v, r, next)))
                return false;
            i += space;
            r++;
            c = next;
            end = line_end(v, r);
            continue;
        }
        uint32_t cp = grid_at(v->g, r, c++)->cp[0];
        if (cp != 0 && text_lower(cp) != f->needle[i++])
            return false;
    }
    while (c < end && grid_at(v->g, r, c)->cp[0] == 0)
        c++;
    *row = r;
    *col = c;
    return true;
}

/* The first match in a row after column `after`, or the last one before `before`; -1: none. */
static int match_in_row(const struct find *f, const struct view *v, int row, int after, int before)
{
    int found = -1;
    for (int col = line_begin(v, row); col < v->right; col++) {
        int end_row = row, end_col = col;
        if (col <= after || col >= before || !matches_at(f, v, &end_row, &end_col))
            continue;
        if (f->direction > 0)
            return col;
        found = col;
    }
    return found;
}

/* Searching */

static void read_needle(struct find *f)
{
    const char *text = field_text(&f->field);
    struct text_cluster c;

    f->needle_len = 0;
    for (size_t at = 0, len = strlen(text); at < len; at += c.len) {
        text_next(text + at, len - at, &c);
        for (int i = 0; i < c.n && f->needle_len < FIND_NEEDLE_MAX; i++)
            if (text_columns(c.cp[i]) > 0)
                f->needle[f->needle_len++] = text_lower(c.cp[i]);
    }
}

static void close_opened(struct find *f)
{
    if (f->opened > 0)
        transcript_set_fold(f->in, f->opened - 1, f->opened_from);
    f->opened = 0;
}

static void enter_item(struct find *f)
{
    if (f->unfolds && transcript_uncover(f->in, f->at.item, field_text(&f->field), &f->opened_from))
        f->opened = f->at.item + 1;
    if (f->direction < 0 && f->at.row == SIZE_MAX) {
        size_t rows = transcript_item_rows(f->in, f->at.item);
        f->at.row = rows > 0 ? rows - 1 : 0;
    }
}

/* Starts a search at a position; covers `items` items of the transcript. */
static void begin_search(struct find *f, struct find_place from, int direction, size_t items)
{
    f->direction = direction;
    f->at = from;
    f->left = items;
    f->wrapped = false;
    f->seeking = f->needle_len > 0 && from.item < transcript_items(f->in);
    if (f->seeking)
        enter_item(f);
}

static void show_match(struct find *f, size_t row, int col)
{
    f->seeking = false;
    f->found = true;
    f->match = (struct find_place){f->at.item, row, col};
    transcript_show(f->in, f->at.item, row);
}

static void leave_item(struct find *f)
{
    size_t n = transcript_items(f->in);

    if (f->opened == f->at.item + 1)
        close_opened(f);
    if (--f->left == 0) {
        f->seeking = false;
        return;
    }
    if (f->direction > 0) {
        f->wrapped |= f->at.item + 1 >= n;
        f->at = (struct find_place){f->at.item + 1 < n ? f->at.item + 1 : 0, 0, -1};
    } else {
        f->wrapped |= f->at.item == 0;
        f->at = (struct find_place){f->at.item > 0 ? f->at.item - 1 : n - 1, SIZE_MAX, LAST_COL};
    }
    enter_item(f);
}

/* Searches some lines of the current item in the search direction; returns their number. */
static int seek_lines(struct find *f)
{
    size_t rows = transcript_item_rows(f->in, f->at.item), first = f->at.row;
    int down = f->direction > 0, limit = f->at.col;

    if (first >= rows) {
        leave_item(f);
        return 0;
    }
    if (!down)
        first = first > LINES - SPAN - 1 ? first - (LINES - SPAN - 1) : 0;
    int n = transcript_draw_rows(f->in, f->at.item, first, &f->lines, LINES);
    struct view v = {&f->lines, 0, n, ITEM_GUTTER, f->lines.cols};
    int from = down ? 0 : (int)(f->at.row - first);
    int last = v.end == LINES ? LINES - SPAN : v.end;
    for (int row = from; row >= 0 && row < last; row += f->direction) {
        int col = match_in_row(f, &v, row, down ? limit : -1, down ? LAST_COL : limit);
        if (col >= 0) {
            show_match(f, first + (size_t)row, col);
            return v.end;
        }
        limit = down ? -1 : LAST_COL;
    }
    if (down ? first + (size_t)last < rows && last > 0 : first > 0)
        f->at = (struct find_place){f->at.item, down ? first + (size_t)last : first - 1, limit};
    else
        leave_item(f);
    return v.end;
}

void find_step(struct find *f)
{
    for (int times = 0, lines = 0; times < STEP_TIMES && lines < STEP_LINES && f->seeking;
         times++) {
        if (f->at.item >= transcript_items(f->in))
            f->seeking = false;
        else
            lines += seek_lines(f);
    }
}

/* Commands */

void find_begin(struct find *f)
{
    f->before = transcript_view(f->in);
    f->typing = true;
    f->found = false;
    f->opened = 0;
    f->field.replaced = f->unfolds = true;
}

void find_accept(struct find *f)
{
    f->typing = false;
    f->opened = 0;
}

void find_cancel(struct find *f)
{
    close_opened(f);
    find_forget(f);
    f->needle_len = 0;
    transcript_restore(f->in, &f->before);
}

void find_changed(struct find *f)
{
    close_opened(f);
    read_needle(f);
    f->found = false;
    begin_search(f, (struct find_place){f->before.item, f->before.row, -1}, 1,
                 transcript_items(f->in) + 1);
    find_step(f);
}

bool find_next(struct find *f, int direction)
{
    struct find_place from = f->match;

    if (f->needle_len == 0)
        return false;
    if (!f->found) {
        struct transcript_view view = transcript_view(f->in);
        from = (struct find_place){view.item, view.row, -1};
    }
    begin_search(f, from, direction, transcript_items(f->in) + 1);
    find_step(f);
    return true;
}

void find_in_message(struct find *f, int64_t id, bool unfold, const char *text)
{
    size_t item = transcript_index(f->in, id);

    find_forget(f);
    field_set(&f->field, text);
    read_needle(f);
    f->unfolds = false;
    if (item >= transcript_items(f->in))
        return;
    if (unfold)
        transcript_set_fold(f->in, item, UI_FOLD_OPEN);
    transcript_show(f->in, item, 0);
    begin_search(f, (struct find_place){item, 0, -1}, 1, 1);
    while (f->seeking)
        find_step(f);
    f->unfolds = true;
}

/* Drawing */

void find_highlight(const struct find *f, struct grid *g, struct area area)
{
    struct view v = {
        .g = g,
        .end = area.row + area.height,
        .left = area.col + ITEM_GUTTER,
        .right = area.col + area.width,
    };
    int here = f->found ? transcript_screen_row(f->in, f->match.item, f->match.row) : -1;

    if (f->needle_len == 0)
        return;
    for (int row = area.row; row < v.end; row++) {
        for (int at = line_begin(&v, row); at < v.right; at++) {
            int r = row, c = at;
            if (!matches_at(f, &v, &r, &c))
                continue;
            bool shown = row == here && at == area.col + f->match.col;
            uint8_t style = shown ? STYLE_SELECTED : STYLE_MATCH;
            for (int i = row; i <= r; i++) {
                int begin = i == row ? at : line_begin(&v, i), end = i == r ? c : line_end(&v, i);
                grid_restyle(g, i, begin, end - begin, style);
            }
            at = r == row ? c - 1 : v.right;
        }
    }
}

void find_draw(const struct find *f, struct grid *g, struct area at)
{
    struct bytes keys = {0};

    keymap_add_hint(f->keymap, &keys, IN_FIELD, ACT_CHOOSE, ACT_NONE, "keeps");
    keymap_add_hint(f->keymap, &keys, IN_ALL, ACT_CANCEL, ACT_NONE, "goes back");
    const char *state = f->needle_len == 0 ? bytes_string(&keys)
                        : f->seeking       ? "looking…"
                        : !f->found        ? "not found"
                        : f->wrapped       ? "search wrapped"
                                           : "found";
    int n = text_width(state, strlen(state));

    grid_blank(g, at);
    grid_label(g, at.row, at.col, 1, "/", STYLE_PROMPT);
    if (n + 20 <= at.width)
        grid_label(g, at.row, at.col + at.width - n - 1, n, state,
                   f->needle_len > 0 && !f->found && !f->seeking ? STYLE_WARN : STYLE_DIM);
    else
        n = 0;
    field_draw(&f->field, g, (struct area){at.row, at.col + 2, 1, at.width - n - 5}, STYLE_TEXT);
    bytes_free(&keys);
}
