/*
 * theme.h: what each kind of thing on the screen looks like. Drawing names a style; only screen.c asks
 * for its paint, so that a new theme is a new table.
 */
#ifndef UI_THEME_H
#define UI_THEME_H

#include <stdint.h>

enum style {
    STYLE_TEXT,
    STYLE_DIM,    /* what may be overlooked */
    STYLE_RULE,   /* lines that divide */
    STYLE_STRONG, /* **bold** */
    STYLE_HEADING,
    STYLE_CODE,
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
    STYLE_COUNT,

    STYLE_MUTED = 0x40, /* flag: the same, in the colour of STYLE_DIM (reasoning) */
};

enum {
    PAINT_BOLD = 1,
    PAINT_DIM = 2,
    PAINT_UNDERLINE = 4,
    PAINT_REVERSE = 8,
    PAINT_DEFAULT = -1, /* as a colour: the terminal's own */
};

/* The colour in each of the ways a terminal may name it, and attributes with and without colour. */
struct paint {
    int color8, color256, rgb;
    unsigned attr, attr_plain;
};

/* style may carry STYLE_MUTED. */
struct paint theme_paint(uint8_t style);

#endif
