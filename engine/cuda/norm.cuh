/* norm.cuh - root mean square normalisation (Zhang and Sennrich 2019) by one block of NORM_THREADS.
 * Everybody who norms does it here, so that the same x always gives the same bits. */
#ifndef ENGINE_CUDA_NORM_CUH
#define ENGINE_CUDA_NORM_CUH

#include "cuda/device.cuh"

enum { NORM_THREADS = 256 };

/* Pairs of columns that a thread keeps in registers; of longer rows the rest is read twice. */
enum { NORM_KEPT = 4 };

/* A thread's part of the gain, which can be read before x is there. */
struct norm_gain {
    float2 v[NORM_KEPT];
};

static __device__ __forceinline__ struct norm_gain norm_load_gain(const struct cuda_input &in)
{
    struct norm_gain g;
#pragma unroll
    for (int k = 0; k < NORM_KEPT; k++) {
        int i = threadIdx.x + k * NORM_THREADS;
        g.v[k] = i < in.cols / 2 ? __ldg((const float2 *)in.gain + i) : make_float2(0, 0);
    }
    return g;
}

/* y[0, pitch) = x / rms(x) * gain, zero beyond cols. Ends with a barrier. */
static __device__ __forceinline__ void norm_row(const struct cuda_input &in,
                                                const struct norm_gain &gain, int token, __half *y)
{
    __shared__ float sums[NORM_THREADS / 32];
    const float2 *x = (const float2 *)(in.x +
                                       (size_t)(in.index ? in.index[token] : token) * in.cols);
    int pairs = in.cols / 2;
    float2 kept[NORM_KEPT];
    float sum = 0;

#pragma unroll
    for (int k = 0; k < NORM_KEPT; k++) {
        int i = threadIdx.x + k * NORM_THREADS;
        kept[k] = i < pairs ? __ldcg(x + i) : make_float2(0, 0);
    }
#pragma unroll
    for (int k = 0; k < NORM_KEPT; k++)
        sum += kept[k].x * kept[k].x + kept[k].y * kept[k].y;
    for (int i = threadIdx.x + NORM_KEPT * NORM_THREADS; i < pairs; i += NORM_THREADS) {
        float2 v = __ldcg(x + i);
        sum += v.x * v.x + v.y * v.y;
    }
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0)
        sums[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0;
#pragma unroll
    for (int i = 0; i < NORM_THREADS / 32; i++)
        sum += sums[i];
    float scale = rsqrtf(sum / in.cols + in.eps);
#pragma unroll
    for (int k = 0; k < NORM_KEPT; k++) { /* beyond cols: zeros times zeros */
        int i = threadIdx.x + k * NORM_THREADS;
        if (i < in.pitch / 2)
            ((__half2 *)y)[i] = __halves2half2(to_half(kept[k].x * scale * gain.v[k].x),
                                               to_half(kept[k].y * scale * gain.v[k].y));
    }
    for (int i = threadIdx.x + NORM_KEPT * NORM_THREADS; i < in.pitch / 2; i += NORM_THREADS) {
        __half2 out = __float2half2_rn(0);
        if (i < pairs) {
            float2 v = __ldcg(x + i), g = __ldg((const float2 *)in.gain + i);
            out = __halves2half2(to_half(v.x * scale * g.x), to_half(v.y * scale * g.y));
        }
        ((__half2 *)y)[i] = out;
    }
    __syncthreads();
}

#endif
