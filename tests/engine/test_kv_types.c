/* test_kv_types.c - what the numbers of the KV cache change, on the demo models: memory, logits a
 * little, and nothing of what an answer is otherwise promised. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/engine/answers.h"
#include "tests/engine/tests.h"

static const char *const demos[] = {"app/demo/demo-deepseek.gguf", "app/demo/demo-llama.gguf"};
enum { N_DEMOS = 2 };

static const char sum[] = "[{\"role\": \"user\", \"content\": \"What is 17 + 25?\"}]";
static const char product[] = "[{\"role\": \"user\", \"content\": \"What is 12 times 13?\"}]";
static const struct engine_sampling greedy = {.top_p = 1, .repeat_penalty = 1};
static const struct engine_sampling warm = {
    .temperature = 0.8f, .top_p = 0.95f, .repeat_penalty = 1, .seed = 42};

static struct engine_options options_of(int demo, enum engine_kv_type type)
{
    return (struct engine_options){
        .model_path = demos[demo], .device = ENGINE_DEVICE_CPU, .n_threads = 2, .kv_type = type};
}

static struct engine *open_demo(int demo, enum engine_kv_type type)
{
    const struct engine_options opt = options_of(demo, type);
    return answers_open_with(&opt);
}

/* What it says when it has next to nothing. */
static uint64_t bytes_needed(enum engine_kv_type type)
{
    struct engine_shortage shortage;
    struct engine_options opt = options_of(0, type);
    struct engine *e = NULL;
    char err[256] = "";
    opt.host_memory = 1;
    opt.shortage = &shortage;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    return shortage.needed;
}

/* A cache that was silently kept in halves would take more. */
static void memory_is_that_of_the_type(void **state)
{
    static const struct {
        enum engine_kv_type type;
        const char *name;
        uint64_t bytes_of_32;
    } types[] = {{ENGINE_KV_F32, "f32", 128}, {ENGINE_KV_F16, "f16", 64}, {ENGINE_KV_Q8, "q8", 34}};
    uint64_t kv[3];
    (void)state;

    for (int i = 0; i < 3; i++) {
        struct engine *e = open_demo(0, types[i].type);
        const struct engine_info *info = engine_info(e);
        uint64_t row = (uint64_t)(2 * info->n_layer * info->n_head_kv * info->head_dim);
        assert_int_equal(info->kv_type, types[i].type);
        assert_string_equal(engine_kv_type_name(info->kv_type), types[i].name);
        assert_int_equal(info->kv_token_bytes, row * types[i].bytes_of_32 / 32);
        assert_int_equal(info->kv_bytes, info->kv_token_bytes * (uint64_t)info->n_ctx);
        kv[i] = info->kv_bytes;
        engine_close(e);
    }

    struct engine_options opt = options_of(0, ENGINE_KV_Q8);
    opt.host_memory = bytes_needed(ENGINE_KV_Q8);
    assert_int_equal(bytes_needed(ENGINE_KV_F16) - opt.host_memory, kv[1] - kv[2]);
    engine_close(answers_open_with(&opt));
}

struct shown {
    size_t n_values;
    float *logits; /* of all positions */
};

static void show(void *ud, size_t position, const float *logits, int n_vocab)
{
    struct shown *s = ud;
    size_t n = (size_t)n_vocab;
    (void)position;
    s->logits = realloc(s->logits, (s->n_values + n) * sizeof *logits);
    assert_non_null(s->logits);
    memcpy(s->logits + s->n_values, logits, n * sizeof *logits);
    s->n_values += n;
}

/* The logits of all positions, in one engine of its own. */
static void evaluate(int demo, enum engine_kv_type type, const int32_t *tokens, size_t n,
                     struct shown *s)
{
    struct engine *e = open_demo(demo, type);
    const struct engine_evaluation ev = {
        .tokens = tokens, .n_tokens = n, .position = show, .ud = s};
    char err[256] = "";
    *s = (struct shown){0};
    assert_int_equal(engine_evaluate(e, &ev, err, sizeof err), 0);
    engine_close(e);
}

static double distance(const struct shown *a, const struct shown *b)
{
    double off = 0, size = 0;
    assert_int_equal(a->n_values, b->n_values);
    for (size_t i = 0; i < a->n_values; i++) {
        off += pow((double)a->logits[i] - (double)b->logits[i], 2);
        size += pow((double)b->logits[i], 2);
    }
    return sqrt(off / size);
}

/* Over an answer, as a share of the logits' length. Most of it is the weights' doing: they are
 * quantised, and a number that falls to the other side changes the activations. */
static void logits_are_near(void **state)
{
    (void)state;
    for (int demo = 0; demo < N_DEMOS; demo++) {
        struct engine *e = open_demo(demo, ENGINE_KV_F16);
        struct answer a;
        struct shown f32, f16, q8;
        int32_t *tokens;
        size_t n;
        answer_get(e, product, &greedy, 0, &a);
        assert_int_equal(engine_tokenize(e, a.text, a.len, true, &tokens, &n), 0);
        engine_close(e);
        evaluate(demo, ENGINE_KV_F32, tokens, n, &f32);
        evaluate(demo, ENGINE_KV_F16, tokens, n, &f16);
        evaluate(demo, ENGINE_KV_Q8, tokens, n, &q8);
        assert_true(distance(&f16, &f32) < 0.02);
        assert_true(distance(&q8, &f32) < 0.03);
        assert_true(distance(&q8, &f16) > 0); /* so it is another cache */
        free(f32.logits);
        free(f16.logits);
        free(q8.logits);
        free(tokens);
        answer_free(&a);
    }
}

/* Alone and in a batch, on one thread and two, again over rows that were kept, and after an answer
 * that was given up in its middle. */
static void answers_are_the_same_with_q8(void **state)
{
    static const char turn[] = "[{\"role\": \"user\", \"content\": \"What is 17 + 25?\"},"
                               " {\"role\": \"assistant\", \"content\": \"17 + 25 = 42.\"},"
                               " {\"role\": \"user\", \"content\": \"What is 12 times 13?\"}]";
    enum { N = 4 };
    static const char *const asked[N] = {sum, product, turn, sum};
    (void)state;

    for (int demo = 0; demo < N_DEMOS; demo++) {
        struct answer fresh[N], together[N], again;
        int n_cached = 0;
        struct engine_options opt = options_of(demo, ENGINE_KV_Q8);
        opt.n_parallel = N;
        struct engine *batch = answers_open_with(&opt);
        opt.n_threads = opt.n_parallel = 1;
        for (int i = 0; i < N; i++) {
            struct engine *e = answers_open_with(&opt);
            answer_get(e, asked[i], i == N - 1 ? &warm : &greedy, 60, &fresh[i]);
            assert_int_equal(fresh[i].usage.cached_tokens, 0);
            engine_close(e);
            answer_ask(batch, asked[i], i == N - 1 ? &warm : &greedy, 60, &together[i]);
        }
        answer_listen(batch, together, N);
        for (int i = 0; i < N; i++)
            answer_assert_same(&together[i], &fresh[i]);

        answer_ask(batch, asked[N - 1], &warm, 60, &again);
        while (again.n_text == 0)
            answer_note(&again, engine_next_event(batch, 20000));
        engine_cancel(batch, again.id);
        if (!again.done)
            answer_listen(batch, &again, 1);
        answer_free(&again);
        for (int i = 0; i < N; i++) {
            answer_get(batch, asked[i], i == N - 1 ? &warm : &greedy, 60, &again);
            n_cached += again.usage.cached_tokens;
            answer_assert_same(&again, &fresh[i]);
            answer_free(&again);
            answer_free(&fresh[i]);
            answer_free(&together[i]);
        }
        assert_true(n_cached >= 32); /* a block: the questions alone are shorter */
        engine_close(batch);
    }
}

int test_kv_types(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_that_of_the_type),
        cmocka_unit_test(logits_are_near),
        cmocka_unit_test(answers_are_the_same_with_q8),
    };
    return cmocka_run_group_tests_name("types of KV cache", tests, NULL, NULL);
}
