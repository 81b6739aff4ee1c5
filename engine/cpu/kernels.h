/* kernels.h - the inner loops, one table of them for each level of features.h.
 *
 * All tables hold the same algorithms (kernels.inc), compiled for different vectors. In each of
 * them an element of a result is added up in one order only, whatever the number of columns. */
#ifndef ENGINE_CPU_KERNELS_H
#define ENGINE_CPU_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "backend.h"
#include "cpu/panel.h"
#include "host/features.h"

/* 32 activations as integers: value = d q. sum = the 32 added up, sum_low = the first 16. */
struct act_block {
    int8_t q[QUANT_BLOCK];
    float d;
    float d_sum; /* d * sum */
    int32_t sum, sum_low;
};

/* Columns that a panel is multiplied with at once; TILE_COLS of them may be one instruction's. */
enum { TILE = 32, TILE_COLS = 16, HEADS = 8 };

struct tile {
    int width;                   /* a power of two, up to TILE */
    const struct act_block *act; /* [cols / 32][width], for quantised weights */
    const float *x;              /* [width] columns of floats, stride apart, for float weights */
    size_t stride;
};

/* out[panel][column of TILE][row] = panel * column, for all columns of the tile. The second panel
 * may be NULL. There are two as memory gives more when it is read in two places. */
typedef void (*dot_fn)(const void *const panels[2], int cols, const struct tile *t, float *out);

/* The queries of some heads: [heads][head_dim], as floats and as integers. */
struct query {
    const float *x;
    const struct act_block *act; /* where the kernels want it */
};

/* Values of 32 elements of a head, in integers of 8 bits: value = d code. */
struct value_block {
    uint16_t d[KV_BLOCK];
    int8_t code[KV_BLOCK][QUANT_BLOCK];
};

/* One type of KV cache. Of one block of positions and one KV head, keys of floats or halves lie
 * transposed, [head_dim][KV_BLOCK], and values as they come, [KV_BLOCK][head_dim]. Integers:
 * keys are the rows of panels, [KV_BLOCK / PANEL][head_dim / 32] of panel_q8_0; values are
 * [head_dim / 32] of value_block. Keys, and queries with them, are then spread over their block
 * of 32 first: so the few very large elements that Qwen2's keys have do not leave the others few
 * steps to be told apart by. */
struct attend_kernels {
    /* The integers of n elements of queries, n % 32 == 0; NULL: scores take floats. */
    void (*query)(const float *q, int n, struct act_block *out);
    /* score[h][position] = k[position] . q[h] for the KV_BLOCK positions; rows of score are stride
     * apart. n <= HEADS. */
    void (*scores)(const void *k, int head_dim, const struct query *q, int n, float *score,
                   size_t stride);
    /* out[h][d] += sum over n_positions of p[h][position] v[position][d]; rows of p are stride
     * apart and at least KV_BLOCK long. */
    void (*values)(const void *v, int head_dim, const float *p, size_t stride, int n,
                   int n_positions, float *out);
    /* Writes one position's key and value into its block. */
    void (*store)(void *k, void *v, int head_dim, int position, const float *key,
                  const float *value);
};

struct kernels {
    /* On each thread, before and after products of TILE_COLS or more columns; or NULL. */
    void (*begin)(void), (*end)(void);
    dot_fn dot[QUANT_BF16 + 1]; /* by enum quant_type */
    struct attend_kernels attend[BACKEND_N_KV_TYPES];
    /* out = x / sqrt(mean(x^2) + eps) * w */
    void (*norm)(const float *x, const float *w, int n, float eps, float *out);
    /* n values into blocks that are stride apart; n % 32 == 0. */
    void (*quantize)(const float *x, int n, struct act_block *out, int stride);
    /* gate = silu(gate) * up */
    void (*silu_mul)(float *gate, const float *up, int n);
    /* p = exp(scale p - max) with the maximum over the scaled p; both are given back. */
    void (*softmax)(float *p, int n, float scale, float *max_out, float *sum_out);
    /* acc = acc a + x b */
    void (*blend)(float *acc, float a, const float *x, float b, int n);
};

extern const struct kernels kernels_portable, kernels_avx2, kernels_avx_vnni, kernels_avx512,
    kernels_amx;

/* Of a level that this machine can use. */
const struct kernels *kernels_of(enum cpu_level level);

#endif
