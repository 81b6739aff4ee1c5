/* test_quantize.c - floats to blocks: special rows, and how near the blocks come. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/file/gguf.h"
#include "engine/file/quantize.h"
#include "tests/engine/random_model.h"
#include "tests/engine/tests.h"

static const enum quant_type types[] = {QUANT_F32,  QUANT_F16,  QUANT_BF16,
                                        QUANT_Q8_0, QUANT_Q4_K, QUANT_Q6_K};
enum { N_TYPES = sizeof types / sizeof *types, N = 1024, MOST_BYTES = N * 4 };

/* What a reader makes of a row that was written in a type. */
static void there_and_back(enum quant_type type, const float *row, float *back)
{
    static _Alignas(16) unsigned char bytes[MOST_BYTES];
    quantize_row(type, row, N, bytes);
    quant_to_float(type, bytes, N, back);
}

static double relative_error(const float *a, const float *b, size_t n)
{
    double error = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        error += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        size += (double)a[i] * (double)a[i];
    }
    return sqrt(error / size);
}

static void bf16_rounds_to_nearest_even(void **state)
{
    (void)state;
    for (uint32_t b = 0; b < 0x7f7f; b++) {
        float low = quant_bf16_to_float((uint16_t)b), high = quant_bf16_to_float((uint16_t)(b + 1));
        float middle = low + (high - low) / 2;
        assert_int_equal(quant_float_to_bf16(low), b);
        if (b >= 0x80) { /* below, the middle of two is no float of its own */
            assert_int_equal(quant_float_to_bf16(middle), b + (b & 1));
            assert_int_equal(quant_float_to_bf16(nextafterf(middle, high)), b + 1);
            assert_int_equal(quant_float_to_bf16(-middle), 0x8000 | (b + (b & 1)));
        }
    }
    assert_int_equal(quant_float_to_bf16(INFINITY), 0x7f80);
    assert_true(isnan(quant_bf16_to_float(quant_float_to_bf16(NAN))));
}

/* Sixteen bits keep what has no more; zeros stay zeros in every type. */
static void what_fits_is_kept(void **state)
{
    float row[N], back[N];
    (void)state;
    for (int i = 0; i < N; i++)
        row[i] = (float)(i - 512) / 64;
    for (int t = 0; t < 2; t++) {
        there_and_back(types[t], row, back);
        assert_memory_equal(row, back, sizeof row);
    }
    memset(row, 0, sizeof row);
    for (int t = 0; t < N_TYPES; t++) {
        there_and_back(types[t], row, back);
        for (int i = 0; i < N; i++)
            assert_true(back[i] == 0);
    }
}

/* Numbers that the format can hold exactly come back as they were. */
static void grids_are_found(void **state)
{
    float row[N], back[N];
    (void)state;
    for (int i = 0; i < N; i++)
        row[i] = 0.25f * (float)(i * 7 % 16) - 1;
    there_and_back(QUANT_Q4_K, row, back);
    assert_true(relative_error(row, back, N) < 2e-3);
    for (int i = 0; i < N; i++)
        row[i] = -2 * (float)(i % 16 - 8);
    there_and_back(QUANT_Q6_K, row, back);
    assert_true(relative_error(row, back, N) < 2e-3);
    for (int i = 0; i < N; i++)
        row[i] = 3;
    there_and_back(QUANT_Q4_K, row, back);
    assert_true(relative_error(row, back, N) < 2e-3);
    for (int i = 0; i < N; i++)
        row[i] = -3;
    there_and_back(QUANT_Q4_K, row, back);
    assert_true(relative_error(row, back, N) < 2e-3);
    for (int i = 0; i < N; i++)
        row[i] = -3 - 0.25f * (float)(i % 5);
    there_and_back(QUANT_Q4_K, row, back);
    assert_true(relative_error(row, back, N) < 8e-3); /* a range to 0 would give 2e-2 */
}

/* The largest numbers, the smallest, both in one group, one alone: no code
 * goes out of its range. */
static void extremes_stay_near(void **state)
{
    float row[N], back[N];
    (void)state;
    for (int shape = 0; shape < 5; shape++) {
        for (int i = 0; i < N; i++) {
            float sign = i % 3 ? 1 : -1;
            row[i] = shape == 0   ? QUANT_MOST * sign
                     : shape == 1 ? 1e-38f * (float)(i % 17) * sign
                     : shape == 2 ? (i % 32 == 5 ? QUANT_MOST : 1e-30f) * sign
                     : shape == 3 ? (i == 700 ? -1000.0f : 0)
                                  : 1e-4f * (float)(i % 31) * sign;
        }
        for (int t = 1; t < N_TYPES; t++) {
            float most = 0;
            there_and_back(types[t], row, back);
            for (int i = 0; i < N; i++)
                most = fmaxf(most, fabsf(row[i]));
            for (int i = 0; i < N; i++) {
                assert_true(isfinite(back[i]));
                assert_true(fabsf(back[i] - row[i]) <= 0.1f * most + 1e-6f);
            }
        }
    }
}

/* Normally distributed numbers: as near as the bits allow, and nearer than a plain range would be
 * (0.0745 and 0.0188 for these). */
static void random_rows_come_near(void **state)
{
    static const double most[N_TYPES] = {0, 3e-4, 2.5e-3, 5.5e-3, 0.0716, 0.0176};
    float *rows = malloc(64 * N * sizeof *rows), *back = malloc(64 * N * sizeof *back);
    uint64_t seed = 7;
    (void)state;
    assert_non_null(rows);
    assert_non_null(back);
    for (int i = 0; i < 64 * N; i++) {
        float sum = 0;
        for (int k = 0; k < 12; k++)
            sum += random_float(&seed);
        rows[i] = sum * 0.01f;
    }
    for (int t = 0; t < N_TYPES; t++) {
        for (int r = 0; r < 64; r++)
            there_and_back(types[t], rows + r * N, back + r * N);
        double error = relative_error(rows, back, 64 * N);
        if (error > most[t])
            fail_msg("%s: %.5f", quant_info(types[t])->name, error);
    }
    free(rows);
    free(back);
}

/* Weights of the outside fixtures, of which there is a copy in eight bits: what we make of that
 * copy is at most as far from it as what the usual quantiser has made of the original. */
static void assert_no_worse(const char *usual, enum quant_type type)
{
    struct gguf *from, *to;
    char path[512], err[256];
    double ours = 0, theirs = 0;
    fixture_path("tiny/llama-a/llama-a.q8_0.gguf", path, sizeof path);
    assert_int_equal(gguf_open(&from, path, err, sizeof err), 0);
    fixture_path(usual, path, sizeof path);
    assert_int_equal(gguf_open(&to, path, err, sizeof err), 0);
    for (size_t i = 0; i < gguf_n_tensors(to); i++) {
        const struct gguf_tensor *b = gguf_tensor_at(to, i);
        char name[72];
        snprintf(name, sizeof name, "%.*s", (int)b->name.len, b->name.data);
        const struct gguf_tensor *a = gguf_find_tensor(from, name);
        if (b->type != type)
            continue;
        int64_t n = a->dim[0] * a->dim[1];
        float *x = malloc((size_t)n * sizeof *x), *y = malloc((size_t)n * sizeof *y);
        void *blocks = malloc(b->bytes);
        quant_to_float(a->type, a->data, n, x);
        quant_to_float(b->type, b->data, n, y);
        theirs += relative_error(x, y, (size_t)n);
        quantize_row(type, x, n, blocks);
        quant_to_float(type, blocks, n, y);
        ours += relative_error(x, y, (size_t)n);
        free(blocks);
        free(x);
        free(y);
    }
    if (!(theirs > 0 && ours <= theirs))
        fail_msg("%s: ours %.6f, the usual %.6f", usual, ours, theirs);
    gguf_close(from);
    gguf_close(to);
}

static void no_worse_than_the_usual(void **state)
{
    (void)state;
    assert_no_worse("tiny/llama-a/llama-a.q4_k_m.gguf", QUANT_Q4_K);
    assert_no_worse("tiny/llama-a/llama-a.q6_k.gguf", QUANT_Q6_K);
}

int test_quantize(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bf16_rounds_to_nearest_even),
        cmocka_unit_test(what_fits_is_kept),
        cmocka_unit_test(grids_are_found),
        cmocka_unit_test(extremes_stay_near),
        cmocka_unit_test(random_rows_come_near),
        cmocka_unit_test(no_worse_than_the_usual),
    };
    return cmocka_run_group_tests_name("quantize", tests, NULL, NULL);
}
