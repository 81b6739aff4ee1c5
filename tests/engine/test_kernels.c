/* test_kernels.c - every table of kernels this machine can use against plain C in double. */
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

/* One panel of `rows` rows times 16 columns; narrower tiles give the same bits. */
static void check_dot(const struct kernels *k, enum quant_type type, int rows, int cols,
                      uint64_t seed)
{
    struct matrix w = random_matrix(&seed, type, rows, cols, 1);
    void *panel = aligned_alloc(32, panel_bytes(&w));
    float *x = malloc(sizeof(float) * TILE * (size_t)cols),
          *row = malloc(sizeof(float) * (size_t)cols);
    struct act_block *act = malloc(sizeof *act * TILE * (size_t)(cols / QUANT_BLOCK + 1));
    double *seen = malloc(sizeof(double) * (size_t)cols);
    float out[TILE * PANEL], narrow[TILE * PANEL];
    assert_true(panel && x && row && act && seen);

    panel_pack(&w, 0, panel);
    fill(&seed, x, TILE * cols, 3);
    for (int width = TILE; width >= 1; width /= 2) {
        struct tile tile = {width, act, x, (size_t)cols};
        for (int c = 0; c < width && quant_info(type)->block_elements > 1; c++)
            k->quantize(x + c * cols, cols, act + c, width);
        k->dot[type](panel, cols, &tile, width == TILE ? out : narrow);
        if (width < TILE)
            assert_memory_equal(narrow, out, sizeof(float) * PANEL * (size_t)width);
    }
    for (int c = 0; c < TILE; c += 5) {
        as_seen(k, type, x + c * cols, cols, seen);
        for (int r = 0; r < PANEL; r++) {
            double sum = 0, size = 1e-3;
            if (r < rows)
                quant_to_float(type, (const char *)w.host + (size_t)r * quant_row_bytes(type, cols),
                               cols, row);
            for (int i = 0; i < cols && r < rows; i++) {
                sum += (double)row[i] * seen[i];
                size += fabs((double)row[i] * seen[i]);
            }
            if (!(fabs((double)out[c * PANEL + r] - sum) < 3e-6 * size))
                fail_msg("%s, %d x %d, row %d: got %g, want %g", quant_info(type)->name, rows, cols,
                         r, (double)out[c * PANEL + r], sum);
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
                k->dot[types[t]](panel, N, &tile, out);
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
                assert_true(score[i] * 0.125f <= max);
                want_sum += want;
            }
            assert_true(fabs((double)sum - want_sum) < 1e-6 * want_sum);
        }
    }
}

/* Keys and values written one by one, then read by any number of heads. */
static void check_attend(const struct attend_kernels *k, size_t element, double tolerance)
{
    enum { D = 80 };
    uint64_t seed = 11;
    float key[KV_BLOCK][D], value[KV_BLOCK][D], q[HEADS][D], p[HEADS][KV_BLOCK];
    float score[HEADS][KV_BLOCK], out[HEADS][D], before[HEADS][D];
    char *keys = aligned_alloc(64, KV_BLOCK * D * element);
    char *values = aligned_alloc(64, KV_BLOCK * D * element);
    assert_true(keys && values);

    fill(&seed, key[0], KV_BLOCK * D, 4);
    fill(&seed, value[0], KV_BLOCK * D, 4);
    fill(&seed, q[0], HEADS * D, 1);
    fill(&seed, p[0], HEADS * KV_BLOCK, 1);
    fill(&seed, before[0], HEADS * D, 1);
    for (int i = 0; i < KV_BLOCK; i++)
        k->store(keys, values, D, i, key[i], value[i]);
    for (int n = 1; n <= HEADS; n++) {
        int n_positions = 4 * n - 3;
        memcpy(out, before, sizeof out);
        k->scores(keys, D, q[0], n, score[0], KV_BLOCK);
        k->values(values, D, p[0], KV_BLOCK, n, n_positions, out[0]);
        for (int h = 0; h < n; h++) {
            for (int i = 0; i < KV_BLOCK; i++) {
                double want = 0;
                for (int d = 0; d < D; d++)
                    want += (double)q[h][d] * (double)key[i][d];
                assert_true(fabs((double)score[h][i] - want) < tolerance);
            }
            for (int d = 0; d < D; d++) {
                double want = (double)before[h][d];
                for (int i = 0; i < n_positions; i++)
                    want += (double)p[h][i] * (double)value[i][d];
                assert_true(fabs((double)out[h][d] - want) < tolerance);
            }
        }
    }
    free(keys);
    free(values);
}

static void attention_reads_what_was_stored(void **state)
{
    (void)state;
    for (int level = 0; level < CPU_N_LEVELS; level++) {
        const struct kernels *k = kernels_at(level);
        if (!k)
            continue;
        check_attend(&k->attend_f32, sizeof(float), 1e-4);
        check_attend(&k->attend_f16, sizeof(uint16_t), 5e-2);
    }
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
    };

    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
