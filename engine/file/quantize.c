/* quantize.c - the plain formats and blocks of 32; see quantize_k.c for the superblocks. */
#include "file/quantize.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void to_f16(const float *row, int64_t n, uint16_t *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = quant_float_to_half(row[i]);
}

static void to_bf16(const float *row, int64_t n, uint16_t *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = quant_float_to_bf16(row[i]);
}

/* Rounded as in the reference (half away from zero, before the step becomes a half float), so that
 * a file is the same whoever writes it. */
static void to_q8_0(const float *x, int64_t n_blocks, struct quant_q8_0 *out)
{
    for (; n_blocks > 0; n_blocks--, x += QUANT_BLOCK, out++) {
        float most = 0;
        for (int i = 0; i < QUANT_BLOCK; i++)
            most = fmaxf(most, fabsf(x[i]));
        float d = most / 127, inverse = d >= 0x1p-120f ? 1 / d : 0;
        out->d = quant_float_to_half(d);
        for (int i = 0; i < QUANT_BLOCK; i++)
            out->qs[i] = (int8_t)roundf(x[i] * inverse);
    }
}

void quantize_row(enum quant_type type, const float *row, int64_t n, void *out)
{
    const struct quant_info *info = quant_info(type);

    assert(info && n >= 0 && n % info->block_elements == 0);
    int64_t n_blocks = n / info->block_elements;
    switch (type) {
    case QUANT_F32: memcpy(out, row, (size_t)n * sizeof *row); break;
    case QUANT_F16: to_f16(row, n, out); break;
    case QUANT_BF16: to_bf16(row, n, out); break;
    case QUANT_Q8_0: to_q8_0(row, n_blocks, out); break;
    case QUANT_Q4_K:
        for (int64_t i = 0; i < n_blocks; i++)
            quantize_q4_k(row + i * QUANT_SUPERBLOCK, (struct quant_q4_k *)out + i);
        break;
    case QUANT_Q6_K:
        for (int64_t i = 0; i < n_blocks; i++)
            quantize_q6_k(row + i * QUANT_SUPERBLOCK, (struct quant_q6_k *)out + i);
        break;
    default: assert(!"a format that is only read");
    }
}
