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

static void test_session(void **state)
{
    (void)state;
    struct term *t = start(some_model());
    term_type(t, "hello\r");
    term_expect(t, "(20 tokens");
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

static void test_block(void **state)
{
    (void)state;
    struct term *t = start(some_model());
    term_type(t, "\"\"\"first line\rsecond line\"\"\"\r");
    term_expect(t, "(20 tokens");
    term_type(t, "/switch 1\r");
    term_expect(t, "you: first line");
    term_expect(t, "second line");
    term_leave(t);
}

static void test_interrupts(void **state)
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
    term_expect(t, "demo model"); /* the answer */
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

/* Whatever stands in it: nothing is sent, stopped or left before Enter. */
static void test_paste(void **state)
{
    (void)state;
    struct term *t = start(some_model());
    term_type(t, "\033[200~one\003two\034three\032four\rfive\033[201~");
    term_expect(t, "one^Ctwo^\\three^Zfour");
    term_expect(t, "five");
    term_type(t, "\r");
    term_expect(t, "(20 tokens");
    term_type(t, "\003");
    term_expect(t, "second Ctrl-C leaves");
    term_leave(t);
}

/* Not one escape sequence; and what comes after it begins on a line of its own. */
static void test_dumb(void **state)
{
    size_t len;
    (void)state;
    const char *model = some_model();
    setenv("TERM", "dumb", 1);
    struct term *t = term_start(24, 80, "-m", model, "--temp", "0", "-n", "20", NULL);
    term_expect(t, "\n> ");
    term_type(t, "hello\r");
    term_expect(t, "(20 tokens");
    term_expect(t, "\n> ");
    const char *bytes = term_bytes(t, &len);
    assert_null(memchr(bytes, '\033', len));
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    bytes = term_bytes(t, &len);
    assert_int_equal(bytes[len - 1], '\n');
    term_free(t);
}

static void test_signal(void **state)
{
    (void)state;
    struct term *t = start(some_model());
    term_signal(t, SIGTERM);
    assert_int_equal(term_end(t), 143);
    assert_restored(t);
    term_free(t);
}

/* The thinking is ended by a key, or by a command that nobody sees being typed; what else is typed
 * meanwhile is the next line. */
static void test_answer_now(void **state)
{
    static const char *const wishes[] = {"\033a", "/answer\r", "/awn\177\177nswer \r"};
    (void)state;
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        struct term *t = term_start(24, 80, "--plain", "-m", endless_thinker(), "--temp", "0",
                                    "--ctx", "100000", NULL);
        term_expect(t, "\n> ");
        term_type(t, "go\r");
        term_expect(t, "thinking: ");
        term_type(t, wishes[i]);
        term_expect(t, "answer: ");
        term_type(t, "\003");
        term_expect(t, "(stopped");
        term_leave(t);
    }
}

static void test_typed_ahead(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "--plain", "-m", endless_thinker(), "--temp", "0", "--ctx",
                                "100000", "-n", "3000", NULL);
    term_expect(t, "\n> ");
    term_type(t, "go\r");
    term_expect(t, "thinking: ");
    term_type(t, "/version\rhalf\033[D\033[DX\033bY");
    term_expect(t, "only one version");
    term_expect(t, "> YhaXlf");
    term_type(t, "\005\025");
    term_leave(t);
}

/* Between words, and what is typed is readline's to break. */
static void test_lines(void **state)
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
        TEST(test_session),    TEST(test_block),       TEST(test_interrupts),
        TEST(test_dumb),       TEST(test_paste),       TEST(test_signal),
        TEST(test_answer_now), TEST(test_typed_ahead), TEST(test_lines),
    };
    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
