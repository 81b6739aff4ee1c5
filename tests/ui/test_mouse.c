/*
 * test_mouse.c: what clicks and the wheel do where they are wanted, and that they are nothing at
 * all where they are not.
 */
#include "term.h"
#include "tests.h"

#include "ui/terminal/mouse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void open_with(struct term *t, bool mouse, bool first_time)
{
    static const char *const examples[] = {"What is 15% of 240?", "Solve 3x + 5 = 20"};
    struct ui_options options = {
        .term = "xterm-256color",
        .theme = UI_THEME_DARK,
        .mouse = mouse,
        .first_time = first_time,
        .examples = examples,
        .n_examples = 2,
        .clock_ms = term_clock,
    };
    char err[256] = "";
    term_open_bare(t, 24, 80);
    options.in = options.out = t->slave;
    if (ui_open(&t->ui, &options, err, sizeof err) != 0)
        fail_msg("%s", err);
    term_turn(t);
}

static void converse(struct term *t, int64_t messages)
{
    char text[64];
    for (int64_t i = 1; i <= messages; i++) {
        ui_message_begin(t->ui, i, i % 2 ? UI_USER : UI_ASSISTANT, "demo");
        if (i % 2 == 0)
            ui_message_append(t->ui, i, UI_REASONING, "Let me think.", 13);
        int n = snprintf(text, sizeof text, "message %d here", (int)i);
        ui_message_append(t->ui, i, UI_ANSWER, text, (size_t)n);
        ui_message_end(t->ui, i, UI_INFO, NULL);
    }
    term_turn(t);
}

/* The place of a text on the screen, from 1, as a terminal reports it. */
static void find(struct term *t, const char *text, int *row, int *col)
{
    char *screen = term_text(t), *at = strstr(screen, text);
    if (!at)
        fail_msg("no \"%s\" in\n%s", text, screen);
    *row = *col = 1;
    for (char *s = screen; s < at; s++) {
        *col += (*s & 0xc0) != 0x80;
        if (*s == '\n') {
            ++*row;
            *col = 1;
        }
    }
    free(screen);
}

static void report(struct term *t, int button, int row, int col)
{
    char bytes[64];
    snprintf(bytes, sizeof bytes, "\033[<%d;%d;%dM\033[<%d;%d;%dm", button, col, row, button, col,
             row);
    term_type(t, bytes);
}

static void click(struct term *t, const char *text)
{
    int row, col;
    find(t, text, &row, &col);
    report(t, 0, row, col);
}

static void reports_are_read(void **state)
{
    static const struct {
        const char *report;
        int kind; /* -1: none */
    } rows[] = {
        {"\033[<0;3;4M", MOUSE_CLICK},
        {"\033[<0;3;4m", MOUSE_OTHER},
        {"\033[<64;1;1M", MOUSE_WHEEL_UP},
        {"\033[<65;1;1M", MOUSE_WHEEL_DOWN},
        {"\033[<2;1;1M", MOUSE_OTHER},
        {"\033[<35;1;1M", MOUSE_OTHER},
        {"\033[<0;0;1M", -1},
        {"\033[<0;1M", -1},
        {"\033[<0;1;1c", -1},
        {"\033[<0;1;1MM", -1},
        {"\033[?1;2c", -1},
        {"\033[<0;99999999;1M", -1},
    };
    struct mouse_event e;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(mouse_read(rows[i].report, &e), rows[i].kind >= 0);
        if (rows[i].kind >= 0)
            assert_int_equal(e.kind, rows[i].kind);
    }
    assert_true(mouse_read("\033[<0;3;4M", &e));
    assert_int_equal(e.col, 2);
    assert_int_equal(e.row, 3);
}

static void the_wheel_scrolls(void **state)
{
    struct term t;
    (void)state;
    open_with(&t, true, false);
    converse(&t, 20);
    assert_true(term_shows(&t, "message 20 here"));
    for (int i = 0; i < 30; i++)
        report(&t, 64, 5, 5);
    assert_true(term_shows(&t, "message 1 here"));
    for (int i = 0; i < 30; i++)
        report(&t, 65, 5, 5);
    assert_true(term_shows(&t, "message 20 here"));
    term_type(&t, "\033OP");
    assert_true(term_shows(&t, "this help"));
    for (int i = 0; i < 4; i++)
        report(&t, 65, 5, 5);
    assert_false(term_shows(&t, "this help"));
    term_close(&t);
}

static void a_click_marks_and_folds(void **state)
{
    struct term t;
    (void)state;
    open_with(&t, true, false);
    converse(&t, 4);
    click(&t, "message 2 here");
    assert_int_equal(ui_message_chosen(t.ui), 2);
    assert_false(term_shows(&t, "Let me think."));
    click(&t, "▸ 1 step");
    assert_true(term_shows(&t, "Let me think."));
    click(&t, "▾ 1 step");
    assert_false(term_shows(&t, "Let me think."));
    click(&t, "› Ask anything");
    term_type(&t, "typed");
    assert_true(term_shows(&t, "› typed"));
    term_close(&t);
}

static void a_click_opens_a_row(void **state)
{
    struct term t;
    (void)state;
    open_with(&t, true, false);
    converse(&t, 2);
    ui_pick(t.ui, 1, "Model", (struct ui_row[]){{1, "first", ""}, {2, "second", ""}}, 2, 1);
    term_turn(&t);
    report(&t, 0, 1, 1); /* beside it */
    assert_true(term_shows(&t, "second"));
    click(&t, "second");
    assert_int_equal(term_last_action(&t), UI_PICK);
    assert_int_equal(t.actions[t.n_actions - 1].id, 2);
    assert_false(term_shows(&t, "second"));
    term_forget(&t);
    ui_sidebar_set(t.ui, (struct ui_row[]){{7, "seven", ""}, {8, "eight", ""}}, 2, 7);
    term_type(&t, "\033OQ");
    click(&t, "eight");
    assert_int_equal(term_last_action(&t), UI_OPEN);
    assert_int_equal(t.actions[t.n_actions - 1].id, 8);
    term_close(&t);
}

static void hits_are_gone_through_and_opened(void **state)
{
    static const struct ui_hit hits[] = {{1, "one", "", "first snippet", 0, 5},
                                         {2, "two", "", "second snippet", 0, 6},
                                         {3, "three", "", "third snippet", 0, 5}};
    struct term t;
    (void)state;
    open_with(&t, true, false);
    ui_search(t.ui, "snippet");
    ui_search_set(t.ui, hits, 3, false, "3 found");
    term_turn(&t);
    report(&t, 65, 5, 5);
    term_type(&t, "\r");
    assert_int_equal(term_last_action(&t), UI_OPEN_HIT);
    assert_int_equal(t.actions[t.n_actions - 1].id, 2);
    ui_search(t.ui, NULL);
    term_turn(&t);
    click(&t, "3 found"); /* the border */
    click(&t, "snippet"); /* the query */
    assert_true(term_shows(&t, "third snippet"));
    click(&t, "third snippet");
    assert_int_equal(term_last_action(&t), UI_OPEN_HIT);
    assert_int_equal(t.actions[t.n_actions - 1].id, 3);
    term_close(&t);
}

static void more_rows_are_asked_for_by_the_wheel_too(void **state)
{
    enum { N = 200 };
    struct ui_row rows[N];
    struct term t;
    (void)state;
    for (int i = 0; i < N; i++)
        rows[i] = (struct ui_row){i + 1, "a conversation", ""};
    open_with(&t, true, false);
    ui_sidebar_set(t.ui, rows, N, 1);
    term_type(&t, "\033OQ");
    term_forget(&t);
    for (int i = 0; i < 2 * N / 3 + 1 && t.n_actions == 0; i++)
        report(&t, 65, 5, 5);
    assert_int_equal(term_last_action(&t), UI_LIST);
    assert_in_range(t.actions[0].id, N + 1, 10 * N);
    term_close(&t);
}

/* There the sidebar is all there is. */
static void a_click_opens_a_row_in_a_narrow_window(void **state)
{
    struct term t;
    (void)state;
    open_with(&t, true, false);
    term_resize(&t, 24, 40);
    ui_sidebar_set(t.ui, (struct ui_row[]){{7, "seven", ""}, {8, "eight", ""}}, 2, 7);
    term_type(&t, "\033OQ");
    click(&t, "eight");
    assert_int_equal(term_last_action(&t), UI_OPEN);
    assert_int_equal(t.actions[t.n_actions - 1].id, 8);
    term_close(&t);
}

static void whatever_is_reported_types_nothing(void **state)
{
    struct term t;
    char bytes[64];
    unsigned random = 3;
    (void)state;
    for (int mouse = 0; mouse < 2; mouse++) {
        open_with(&t, mouse, false);
        converse(&t, 6);
        for (int i = 0; i < 300; i++) {
            random = random * 1664525 + 1013904223;
            snprintf(bytes, sizeof bytes, "\033[<%u;%u;%u%c", random >> 8 & 127, random >> 16 & 127,
                     random >> 24 & 31, random & 64 ? 'M' : 'm');
            term_type(&t, bytes);
        }
        term_type(&t, "\033[M !!\033[M\xff\xff\xff");
        term_type(&t, "\033");
        size_t len;
        ui_draft(t.ui, &len);
        assert_int_equal(len, 0);
        term_close(&t);
    }
}

static void its_modes_are_on_only_while_the_screen_is(void **state)
{
    struct term t;
    (void)state;
    open_with(&t, false, false);
    assert_null(strstr(t.raw.data, "\033[?1000"));
    term_close(&t);
    open_with(&t, true, false);
    assert_non_null(strstr(t.raw.data, "\033[?1000h\033[?1006h"));
    term_forget(&t);
    ui_suspend(t.ui); /* Ctrl-Z, the editor, the end */
    term_drain(&t);
    assert_non_null(strstr(t.raw.data, "\033[?1006l\033[?1000l"));
    ui_resume(t.ui);
    term_forget(&t);
    term_turn(&t);
    assert_non_null(strstr(t.raw.data, "\033[?1000h"));
    term_forget(&t);
    ui_restore(t.ui); /* a crash */
    term_drain(&t);
    assert_non_null(strstr(t.raw.data, "\033[?1006l\033[?1000l"));
    term_close(&t);
}

static void who_waits_is_told(void **state)
{
    struct term t;
    (void)state;
    open_with(&t, false, false);
    term_forget(&t);
    ui_notify(t.ui, UI_NOTIFY_OFF);
    term_drain(&t);
    assert_int_equal(t.raw.len, 0);
    ui_notify(t.ui, UI_NOTIFY_BELL);
    term_drain(&t);
    assert_string_equal(t.raw.data, "\a");
    term_forget(&t);
    ui_notify(t.ui, UI_NOTIFY_OSC9);
    term_drain(&t);
    assert_string_equal(t.raw.data, "\033]9;duet: the answer is ready\a");
    term_forget(&t);
    setenv("TMUX", "/tmp/tmux-0/default,1,0", 1);
    ui_notify(t.ui, UI_NOTIFY_OSC9);
    unsetenv("TMUX");
    term_drain(&t);
    assert_string_equal(t.raw.data, "\033Ptmux;\033\033]9;duet: the answer is ready\a\033\\");
    term_close(&t);
}

static void who_is_new_is_told_the_first_keys(void **state)
{
    struct term t;
    (void)state;
    open_with(&t, false, true);
    assert_true(term_shows(&t, "Ask something and press Enter, for example"));
    assert_true(
        term_shows(&t, "Tab goes to what was said · Space unfolds reasoning there · y copies"));
    converse(&t, 1);
    assert_false(term_shows(&t, "goes to what was said"));
    term_close(&t);
    open_with(&t, false, false);
    assert_false(term_shows(&t, "goes to what was said"));
    term_close(&t);
}

int test_mouse(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_are_read),
        cmocka_unit_test(the_wheel_scrolls),
        cmocka_unit_test(a_click_marks_and_folds),
        cmocka_unit_test(a_click_opens_a_row),
        cmocka_unit_test(a_click_opens_a_row_in_a_narrow_window),
        cmocka_unit_test(hits_are_gone_through_and_opened),
        cmocka_unit_test(more_rows_are_asked_for_by_the_wheel_too),
        cmocka_unit_test(whatever_is_reported_types_nothing),
        cmocka_unit_test(its_modes_are_on_only_while_the_screen_is),
        cmocka_unit_test(who_waits_is_told),
        cmocka_unit_test(who_is_new_is_told_the_first_keys),
    };
    return cmocka_run_group_tests_name("mouse", tests, NULL, NULL);
}
