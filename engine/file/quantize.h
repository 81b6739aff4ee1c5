/* quantize.h - floats to the formats of quant.h: the way back from quant_to_float.
 *
 * What comes out depends on the row alone, not on the machine or the number of threads.
 * Numbers must be finite and at most QUANT_MOST in magnitude, so that every format's half
 * floats can hold them. */
#ifndef ENGINE_FILE_QUANTIZE_H
#define ENGINE_FILE_QUANTIZE_H

#include <stdint.h>

#include "quant.h"

#define QUANT_MOST 65504.0f

/* n floats, a multiple of the block, to a row of F32, F16, BF16, Q8_0, Q4_K or Q6_K. out is aligned
 * as quant.h asks. */
void quantize_row(enum quant_type type, const float *row, int64_t n, void *out);

/* Superblocks; private to quantize*.c. */
void quantize_q4_k(const float *x, struct quant_q4_k *out);
void quantize_q6_k(const float *x, struct quant_q6_k *out);

#endif
