/*
 * theme.h: the appearance of everything on the screen. Drawing names a style; only screen.c
 * resolves it, so that a new theme is one column of a table.
 */
#ifndef UI_TERMINAL_THEME_H
#define UI_TERMINAL_THEME_H

#include "ui.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum style {
    STYLE_TEXT,
    STYLE_DIM,    /* secondary text */
    STYLE_RULE,   /* rules */
    STYLE_STRONG, /* **bold** */
    STYLE_EMPHASIS,
    STYLE_HEADING,
    STYLE_SUBHEADING, /* third level and below */
    STYLE_LINK,
    STYLE_CODE,
    STYLE_COMMENT, /* in highlighted code, like the next three */
    STYLE_STRING,
    STYLE_NUMBER,
    STYLE_KEYWORD,
    STYLE_MATH,
    STYLE_RESULT, /* \boxed{} */
    STYLE_USER,   /* the user's messages */
    STYLE_PROMPT, /* their prompt sign */
    STYLE_NAME,   /* the speaker's name */
    STYLE_INFO,
    STYLE_WARN,
    STYLE_FAIL,
    STYLE_KEY,      /* a key or command in help and hints */
    STYLE_TITLE,    /* of a dialog or pane */
    STYLE_SELECTED, /* the selected row */
    STYLE_MATCH,    /* search matches */
    STYLE_COUNT,

    STYLE_MUTED = 0x40,  /* flag: the same style in the colour of STYLE_DIM (reasoning) */
    STYLE_STRUCK = 0x80, /* flag: struck through, if screen_strikes() */
    STYLE_FLAGS = STYLE_MUTED | STYLE_STRUCK,
};

enum {
    PAINT_BOLD = 1,
    PAINT_DIM = 2,
    PAINT_UNDERLINE = 4,
    PAINT_REVERSE = 8,
    PAINT_ITALIC = 16, /* underlined if the terminal has no italics */
    PAINT_STRIKE = 32,
    PAINT_DEFAULT = -1, /* as a colour: the terminal's default */
};

/*
 * A colour for each palette size: 8, 16, 256, and exact. An of256 below 16 is one of the terminal's
 * own colours, whatever that looks like.
 */
struct shade {
    int of8, of16, of256, rgb;
};

struct paint {
    struct shade color, background;
    unsigned attr, attr_few, attr_plain; /* with 256 colours or more, with fewer, with none */
};

struct theme {
    struct paint paint[STYLE_COUNT];
};

/* The user's overrides, for any theme. */
struct theme_override {
    bool is_set, has_color;
    struct shade color;
    unsigned attr;
};

struct theme_overrides {
    struct theme_override of[STYLE_COUNT];
};

/* UI_THEME_AUTO and UI_THEME_NONE use the colours of UI_THEME_DARK; overrides may be NULL. */
void theme_init(struct theme *t, enum ui_theme kind, const struct theme_overrides *overrides);

/* style may carry flags. */
struct paint theme_paint(const struct theme *t, uint8_t style);

/*
 * Parses an override: value is at most one colour ("red", "bright-blue", "default", 0 to 255,
 * "#5fafff") and any of bold, dim, underline, reverse. 0, or a ui_error with one line in err.
 */
int theme_overrides_set(struct theme_overrides *overrides, const char *role, const char *value,
                        char *err, size_t errlen);

/* "heading"; NULL: no such style. */
const char *theme_role(int style);

#endif
