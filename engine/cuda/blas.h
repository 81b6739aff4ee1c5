/* blas.h - the one matrix product taken from cuBLAS, loaded at run time.
 *
 * The library is half a gigabyte and belongs to the CUDA installation, so it is neither linked nor
 * required: it is looked for when a device is opened. Without it prompts go through the
 * matrix-vector kernels, sixteen tokens at a time: correct, but slower. */
#ifndef ENGINE_CUDA_BLAS_H
#define ENGINE_CUDA_BLAS_H

#include <stdbool.h>
#include <stddef.h>

#include <cuda_runtime_api.h>

struct blas;

enum { BLAS_WORKSPACE = 32 << 20 };

/* Starts opening the library in a thread: that takes about as long as loading weights. workspace:
 * BLAS_WORKSPACE bytes on the device. NULL if no thread can be started. */
struct blas *blas_open(cudaStream_t stream, void *workspace);

/* Waits until that is done; true if the library is there. Call it before anything below. */
bool blas_ready(struct blas *b);
void blas_close(struct blas *b); /* NULL is fine */

/* out[n, rows] (+)= x[n, cols] w[rows, cols]^T: halves, accumulated as floats and stored as floats
 * or as halves (overflow becomes infinity); rows of x and w are `pitch` apart, those of out
 * `out_pitch`. 0, or -1. */
struct blas_product {
    const void *w, *x;
    void *out;
    int n, rows, cols, pitch, out_pitch;
    bool halves, add;
};
int blas_multiply(struct blas *b, const struct blas_product *p);

#endif
