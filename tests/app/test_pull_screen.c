/* test_pull_screen.c - /pull on the screen and in line mode: the chat goes on beside it. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/app/hub.h"
#include "tests/app/pulling.h"

static struct term *start(void)
{
    struct term *t = term_start(24, 80, "-m", some_model(), "-n", "5", "--temp", "0", NULL);
    term_expect(t, "Ask anything");
    return t;
}

/* That nobody pulls any longer, who would have the part locked: another pull comes to its end. */
static void assert_let_go(void)
{
    struct run r;
    hub_use("hub", "good");
    run_duet(&r, NULL, 0, "pull", "llama", "-q", NULL);
    assert_int_equal(r.status, 0);
    run_done(&r);
}

static void a_model_is_pulled_on_the_screen(void **state)
{
    (void)state;
    hub_use("hub", "demo");
    struct term *t = start();
    term_type(t, "/pull llama\r");
    term_expect(t, "llama:q8 is installed (3.8 MB, its sha256 is right)");
    term_lacks(t, "\u2591"); /* of the bar */
    term_type(t, "/model llama\r");
    term_expect(t, "llama answers from here on");
    term_type(t, "/pull llama\r");
    term_expect(t, "is on this machine already");
    term_leave(t);
}

/* And the next start continues a pull that was stopped. */
static void a_question_is_answered_beside_a_pull(void **state)
{
    (void)state;
    hub_use("hub", "drip");
    struct term *t = start();
    term_type(t, "/pull llama\r");
    term_expect(t, "pull llama:q8 \u2591");
    term_expect(t, "of 100 kB");
    term_type(t, "hello\r");
    term_expect(t, "5 tokens");
    term_shows(t, "pull llama:q8 \u2591");
    term_type(t, "/pull deepseek\r");
    term_expect(t, "is being pulled");
    term_resize(t, 12, 30);
    term_read(t, 50);
    term_resize(t, 24, 80);
    term_type(t, "/pull stop\r");
    term_expect(t, "stopped; /pull llama:q8 continues it");
    term_lacks(t, "\u2591");
    term_type(t, "/pull stop\r");
    term_expect(t, "nothing is being pulled");
    term_leave(t);
    hub_use("hub", "good");
    hub_forget();
    t = start();
    term_expect(t, "0% of llama:q8 is here; /pull llama:q8 continues it");
    term_type(t, "/pull llama:q8\r");
    term_expect(t, "is installed");
    term_type(t, "\004");
    term_end(t);
    term_free(t);
    char *log = hub_log();
    assert_non_null(strstr(log, "| Range: bytes="));
    free(log);
}

/* However that ends. */
static void a_pull_ends_with_the_program(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        assert_int_equal(system("rm -rf $HOME/.local/share/duet/models"), 0);
        hub_use("hub", "drip");
        struct term *t = start();
        term_type(t, "/pull llama\r");
        term_expect(t, "of 100 kB");
        if (way == 0)
            term_type(t, "\004");
        else if (way == 1)
            term_signal(t, SIGKILL);
        else
            term_hang_up(t);
        assert_int_equal(term_end(t), way == 0 ? 0 : way == 1 ? -SIGKILL : 128 + SIGHUP);
        term_free(t);
        assert_let_go();
    }
}

static void refusals_are_shown(void **state)
{
    (void)state;
    hub_use("hub", "404");
    struct term *t = start();
    term_type(t, "/pull llama\r");
    term_expect(t, "pull llama:q8: localhost: HTTP 404");
    hub_use("hub", "good"); /* not this program's environment */
    term_type(t, "/pull ../x\r");
    term_expect(t, "not a model that can be pulled: ../x");
    term_type(t, "/pull\r");
    term_expect(t, "deepseek:q8, 1.9 GB, MIT");
    term_leave(t);
    setenv("HF_TOKEN", "a b", 1);
    t = start();
    term_type(t, "/pull llama\r");
    term_expect(t, "HF_TOKEN: a character that no token has");
    term_free(t);
}

static void line_mode_pulls_too(void **state)
{
    (void)state;
    hub_use("hub", "drip");
    struct term *t = term_start(24, 80, "--plain", "-m", some_model(), NULL);
    term_expect(t, "Ctrl-D leaves");
    term_type(t, "/pull llama\r");
    wait_for_part();
    term_type(t, "\003");
    term_expect(t, "stopped; /pull llama:q8 continues it");
    term_type(t, "/pull stop\r");
    term_expect(t, "nothing is being pulled");
    term_leave(t);
    struct run r;
    run_duet(&r, NULL, 0, "models", NULL);
    assert_contains(r.err, "0% of llama:q8 is here; duet pull llama:q8 continues it");
    run_done(&r);
    hub_use("hub", "slow");
    t = term_start(24, 80, "--plain", "-m", some_model(), NULL);
    term_expect(t, "0% of llama:q8 is here; /pull llama:q8 continues it");
    term_type(t, "/pull llama\r");
    term_expect(t, "llama:q8 is installed");
    term_leave(t);
}

int test_pull_screen(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(a_model_is_pulled_on_the_screen),
        HUB_TEST(a_question_is_answered_beside_a_pull),
        HUB_TEST(a_pull_ends_with_the_program),
        HUB_TEST(refusals_are_shown),
        HUB_TEST(line_mode_pulls_too),
    };
    return cmocka_run_group_tests_name("pull-screen", tests, hub_start, hub_stop);
}
