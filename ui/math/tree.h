/*
 * tree.h: a formula as a tree, for the files of this folder alone.
 *
 * parse.c makes it, line.c writes a part of it as one line, box.c and draw.c lay it out in two
 * dimensions, speak.c says it. Nodes are named by their number, 0 being none.
 */
#ifndef UI_MATH_TREE_H
#define UI_MATH_TREE_H

#include "math/math.h"
#include "text/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MATH_DEPTH_MAX = 48, /* nesting depth; bounds every recursion over a tree */
    MATH_COLUMNS_MAX = 64,
};

/* TeX's atom classes for spacing; BIG is an operator with an operand: a sum, a limit. */
enum math_class {
    CLASS_ORD,
    CLASS_OP,
    CLASS_BIG,
    CLASS_BIN,
    CLASS_REL,
    CLASS_OPEN,
    CLASS_CLOSE,
    CLASS_PUNCT,
    CLASS_INNER,
};

enum math_font {
    FONT_PLAIN,
    FONT_BOLD,
    FONT_DOUBLE, /* blackboard bold */
    FONT_SCRIPT,
    FONT_FRAKTUR,
};

enum math_symbol_flag {
    SYMBOL_LIMITS = 1,   /* scripts above and below in display style */
    SYMBOL_INTEGRAL = 2, /* grows; scripts at the side */
    SYMBOL_DELIM = 4,    /* may grow like a bracket */
    SYMBOL_WORD = 8,     /* written as a word */
};

struct math_symbol {
    const char *name;   /* without the backslash */
    const char *text;   /* UTF-8 */
    const char *ascii;  /* NULL: the name */
    const char *speech; /* NULL: the name */
    uint8_t class;
    uint8_t flags;
};

/* NULL: unknown. */
const struct math_symbol *math_symbol(const char *name, size_t len);
/* The symbol for a character. */
const struct math_symbol *math_symbol_of(uint32_t cp);

uint32_t math_font(uint32_t cp, enum math_font font);

struct math_accent {
    uint32_t mark; /* the combining character */
    const char *name, *speech;
    const char *wide; /* drawn above a base wider than a letter */
};
const struct math_accent *math_accent(uint32_t mark);

/* The raised or lowered form of a character; 0: none. */
uint32_t math_script_of(uint32_t cp, bool raised);

enum math_kind {
    MATH_ROW,      /* a: first of its children */
    MATH_ATOM,     /* text */
    MATH_TEXT,     /* text, including spaces */
    MATH_SPACE,    /* form: columns */
    MATH_FRACTION, /* a over b; form: enum math_fraction */
    MATH_ROOT,     /* of a; b: its degree */
    MATH_SCRIPTS,  /* a with b below and c above; form: 1 where they are limits */
    MATH_DELIM,    /* a between the atoms b and c */
    MATH_TABLE,   /* a: first MATH_LINE; form: enum math_table; text: its columns, each of "lcr|" */
    MATH_LINE,    /* a: first cell, a MATH_ROW; form: rules above it; b: its tag */
    MATH_ACCENT,  /* on a; cp: the combining mark; symbol: its name */
    MATH_BAR,     /* a line over or under a; form: enum math_side */
    MATH_BRACE,   /* a brace over or under a; form: enum math_side */
    MATH_ARROW,   /* a long arrow, the atom c; a: over it, b: under it */
    MATH_BOXED,   /* a */
    MATH_CANCEL,  /* a, crossed out */
    MATH_PHANTOM, /* blank space the size of a */
    MATH_RULE,    /* a line of a table, made by table_box.c; form: 1 where it is upright */
};

enum math_fraction { FRACTION_PLAIN, FRACTION_SMALL, FRACTION_CHOOSE, FRACTION_ATOP /* no bar */ };
enum math_table { TABLE_MATRIX, TABLE_CASES, TABLE_ALIGNED, TABLE_LINES, TABLE_ARRAY };
enum math_side { SIDE_OVER, SIDE_UNDER };

/* Position of a node, computed by box.c. */
struct math_box {
    int width, up, down; /* columns; rows above and below the one on the baseline */
    int x, y;            /* left end of its baseline, relative to its parent */
};

struct math_node {
    uint8_t kind, class, form, font;
    bool number;  /* an atom of digits */
    bool word;    /* an atom of several letters */
    bool negated; /* struck through by \not */
    bool single;  /* box.c: drawn as its text on one line, not as its parts */
    bool tall;    /* box.c: an operator or bracket in display size; a table between brackets */
    int32_t next; /* the sibling */
    int32_t a, b, c;
    uint32_t text, len; /* in math_tree.text */
    uint32_t cp;        /* for an atom of one source character */
    const struct math_symbol *symbol;
    struct math_box box;
};

struct math_tree {
    struct math_node *nodes;
    size_t n, cap;
    struct bytes text;
    bool ascii;
    int root;
};

/* False: not a formula, or out of memory. math_tree_free() either way. */
bool math_parse(struct math_tree *t, const char *tex, size_t len, bool ascii);
void math_tree_free(struct math_tree *t);

/* Appends text in the form text.h draws it: hidden and control characters are spelled out. */
bool math_add_drawn(struct bytes *out, const char *s, size_t len);

/* Columns between two neighbours. `tight`: in a script. */
int math_gap(const struct math_tree *t, int left, int right, bool tight);

/* Precedence of a part written on one line. */
enum math_level {
    LEVEL_ONE,          /* x, 12, f(x), (a + b) */
    LEVEL_SCRIPTED,     /* x² */
    LEVEL_DIFFERENTIAL, /* dx */
    LEVEL_PRODUCT,      /* 2a */
    LEVEL_SIGNED,       /* -a */
    LEVEL_SUM,          /* a + b, a/b, sin x, and all else */
};
enum math_level math_level(const struct math_tree *t, int node);
/* The only child of a group in braces, else the node. */
int math_unwrap(const struct math_tree *t, int node);
bool math_is_value(const struct math_tree *t, int node); /* the factors of a product */
bool math_is_differential(const struct math_tree *t, int first);

/* Appends a node as one line; false: out of memory or too long. */
bool math_line(const struct math_tree *t, int node, bool tight, struct bytes *out);
/* Appends a script in raised or lowered characters; false: out of memory, or some have no such
 * form. */
bool math_line_script(const struct math_tree *t, int script, bool raised, struct bytes *out);

/* Computes the position of each node; false: too large, or out of memory. */
bool math_measure(struct math_tree *t);

/* Shared by the two-dimensional files. */
enum math_manner {
    MANNER_DISPLAY,
    MANNER_PART,   /* inside a fraction: sums have their limits at the side */
    MANNER_CELL,   /* in a table: simple fractions are on one line too */
    MANNER_SCRIPT, /* everything on one line */
};
struct math_sizer {
    struct math_tree *t;
    bool failed;
};
void math_size(struct math_sizer *z, int node, enum math_manner manner);
void math_size_table(struct math_sizer *z, int node, enum math_manner manner);
/* The three rows of a sign in display size; NULL: it has only one size. */
const char *const *math_tall_sign(const struct math_tree *t, int node, int *columns_out);
int math_height(const struct math_tree *t, int node);

/*
 * Draws the formula in two dimensions: its rows, each ended by a NUL, and where they begin, for up
 * to MATH_ROWS_MAX of them and the end. False: too large, or out of memory.
 */
bool math_draw(struct math_tree *t, struct bytes *text, size_t *starts, int *rows_out,
               int *baseline_out, int *width_out);

#endif
