/* quant.h - number formats of weights: block layouts and their scalar meaning.
 *
 * A row is a whole number of blocks. quant_to_float is the reference that every kernel is tested
 * against. The layouts are those of GGUF files (ggml's ggml-common.h is their source); numbers are
 * GGUF's type ids. All little-endian; d and m are IEEE half floats.
 *
 * A block has no alignment in a file: a pointer to one of these structs is good only for memory
 * that is aligned for it, which the data section of a GGUF file is (at least 2 bytes). */
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

/* Blocks of 32. Element i < 16 is the low half of qs[i], element 16 + i its high half; bit i of qh
 * is the fifth bit of element i. */
enum { QUANT_BLOCK = 32 };

struct quant_q4_0 { /* (q - 8) d */
    uint16_t d;
    uint8_t qs[16];
};
struct quant_q4_1 { /* q d + m */
    uint16_t d, m;
    uint8_t qs[16];
};
struct quant_q5_0 { /* (q - 16) d */
    uint16_t d;
    uint8_t qh[4];
    uint8_t qs[16];
};
struct quant_q5_1 { /* q d + m */
    uint16_t d, m;
    uint8_t qh[4];
    uint8_t qs[16];
};
struct quant_q8_0 { /* q d */
    uint16_t d;
    int8_t qs[32];
};

/* Superblocks of 256. Q4_K and Q5_K: eight groups of 32 with a scale and a minimum of 6 bits
 * each (quant_k_scale): q d scale - dmin min. Of group pair p, qs[32p + i] holds element i of
 * group 2p in its low half and of group 2p + 1 in its high half; bit g of qh[i] is the fifth bit
 * of element i of group g. */
enum { QUANT_SUPERBLOCK = 256 };

struct quant_q4_k {
    uint16_t d, dmin;
    uint8_t scales[12];
    uint8_t qs[128];
};
struct quant_q5_k {
    uint16_t d, dmin;
    uint8_t scales[12];
    uint8_t qh[32];
    uint8_t qs[128];
};
/* Sixteen groups of 16 with a signed scale: (q - 32) d scale. In each half of 128 elements, element
 * 32 j + i has its low four bits in ql[i + 32 (j % 2)], low half for j < 2 and high half else, and
 * its upper two in bits 2j of qh[i]; ql and qh advance by 64 and 32 bytes to the second half. */
struct quant_q6_k {
    uint8_t ql[128];
    uint8_t qh[64];
    int8_t scales[16];
    uint16_t d;
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

/* Scale and minimum of group g < 8 from the packed scales of Q4_K and Q5_K. */
void quant_k_scale(const uint8_t scales[12], int g, uint8_t *scale_out, uint8_t *min_out);

float quant_half_to_float(uint16_t h);
uint16_t quant_float_to_half(float f); /* round to nearest even */
float quant_bf16_to_float(uint16_t b);
uint16_t quant_float_to_bf16(float f); /* likewise */

#endif
