/*
 * table_box.c: sizes and positions of matrices, cases and aligned lines.
 */
#include "math/tree.h"
#include "text/array.h"

#include <stdlib.h>
#include <string.h>

struct columns {
    int n;
    int width[MATH_COLUMNS_MAX], gap[MATH_COLUMNS_MAX]; /* the gap is the one before it */
    int x[MATH_COLUMNS_MAX];
    char align[MATH_COLUMNS_MAX];
    bool bar[MATH_COLUMNS_MAX + 1]; /* an upright line before it */
};

static struct math_node *at(struct math_sizer *z, int node)
{
    return &z->t->nodes[node];
}

static int max(int a, int b)
{
    return a > b ? a : b;
}

static bool is_number(struct math_sizer *z, int cell)
{
    int i = at(z, cell)->a;
    if (i && (at(z, i)->cp == '-' || at(z, i)->cp == '+'))
        i = at(z, i)->next;
    return i && at(z, i)->number && !at(z, i)->next;
}

/* Numbers in a column are right-aligned. */
static char matrix_align(struct math_sizer *z, int table, int column)
{
    int numbers = 0;
    for (int line = at(z, table)->a; line; line = at(z, line)->next) {
        int cell = at(z, line)->a;
        for (int i = 0; cell && i < column; i++)
            cell = at(z, cell)->next;
        if (!cell || !at(z, cell)->a)
            continue;
        if (!is_number(z, cell))
            return 'c';
        numbers++;
    }
    return numbers > 0 ? 'r' : 'c';
}

static void align_as_given(struct math_sizer *z, int table, struct columns *c)
{
    const char *spec = z->t->text.data + at(z, table)->text;
    int n = 0;
    for (size_t i = 0; i < at(z, table)->len && n < MATH_COLUMNS_MAX; i++) {
        if (spec[i] == '|')
            c->bar[n] = true;
        else
            c->align[n++] = spec[i];
    }
}

static void set_aligns(struct math_sizer *z, int table, struct columns *c)
{
    int form = at(z, table)->form;
    for (int i = 0; i < c->n; i++) {
        c->gap[i] = i == 0 ? 0 : 2;
        switch (form) {
        case TABLE_MATRIX: c->align[i] = matrix_align(z, table, i); break;
        case TABLE_CASES: c->align[i] = 'l'; break;
        case TABLE_ALIGNED:
            c->align[i] = i % 2 == 0 && c->n > 1 ? 'r' : 'l';
            c->gap[i] = i == 0 ? 0 : i % 2 == 0 ? 4 : 0;
            break;
        default: c->align[i] = 'c'; break;
        }
    }
    if (form == TABLE_ARRAY)
        align_as_given(z, table, c);
}

static int last_of(struct math_sizer *z, int row)
{
    int i = at(z, row)->a;
    while (i && at(z, i)->next)
        i = at(z, i)->next;
    return i;
}

/* Sizes every cell; a line is as tall as its tallest cell. */
static void size_cells(struct math_sizer *z, int table, enum math_manner manner, struct columns *c)
{
    bool aligned = at(z, table)->form == TABLE_ALIGNED;
    for (int line = at(z, table)->a; line && !z->failed; line = at(z, line)->next) {
        int column = 0, before = 0, up = 0, down = 0;
        for (int cell = at(z, line)->a; cell; cell = at(z, cell)->next, column++) {
            math_size(z, cell, manner);
            if (aligned && column % 2 == 1)
                c->gap[column] = max(c->gap[column],
                                     math_gap(z->t, last_of(z, before), at(z, cell)->a, false));
            c->width[column] = max(c->width[column], at(z, cell)->box.width);
            up = max(up, at(z, cell)->box.up);
            down = max(down, at(z, cell)->box.down);
            before = cell;
        }
        if (at(z, line)->b)
            math_size(z, at(z, line)->b, manner);
        at(z, line)->box.up = up;
        at(z, line)->box.down = down;
    }
}

static int set_columns(struct columns *c)
{
    int x = 0;
    for (int i = 0; i < c->n; i++) {
        if (c->bar[i])
            x += i == 0 ? 2 : 1; /* room for the rule and a blank on each side */
        x += c->gap[i];
        c->x[i] = x;
        x += c->width[i];
    }
    return x + (c->bar[c->n] ? 2 : 0);
}

static void add_rule(struct math_sizer *z, int table, struct math_box box, bool upright)
{
    struct math_tree *t = z->t;
    struct math_node *nodes = array_grow(t->nodes, t->n, &t->cap, sizeof *nodes);

    if (!nodes) {
        z->failed = true;
        return;
    }
    t->nodes = nodes;
    t->nodes[t->n] = (struct math_node){
        .kind = MATH_RULE, .form = upright, .box = box, .next = t->nodes[table].b};
    t->nodes[table].b = (int32_t)t->n++;
}

/* Rows between two lines: tall lines are spaced apart. */
static int line_gap(struct math_sizer *z, int table, int line)
{
    int next = at(z, line)->next;
    const struct math_node *t = at(z, table);
    if (next == 0)
        return 0;
    bool flat = math_height(z->t, line) == 1 && math_height(z->t, next) == 1;
    if (!flat)
        return t->form != TABLE_LINES;
    bool two = t->a == line && at(z, next)->next == 0 && !at(z, next)->form;
    return t->tall && two; /* for the baseline between them */
}

static void place_cells(struct math_sizer *z, int line, const struct columns *c, int y)
{
    int column = 0;
    for (int cell = at(z, line)->a; cell; cell = at(z, cell)->next, column++) {
        int room = c->width[column] - at(z, cell)->box.width;
        char align = c->align[column];
        at(z, cell)->box.x = c->x[column] + (align == 'r' ? room : align == 'l' ? 0 : room / 2);
        at(z, cell)->box.y = y;
    }
}

void math_size_table(struct math_sizer *z, int table, enum math_manner manner)
{
    struct columns c = {0};
    bool lines = at(z, table)->form == TABLE_ALIGNED || at(z, table)->form == TABLE_LINES;
    int y = 0, width, tags = 0;

    for (int line = at(z, table)->a; line; line = at(z, line)->next) {
        int n = 0;
        for (int cell = at(z, line)->a; cell; cell = at(z, cell)->next)
            n++;
        c.n = max(c.n, n);
    }
    set_aligns(z, table, &c);
    size_cells(z, table, lines || manner == MANNER_SCRIPT ? manner : MANNER_CELL, &c);
    width = set_columns(&c);
    for (int line = at(z, table)->a; line && !z->failed; line = at(z, line)->next) {
        if (at(z, line)->form)
            add_rule(z, table, (struct math_box){.width = width, .y = y++}, false);
        int cell = at(z, line)->a; /* an empty line after the last rule does not count */
        bool empty = at(z, line)->form && !at(z, line)->next && !at(z, cell)->a &&
                     !at(z, cell)->next;
        place_cells(z, line, &c, y + at(z, line)->box.up);
        if (at(z, line)->b) {
            struct math_box *tag = &at(z, at(z, line)->b)->box;
            tag->x = width + 4;
            tag->y = y + at(z, line)->box.up;
            tags = max(tags, tag->width + 4);
        }
        y += empty ? 0 : math_height(z->t, line) + line_gap(z, table, line);
    }
    for (int i = 0; i <= c.n && !z->failed; i++)
        if (c.bar[i]) {
            int x = i == c.n ? width - 1 : i == 0 ? 0 : c.x[i] - 2;
            add_rule(z, table, (struct math_box){.x = x, .width = 1, .down = y - 1}, true);
        }
    /* The baseline of the table is its middle row. */
    int middle = (y - 1) / 2;
    for (int line = at(z, table)->a; line; line = at(z, line)->next) {
        for (int cell = at(z, line)->a; cell; cell = at(z, cell)->next)
            at(z, cell)->box.y -= middle;
        if (at(z, line)->b)
            at(z, at(z, line)->b)->box.y -= middle;
    }
    for (int rule = at(z, table)->b; rule; rule = at(z, rule)->next)
        at(z, rule)->box.y -= middle;
    at(z, table)->box = (struct math_box){
        .width = width + tags, .up = middle, .down = y - 1 - middle};
    if (width + tags > MATH_CELLS_MAX || y > MATH_ROWS_MAX)
        z->failed = true;
}
