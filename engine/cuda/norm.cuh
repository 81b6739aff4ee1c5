/* norm.cuh - root mean square normalisation (Zhang and Sennrich 2019) by one block of NORM_THREADS.
 * Everybody who norms does it here, so that the same x always gives the same bits. */
#ifndef ENGINE_CUDA_NORM_CUH
#define ENGINE_CUDA_NORM_CUH

#include "cuda/device.cuh"

enum { NORM_THREADS = 256 };

/* y[0, pitch) = x / rms(x) * gain, zero beyond cols. Ends with a barrier. */
static __device__ __forceinline__ void norm_row(const struct cuda_input &in, int token, __half *y)
{
    __shared__ float sums[NORM_THREADS / 32];
    const float *x = in.x + (size_t)(in.index ? in.index[token] : token) * in.cols;
    int pairs = in.cols / 2;
    float sum = 0;

    for (int i = threadIdx.x; i < pairs; i += NORM_THREADS) {
        float2 v = __ldcg((const float2 *)x + i);
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
    for (int i = threadIdx.x; i < in.pitch / 2; i += NORM_THREADS) {
        __half2 out = __float2half2_rn(0);
        if (i < pairs) {
            float2 v = __ldcg((const float2 *)x + i), g = __ldg((const float2 *)in.gain + i);
            out = __halves2half2(to_half(v.x * scale * g.x), to_half(v.y * scale * g.y));
        }
        ((__half2 *)y)[i] = out;
    }
    __syncthreads();
}

#endif
