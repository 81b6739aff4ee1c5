/* test_terminals.c - everyone's terminal: kinds, sizes and languages of them, what the environment
 * says wrongly of them, one that is left and taken up elsewhere, and the first time. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Waits for a prompt: the screen's, or line mode's where the terminal is not fit for a screen. */
static void expect_prompt(struct term *t)
{
    for (int i = 0; i < 1000 && !term_ended(t); i++)
        if (term_wait(t, "Ask anything", 20) || term_wait(t, "\n> ", 20))
            return;
    term_shows(t, "a prompt");
}

/* One question on this terminal. */
static void assert_answers(int rows, int cols)
{
    struct term *t = term_start(rows, cols, "-q", "-m", some_model(), "--temp", "0", NULL);
    expect_prompt(t);
    term_type(t, "17 + 25\r");
    term_expect(t, "42.");
    term_leave(t);
}

/* In every language, one that the C library does not know among them. */
static void every_kind_of_terminal_answers(void **state)
{
    static const char *const types[] = {"tmux-256color", "screen", "linux",
                                        "xterm",         "vt100",  "dumb"};
    static const char *const locales[] = {"C.UTF-8", "C", "POSIX", "xx_XX.ISO-8859-1"};
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        setenv("TERM", types[i], 1);
        setenv("LC_ALL", locales[i % 4], 1);
        assert_answers(24, 80);
    }
    setenv("TERM", "xterm-256color", 1);
    for (int i = 0; i < 4; i++) {
        setenv("LC_ALL", locales[i], 1);
        assert_answers(24, 80);
    }
}

static void unknown_terminals_answer(void **state)
{
    static char huge[4096];
    (void)state;
    memset(huge, 'x', sizeof huge - 1);
    const char *const types[] = {"nonsense", "", huge, "../../etc/passwd", "a\033[2Jb"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        setenv("TERM", types[i], 1);
        assert_answers(24, 80);
    }
    unsetenv("TERM");
    assert_answers(24, 80);
}

/* Whatever LINES and COLUMNS say. */
static void every_size_answers(void **state)
{
    (void)state;
    assert_answers(5, 20);
    assert_answers(200, 500);
    assert_answers(10, 40);
    setenv("LINES", "0", 1);
    setenv("COLUMNS", "-5", 1);
    assert_answers(24, 80);
    setenv("LINES", "1000000000", 1);
    setenv("COLUMNS", "1000000000", 1);
    assert_answers(24, 80);
    unsetenv("LINES");
    unsetenv("COLUMNS");
}

static void a_damaged_terminfo_does_no_harm(void **state)
{
    static const char *const bytes[] = {
        "yes garbage | head -c 3000",
        "(printf '\\032\\001\\377\\177\\377\\177\\377\\177\\377\\177\\377\\177'; "
        "head -c 3000 /dev/zero)", /* the header of one, with sizes that it has not */
    };
    char folder[256], line[512];
    (void)state;
    sandbox_path("ti", folder, sizeof folder);
    setenv("TERMINFO", folder, 1);
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        snprintf(line, sizeof line,
                 "cd $HOME; mkdir -p ti/x ti/78; %s >ti/x/xterm-256color; cp ti/x/* ti/78",
                 bytes[i]);
        assert_int_equal(system(line), 0);
        assert_answers(24, 80);
        struct term *t = term_start(24, 80, "--plain", "-q", "-m", some_model(), NULL);
        term_expect(t, "\n> ");
        term_leave(t);
    }
    unsetenv("TERMINFO");
}

/* Anything else is rubbish on such a terminal. */
static void without_a_language_all_is_ascii(void **state)
{
    static const char *const modes[][2] = {{"-q", "tokens/s"}, {"--plain", "7 x 3 = 21.\n\n> "}};
    (void)state;
    setenv("LC_ALL", "C", 1);
    for (int i = 0; i < 2; i++) {
        size_t len;
        struct term *t = term_start(24, 80, modes[i][0], "-m", some_model(), "--temp", "0", NULL);
        expect_prompt(t);
        term_type(t, "7 times 3\r");
        term_expect(t, "7 x 3 = 21.");
        term_expect(t, modes[i][1]);
        term_type(t, "\004");
        assert_int_equal(term_end(t), 0);
        const char *bytes = term_bytes(t, &len);
        for (size_t k = 0; k < len; k++)
            if ((unsigned char)bytes[k] >= 0x80)
                fail_msg("byte 0x%02x in %s: %.40s", (unsigned char)bytes[k], modes[i][0],
                         bytes + k);
        term_free(t);
    }
}

/* And other terminals of other sizes. */
static void an_answer_survives_detaching(void **state)
{
    struct run r;
    (void)state;
    setenv("MODEL", endless_model(), 1);
    run_tmux(&r, "mkfifo in; " /* an input that never ends: at its end script types Ctrl-D */
                 "$T new-session -d -x 80 -y 24 \"$DUET -q -m $MODEL --temp 0 --ctx 100000\"; "
                 "await Ctrl; $T send-keys go Enter; await answering; "
                 "for at in 'linux 20 5' 'vt100 200 60' 'xterm-256color 80 24'; do set -- $at; "
                 "TERM=$1 script -qec \"stty cols $2 rows $3; $T attach\" /dev/null "
                 ">/dev/null 2>&1 0<>in & until [ \"$($T list-clients)\" ]; do sleep 0.02; done; "
                 "$T detach-client -s 0; wait $!; $T resize-window -x $2 -y $3; done; "
                 "await answering; $T send-keys C-c; await stopped");
    run_done(&r);
}

static void tmux_in_tmux_answers(void **state)
{
    struct run r;
    (void)state;
    setenv("MODEL", some_model(), 1);
    run_tmux(&r, "$T new-session -d -x 90 -y 30 \"unset TMUX; tmux -S $HOME/u -f /dev/null "
                 "new-session '$DUET -q -m $MODEL'\"; "
                 "await Ctrl; $T send-keys typed; await '\xe2\x80\xba typed'; "
                 "tmux -S $HOME/u kill-server");
    run_done(&r);
}

static bool greets(const char *option)
{
    struct term *t = term_start(24, 80, "-m", some_model(), "--temp", "0", option, NULL);
    term_expect(t, "quits");
    bool greeted = term_wait(t, "goes to what was said", 0);
    term_type(t, "1 + 1\r");
    term_expect(t, "1 + 1 = 2.");
    term_expect(t, "tokens/s"); /* it has ended: who quits before has had no conversation */
    term_leave(t);
    return greeted;
}

/* A conversation that was not kept counts too. */
static void the_first_time_is_greeted_once(void **state)
{
    char path[512];
    struct stat st;
    (void)state;
    assert_true(greets("--no-log"));
    sandbox_path(".local/state/duet/greeted", path, sizeof path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_false(greets("--no-log"));
    assert_false(greets("-q"));
}

static bool greets_in_line_mode(void)
{
    struct term *t = term_start(24, 80, "--plain", "-q", "--no-log", "-m", some_model(), "--temp",
                                "0", NULL);
    term_expect(t, "\n> ");
    bool greeted = term_wait(t, "Type a question and press Enter", 0);
    term_type(t, "1 + 1\r");
    term_expect(t, "1 + 1 = 2.");
    const char *waits = strstr(term_screen(t), "being loaded");
    assert_true(!waits || !strstr(waits + 1, "being loaded")); /* where one waits: said once */
    term_leave(t);
    return greeted;
}

/* Though nothing of the conversation is kept. */
static void line_mode_greets_once(void **state)
{
    (void)state;
    assert_true(greets_in_line_mode());
    assert_false(greets_in_line_mode());
}

/* A screen reader would read escapes aloud. */
static void line_mode_on_a_dumb_terminal_is_bare(void **state)
{
    static const char *const lines[][2] = {
        {"17 + 25\r", "17 + 25 = 42."}, {"/help\r", "/quit"},
        {"/list\r", "1  17 + 25"},      {"/model\r", "demo-deepseek"},
        {"/stats\r", "tokens"},         {"/nothing\r", "no command /nothing"},
    };
    size_t len;
    (void)state;
    const char *model = some_model();
    setenv("TERM", "dumb", 1);
    struct term *t = term_start(24, 80, "-m", model, "--temp", "0", NULL);
    term_expect(t, "\n> ");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        term_type(t, lines[i][0]);
        term_expect(t, lines[i][1]);
    }
    term_type(t, "/quit\r");
    assert_int_equal(term_end(t), 0);
    assert_null(strchr(term_bytes(t, &len), '\033'));
    term_free(t);

    /* One answer, whose reasoning other terminals have dimmed. */
    t = term_start(24, 80, "-m", thinking_model(), "--temp", "0", "17 + 25", NULL);
    assert_int_equal(term_end(t), 0);
    assert_contains(term_bytes(t, &len), "\\boxed{42}");
    assert_null(strchr(term_bytes(t, &len), '\033'));
    term_free(t);
}

/* And ends its line. */
static void an_answer_broken_off_resets_the_style(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM};
    static const char end[] = "\033[0m\r\n";
    (void)state;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        size_t len;
        struct term *t = term_start(24, 80, "-m", endless_thinker(), "go", NULL);
        term_read(t, 500);
        term_signal(t, signals[i]);
        assert_int_equal(term_end(t), 128 + signals[i]);
        const char *bytes = term_bytes(t, &len);
        assert_true(len > strlen(end));
        assert_string_equal(bytes + len - strlen(end), end);
        term_free(t);
    }
}

/* However duet ends. */
static void the_mouse_is_let_go_of(void **state)
{
    static const int signals[] = {
        0,       SIGTERM, SIGHUP, SIGABRT,
#ifndef __SANITIZE_ADDRESS__
        SIGSEGV, /* which is the sanitizer's there */
#endif
    };
    (void)state;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        size_t len;
        struct term *t = term_start(24, 80, "-m", some_model(), "--mouse", NULL);
        term_expect(t, "Ctrl");
        if (signals[i])
            term_signal(t, signals[i]);
        else
            term_type(t, "\004");
        term_end(t);
        const char *bytes = term_bytes(t, &len), *on = strstr(bytes, "\033[?1000h"), *off = NULL;
        assert_non_null(on);
        for (const char *s = on; (s = strstr(s, "\033[?1000l")); s++)
            off = s;
        assert_non_null(off);
        assert_null(strstr(off, "\033[?1000h"));
        assert_restored(t);
        term_free(t);
    }
}

int test_terminals(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_kind_of_terminal_answers),
        TEST(unknown_terminals_answer),
        TEST(every_size_answers),
        TEST(a_damaged_terminfo_does_no_harm),
        TEST(without_a_language_all_is_ascii),
        TEST(an_answer_survives_detaching),
        TEST(tmux_in_tmux_answers),
        TEST(the_first_time_is_greeted_once),
        TEST(line_mode_greets_once),
        TEST(line_mode_on_a_dumb_terminal_is_bare),
        TEST(the_mouse_is_let_go_of),
        TEST(an_answer_broken_off_resets_the_style),
    };
    return cmocka_run_group_tests_name("terminals", tests, NULL, NULL);
}
