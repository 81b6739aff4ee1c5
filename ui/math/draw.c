/*
 * draw.c: draws boxes as rows of characters.
 */
#include "math/tree.h"
#include "text/text.h"

#include <stdlib.h>
#include <string.h>

struct cell {
    uint32_t cp[1 + TEXT_MARKS]; /* 0 first: the second half of a wide character */
};

struct canvas {
    struct math_tree *t;
    int rows, columns;
    struct cell *cells;
};

static const struct math_node *at(const struct canvas *g, int node)
{
    return &g->t->nodes[node];
}

static struct cell *cell_at(const struct canvas *g, int row, int column)
{
    if (row < 0 || row >= g->rows || column < 0 || column >= g->columns)
        return NULL;
    return &g->cells[(size_t)row * (size_t)g->columns + (size_t)column];
}

static void put_cp(const struct canvas *g, int row, int column, uint32_t cp)
{
    struct cell *cell = cell_at(g, row, column);
    if (cell)
        *cell = (struct cell){.cp = {cp}};
}

static void put_text(const struct canvas *g, int row, int column, const char *s, size_t len)
{
    struct text_cluster c;
    for (size_t i = 0; i < len; i += c.len) {
        int marks = 0, before = column;
        text_next(s + i, len - i, &c);
        for (int j = 0; j < c.n; j++) {
            int columns = text_columns(c.cp[j]);
            struct cell *cell = cell_at(g, row, columns == 0 ? before : column);
            if (cell && columns == 0 && marks < TEXT_MARKS)
                cell->cp[1 + marks++] = c.cp[j];
            if (columns == 0)
                continue;
            put_cp(g, row, column, c.cp[j] == '\t' ? ' ' : c.cp[j]);
            if (columns == 2)
                put_cp(g, row, column + 1, 0);
            before = column;
            column += columns;
            marks = 0;
        }
    }
}

static void put(const struct canvas *g, int row, int column, const char *s)
{
    put_text(g, row, column, s, strlen(s));
}

/* Repeats a character n times to the right. */
static void put_run(const struct canvas *g, int row, int column, int n, const char *utf8,
                    const char *ascii)
{
    while (n-- > 0)
        put(g, row, column++, g->t->ascii ? ascii : utf8);
}

static void put_own_text(const struct canvas *g, int node, int row, int column)
{
    put_text(g, row, column, g->t->text.data + at(g, node)->text, at(g, node)->len);
}

/* Brackets assembled from pieces. */
static const struct bracket {
    const char *name, *top, *more, *middle, *bottom;
} brackets[] = {
    {"(", "⎛", "⎜", "⎜", "⎝"}, {")", "⎞", "⎟", "⎟", "⎠"}, {"[", "⎡", "⎢", "⎢", "⎣"},
    {"]", "⎤", "⎥", "⎥", "⎦"}, {"{", "⎧", "⎪", "⎨", "⎩"}, {"}", "⎫", "⎪", "⎬", "⎭"},
    {"⌊", "⎢", "⎢", "⎢", "⎣"}, {"⌋", "⎥", "⎥", "⎥", "⎦"}, {"⌈", "⎡", "⎢", "⎢", "⎢"},
    {"⌉", "⎤", "⎥", "⎥", "⎥"}, {"|", "│", "│", "│", "│"}, {"‖", "║", "║", "║", "║"},
    {"⟦", "⟦", "⟦", "⟦", "⟦"}, {"⟧", "⟧", "⟧", "⟧", "⟧"}, {"↑", "↑", "│", "│", "│"},
    {"↓", "│", "│", "│", "↓"},
};

/* ⟨ and ⟩: slanting lines that meet at the middle row. */
static void draw_angle(const struct canvas *g, bool left, int top, int rows, int column)
{
    int width = (rows + 1) / 2;
    for (int i = 0; i < rows; i++) {
        int away = i < rows / 2 ? (rows - 1) / 2 - i : i - rows / 2;
        bool upper = i < rows / 2, middle = rows % 2 && i == rows / 2;
        const char *line = upper == left ? "╱" : "╲", *point = left ? "⟨" : "⟩";
        put(g, top + i, left ? column + away : column + width - 1 - away, middle ? point : line);
    }
}

static void draw_bracket(const struct canvas *g, int node, int row, int column)
{
    const struct math_node *n = at(g, node);
    const char *text = g->t->text.data + n->text;
    int top = row - n->box.up, rows = math_height(g->t, node);
    const struct bracket *b = NULL;

    bool word = n->symbol && (strstr(n->symbol->name, "floor") || strstr(n->symbol->name, "ceil"));
    if (rows == 1 || !n->symbol || (g->t->ascii && (word || (n->len > 1 && text[0] != '|')))) {
        put_own_text(g, node, row, column);
        return;
    }
    for (size_t i = 0; i < sizeof brackets / sizeof *brackets; i++)
        if (strcmp(brackets[i].name, n->symbol->text) == 0)
            b = &brackets[i];
    bool angle = strcmp(n->symbol->text, "⟨") == 0 || strcmp(n->symbol->text, "⟩") == 0;
    if (angle && !g->t->ascii) {
        draw_angle(g, strcmp(n->symbol->text, "⟨") == 0, top, rows, column);
        return;
    }
    for (int i = 0; i < rows; i++) {
        bool middle = i == n->box.up && i > 0 && i < rows - 1;
        if (g->t->ascii || !b)
            put_own_text(g, node, top + i, column);
        else
            put(g, top + i, column,
                i == 0          ? b->top
                : i == rows - 1 ? b->bottom
                : middle        ? b->middle
                                : b->more);
    }
    bool brace = b && (b->name[0] == '{' || b->name[0] == '}');
    if (brace && !g->t->ascii && (rows == 2 || n->box.up == 0 || n->box.down == 0)) {
        bool left = b->name[0] == '{';
        put(g, top, column, left ? "⎰" : "⎱");
        for (int i = 1; i < rows - 1; i++)
            put(g, top + i, column, "⎪");
        put(g, top + rows - 1, column, left ? "⎱" : "⎰");
    }
}

static void draw_atom(const struct canvas *g, int node, int row, int column)
{
    int columns;
    const struct math_node *n = at(g, node);
    if (n->tall && n->class != CLASS_BIG) {
        draw_bracket(g, node, row, column);
    } else if (n->tall) {
        const char *const *rows = math_tall_sign(g->t, node, &columns);
        for (int i = 0; i < 3; i++)
            put(g, row - 1 + i, column, rows[i]);
    } else {
        put_own_text(g, node, row, column);
    }
}

static void draw_root(const struct canvas *g, const struct math_node *n, int row, int column)
{
    struct math_box of = at(g, n->a)->box;
    int left = column + of.x, top = row - of.up - 1;
    if (of.up + of.down == 0) {
        put(g, row, left - 1, "√");
        put_run(g, top, left, of.width, "_", "_");
        return;
    }
    for (int r = row - of.up; r <= row + of.down; r++)
        put_run(g, r, left - 2, 1, "│", "|");
    put_run(g, row + of.down, left - 3, 1, "╲", "\\");
    put_run(g, top, left - 2, 1, "┌", " ");
    put_run(g, top, left - 1, of.width + 1, "─", "_");
}

static void draw_accent(const struct canvas *g, const struct math_node *n, int row, int column)
{
    const char *wide = math_accent(n->cp)->wide;
    int width = n->box.width, top = row - n->box.up, mark = text_width(wide, strlen(wide));
    if (n->cp == 0x304) {
        put_run(g, top, column, width, "_", "_");
    } else if (n->cp == 0x20d7 || n->cp == 0x20d6 || n->cp == 0x20e1) {
        put_run(g, top, column, width, "─", "-");
        if (n->cp != 0x20d6)
            put_run(g, top, column + width - 1, 1, "→", ">");
        if (n->cp != 0x20d7)
            put_run(g, top, column, 1, "←", "<");
    } else {
        put(g, top, column + (width - mark) / 2, wide);
    }
}

static void draw_brace(const struct canvas *g, const struct math_node *n, int row, int column)
{
    bool over = n->form == SIDE_OVER;
    int width = n->box.width, at_row = over ? row - n->box.up : row + n->box.down;
    if (width < 3) {
        put_run(g, at_row, column, width, over ? "⏞" : "⏟", over ? "^" : "v");
        return;
    }
    put_run(g, at_row, column, width, "─", "-");
    put_run(g, at_row, column, 1, over ? "╭" : "╰", over ? "/" : "\\");
    put_run(g, at_row, column + width - 1, 1, over ? "╮" : "╯", over ? "\\" : "/");
    put_run(g, at_row, column + (width - 1) / 2, 1, over ? "┴" : "┬", over ? "^" : "v");
}

static void draw_box(const struct canvas *g, const struct math_box *box, int row, int column)
{
    int top = row - box->up, bottom = row + box->down, right = column + box->width - 1;
    put_run(g, top, column, box->width, "─", "-");
    put_run(g, bottom, column, box->width, "─", "-");
    for (int r = top + 1; r < bottom; r++) {
        put_run(g, r, column, 1, "│", "|");
        put_run(g, r, right, 1, "│", "|");
    }
    put_run(g, top, column, 1, "┌", "+");
    put_run(g, top, right, 1, "┐", "+");
    put_run(g, bottom, column, 1, "└", "+");
    put_run(g, bottom, right, 1, "┘", "+");
}

static void draw_arrow(const struct canvas *g, const struct math_node *n, int row, int column)
{
    const struct math_symbol *symbol = at(g, n->c)->symbol;
    const char *text = symbol ? symbol->text : "→";
    bool twice = strcmp(text, "⇒") == 0 || strcmp(text, "⇐") == 0;
    bool left = strcmp(text, "←") == 0 || strcmp(text, "⇐") == 0, both = strcmp(text, "↔") == 0;
    int last = column + n->box.width - 1;
    put_run(g, row, column, n->box.width, twice ? "═" : "─", twice ? "=" : "-");
    if (left || both)
        put_run(g, row, column, 1, both ? "←" : text, "<");
    if (!left)
        put_run(g, row, last, 1, both ? "→" : strcmp(text, "↦") == 0 ? "→" : text, ">");
    if (strcmp(text, "↦") == 0)
        put_run(g, row, column, 1, "├", "|");
    if (strcmp(text, "↪") == 0) {
        put_run(g, row, column, 1, "╰", "-");
        put_run(g, row, last, 1, "→", ">");
    }
}

static void draw_rule(const struct canvas *g, const struct math_node *n, int row, int column)
{
    if (!n->form) {
        put_run(g, row, column, n->box.width, "─", "-");
        return;
    }
    for (int r = row; r <= row + n->box.down; r++)
        put_run(g, r, column, 1, "│", "|");
}

/* Joins an upright rule and a horizontal one. */
static void draw_crossing(const struct canvas *g, const struct math_box *upright,
                          const struct math_box *level, int row, int column)
{
    static const char *const joints[] = {"─", "╴", "╶", "─", "╵", "┘", "└", "┴",
                                         "╷", "┐", "┌", "┬", "│", "┤", "├", "┼"};
    int left = upright->x > level->x, right = upright->x < level->x + level->width - 1;
    int up = level->y > upright->y, down = level->y < upright->y + upright->down;
    put_run(g, row + level->y, column + upright->x, 1, joints[left + 2 * right + 4 * up + 8 * down],
            "+");
}

static void draw_crossings(const struct canvas *g, int first, int row, int column)
{
    for (int i = first; i; i = at(g, i)->next)
        for (int j = first; at(g, i)->form && j; j = at(g, j)->next)
            if (!at(g, j)->form)
                draw_crossing(g, &at(g, i)->box, &at(g, j)->box, row, column);
}

static void strike(const struct canvas *g, const struct math_box *box, int row, int column)
{
    for (int r = row - box->up; r <= row + box->down; r++)
        for (int c = column; c < column + box->width; c++) {
            struct cell *cell = cell_at(g, r, c);
            if (cell && cell->cp[0] != ' ' && cell->cp[0] != 0 && !cell->cp[TEXT_MARKS])
                for (int i = 1; i <= TEXT_MARKS; i++)
                    if (cell->cp[i] == 0) {
                        cell->cp[i] = 0x338;
                        break;
                    }
        }
}

static void draw(const struct canvas *g, int node, int row, int column);

static void draw_all(const struct canvas *g, int first, int row, int column)
{
    for (int i = first; i; i = at(g, i)->next)
        draw(g, i, row, column);
}

static void draw_parts(const struct canvas *g, int node, int row, int column)
{
    const struct math_node *n = at(g, node);
    switch (n->kind) {
    case MATH_FRACTION:
        if (n->form == FRACTION_PLAIN)
            put_run(g, row, column, n->box.width, "─", "-");
        break;
    case MATH_ROOT: draw_root(g, n, row, column); break;
    case MATH_ACCENT: draw_accent(g, n, row, column); break;
    case MATH_BAR:
        if (n->form == SIDE_OVER)
            put_run(g, row - n->box.up, column, n->box.width, "_", "_");
        else
            put_run(g, row + n->box.down, column, n->box.width, "‾", "-");
        break;
    case MATH_BRACE: draw_brace(g, n, row, column); break;
    case MATH_BOXED: draw_box(g, &n->box, row, column); break;
    case MATH_ARROW: draw_arrow(g, n, row, column); break;
    default: break;
    }
    draw_all(g, n->a, row, column);
    if (n->kind == MATH_CANCEL)
        strike(g, &n->box, row, column);
    if (n->b)
        draw_all(g, n->b, row, column);
    if (n->c && n->kind != MATH_ARROW)
        draw(g, n->c, row, column);
}

/* Draws a node; row and column are those of its parent's baseline. */
static void draw(const struct canvas *g, int node, int row, int column)
{
    const struct math_node *n = at(g, node);
    row += n->box.y;
    column += n->box.x;
    if (n->kind == MATH_SPACE || n->kind == MATH_PHANTOM)
        return;
    if (n->kind == MATH_ATOM && n->tall)
        draw_atom(g, node, row, column);
    else if (n->single || n->kind == MATH_ATOM)
        put_own_text(g, node, row, column);
    else if (n->kind == MATH_RULE)
        draw_rule(g, n, row, column);
    else if (n->kind == MATH_TABLE) {
        for (int line = n->a; line; line = at(g, line)->next) {
            draw_all(g, at(g, line)->a, row, column);
            if (at(g, line)->b)
                draw(g, at(g, line)->b, row, column);
        }
        draw_all(g, n->b, row, column);
        draw_crossings(g, n->b, row, column);
    } else {
        draw_parts(g, node, row, column);
    }
}

static bool write_row(const struct canvas *g, int row, struct bytes *text)
{
    for (int c = 0; c < g->columns; c++) {
        const struct cell *cell = cell_at(g, row, c);
        for (int i = 0; i <= TEXT_MARKS && cell->cp[i]; i++) {
            char utf8[4];
            if (!bytes_add(text, utf8, text_encode(cell->cp[i], utf8)))
                return false;
        }
    }
    return bytes_add(text, "", 1);
}

bool math_draw(struct math_tree *t, struct bytes *text, size_t *starts, int *rows_out,
               int *baseline_out, int *width_out)
{
    if (!math_measure(t))
        return false;
    struct math_box box = t->nodes[t->root].box;
    struct canvas g = {.t = t, .rows = math_height(t, t->root), .columns = box.width};
    bool done = true;

    if (g.columns < 1 || (long)g.rows * g.columns > MATH_CELLS_MAX)
        return false;
    size_t n = (size_t)g.rows * (size_t)g.columns;
    g.cells = calloc(n, sizeof *g.cells);
    if (!g.cells)
        return false;
    for (size_t i = 0; i < n; i++)
        g.cells[i].cp[0] = ' ';
    draw(&g, t->root, box.up - box.y, -box.x);
    for (int row = 0; done && row < g.rows; row++) {
        starts[row] = text->len;
        done = write_row(&g, row, text);
    }
    starts[g.rows] = text->len;
    free(g.cells);
    *rows_out = g.rows;
    *baseline_out = box.up;
    *width_out = g.columns;
    return done;
}
