/* test_quant.c - number formats: small vectors worked out by hand, and an outside reader's values
 * for every block of the fixtures. */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/quant.h"
#include "tests/engine/tests.h"

static const enum quant_type block_types[] = {
    QUANT_Q4_0, QUANT_Q4_1, QUANT_Q5_0, QUANT_Q5_1, QUANT_Q8_0, QUANT_Q4_K, QUANT_Q5_K, QUANT_Q6_K,
};
enum { N_BLOCK_TYPES = sizeof block_types / sizeof block_types[0] };

static void halves_round_trip(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 65536; h++) {
        float f = quant_half_to_float((uint16_t)h);
        uint16_t back = quant_float_to_half(f);
        if (isnan(f))
            assert_true(isnan(quant_half_to_float(back)));
        else
            assert_int_equal(back, h);
    }
    assert_true(quant_half_to_float(0x3c00) == 1.0f);
    assert_true(quant_half_to_float(0xc000) == -2.0f);
    assert_true(quant_half_to_float(0x7bff) == 65504.0f);
    assert_true(quant_half_to_float(0x0001) == 0x1p-24f);
    assert_true(isinf(quant_half_to_float(0x7c00)));
    assert_true(quant_bf16_to_float(0x3fc0) == 1.5f);
}

/* Midpoints between neighbouring halves go to the even one, anything beyond to the nearer. */
static void halves_round_to_nearest_even(void **state)
{
    (void)state;
    for (uint32_t h = 0; h < 0x7bff; h++) {
        float low = quant_half_to_float((uint16_t)h), high = quant_half_to_float((uint16_t)(h + 1));
        float middle = (low + high) / 2;
        assert_int_equal(quant_float_to_half(middle), h + (h & 1));
        assert_int_equal(quant_float_to_half(nextafterf(middle, low)), h);
        assert_int_equal(quant_float_to_half(nextafterf(middle, high)), h + 1);
        assert_int_equal(quant_float_to_half(-middle), 0x8000 | (h + (h & 1)));
    }
    assert_int_equal(quant_float_to_half(65519.996f), 0x7bff);
    assert_int_equal(quant_float_to_half(65520.0f), 0x7c00);
    assert_int_equal(quant_float_to_half(1e30f), 0x7c00);
    assert_int_equal(quant_float_to_half(1e-30f), 0);
}

static void assert_block(enum quant_type type, const void *block, const int *at,
                         const float *expected, int n)
{
    float out[QUANT_SUPERBLOCK];

    quant_to_float(type, block, quant_info(type)->block_elements, out);
    for (int i = 0; i < n; i++)
        assert_true(out[at[i]] == expected[i]);
}

static void blocks_of_32(void **state)
{
    const int at[] = {0, 1, 16, 17, 31};
    (void)state;

    struct quant_q4_0 q4_0 = {.d = 0x3800, .qs = {0xf0, 0x18, [15] = 0x90}}; /* d = 0.5 */
    assert_block(QUANT_Q4_0, &q4_0, at, (const float[]){-4, 0, 3.5f, -3.5f, 0.5f}, 5);

    struct quant_q4_1 q4_1 = {.d = 0x3800, .m = 0xbc00, .qs = {0xf0, 0x18, [15] = 0x90}};
    assert_block(QUANT_Q4_1, &q4_1, at, (const float[]){-1, 3, 6.5f, -0.5f, 3.5f}, 5);

    struct quant_q5_0 q5_0 = {.d = 0x3800, .qh = {1, 0, 1, 0x80}, .qs = {0xf0, 0x18, [15] = 0x90}};
    assert_block(QUANT_Q5_0, &q5_0, at, (const float[]){0, -4, 7.5f, -7.5f, 4.5f}, 5);

    struct quant_q5_1 q5_1 = {
        .d = 0x3800, .m = 0xbc00, .qh = {1, 0, 1, 0x80}, .qs = {0xf0, 0x18, [15] = 0x90}};
    assert_block(QUANT_Q5_1, &q5_1, at, (const float[]){7, 3, 14.5f, -0.5f, 11.5f}, 5);

    struct quant_q8_0 q8_0 = {.d = 0x3800, .qs = {-128, 127, [16] = 1, [17] = -1, [31] = 5}};
    assert_block(QUANT_Q8_0, &q8_0, at, (const float[]){-64, 63.5f, 0.5f, -0.5f, 2.5f}, 5);
}

static void superblocks(void **state)
{
    (void)state;

    /* Group 0: scale 1, min 2. Group 5: scale 2 + 16 * 3 = 50, min 1 + 16 * 2 = 33. */
    uint8_t scales[12] = {[0] = 1, [1] = 3 << 6, [4] = 2, [5] = 2 << 6, [9] = 0x12};
    uint8_t scale, min;
    quant_k_scale(scales, 5, &scale, &min);
    assert_int_equal(scale, 50);
    assert_int_equal(min, 33);

    const int at[] = {0, 31, 5 * 32 + 7};
    struct quant_q4_k q4_k = {.d = 0x3c00, .dmin = 0x3800};
    memcpy(q4_k.scales, scales, sizeof scales);
    q4_k.qs[0] = 0x0f;
    q4_k.qs[2 * 32 + 7] = 0xa0;
    assert_block(QUANT_Q4_K, &q4_k, at, (const float[]){14, -1, 483.5f}, 3);

    struct quant_q5_k q5_k = {.d = 0x3c00, .dmin = 0x3800};
    memcpy(q5_k.scales, scales, sizeof scales);
    q5_k.qs[0] = 0x0f;
    q5_k.qs[2 * 32 + 7] = 0xa0;
    q5_k.qh[31] = 1;
    q5_k.qh[7] = 1 << 5;
    assert_block(QUANT_Q5_K, &q5_k, at, (const float[]){14, 15, 1283.5f}, 3);

    /* Element 0 of the second half's third group of 32 (j = 2), under scale 8 + 4. */
    struct quant_q6_k q6_k = {.d = 0x3800, .scales = {[0] = 2, [12] = -3}};
    q6_k.ql[64] = 0x90;
    q6_k.qh[32] = 3 << 4;
    assert_block(QUANT_Q6_K, &q6_k, (const int[]){0, 128 + 64}, (const float[]){-32, -37.5f}, 2);
}

static void sizes_and_names(void **state)
{
    (void)state;
    assert_string_equal(quant_info(QUANT_Q4_K)->name, "Q4_K");
    assert_null(quant_info(10)); /* Q2_K */
    assert_null(quant_info(4));
    assert_null(quant_info(UINT32_MAX));
    assert_string_equal(quant_type_name(10), "Q2_K");
    assert_string_equal(quant_type_name(20), "IQ4_NL");
    assert_string_equal(quant_type_name(39), "MXFP4");
    assert_null(quant_type_name(1000));
    assert_int_equal(quant_row_bytes(QUANT_Q6_K, 1536), 6 * 210);
    assert_int_equal(quant_row_bytes(QUANT_BF16, 7), 14);
    for (uint32_t type = 0; type < 64; type++)
        if (quant_info(type))
            assert_string_equal(quant_info(type)->name, quant_type_name(type));
}

static void blocks_equal_an_outside_reader(void **state)
{
    (void)state;
    for (int t = 0; t < N_BLOCK_TYPES; t++) {
        const struct quant_info *info = quant_info(block_types[t]);
        char path[64], lower[8] = "";
        for (int i = 0; info->name[i]; i++)
            lower[i] = (char)tolower(info->name[i]);

        snprintf(path, sizeof path, "quants/%s.blocks", lower);
        size_t n_bytes, n_expected;
        void *blocks = fixture_read(path, &n_bytes);
        snprintf(path, sizeof path, "quants/%s.f32", lower);
        float *expected = fixture_read(path, &n_expected);

        size_t n = n_bytes / (size_t)info->block_bytes * (size_t)info->block_elements;
        assert_true(n > 0);
        assert_int_equal(n * sizeof(float), n_expected);
        float *out = malloc(n_expected);
        assert_non_null(out);
        quant_to_float(block_types[t], blocks, (int64_t)n, out);
        assert_memory_equal(out, expected, n_expected);
        free(out);
        free(expected);
        free(blocks);
    }
}

int test_quant(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(halves_round_trip), cmocka_unit_test(halves_round_to_nearest_even),
        cmocka_unit_test(blocks_of_32),      cmocka_unit_test(superblocks),
        cmocka_unit_test(sizes_and_names),   cmocka_unit_test(blocks_equal_an_outside_reader),
    };

    return cmocka_run_group_tests_name("quant", tests, NULL, NULL);
}
