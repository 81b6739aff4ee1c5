/* test_sampler.c - what is kept is compared with a plain sort, what is drawn with probabilities. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/sampler.h"
#include "tests/engine/tests.h"

enum { MAX_VOCAB = 3000 };

static const struct engine_sampling plain = {
    .temperature = 1, .top_p = 1, .repeat_penalty = 1, .seed = 7};

static int32_t pick(struct sampler *s, const float *logits, int n)
{
    static float copy[MAX_VOCAB];
    static struct sampler_candidate scratch[MAX_VOCAB];
    memcpy(copy, logits, (size_t)n * sizeof *logits);
    return sampler_pick(s, copy, n, scratch);
}

static int32_t pick_once(const struct engine_sampling *set, const float *logits, int n)
{
    struct sampler s;
    sampler_init(&s, set, NULL);
    return pick(&s, logits, n);
}

static void greedy_takes_the_first_of_the_best(void **state)
{
    (void)state;
    struct engine_sampling set = plain;
    set.temperature = 0;
    assert_int_equal(pick_once(&set, (float[]){1, 5, 5, 2}, 4), 1);
    assert_int_equal(pick_once(&set, (float[]){-3}, 1), 0);
    assert_int_equal(pick_once(&set, (float[]){-INFINITY, -1e30f}, 2), 1);
    set.temperature = 1e-30f;
    assert_int_equal(pick_once(&set, (float[]){1, 5, 4.999f, 2}, 4), 1);
}

static void refuses_what_is_no_number(void **state)
{
    (void)state;
    for (int temperature = 0; temperature < 2; temperature++) {
        struct engine_sampling set = plain;
        set.temperature = (float)temperature;
        assert_int_equal(pick_once(&set, (float[]){1, NAN, 3}, 3), -1);
        assert_int_equal(pick_once(&set, (float[]){NAN, NAN}, 2), -1);
        assert_int_equal(pick_once(&set, (float[]){1, INFINITY}, 2), -1);
        assert_int_equal(pick_once(&set, (float[]){-INFINITY, -INFINITY}, 2), -1);
        assert_int_equal(pick_once(&set, (float[]){-INFINITY, -3e38f}, 2), 1);
    }
}

static void never_picks_the_banned(void **state)
{
    (void)state;
    const bool banned[] = {false, true, false, true};
    const float logits[] = {1, 50, 2, 40};
    struct engine_sampling set = plain;
    struct sampler s;
    sampler_init(&s, &set, banned);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(pick(&s, logits, 4) % 2, 0);
    set.temperature = 0;
    sampler_init(&s, &set, banned);
    assert_int_equal(pick(&s, logits, 4), 2);
}

/* A mask is as if the others were not there: what is kept is of what it leaves. */
static void picks_only_what_the_mask_has(void **state)
{
    float logits[70];
    uint32_t mask[3] = {0};
    (void)state;
    for (int i = 0; i < 70; i++)
        logits[i] = (float)i / 10;
    const int allowed[] = {3, 31, 32, 64};
    for (int i = 0; i < 4; i++)
        mask[allowed[i] / 32] |= (uint32_t)1 << allowed[i] % 32;
    for (int k = 0; k < 3; k++) {
        struct engine_sampling set = plain;
        struct sampler s;
        int seen[70] = {0};
        set.temperature = k == 0 ? 0 : 5;
        set.top_k = k == 2 ? 2 : 0;
        sampler_init(&s, &set, NULL);
        s.mask = mask;
        for (int i = 0; i < 200; i++)
            seen[pick(&s, logits, 70)]++;
        assert_int_equal(seen[64] + (k > 0 ? seen[32] : 0) + (k == 1 ? seen[3] + seen[31] : 0),
                         200);
        assert_true(k == 0 || seen[32] > 20);
        s.mask = (uint32_t[3]){0};
        assert_int_equal(pick(&s, logits, 70), -1);
    }
}

static void draws_by_probability(void **state)
{
    (void)state;
    const float p[] = {0.5f, 0.05f, 0.25f, 0.2f};
    float logits[4];
    for (int i = 0; i < 4; i++)
        logits[i] = 3 + 2 * logf(p[i]); /* at temperature 2 */
    struct engine_sampling set = plain;
    set.temperature = 2;
    struct sampler s;
    sampler_init(&s, &set, NULL);
    enum { N = 40000 };
    int count[4] = {0};
    for (int i = 0; i < N; i++)
        count[pick(&s, logits, 4)]++;
    for (int i = 0; i < 4; i++) {
        double sd = sqrt((double)N * p[i] * (1 - p[i]));
        assert_true(fabs(count[i] - N * (double)p[i]) < 4 * sd);
    }
}

static void the_seed_decides(void **state)
{
    (void)state;
    float logits[64] = {0};
    struct sampler a, b, c;
    struct engine_sampling other = plain;
    other.seed++;
    sampler_init(&a, &plain, NULL);
    sampler_init(&b, &plain, NULL);
    sampler_init(&c, &other, NULL);
    int same = 0;
    for (int i = 0; i < 256; i++) {
        int32_t id = pick(&a, logits, 64);
        assert_int_equal(pick(&b, logits, 64), id);
        same += pick(&c, logits, 64) == id;
    }
    assert_in_range(same, 0, 20); /* 4 expected */
}

/* Most likely first, lowest id among equals. */
static int by_probability(const void *a, const void *b)
{
    const struct sampler_candidate *x = a, *y = b;
    if (x->p != y->p)
        return x->p < y->p ? 1 : -1;
    return x->id - y->id;
}

/* Which tokens the settings leave, by sorting everything. */
static void keep_by_sorting(const struct engine_sampling *set, const float *logits, int n,
                            bool *kept)
{
    static struct sampler_candidate c[MAX_VOCAB];
    float max = -INFINITY;
    for (int i = 0; i < n; i++)
        max = fmaxf(max, logits[i]);
    for (int i = 0; i < n; i++)
        c[i] = (struct sampler_candidate){expf((logits[i] - max) / set->temperature), i};
    qsort(c, (size_t)n, sizeof *c, by_probability);
    int k = set->top_k > 0 && set->top_k < n ? set->top_k : n;
    double total = 0, sum = 0;
    for (int i = 0; i < k; i++)
        total += c[i].p;
    memset(kept, 0, MAX_VOCAB * sizeof *kept);
    for (int i = 0; i < k; i++) {
        if (c[i].p >= set->min_p && c[i].p > 0)
            kept[c[i].id] = true;
        sum += c[i].p;
        if (set->top_p < 1 && sum >= set->top_p * total)
            break;
    }
}

static void keeps_what_a_sort_would(void **state)
{
    (void)state;
    static float logits[MAX_VOCAB];
    static bool kept[MAX_VOCAB], drawn[MAX_VOCAB];
    srand(3);
    for (int round = 0; round < 300; round++) {
        struct engine_sampling set = plain;
        int n = 1 + rand() % (round % 10 == 0 ? MAX_VOCAB : 40);
        set.temperature = 0.3f + (float)(rand() % 20) / 10;
        set.top_k = rand() % 3 ? rand() % 30 : 0;
        set.top_p = rand() % 3 ? (float)(rand() % 101) / 100 : 1;
        set.min_p = rand() % 2 ? (float)(rand() % 50) / 1000 : 0;
        set.seed = (uint64_t)round;
        for (int i = 0; i < n; i++) /* coarse, so that there are ties */
            logits[i] = (float)(rand() % 25) / 5;
        keep_by_sorting(&set, logits, n, kept);
        memset(drawn, 0, sizeof drawn);
        struct sampler s;
        sampler_init(&s, &set, NULL);
        for (int i = 0; i < (n <= 40 ? 6000 : 200); i++) {
            int32_t id = pick(&s, logits, n);
            assert_in_range(id, 0, n - 1);
            assert_true(kept[id]);
            drawn[id] = true;
        }
        for (int i = 0; n <= 40 && i < n; i++) {
            if (kept[i] && !drawn[i]) /* possible only for the very unlikely */
                assert_true((double)expf((logits[i] - 4.8f) / set.temperature) < 0.05);
        }
    }
}

static void penalises_each_token_once(void **state)
{
    (void)state;
    struct engine_sampling set = plain;
    set.temperature = 0;
    set.repeat_penalty = 2;
    const float logits[] = {4, 3, -4, -3};
    struct sampler s;
    sampler_init(&s, &set, NULL);
    assert_int_equal(pick(&s, logits, 4), 0);
    sampler_accept(&s, 0);
    sampler_accept(&s, 0); /* 4 / 2 = 2; applied twice it would be 1 */
    assert_int_equal(pick(&s, (float[]){4, 1.5f}, 2), 0);
    assert_int_equal(pick(&s, logits, 4), 1);
    assert_int_equal(pick(&s, (float[]){-1, -1.5f}, 2), 1); /* -1 * 2 */
    for (int i = 0; i < SAMPLER_WINDOW; i++)
        sampler_accept(&s, 1); /* 0 is forgotten */
    assert_int_equal(pick(&s, logits, 4), 0);
    for (int i = 0; i < 1000; i++)
        sampler_accept(&s, i % 2);
    assert_int_equal(pick(&s, logits, 4), 0);
    sampler_accept(&s, 1000000); /* not in this vocabulary: ignored */
    assert_int_equal(pick(&s, logits, 4), 0);
}

static void names_settings_that_cannot_be(void **state)
{
    (void)state;
    assert_null(sampler_fault(&plain));
    const struct engine_sampling bad[] = {
        {.temperature = NAN, .top_p = 1, .repeat_penalty = 1},
        {.temperature = -1, .top_p = 1, .repeat_penalty = 1},
        {.temperature = INFINITY, .top_p = 1, .repeat_penalty = 1},
        {.temperature = 1, .top_p = 1.5f, .repeat_penalty = 1},
        {.temperature = 1, .top_p = NAN, .repeat_penalty = 1},
        {.temperature = 1, .top_p = 1, .min_p = -1, .repeat_penalty = 1},
        {.temperature = 1, .top_p = 1, .repeat_penalty = 0},
        {.temperature = 1, .top_p = 1, .top_k = -1, .repeat_penalty = 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(sampler_fault(&bad[i]));
}

int test_sampler(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_takes_the_first_of_the_best),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(never_picks_the_banned),
        cmocka_unit_test(picks_only_what_the_mask_has),
        cmocka_unit_test(draws_by_probability),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(keeps_what_a_sort_would),
        cmocka_unit_test(penalises_each_token_once),
        cmocka_unit_test(names_settings_that_cannot_be),
    };
    return cmocka_run_group_tests_name("sampler", tests, NULL, NULL);
}
