/* test_kernels.c - every table of kernels this machine can use against plain C in double. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/batch.h"
#include "engine/cpu/kernels.h"
#include "tests/engine/random_model.h"
#include "tests/engine/tests.h"

static const enum quant_type types[] = {
    QUANT_F32,  QUANT_F16,  QUANT_BF16, QUANT_Q4_0, QUANT_Q4_1, QUANT_Q5_0,
    QUANT_Q5_1, QUANT_Q8_0, QUANT_Q4_K, QUANT_Q5_K, QUANT_Q6_K,
};
enum { N_TYPES = sizeof types / sizeof types[0], MAX_COLUMNS = 1536, N = 256 };

/* Kernels of level i, or NULL. */
static const struct kernels *kernels_at(int i)
{
    return cpu_level_usable((enum cpu_level)i) ? kernels_of((enum cpu_level)i) : NULL;
}

static void fill(uint64_t *seed, float *x, int n, float scale)
{
    for (int i = 0; i < n; i++)
        x[i] = scale * random_float(seed);
}

/* What a column means to a kernel: as it is, or rounded to integers of 8 bits by block. */
static void as_seen(const struct kernels *k, enum quant_type type, const float *x, int cols,
                    double *out)
{
    struct act_block block;

    for (int i = 0; i < cols; i++) {
        if (quant_info(type)->block_elements == 1) {
            out[i] = (double)x[i];
            continue;
        }
        if (i % QUANT_BLOCK == 0)
            k->quantize(x + i, QUANT_BLOCK, &block, 1);
        out[i] = (double)block.d * block.q[i % QUANT_BLOCK];
    }
}

/* As matmul does, which begins nothing for few columns. */
static void multiply(const struct kernels *k, enum quant_type type, const void *const panels[2],
                     int cols, const struct tile *tile, float *out)
{
    bool wide = k->begin && tile->width >= TILE_COLS;

    if (wide)
        k->begin();
    k->dot[type](panels, cols, tile, out);
    if (wide)
        k->end();
}

/* Two panels, the second of `rows` rows, times TILE columns. One panel alone and narrower tiles
 * give the same bits. */
static void check_dot(const struct kernels *k, enum quant_type type, int rows, int cols,
                      uint64_t seed)
{
    struct matrix w = random_matrix(&seed, type, PANEL + rows, cols, 1);
    char *panel = aligned_alloc(32, 2 * panel_bytes(&w));
    float *x = malloc(sizeof(float) * TILE * (size_t)cols),
          *row = malloc(sizeof(float) * (size_t)cols);
    struct act_block *act = malloc(sizeof *act * TILE * (size_t)(cols / QUANT_BLOCK + 1));
    double *seen = malloc(sizeof(double) * (size_t)cols);
    float out[2][TILE * PANEL], again[2][TILE * PANEL];
    assert_true(panel && x && row && act && seen);

    const void *const both[2] = {panel, panel + panel_bytes(&w)}, *const second[2] = {both[1]};
    panel_pack(&w, 0, panel);
    panel_pack(&w, 1, panel + panel_bytes(&w));
    fill(&seed, x, TILE * cols, 3);
    for (int width = TILE; width >= 1; width /= 2) {
        struct tile tile = {width, act, x, (size_t)cols};
        size_t bytes = sizeof(float) * PANEL * (size_t)width;
        for (int c = 0; c < width && quant_info(type)->block_elements > 1; c++)
            k->quantize(x + c * cols, cols, act + c, width);
        multiply(k, type, both, cols, &tile, width == TILE ? out[0] : again[0]);
        for (int i = 0; i < 2 && width < TILE; i++)
            assert_memory_equal(again[i], out[i], bytes);
        multiply(k, type, second, cols, &tile, again[0]);
        assert_memory_equal(again[0], out[1], bytes);
    }
    for (int c = 0; c < TILE; c += 5) {
        as_seen(k, type, x + c * cols, cols, seen);
        for (int r = 0; r < 2 * PANEL; r++) {
            double sum = 0, size = 1e-3, got = (double)out[r / PANEL][c * PANEL + r % PANEL];
            if (r < w.rows)
                quant_to_float(type, (const char *)w.host + (size_t)r * quant_row_bytes(type, cols),
                               cols, row);
            for (int i = 0; i < cols && r < w.rows; i++) {
                sum += (double)row[i] * seen[i];
                size += fabs((double)row[i] * seen[i]);
            }
            if (!(fabs(got - sum) < 3e-6 * size))
                fail_msg("%s, %d x %d, row %d: got %g, want %g", quant_info(type)->name, w.rows,
                         cols, r, got, sum);
        }
    }
    free(seen);
    free(act);
    free(row);
    free(x);
    free(panel);
    free((void *)w.host);
}

static void dots_equal_the_reference(void **state)
{
    const int rows[] = {1, 3, 15, 16};
    (void)state;

    for (int level = 0; level < CPU_N_LEVELS; level++) {
        const struct kernels *k = kernels_at(level);
        for (int t = 0; k && t < N_TYPES; t++) {
            int block = quant_info(types[t])->block_elements, step = block > 32 ? block : 32;
            for (int cols = step; cols <= MAX_COLUMNS; cols += step)
                check_dot(k, types[t], rows[cols / step % 4], cols, (uint64_t)cols);
            if (block == 1)
                check_dot(k, types[t], 16, 49, 1); /* an odd number of columns */
        }
    }
}

/* The largest codes against the largest activations: no partial sum overflows. */
static void extreme_codes_do_not_overflow(void **state)
{
    float x[TILE * N];
    (void)state;

    for (int i = 0; i < TILE * N; i++)
        x[i] = i / N % 2 ? -1 : 1;
    for (int level = 0; level < CPU_N_LEVELS; level++) {
        const struct kernels *k = kernels_at(level);
        for (int t = 3; k && t < N_TYPES; t++) {
            for (int ones = 0; ones <= 1; ones++) {
                uint64_t seed = 1;
                struct matrix w = random_matrix(&seed, types[t], PANEL, N, 1);
                struct act_block act[TILE * N / QUANT_BLOCK];
                struct tile tile = {TILE, act, NULL, 0};
                float row[N], out[TILE * PANEL];
                size_t bytes = quant_row_bytes(types[t], N);
                void *panel = aligned_alloc(32, PANEL * bytes);
                assert_non_null(panel);

                struct quant_q8_0 *q8 = (struct quant_q8_0 *)w.host; /* others: random is enough */
                for (int i = 0; types[t] == QUANT_Q8_0 && i < PANEL * N / QUANT_BLOCK; i++)
                    memset(q8[i].qs, ones ? 127 : -128, sizeof q8[i].qs);
                panel_pack(&w, 0, panel);
                for (int c = 0; c < TILE; c++)
                    k->quantize(x + c * N, N, act + c, TILE);
                multiply(k, types[t], (const void *[2]){panel}, N, &tile, out);
                quant_to_float(types[t], w.host, N, row);
                double sum = 0, size = 0;
                for (int i = 0; i < N; i++) {
                    sum += (double)row[i];
                    size += fabs((double)row[i]);
                }
                assert_true(fabs((double)out[0] - sum) < 3e-6 * size);
                assert_true(fabs((double)out[PANEL] + sum) < 3e-6 * size);
                free(panel);
                free((void *)w.host);
            }
        }
    }
}

static void quantize_rounds_to_the_nearest(void **state)
{
    uint64_t seed = 5;
    float x[N];
    struct act_block block[N / QUANT_BLOCK * 2];
    (void)state;

    fill(&seed, x, N, 7);
    memset(x + 32, 0, 32 * sizeof *x);
    for (int i = 64; i < 96; i++)
        x[i] *= 1e-35f;
    for (int level = 0; level < CPU_N_LEVELS; level++) {
        const struct kernels *k = kernels_at(level);
        if (!k)
            continue;
        k->quantize(x, N, block, 2);
        for (int b = 0; b < N / QUANT_BLOCK; b++) {
            const struct act_block *a = &block[2 * b];
            int sum = 0, low = 0;
            for (int i = 0; i < QUANT_BLOCK; i++) {
                sum += a->q[i];
                low += i < 16 ? a->q[i] : 0;
                double off = fabs((double)a->d * a->q[i] - (double)x[b * QUANT_BLOCK + i]);
                assert_true(off <= (double)a->d * 0.50001 || off < 1e-30);
            }
            assert_int_equal(a->sum, sum);
            assert_int_equal(a->sum_low, low);
            assert_true(a->d_sum == a->d * (float)sum);
        }
    }
}

static void norm_and_activation(void **state)
{
    uint64_t seed = 9;
    float x[N], w[N], up[N], out[N];
    (void)state;

    fill(&seed, x, N, 20);
    fill(&seed, w, N, 2);
    fill(&seed, up, N, 2);
    x[0] = 200;
    x[1] = -200;
    x[2] = 0;
    double squares = 0;
    for (int i = 0; i < N; i++)
        squares += (double)x[i] * (double)x[i];
    for (int level = 0; level < CPU_N_LEVELS; level++) {
        const struct kernels *k = kernels_at(level);
        if (!k)
            continue;
        k->norm(x, w, N, 1e-5f, out);
        for (int i = 0; i < N; i++) {
            double want = (double)x[i] / sqrt(squares / N + (double)1e-5f) * (double)w[i];
            assert_true(fabs((double)out[i] - want) <= 1e-6 * fabs(want));
        }
        memcpy(out, x, sizeof out);
        k->silu_mul(out, up, N);
        for (int i = 0; i < N; i++) {
            double want = (double)x[i] / (1 + exp(-(double)x[i])) * (double)up[i];
            assert_true(fabs((double)out[i] - want) <= 1e-6 * fabs(want) + 1e-30);
        }
    }
}

static void softmax_is_accurate(void **state)
{
    const int lengths[] = {1, 2, 15, 16, 17, 255, 256};
    (void)state;

    for (int level = 0; level < CPU_N_LEVELS; level++) {
        const struct kernels *k = kernels_at(level);
        for (size_t j = 0; k && j < sizeof lengths / sizeof lengths[0]; j++) {
            uint64_t seed = 3;
            float score[N], p[N], max, sum;
            int n = lengths[j];
            fill(&seed, score, N, 500); /* some underflow */
            memcpy(p, score, sizeof p);
            k->softmax(p, n, 0.125f, &max, &sum);
            double want_sum = 0;
            for (int i = 0; i < n; i++) {
                double want = exp((double)(score[i] * 0.125f - max));
                assert_true(fabs((double)p[i] - want) <= 3e-7 * want + 1e-37);
                assert_true(p[i] == 0 || p[i] >= FLT_MIN);
                assert_true(score[i] * 0.125f <= max);
                want_sum += want;
            }
            assert_true(fabs((double)sum - want_sum) < 1e-6 * want_sum);
        }
    }
}

/* Attention, for each type of KV cache */

enum { MAX_D = 128 };

struct cached {
    char *keys, *values;
    float key[KV_BLOCK][MAX_D], value[KV_BLOCK][MAX_D]; /* as the layout says they are */
};

static void decode_q8(struct cached *c, int d, int i, int e)
{
    const struct panel_q8_0 *panel = (const struct panel_q8_0 *)c->keys;
    const struct value_block *values = (const struct value_block *)c->values + e / QUANT_BLOCK;
    int at = e % QUANT_BLOCK;
    uint8_t code[4];

    panel += i / PANEL * (d / QUANT_BLOCK) + e / QUANT_BLOCK;
    memcpy(code, &panel->code[at / 4][i % PANEL], sizeof code);
    c->key[i][e] = quant_half_to_float(panel->d[i % PANEL]) * (float)(code[at % 4] - 128);
    c->value[i][e] = quant_half_to_float(values->d[i]) * (float)values->code[i][at];
}

static void decode(struct cached *c, enum backend_kv_type type, int d, int i, int e)
{
    int k = e * KV_BLOCK + i, v = i * d + e;

    if (type == BACKEND_KV_F32) {
        c->key[i][e] = ((const float *)c->keys)[k];
        c->value[i][e] = ((const float *)c->values)[v];
    } else if (type == BACKEND_KV_F16) {
        c->key[i][e] = quant_half_to_float(((const uint16_t *)c->keys)[k]);
        c->value[i][e] = quant_half_to_float(((const uint16_t *)c->values)[v]);
    } else {
        decode_q8(c, d, i, e);
    }
}

/* A block of 32 as its definition has it: element i of the result is the sum of all, each with its
 * sign turned where i and its number have an odd count of bits in common. */
static void spread_block(const float *x, double *out)
{
    for (int i = 0; i < QUANT_BLOCK; i++) {
        out[i] = 0;
        for (int e = 0; e < QUANT_BLOCK; e++)
            out[i] += __builtin_parity((unsigned)(i & e)) ? -(double)x[e] : (double)x[e];
    }
}

/* Numbers of a row that were stored are as near as the type allows: to the largest of their block,
 * which is spread where `spreads`. */
static void check_stored(enum backend_kv_type type, bool spreads, const float *x, const float *got,
                         int d)
{
    const double shares[] = {
        [BACKEND_KV_F32] = 0, [BACKEND_KV_F16] = 0x1p-11, [BACKEND_KV_Q8] = 0.501 / 127 + 0x1p-11};
    double want[QUANT_BLOCK];

    for (int b = 0; b < d; b += QUANT_BLOCK) {
        int n = d - b < QUANT_BLOCK ? d - b : QUANT_BLOCK;
        double most = 0;
        for (int i = 0; i < n; i++)
            want[i] = (double)x[b + i];
        if (spreads)
            spread_block(x + b, want);
        for (int i = 0; i < n; i++)
            most = fmax(most, fabs(want[i]));
        for (int i = 0; i < n; i++)
            assert_true(fabs((double)got[b + i] - want[i]) <= shares[type] * most);
    }
}

static bool is_off(double got, double want, double size)
{
    return !(fabs(got - want) <= 3e-6 * size);
}

/* The first head's integers. */
static void check_query(const float *q, const struct act_block *act, int d)
{
    float seen[MAX_D];

    for (int e = 0; e < d; e++)
        seen[e] = QUANT_BLOCK * act[e / QUANT_BLOCK].d *
                  (float)act[e / QUANT_BLOCK].q[e % QUANT_BLOCK];
    check_stored(BACKEND_KV_Q8, true, q, seen, d);
}

/* Keys and values as they lie there, read by n heads. */
static void check_reading(const struct kernels *k, enum backend_kv_type type, int d, int n,
                          const struct cached *c)
{
    const struct attend_kernels *attend = &k->attend[type];
    float q[HEADS * MAX_D], p[HEADS][2 * KV_BLOCK], score[HEADS][2 * KV_BLOCK];
    float out[HEADS * MAX_D], before[HEADS * MAX_D];
    struct act_block act[HEADS * MAX_D / QUANT_BLOCK];
    uint64_t seed = (uint64_t)n;
    int n_positions = 4 * n - 3;

    fill(&seed, q, HEADS * d, 2);
    fill(&seed, p[0], HEADS * 2 * KV_BLOCK, 1);
    fill(&seed, before, HEADS * d, 1);
    memcpy(out, before, sizeof out);
    if (attend->query) {
        attend->query(q, HEADS * d, act);
        check_query(q, act, d);
    }
    attend->scores(c->keys, d, &(struct query){q, act}, n, score[0], 2 * KV_BLOCK);
    attend->values(c->values, d, p[0], 2 * KV_BLOCK, n, n_positions, out);
    for (int h = 0; h < n; h++) {
        for (int i = 0; i < KV_BLOCK; i++) {
            double want = 0, size = 0;
            for (int e = 0; e < d; e++) {
                const struct act_block *a = &act[(h * d + e) / QUANT_BLOCK];
                double asked = attend->query ? (double)a->d * a->q[e % QUANT_BLOCK]
                                             : (double)q[h * d + e];
                want += asked * (double)c->key[i][e];
                size += fabs(asked * (double)c->key[i][e]);
            }
            if (is_off((double)score[h][i], want, size))
                fail_msg("type %d, %d heads, score %d %d: got %g, want %g", (int)type, n, h, i,
                         (double)score[h][i], want);
        }
        for (int e = 0; e < d; e++) {
            double want = (double)before[h * d + e], size = fabs(want);
            for (int i = 0; i < n_positions; i++) {
                want += (double)p[h][i] * (double)c->value[i][e];
                size += fabs((double)p[h][i] * (double)c->value[i][e]);
            }
            if (is_off((double)out[h * d + e], want, size))
                fail_msg("type %d, %d heads, value %d %d: got %g, want %g", (int)type, n, h, e,
                         (double)out[h * d + e], want);
        }
    }
}

/* Written one by one, over what lay there before. */
static void check_attend(const struct kernels *k, enum backend_kv_type type, int d)
{
    const struct model_config cfg = {.n_layer = 1, .n_head_kv = 1, .head_dim = d};
    size_t bytes = KV_BLOCK * (size_t)backend_kv_row_bytes(&cfg, type) / 2;
    struct cached c = {aligned_alloc(64, bytes), aligned_alloc(64, bytes), {{0}}, {{0}}};
    float key[KV_BLOCK][MAX_D], value[KV_BLOCK][MAX_D];
    uint64_t seed = 11;
    assert_true(c.keys && c.values);

    memset(c.keys, 0x7b, bytes);
    memset(c.values, 0x7b, bytes);
    fill(&seed, key[0], KV_BLOCK * MAX_D, 4);
    fill(&seed, value[0], KV_BLOCK * MAX_D, 4);
    memset(key[3], 0, sizeof key[3]);
    memset(value[5], 0, sizeof value[5]);
    key[7][1] = 400; /* as Qwen2's can be */
    for (int i = KV_BLOCK - 1; i >= 0; i--)
        k->attend[type].store(c.keys, c.values, d, i, key[i], value[i]);
    for (int i = 0; i < KV_BLOCK; i++) {
        for (int e = 0; e < d; e++)
            decode(&c, type, d, i, e);
        check_stored(type, type == BACKEND_KV_Q8, key[i], c.key[i], d);
        check_stored(type, false, value[i], c.value[i], d);
    }
    for (int n = 1; n <= HEADS; n++)
        check_reading(k, type, d, n, &c);
    free(c.keys);
    free(c.values);
}

/* One that is no number makes all that is read of its position none: it must be seen in the end. */
static void check_no_number(const struct kernels *k, enum backend_kv_type type)
{
    enum { D = 64 };
    const struct attend_kernels *attend = &k->attend[type];
    float good[D], bad[D], score[KV_BLOCK], p[KV_BLOCK] = {0}, out[D] = {0};
    struct act_block act[D / QUANT_BLOCK];
    uint64_t seed = 12;
    char *keys = aligned_alloc(64, KV_BLOCK * D * sizeof(float));
    char *values = aligned_alloc(64, KV_BLOCK * D * sizeof(float));
    assert_true(keys && values);

    fill(&seed, good, D, 2);
    memcpy(bad, good, sizeof bad);
    bad[37] = NAN;
    for (int i = 0; i < KV_BLOCK; i++)
        attend->store(keys, values, D, i, i == 9 ? bad : good, i == 9 ? bad : good);
    if (attend->query)
        attend->query(good, D, act);
    attend->scores(keys, D, &(struct query){good, act}, 1, score, KV_BLOCK);
    p[8] = p[9] = 1;
    attend->values(values, D, p, KV_BLOCK, 1, 9, out);
    assert_false(isnan(out[37]) || isnan(score[8]));
    attend->values(values, D, p, KV_BLOCK, 1, 10, out);
    assert_true(isnan(out[37]) && isnan(score[9]));
    free(keys);
    free(values);
}

static void attention_reads_what_was_stored(void **state)
{
    const int dims[] = {32, 64, 96, 128};
    (void)state;

    for (int level = 0; level < CPU_N_LEVELS; level++) {
        const struct kernels *k = kernels_at(level);
        if (!k)
            continue;
        for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++)
            for (int type = 0; type < BACKEND_N_KV_TYPES; type++)
                check_attend(k, (enum backend_kv_type)type, dims[i]);
        for (int type = 0; type < BACKEND_N_KV_TYPES; type++)
            check_no_number(k, (enum backend_kv_type)type);
        check_attend(k, BACKEND_KV_F16, 80);
        check_attend(k, BACKEND_KV_F32, 80);
    }
}

/* The tests above pass over what this machine cannot run; here it is seen. */
static void levels_that_are_not_tested(void **state)
{
    bool all = true;
    (void)state;

    for (int level = 0; level < CPU_N_LEVELS; level++) {
        if (kernels_at(level))
            continue;
        print_message("no %s here: its kernels are not tested\n",
                      cpu_level_name((enum cpu_level)level));
        all = false;
    }
    if (!all)
        skip();
}

int test_kernels(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_equal_the_reference),
        cmocka_unit_test(extreme_codes_do_not_overflow),
        cmocka_unit_test(quantize_rounds_to_the_nearest),
        cmocka_unit_test(norm_and_activation),
        cmocka_unit_test(softmax_is_accurate),
        cmocka_unit_test(attention_reads_what_was_stored),
        cmocka_unit_test(levels_that_are_not_tested),
    };

    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
