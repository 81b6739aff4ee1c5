/* test_logits.c - whole models against the outside fixtures' float64 reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "engine/file/hf.h"
#include "tests/engine/stepper.h"
#include "tests/engine/tests.h"

enum { N_GREEDY = 32, TOP = 5 };

/* How far a logit may be from the reference: with floats as activations it is rounding alone; with
 * integers of 8 bits, a bit above what is seen; the fixtures' README allows 1.2 and 0.25. */
struct bounds {
    double max, rms;
};

static const struct fixture {
    const char *model, *type;
    struct bounds bounds;
} fixtures[] = {
    {"llama-b", "f32", {1e-3, 1e-3}},  {"llama-b", "f16", {1e-3, 1e-3}},
    {"llama-b", "hf", {1e-3, 1e-3}},   {"qwen2-a", "hf", {1e-3, 1e-3}},
    {"llama-b", "bf16", {1e-3, 1e-3}}, {"qwen2-a", "bf16", {1e-3, 1e-3}},
    {"llama-a", "q8_0", {0.8, 0.2}},   {"llama-a", "q4_0", {0.8, 0.2}},
    {"llama-a", "q4_k_m", {0.8, 0.2}}, {"llama-a", "q6_k", {0.8, 0.2}},
    {"qwen2-a", "q8_0", {0.8, 0.2}},   {"qwen2-a", "q4_0", {0.8, 0.2}},
    {"qwen2-r", "q4_k_m", {0.8, 0.2}},
};

struct prompt {
    const char *name;
    int n;
    int32_t *ids;
    const float *last; /* logits of the last position */
    const json_t *reference;
};

struct reference {
    json_t *root;
    float *logits;
    struct prompt *prompts;
    size_t n_prompts;
    int n_vocab;
};

static int int_at(const json_t *array, size_t i)
{
    return (int)json_integer_value(json_array_get(array, i));
}

static double number_at(const json_t *array, size_t i)
{
    return json_number_value(json_array_get(array, i));
}

static void reference_open(struct reference *r, const struct fixture *f)
{
    char path[128];
    size_t len;

    snprintf(path, sizeof path, "tiny/%s/ref.%s.json", f->model, f->type);
    char *text = fixture_read(path, &len);
    r->root = json_loadb(text, len, 0, NULL);
    assert_non_null(r->root);
    free(text);
    snprintf(path, sizeof path, "tiny/%s/ref.%s.f32", f->model, f->type);
    r->logits = fixture_read(path, &len);
    r->n_vocab = (int)json_integer_value(json_object_get(r->root, "n_vocab"));

    const json_t *prompts = json_object_get(r->root, "prompts");
    r->n_prompts = json_array_size(prompts);
    r->prompts = calloc(r->n_prompts, sizeof *r->prompts);
    assert_non_null(r->prompts);
    for (size_t i = 0; i < r->n_prompts; i++) {
        struct prompt *p = &r->prompts[i];
        p->reference = json_array_get(prompts, i);
        p->name = json_string_value(json_object_get(p->reference, "name"));
        const json_t *ids = json_object_get(p->reference, "ids");
        p->n = (int)json_array_size(ids);
        p->ids = calloc((size_t)p->n, sizeof *p->ids);
        assert_non_null(p->ids);
        for (int t = 0; t < p->n; t++)
            p->ids[t] = int_at(ids, (size_t)t);
        size_t offset = (size_t)json_integer_value(json_object_get(p->reference, "logits_offset"));
        assert_true((offset + (size_t)r->n_vocab) * sizeof(float) <= len);
        p->last = r->logits + offset;
    }
}

static void reference_close(struct reference *r)
{
    for (size_t i = 0; i < r->n_prompts; i++)
        free(r->prompts[i].ids);
    free(r->prompts);
    free(r->logits);
    json_decref(r->root);
}

static int argmax(const float *logits, int n)
{
    int best = 0;

    for (int i = 1; i < n; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

static void assert_near(const struct fixture *f, const struct prompt *p, const float *logits, int n)
{
    double max = 0, squares = 0;

    for (int i = 0; i < n; i++) {
        double diff = fabs((double)logits[i] - (double)p->last[i]);
        max = diff > max ? diff : max;
        squares += diff * diff;
    }
    double rms = sqrt(squares / n);
    if (!(max < f->bounds.max) || !(rms < f->bounds.rms))
        fail_msg("%s.%s %s: max %g rms %g", f->model, f->type, p->name, max, rms);
}

/* The reference's five best at a position have about the values it says, and the best is the best
 * where the second is far enough behind. */
static void assert_top(const struct fixture *f, const struct prompt *p, size_t row,
                       const float *logits, int n_vocab)
{
    const json_t *ids = json_array_get(json_object_get(p->reference, "top5_ids"), row);
    const json_t *values = json_array_get(json_object_get(p->reference, "top5_logits"), row);

    for (size_t i = 0; i < TOP; i++)
        if (!(fabs((double)logits[int_at(ids, i)] - number_at(values, i)) < f->bounds.max))
            fail_msg("%s.%s %s: row %zu, token %d: got %g, want %g", f->model, f->type, p->name,
                     row, int_at(ids, i), (double)logits[int_at(ids, i)], number_at(values, i));
    if (number_at(values, 0) - number_at(values, 1) > 2 * f->bounds.max)
        assert_int_equal(argmax(logits, n_vocab), int_at(ids, 0));
}

/* All positions of a prompt from one step: logits are asked for again and again. */
static void check_positions(const struct fixture *f, const struct prompt *p, struct stepper *s)
{
    const json_t *positions = json_object_get(p->reference, "top5_positions");
    size_t n = json_array_size(json_object_get(p->reference, "top5_ids"));

    stepper_reset(s);
    stepper_add(s, 0, p->ids, p->n, false);
    struct batch step = s->batch;
    stepper_run(s);
    s->batch = step;
    for (size_t row = 0; row < n; row++) {
        s->batch.n_outputs = 1;
        s->batch.output[0] = json_is_array(positions) ? int_at(positions, row) : (int)row;
        assert_int_equal(s->b->ops->logits(s->b), 0);
        assert_int_equal(s->b->ops->read_logits(s->b, 0, s->logits), 0);
        assert_top(f, p, row, s->logits, s->m->cfg.n_vocab);
    }
    s->batch.n_tokens = s->batch.n_outputs = 0;
}

/* Goes on greedily as long as the reference's choice is clear. */
static void check_greedy(const struct fixture *f, const struct prompt *p, struct stepper *s)
{
    const json_t *greedy = json_object_get(p->reference, "greedy");
    const json_t *gap = json_object_get(p->reference, "greedy_gap");

    stepper_reset(s);
    const float *logits = stepper_feed(s, p->ids, p->n, 0);
    for (size_t i = 0; i < N_GREEDY && number_at(gap, i) > 2 * f->bounds.max; i++) {
        int32_t best = argmax(logits, s->m->cfg.n_vocab);
        assert_int_equal(best, int_at(greedy, i));
        logits = stepper_feed(s, &best, 1, 0);
    }
}

/* All there is to check, or only the last position's logits of the first prompts. */
static void check_prompts(const struct fixture *f, struct stepper *s, bool all)
{
    struct reference r;

    reference_open(&r, f);
    assert_int_equal(r.n_vocab, s->m->cfg.n_vocab);
    for (size_t i = 0; i < (all ? r.n_prompts : 2); i++) {
        const struct prompt *p = &r.prompts[i];
        stepper_reset(s);
        assert_near(f, p, stepper_feed(s, p->ids, p->n, 0), r.n_vocab);
        if (all) {
            check_positions(f, p, s);
            check_greedy(f, p, s);
        }
    }
    reference_close(&r);
}

struct loaded {
    struct gguf *g;
    struct model m;
};

static void loaded_open(struct loaded *l, const struct fixture *f)
{
    char name[128], path[1024], err[256] = "";

    bool release = strcmp(f->type, "hf") == 0;
    snprintf(name, sizeof name, release ? "tiny/%s/hf" : "tiny/%s/%s.%s.gguf", f->model, f->model,
             f->type);
    fixture_path(name, path, sizeof path);
    if ((release ? hf_open(&l->g, path, false, err, sizeof err)
                 : gguf_open(&l->g, path, err, sizeof err)) != 0 ||
        model_bind(&l->m, l->g, err, sizeof err) != 0)
        fail_msg("%s: %s", path, err);
}

static void loaded_close(struct loaded *l)
{
    model_done(&l->m);
    gguf_close(l->g);
}

static void logits_equal_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fixtures / sizeof fixtures[0]; i++) {
        for (int level = 0; level < CPU_N_LEVELS; level++) {
            struct stepper_options opt = {level, 2, BACKEND_KV_F32, true};
            struct loaded l;
            struct stepper s;

            if (!cpu_level_usable(opt.level))
                continue;
            loaded_open(&l, &fixtures[i]);
            stepper_open(&s, &l.m, &opt);
            check_prompts(&fixtures[i], &s, opt.level == cpu_best_level());
            stepper_close(&s);
            loaded_close(&l);
        }
    }
}

/* The same bits, however the prompt is cut. */
static void chunks_do_not_matter(void **state)
{
    const int chunks[] = {1, 7, 64, 100};
    (void)state;

    for (size_t i = 0; i < sizeof fixtures / sizeof fixtures[0]; i++) {
        struct stepper_options opt = {cpu_best_level(), 2, BACKEND_KV_F16, false};
        struct loaded l;
        struct stepper s;
        struct reference r;

        reference_open(&r, &fixtures[i]);
        loaded_open(&l, &fixtures[i]);
        stepper_open(&s, &l.m, &opt);
        const struct prompt *p = &r.prompts[r.n_prompts - 1];
        size_t bytes = (size_t)r.n_vocab * sizeof(float);
        float *whole = malloc(bytes);
        assert_non_null(whole);
        memcpy(whole, stepper_feed(&s, p->ids, p->n, 0), bytes);
        for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
            stepper_reset(&s);
            assert_memory_equal(stepper_feed(&s, p->ids, p->n, chunks[c]), whole, bytes);
        }
        free(whole);
        stepper_close(&s);
        loaded_close(&l);
        reference_close(&r);
    }
}

/* A cache of integers is about as good as the activations of quantised weights, of which it makes
 * as many again: the fixtures' README allows 1.2 and 0.25. */
static void a_cache_of_integers_is_near(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof fixtures / sizeof fixtures[0]; i++) {
        struct stepper_options opt = {cpu_best_level(), 2, BACKEND_KV_Q8, true};
        struct fixture with_q8 = fixtures[i];
        struct loaded l;
        struct stepper s;

        with_q8.bounds = (struct bounds){1, 0.25};
        loaded_open(&l, &with_q8);
        stepper_open(&s, &l.m, &opt);
        check_prompts(&with_q8, &s, true);
        stepper_close(&s);
        loaded_close(&l);
    }
}

int test_logits(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_equal_the_reference),
        cmocka_unit_test(chunks_do_not_matter),
        cmocka_unit_test(a_cache_of_integers_is_near),
    };

    return cmocka_run_group_tests_name("logits", tests, NULL, NULL);
}
