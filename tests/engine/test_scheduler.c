/* test_scheduler.c - many requests over a backend that is no model but cannot be fooled: the rows of
 * its cache are hashes of all tokens up to them, and what it samples follows from the last row. A
 * wrong block, position or order therefore changes the answer. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/scheduler.h"
#include "engine/text/detok.h"
#include "engine/text/tokenizer.h"
#include "tests/engine/build_vocab.h"
#include "tests/engine/tests.h"

enum { N_VOCAB = 270, END_TOKEN = 269, CONTEXT = 4 * KV_BLOCK, MAX_POOL = 64, N_LAYERS = 2 };

/* The fake model */

struct fake {
    struct backend base;
    const struct batch *batch;
    uint64_t rows[MAX_POOL][KV_BLOCK];
    uint64_t last[512]; /* rows of the outputs' tokens */

    int n_steps, max_step_tokens;
    int fail_after;      /* operations; 0 = never */
    struct queue *queue; /* where cancel_id is cancelled in mid-step */
    uint64_t cancel_id;
    bool produces_nan;
};

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

static void make_logits(uint64_t row, float *logits)
{
    for (int i = 0; i < N_VOCAB; i++)
        logits[i] = -50;
    for (int i = 'a'; i <= 'z'; i++)
        logits[i] = (float)(mix(row, (uint64_t)i) % 1000) / 200;
    logits[END_TOKEN] = 1;
}

static struct fake *fake_of(struct backend *b)
{
    return (struct fake *)b;
}

static int operate(struct fake *f)
{
    if (f->fail_after > 0 && --f->fail_after == 0) {
        snprintf(f->base.error, sizeof f->base.error, "fake: the device failed");
        f->fail_after = -1;
    }
    return f->fail_after < 0 ? -1 : 0;
}

static uint64_t *row(struct fake *f, int sequence, int position)
{
    const struct batch *b = f->batch;
    assert_in_range(sequence, 0, b->n_sequences - 1);
    assert_in_range(position, 0, b->max_blocks * KV_BLOCK - 1);
    int32_t block = b->block_table[sequence * b->max_blocks + position / KV_BLOCK];
    assert_in_range(block, 0, MAX_POOL - 1);
    return &f->rows[block][position % KV_BLOCK];
}

static int fake_begin(struct backend *b, const struct model *m, const struct batch *batch)
{
    struct fake *f = fake_of(b);
    (void)m;
    f->batch = batch;
    f->n_steps++;
    assert_true(batch->n_tokens > 0);
    if (batch->n_tokens > f->max_step_tokens)
        f->max_step_tokens = batch->n_tokens;
    for (int i = 0; i < batch->n_tokens; i++)
        *row(f, batch->sequence[i], batch->position[i]) = 0xdead; /* undefined until the end */
    return operate(f);
}

static int fake_nothing(struct backend *b)
{
    return operate(fake_of(b));
}

static int fake_layer(struct backend *b, int layer)
{
    (void)layer;
    return operate(fake_of(b));
}

static int fake_attention(struct backend *b, int layer)
{
    struct fake *f = fake_of(b);
    if (f->cancel_id && layer == 1) {
        queue_cancel(f->queue, f->cancel_id);
        f->cancel_id = 0;
    }
    return operate(f);
}

static int fake_ffn_down(struct backend *b, int layer)
{
    struct fake *f = fake_of(b);
    for (int i = 0; layer == N_LAYERS - 1 && i < f->batch->n_tokens; i++) {
        int sequence = f->batch->sequence[i], position = f->batch->position[i];
        uint64_t before = position > 0 ? *row(f, sequence, position - 1) : 1;
        *row(f, sequence, position) = mix(before, (uint64_t)f->batch->token[i]);
    }
    return operate(f);
}

static int fake_logits(struct backend *b)
{
    struct fake *f = fake_of(b);
    for (int i = 0; i < f->batch->n_outputs; i++) {
        int t = f->batch->output[i];
        f->last[i] = *row(f, f->batch->sequence[t], f->batch->position[t]);
    }
    return operate(f);
}

static int fake_sample(struct backend *b, struct sampler *const *samplers, int32_t *ids_out)
{
    struct fake *f = fake_of(b);
    for (int i = 0; i < f->batch->n_outputs; i++) {
        float logits[N_VOCAB];
        struct sampler_candidate scratch[N_VOCAB];
        make_logits(f->last[i], logits);
        if (f->produces_nan)
            logits['q'] = NAN;
        ids_out[i] = sampler_pick(samplers[i], logits, N_VOCAB, scratch);
    }
    return operate(f);
}

static const struct backend_ops fake_ops = {
    .begin = fake_begin,
    .embed = fake_nothing,
    .qkv = fake_layer,
    .attention = fake_attention,
    .attention_out = fake_layer,
    .ffn_up = fake_layer,
    .ffn_down = fake_ffn_down,
    .logits = fake_logits,
    .sample = fake_sample,
};

/* The world around the scheduler */

struct world {
    struct tokenizer *tokenizer;
    struct model model;
    struct fake fake;
    struct queue *queue;
    struct kv *kv;
    struct sched *sched;
};

static struct world *world_new(int n_blocks, int max_sequences, int max_tokens)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->tokenizer = build_tokenizer("qwen2");
    assert_true(tok_is_end(w->tokenizer, END_TOKEN));
    w->model.cfg.n_layer = N_LAYERS;
    w->model.cfg.n_vocab = N_VOCAB;
    w->fake.base.ops = &fake_ops;
    assert_int_equal(queue_open(&w->queue), 0);
    assert_int_equal(kv_new(&w->kv, n_blocks), 0);
    w->fake.queue = w->queue;
    const struct sched_options opt = {
        .backend = &w->fake.base,
        .model = &w->model,
        .tokenizer = w->tokenizer,
        .queue = w->queue,
        .kv = w->kv,
        .max_context = CONTEXT,
        .max_sequences = max_sequences,
        .max_tokens = max_tokens,
    };
    assert_int_equal(sched_new(&w->sched, &opt), 0);
    return w;
}

static void world_free(struct world *w)
{
    sched_free(w->sched);
    kv_free(w->kv);
    queue_close(w->queue);
    tok_close(w->tokenizer);
    free(w);
}

struct ask {
    char prompt[CONTEXT]; /* each byte is a token */
    int max_tokens;       /* of the answer; 0 = until the context is full */
    uint64_t seed;
    float temperature;
    const char *stop;
};

static uint64_t submit(struct world *w, const struct ask *a)
{
    struct sched_request *r = calloc(1, sizeof *r);
    assert_non_null(r);
    int n = (int)strlen(a->prompt);
    r->n_prompt = n;
    r->max_tokens = a->max_tokens ? n + a->max_tokens : CONTEXT;
    r->tokens = malloc((size_t)r->max_tokens * sizeof *r->tokens);
    for (int i = 0; i < n; i++)
        r->tokens[i] = (unsigned char)a->prompt[i];
    const char *const stop[] = {a->stop, NULL};
    assert_int_equal(detok_open(&r->detok, w->tokenizer, &(struct detok_options){.stop = stop}), 0);
    const struct engine_sampling set = {
        .temperature = a->temperature, .top_p = 0.9f, .repeat_penalty = 1, .seed = a->seed};
    sampler_init(&r->sampler, &set, NULL);
    r->submitted_ms = sched_clock_ms();

    uint64_t id;
    void *taken;
    struct queue_events *events;
    assert_int_equal(queue_submit(w->queue, r, &id), 0);
    assert_true(queue_take(w->queue, false, &taken, &events));
    assert_ptr_equal(taken, r);
    sched_add(w->sched, r, events);
    return id;
}

struct answer {
    char text[CONTEXT + 1];
    bool done;
    enum engine_stop stop;
    enum engine_error error;
    char error_text[64];
    struct engine_usage usage;
    int last_prompt_done;
};

/* What the fake model answers, worked out without a scheduler. */
static void expect(const struct ask *a, struct answer *out)
{
    uint64_t h = 1;
    int n = (int)strlen(a->prompt), room = a->max_tokens ? a->max_tokens : CONTEXT - n, len = 0;
    for (int i = 0; i < n; i++)
        h = mix(h, (unsigned char)a->prompt[i]);
    const struct engine_sampling set = {
        .temperature = a->temperature, .top_p = 0.9f, .repeat_penalty = 1, .seed = a->seed};
    struct sampler s;
    sampler_init(&s, &set, NULL);
    memset(out, 0, sizeof *out);
    out->stop = ENGINE_STOP_LENGTH;
    for (int i = 0; i < room; i++) {
        float logits[N_VOCAB];
        struct sampler_candidate scratch[N_VOCAB];
        make_logits(h, logits);
        int32_t id = sampler_pick(&s, logits, N_VOCAB, scratch);
        out->usage.completion_tokens++;
        if (id == END_TOKEN) {
            out->stop = ENGINE_STOP_END;
            break;
        }
        out->text[len++] = (char)id;
        char *stop = a->stop ? strstr(out->text, a->stop) : NULL;
        if (stop) {
            *stop = '\0';
            out->stop = ENGINE_STOP_END;
            break;
        }
        h = mix(h, (uint64_t)id);
    }
}

/* Takes all events there are; requests are numbered from 1. */
static void listen(struct world *w, struct answer *answers, int n)
{
    const struct engine_event *e;
    while ((e = queue_next(w->queue, 0))) {
        assert_in_range(e->request, 1, n);
        struct answer *a = &answers[e->request - 1];
        assert_false(a->done);
        a->usage = e->usage;
        if (e->type == ENGINE_TEXT) {
            strcat(a->text, e->text);
        } else if (e->type == ENGINE_PREFILL) {
            assert_true(e->prompt_done > a->last_prompt_done);
            a->last_prompt_done = e->prompt_done;
        } else {
            assert_int_equal(e->type, ENGINE_DONE);
            a->done = true;
            a->stop = e->stop;
            a->error = e->error;
            snprintf(a->error_text, sizeof a->error_text, "%s", e->error_text ? e->error_text : "");
        }
    }
}

static void run(struct world *w, struct answer *answers, int n)
{
    while (sched_busy(w->sched)) {
        assert_int_equal(sched_step(w->sched), 0);
        listen(w, answers, n);
    }
    for (int i = 0; i < n; i++)
        assert_true(answers[i].done);
}

static void assert_answer(const struct answer *got, const struct answer *expected)
{
    assert_string_equal(got->text, expected->text);
    assert_int_equal(got->stop, expected->stop);
    assert_int_equal(got->usage.completion_tokens, expected->usage.completion_tokens);
}

/* The tests */

static void one_request(void **state)
{
    (void)state;
    struct world *w = world_new(CONTEXT / KV_BLOCK, 1, 16);
    struct ask a = {.prompt = "What is the sum of seventeen and twenty-five?", .max_tokens = 20};
    struct answer got = {.text = ""}, expected;
    submit(w, &a);
    run(w, &got, 1);
    expect(&a, &expected);
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
    for (a.seed = 0; expect(&a, &expected), expected.stop != ENGINE_STOP_LENGTH; a.seed++)
        snprintf(a.prompt, sizeof a.prompt, "Count %d.", (int)a.seed);
    submit(w, &a);
    run(w, &got, 1);
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
    expect(&a, &whole);
    assert_true(strlen(whole.text) > 12);
    char stop[4] = {whole.text[7], whole.text[8], whole.text[9]};
    a.stop = stop;
    expect(&a, &expected);
    submit(w, &a);
    run(w, &got, 1);
    assert_answer(&got, &expected);
    assert_int_equal(strlen(got.text), strstr(whole.text, stop) - whole.text);
    world_free(w);
}

static void a_prefix_is_not_computed_again(void **state)
{
    (void)state;
    struct world *w = world_new(2 * CONTEXT / KV_BLOCK, 2, 16);
    struct ask a = {.max_tokens = 8}, b = {.max_tokens = 8};
    memset(a.prompt, 'x', 70);
    memset(b.prompt, 'x', 70);
    b.prompt[69] = 'y';
    struct answer got[2] = {{.text = ""}}, expected;
    submit(w, &a);
    while (!got[0].done) {
        assert_int_equal(sched_step(w->sched), 0);
        listen(w, got, 2);
    }
    submit(w, &b);
    run(w, got, 2);
    expect(&a, &expected);
    assert_answer(&got[0], &expected);
    expect(&b, &expected);
    assert_answer(&got[1], &expected);
    assert_in_range(got[1].usage.cached_tokens, 2 * KV_BLOCK, 69);
    world_free(w);
}

/* Two that come together: what they begin with is computed for the first, and the second waits. */
static void a_prefix_on_the_way_is_waited_for(void **state)
{
    (void)state;
    struct world *w = world_new(2 * CONTEXT / KV_BLOCK, 2, 16);
    struct ask a = {.max_tokens = 8}, b = {.max_tokens = 8};
    memset(a.prompt, 'x', 70);
    memset(b.prompt, 'x', 70);
    b.prompt[69] = 'y';
    struct answer got[2] = {{.text = ""}}, expected;
    submit(w, &a);
    submit(w, &b);
    run(w, got, 2);
    expect(&a, &expected);
    assert_answer(&got[0], &expected);
    assert_int_equal(got[0].usage.cached_tokens, 0);
    expect(&b, &expected);
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

/* Whatever else runs, waits, ends or is cancelled, each answer is what it is alone. */
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
                assert_int_equal(submit(w, &asks[n]), n + 1);
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
                listen(w, answers, n);
        }
        listen(w, answers, n);
        for (int i = 0; i < N; i++) {
            struct answer expected;
            expect(&asks[i], &expected);
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
    for (; expect(&a, &expected), expected.usage.completion_tokens < 60; a.seed++)
        snprintf(a.prompt, sizeof a.prompt, "ab%d", (int)a.seed);
    memset(b.prompt, 'r', 60);
    submit(w, &a);
    submit(w, &b);
    assert_int_equal(sched_step(w->sched), 0); /* reads a, and some of b */
    listen(w, got, 2);
    for (int steps = 1; !got[1].done; steps++) {
        int before = got[0].usage.completion_tokens;
        assert_int_equal(sched_step(w->sched), 0);
        listen(w, got, 2);
        assert_int_equal(got[0].usage.completion_tokens, before + 1); /* never held up */
    }
    assert_true(got[0].usage.completion_tokens >= 20);
    run(w, got, 2);
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
        submit(w, &reading);
    assert_int_equal(sched_step(w->sched), 0);
    queue_cancel(w->queue, 1); /* being read */
    queue_cancel(w->queue, 2); /* waiting */
    assert_int_equal(sched_step(w->sched), 0);
    listen(w, got, 3);
    for (int i = 0; i < 2; i++) {
        assert_true(got[i].done);
        assert_int_equal(got[i].stop, ENGINE_STOP_CANCEL);
    }
    run(w, got, 3);
    expect(&reading, &expected);
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
        submit(w, &a);
        submit(w, &b);
        int rc = 0;
        while (rc == 0 && sched_busy(w->sched))
            rc = sched_step(w->sched);
        if (rc < 0) {
            failures++;
            assert_string_equal(sched_error(w->sched), "fake: the device failed");
            sched_end_all(w->sched, ENGINE_STOP_ERROR, ENGINE_EMEMORY, "gone");
            listen(w, got, 2);
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
    submit(w, &a);
    run(w, got, 1);
    assert_int_equal(got[0].stop, ENGINE_STOP_ERROR);
    assert_string_equal(got[0].error_text, "the model produced invalid numbers");
    w->fake.produces_nan = false;
    submit(w, &a);
    run(w, got, 2);
    expect(&a, &expected);
    assert_answer(&got[1], &expected);
    world_free(w);
}

int test_scheduler(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request),
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
