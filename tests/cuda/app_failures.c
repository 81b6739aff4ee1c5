/* app_failures.c - the program when its GPU fails: on the stub, whose answers mean nothing. What
 * there is of an answer is kept, one line says why, and the CPU takes over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/app/tests.h"
#include "tests/cuda/app_bench.h"

/* The calls that it takes to open a model, and some steps more: the first number with which an
 * answer has begun. Found by trying, since it changes with the backend. */
static int calls_into_an_answer(void)
{
    for (int calls = 50; calls < 200000; calls += calls / 8) {
        struct run r;
        char line[256];
        snprintf(line, sizeof line,
                 "DUET_STUB='%d 0' $DUET --cuda -m demo-llama -q --json -n 400 hello", calls);
        run_shell(&r, line);
        bool begun = strstr(r.out, "\"completion_tokens\": ") &&
                     !strstr(r.out, "\"completion_tokens\": 0,") && strstr(r.out, "\"error\": ");
        int status = r.status;
        run_done(&r);
        if (begun) {
            assert_int_equal(status, 6);
            return calls;
        }
    }
    fail_msg("no answer fails in the middle");
    return 0;
}

static void test_pipe_says_why(void **state)
{
    struct run r;
    char line[512];
    (void)state;
    snprintf(line, sizeof line,
             "DUET_STUB='%d 0' $DUET --cuda -m demo-llama -q -n 400 hello >/dev/null",
             calls_into_an_answer());
    run_shell(&r, line);
    assert_int_equal(r.status, 6);
    assert_error_line(&r);
    assert_contains(r.err, "the stub was told to fail");
    run_done(&r);
    run_shell(&r, "$DUET log 1 --json | tail -1");
    assert_contains(r.out, "\"state\": \"failed\"");
    run_done(&r);
    run_shell(&r, "$DUET --cuda --vram-limit 1 -m demo-llama hi");
    assert_int_equal(r.status, 6);
    assert_contains(r.err, "memory is short (got");
    assert_contains(r.err, "limit 1 MiB)");
    run_done(&r);
}

/* It loads the model again; where that is not possible any more, the CPU goes on. */
static void test_the_cpu_takes_over(void **state)
{
    char stub[32];
    (void)state;
    snprintf(stub, sizeof stub, "%d 0", calls_into_an_answer());
    setenv("DUET_STUB", stub, 1);
    struct term *t = term_start(24, 80, "--cuda", "-m", "demo-llama", "-n", "400", NULL);
    unsetenv("DUET_STUB");
    term_expect(t, "stub");
    term_type(t, "hello\r");
    term_expect(t, "the stub was told to fail");
    term_expect(t, "continuing on the CPU");
    term_type(t, "/new\r");
    term_expect_gone(t, "continuing");
    term_type(t, "17 + 25\r");
    term_expect(t, "17 + 25 = 42");
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    term_free(t);
}

/* What a model takes on the GPU, in MiB, as it is refused. */
static int mib_on_gpu(const char *model)
{
    struct run r;
    char line[256];
    int mib = 0;
    snprintf(line, sizeof line, "$DUET --cuda --vram-limit 1 -m %s hi", model);
    run_shell(&r, line);
    const char *got = strstr(r.err, "(got ");
    assert_non_null(got);
    assert_int_equal(sscanf(got, "(got %d MiB", &mib), 1);
    run_done(&r);
    return mib;
}

/* A GPU with room for one: the other one lives on the CPU, until it is told to have the GPU. */
static void test_one_on_the_cpu(void **state)
{
    char limit[32];
    (void)state;
    int llama = mib_on_gpu("demo-llama"), deepseek = mib_on_gpu("demo-deepseek");
    snprintf(limit, sizeof limit, "%d", (llama > deepseek ? llama : deepseek) + 8);
    struct term *t = term_start(24, 80, "--cuda", "--vram-limit", limit, "-m", "demo-deepseek",
                                NULL);
    term_expect(t, "demo-deepseek \xc2\xb7 stub");
    term_type(t, "/model demo-llama\r");
    term_expect(t, "demo-llama runs on the CPU, as the GPU has no room left (needs ");
    term_expect(t, "/model demo-llama gpu makes it");
    term_expect(t, "beside demo-deepseek (GPU)");
    term_type(t, "17 + 25\r"); /* the stub's answers mean nothing */
    term_expect(t, "17 + 25 = 42");
    term_type(t, "/model demo-llama gpu\r");
    term_expect(t, "demo-deepseek gave way to demo-llama (needs ");
    term_type(t, "/new\r");
    term_expect_gone(t, "gave way");
    term_type(t, "/ps\r");
    term_expect(t, "demo-llama  stub");
    term_type(t, "/model demo-llama cpu\r");
    term_expect(t, "demo-llama \xc2\xb7 CPU");
    term_type(t, "/model demo-deepseek\r");
    term_expect(t, "demo-deepseek \xc2\xb7 stub");
    term_type(t, "/ps\r"); /* both have room so */
    term_expect(t, "demo-llama     CPU");
    term_expect(t, "demo-deepseek  stub");
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    term_free(t);
}

static int count(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        n++;
    return n;
}

static int64_t number_in(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    assert_non_null(at);
    return atoll(at + strlen(key));
}

/* With room for both, both are on the GPU: there is nothing to be said, and who comes back has kept
 * what it has read. Other programs are told of both. */
static void test_both_on_the_gpu(void **state)
{
    struct run r;
    (void)state;
    struct term *t = term_start(24, 80, "--cuda", "-m", "demo-deepseek", "-n", "20", NULL);
    term_expect(t, "demo-deepseek \xc2\xb7 stub");
    term_type(
        t, "What is 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10 + 11 + 12 + 13 + 14 + 15 + 16 + 17?\r");
    term_expect(t, "cut at the length limit");
    term_type(t, "/model demo-llama\r");
    term_expect(t, "demo-llama answers from here on");
    assert_null(strstr(term_screen(t), "gave way"));
    run_shell(&r, "$DUET ps; $DUET ps --json");
    assert_int_equal(count(r.out, " stub "), 2);
    assert_int_equal(count(r.out, "\"where\": \"gpu\""), 2);
    run_done(&r);
    term_type(t, "/model demo-deepseek\r");
    term_expect(t, "demo-deepseek answers from here on");
    term_type(t, "And a second?\r");
    term_expect(t, "And a second?");
    term_expect(t, "continue resumes it");
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    term_free(t);
    run_shell(&r, "$DUET log 1 --json | grep cached_tokens | tail -1");
    int64_t cached = number_in(r.out, "\"cached_tokens\": ");
    if (cached < 16 || cached >= number_in(r.out, "\"prompt_tokens\": "))
        fail_msg("%s", r.out);
    run_done(&r);
}

/* Of three on a GPU with room for two the one goes that was not used for longest, if one has to. */
static void test_giving_way_on_the_gpu(void **state)
{
    char limit[32], line[4200];
    struct run r;
    (void)state;
    run_shell(&r, "cp app/demo/demo-llama.gguf $HOME/third.gguf");
    run_done(&r);
    snprintf(limit, sizeof limit, "%d", mib_on_gpu("demo-llama") + mib_on_gpu("demo-deepseek") + 2);
    struct term *t = term_start(24, 80, "--cuda", "--vram-limit", limit, "-m", "demo-deepseek",
                                NULL);
    term_expect(t, "demo-deepseek \xc2\xb7 stub");
    term_type(t, "/model demo-llama\r");
    term_expect(t, "+ demo-deepseek");
    term_type(t, "/model demo-deepseek\r");
    term_expect(t, "+ demo-llama");
    snprintf(line, sizeof line, "/model %s/third.gguf gpu\r", getenv("HOME"));
    term_type(t, line);
    term_expect(t, "demo-llama gave way to third (needs ");
    term_type(t, "/new\r");
    term_expect_gone(t, "gave way");
    term_type(t, "/ps\r");
    term_expect(t, "third");
    term_expect(t, "demo-deepseek  stub");
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    term_free(t);

    /* Nor has the CPU room for it. */
    snprintf(limit, sizeof limit, "%d", mib_on_gpu("demo-deepseek") + 2);
    t = term_start(24, 80, "--cuda", "--vram-limit", limit, "--memory-limit", "1", "-m",
                   "demo-deepseek", NULL);
    term_expect(t, "demo-deepseek \xc2\xb7 stub");
    term_type(t, "/model demo-llama\r");
    term_expect(t, "demo-deepseek gave way to demo-llama (needs ");
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    term_free(t);
}

/* Nobody has to ask for the GPU; where it cannot be had, the CPU answers. */
static void test_a_gpu_is_chosen(void **state)
{
    struct run r;
    (void)state;
    struct term *t = term_start(24, 80, "-m", "demo-llama", NULL);
    term_expect(t, "demo-llama \xc2\xb7 stub");
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    term_free(t);
    t = term_start(24, 80, "--vram-limit", "1", "-m", "demo-llama", NULL);
    term_expect(t, "demo-llama runs on the CPU (");
    term_type(t, "\004");
    assert_int_equal(term_end(t), 0);
    term_free(t);
    const char *const lines[] = {
        "DUET_STUB='1 0' $DUET -m demo-llama '17 + 25'",
        "$DUET --vram-limit 1 -m demo-llama '17 + 25'",
        "echo '\"17 + 25\"' | $DUET batch --vram-limit 1 -m demo-llama -q"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        run_shell(&r, lines[i]);
        assert_int_equal(r.status, 0);
        assert_contains(r.out, "17 + 25 = 42");
        run_done(&r);
    }
    run_shell(&r, "echo '\"17 + 25\"' | $DUET batch -m demo-llama -q -n 20"); /* means nothing */
    assert_int_equal(r.status, 0);
    assert_null(strstr(r.out, "17 + 25"));
    run_done(&r);
}

/* The type of KV cache that is asked for is kept on a GPU, so nothing is said of it. */
static void test_kv_types(void **state)
{
    const char *const types[] = {"f16", "f32", "q8"};
    struct run r;
    char line[256], want[64];
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        snprintf(line, sizeof line, "$DUET --cuda -m demo-llama --kv-type %s -n 5 hello", types[i]);
        run_shell(&r, line);
        assert_int_equal(r.status, 0);
        assert_null(strstr(r.err, "KV"));
        run_done(&r);
        snprintf(want, sizeof want, "\"kv_type\": \"%s\"", types[i]);
        snprintf(line, sizeof line, "$DUET log --json %zu", i + 1);
        run_shell(&r, line);
        assert_contains(r.out, want);
        run_done(&r);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sandbox_new, sandbox_remove)
    const struct CMUnitTest tests[] = {
        TEST(test_pipe_says_why),   TEST(test_the_cpu_takes_over),    TEST(test_one_on_the_cpu),
        TEST(test_both_on_the_gpu), TEST(test_giving_way_on_the_gpu), TEST(test_a_gpu_is_chosen),
        TEST(test_kv_types)};
#undef TEST
    return cmocka_run_group_tests_name("GPU failures", tests, NULL, NULL) + test_bench_on_stub();
}
