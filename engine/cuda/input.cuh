/* input.cuh - what a product's input is made of, by one block of INPUT_THREADS: see struct cuda_input.
 * Everybody who makes a row does it here, so that the same x always gives the same bits.
 *
 * Norm: root mean square (Zhang and Sennrich 2019). */
#ifndef ENGINE_CUDA_INPUT_CUH
#define ENGINE_CUDA_INPUT_CUH

#include "cuda/device.cuh"

enum { INPUT_THREADS = 256, INPUT_WARPS = INPUT_THREADS / 32 };

/* Pairs of columns that a thread keeps in registers; of longer rows the rest is read twice. */
enum { NORM_KEPT = 4 };

/* What can be read before the kernels before this one have ended: a thread's part of the gain. */
struct early_input {
    float2 gain[NORM_KEPT];
};

static __device__ __forceinline__ struct early_input load_early(const struct cuda_input &in)
{
    struct early_input early = {};

    if (in.kind != CUDA_NORM)
        return early;
#pragma unroll
    for (int k = 0; k < NORM_KEPT; k++) {
        int i = threadIdx.x + k * INPUT_THREADS;
        if (i < in.cols / 2)
            early.gain[k] = __ldg((const float2 *)in.gain + i);
    }
    return early;
}

/* y[0, pitch) = x / rms(x) * gain, zero beyond cols. */
static __device__ __forceinline__ void
norm_row(const struct cuda_input &in, const struct early_input &early, int token, __half *y)
{
    __shared__ float sums[INPUT_WARPS];
    const float2 *x = (const float2 *)(in.x +
                                       (size_t)(in.index ? in.index[token] : token) * in.cols);
    int pairs = in.cols / 2;
    float2 kept[NORM_KEPT];
    float sum = 0;

#pragma unroll
    for (int k = 0; k < NORM_KEPT; k++) {
        int i = threadIdx.x + k * INPUT_THREADS;
        kept[k] = i < pairs ? __ldcg(x + i) : make_float2(0, 0);
    }
#pragma unroll
    for (int k = 0; k < NORM_KEPT; k++)
        sum += kept[k].x * kept[k].x + kept[k].y * kept[k].y;
    for (int i = threadIdx.x + NORM_KEPT * INPUT_THREADS; i < pairs; i += INPUT_THREADS) {
        float2 v = __ldcg(x + i);
        sum += v.x * v.x + v.y * v.y;
    }
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0)
        sums[threadIdx.x / 32] = sum;
    __syncthreads();
    sum = 0;
#pragma unroll
    for (int i = 0; i < INPUT_WARPS; i++)
        sum += sums[i];
    float scale = rsqrtf(sum / in.cols + in.eps);
#pragma unroll
    for (int k = 0; k < NORM_KEPT; k++) { /* beyond cols: zeros times zeros */
        int i = threadIdx.x + k * INPUT_THREADS;
        if (i < in.pitch / 2)
            ((__half2 *)y)[i] = __halves2half2(to_half(kept[k].x * scale * early.gain[k].x),
                                               to_half(kept[k].y * scale * early.gain[k].y));
    }
    for (int i = threadIdx.x + NORM_KEPT * INPUT_THREADS; i < in.pitch / 2; i += INPUT_THREADS) {
        __half2 out = __float2half2_rn(0);
        if (i < pairs) {
            float2 v = __ldcg(x + i), g = __ldg((const float2 *)in.gain + i);
            out = __halves2half2(to_half(v.x * scale * g.x), to_half(v.y * scale * g.y));
        }
        ((__half2 *)y)[i] = out;
    }
}

/* How a token's positions are cut into ranges for attention: by its position alone, unless fewer
 * splits are asked for. */
enum { RANGE_STEP = 64, MERGE_HEADS = 64 };
struct ranges {
    int n, length;
};

static __device__ __forceinline__ struct ranges heads_ranges(int position, int n_splits)
{
    int total = position + 1, length = (total + n_splits - 1) / n_splits;

    length = (length + RANGE_STEP - 1) / RANGE_STEP * RANGE_STEP;
    return {(total + length - 1) / length, length};
}

/* The shares of the ranges of each head, [n_head, HEADS_SPLITS]: what a result is multiplied by. */
static __device__ __forceinline__ void share_ranges(const float2 *sums, int n_head, int n_ranges,
                                                    int n_workers, float *shares)
{
    int n = n_head * HEADS_SPLITS;

    for (int first = 0; first < n; first += n_workers) {
        int i = first + threadIdx.x;
        bool on = i < n && i % HEADS_SPLITS < n_ranges;
        float2 of = on ? __ldcg(sums + i) : make_float2(-INFINITY, 0);
        float max = of.x;
#pragma unroll
        for (int k = HEADS_SPLITS / 2; k > 0; k /= 2)
            max = fmaxf(max, __shfl_xor_sync(~0u, max, k));
        float share = on ? of.y * exp2f(of.x - max) : 0, all = share;
#pragma unroll
        for (int k = HEADS_SPLITS / 2; k > 0; k /= 2)
            all += __shfl_xor_sync(~0u, all, k);
        if (i < n)
            shares[i] = share * __frcp_rn(all);
    }
}

/* The ranges' results put together, each by its share: eight columns at a time go to set(i, columns 8 i
 * and on), in all threads of a warp or in none. The first are on their way before the shares are
 * known. By n_workers threads, with MERGE_HEADS x HEADS_SPLITS floats of shared memory; a barrier must
 * follow. */
template <int D, class S>
static __device__ __forceinline__ void merge_ranges(const struct cuda_input &in, int token,
                                                    int n_ranges, int n_workers, float *shares,
                                                    S set)
{
    enum { AT_ONCE = 4 };
    int n_head = in.cols / D;
    size_t first = (size_t)token * n_head * HEADS_SPLITS;
    const __half *part = (const __half *)in.part + first * D;
    bool shared = false;

    for (int begin = 0; begin < in.cols; begin += n_workers * 8) {
        int col = begin + threadIdx.x * 8, head = col / D;
        const __half *at = part + (size_t)head * HEADS_SPLITS * D + col % D;
        bool on = col < in.cols;
        float v[8] = {};
        for (int r = 0; r == 0 || r < n_ranges; r += AT_ONCE) {
            uint4 of[AT_ONCE];
#pragma unroll
            for (int k = 0; k < AT_ONCE; k++)
                of[k] = on && r + k < n_ranges ? __ldcg((const uint4 *)(at + (r + k) * D))
                                               : make_uint4(0, 0, 0, 0);
            if (!shared) {
                share_ranges((const float2 *)in.part_sums + first, n_head, n_ranges, n_workers,
                             shares);
                sync_workers(n_workers);
                shared = true;
            }
#pragma unroll
            for (int k = 0; k < AT_ONCE; k++) {
                const uint32_t words[4] = {of[k].x, of[k].y, of[k].z, of[k].w};
                float share = on && r + k < n_ranges ? shares[head * HEADS_SPLITS + r + k] : 0;
#pragma unroll
                for (int i = 0; i < 4; i++) {
                    float2 f = __half22float2(half2_of(words[i]));
                    v[2 * i] += f.x * share;
                    v[2 * i + 1] += f.y * share;
                }
            }
        }
        __half2 out[4];
#pragma unroll
        for (int i = 0; i < 4; i++)
            out[i] = __halves2half2(to_half(v[2 * i]), to_half(v[2 * i + 1]));
        set(col / 8, on, *(uint4 *)out);
    }
}

static __device__ __forceinline__ void merge_row(const struct cuda_input &in, int token, __half *y)
{
    __shared__ float shares[MERGE_HEADS * HEADS_SPLITS];
    int position = in.position[token];
    int n_ranges = position < 0 ? 0 : heads_ranges(position, in.n_splits).n;
    auto set = [&](int i, bool on, uint4 v) {
        if (on)
            ((uint4 *)y)[i] = v;
    };

    for (int i = in.cols / 8 + threadIdx.x; i < in.pitch / 8; i += INPUT_THREADS)
        ((uint4 *)y)[i] = make_uint4(0, 0, 0, 0);
    if (in.head_dim == 64)
        merge_ranges<64>(in, token, n_ranges, INPUT_THREADS, shares, set);
    else
        merge_ranges<128>(in, token, n_ranges, INPUT_THREADS, shares, set);
    __syncthreads(); /* shares are used again */
}

/* A token's columns in y. A barrier must follow. */
static __device__ __forceinline__ void
input_row(const struct cuda_input &in, const struct early_input &early, int token, __half *y)
{
    if (in.kind == CUDA_NORM)
        norm_row(in, early, token, y);
    else
        merge_row(in, token, y);
}

#endif
