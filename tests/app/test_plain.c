/* test_plain.c - line mode: readline on a terminal, and no cursor movement while an answer
 * comes. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct term *start(const char *model)
{
    struct term *t = term_start(24, 80, "--plain", "-m", model, "--temp", "0", "-n", "20", NULL);
    term_expect(t, "\n> "); /* before it, keys are the terminal's */
    return t;
}

static void a_session_can_be_listed_and_taken_up(void **state)
{
    (void)state;
    struct term *t = start(some_model());
    term_type(t, "hello\r");
    term_expect(t, " 20 tokens");
    term_type(t, "/list\r");
    term_expect(t, "1  hello");
    term_type(t, "/nothing\r");
    term_expect(t, "no command /nothing");
    term_type(t, "/new\r");
    term_expect(t, "a new conversation");
    term_type(t, "/switch 1\r");
    term_expect(t, "you: hello");
    term_type(t, "\r\r/bye\r");
    assert_int_equal(term_end(t), 0);
    assert_restored(t);
    term_free(t);
}

static void a_block_of_lines_is_one_question(void **state)
{
    (void)state;
    struct term *t = start(some_model());
    term_type(t, "\"\"\"first line\rsecond line\"\"\"\r");
    term_expect(t, " 20 tokens");
    term_type(t, "/switch 1\r");
    term_expect(t, "you: first line");
    term_expect(t, "second line");
    term_leave(t);
}

static void the_first_ctrl_c_stops_the_second_leaves(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "--plain", "-m", endless_model(), "--temp", "0", "--ctx",
                                "100000", NULL);
    term_expect(t, "\n> "); /* before it, keys are the terminal's: it drops them on Ctrl-C */
    term_type(t, "half a line");
    term_expect(t, "> half a line");
    term_type(t, "\003\003"); /* the line, then nothing: no more is lost without a warning */
    term_expect(t, "second Ctrl-C leaves");
    term_type(t, "go\r");
    term_expect_bytes(t, "demo model"); /* which soon scrolls away */
    term_type(t, "\003");
    term_expect(t, "(stopped");
    term_expect(t, "\n> "); /* before it, two keys are one signal */
    term_type(t, "\003");
    term_expect(t, "second Ctrl-C leaves");
    term_type(t, "\003");
    assert_int_equal(term_end(t), 130);
    assert_restored(t);
    term_free(t);
}

/* Whatever control characters are in it. */
static void a_paste_sends_nothing_before_enter(void **state)
{
    (void)state;
    struct term *t = start(some_model());
    term_type(t, "\033[200~one\003two\034three\032four\rfive\033[201~");
    term_expect(t, "one^Ctwo^\\three^Zfour");
    term_expect(t, "five");
    term_type(t, "\r");
    term_expect(t, " 20 tokens");
    term_type(t, "\003");
    term_expect(t, "second Ctrl-C leaves");
    term_leave(t);
}

/* Not one escape sequence; and what comes after it begins on a line of its own. */
static void a_dumb_terminal_gets_no_escapes(void **state)
{
    size_t len;
    (void)state;
    const char *model = thinking_model();
    setenv("TERM", "dumb", 1);
    struct term *t = term_start(24, 80, "-m", model, "--temp", "0", "-n", "20", NULL);
    term_expect(t, "\n> ");
    term_type(t, "hello\r");
    term_expect(t, " 20 tokens");
    term_expect(t, "\n> ");
    const char *bytes = term_bytes(t, &len);
    assert_null(memchr(bytes, '\033', len));
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    bytes = term_bytes(t, &len);
    assert_int_equal(bytes[len - 1], '\n');
    term_free(t);
}

static void a_signal_restores_the_terminal(void **state)
{
    (void)state;
    struct term *t = start(some_model());
    term_signal(t, SIGTERM);
    assert_int_equal(term_end(t), 143);
    assert_restored(t);
    term_free(t);
}

/* By a key, or by a command that nobody sees being typed. */
static void thinking_can_be_cut_short(void **state)
{
    static const char *const wishes[] = {"\033a", "/answer\r", "/awn\177\177nswer \r"};
    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        struct term *t = term_start(24, 80, "--plain", "-m", endless_thinker(), "--temp", "0",
                                    "--ctx", "100000", NULL);
        term_expect(t, "\n> ");
        term_type(t, "go\r");
        term_expect_bytes(t, "thinking: ");
        term_type(t, wishes[i]);
        term_expect_bytes(t, "answer: ");
        term_type(t, "\003");
        term_expect(t, "(stopped");
        term_leave(t);
    }
}

static void what_is_typed_ahead_is_the_next_line(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "--plain", "-m", endless_thinker(), "--temp", "0", "--ctx",
                                "100000", "-n", "300", NULL);
    term_expect(t, "\n> ");
    term_type(t, "go\r");
    term_expect_bytes(t, "thinking: ");
    term_type(t, "/version\rhalf\033[D\033[DX\033bY");
    term_expect(t, "only one version");
    term_expect(t, "> YhaXlf");
    term_type(t, "\005\025");
    term_leave(t);
}

/* What is typed is broken by readline. */
static void lines_are_broken_between_words(void **state)
{
    (void)state;
    struct term *t = term_start(24, 40, "--plain", "-m", "demo-deepseek", "--temp", "0", NULL);
    term_expect(t, "/help lists\nthe commands, Ctrl-D leaves");
    term_type(t, "Tell me about Rome.\r");
    term_expect(
        t, "answer: I am a small demo model: I only\ndo small maths in English, and this is\n");
    term_leave(t);
    t = term_start(24, 40, "--plain", "--raw", "-m", "demo-deepseek", "--temp", "0", NULL);
    term_expect(t, "\n> ");
    term_type(t, "What is 2 + 2?\r");
    term_expect(t, "\\boxed{4}");
    term_leave(t);
    t = term_start(24, 40, "--modle", NULL);
    term_expect(t, "duet: --modle: unknown option; did you\nmean --model?");
    assert_int_equal(term_end(t), 2);
    term_free(t);
}

int test_plain(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_can_be_listed_and_taken_up),
        TEST(a_block_of_lines_is_one_question),
        TEST(the_first_ctrl_c_stops_the_second_leaves),
        TEST(a_dumb_terminal_gets_no_escapes),
        TEST(a_paste_sends_nothing_before_enter),
        TEST(a_signal_restores_the_terminal),
        TEST(thinking_can_be_cut_short),
        TEST(what_is_typed_ahead_is_the_next_line),
        TEST(lines_are_broken_between_words),
    };
    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
