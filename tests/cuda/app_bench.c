/* app_bench.c - `duet bench` on the stub of a GPU, whose answers mean nothing: the rows that only a
 * GPU has, and what becomes of a measurement when it fails. */
#include "tests/cuda/app_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/app/tests.h"

#define BENCH                                                                                      \
    "$DUET bench --cuda -m demo-llama --prompts 40 --contexts 8 --batch 1,2 --generate 4 --runs 1 "

static void run_line(struct run *r, const char *line, int status)
{
    run_shell(r, line);
    if (r->status != status)
        fail_msg("%s: exit %d: %s", line, r->status, r->err);
}

static void test_without_nvml(void **state)
{
    struct run r;
    (void)state;
    run_line(&r, "LD_LIBRARY_PATH= " BENCH, 0);
    assert_contains(r.out, "duet ");
    assert_contains(r.out, " on stub");
    assert_contains(r.out, "\nGPU memory after load ");
    assert_contains(r.out, "no NVML");
    assert_contains(r.out, "\nmemory reads ");
    assert_contains(r.out, "\n--reproducible, first after 40 ");
    assert_contains(r.out, "\n--reproducible, 2 together ");
    run_done(&r);
    run_line(&r, BENCH "--reproducible", 0);
    assert_contains(r.out, "always on\n");
    run_done(&r);
}

/* What others have taken is not counted; the GPU is the one that the engine is on. */
static void test_with_nvml(void **state)
{
    struct run r;
    (void)state;
    run_line(&r, "LD_LIBRARY_PATH=$NVML " BENCH "--csv --batch 1", 0);
    assert_contains(r.out, ",vram_bytes,,,,B,2e+09,2e+09,2e+09,2e+09,1,\n");
    assert_contains(r.out, ",gpu_utilization,,8,1,1,0.87,0.87,0.87,0.87,");
    run_done(&r);
}

/* A prompt too long for any context, or for the one given, gets a row that says so. */
static void test_contexts_that_do_not_fit(void **state)
{
    struct run r;
    (void)state;
    run_line(&r, "LD_LIBRARY_PATH=$NVML " BENCH "--csv --ctx 16 --contexts 20", 0);
    assert_contains(r.out, ",tokens_per_second,,20,1,tokens/s,,,,,,limit 16\n");
    assert_contains(r.out, ",gpu_utilization,,20,1,1,,,,,,limit 16\n");
    run_done(&r);
    run_line(&r, "LD_LIBRARY_PATH=$NVML " BENCH "--csv --contexts 9000", 0);
    assert_contains(r.out, ",batch_tokens_per_second,,9000,2,tokens/s,,,,,,limit 2048\n");
    run_done(&r);
}

/* One line says why, and what was measured until then is printed. */
static void test_a_failure_on_the_way(void **state)
{
    bool partly = false;
    (void)state;
    for (int calls = 200; calls < 200000 && !partly; calls += calls / 4) {
        struct run r;
        char line[256];
        snprintf(line, sizeof line, "DUET_STUB='%d 0' " BENCH, calls);
        run_shell(&r, line);
        assert_int_equal(r.status, 6);
        assert_error_line(&r);
        partly = strstr(r.out, "tokens/s at 8 ") != NULL;
        if (partly)
            assert_contains(r.out, "\nBroken off: ");
        run_done(&r);
    }
    assert_true(partly);
}

int test_bench_on_stub(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, sandbox_new, sandbox_remove)
    const struct CMUnitTest tests[] = {TEST(test_without_nvml), TEST(test_with_nvml),
                                       TEST(test_contexts_that_do_not_fit),
                                       TEST(test_a_failure_on_the_way)};
#undef TEST
    return cmocka_run_group_tests_name("bench on a GPU", tests, NULL, NULL);
}
