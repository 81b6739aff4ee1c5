/* test_scheduler.c - many requests over the fake model of fake_model.h: each answer is what it is
 * alone, whatever else runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/fake_model.h"
#include "tests/engine/tests.h"

static void assert_answer(const struct answer *got, const struct answer *expected)
{
    assert_string_equal(got->text, expected->text);
    assert_int_equal(got->stop, expected->stop);
    assert_int_equal(got->usage.completion_tokens, expected->usage.completion_tokens);
}

static void a_request_is_read_then_answered(void **state)
{
    (void)state;
    struct world *w = world_new(CONTEXT / KV_BLOCK, 1, 16);
    struct ask a = {.prompt = "What is the sum of seventeen and twenty-five?", .max_tokens = 20};
    struct answer got = {.text = ""}, expected;
    world_submit(w, &a);
    world_run(w, &got, 1);
    fake_answer(&a, &expected);
    assert_answer(&got, &expected);
    assert_int_equal(got.usage.prompt_tokens, strlen(a.prompt));
    assert_int_equal(got.usage.cached_tokens, 0);
    assert_int_equal(got.last_prompt_done, strlen(a.prompt));
    assert_int_equal(w->fake.max_step_tokens, 16);
    assert_int_equal(w->fake.n_steps, 3 + expected.usage.completion_tokens - 1);
    world_free(w);
}

static void the_context_ends_an_answer(void **state)
{
    (void)state;
    struct world *w = world_new(CONTEXT / KV_BLOCK, 1, 16);
    struct ask a = {.prompt = "Count.", .temperature = 0};
    struct answer got = {.text = ""}, expected;
    for (a.seed = 0; fake_answer(&a, &expected), expected.stop != ENGINE_STOP_LENGTH; a.seed++)
        snprintf(a.prompt, sizeof a.prompt, "Count %d.", (int)a.seed);
    world_submit(w, &a);
    world_run(w, &got, 1);
    assert_answer(&got, &expected);
    assert_int_equal(got.usage.prompt_tokens + got.usage.completion_tokens, CONTEXT);
    world_free(w);
}

static void a_stop_text_over_several_tokens(void **state)
{
    (void)state;
    struct world *w = world_new(CONTEXT / KV_BLOCK, 1, 16);
    struct ask a = {.prompt = "Speak.", .max_tokens = 30, .temperature = 1, .seed = 5};
    struct answer whole, got = {.text = ""}, expected;
    fake_answer(&a, &whole);
    assert_true(strlen(whole.text) > 12);
    char stop[4] = {whole.text[7], whole.text[8], whole.text[9]};
    a.stop = stop;
    fake_answer(&a, &expected);
    world_submit(w, &a);
    world_run(w, &got, 1);
    assert_answer(&got, &expected);
    assert_int_equal(strlen(got.text), strstr(whole.text, stop) - whole.text);
    world_free(w);
}

/* A prompt of 70 tokens that differs from others of these in the last one only. */
static struct ask with_last(char last)
{
    struct ask a = {.max_tokens = 8};
    memset(a.prompt, 'x', 69);
    a.prompt[69] = last;
    return a;
}

static void a_prefix_is_not_computed_again(void **state)
{
    (void)state;
    struct world *w = world_new(2 * CONTEXT / KV_BLOCK, 2, 16);
    struct ask a = with_last('x'), b = with_last('y');
    struct answer got[2] = {{.text = ""}}, expected;
    world_submit(w, &a);
    while (!got[0].done) {
        assert_int_equal(sched_step(w->sched), 0);
        world_listen(w, got, 2);
    }
    world_submit(w, &b);
    world_run(w, got, 2);
    fake_answer(&a, &expected);
    assert_answer(&got[0], &expected);
    fake_answer(&b, &expected);
    assert_answer(&got[1], &expected);
    assert_in_range(got[1].usage.cached_tokens, 2 * KV_BLOCK, 69);
    world_free(w);
}

/* Of two that come together the first computes what both begin with, and the second waits. */
static void a_prefix_on_the_way_is_waited_for(void **state)
{
    (void)state;
    struct world *w = world_new(2 * CONTEXT / KV_BLOCK, 2, 16);
    struct ask a = with_last('x'), b = with_last('y');
    struct answer got[2] = {{.text = ""}}, expected;
    world_submit(w, &a);
    world_submit(w, &b);
    world_run(w, got, 2);
    fake_answer(&a, &expected);
    assert_answer(&got[0], &expected);
    assert_int_equal(got[0].usage.cached_tokens, 0);
    fake_answer(&b, &expected);
    assert_answer(&got[1], &expected);
    assert_int_equal(got[1].usage.cached_tokens, 2 * KV_BLOCK);
    world_free(w);
}

static void invent(struct ask *a, int i)
{
    static const char *const starts[] = {
        "", "You are a tutor who explains every step. ",
        "A much longer system prompt which fills "
        "more than one block of the cache, so that it is worth to be shared. "};
    *a = (struct ask){
        .max_tokens = rand() % 4 ? 1 + rand() % 40 : 0,
        .seed = (uint64_t)rand(),
        .temperature = (float)(rand() % 3) / 2,
        .stop = rand() % 4 == 0 ? "zz" : NULL,
    };
    int n = snprintf(a->prompt, sizeof a->prompt, "%sQ%d:", starts[rand() % 3], i % 7);
    for (int k = rand() % 20; k > 0 && n < CONTEXT - 2; k--)
        a->prompt[n++] = (char)('A' + rand() % 3);
    if (n + a->max_tokens > CONTEXT)
        a->max_tokens = 0;
}

/* Whatever else runs, waits, ends or is cancelled. */
static void answers_do_not_depend_on_the_others(void **state)
{
    (void)state;
    enum { N = 400 };
    static struct ask asks[N];
    static struct answer answers[N];
    static bool cancelled[N];
    srand(11);
    for (int round = 0; round < 4; round++) {
        int n_blocks = CONTEXT / KV_BLOCK + rand() % 30;
        struct world *w = world_new(n_blocks, 1 + rand() % 8, 8 + rand() % 40);
        memset(answers, 0, sizeof answers);
        memset(cancelled, 0, sizeof cancelled);
        int n = 0;
        while (n < N || sched_busy(w->sched)) {
            while (n < N && rand() % 3 == 0) {
                invent(&asks[n], n);
                assert_int_equal(world_submit(w, &asks[n]), n + 1);
                n++;
            }
            if (n > 0 && rand() % 20 == 0) {
                int i = n - 1 - rand() % (n < 12 ? n : 12);
                cancelled[i] = true;
                if (rand() % 2)
                    w->fake.cancel_id = (uint64_t)i + 1; /* in mid-step */
                else
                    queue_cancel(w->queue, (uint64_t)i + 1);
            }
            assert_int_equal(sched_step(w->sched), 0);
            if (rand() % 4 == 0)
                world_listen(w, answers, n);
        }
        world_listen(w, answers, n);
        for (int i = 0; i < N; i++) {
            struct answer expected;
            fake_answer(&asks[i], &expected);
            assert_true(answers[i].done);
            if (answers[i].stop == ENGINE_STOP_CANCEL) {
                assert_true(cancelled[i]);
                assert_memory_equal(answers[i].text, expected.text, strlen(answers[i].text));
            } else {
                assert_answer(&answers[i], &expected);
            }
        }
        assert_int_equal(kv_available(w->kv), n_blocks);
        world_free(w);
    }
}

static void writing_goes_before_reading(void **state)
{
    (void)state;
    struct world *w = world_new(3 * CONTEXT / KV_BLOCK, 3, 4);
    struct ask a = {.prompt = "ab", .max_tokens = 60, .seed = 1}, b = {.max_tokens = 1};
    struct answer got[2] = {{.text = ""}}, expected;
    for (; fake_answer(&a, &expected), expected.usage.completion_tokens < 60; a.seed++)
        snprintf(a.prompt, sizeof a.prompt, "ab%d", (int)a.seed);
    memset(b.prompt, 'r', 60);
    world_submit(w, &a);
    world_submit(w, &b);
    assert_int_equal(sched_step(w->sched), 0); /* reads a, and some of b */
    world_listen(w, got, 2);
    for (int steps = 1; !got[1].done; steps++) {
        int before = got[0].usage.completion_tokens;
        assert_int_equal(sched_step(w->sched), 0);
        world_listen(w, got, 2);
        assert_int_equal(got[0].usage.completion_tokens, before + 1); /* never held up */
    }
    assert_true(got[0].usage.completion_tokens >= 20);
    world_run(w, got, 2);
    assert_answer(&got[0], &expected);
    world_free(w);
}

static void cancelling_ends_at_the_next_step(void **state)
{
    (void)state;
    struct world *w = world_new(CONTEXT / KV_BLOCK, 1, 4);
    struct answer got[3] = {{.text = ""}}, expected;
    const struct ask reading = {.prompt = "A prompt of several steps", .max_tokens = 9};
    for (int i = 0; i < 3; i++)
        world_submit(w, &reading);
    assert_int_equal(sched_step(w->sched), 0);
    queue_cancel(w->queue, 1); /* being read */
    queue_cancel(w->queue, 2); /* waiting */
    assert_int_equal(sched_step(w->sched), 0);
    world_listen(w, got, 3);
    for (int i = 0; i < 2; i++) {
        assert_true(got[i].done);
        assert_int_equal(got[i].stop, ENGINE_STOP_CANCEL);
    }
    world_run(w, got, 3);
    fake_answer(&reading, &expected);
    assert_answer(&got[2], &expected);
    world_free(w);
}

static void a_failed_device_stops_everything(void **state)
{
    (void)state;
    struct ask a = {.prompt = "Hello there", .max_tokens = 5},
               b = {.prompt = "Bye", .max_tokens = 5};
    int failures = 0;
    for (int n = 1;; n++) {
        struct world *w = world_new(2 * CONTEXT / KV_BLOCK, 1, 8);
        struct answer got[2] = {{.text = ""}};
        w->fake.fail_after = n;
        world_submit(w, &a);
        world_submit(w, &b);
        int rc = 0;
        while (rc == 0 && sched_busy(w->sched))
            rc = sched_step(w->sched);
        if (rc < 0) {
            failures++;
            assert_string_equal(sched_error(w->sched), "fake: the device failed");
            sched_end_all(w->sched, ENGINE_STOP_ERROR, ENGINE_EMEMORY, "gone");
            world_listen(w, got, 2);
            assert_true(got[0].done && got[1].done);
            assert_int_equal(got[1].error, ENGINE_EMEMORY);
            assert_string_equal(got[1].error_text, "gone");
        }
        assert_false(sched_busy(w->sched));
        world_free(w);
        if (rc == 0)
            break;
    }
    assert_true(failures > 20);
}

static void numbers_that_are_none_end_the_answer(void **state)
{
    (void)state;
    struct world *w = world_new(CONTEXT / KV_BLOCK, 1, 8);
    struct ask a = {.prompt = "Hello", .max_tokens = 5};
    struct answer got[2] = {{.text = ""}}, expected;
    w->fake.produces_nan = true;
    world_submit(w, &a);
    world_run(w, got, 1);
    assert_int_equal(got[0].stop, ENGINE_STOP_ERROR);
    assert_string_equal(got[0].error_text, "the model produced invalid numbers");
    w->fake.produces_nan = false;
    world_submit(w, &a);
    world_run(w, got, 2);
    fake_answer(&a, &expected);
    assert_answer(&got[1], &expected);
    world_free(w);
}

int test_scheduler(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_read_then_answered),
        cmocka_unit_test(the_context_ends_an_answer),
        cmocka_unit_test(a_stop_text_over_several_tokens),
        cmocka_unit_test(a_prefix_is_not_computed_again),
        cmocka_unit_test(a_prefix_on_the_way_is_waited_for),
        cmocka_unit_test(answers_do_not_depend_on_the_others),
        cmocka_unit_test(writing_goes_before_reading),
        cmocka_unit_test(cancelling_ends_at_the_next_step),
        cmocka_unit_test(a_failed_device_stops_everything),
        cmocka_unit_test(numbers_that_are_none_end_the_answer),
    };
    return cmocka_run_group_tests_name("scheduler", tests, NULL, NULL);
}
