/*
 * theme.c: the default palette. Its colours are of middle lightness, readable on dark and on light
 * backgrounds; the background itself is always the terminal's own.
 */
#include "theme.h"

static const struct paint palette[STYLE_COUNT] = {
    [STYLE_TEXT] = {PAINT_DEFAULT, PAINT_DEFAULT, PAINT_DEFAULT, 0, 0},
    [STYLE_DIM] = {PAINT_DEFAULT, 245, 0x8a8a8a, 0, PAINT_DIM},
    [STYLE_RULE] = {PAINT_DEFAULT, 241, 0x626262, 0, PAINT_DIM},
    [STYLE_STRONG] = {PAINT_DEFAULT, PAINT_DEFAULT, PAINT_DEFAULT, PAINT_BOLD, PAINT_BOLD},
    [STYLE_HEADING] = {6, 37, 0x00afaf, PAINT_BOLD, PAINT_BOLD | PAINT_UNDERLINE},
    [STYLE_CODE] = {5, 133, 0xaf5faf, 0, 0},
    [STYLE_RESULT] = {2, 35, 0x00af5f, PAINT_BOLD, PAINT_BOLD},
    [STYLE_USER] = {PAINT_DEFAULT, PAINT_DEFAULT, PAINT_DEFAULT, PAINT_BOLD, PAINT_BOLD},
    [STYLE_PROMPT] = {6, 33, 0x0087ff, PAINT_BOLD, PAINT_BOLD},
    [STYLE_NAME] = {6, 37, 0x00afaf, PAINT_BOLD, PAINT_BOLD},
    [STYLE_INFO] = {6, 33, 0x0087ff, 0, 0},
    [STYLE_WARN] = {3, 172, 0xd78700, 0, 0},
    [STYLE_FAIL] = {1, 167, 0xd75f5f, PAINT_BOLD, PAINT_BOLD},
    [STYLE_KEY] = {6, 33, 0x0087ff, 0, PAINT_BOLD},
    [STYLE_TITLE] = {PAINT_DEFAULT, PAINT_DEFAULT, PAINT_DEFAULT, PAINT_BOLD, PAINT_BOLD},
    [STYLE_SELECTED] = {PAINT_DEFAULT, PAINT_DEFAULT, PAINT_DEFAULT, PAINT_REVERSE, PAINT_REVERSE},
};

struct paint theme_paint(uint8_t style)
{
    struct paint paint = palette[style & ~STYLE_MUTED];
    if (style & STYLE_MUTED) {
        const struct paint *dim = &palette[STYLE_DIM];
        paint.color8 = dim->color8;
        paint.color256 = dim->color256;
        paint.rgb = dim->rgb;
        paint.attr_plain |= PAINT_DIM;
    }
    return paint;
}
