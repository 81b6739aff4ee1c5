/* test_cpu.c - the CPU backend as a whole: right, and the same bits whatever the threads, the batch
 * and the cut of a prompt; and its pool of threads. */
#include <assert.h>
#include <malloc.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/cpu/cpu.h"
#include "engine/host/pool.h"
#include "tests/engine/random_model.h"
#include "tests/engine/stepper.h"
#include "tests/engine/tests.h"

enum { MAX_PROMPT = 280, LONG_PROMPT = 560 };

static void random_prompt(uint64_t seed, int n_vocab, int32_t *out, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = (int32_t)(random_next(&seed) % (uint64_t)n_vocab);
}

/* The pool */

struct tally {
    atomic_int done[1000];
    int thread_limit;
};

static void count_item(void *ud, int item, int thread)
{
    struct tally *t = ud;

    atomic_fetch_add(&t->done[item], 1);
    assert(thread >= 0 && thread < t->thread_limit);
}

static void pool_does_each_item_once(void **state)
{
    const int sizes[] = {0, 1, 2, 3, 7, 64, 1000};
    (void)state;

    for (int n_threads = 1; n_threads <= 4; n_threads++) {
        struct pool *p;
        assert_int_equal(pool_new(&p, n_threads), 0);
        assert_int_equal(pool_threads(p), n_threads);
        for (int round = 0; round < 700; round++) {
            struct tally t = {.thread_limit = n_threads};
            int n = sizes[round % 7];
            if (round % 100 == 50)
                usleep(1000); /* long enough for the threads to fall asleep */
            pool_run(p, count_item, &t, n);
            for (int i = 0; i < 1000; i++)
                assert_int_equal(atomic_load(&t.done[i]), i < n);
        }
        pool_free(p);
    }
}

/* The model */

static const struct random_options small = {.type = QUANT_F32,
                                            .n_layer = 2,
                                            .n_embd = 64,
                                            .n_head = 6,
                                            .n_head_kv = 2,
                                            .head_dim = 32,
                                            .n_ff = 96,
                                            .n_vocab = 77};

/* A prompt in pieces, by the kernels of one level; want is [LONG_PROMPT, n_vocab]. */
static void check_forward(struct model *m, enum cpu_level level, enum backend_kv_type type,
                          const int32_t *tokens, const double *want)
{
    struct stepper_options opt = {level, 3, type, true};
    const double bounds[] = {
        [BACKEND_KV_F16] = 0.03, [BACKEND_KV_F32] = 3e-4, [BACKEND_KV_Q8] = 0.6};
    struct stepper s;
    size_t n_vocab = (size_t)m->cfg.n_vocab;

    stepper_open(&s, m, &opt);
    for (int n = 0; n < LONG_PROMPT;) {
        int now = n == 0 ? 200 : 90;
        n += now;
        stepper_add(&s, 0, tokens + n - now, now, true);
        stepper_run(&s);
        for (size_t i = 0; i < n_vocab; i++) {
            double expected = want[(size_t)(n - 1) * n_vocab + i];
            if (!(fabs((double)s.logits[i] - expected) < bounds[type]))
                fail_msg("%s, position %d, logit %zu: got %g, want %g", cpu_level_name(level),
                         n - 1, i, (double)s.logits[i], expected);
        }
    }
    stepper_close(&s);
}

/* One layer's gate and up of different types, as in some files. */
static void mix_types(struct model *m)
{
    struct matrix *up = &m->layers[1].w_up;
    uint64_t seed = 3;

    free((void *)up->host);
    *up = random_matrix(&seed, QUANT_F16, up->rows, up->cols, 1 / sqrtf((float)up->cols));
}

/* Both pairings of the rotation, biases or none, tied or not, more heads than one kernel takes. */
static void forward_equals_the_reference(void **state)
{
    struct random_options qwen = small, llama = small, wide = small;
    int32_t tokens[LONG_PROMPT];
    (void)state;

    qwen.key_bias = 40;
    llama.neighbours = llama.tied = true;
    llama.n_head = 4;
    wide.n_head = 10;
    wide.n_head_kv = 1;
    const struct random_options *const shapes[] = {&qwen, &llama, &wide};
    random_prompt(1, small.n_vocab, tokens, LONG_PROMPT);
    for (int i = 0; i < 3; i++) {
        struct model m;
        random_model(&m, shapes[i], 42);
        if (shapes[i] == &wide)
            mix_types(&m);
        double *want = reference_forward(&m, tokens, LONG_PROMPT);
        for (int level = 0; level < CPU_N_LEVELS; level++)
            if (cpu_level_usable((enum cpu_level)level))
                for (int type = 0; type < BACKEND_N_KV_TYPES; type++)
                    check_forward(&m, (enum cpu_level)level, (enum backend_kv_type)type, tokens,
                                  want);
        free(want);
        random_model_done(&m);
    }
}

struct same_bits {
    enum quant_type type;
    enum backend_kv_type kv_type;
    enum cpu_level level;
    int max_threads, n_prompt;
};

/* Logits of the last position, alone in the batch, one thread, in one step. */
static float *plain_logits(struct model *m, const struct same_bits *c, const int32_t *tokens)
{
    struct stepper_options opt = {c->level, 1, c->kv_type, false};
    struct stepper s;
    size_t bytes = (size_t)m->cfg.n_vocab * sizeof(float);
    float *out = malloc(bytes);
    assert_non_null(out);

    stepper_open(&s, m, &opt);
    memcpy(out, stepper_feed(&s, tokens, c->n_prompt, 0), bytes);
    stepper_close(&s);
    return out;
}

/* The same prompt as sequence 2 of four that grow side by side, in steps of uneven sizes. */
static void check_in_company(struct stepper *s, const int32_t *tokens, int n_tokens,
                             const float *want)
{
    int32_t other[MAX_PROMPT];

    random_prompt(99, s->m->cfg.n_vocab, other, MAX_PROMPT);
    stepper_reset(s);
    for (int at = 0, step = 0; at < n_tokens; step++) {
        int n = 1 + step * 29 % 61;
        n = n < n_tokens - at ? n : n_tokens - at;
        stepper_add(s, 0, other, 1 + step % 3, true);
        stepper_add(s, 3, other + at, 2, false);
        stepper_add(s, 2, tokens + at, n, true);
        stepper_add(s, 1, other + step, 1, true);
        stepper_run(s);
        at += n;
    }
    size_t n_vocab = (size_t)s->m->cfg.n_vocab;
    assert_memory_equal(s->logits + n_vocab, want, n_vocab * sizeof(float));
}

static void check_same_bits(const struct same_bits *c)
{
    struct random_options shape = {.type = c->type,
                                   .n_layer = 2,
                                   .n_embd = 256,
                                   .n_head = 4,
                                   .n_head_kv = 2,
                                   .head_dim = 64,
                                   .n_ff = 4096,
                                   .n_vocab = 101,
                                   .key_bias = 3};
    struct model m;
    int32_t tokens[MAX_PROMPT];

    random_model(&m, &shape, 7);
    random_prompt(2, shape.n_vocab, tokens, c->n_prompt);
    float *want = plain_logits(&m, c, tokens);
    size_t bytes = (size_t)shape.n_vocab * sizeof *want;
    for (int n_threads = 1; n_threads <= c->max_threads; n_threads++) {
        struct stepper_options opt = {c->level, n_threads, c->kv_type, true};
        struct stepper s;
        stepper_open(&s, &m, &opt);
        assert_memory_equal(stepper_feed(&s, tokens, c->n_prompt, 0), want, bytes);
        stepper_reset(&s);
        assert_memory_equal(stepper_feed(&s, tokens, c->n_prompt, 13), want, bytes);
        if (n_threads == 3) {
            stepper_reset(&s);
            assert_memory_equal(stepper_feed(&s, tokens, c->n_prompt, 1), want, bytes);
        }
        check_in_company(&s, tokens, c->n_prompt, want);
        stepper_close(&s);
    }
    free(want);
    random_model_done(&m);
}

static void threads_batch_and_cut_do_not_matter(void **state)
{
    const struct same_bits cases[] = {
        {QUANT_F16, BACKEND_KV_F16, cpu_best_level(), 3, MAX_PROMPT},
        {QUANT_F16, BACKEND_KV_Q8, cpu_best_level(), 3, 100},
        {QUANT_Q8_0, BACKEND_KV_F16, cpu_best_level(), 3, 100},
        {QUANT_Q4_K, BACKEND_KV_F16, cpu_best_level(), 3, 100},
        {QUANT_Q6_K, BACKEND_KV_F16, cpu_best_level(), 3, 100},
    };
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_same_bits(&cases[i]);
    for (int level = 0; level < (int)cpu_best_level(); level++)
        if (cpu_level_usable((enum cpu_level)level)) {
            struct same_bits f16 = {QUANT_Q4_K, BACKEND_KV_F16, (enum cpu_level)level, 2, 70};
            struct same_bits q8 = {QUANT_Q4_K, BACKEND_KV_Q8, (enum cpu_level)level, 1, 70};
            check_same_bits(&f16);
            check_same_bits(&q8);
        }
}

static void positions_far_out_are_accurate(void **state)
{
    struct stepper_options opt = {cpu_best_level(), 1, BACKEND_KV_F16, false};
    struct model m;
    struct stepper s;
    (void)state;

    random_model(&m, &small, 1);
    stepper_open(&s, &m, &opt);
    const struct cpu *c = (const struct cpu *)s.b;
    s.batch.n_tokens = 1;
    for (int position = 1; position <= 131072; position *= 2) {
        s.batch.position[0] = position - 1;
        assert_int_equal(s.b->ops->begin(s.b, &m, &s.batch), 0);
        for (int i = 0; i < small.head_dim / 2; i++) {
            long double angle = (long double)(position - 1) * (long double)m.inv_freq[i];
            assert_true(fabsl(cosl(angle) - (long double)c->cos[i]) < 1e-6L);
            assert_true(fabsl(sinl(angle) - (long double)c->sin[i]) < 1e-6L);
        }
    }
    stepper_close(&s);
    random_model_done(&m);
}

static void sample_picks_from_the_logits(void **state)
{
    struct stepper_options opt = {cpu_best_level(), 2, BACKEND_KV_F16, false};
    struct engine_sampling set = {
        .temperature = 0.8f, .top_k = 20, .top_p = 0.95f, .repeat_penalty = 1, .seed = 4};
    struct sampler sampler[3], again[3];
    struct sampler *samplers[3];
    struct sampler_candidate scratch[101];
    int32_t tokens[20], ids[3];
    struct model m;
    struct stepper s;
    (void)state;

    random_model(&m, &small, 1);
    random_prompt(3, small.n_vocab, tokens, 20);
    stepper_open(&s, &m, &opt);
    for (int i = 0; i < 3; i++) {
        set.seed++;
        sampler_init(&sampler[i], &set, NULL);
        sampler_init(&again[i], &set, NULL);
        samplers[i] = &sampler[i];
        stepper_add(&s, i, tokens + i, 10, true);
    }
    struct batch step = s.batch;
    stepper_run(&s);
    s.batch = step;
    assert_int_equal(s.b->ops->sample(s.b, samplers, ids), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            ids[i], sampler_pick(&again[i], s.logits + i * small.n_vocab, small.n_vocab, scratch));
    stepper_close(&s);
    random_model_done(&m);
}

/* Bytes in use before and after: a sanitizer's own allocator says nothing, and nothing is shown. */
static void steps_do_not_allocate(void **state)
{
    struct stepper_options opt = {cpu_best_level(), 2, BACKEND_KV_F16, false};
    int32_t tokens[MAX_PROMPT];
    struct model m;
    struct stepper s;
    (void)state;

    random_model(&m, &small, 1);
    random_prompt(3, small.n_vocab, tokens, MAX_PROMPT);
    stepper_open(&s, &m, &opt);
    struct mallinfo2 before = mallinfo2();
    if (before.uordblks + before.hblkhd > 0) {
        stepper_feed(&s, tokens, MAX_PROMPT, 50);
        struct mallinfo2 after = mallinfo2();
        assert_int_equal(after.uordblks + after.hblkhd, before.uordblks + before.hblkhd);
    }
    stepper_close(&s);
    random_model_done(&m);
}

/* Opening */

static const struct backend_options open_options = {.n_threads = 2,
                                                    .max_tokens = 8,
                                                    .max_sequences = 1,
                                                    .max_outputs = 1,
                                                    .max_context = 64,
                                                    .n_blocks = 2};

static void refuses_in_words(void **state)
{
    struct model m;
    struct backend *b;
    char err[128] = "";
    (void)state;

    random_model(&m, &small, 1);
    if (backend_open(&b, "cuda", &m, &open_options, err, sizeof err) == 0)
        backend_close(b); /* this build, and this machine, have it */
    else
        assert_non_null(strstr(err, "CUDA"));
    assert_int_equal(backend_open(&b, "abacus", &m, &open_options, err, sizeof err), -1);
    assert_string_equal(err, "device: unknown (got abacus)");
    m.cfg.n_ff = 100;
    assert_int_equal(backend_open(&b, NULL, &m, &open_options, err, sizeof err), -1);
    assert_string_equal(err, "feed-forward length: not a multiple of 16 (got 100)");
    m.cfg.n_ff = small.n_ff;
    struct backend_options q8 = open_options;
    q8.kv_type = BACKEND_KV_Q8;
    m.cfg.head_dim = 48;
    assert_int_equal(backend_open(&b, "cpu", &m, &q8, err, sizeof err), -1);
    assert_string_equal(err, "KV cache in q8: head length: not a multiple of 32 (got 48)");
    assert_int_equal(backend_kv_type_for(&m.cfg, BACKEND_KV_Q8), BACKEND_KV_F16);
    assert_int_equal(backend_kv_type_for(&m.cfg, BACKEND_KV_F32), BACKEND_KV_F32);
    m.cfg.head_dim = small.head_dim;
    assert_int_equal(backend_kv_type_for(&m.cfg, BACKEND_KV_Q8), BACKEND_KV_Q8);
    random_model_done(&m);
}

static void loading_can_be_given_up(void **state)
{
    struct backend_options opt = open_options;
    atomic_bool give_up = true;
    struct model m;
    struct backend *b;
    char err[128] = "";
    (void)state;

    random_model(&m, &small, 1);
    opt.abort_load = &give_up;
    assert_int_equal(backend_open(&b, "cpu", &m, &opt, err, sizeof err), 0);
    assert_int_equal(b->ops->load(b, &m), -1);
    assert_string_equal(b->error, "loading was given up");
    backend_close(b);
    random_model_done(&m);
}

static void check_plan(struct model *m, enum backend_kv_type type, size_t bytes_of_32)
{
    struct backend_options opt = open_options;
    struct backend *b;
    char err[128] = "";

    opt.kv_type = type;
    assert_int_equal(backend_open(&b, "cpu", m, &opt, err, sizeof err), 0);
    struct backend_memory plan = b->memory;
    assert_int_equal(b->ops->load(b, m), 0);
    const struct cpu *c = (const struct cpu *)b;
    size_t embed = (size_t)small.n_vocab * quant_row_bytes(small.type, small.n_embd);
    assert_int_equal(plan.weights, c->weights_bytes + embed);
    assert_int_equal(plan.kv, 2 * 2 * 2 * 2 * KV_BLOCK * (size_t)small.head_dim / 32 * bytes_of_32);
    assert_int_equal(plan.kv, c->kv_bytes);
    assert_int_equal(plan.scratch, c->scratch_bytes);
    assert_memory_equal(b->device, "CPU, 2 threads, ", 16);
    backend_close(b);
}

static void plan_is_kept(void **state)
{
    struct model m;
    (void)state;

    random_model(&m, &small, 1);
    check_plan(&m, BACKEND_KV_F16, 64);
    check_plan(&m, BACKEND_KV_F32, 128);
    check_plan(&m, BACKEND_KV_Q8, 34);
    random_model_done(&m);
}

int test_cpu(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_does_each_item_once),
        cmocka_unit_test(forward_equals_the_reference),
        cmocka_unit_test(threads_batch_and_cut_do_not_matter),
        cmocka_unit_test(positions_far_out_are_accurate),
        cmocka_unit_test(sample_picks_from_the_logits),
        cmocka_unit_test(steps_do_not_allocate),
        cmocka_unit_test(refuses_in_words),
        cmocka_unit_test(loading_can_be_given_up),
        cmocka_unit_test(plan_is_kept),
    };

    return cmocka_run_group_tests_name("cpu", tests, NULL, NULL);
}
