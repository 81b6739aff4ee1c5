/* blas.h - the one product of cuBLAS that is used, from the library of this machine.
 *
 * The library is half a gigabyte and belongs to the CUDA installation, so it is neither linked nor
 * needed to start: it is looked for when a device is opened. Without it prompts are read by the
 * matrix-vector kernels, sixteen tokens at a time: right, but slower. */
#ifndef ENGINE_CUDA_BLAS_H
#define ENGINE_CUDA_BLAS_H

#include <stdbool.h>
#include <stddef.h>

#include <cuda_runtime_api.h>

struct blas;

enum { BLAS_WORKSPACE = 32 << 20 };

/* Begins to open the library, in a thread of its own: that takes about as long as weights take to come.
 * workspace: BLAS_WORKSPACE bytes on the device. NULL where there can be no thread. */
struct blas *blas_open(cudaStream_t stream, void *workspace);

/* Waits until that is done; whether the library is there. Before anything else is asked for. */
bool blas_ready(struct blas *b);
void blas_close(struct blas *b); /* NULL is fine */

/* out[n, rows] (+)= x[n, cols] w[rows, cols]^T: halves, added up as floats and stored as floats or as
 * halves (too large ones as infinity); rows of x and w are `pitch` apart, of out `out_pitch`. 0, or -1. */
struct blas_product {
    const void *w, *x;
    void *out;
    int n, rows, cols, pitch, out_pitch;
    bool halves, add;
};
int blas_multiply(struct blas *b, const struct blas_product *p);

#endif
