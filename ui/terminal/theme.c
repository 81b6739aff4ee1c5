/*
 * theme.c: the palettes. Exact colours share lightness and chroma in OKLCH and differ in hue:
 * lightness 0.80 for dark backgrounds, 0.47 for light ones, grey for secondary text. The 256-colour
 * values are the closest of the 6x6x6 cube and the grey ramp. The tests require a contrast (WCAG 2)
 * of at least 4.5:1 on the intended backgrounds (up to #1e1e1e, and from #fdf6e3), and 3:1 for
 * rules. High contrast has its own black background and 7:1. The 8- and 16-colour values depend on
 * the terminal: those used here contrast with the background in the palettes of VGA and xterm.
 */
#include "terminal/theme.h"
#include "text/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN                                                                                        \
    {                                                                                              \
        PAINT_DEFAULT, PAINT_DEFAULT, PAINT_DEFAULT, PAINT_DEFAULT                                 \
    }

enum palette { DARK, LIGHT, CONTRAST, PALETTES };

/* HEADING is cyan, but yellow in high contrast. */
enum hue { DEFAULT, GREY, FAINT, CYAN, HEADING, BLUE, GREEN, AMBER, PINK, RED, HUES };

static const struct shade shades[HUES][PALETTES] = {
    [DEFAULT] = {OWN, OWN, {7, 15, 231, 0xffffff}},
    [GREY] = {{-1, -1, 246, 0x989898}, {-1, -1, 242, 0x696969}, {7, 7, 252, 0xd0d0d0}},
    [FAINT] = {{-1, -1, 242, 0x717171}, {-1, -1, 245, 0x868686}, {7, 15, 231, 0xffffff}},
    [CYAN] = {{6, 14, 80, 0x56d2df}, {4, 4, 24, 0x006c7b}, {6, 14, 87, 0x5fffff}},
    [HEADING] = {{6, 14, 80, 0x56d2df}, {4, 4, 24, 0x006c7b}, {3, 11, 226, 0xffff00}},
    [BLUE] = {{6, 14, 111, 0x8dc1ff}, {4, 4, 25, 0x255b9c}, {6, 14, 87, 0x5fffff}},
    [GREEN] = {{2, 10, 114, 0x89d298}, {5, 5, 22, 0x146d34}, {2, 10, 84, 0x5fff87}},
    [AMBER] = {{3, 11, 179, 0xe7b369}, {5, 5, 94, 0x814e00}, {3, 11, 220, 0xffd700}},
    [PINK] = {{2, 13, 182, 0xe6a4e0}, {5, 5, 90, 0x7f3e7a}, {2, 13, 219, 0xffafff}},
    [RED] = {{1, 9, 210, 0xfda19a}, {1, 1, 124, 0x923a37}, {1, 9, 210, 0xff8787}},
};

enum { B = PAINT_BOLD, D = PAINT_DIM, U = PAINT_UNDERLINE, R = PAINT_REVERSE, I = PAINT_ITALIC };

static const struct row {
    const char *role;
    enum hue hue;
    unsigned attr, attr_few, attr_plain;
} rows[STYLE_COUNT] = {
    [STYLE_TEXT] = {"text", DEFAULT, 0, 0, 0},
    [STYLE_DIM] = {"dim", GREY, 0, D, D},
    [STYLE_RULE] = {"rule", FAINT, 0, D, D},
    [STYLE_STRONG] = {"strong", DEFAULT, B, B, B},
    [STYLE_EMPHASIS] = {"emphasis", DEFAULT, I, I, I},
    [STYLE_HEADING] = {"heading", HEADING, B, B, B | U},
    [STYLE_SUBHEADING] = {"subheading", HEADING, 0, 0, B},
    [STYLE_LINK] = {"link", DEFAULT, U, U, U},
    [STYLE_CODE] = {"code", PINK, 0, 0, 0},
    [STYLE_COMMENT] = {"comment", GREY, I, D, D},
    [STYLE_STRING] = {"string", GREEN, 0, 0, 0},
    [STYLE_NUMBER] = {"number", AMBER, 0, 0, 0},
    [STYLE_KEYWORD] = {"keyword", BLUE, 0, 0, B},
    [STYLE_MATH] = {"math", DEFAULT, 0, 0, 0},
    [STYLE_RESULT] = {"result", GREEN, B, B, B},
    [STYLE_USER] = {"user", DEFAULT, B, B, B},
    [STYLE_PROMPT] = {"prompt", BLUE, B, B, B},
    [STYLE_NAME] = {"name", CYAN, B, B, B},
    [STYLE_INFO] = {"info", BLUE, 0, 0, 0},
    [STYLE_WARN] = {"warn", AMBER, 0, 0, B},
    [STYLE_FAIL] = {"fail", RED, B, B, B},
    [STYLE_KEY] = {"key", BLUE, 0, 0, B},
    [STYLE_TITLE] = {"title", DEFAULT, B, B, B},
    [STYLE_SELECTED] = {"selected", DEFAULT, R, R, R},
    [STYLE_MATCH] = {"match", AMBER, B | U, B | U, B | U},
};

static const struct shade terminals_own = OWN, black = {0, 0, 16, 0x000000};

void theme_init(struct theme *t, enum ui_theme kind, const struct theme_overrides *overrides)
{
    static const struct theme_override none = {.is_set = false};
    enum palette palette = kind == UI_THEME_LIGHT      ? LIGHT
                           : kind == UI_THEME_CONTRAST ? CONTRAST
                                                       : DARK;

    for (int style = 0; style < STYLE_COUNT; style++) {
        const struct row *row = &rows[style];
        const struct theme_override *override = overrides ? &overrides->of[style] : &none;
        struct paint *paint = &t->paint[style];
        *paint = (struct paint){
            .color = shades[row->hue][palette],
            .background = kind == UI_THEME_CONTRAST ? black : terminals_own,
            .attr = row->attr,
            .attr_few = row->attr_few,
            .attr_plain = row->attr_plain,
        };
        if (kind == UI_THEME_CONTRAST)
            paint->attr_few &= ~(unsigned)PAINT_DIM;
        if (override->has_color)
            paint->color = override->color;
        if (override->is_set)
            paint->attr = paint->attr_few = paint->attr_plain = override->attr;
    }
}

struct paint theme_paint(const struct theme *t, uint8_t style)
{
    struct paint paint = t->paint[style & ~STYLE_FLAGS];
    if (style & STYLE_MUTED) {
        const struct paint *dim = &t->paint[STYLE_DIM];
        paint.color = dim->color;
        paint.attr_few |= dim->attr_few;
        paint.attr_plain |= dim->attr_plain;
    }
    if (style & STYLE_STRUCK) {
        paint.attr |= PAINT_STRIKE;
        paint.attr_few |= PAINT_STRIKE;
        paint.attr_plain |= PAINT_STRIKE;
    }
    return paint;
}

const char *theme_role(int style)
{
    return style >= 0 && style < STYLE_COUNT ? rows[style].role : NULL;
}

/* Overrides */

/* VGA's palette, to find the nearest of 16 to an exact colour. */
static const int vga[16] = {0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa,
                            0x00aaaa, 0xaaaaaa, 0x555555, 0xff5555, 0x55ff55, 0xffff55,
                            0x5555ff, 0xff55ff, 0x55ffff, 0xffffff};

/* The 256-colour palette, with the first 16 as on VGA. */
static int rgb_of256(int n)
{
    static const int level[] = {0, 95, 135, 175, 215, 255};
    if (n < 16)
        return vga[n];
    if (n >= 232)
        return (8 + 10 * (n - 232)) * 0x010101;
    return level[(n - 16) / 36] << 16 | level[(n - 16) / 6 % 6] << 8 | level[(n - 16) % 6];
}

static int distance(int a, int b)
{
    int sum = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
        int d = (a >> shift & 255) - (b >> shift & 255);
        sum += d * d;
    }
    return sum;
}

/* The nearest to rgb in the range from `first` to `last`. */
static int nearest(int rgb, int first, int last)
{
    int best = first;
    for (int n = first; n <= last; n++)
        if (distance(rgb_of256(n), rgb) < distance(rgb_of256(best), rgb))
            best = n;
    return best;
}

static bool parse_shade(const char *word, size_t len, struct shade *out)
{
    static const char *const names[] = {"black", "red",     "green", "yellow",
                                        "blue",  "magenta", "cyan",  "white"};
    bool bright = len > 7 && strncmp(word, "bright-", 7) == 0;
    const char *name = bright ? word + 7 : word;

    if (len == 7 && strncmp(word, "default", 7) == 0) {
        *out = terminals_own;
        return true;
    }
    for (int i = 0; i < 8; i++)
        if (strlen(names[i]) == (size_t)(word + len - name) &&
            strncmp(name, names[i], strlen(names[i])) == 0) {
            int n = i + 8 * bright;
            *out = (struct shade){i, n, n, vga[n]};
            return true;
        }
    if (word[0] == '#') {
        int n = (int)strtol(word + 1, NULL, 16);
        *out = (struct shade){nearest(n, 0, 7), nearest(n, 0, 15), nearest(n, 16, 255), n};
        return len == 7 && strspn(word + 1, "0123456789abcdefABCDEF") == 6;
    }
    long n = strtol(word, NULL, 10);
    if (len > 3 || strspn(word, "0123456789") != len || n > 255)
        return false;
    int rgb = rgb_of256((int)n);
    *out = (struct shade){nearest(rgb, 0, 7), n < 16 ? (int)n : nearest(rgb, 0, 15), (int)n, rgb};
    return true;
}

static unsigned parse_attribute(const char *word, size_t len)
{
    static const struct {
        const char *name;
        unsigned attr;
    } names[] = {
        {"bold", PAINT_BOLD},           {"dim", PAINT_DIM},         {"italic", PAINT_ITALIC},
        {"underline", PAINT_UNDERLINE}, {"reverse", PAINT_REVERSE},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strlen(names[i].name) == len && strncmp(word, names[i].name, len) == 0)
            return names[i].attr;
    return 0;
}

int theme_overrides_set(struct theme_overrides *overrides, const char *role, const char *value,
                        char *err, size_t errlen)
{
    struct theme_override override = {.is_set = true};
    int style = 0;

    while (style < STYLE_COUNT && strcmp(rows[style].role, role) != 0)
        style++;
    if (style == STYLE_COUNT) {
        snprintf(err, errlen, "no such role");
        return UI_UNKNOWN;
    }
    for (const char *s = value + strspn(value, " "); *s; s += strspn(s, " ")) {
        size_t len = strcspn(s, " ");
        unsigned attr = parse_attribute(s, len);
        if (!attr && (override.has_color || !parse_shade(s, len, &override.color))) {
            snprintf(err, errlen, "%s (got %s)",
                     override.has_color ? "one colour only" : "not a colour", s);
            return UI_ERROR;
        }
        override.attr |= attr;
        override.has_color = override.has_color || !attr;
        s += len;
    }
    overrides->of[style] = override;
    return 0;
}
