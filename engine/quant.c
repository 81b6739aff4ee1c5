/* quant.c - block formats in plain C: slow, obvious and exact.
 *
 * Each function states in code what the format's comment in quant.h states in words. Products and
 * sums are rounded to float one by one (no fused multiply-add), which makes the values equal bit
 * for bit to those of other readers of the format. */
#include "quant.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct quant_q4_0) == 18, "Q4_0");
static_assert(sizeof(struct quant_q4_1) == 20, "Q4_1");
static_assert(sizeof(struct quant_q5_0) == 22, "Q5_0");
static_assert(sizeof(struct quant_q5_1) == 24, "Q5_1");
static_assert(sizeof(struct quant_q8_0) == 34, "Q8_0");
static_assert(sizeof(struct quant_q4_k) == 144, "Q4_K");
static_assert(sizeof(struct quant_q5_k) == 176, "Q5_K");
static_assert(sizeof(struct quant_q6_k) == 210, "Q6_K");

const struct quant_info *quant_info(uint32_t type)
{
    static const struct quant_info infos[] = {
        [QUANT_F32] = {"F32", 1, 4},
        [QUANT_F16] = {"F16", 1, 2},
        [QUANT_Q4_0] = {"Q4_0", QUANT_BLOCK, sizeof(struct quant_q4_0)},
        [QUANT_Q4_1] = {"Q4_1", QUANT_BLOCK, sizeof(struct quant_q4_1)},
        [QUANT_Q5_0] = {"Q5_0", QUANT_BLOCK, sizeof(struct quant_q5_0)},
        [QUANT_Q5_1] = {"Q5_1", QUANT_BLOCK, sizeof(struct quant_q5_1)},
        [QUANT_Q8_0] = {"Q8_0", QUANT_BLOCK, sizeof(struct quant_q8_0)},
        [QUANT_Q4_K] = {"Q4_K", QUANT_SUPERBLOCK, sizeof(struct quant_q4_k)},
        [QUANT_Q5_K] = {"Q5_K", QUANT_SUPERBLOCK, sizeof(struct quant_q5_k)},
        [QUANT_Q6_K] = {"Q6_K", QUANT_SUPERBLOCK, sizeof(struct quant_q6_k)},
        [QUANT_BF16] = {"BF16", 1, 2},
    };

    if (type >= sizeof infos / sizeof infos[0] || !infos[type].name)
        return NULL;
    return &infos[type];
}

const char *quant_type_name(uint32_t type)
{
    static const char *const names[] = {
        "F32",   "F16",        "Q4_0",       "Q4_1",       "Q4_2",     "Q4_3",     "Q5_0",
        "Q5_1",  "Q8_0",       "Q8_1",       "Q2_K",       "Q3_K",     "Q4_K",     "Q5_K",
        "Q6_K",  "Q8_K",       "IQ2_XXS",    "IQ2_XS",     "IQ3_XXS",  "IQ1_S",    "IQ4_NL",
        "IQ3_S", "IQ2_S",      "IQ4_XS",     "I8",         "I16",      "I32",      "I64",
        "F64",   "IQ1_M",      "BF16",       "Q4_0_4_4",   "Q4_0_4_8", "Q4_0_8_8", "TQ1_0",
        "TQ2_0", "IQ4_NL_4_4", "IQ4_NL_4_8", "IQ4_NL_8_8", "MXFP4",    "NVFP4",
    };

    return type < sizeof names / sizeof names[0] ? names[type] : NULL;
}

size_t quant_row_bytes(enum quant_type type, int64_t n)
{
    const struct quant_info *info = quant_info(type);

    assert(info && n >= 0 && n % info->block_elements == 0);
    return (size_t)(n / info->block_elements) * (size_t)info->block_bytes;
}

static float float_of(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t bits_of(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

float quant_half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t exponent = h >> 10 & 31;
    uint32_t mantissa = h & 1023;

    if (exponent == 31)
        return float_of(sign | 0x7f800000 | mantissa << 13);
    if (exponent == 0) { /* zero and subnormals: mantissa * 2^-24, exact in a float */
        float magnitude = (float)mantissa * 0x1p-24f;
        return float_of(sign | bits_of(magnitude));
    }
    return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t quant_float_to_half(float f)
{
    uint32_t bits = bits_of(f);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t magnitude = bits & 0x7fffffff;

    if (magnitude > 0x7f800000) /* NaN stays one, quiet, with its upper payload */
        return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x1ff));
    if (magnitude >= 0x477ff000) /* 65520 and above round to infinity */
        return sign | 0x7c00;
    if (magnitude < 0x38800000) { /* below 2^-14: adding 0.5 leaves multiples of 2^-24 */
        uint32_t rounded = bits_of(float_of(magnitude) + 0.5f) - bits_of(0.5f);
        return (uint16_t)(sign | rounded);
    }
    magnitude += 0xfff + (magnitude >> 13 & 1);
    return (uint16_t)(sign | ((magnitude >> 13) - (112 << 10)));
}

float quant_bf16_to_float(uint16_t b)
{
    return float_of((uint32_t)b << 16);
}

uint16_t quant_float_to_bf16(float f)
{
    uint32_t bits = bits_of(f);

    if ((bits & 0x7fffffff) > 0x7f800000) /* NaN stays one, quiet */
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static void f16_to_float(const uint16_t *row, int64_t n, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = quant_half_to_float(row[i]);
}

static void bf16_to_float(const uint16_t *row, int64_t n, float *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = quant_bf16_to_float(row[i]);
}

static void q4_0_to_float(const struct quant_q4_0 *b, int64_t n_blocks, float *out)
{
    for (; n_blocks > 0; n_blocks--, b++, out += QUANT_BLOCK) {
        float d = quant_half_to_float(b->d);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)((b->qs[i] & 15) - 8);
            out[16 + i] = d * (float)((b->qs[i] >> 4) - 8);
        }
    }
}

static void q4_1_to_float(const struct quant_q4_1 *b, int64_t n_blocks, float *out)
{
    for (; n_blocks > 0; n_blocks--, b++, out += QUANT_BLOCK) {
        float d = quant_half_to_float(b->d), m = quant_half_to_float(b->m);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)(b->qs[i] & 15) + m;
            out[16 + i] = d * (float)(b->qs[i] >> 4) + m;
        }
    }
}

/* Bit i of the fifth bits, as 0 or 16. */
static int fifth_bit(const uint8_t qh[4], int i)
{
    return (qh[i / 8] >> i % 8 & 1) << 4;
}

static void q5_0_to_float(const struct quant_q5_0 *b, int64_t n_blocks, float *out)
{
    for (; n_blocks > 0; n_blocks--, b++, out += QUANT_BLOCK) {
        float d = quant_half_to_float(b->d);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)(((b->qs[i] & 15) | fifth_bit(b->qh, i)) - 16);
            out[16 + i] = d * (float)((b->qs[i] >> 4 | fifth_bit(b->qh, 16 + i)) - 16);
        }
    }
}

static void q5_1_to_float(const struct quant_q5_1 *b, int64_t n_blocks, float *out)
{
    for (; n_blocks > 0; n_blocks--, b++, out += QUANT_BLOCK) {
        float d = quant_half_to_float(b->d), m = quant_half_to_float(b->m);
        for (int i = 0; i < 16; i++) {
            out[i] = d * (float)((b->qs[i] & 15) | fifth_bit(b->qh, i)) + m;
            out[16 + i] = d * (float)(b->qs[i] >> 4 | fifth_bit(b->qh, 16 + i)) + m;
        }
    }
}

static void q8_0_to_float(const struct quant_q8_0 *b, int64_t n_blocks, float *out)
{
    for (; n_blocks > 0; n_blocks--, b++, out += QUANT_BLOCK) {
        float d = quant_half_to_float(b->d);
        for (int i = 0; i < QUANT_BLOCK; i++)
            out[i] = d * (float)b->qs[i];
    }
}

void quant_k_scale(const uint8_t scales[12], int g, uint8_t *scale_out, uint8_t *min_out)
{
    if (g < 4) {
        *scale_out = scales[g] & 63;
        *min_out = scales[g + 4] & 63;
    } else { /* four low bits here, the upper two above those of group g - 4 */
        *scale_out = (uint8_t)((scales[g + 4] & 15) | scales[g - 4] >> 6 << 4);
        *min_out = (uint8_t)(scales[g + 4] >> 4 | scales[g] >> 6 << 4);
    }
}

static void q4_k_to_float(const struct quant_q4_k *b, int64_t n_blocks, float *out)
{
    for (; n_blocks > 0; n_blocks--, b++) {
        float d = quant_half_to_float(b->d), dmin = quant_half_to_float(b->dmin);
        for (int g = 0; g < 8; g++, out += 32) {
            const uint8_t *qs = b->qs + g / 2 * 32;
            uint8_t sc, mn;
            quant_k_scale(b->scales, g, &sc, &mn);
            float scale = d * (float)sc, min = dmin * (float)mn;
            for (int i = 0; i < 32; i++)
                out[i] = scale * (float)(qs[i] >> g % 2 * 4 & 15) - min;
        }
    }
}

static void q5_k_to_float(const struct quant_q5_k *b, int64_t n_blocks, float *out)
{
    for (; n_blocks > 0; n_blocks--, b++) {
        float d = quant_half_to_float(b->d), dmin = quant_half_to_float(b->dmin);
        for (int g = 0; g < 8; g++, out += 32) {
            const uint8_t *qs = b->qs + g / 2 * 32;
            uint8_t sc, mn;
            quant_k_scale(b->scales, g, &sc, &mn);
            float scale = d * (float)sc, min = dmin * (float)mn;
            for (int i = 0; i < 32; i++) {
                int q = (qs[i] >> g % 2 * 4 & 15) | (b->qh[i] >> g & 1) << 4;
                out[i] = scale * (float)q - min;
            }
        }
    }
}

static void q6_k_to_float(const struct quant_q6_k *b, int64_t n_blocks, float *out)
{
    for (; n_blocks > 0; n_blocks--, b++) {
        float d = quant_half_to_float(b->d);
        for (int e = 0; e < QUANT_SUPERBLOCK; e++) {
            int half = e / 128, j = e % 128 / 32, i = e % 32;
            int low = b->ql[64 * half + 32 * (j % 2) + i] >> j / 2 * 4 & 15;
            int high = b->qh[32 * half + i] >> 2 * j & 3;
            float scale = d * (float)b->scales[e / 16];
            *out++ = scale * (float)((low | high << 4) - 32);
        }
    }
}

void quant_to_float(enum quant_type type, const void *row, int64_t n, float *out)
{
    const struct quant_info *info = quant_info(type);

    assert(info && n >= 0 && n % info->block_elements == 0);
    int64_t n_blocks = n / info->block_elements;
    switch (type) {
    case QUANT_F32: memcpy(out, row, (size_t)n * sizeof *out); break;
    case QUANT_F16: f16_to_float(row, n, out); break;
    case QUANT_BF16: bf16_to_float(row, n, out); break;
    case QUANT_Q4_0: q4_0_to_float(row, n_blocks, out); break;
    case QUANT_Q4_1: q4_1_to_float(row, n_blocks, out); break;
    case QUANT_Q5_0: q5_0_to_float(row, n_blocks, out); break;
    case QUANT_Q5_1: q5_1_to_float(row, n_blocks, out); break;
    case QUANT_Q8_0: q8_0_to_float(row, n_blocks, out); break;
    case QUANT_Q4_K: q4_k_to_float(row, n_blocks, out); break;
    case QUANT_Q5_K: q5_k_to_float(row, n_blocks, out); break;
    case QUANT_Q6_K: q6_k_to_float(row, n_blocks, out); break;
    }
}
