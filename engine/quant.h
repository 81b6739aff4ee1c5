/* quant.h - number formats of weights: block layouts and their scalar meaning.
 *
 * A row is a whole number of blocks. quant_to_float is the reference that every kernel is tested
 * against. The layouts are those of GGUF files (ggml's ggml-common.h is their source); numbers are
 * GGUF's type ids. All little-endian; d and m are IEEE half floats. */
#ifndef ENGINE_QUANT_H
#define ENGINE_QUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum quant_type {
    QUANT_F32 = 0,
    QUANT_F16 = 1,
    QUANT_Q4_0 = 2,
    QUANT_Q4_1 = 3,
    QUANT_Q5_0 = 6,
    QUANT_Q5_1 = 7,
    QUANT_Q8_0 = 8,
    QUANT_Q4_K = 12,
    QUANT_Q5_K = 13,
    QUANT_Q6_K = 14,
    QUANT_BF16 = 30,
};

struct quant_info {
    const char *name;   /* "Q4_K" */
    int block_elements; /* 1, 32 or 256 */
    int block_bytes;
};

/* NULL for a type that is not supported. */
const struct quant_info *quant_info(uint32_t type);

/* The name of any type id known to the format, supported or not ("Q2_K", "IQ4_NL"), else NULL: for
 * messages that refuse a file by name. */
const char *quant_type_name(uint32_t type);

/* Bytes of a row of n elements; n must be a multiple of the block. */
size_t quant_row_bytes(enum quant_type type, int64_t n);

/* n elements of a row into floats; n must be a multiple of the block. */
void quant_to_float(enum quant_type type, const void *row, int64_t n, float *out);

float quant_half_to_float(uint16_t h);
uint16_t quant_float_to_half(float f); /* round to nearest even */
float quant_bf16_to_float(uint16_t b);

#endif
