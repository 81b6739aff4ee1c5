/*
 * math.c: lays out a formula from source to rows.
 */
#include "math/math.h"
#include "math/tree.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

struct math {
    int rows, width, baseline;
    struct bytes text; /* the rows, each ended by a NUL */
    size_t *starts;    /* offsets of the rows, and of the end */
};

/* Rows are measured with text.h, since callers draw them through it. */
static bool is_even(const struct math *m)
{
    for (int i = 0; i < m->rows; i++) {
        size_t len;
        const char *row = math_row(m, i, &len);
        if (text_width(row, len) != m->width)
            return false;
    }
    return true;
}

bool math_add_drawn(struct bytes *out, const char *s, size_t len)
{
    struct text_cluster c;
    char utf8[4];
    for (size_t i = 0; i < len; i += c.len) {
        text_next(s + i, len - i, &c);
        for (int j = 0; j < c.n; j++)
            if (!bytes_add(out, utf8, text_encode(c.cp[j] == '\t' ? ' ' : c.cp[j], utf8)))
                return false;
    }
    return true;
}

static bool layout_inline(struct math *m, const struct math_tree *t)
{
    struct bytes line = {0};
    bool done = math_line(t, t->root, false, &line) && line.len > 0 &&
                math_add_drawn(&m->text, line.data, line.len);
    bytes_free(&line);
    if (!done)
        return false;
    m->rows = 1;
    m->starts[0] = 0;
    m->starts[1] = m->text.len + 1;
    m->width = text_width(m->text.data, m->text.len);
    return m->width <= MATH_CELLS_MAX;
}

struct math *math_layout(const char *tex, size_t len, enum math_style style, bool ascii)
{
    struct math_tree t = {0};
    struct math *m = calloc(1, sizeof *m);
    bool done = m && (m->starts = calloc(MATH_ROWS_MAX + 1, sizeof *m->starts)) &&
                math_parse(&t, tex, len, ascii);

    if (done && style == MATH_INLINE)
        done = layout_inline(m, &t);
    else if (done)
        done = math_draw(&t, &m->text, m->starts, &m->rows, &m->baseline, &m->width);
    math_tree_free(&t);
    if (done && m->width > 0 && is_even(m))
        return m;
    math_free(m);
    return NULL;
}

void math_free(struct math *m)
{
    if (!m)
        return;
    bytes_free(&m->text);
    free(m->starts);
    free(m);
}

int math_rows(const struct math *m)
{
    return m->rows;
}

int math_width(const struct math *m)
{
    return m->width;
}

int math_baseline(const struct math *m)
{
    return m->baseline;
}

const char *math_row(const struct math *m, int row, size_t *len_out)
{
    *len_out = m->starts[row + 1] - m->starts[row] - 1;
    return m->text.data + m->starts[row];
}
