/* test_screen.c - the whole program on a terminal: an answer that is stopped, killed, taken up
 * again; a terminal that is resized, suspended, hung up, and always given back. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct term *start(const char *model)
{
    struct term *t = term_start(24, 80, "-m", model, "--temp", "0", NULL);
    term_expect(t, "Ctrl"); /* the hints of the empty screen */
    return t;
}

static void an_answer_can_be_stopped(void **state)
{
    (void)state;
    struct term *t = term_start_answer();
    term_type(t, "\003");
    term_expect(t, "stopped");
    term_leave(t);
}

static void a_killed_answer_is_offered_again(void **state)
{
    (void)state;
    struct term *t = term_start_answer();
    term_signal(t, SIGKILL);
    assert_int_equal(term_end(t), -SIGKILL);
    term_free(t);

    t = term_start(24, 80, "-c", "-m", some_model(), NULL);
    term_expect(t, "interrupted");
    term_leave(t);
}

static void assert_leaves(int signal, int status)
{
    struct term *t = term_start_answer();
    term_signal(t, signal);
    assert_int_equal(term_end(t), status);
    assert_restored(t);
    term_free(t);
}

static void every_signal_restores_the_terminal(void **state)
{
    (void)state;
    assert_leaves(SIGTERM, 143);
    assert_leaves(SIGHUP, 129);
    assert_leaves(SIGQUIT, 131);
}

static void a_crash_restores_the_terminal(void **state)
{
    (void)state;
    assert_leaves(SIGABRT, -SIGABRT);
}

static void a_lost_connection_keeps_the_answer(void **state)
{
    (void)state;
    struct term *t = term_start_answer();
    term_hang_up(t);
    assert_int_equal(term_end(t), 128 + SIGHUP);
    term_free(t);
    t = term_start(24, 80, "-c", "-m", some_model(), NULL);
    term_expect(t, "interrupted");
    term_free(t);
}

static void an_answer_survives_any_size(void **state)
{
    static const int sizes[][2] = {{10, 40}, {60, 200}, {1, 1}, {5, 20}, {24, 80}};
    char rule[512] = "\n";
    (void)state;
    struct term *t = term_start_answer();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        term_resize(t, sizes[i][0], sizes[i][1]);
        term_read(t, 50);
    }
    for (int i = 0; i < 80; i++)
        strcat(rule, "\u2500");
    term_expect(t, strcat(rule, "\n")); /* so wide is only what is drawn for the last size */
    term_type(t, "\003");
    term_expect(t, "stopped");
    term_leave(t);
}

static void a_stopped_program_takes_the_terminal_back(void **state)
{
    (void)state;
    struct term *t = start(some_model());
    int status;
    term_signal(t, SIGSTOP);
    assert_int_equal(waitpid(term_pid(t), &status, WUNTRACED), term_pid(t));
    assert_true(WIFSTOPPED(status));
    term_signal(t, SIGCONT);
    term_expect_bytes(
        t, "\033[?1049h"); /* before it has the main screen left, keys are the terminal's */
    term_type(t, "still here");
    term_expect(t, "still here");
    term_type(t, "\003");
    term_expect(t, "Ask anything");
    term_leave(t);
}

static void commands_answer_on_the_screen(void **state)
{
    (void)state;
    struct term *t = start(some_model());
    term_type(t, "/nothing\r");
    term_expect(t, "no command /nothing");
    term_type(t, "/set temperature 0.5\r");
    term_expect(t, "temperature is 0.5");
    term_type(t, "/set parameter top_k 0\r");
    term_expect(t, "top_k is 0");
    term_type(t, "/system be brief\r");
    term_expect(t, "system prompt: be brief");
    term_type(t, "/quit\r");
    assert_int_equal(term_end(t), 0);
    assert_restored(t);
    term_free(t);
}

static void a_history_that_is_off_is_said(void **state)
{
    const char *model = some_model();
    (void)state;
    setenv("HOME", "", 1);
    struct term *t = start(model);
    term_expect(t, "history off");
    term_leave(t);
}

static void what_cannot_start_says_why(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "-m", "nowhere", NULL);
    assert_int_equal(term_end(t), 3);
    assert_restored(t);
    term_expect(t, "nowhere: no such model (`duet models` lists them)");
    term_free(t);
    setenv("TERM", "no-such-terminal", 1);
    t = term_start(24, 80, "-m", some_model(), NULL);
    term_expect(t, "Ctrl-D leaves"); /* line mode instead */
    term_free(t);
}

static void two_instances_share_the_history(void **state)
{
    const char *model = some_model();
    (void)state;
    struct term *a = term_start(24, 80, "-m", model, "-n", "5", NULL);
    struct term *b = term_start(24, 80, "-m", model, "-n", "5", NULL);
    term_expect(a, "Ctrl");
    term_expect(b, "Ctrl");
    term_type(a, "from the first\r");
    term_type(b, "from the second\r");
    term_expect(a, "5 tokens");
    term_expect(b, "5 tokens");
    term_type(a, "\004");
    term_type(b, "\004");
    assert_int_equal(term_end(a), 0);
    assert_int_equal(term_end(b), 0);
    term_free(a);
    term_free(b);
    struct term *c = term_start(24, 80, "-m", model, "--plain", NULL);
    term_expect(c, "\n> ");
    term_type(c, "/list\r");
    term_expect(c, "from the first");
    term_expect(c, "from the second");
    term_free(c);
}

int test_screen(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_can_be_stopped),
        TEST(a_killed_answer_is_offered_again),
        TEST(every_signal_restores_the_terminal),
        TEST(a_crash_restores_the_terminal),
        TEST(a_lost_connection_keeps_the_answer),
        TEST(an_answer_survives_any_size),
        TEST(a_stopped_program_takes_the_terminal_back),
        TEST(commands_answer_on_the_screen),
        TEST(a_history_that_is_off_is_said),
        TEST(what_cannot_start_says_why),
        TEST(two_instances_share_the_history),
    };
    return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
