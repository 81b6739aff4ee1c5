/*
 * test_screen.c: the terminal as the screen leaves it: modes, frames, sizes, a line that hangs.
 */
#include "term.h"
#include "tests.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

static void converse(struct term *t, int messages)
{
    char text[256];
    for (int i = 0; i < messages; i++) {
        snprintf(text, sizeof text, "Question %d with some words, 你好, e\u0301 and 👍🏽?",
                 i);
        ui_message_begin(t->ui, 2 * i, UI_USER, "You");
        ui_message_append(t->ui, 2 * i, UI_ANSWER, text, strlen(text));
        ui_message_end(t->ui, 2 * i, UI_INFO, NULL);
        ui_message_begin(t->ui, 2 * i + 1, UI_ASSISTANT, "demo");
        ui_message_append(t->ui, 2 * i + 1, UI_REASONING, "Let me think.", 13);
        ui_message_append(t->ui, 2 * i + 1, UI_ANSWER, "**42**\n\n- 一\n- two\n", 18);
        ui_message_end(t->ui, 2 * i + 1, UI_INFO, "8 tokens");
    }
}

/* What does not fit of the note under an answer is left out fact by fact. */
static void a_note_is_not_cut_in_a_fact(void **state)
{
    static const char note[] = "270 tokens · 1860 tokens/s · first after 5 ms";
    static const struct {
        int cols;
        const char *shown;
    } rows[] = {{60, note}, {40, "270 tokens · 1860 tokens/s"}, {22, "270 tokens"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct term t;
        char expected[80];
        term_open(&t, 24, rows[i].cols, NULL);
        ui_message_begin(t.ui, 1, UI_ASSISTANT, "demo");
        ui_message_end(t.ui, 1, UI_INFO, note);
        term_turn(&t);
        snprintf(expected, sizeof expected, "\n  %s\n", rows[i].shown);
        assert_true(term_shows(&t, expected));
        term_close(&t);
    }
}

/* The status line shortens fields before it drops any. */
static void the_status_line_fits(void **state)
{
    static const struct ui_status status = {
        .model = "llama",
        .device = {"CPU, 2 threads, AVX-512 VNNI", "CPU"},
        .memory = {"weights 1.3 GB, KV 134 MB (12 tokens), scratch 2.1 MB", "1.4 GB"},
        .beside = {"beside deepseek (GPU)", "+ deepseek"},
        .tokens_per_second = 25,
        .time_to_first_token_ms = -1,
        .context_used = 12,
        .context_limit = 4096,
        .draft_tokens = -1,
    };
    static const struct {
        int cols;
        const char *shows, *hides;
    } rows[] = {
        {100, "llama \u00b7 CPU \u00b7 1.4 GB \u00b7 beside deepseek (GPU)", "weights"},
        {80, "llama \u00b7 CPU \u00b7 1.4 GB \u00b7 + deepseek", "beside"},
        {70, "llama \u00b7 CPU \u00b7 + deepseek", "1.4 GB"},
        {40, "llama \u00b7 CPU", "deepseek"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct term t;
        term_open(&t, 10, rows[i].cols, NULL);
        ui_status_set(t.ui, &status);
        term_turn(&t);
        if (!term_shows(&t, rows[i].shows) || term_shows(&t, rows[i].hides))
            fail_msg("%d columns: %s", rows[i].cols, term_text(&t));
        term_close(&t);
    }
}

/* A file may have any name; background work is shown regardless. */
static void a_long_name_gives_way(void **state)
{
    static const struct ui_status status = {
        .model = "a model of a very long name, with blanks and all, as some files have it, Q8_0",
        .state = UI_GENERATING,
        .tokens_per_second = 25,
        .time_to_first_token_ms = -1,
        .context_used = 12,
        .context_limit = 4096,
        .draft_tokens = -1,
    };
    struct term t;
    (void)state;
    term_open(&t, 10, 80, NULL);
    ui_status_set(t.ui, &status);
    term_turn(&t);
    assert_true(term_shows(&t, "a model of a very long … · answering, Esc stops"));
    assert_true(term_shows(&t, "12 / 4,096 tokens"));
    term_close(&t);
}

static void the_terminal_comes_back_as_it_was(void **state)
{
    struct term t;
    struct ui_options options = {
        .term = "xterm-256color", .theme = UI_THEME_DARK, .clock_ms = term_clock};
    struct termios before = {0}, during, after = {0};
    char err[256];
    (void)state;

    term_open_bare(&t, 24, 80);
    tcgetattr(t.slave, &before);
    options.in = options.out = t.slave;
    assert_int_equal(ui_open(&t.ui, &options, err, sizeof err), 0);
    term_turn(&t);
    tcgetattr(t.slave, &during);
    assert_int_equal(during.c_lflag & (ICANON | ECHO | ISIG), 0);
    assert_true(t.alt_screen);
    term_check_grammar(t.raw.data, t.raw.len);
    for (int i = 0; i < 3; i++) {
        ui_suspend(t.ui);
        term_drain(&t);
        tcgetattr(t.slave, &after);
        assert_memory_equal(&before, &after, sizeof before);
        assert_false(t.alt_screen);
        assert_true(t.cursor_shown);
        term_forget(&t);
        term_turn(&t);
        assert_int_equal(t.raw.len, 0); /* the screen is another's */
        ui_resume(t.ui);
        term_turn(&t);
        assert_true(t.alt_screen);
        assert_true(term_shows(&t, "› Ask anything"));
        assert_non_null(strstr(t.raw.data, "\033[?2004h"));
    }
    ui_restore(t.ui); /* as a crash handler would */
    term_drain(&t);
    tcgetattr(t.slave, &after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_false(t.alt_screen);
    assert_true(t.cursor_shown);
    term_forget(&t);
    ui_close(t.ui);
    term_drain(&t);
    assert_non_null(strstr(t.raw.data, "\033[?2004l"));
    term_check_grammar(t.raw.data, t.raw.len);
    t.ui = NULL;
    term_close(&t);
}

/* The row of the screen that holds this. */
static int row_of(const struct term *t, const char *part)
{
    char *text = term_text(t);
    const char *at = strstr(text, part);
    int row = 0;
    assert_non_null(at);
    for (const char *p = text; p < at; p++)
        row += *p == '\n';
    free(text);
    return row;
}

/* Without an alternate screen, the shell continues below this one. */
static void a_terminal_of_one_screen_is_left_below_it(void **state)
{
    struct term t;
    (void)state;
    term_open(&t, 10, 40, "linux");
    assert_int_equal(row_of(&t, "Ask anything"), 8);
    ui_close(t.ui);
    t.ui = NULL;
    term_drain(&t);
    assert_int_equal(row_of(&t, "Ask anything"), 7);
    assert_int_equal(t.cursor.row, 9);
    assert_int_equal(t.cursor.col, 0);
    term_close(&t);
}

static void what_is_no_terminal_is_refused_in_one_line(void **state)
{
    static const char *const types[] = {"", "dumb", "non\033sense\n", "../../etc/passwd", NULL};
    struct ui_options options = {.theme = UI_THEME_DARK};
    struct ui *ui = NULL;
    struct termios before = {0}, after = {0};
    struct term t;
    char err[256], huge[5000];
    int fds[2];
    (void)state;

    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    term_open_bare(&t, 24, 80);
    tcgetattr(t.slave, &before);
    options.in = options.out = t.slave;
    for (int i = 0; i < 5; i++) {
        options.term = types[i] ? types[i] : huge;
        err[0] = '\0';
        assert_int_equal(ui_open(&ui, &options, err, sizeof err), UI_BAD_TERM);
        assert_non_null(strstr(err, "TERM: "));
        assert_null(strpbrk(err, "\n\033"));
    }
    tcgetattr(t.slave, &after);
    assert_memory_equal(&before, &after, sizeof before);
    term_drain(&t);
    assert_int_equal(t.raw.len, 0);
    assert_int_equal(pipe(fds), 0);
    options.in = options.out = fds[0];
    options.term = "xterm";
    assert_int_equal(ui_open(&ui, &options, err, sizeof err), UI_BAD_TERM);
    close(fds[0]);
    close(fds[1]);
    term_close(&t);
}

static void terminals_of_all_kinds_are_driven(void **state)
{
    static const char *const types[] = {"vt100",  "vt220",           "linux",
                                        "screen", "screen-256color", "tmux-256color",
                                        "xterm",  "rxvt-unicode"};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct term t;
        term_open(&t, 24, 80, types[i]);
        converse(&t, 3);
        term_type(&t, "typed \033[A");
        assert_true(term_shows(&t, "second"));
        assert_true(term_shows(&t, "▸ 1 step"));
        ui_close(t.ui);
        t.ui = NULL;
        term_close(&t);
    }
}

static void nothing_is_written_when_nothing_changed(void **state)
{
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    converse(&t, 3);
    term_turn(&t);
    term_forget(&t);
    for (int i = 0; i < 20; i++)
        term_turn(&t);
    ui_hint(t.ui, NULL); /* a change that is none */
    ui_message_append(t.ui, 999, UI_ANSWER, "x", 1);
    term_turn(&t);
    assert_int_equal(t.raw.len, 0);
    term_type(&t, "\033[C");
    assert_int_equal(t.raw.len, 0);
    term_type(&t, "x");
    assert_true(t.raw.len > 0 && t.raw.len < 60);
    term_forget(&t);
    term_type(&t, "\014"); /* Ctrl-L */
    assert_true(t.raw.len > 200);
    term_close(&t);
}

static void at_most_thirty_frames_a_second(void **state)
{
    struct term t;
    int frames = 0;
    (void)state;
    term_open(&t, 24, 80, NULL);
    ui_message_begin(t.ui, 1, UI_ASSISTANT, "m");
    term_turn(&t);
    for (int ms = 0; ms < 1000; ms++) {
        term_forget(&t);
        ui_message_append(t.ui, 1, UI_ANSWER, "x", 1);
        assert_true(ui_timeout_ms(t.ui) <= 33);
        ui_draw(t.ui);
        term_drain(&t);
        frames += t.raw.len > 0;
        term_wait(1);
    }
    assert_true(frames >= 25 && frames <= 31);
    term_close(&t);
}

static void a_terminal_that_does_not_drain_costs_nothing(void **state)
{
    struct term t;
    struct pollfd fd;
    struct ui_action action;
    char line[128];
    (void)state;
    term_open(&t, 60, 200, NULL);
    ui_message_begin(t.ui, 1, UI_ASSISTANT, "m");
    alarm(20); /* it would block for ever */
    for (int i = 0; i < 5000; i++) {
        int n = snprintf(line, sizeof line, "%d %060d %d\n", i * 7919, i, i * 31);
        ui_message_append(t.ui, 1, UI_ANSWER, line, (size_t)n);
        ui_resize(t.ui); /* frames as large as they get */
        term_wait(40);
        ui_draw(t.ui);
    }
    ui_poll(t.ui, &fd);
    assert_true(fd.events & POLLOUT);
    assert_int_equal(ui_timeout_ms(t.ui), -1); /* no frame is due until it drains */
    assert_int_equal(write(t.master, "\003", 1), 1);
    ui_status_set(t.ui, &(struct ui_status){.state = UI_GENERATING});
    assert_true(poll(&fd, 1, 1000) > 0);
    ui_feed(t.ui);
    assert_true(ui_next_action(t.ui, &action));
    assert_int_equal(action.kind, UI_STOP);
    term_forget(&t);
    term_turn(&t);
    alarm(0);
    assert_true(t.raw.len < 1 << 18);
    assert_true(term_shows(&t, "154969")); /* the newest line */
    term_close(&t);
}

static void closing_does_not_wait_for_a_stuck_terminal(void **state)
{
    struct term t;
    struct termios before = {0}, after = {0};
    (void)state;
    term_open_bare(&t, 24, 80);
    tcgetattr(t.slave, &before);
    struct ui_options options = {
        .in = t.slave, .out = t.slave, .term = "xterm", .clock_ms = term_clock};
    char err[256];
    assert_int_equal(ui_open(&t.ui, &options, err, sizeof err), 0);
    alarm(10);
    for (int i = 0; i < 5000; i++) {
        ui_notice(t.ui, UI_INFO, i % 2 ? "one thing after" : "another");
        term_wait(40);
        ui_draw(t.ui);
    }
    ui_close(t.ui);
    alarm(0);
    tcgetattr(t.slave, &after);
    assert_memory_equal(&before, &after, sizeof before);
    t.ui = NULL;
    term_close(&t);
}

static void any_size_is_safe_and_too_small_recovers(void **state)
{
    static const int sizes[][2] = {{1, 1},  {3, 2}, {4, 20},  {5, 19}, {5, 20},
                                   {3, 12}, {4, 5}, {2, 200}, {200, 3}};
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    converse(&t, 3);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        term_resize(&t, sizes[i][0], sizes[i][1]);
        term_type(&t, "\033OP\033[6~\033\033OQ\033");
        bool small = sizes[i][0] < 5 || sizes[i][1] < 20;
        if (sizes[i][1] >= 19)
            assert_int_equal(term_shows(&t, "window too small"), small);
        else if (sizes[i][1] >= 9)
            assert_true(term_shows(&t, "too small"));
        else if (sizes[i][1] >= 5)
            assert_true(term_shows(&t, "too\n") && term_shows(&t, "small"));
    }
    term_resize(&t, 24, 80);
    term_turn(&t);
    assert_true(term_shows(&t, "Question 2"));
    term_close(&t);
}

static void a_huge_window_uses_a_part_and_0x0_is_a_guess(void **state)
{
    static const unsigned short sizes[][2] = {{10000, 10000}, {0, 0}, {0, 80}, {65535, 1}};
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    converse(&t, 3);
    for (size_t i = 0; i < 4; i++) {
        struct winsize size = {.ws_row = sizes[i][0], .ws_col = sizes[i][1]};
        ioctl(t.master, TIOCSWINSZ, &size);
        ui_resize(t.ui);
        term_turn(&t);
    }
    term_resize(&t, 24, 80);
    term_turn(&t);
    assert_true(term_shows(&t, "Question 2"));
    term_close(&t);
}

static int random_size(unsigned *seed, int least, int most)
{
    return least + (int)((unsigned)rand_r(seed) % (unsigned)(most - least + 1));
}

static void check_same_screen(const struct term *a, const struct term *b)
{
    char *text[] = {term_text(a), term_text(b)}, *styles[] = {term_styles(a), term_styles(b)};
    assert_string_equal(text[0], text[1]);
    assert_string_equal(styles[0], styles[1]);
    assert_int_equal(a->cursor.row, b->cursor.row);
    assert_int_equal(a->cursor.col, b->cursor.col);
    for (int i = 0; i < 2; i++) {
        free(text[i]);
        free(styles[i]);
    }
}

static void after_a_storm_of_sizes_the_screen_is_as_new(void **state)
{
    enum { ROUNDS = 20 };
    static struct term fresh[ROUNDS]; /* curses bears no closing while another is open */
    unsigned seed = 10;
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    converse(&t, 4);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 50; i++) {
            term_resize(&t, random_size(&seed, 1, 60), random_size(&seed, 1, 200));
            term_wait(random_size(&seed, 0, 40));
            ui_draw(t.ui);
            term_drain(&t);
        }
        int rows = random_size(&seed, 5, 45), cols = random_size(&seed, 20, 180);
        term_resize(&t, rows, cols);
        term_turn(&t);
        term_open(&fresh[round], rows, cols, NULL);
        converse(&fresh[round], 4);
        term_turn(&fresh[round]);
        check_same_screen(&t, &fresh[round]);
    }
    term_close(&t);
    for (int round = 0; round < ROUNDS; round++)
        term_close(&fresh[round]);
}

static void a_locale_without_utf8_gets_ascii(void **state)
{
    struct term t;
    (void)state;
    setlocale(LC_ALL, "C");
    term_open(&t, 24, 80, NULL);
    converse(&t, 2);
    term_type(&t, "\033OP");
    term_type(&t, "\033");
    term_type(&t, "\017");
    term_type(&t, "F\u00fc\u00dfe, \u00c9t\u00e9, \u1ec7; 3 \u2260 4, x\u00b2, \u4e2d");
    for (size_t i = 0; i < t.raw.len; i++)
        assert_true((unsigned char)t.raw.data[i] < 0x80);
    assert_true(term_shows(&t, "> Question 1"));
    assert_true(term_shows(&t, "v 1 step"));
    assert_true(term_shows(&t, "> Fuse, Ete, e; 3 ? 4, x?, ?")); /* but not = for its contrary */
    setlocale(LC_ALL, "C.UTF-8");
    term_close(&t);
}

static void without_colour_there_is_none(void **state)
{
    struct term t;
    char err[256];
    (void)state;
    term_open_bare(&t, 24, 80);
    struct ui_options options = {.in = t.slave,
                                 .out = t.slave,
                                 .term = "xterm-256color",
                                 .theme = UI_THEME_NONE,
                                 .clock_ms = term_clock};
    assert_int_equal(ui_open(&t.ui, &options, err, sizeof err), 0);
    converse(&t, 2);
    term_turn(&t);
    assert_null(strstr(t.raw.data, "\033[38"));
    assert_null(strstr(t.raw.data, ";5;"));
    assert_non_null(strstr(t.raw.data, "\033[0;1m"));
    term_close(&t);
}

static void a_busy_status_spins_and_an_idle_one_does_not(void **state)
{
    struct term t;
    struct ui_status status = {.model = "m",
                               .state = UI_PREFILL,
                               .done = 10,
                               .total = 90,
                               .tokens_per_second = -1,
                               .time_to_first_token_ms = -1,
                               .context_used = 3400,
                               .context_limit = 4096,
                               .draft_tokens = 7};
    (void)state;
    term_open(&t, 24, 80, NULL);
    ui_status_set(t.ui, &status);
    term_turn(&t);
    assert_true(term_shows(&t, "reading 10 of 90"));
    assert_true(term_shows(&t, "draft 7 · 3,400 / 4,096 tokens (83%)"));
    term_forget(&t);
    term_wait(100);
    term_turn(&t);
    assert_true(t.raw.len > 0);
    assert_true(ui_timeout_ms(t.ui) >= 0);
    status.state = UI_IDLE;
    ui_status_set(t.ui, &status);
    term_turn(&t);
    assert_int_equal(ui_timeout_ms(t.ui), -1);
    ui_status_set(t.ui, &status); /* the same again is no reason to wake up */
    assert_int_equal(ui_timeout_ms(t.ui), -1);
    term_close(&t);
}

int test_screen(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_note_is_not_cut_in_a_fact),
        cmocka_unit_test(the_status_line_fits),
        cmocka_unit_test(a_long_name_gives_way),
        cmocka_unit_test(the_terminal_comes_back_as_it_was),
        cmocka_unit_test(a_terminal_of_one_screen_is_left_below_it),
        cmocka_unit_test(what_is_no_terminal_is_refused_in_one_line),
        cmocka_unit_test(terminals_of_all_kinds_are_driven),
        cmocka_unit_test(nothing_is_written_when_nothing_changed),
        cmocka_unit_test(at_most_thirty_frames_a_second),
        cmocka_unit_test(a_terminal_that_does_not_drain_costs_nothing),
        cmocka_unit_test(closing_does_not_wait_for_a_stuck_terminal),
        cmocka_unit_test(any_size_is_safe_and_too_small_recovers),
        cmocka_unit_test(a_huge_window_uses_a_part_and_0x0_is_a_guess),
        cmocka_unit_test(after_a_storm_of_sizes_the_screen_is_as_new),
        cmocka_unit_test(a_locale_without_utf8_gets_ascii),
        cmocka_unit_test(without_colour_there_is_none),
        cmocka_unit_test(a_busy_status_spins_and_an_idle_one_does_not),
    };
    return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
