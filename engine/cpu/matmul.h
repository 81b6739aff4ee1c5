/* matmul.h - matrices times the step's tokens. */
#ifndef ENGINE_CPU_MATMUL_H
#define ENGINE_CPU_MATMUL_H

#include "cpu/cpu.h"

/* Inputs: `n` columns of `cols` floats. They are normed and made integers as asked for, a tile of
 * columns after the other (the widest that fits the rest, of 16, 8, 4, 2, 1). */
struct matmul_input {
    const float *x;       /* [n or more, cols] */
    const int32_t *index; /* [n] which rows of x are the columns, or NULL: the first n. With norm */
    const float *norm;    /* [cols] weights, or NULL: x is taken as it is */
    int cols, n;
};

enum { MATMUL_PARTS = 3 };

struct matmul_part {
    const struct matrix *w;
    const float *bias; /* [rows] or NULL */
    float *out;        /* [n, rows] */
};

enum matmul_mode {
    MATMUL_STORE, /* out = w x + bias */
    MATMUL_ADD,   /* out += w x */
    MATMUL_GATED, /* out of part 0 = silu(w0 x) * w1 x */
};

struct matmul {
    struct matmul_input in;
    enum matmul_mode mode;
    int n_parts;
    struct matmul_part part[MATMUL_PARTS];
};

void matmul(struct cpu *c, const struct matmul *job);

#endif
