/*
 * rows.c: wraps a draft into rows. A chip has the width of its label and is never broken.
 */
#include "editor/rows.h"
#include "text/array.h"
#include "text/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void rows_done(struct rows *r)
{
    free(r->start);
    *r = (struct rows){0};
}

static int label_width(const struct rows *r, const struct chip *chip)
{
    int n = text_width(chip->label, strlen(chip->label));
    return n < r->width ? n : r->width;
}

/* The cluster at pos < end; if it is a chip, that is returned, else NULL. */
static const struct chip *next(const struct rows *r, const struct editor *e, size_t pos, size_t end,
                               struct text_cluster *out)
{
    const char *s = e->text.data + pos;
    const struct chip *chip = chips_find(r->chips, s, end - pos);

    if (!chip) {
        text_next(s, end - pos, out);
        return NULL;
    }
    *out = (struct text_cluster){
        .len = CHIP_PLACEHOLDER, .width = label_width(r, chip), .cp = {' '}};
    return chip;
}

/* Like text_wrap(), for a text from pos to the end of its line that contains chips. */
static size_t wrap_chips(const struct rows *r, const struct editor *e, size_t pos, size_t end)
{
    struct text_cluster c, prev = {.cp = {0}};
    size_t best = pos;
    bool after_chip = false;
    int used = 0;

    for (size_t i = pos; i < end; i += c.len) {
        bool is_chip = next(r, e, i, end, &c) != NULL;
        if (i > pos && (is_chip || after_chip || text_breaks_before(&prev, &c)))
            best = i;
        if ((is_chip || !text_is_space(&c)) && i > pos && used + c.width > r->width)
            return (best > pos ? best : i) - pos;
        used += c.width;
        prev = c;
        after_chip = is_chip;
    }
    return end - pos;
}

static size_t wrap(const struct rows *r, const struct editor *e, size_t pos, size_t end)
{
    const char *s = e->text.data + pos;
    uint32_t marks = 0;
    size_t n = text_wrap(s, end - pos, r->width);

    /* A label may be narrower or wider than its placeholder: check one more row. */
    size_t ahead = n + (size_t)r->width * 4;
    chips_mark(s, ahead < end - pos ? ahead : end - pos, &marks);
    return marks ? wrap_chips(r, e, pos, end) : n;
}

static bool add_row(struct rows *r, size_t start)
{
    size_t *rows = array_grow(r->start, r->n, &r->cap, sizeof *rows);
    if (!rows)
        return false;
    r->start = rows;
    r->start[r->n++] = start;
    return true;
}

size_t rows_at(const struct rows *r, size_t pos)
{
    size_t low = 0, high = r->n;
    while (low + 1 < high) {
        size_t middle = (low + high) / 2;
        if (r->start[middle] <= pos)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Where a row ends, without its newline. */
static size_t end_of(const struct rows *r, const struct editor *e, size_t row)
{
    const struct bytes *text = &e->text;
    if (row + 1 >= r->n)
        return text->len;
    size_t end = r->start[row + 1];
    return text->data[end - 1] == '\n' ? end - 1 : end;
}

/* Starts at the row before the first change: a word that got shorter may move up to it. */
void rows_update(struct rows *r, struct editor *e, int width)
{
    bool other_width = r->width != width;
    size_t pos = 0;

    if (!other_width && e->changed_from == SIZE_MAX)
        return;
    if (other_width || r->n == 0) {
        r->n = 0;
    } else {
        size_t row = rows_at(r, e->changed_from);
        r->n = row > 0 ? row - 1 : 0;
        if (r->n > 0 || row > 0)
            pos = r->start[r->n];
    }
    r->width = width;
    e->changed_from = SIZE_MAX;
    for (size_t end = editor_line_end(e, pos); add_row(r, pos);) {
        pos += pos < end ? wrap(r, e, pos, end) : 0;
        if (pos == e->text.len)
            break;
        if (pos == end)
            end = editor_line_end(e, ++pos);
    }
}

int rows_column(const struct rows *r, const struct editor *e, size_t row, size_t pos)
{
    struct text_cluster c;
    int column = 0;
    for (size_t i = r->start[row]; i < pos; i += c.len) {
        next(r, e, i, pos, &c);
        column += c.width;
    }
    return column;
}

size_t rows_fit(const struct rows *r, const struct editor *e, size_t row, int column)
{
    size_t pos = r->start[row], end = end_of(r, e, row), before = pos;
    struct text_cluster c;
    int used = 0;

    while (pos < end) {
        next(r, e, pos, end, &c);
        if (used + c.width > column)
            break;
        used += c.width;
        before = pos;
        pos += c.len;
    }
    /* The end of a wrapped row is the start of the next. */
    return pos == end && row + 1 < r->n && r->start[row + 1] == end ? before : pos;
}

/* Draws the text up to the next chip, or the chip; returns the end position. */
static size_t draw_part(const struct rows *r, const struct editor *e, size_t pos, size_t end,
                        struct grid *g, struct area *at)
{
    const char *s = e->text.data;
    const struct chip *chip = chips_find(r->chips, s + pos, end - pos);
    int used;

    if (chip) {
        int n = label_width(r, chip);
        used = grid_label(g, at->row, at->col, n < at->width ? n : at->width, chip->label,
                          STYLE_KEY);
        end = pos + CHIP_PLACEHOLDER;
    } else {
        size_t stop = pos + 1;
        while (stop < end && !chips_find(r->chips, s + stop, end - stop))
            stop++;
        end = stop;
        used = grid_text(g, *at, s + pos, end - pos, STYLE_TEXT);
    }
    at->col += used;
    at->width -= used;
    return end;
}

void rows_draw(const struct rows *r, const struct editor *e, size_t row, struct grid *g,
               struct area at, const size_t selection[2])
{
    size_t start = r->start[row], end = end_of(r, e, row);
    struct area rest = at;

    for (size_t pos = start; pos < end && rest.width > 0;)
        pos = draw_part(r, e, pos, end, g, &rest);
    size_t from = selection[0] > start ? selection[0] : start;
    size_t to = selection[1] < end ? selection[1] : end;
    bool empty_line = selection[0] <= start && end < selection[1]; /* it shows a cell */
    if (from < to || empty_line) {
        int a = rows_column(r, e, row, from > end ? end : from);
        int b = from < to ? rows_column(r, e, row, to) : a + 1;
        grid_restyle(g, at.row, at.col + a, (b < at.width ? b : at.width) - a, STYLE_SELECTED);
    }
}
