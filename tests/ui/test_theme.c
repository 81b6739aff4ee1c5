/*
 * test_theme.c: colours: that they can be read on what they are meant for, how many a terminal is
 * sent, a user's own, and what its background makes of them.
 */
#include "term.h"
#include "tests.h"

#include "ui/terminal/background.h"
#include "ui/terminal/theme.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Contrast as WCAG 2 defines it */

static double linear(int channel)
{
    double c = channel / 255.0;
    return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(int rgb)
{
    return 0.2126 * linear(rgb >> 16 & 255) + 0.7152 * linear(rgb >> 8 & 255) +
           0.0722 * linear(rgb & 255);
}

static double contrast(int a, int b)
{
    double x = luminance(a), y = luminance(b);
    return x > y ? (x + 0.05) / (y + 0.05) : (y + 0.05) / (x + 0.05);
}

static int rgb_of256(int n)
{
    static const int level[] = {0, 95, 135, 175, 215, 255};
    if (n >= 232)
        return (8 + 10 * (n - 232)) * 0x010101;
    n -= 16;
    return level[n / 36] << 16 | level[n / 6 % 6] << 8 | level[n % 6];
}

static void assert_readable(enum ui_theme kind, int background, double least)
{
    struct theme t;
    theme_init(&t, kind, NULL);
    for (int style = 0; style < STYLE_COUNT; style++) {
        const struct shade *color = &t.paint[style].color;
        double text = style == STYLE_RULE ? 3 : least;
        if (color->rgb == PAINT_DEFAULT)
            continue;
        assert_in_range(color->of256, 16, 255);
        if (contrast(color->rgb, background) < text ||
            contrast(rgb_of256(color->of256), background) < text)
            fail_msg("theme %d: %s cannot be read: %.2f, %.2f", kind, theme_role(style),
                     contrast(color->rgb, background),
                     contrast(rgb_of256(color->of256), background));
    }
}

static void text_stands_out(void **state)
{
    (void)state;
    assert_readable(UI_THEME_DARK, 0x000000, 4.5);
    assert_readable(UI_THEME_DARK, 0x1e1e1e, 4.5);
    assert_readable(UI_THEME_LIGHT, 0xffffff, 4.5);
    assert_readable(UI_THEME_LIGHT, 0xfdf6e3, 4.5);
    assert_readable(UI_THEME_CONTRAST, 0x000000, 7);
}

static void every_style_has_a_role(void **state)
{
    (void)state;
    for (int a = 0; a < STYLE_COUNT; a++) {
        assert_non_null(theme_role(a));
        for (int b = a + 1; b < STYLE_COUNT; b++)
            assert_string_not_equal(theme_role(a), theme_role(b));
    }
}

/* A user's own */

static void overrides_are_read(void **state)
{
    struct theme_overrides w = {0};
    struct theme t;
    char err[240];
    (void)state;
    assert_int_equal(theme_overrides_set(&w, "heading", "bold #5fafff underline", err, sizeof err),
                     0);
    assert_int_equal(theme_overrides_set(&w, "code", "bright-red", err, sizeof err), 0);
    assert_int_equal(theme_overrides_set(&w, "dim", "208", err, sizeof err), 0);
    assert_int_equal(theme_overrides_set(&w, "name", "reverse", err, sizeof err), 0);
    assert_int_equal(theme_overrides_set(&w, "info", "default", err, sizeof err), 0);
    theme_init(&t, UI_THEME_LIGHT, &w);
    assert_int_equal(t.paint[STYLE_HEADING].color.rgb, 0x5fafff);
    assert_int_equal(t.paint[STYLE_HEADING].color.of256, 75);
    assert_int_equal(t.paint[STYLE_HEADING].attr, PAINT_BOLD | PAINT_UNDERLINE);
    assert_int_equal(t.paint[STYLE_CODE].color.of256, 9);
    assert_int_equal(t.paint[STYLE_CODE].color.of8, 1);
    assert_int_equal(t.paint[STYLE_DIM].color.rgb, 0xff8700);
    assert_int_equal(t.paint[STYLE_NAME].attr, PAINT_REVERSE);
    assert_true(t.paint[STYLE_NAME].color.rgb >= 0); /* the theme's */
    assert_int_equal(t.paint[STYLE_INFO].color.rgb, PAINT_DEFAULT);
}

static void wrong_overrides_are_refused(void **state)
{
    static const char *const wrong[] = {"reed",     "256",      "-1",       "#12345",
                                        "#1234567", "#0x1234",  "red blue", "bright-x",
                                        "1e1",      "bold,red", "#",        "0x10"};
    struct theme_overrides w = {0}, none = {0};
    char err[240];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(theme_overrides_set(&w, "heading", wrong[i], err, sizeof err), UI_ERROR);
        assert_memory_equal(&w, &none, sizeof w);
    }
    assert_int_equal(theme_overrides_set(&w, "headline", "red", err, sizeof err), UI_UNKNOWN);
}

/* On a terminal */

static void open_as(struct term *t, enum ui_theme theme, const char *type,
                    const struct ui_settings *settings)
{
    struct ui_options options = {.term = type,
                                 .theme = theme,
                                 .settings = settings,
                                 .clock_ms = term_clock,
                                 .reasoning = UI_FOLD_OPEN};
    static const char answer[] = "# Heading\n\n`code` ~~struck~~ *5*";
    char err[256] = "";
    term_open_bare(t, 24, 80);
    options.in = options.out = t->slave;
    if (ui_open(&t->ui, &options, err, sizeof err) != 0)
        fail_msg("%s", err);
    ui_message_begin(t->ui, 1, UI_ASSISTANT, "demo");
    ui_message_append(t->ui, 1, UI_REASONING, "~~mused~~", 9);
    ui_message_append(t->ui, 1, UI_ANSWER, answer, strlen(answer));
    ui_message_end(t->ui, 1, UI_WARN, "stopped");
    term_turn(t);
}

/* The cell where a text begins on the screen. */
static VTermScreenCell cell_of(struct term *t, const char *text)
{
    char *screen = term_text(t), *at = strstr(screen, text);
    VTermScreenCell cell = {0};
    VTermPos pos = {0, 0};
    assert_non_null(at);
    for (char *s = screen; s < at; s++) {
        pos.col++;
        if (*s == '\n') {
            pos.row++;
            pos.col = 0;
        }
    }
    vterm_screen_get_cell(t->screen, pos, &cell);
    free(screen);
    return cell;
}

static void a_theme_is_what_is_seen(void **state)
{
    static const enum ui_theme kinds[] = {UI_THEME_DARK, UI_THEME_LIGHT, UI_THEME_CONTRAST};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct theme theme;
        struct term t;
        theme_init(&theme, kinds[i], NULL);
        open_as(&t, kinds[i], "xterm-256color", NULL);
        VTermScreenCell heading = cell_of(&t, "Heading"), code = cell_of(&t, "code");
        assert_int_equal(heading.fg.indexed.idx, theme.paint[STYLE_HEADING].color.of256);
        assert_int_equal(code.fg.indexed.idx, theme.paint[STYLE_CODE].color.of256);
        assert_int_equal(heading.attrs.bold, 1);
        assert_int_equal(!VTERM_COLOR_IS_DEFAULT_BG(&code.bg), kinds[i] == UI_THEME_CONTRAST);
        term_check_grammar(t.raw.data, t.raw.len);
        term_close(&t);
    }
}

static void without_colour_there_is_none(void **state)
{
    struct term t;
    (void)state;
    open_as(&t, UI_THEME_NONE, "xterm-256color", NULL);
    VTermScreenCell heading = cell_of(&t, "Heading");
    assert_true(VTERM_COLOR_IS_DEFAULT_FG(&heading.fg));
    assert_int_equal(heading.attrs.bold, 1);
    assert_int_not_equal(heading.attrs.underline, 0);
    assert_null(strstr(t.raw.data, "38;"));
    term_close(&t);
}

static void exact_colours_go_where_they_are_known(void **state)
{
    struct ui_settings *own = ui_settings_new();
    char err[240], expected[32];
    struct theme theme;
    struct term t;
    (void)state;
    assert_int_equal(ui_settings_color(own, "code", "red", err, sizeof err), 0);
    theme_init(&theme, UI_THEME_DARK, NULL);
    int rgb = theme.paint[STYLE_HEADING].color.rgb;
    snprintf(expected, sizeof expected, "\033[38;2;%d;%d;%dm", rgb >> 16, rgb >> 8 & 255,
             rgb & 255);
    setenv("COLORTERM", "truecolor", 1);
    open_as(&t, UI_THEME_DARK, "xterm-256color", own);
    unsetenv("COLORTERM");
    assert_non_null(strstr(t.raw.data, expected));
    assert_null(strstr(t.raw.data, "38;5;"));
    VTermScreenCell heading = cell_of(&t, "Heading"), code = cell_of(&t, "code");
    assert_true(VTERM_COLOR_IS_RGB(&heading.fg));
    assert_int_equal(heading.fg.rgb.red << 16 | heading.fg.rgb.green << 8 | heading.fg.rgb.blue,
                     rgb);
    assert_int_equal(code.fg.indexed.idx, 1); /* by its name: whatever the terminal makes of red */
    term_check_grammar(t.raw.data, t.raw.len);
    term_close(&t);
    ui_settings_free(own);
}

static void few_colours_are_few(void **state)
{
    struct term t;
    (void)state;
    open_as(&t, UI_THEME_DARK, "linux", NULL);
    VTermScreenCell heading = cell_of(&t, "Heading");
    assert_int_equal(heading.fg.indexed.idx, 6);
    assert_null(strstr(t.raw.data, "38;"));
    term_close(&t);
    open_as(&t, UI_THEME_DARK, "vt100", NULL);
    heading = cell_of(&t, "Heading");
    assert_true(VTERM_COLOR_IS_DEFAULT_FG(&heading.fg));
    term_close(&t);
}

/* Whoever may not see the line sees the tildes. */
static void struck_text_is_struck_where_it_can_be(void **state)
{
    static const struct {
        const char *type, *colors;
        enum ui_theme theme;
        bool strikes;
    } rows[] = {
        {"xterm-256color", NULL, UI_THEME_DARK, true},
        {"xterm-256color", "truecolor", UI_THEME_LIGHT, true},
        {"xterm-256color", NULL, UI_THEME_NONE, true},
        {"tmux-256color", NULL, UI_THEME_DARK, true},
        {"screen-256color", NULL, UI_THEME_DARK, false},
        {"linux", NULL, UI_THEME_DARK, false},
        {"vt100", NULL, UI_THEME_DARK, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct term t;
        if (rows[i].colors)
            setenv("COLORTERM", rows[i].colors, 1);
        open_as(&t, rows[i].theme, rows[i].type, NULL);
        unsetenv("COLORTERM");
        assert_int_equal(cell_of(&t, "struck").attrs.strike, rows[i].strikes);
        assert_int_equal(cell_of(&t, "mused").attrs.strike, rows[i].strikes);
        assert_int_equal(cell_of(&t, "5").attrs.strike, false);
        assert_int_equal(term_shows(&t, "~~struck~~ 5"), !rows[i].strikes);
        assert_int_equal(cell_of(&t, "struck").attrs.blink, false);
        ui_find(t.ui, 1, UI_ANSWER, "struck");
        term_turn(&t);
        assert_int_equal(cell_of(&t, "struck").attrs.strike, rows[i].strikes);
        term_close(&t);
    }
}

/* The background */

static void answers_are_understood(void **state)
{
    static const struct {
        const char *report;
        int theme; /* -1: not an answer */
    } rows[] = {
        {"\033]11;rgb:ffff/ffff/ffff", UI_THEME_LIGHT},
        {"\033]11;rgb:1e1e/1e1e/1e1e", UI_THEME_DARK},
        {"\033]11;rgb:f/f/e", UI_THEME_LIGHT},
        {"\033]11;rgba:00/2b/36/ff", UI_THEME_DARK},
        {"\033[?1;2c", UI_THEME_AUTO},
        {"\033]10;rgb:ffff/ffff/ffff", -1},
        {"\033]11;rgb:", UI_THEME_DARK},
        {"\033[<0;1;1M", -1},
        {"\033]11;rgb:zz/////", UI_THEME_DARK},
        {"\033]11;rgbfff", -1},
    };
    enum ui_theme theme;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(background_answer(rows[i].report, &theme), rows[i].theme >= 0);
        if (rows[i].theme >= 0)
            assert_int_equal(theme, rows[i].theme);
    }
    setenv("COLORFGBG", "0;15", 1);
    assert_int_equal(background_guess(), UI_THEME_LIGHT);
    setenv("COLORFGBG", "15;default;0", 1);
    assert_int_equal(background_guess(), UI_THEME_DARK);
    setenv("COLORFGBG", "nonsense;", 1);
    assert_int_equal(background_guess(), UI_THEME_DARK);
    unsetenv("COLORFGBG");
}

static void a_light_terminal_gets_dark_colours(void **state)
{
    static const char answer[] = "\033]11;rgb:fdfd/f6f6/e3e3\033\\\033[?62;22c";
    struct theme light;
    struct term t;
    (void)state;
    theme_init(&light, UI_THEME_LIGHT, NULL);
    for (size_t piece = 1; piece < sizeof answer; piece += 5) {
        open_as(&t, UI_THEME_AUTO, "xterm-256color", NULL);
        assert_non_null(strstr(t.raw.data, background_query));
        for (size_t i = 0; i < sizeof answer - 1; i += piece)
            term_type_bytes(&t, answer + i,
                            i + piece < sizeof answer - 1 ? piece : sizeof answer - 1 - i);
        VTermScreenCell heading = cell_of(&t, "Heading");
        if (piece > 5) /* a turn of 100 ms between the bytes makes Esc a key */
            assert_int_equal(heading.fg.indexed.idx, light.paint[STYLE_HEADING].color.of256);
        term_close(&t);
    }
}

static void who_may_not_understand_is_not_asked(void **state)
{
    static const char *const types[] = {"linux", "vt100", "xterm-256color"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct term t;
        open_as(&t, i == 2 ? UI_THEME_DARK : UI_THEME_AUTO, types[i], NULL);
        assert_null(strstr(t.raw.data, "\033]"));
        term_close(&t);
    }
}

/* Quitting quickly leaves no reply to the shell. */
static void no_answer_is_left_behind(void **state)
{
    static const char answer[] = "\033]11;rgb:0000/0000/0000\033\\\033[?1;2c";
    struct term t;
    struct pollfd fd;
    (void)state;
    open_as(&t, UI_THEME_AUTO, "xterm-256color", NULL);
    assert_int_equal(write(t.master, answer, sizeof answer - 1), sizeof answer - 1);
    ui_suspend(t.ui);
    fd = (struct pollfd){.fd = t.slave, .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 0);
    ui_resume(t.ui);
    term_turn(&t);
    assert_true(term_shows(&t, "› Ask anything"));
    term_close(&t);
}

int test_theme(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stands_out),
        cmocka_unit_test(every_style_has_a_role),
        cmocka_unit_test(overrides_are_read),
        cmocka_unit_test(wrong_overrides_are_refused),
        cmocka_unit_test(a_theme_is_what_is_seen),
        cmocka_unit_test(without_colour_there_is_none),
        cmocka_unit_test(exact_colours_go_where_they_are_known),
        cmocka_unit_test(few_colours_are_few),
        cmocka_unit_test(struck_text_is_struck_where_it_can_be),
        cmocka_unit_test(answers_are_understood),
        cmocka_unit_test(a_light_terminal_gets_dark_colours),
        cmocka_unit_test(who_may_not_understand_is_not_asked),
        cmocka_unit_test(no_answer_is_left_behind),
    };
    return cmocka_run_group_tests_name("theme", tests, NULL, NULL);
}
