/* test_evaluate.c - logits through the engine's door. */
#include <ctype.h>
#include <glob.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/engine/answers.h"
#include "tests/engine/tests.h"

struct shown {
    size_t n; /* positions so far */
    int n_vocab;
    float *logits; /* [n, n_vocab] */
};

static void show(void *ud, size_t position, const float *logits, int n_vocab)
{
    struct shown *s = ud;
    assert_int_equal(position, s->n);
    s->n_vocab = n_vocab;
    s->logits = realloc(s->logits, (s->n + 1) * (size_t)n_vocab * sizeof *logits);
    memcpy(s->logits + s->n++ * (size_t)n_vocab, logits, (size_t)n_vocab * sizeof *logits);
}

static void evaluate(struct engine *e, const int32_t *tokens, size_t n, int chunk, size_t n_greedy,
                     struct shown *s)
{
    *s = (struct shown){0};
    const struct engine_evaluation ev = {.tokens = tokens,
                                         .n_tokens = n,
                                         .n_greedy = n_greedy,
                                         .chunk = chunk,
                                         .position = show,
                                         .ud = s};
    char err[256];
    if (engine_evaluate(e, &ev, err, sizeof err) != 0)
        fail_msg("%s", err);
    assert_int_equal(s->n, n + n_greedy);
}

static int best_at(const struct shown *s, size_t position)
{
    const float *row = s->logits + position * (size_t)s->n_vocab;
    int best = 0;
    for (int i = 1; i < s->n_vocab; i++)
        best = row[i] > row[best] ? i : best;
    return best;
}

static void evaluation_is_the_same_in_any_pieces(void **state)
{
    (void)state;
    struct fixture f;
    struct shown whole, pieces;
    enum { N = 300, N_GREEDY = 5 };
    int32_t tokens[N];
    for (int i = 0; i < N; i++)
        tokens[i] = i * 37 % 256;
    answers_open_tiny(&f, "qwen2");
    evaluate(f.e, tokens, N, 0, N_GREEDY, &whole);
    static const int chunks[] = {1, 7, 64};
    for (int i = 0; i < 3; i++) {
        evaluate(f.e, tokens, N, chunks[i], N_GREEDY, &pieces);
        assert_memory_equal(pieces.logits, whole.logits,
                            (N + N_GREEDY) * (size_t)whole.n_vocab * sizeof(float));
        free(pieces.logits);
    }

    /* A continuation is what those tokens give as input. */
    int32_t longer[N + N_GREEDY];
    memcpy(longer, tokens, sizeof tokens);
    for (size_t i = 0; i < N_GREEDY; i++)
        longer[N + i] = best_at(&whole, N - 1 + i);
    evaluate(f.e, longer, N + N_GREEDY, 0, 0, &pieces);
    assert_memory_equal(pieces.logits, whole.logits,
                        (N + N_GREEDY) * (size_t)whole.n_vocab * sizeof(float));
    free(pieces.logits);
    free(whole.logits);

    char err[256];
    struct engine_evaluation bad = {.tokens = (int32_t[]){1, 100000}, .n_tokens = 2};
    assert_int_equal(engine_evaluate(f.e, &bad, err, sizeof err), ENGINE_EINPUT);
    bad = (struct engine_evaluation){.tokens = tokens, .n_tokens = N, .n_greedy = 300};
    assert_int_equal(engine_evaluate(f.e, &bad, err, sizeof err), ENGINE_EFIT);
    answers_close_tiny(&f);
}

/* What test_logits.c sees of the forward pass must come through the door unchanged. */
static void evaluation_agrees_with_the_reference(void **state)
{
    (void)state;
    char path[1024];
    size_t len;
    fixture_path("tiny/llama-b/llama-b.f32.gguf", path, sizeof path);
    char *text = fixture_read("tiny/llama-b/ref.f32.json", &len);
    float *reference = fixture_read("tiny/llama-b/ref.f32.f32", &len);
    json_t *root = json_loads(text, 0, NULL), *prompt;
    assert_non_null(root);

    const struct engine_options opt = {
        .model_path = path, .device = ENGINE_DEVICE_CPU, .n_threads = 1, .kv_type = ENGINE_KV_F32};
    struct engine *e = NULL;
    char err[256];
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), 0);
    size_t k;
    json_array_foreach(json_object_get(root, "prompts"), k, prompt)
    {
        const json_t *ids = json_object_get(prompt, "ids");
        const json_t *greedy_ids = json_object_get(prompt, "greedy");
        size_t n = json_array_size(ids), n_greedy = json_array_size(greedy_ids);
        int32_t *tokens = calloc(n, sizeof *tokens);
        for (size_t i = 0; i < n; i++)
            tokens[i] = (int32_t)json_integer_value(json_array_get(ids, i));
        struct shown s;
        evaluate(e, tokens, n, 0, n_greedy, &s);
        const float *expected = reference +
                                json_integer_value(json_object_get(prompt, "logits_offset"));
        for (int i = 0; i < s.n_vocab; i++)
            assert_true(fabsf(s.logits[(n - 1) * (size_t)s.n_vocab + (size_t)i] - expected[i]) <
                        1e-3f);
        for (size_t i = 0; i < n_greedy; i++) {
            const json_t *gap = json_array_get(json_object_get(prompt, "greedy_gap"), i);
            if (json_number_value(gap) < 2e-3)
                break;
            assert_int_equal(best_at(&s, n - 1 + i),
                             json_integer_value(json_array_get(greedy_ids, i)));
        }
        free(s.logits);
        free(tokens);
    }
    engine_close(e);
    json_decref(root);
    free(text);
    free(reference);
}

int test_evaluate(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluation_is_the_same_in_any_pieces),
        cmocka_unit_test(evaluation_agrees_with_the_reference),
    };
    return cmocka_run_group_tests_name("evaluation", tests, NULL, NULL);
}
