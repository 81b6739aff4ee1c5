/*
 * table.c: see table.h. A row is laid out as cells side by side, each a narrow column of lines.
 */
#include "markdown/table.h"
#include "text/array.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_MIN = 8,   /* minimum width of a column */
    COLUMN_WIDE = 30, /* maximum width in a table that scrolls */
    BETWEEN = 3,      /* gap between columns */
};

void table_free(struct table *t)
{
    for (size_t i = 0; i < t->n; i++)
        runs_free(&t->cells[i].runs);
    free(t->cells);
    *t = (struct table){0};
}

bool table_add(struct table *t, struct runs *runs, enum table_align align)
{
    struct table_cell *cells = array_grow(t->cells, t->n, &t->cap, sizeof *cells);
    if (!cells)
        return false;
    t->cells = cells;
    t->cells[t->n++] = (struct table_cell){*runs, align};
    *runs = (struct runs){0};
    return true;
}

/* Columns */

static int natural_width(const struct table *t, int column)
{
    int widest = 1;
    for (size_t i = (size_t)column; i < t->n; i += (size_t)t->columns) {
        const struct runs *runs = &t->cells[i].runs;
        int width = text_width(bytes_string(&runs->text), runs->text.len);
        widest = width > widest ? width : widest;
    }
    return widest;
}

static int sum_under(const struct table_columns *c, int most)
{
    int sum = BETWEEN * (c->n - 1);
    for (int i = 0; i < c->n; i++)
        sum += c->width[i] < most ? c->width[i] : most;
    return sum;
}

/* Narrows the widest columns until the table fits or has to scroll; false: everything fits. */
static bool fit_columns(struct table_columns *c, int room)
{
    int most = COLUMN_MIN;

    if (sum_under(c, room) <= room)
        return false;
    if (sum_under(c, COLUMN_MIN) > room)
        most = COLUMN_WIDE;
    else
        while (sum_under(c, most + 1) <= room)
            most++;
    int spare = room - sum_under(c, most);
    for (int i = 0; i < c->n; i++)
        if (c->width[i] > most) {
            c->width[i] = (uint16_t)(most + (spare > 0));
            spare -= spare > 0;
        }
    return true;
}

/* Width that a column's text needs when wrapped. */
static int wrapped_width(const struct table *t, int column, int width)
{
    int widest = 1;
    for (size_t i = (size_t)column; i < t->n; i += (size_t)t->columns) {
        struct lines l = {.n = 0};
        runs_layout(&t->cells[i].runs, 0, &l, NULL, width);
        for (size_t k = 0; k < l.n; k++) {
            size_t begin = l.lines[k].text;
            int used = text_width(l.text.data + begin, lines_text_end(&l, k) - begin);
            widest = used > widest ? used : widest;
        }
        lines_free(&l);
    }
    return widest;
}

static void set_columns(const struct table *t, int room, struct table_columns *c)
{
    c->n = t->columns;
    for (int i = 0; i < c->n; i++) {
        int width = natural_width(t, i);
        c->width[i] = (uint16_t)(width < UINT16_MAX / 2 ? width : UINT16_MAX / 2);
    }
    if (fit_columns(c, room))
        for (int i = 0; i < c->n; i++)
            c->width[i] = (uint16_t)wrapped_width(t, i, c->width[i]);
}

/* Rows */

/* Line n of a cell, padded to the width of its column. */
static void put_cell(const struct lines *cell, size_t n, enum table_align align, int width,
                     bool last, struct lines *l)
{
    int used = 0, before = 0;
    size_t begin = 0;
    const struct line *line = n < cell->n ? &cell->lines[n] : NULL;

    if (line) {
        used = text_width(cell->text.data + line->text, lines_text_end(cell, n) - line->text);
        if (align != TABLE_LEFT && used < width)
            before = align == TABLE_RIGHT ? width - used : (width - used) / 2;
        lines_spaces(l, before, STYLE_TEXT);
        for (size_t i = line->span; i < lines_span_end(cell, n); i++) {
            const char *s = cell->text.data + line->text + begin;
            size_t bytes = cell->spans[i].end - begin;
            lines_put(l, s, bytes, text_width(s, bytes), cell->spans[i].style);
            begin = cell->spans[i].end;
        }
    }
    if (!last)
        lines_spaces(l, width - used - before, STYLE_TEXT);
}

static void layout_row(const struct table *t, size_t first, struct lines *l, struct margin *margin,
                       int width, const struct table_columns *c)
{
    struct lines cells[TABLE_COLUMNS_MAX] = {{.n = 0}};
    size_t height = 1;

    for (int i = 0; i < c->n; i++) {
        runs_layout(&t->cells[first + (size_t)i].runs, 0, &cells[i], NULL, c->width[i]);
        height = cells[i].n > height ? cells[i].n : height;
        l->failed = l->failed || cells[i].failed;
    }
    for (size_t n = 0; n < height; n++) {
        lines_begin(l, margin);
        for (int i = 0; i < c->n; i++) {
            if (i > 0)
                lines_label(l, " │ ", STYLE_RULE);
            put_cell(&cells[i], n, t->cells[first + (size_t)i].align, c->width[i], i == c->n - 1,
                     l);
        }
        lines_end_wide(l, width);
    }
    for (int i = 0; i < c->n; i++)
        lines_free(&cells[i]);
}

static void layout_rule(struct lines *l, struct margin *margin, int width,
                        const struct table_columns *c)
{
    lines_begin(l, margin);
    for (int i = 0; i < c->n; i++) {
        if (i > 0)
            lines_label(l, "─┼─", STYLE_RULE);
        for (int n = 0; n < c->width[i]; n++)
            lines_put(l, "─", strlen("─"), 1, STYLE_RULE);
    }
    lines_end_wide(l, width);
}

void table_layout(const struct table *t, struct lines *l, struct margin *margin, int width,
                  bool continues, struct table_columns *columns)
{
    size_t n = (size_t)t->columns;

    if (n == 0)
        return;
    if (!continues || columns->n != t->columns)
        set_columns(t, width - margin_columns(margin), columns);
    for (size_t first = 0; first + n <= t->n; first += n) {
        if (continues && first == 0)
            continue;
        layout_row(t, first, l, margin, width, columns);
        if (first == 0)
            layout_rule(l, margin, width, columns);
    }
}
