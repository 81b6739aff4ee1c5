/*
 * box.c: the size of each part of a formula in two dimensions, and its position within its
 * parent. A box has its baseline at y = 0; rows above it are negative.
 */
#include "math/tree.h"
#include "text/text.h"

#include <string.h>

enum { OPERAND_MAX = 64 }; /* neighbours considered for the size of a sum sign */

static struct math_node *at(struct math_sizer *z, int node)
{
    return &z->t->nodes[node];
}

static int max(int a, int b)
{
    return a > b ? a : b;
}

int math_height(const struct math_tree *t, int node)
{
    return t->nodes[node].box.up + 1 + t->nodes[node].box.down;
}

static int height(struct math_sizer *z, int node)
{
    return math_height(z->t, node);
}

static void set_size(struct math_sizer *z, int node, int width, int up, int down)
{
    struct math_box *box = &at(z, node)->box;
    box->width = width;
    box->up = up;
    box->down = down;
    if (width > MATH_CELLS_MAX || up + 1 + down > MATH_ROWS_MAX)
        z->failed = true;
}

static void place(struct math_sizer *z, int node, int x, int y)
{
    at(z, node)->box.x = x;
    at(z, node)->box.y = y;
}

/* Makes a copy of the text what is drawn for the node. */
static void keep_text(struct math_sizer *z, int node, const struct bytes *text)
{
    at(z, node)->text = (uint32_t)z->t->text.len;
    at(z, node)->len = (uint32_t)text->len;
    if (text->len > 0 && !bytes_add(&z->t->text, text->data, text->len))
        z->failed = true;
}

static int text_columns_of(struct math_sizer *z, int node)
{
    return text_width(z->t->text.data + at(z, node)->text, at(z, node)->len);
}

/* A single row, as written by line.c. */
static void size_line(struct math_sizer *z, int node, enum math_manner manner)
{
    struct bytes line = {0};
    bool own = at(z, node)->kind == MATH_ATOM || at(z, node)->kind == MATH_TEXT;
    if (!own && !math_line(z->t, node, manner == MANNER_SCRIPT, &line))
        z->failed = true;
    else if (!own)
        keep_text(z, node, &line);
    bytes_free(&line);
    at(z, node)->single = true;
    set_size(z, node, z->failed ? 0 : text_columns_of(z, node), 0, 0);
}

static bool has_table(const struct math_tree *t, int node)
{
    const struct math_node *n = &t->nodes[node];
    for (int i = n->a; i; i = t->nodes[i].next)
        if (has_table(t, i))
            return true;
    return n->kind == MATH_TABLE || (n->b && has_table(t, n->b)) || (n->c && has_table(t, n->c));
}

/* The operator of a node, itself or its base; 0: not one that grows. */
static int big_operator(struct math_sizer *z, int node)
{
    if (at(z, node)->kind == MATH_SCRIPTS)
        node = math_unwrap(z->t, at(z, node)->a);
    const struct math_symbol *symbol = at(z, node)->symbol;
    bool grows = symbol && (symbol->flags & SYMBOL_INTEGRAL ||
                            (symbol->flags & SYMBOL_LIMITS && !(symbol->flags & SYMBOL_WORD)));
    return at(z, node)->kind == MATH_ATOM && grows ? node : 0;
}

/* Whether the operand of a sum is taller than a line. */
static bool operand_is_tall(struct math_sizer *z, int node)
{
    int seen = 0;
    for (int i = at(z, node)->next; i && seen < OPERAND_MAX; i = at(z, i)->next, seen++) {
        const struct math_node *n = at(z, i);
        bool sum = n->kind == MATH_ATOM && n->class == CLASS_BIN && (n->cp == '+' || n->cp == '-');
        if (sum || n->class == CLASS_REL)
            return false;
        if (!big_operator(z, i) && height(z, i) > 1)
            return true;
    }
    return false;
}

/* Whether a fraction may be written a/b next to its neighbours. */
static bool may_be_on_line(struct math_sizer *z, int before, int node)
{
    int next = at(z, node)->next;
    return !math_is_value(z->t, before) && !math_is_value(z->t, next) &&
           (before == 0 || at(z, before)->class != CLASS_OP);
}

static bool is_simple(struct math_sizer *z, int part)
{
    const struct math_node *n = at(z, math_unwrap(z->t, part));
    return n->kind == MATH_ATOM && n->len <= 4;
}

static void size_row_item(struct math_sizer *z, int before, int i, enum math_manner manner)
{
    struct math_node *n = at(z, i);
    if (n->kind == MATH_FRACTION && n->form <= FRACTION_SMALL) {
        bool small = n->form == FRACTION_SMALL ||
                     (manner == MANNER_CELL && is_simple(z, n->a) && is_simple(z, n->b));
        n->form = small && may_be_on_line(z, before, i) ? FRACTION_SMALL : FRACTION_PLAIN;
    }
    math_size(z, i, manner);
}

/* Tall brackets keep a gap to their neighbours. */
static int tall_gap(struct math_sizer *z, int before, int i)
{
    if (before == 0 || (height(z, before) == 1 && height(z, i) == 1))
        return 0;
    bool root = at(z, i)->kind == MATH_ROOT && !at(z, i)->single && height(z, i) > 2;
    if (root && math_is_value(z->t, before))
        return 1;
    bool closed = at(z, before)->kind == MATH_DELIM || at(z, before)->class == CLASS_CLOSE;
    return closed && math_is_value(z->t, before) && math_is_value(z->t, i) && at(z, i)->cp != '!' &&
           height(z, before) > 1;
}

static void size_row(struct math_sizer *z, int node, enum math_manner manner)
{
    int x = 0, up = 0, down = 0, before = 0, space = 0;

    for (int i = at(z, node)->a; i && !z->failed; before = i, i = at(z, i)->next)
        if (!big_operator(z, i))
            size_row_item(z, before, i, manner);
    for (int i = at(z, node)->a; i && !z->failed; i = at(z, i)->next) {
        int sign = big_operator(z, i);
        if (sign) {
            at(z, sign)->tall = operand_is_tall(z, i);
            math_size(z, i, manner);
        }
    }
    before = 0;
    for (int i = at(z, node)->a; i && !z->failed; i = at(z, i)->next) {
        const struct math_node *n = at(z, i);
        if (n->kind == MATH_SPACE) {
            space = max(space, n->form);
            continue;
        }
        int gap = max(math_gap(z->t, before, i, manner == MANNER_SCRIPT), tall_gap(z, before, i));
        x += max(gap, space);
        space = 0;
        place(z, i, x, 0);
        x += n->box.width;
        up = max(up, n->box.up);
        down = max(down, n->box.down);
        before = i;
    }
    set_size(z, node, x + space, up, down);
}

static void size_fraction(struct math_sizer *z, int node, enum math_manner manner)
{
    struct math_node *n = at(z, node);
    bool bar = n->form <= FRACTION_SMALL;
    if (n->form == FRACTION_SMALL) {
        size_line(z, node, manner);
        return;
    }
    int a = n->a, b = n->b;
    math_size(z, a, MANNER_PART);
    math_size(z, b, MANNER_PART);
    n = at(z, node);
    struct math_box above = at(z, a)->box, below = at(z, b)->box;
    int width = max(above.width, below.width) + 2 * bar;
    place(z, a, (width - above.width) / 2, -1 - above.down);
    place(z, b, (width - below.width) / 2, 1 + below.up);
    set_size(z, node, width, height(z, a), height(z, b));
}

static void size_root(struct math_sizer *z, int node)
{
    int a = at(z, node)->a, degree = at(z, node)->b;
    const struct math_node *of = at(z, math_unwrap(z->t, a));
    struct bytes raised = {0};

    if (of->kind == MATH_ATOM || of->kind == MATH_TEXT) {
        size_line(z, node, MANNER_PART);
        return;
    }
    math_size(z, a, MANNER_PART);
    if (z->t->ascii && height(z, a) == 1) {
        size_line(z, node, MANNER_PART);
        return;
    }
    bool flat = height(z, a) == 1;
    int sign = 1; /* the columns up to the radicand's upright, or up to √ */
    if (degree) {
        math_size(z, degree, MANNER_SCRIPT);
        bool whole = math_line_script(z->t, degree, true, &raised);
        if (whole) {
            keep_text(z, degree, &raised);
            set_size(z, degree, text_columns_of(z, degree), 0, 0);
        }
        place(z, degree, 0, flat ? -!whole : at(z, a)->box.down - 1);
        sign = at(z, degree)->box.width;
    }
    bytes_free(&raised);
    struct math_box box = at(z, a)->box;
    int x = flat ? 1 + (degree ? sign : 0) : sign + 2;
    place(z, a, x, 0);
    set_size(z, node, x + box.width, box.up + 1, box.down);
}

/* Over and under: the limits of a sum, the words at a brace. */
static void size_limits(struct math_sizer *z, int node)
{
    struct math_node *n = at(z, node);
    int a = n->a, b = n->b, c = n->c;
    struct math_box base = at(z, a)->box;
    int width = base.width, up = base.up, down = base.down;
    if (b)
        math_size(z, b, MANNER_SCRIPT), width = max(width, at(z, b)->box.width);
    if (c)
        math_size(z, c, MANNER_SCRIPT), width = max(width, at(z, c)->box.width);
    place(z, a, (width - base.width) / 2, 0);
    if (b) {
        place(z, b, (width - at(z, b)->box.width) / 2, base.down + 1 + at(z, b)->box.up);
        down += height(z, b);
    }
    if (c) {
        place(z, c, (width - at(z, c)->box.width) / 2, -base.up - 1 - at(z, c)->box.down);
        up += height(z, c);
    }
    set_size(z, node, width, up, down);
}

/*
 * A single script at the right of its base: in raised characters on the baseline if possible, else
 * above it; on a tall base, next to its top or bottom row.
 */
static bool size_script(struct math_sizer *z, int script, bool raised, bool plain,
                        const struct math_box *base)
{
    struct bytes text = {0};
    int edge = raised ? base->up : base->down;
    bool whole = !plain && math_line_script(z->t, script, raised, &text);
    if (whole) {
        keep_text(z, script, &text);
        at(z, script)->single = true;
        set_size(z, script, text_columns_of(z, script), 0, 0);
    } else {
        math_size(z, script, MANNER_SCRIPT);
    }
    bytes_free(&text);
    struct math_box box = at(z, script)->box;
    int away = edge > 0 ? edge : !whole;
    place(z, script, base->width, raised ? -away - box.down : away + box.up);
    return whole && edge == 0;
}

static void size_side_scripts(struct math_sizer *z, int node)
{
    struct math_node *n = at(z, node);
    int a = n->a, b = n->b, c = n->c;
    struct math_box base = at(z, a)->box;
    int width = base.width, up = base.up, down = base.down;
    bool lowered = false, raised = false;
    const struct math_node *of = at(z, math_unwrap(z->t, a));
    bool plain = base.up > 0 && (big_operator(z, node) || (of->kind == MATH_DELIM && !of->b));

    place(z, a, 0, 0);
    if (b) {
        lowered = size_script(z, b, false, plain, &base);
        width = max(width, base.width + at(z, b)->box.width);
        down = max(down, at(z, b)->box.y + at(z, b)->box.down);
    }
    if (c) {
        raised = size_script(z, c, true, plain, &base);
        if (lowered && raised)
            at(z, c)->box.x += at(z, b)->box.width;
        width = max(width, at(z, c)->box.x + at(z, c)->box.width);
        up = max(up, at(z, c)->box.up - at(z, c)->box.y);
    }
    set_size(z, node, width, up, down);
}

static bool scripts_are_raised(struct math_sizer *z, const struct math_node *n)
{
    struct bytes ignored = {0};
    bool whole = !z->t->ascii && (!n->b || math_line_script(z->t, n->b, false, &ignored)) &&
                 (!n->c || math_line_script(z->t, n->c, true, &ignored));
    bytes_free(&ignored);
    return whole;
}

static void size_scripts(struct math_sizer *z, int node, enum math_manner manner)
{
    int sign = big_operator(z, node), a = at(z, node)->a, base = math_unwrap(z->t, a);
    int kind = at(z, base)->kind;
    bool limits = at(z, node)->form;

    if (kind == MATH_FRACTION || kind == MATH_ROOT ||
        (kind == MATH_SCRIPTS && !at(z, base)->form && !limits)) {
        size_line(z, node, manner); /* (x²)³, (√2)² */
        return;
    }
    if (sign) {
        bool beside = manner != MANNER_DISPLAY && !at(z, sign)->tall &&
                      scripts_are_raised(z, at(z, node));
        at(z, sign)->tall |= at(z, sign)->symbol->flags & SYMBOL_INTEGRAL && !beside;
        limits = limits && !beside;
    }
    math_size(z, a, manner);
    if (limits)
        size_limits(z, node);
    else
        size_side_scripts(z, node);
}

const char *const *math_tall_sign(const struct math_tree *t, int node, int *columns_out)
{
    static const struct {
        const char *sign;
        int columns;
        const char *rows[3], *ascii[3];
    } signs[] = {
        {"∑", 3, {"╲▔▔", " >", "╱▁▁"}, {"---", " >", "---"}},
        {"∏", 3, {"┬─┬", "│ │", "┴ ┴"}, {"---", "| |", "| |"}},
        {"∐", 3, {"┬ ┬", "│ │", "┴─┴"}, {"| |", "| |", "---"}},
        {"⋃", 3, {"│ │", "│ │", "╰─╯"}, {"| |", "| |", "\\_/"}},
        {"⋂", 3, {"╭─╮", "│ │", "│ │"}, {"/-\\", "| |", "| |"}},
        {"∫", 1, {"⌠", "⎮", "⌡"}, {"/", "|", "/"}},
        {"∬", 2, {"⌠⌠", "⎮⎮", "⌡⌡"}, {"//", "||", "//"}},
        {"∭", 3, {"⌠⌠⌠", "⎮⎮⎮", "⌡⌡⌡"}, {"///", "|||", "///"}},
    };
    const struct math_symbol *symbol = t->nodes[node].symbol;
    for (size_t i = 0; symbol && i < sizeof signs / sizeof *signs; i++)
        if (strcmp(signs[i].sign, symbol->text) == 0) {
            *columns_out = signs[i].columns;
            return t->ascii ? signs[i].ascii : signs[i].rows;
        }
    return NULL;
}

static void size_atom(struct math_sizer *z, int node)
{
    int columns;
    size_line(z, node, MANNER_DISPLAY);
    if (!at(z, node)->tall)
        return;
    at(z, node)->tall = math_tall_sign(z->t, node, &columns) != NULL;
    if (at(z, node)->tall)
        set_size(z, node, columns, 1, 1);
}

/* A bracket beside content that is `up` and `down` rows high. */
static void size_bracket(struct math_sizer *z, int node, int up, int down)
{
    if (node == 0)
        return;
    size_line(z, node, MANNER_DISPLAY);
    const struct math_symbol *symbol = at(z, node)->symbol;
    int rows = up + 1 + down;
    bool angle = symbol && !z->t->ascii &&
                 (strcmp(symbol->name, "langle") == 0 || strcmp(symbol->name, "rangle") == 0);
    at(z, node)->tall = rows > 1;
    set_size(z, node, angle ? (rows + 1) / 2 : at(z, node)->box.width, up, down);
}

static bool is_upright(struct math_sizer *z, int bracket)
{
    const struct math_symbol *symbol = at(z, bracket)->symbol;
    return z->t->ascii || !symbol || !strchr("()", symbol->text[0]);
}

static void size_delim(struct math_sizer *z, int node, enum math_manner manner)
{
    int a = at(z, node)->a, b = at(z, node)->b, c = at(z, node)->c;
    int inside = math_unwrap(z->t, a), x = 0;
    bool table = at(z, inside)->kind == MATH_TABLE;
    int pad_left = table, pad_right = table;

    if (table && b + c)
        at(z, inside)->tall = true; /* two lines get a row between them for the baseline */
    math_size(z, a, manner);
    struct math_box box = at(z, a)->box;
    size_bracket(z, b, box.up, box.down);
    size_bracket(z, c, box.up, box.down);
    if (box.up + box.down > 0 && !table) { /* an upright at the end of a bar would be a corner */
        pad_left = b && is_upright(z, b);
        pad_right = c && is_upright(z, c);
    }
    for (int i = at(z, a)->a; i && at(z, a)->kind == MATH_ROW; i = at(z, i)->next)
        if (at(z, i)->kind == MATH_ATOM && at(z, i)->form == 1) { /* \middle */
            struct math_box was = at(z, i)->box;
            size_bracket(z, i, box.up, box.down);
            place(z, i, was.x, was.y);
        }
    if (b) {
        place(z, b, 0, 0);
        x = at(z, b)->box.width + pad_left;
    }
    place(z, a, x, 0);
    x += box.width + (c ? pad_right : 0);
    if (c) {
        place(z, c, x, 0);
        x += at(z, c)->box.width;
    }
    set_size(z, node, x, box.up, box.down);
}

/* An accent: combined with the letter if possible, else in a row of its own. */
static void size_accent(struct math_sizer *z, int node)
{
    int a = at(z, node)->a;
    math_size(z, a, MANNER_PART);
    struct math_box box = at(z, a)->box;
    if (!z->t->ascii && box.width <= 1 && box.up + box.down == 0) {
        size_line(z, node, MANNER_PART);
        return;
    }
    const char *wide = math_accent(at(z, node)->cp)->wide;
    int mark = z->t->ascii && (unsigned char)wide[0] >= 0x80 ? 2 : text_width(wide, strlen(wide));
    int width = max(box.width, mark);
    place(z, a, (width - box.width) / 2, 0);
    set_size(z, node, width, box.up + 1, box.down);
}

static void size_bar(struct math_sizer *z, int node)
{
    int a = at(z, node)->a;
    bool over = at(z, node)->form == SIDE_OVER;
    math_size(z, a, MANNER_PART);
    struct math_box box = at(z, a)->box;
    if (!z->t->ascii && box.width <= 1 && box.up + box.down == 0) {
        size_line(z, node, MANNER_PART);
        return;
    }
    place(z, a, 0, 0);
    set_size(z, node, box.width, box.up + over, box.down + !over);
}

static void size_arrow(struct math_sizer *z, int node)
{
    int over = at(z, node)->a, under = at(z, node)->b, width = 0, up = 0, down = 0;
    math_size(z, over, MANNER_SCRIPT);
    width = at(z, over)->box.width;
    if (under) {
        math_size(z, under, MANNER_SCRIPT);
        width = max(width, at(z, under)->box.width);
        down = height(z, under);
    }
    up = at(z, over)->box.width > 0 ? height(z, over) : 0;
    width += 4;
    place(z, over, (width - at(z, over)->box.width) / 2, -1 - at(z, over)->box.down);
    if (under)
        place(z, under, (width - at(z, under)->box.width) / 2, 1 + at(z, under)->box.up);
    set_size(z, node, width, up, down);
}

/* With a margin around the content, in columns and rows. */
static void size_around(struct math_sizer *z, int node, enum math_manner manner, int columns,
                        int rows)
{
    int a = at(z, node)->a;
    math_size(z, a, manner);
    struct math_box box = at(z, a)->box;
    place(z, a, columns, 0);
    set_size(z, node, box.width + 2 * columns, box.up + rows, box.down + rows);
}

void math_size(struct math_sizer *z, int node, enum math_manner manner)
{
    if (z->failed || node == 0)
        return;
    at(z, node)->single = false;
    if (manner == MANNER_SCRIPT && !has_table(z->t, node)) {
        size_line(z, node, manner);
        return;
    }
    switch (at(z, node)->kind) {
    case MATH_ROW: size_row(z, node, manner); break;
    case MATH_ATOM: size_atom(z, node); break;
    case MATH_FRACTION: size_fraction(z, node, manner); break;
    case MATH_ROOT: size_root(z, node); break;
    case MATH_SCRIPTS: size_scripts(z, node, manner); break;
    case MATH_DELIM: size_delim(z, node, manner); break;
    case MATH_TABLE: math_size_table(z, node, manner); break;
    case MATH_ACCENT: size_accent(z, node); break;
    case MATH_BAR: size_bar(z, node); break;
    case MATH_BRACE: {
        bool over = at(z, node)->form == SIDE_OVER;
        size_around(z, node, manner, 0, 0);
        struct math_box box = at(z, node)->box;
        set_size(z, node, box.width, box.up + over, box.down + !over);
        break;
    }
    case MATH_ARROW: size_arrow(z, node); break;
    case MATH_BOXED: size_around(z, node, manner, 2, 1); break;
    case MATH_PHANTOM: size_around(z, node, manner, 0, 0); break;
    case MATH_CANCEL:
        if (!z->t->ascii) {
            size_around(z, node, manner, 0, 0);
            break;
        } /* fallthrough */
    default: size_line(z, node, manner); break;
    }
}

bool math_measure(struct math_tree *t)
{
    struct math_sizer z = {.t = t};
    math_size(&z, t->root, MANNER_DISPLAY);
    return !z.failed;
}
