/* test_background.c - work beside which the screen lives on: opening a model. */
#include "tests/app/tests.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/background.h"
#include "app/models/pool.h"

/* Work that goes on until the screen has lived on three times beside it. */
struct work {
    int ask[2]; /* a byte each time */
    pthread_t thread;
    int n_lived;
};

static int wait_for_three(void *arg)
{
    struct work *w = arg;
    struct pollfd fd = {.fd = w->ask[0], .events = POLLIN};
    char byte;
    w->thread = pthread_self();
    for (int i = 0; i < 3; i++)
        if (poll(&fd, 1, 10000) != 1 || read(w->ask[0], &byte, 1) != 1)
            return -1;
    return 42;
}

static void live(void *ud, int done_fd, double ms)
{
    struct work *w = ud;
    struct pollfd fd = {.fd = done_fd, .events = POLLIN};
    assert_true(ms >= 0);
    w->n_lived++;
    assert_int_equal(write(w->ask[1], "x", 1), 1);
    if (w->n_lived >= 3)
        poll(&fd, 1, 10000);
}

static void work_runs_while_the_screen_lives(void **state)
{
    struct work w = {0};
    (void)state;
    assert_int_equal(pipe(w.ask), 0);
    assert_int_equal(background_run(&(struct background){live, &w}, wait_for_three, &w), 42);
    assert_int_equal(w.n_lived, 3);
    assert_false(pthread_equal(w.thread, pthread_self()));
    assert_int_equal(write(w.ask[1], "xxx", 3), 3);
    assert_int_equal(background_run(&(struct background){0}, wait_for_three, &w), 42);
    assert_true(pthread_equal(w.thread, pthread_self()));
    close(w.ask[0]);
    close(w.ask[1]);
}

static void count_turns(void *ud, int done_fd, double ms)
{
    struct pollfd fd = {.fd = done_fd, .events = POLLIN};
    assert_true(ms >= 0);
    ++*(int *)ud;
    poll(&fd, 1, 10000);
}

/* What is refused too; one that is open already takes no time. */
static void models_are_opened_beside_the_screen(void **state)
{
    struct options options = {.device = ENGINE_DEVICE_CPU};
    struct paths paths = {0};
    struct model_pool h;
    struct pool_model *m;
    char err[256];
    int turns = 0;
    (void)state;
    model_pool_init(&h, &options, &paths);
    h.background = (struct background){count_turns, &turns};
    assert_int_equal(model_pool_find(&h, some_model(), NULL, &m, err, sizeof err), 0);
    assert_int_equal(turns, 0);
    assert_int_equal(model_pool_open(&h, m, err, sizeof err), 0);
    assert_true(turns >= 1);
    assert_non_null(m->engine);
    turns = 0;
    assert_int_equal(model_pool_open(&h, m, err, sizeof err), 0); /* is open already */
    assert_int_equal(turns, 0);
    options.n_ctx = 1 << 30;
    assert_int_equal(model_pool_find(&h, thinking_model(), NULL, &m, err, sizeof err), 0);
    assert_int_not_equal(model_pool_open(&h, m, err, sizeof err), 0);
    assert_non_null(strstr(err, "context: not possible"));
    assert_true(turns >= 1);
    model_pool_done(&h);
}

static void keys_typed_while_a_model_opens_are_kept(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "-m", "demo-llama", NULL);
    term_expect(t, "Ask anything");
    term_type(t, "/model demo-deepseek\rhello");
    term_expect(t, "demo-deepseek answers from here on");
    term_expect(t, "\u203a hello");
    term_type(t, "\004\025\004");
    term_end(t);
    term_free(t);
}

static void talk_until_loaded(struct term *t)
{
    term_expect(t, "Ask anything");
    term_type(t, "1 + 1\r");
    term_expect(t, "tokens/s");
}

/* Stops the thread in which this command has a model opened, as a disk that hangs would. */
static pid_t hang_opening(struct term *t, const char *command)
{
    pid_t pid = term_pid(t);
    unsigned long thread = 0;
    int status, cloned = SIGTRAP | PTRACE_EVENT_CLONE << 8;
    if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACECLONE) != 0)
        skip();
    term_type(t, command);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status >> 8, cloned);
    assert_int_equal(ptrace(PTRACE_GETEVENTMSG, pid, NULL, &thread), 0);
    assert_int_equal(waitpid((pid_t)thread, &status, __WALL), thread);
    assert_int_equal(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
    return (pid_t)thread;
}

/* Leaves by these keys. The stopped thread ends with the program. */
static void assert_leaves(struct term *t, pid_t thread, const char *keys, int status)
{
    int ended = 0;
    term_type(t, keys);
    for (int i = 0; i < 3000 && waitpid(thread, &ended, __WALL | WNOHANG) == 0; i++)
        term_read(t, 20);
    if (!WIFEXITED(ended))
        fail_msg("duet waits for the model; the screen:\n%s", term_screen(t));
    assert_int_equal(term_end(t), status);
    assert_restored(t);
    term_free(t);
}

/* The draft is there at the next start. */
static void a_hung_disk_can_be_left(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "-m", "demo-llama", NULL);
    talk_until_loaded(t);
    pid_t thread = hang_opening(t, "/model demo-deepseek\r");
    term_expect(t, "opening the model");
    term_type(t, "\003");
    term_expect(t, "again");
    assert_leaves(t, thread, "\003", 130);

    t = term_start(24, 80, "-m", "demo-llama", NULL);
    talk_until_loaded(t);
    thread = hang_opening(t, "/model demo-deepseek\r");
    term_expect(t, "opening the model");
    term_type(t, "unsent");
    term_expect(t, "unsent");
    term_signal(t, SIGTERM);
    assert_leaves(t, thread, "", 143);
    t = term_start(24, 80, "-m", "demo-llama", NULL);
    term_expect(t, "draft restored");
    term_expect(t, "unsent");
    term_type(t, "\025\004");
    term_end(t);
    term_free(t);

    t = term_start(24, 80, "--plain", "-m", "demo-llama", NULL);
    term_expect(t, "\n> ");
    thread = hang_opening(t, "/model demo-deepseek\r");
    assert_leaves(t, thread, "\003", 130);
}

int test_background(void)
{
    const struct CMUnitTest tests[] = {
        TEST(work_runs_while_the_screen_lives),
        TEST(models_are_opened_beside_the_screen),
        TEST(keys_typed_while_a_model_opens_are_kept),
        TEST(a_hung_disk_can_be_left),
    };
    return cmocka_run_group_tests_name("background", tests, NULL, NULL);
}
