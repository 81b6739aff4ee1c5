/*
 * theme.h: what each kind of thing on the screen looks like. Drawing names a style; only screen.c
 * asks for its paint, so that a new theme is a column of a table.
 */
#ifndef UI_THEME_H
#define UI_THEME_H

#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum style {
    STYLE_TEXT,
    STYLE_DIM,    /* what may be overlooked */
    STYLE_RULE,   /* lines that divide */
    STYLE_STRONG, /* **bold** */
    STYLE_EMPHASIS,
    STYLE_HEADING,
    STYLE_SUBHEADING, /* of the third level and below */
    STYLE_LINK,
    STYLE_CODE,
    STYLE_COMMENT, /* in highlighted code, and the next three */
    STYLE_STRING,
    STYLE_NUMBER,
    STYLE_KEYWORD,
    STYLE_MATH,
    STYLE_RESULT, /* \boxed{} */
    STYLE_USER,   /* what the user said */
    STYLE_PROMPT, /* the sign before it */
    STYLE_NAME,   /* who speaks */
    STYLE_INFO,
    STYLE_WARN,
    STYLE_FAIL,
    STYLE_KEY,      /* a key or command in help and hints */
    STYLE_TITLE,    /* of a dialog or pane */
    STYLE_SELECTED, /* the row that Enter takes */
    STYLE_MATCH,    /* what was looked for */
    STYLE_COUNT,

    STYLE_MUTED = 0x40, /* flag: the same, in the colour of STYLE_DIM (reasoning) */
};

enum {
    PAINT_BOLD = 1,
    PAINT_DIM = 2,
    PAINT_UNDERLINE = 4,
    PAINT_REVERSE = 8,
    PAINT_ITALIC = 16,  /* underlined where the terminal has no italics */
    PAINT_DEFAULT = -1, /* as a colour: the terminal's own */
};

/*
 * One colour in each of the ways a terminal may name it: of 8, of 16, of 256, and exactly. Where
 * of256 is less than 16 it is one of the terminal's own palette, whatever that looks like.
 */
struct shade {
    int of8, of16, of256, rgb;
};

struct paint {
    struct shade color, background;
    unsigned attr, attr_few, attr_plain; /* with 256 colours and more, with fewer, with none */
};

struct theme {
    struct paint paint[STYLE_COUNT];
};

/* What a user wants otherwise, in any theme. */
struct theme_wish {
    bool is_set, has_color;
    struct shade color;
    unsigned attr;
};

struct theme_wishes {
    struct theme_wish of[STYLE_COUNT];
};

/* UI_THEME_AUTO and UI_THEME_NONE get the colours of UI_THEME_DARK; wishes may be NULL. */
void theme_init(struct theme *t, enum ui_theme kind, const struct theme_wishes *wishes);

/* style may carry STYLE_MUTED. */
struct paint theme_paint(const struct theme *t, uint8_t style);

/*
 * Takes a wish: value is at most one colour ("red", "bright-blue", "default", 0 to 255, "#5fafff")
 * and any of bold, dim, underline, reverse. 0, or a ui_error with one line in err.
 */
int theme_wish(struct theme_wishes *wishes, const char *role, const char *value, char *err,
               size_t errlen);

/* "heading"; NULL: there is no such style. */
const char *theme_role(int style);

#endif
