/* bandwidth.cu - a kernel that only reads. */
#include "cuda/device.cuh"

enum { AT_ONCE = 8 }; /* loads in flight, per thread */

static __global__ void read_all(const uint4 *from, size_t n, unsigned *sink)
{
    size_t step = (size_t)gridDim.x * blockDim.x * AT_ONCE;
    unsigned sum = 0;

    let_next_start();
    wait_for_last();
    for (size_t i = (size_t)blockIdx.x * blockDim.x * AT_ONCE + threadIdx.x; i < n; i += step) {
        uint4 v[AT_ONCE];
#pragma unroll
        for (int k = 0; k < AT_ONCE; k++) {
            size_t at = i + (size_t)k * blockDim.x;
            v[k] = at < n ? load_weights(from + at) : make_uint4(0, 0, 0, 0);
        }
#pragma unroll
        for (int k = 0; k < AT_ONCE; k++)
            sum |= v[k].x | v[k].y | v[k].z | v[k].w;
    }
    if (sum == 1) /* practically never, but it keeps the loads from being optimised away */
        *sink = sum;
}

cudaError_t launch_read(const struct cuda_queue *q, const void *from, size_t bytes, int n_blocks,
                        int n_threads, unsigned *sink)
{
    return launch(q, read_all, dim3((unsigned)(n_blocks * q->n_processors)), n_threads, 0,
                  (const uint4 *)from, bytes / sizeof(uint4), sink);
}
