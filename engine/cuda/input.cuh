/* input.cuh - making a product's input, by one block of INPUT_THREADS: see struct cuda_input.
 *
 * Every row is made by this code alone, so that the same x always gives the same bits. Norm: root
 * mean square (Zhang and Sennrich 2019). */
#ifndef ENGINE_CUDA_INPUT_CUH
#define ENGINE_CUDA_INPUT_CUH

#include "cuda/device.cuh"

enum { INPUT_THREADS = 256, INPUT_WARPS = INPUT_THREADS / 32 };

/* Pairs of columns that a thread keeps in registers; of longer rows the rest is read twice. */
enum { NORM_KEPT = 4 };

/* What can be loaded before the previous kernels have ended: a thread's part of the norm's gain. */
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
 * splits are requested. */
enum { RANGE_STEP = 32 };
struct ranges {
    int n, length;
};

static __device__ __forceinline__ struct ranges heads_ranges(int position, int n_splits)
{
    int total = position + 1, length = (total + n_splits - 1) / n_splits;

    length = (length + RANGE_STEP - 1) / RANGE_STEP * RANGE_STEP;
    return {(total + length - 1) / length, length};
}

/* Less than any score, but finite: with no ranges at all there would be NaNs. */
static constexpr float LOWEST = -1e30f;

/* The factor of the results of range `lane` for each of N heads; sums: the range's, of each head.
 * By a warp. */
template <int N>
static __device__ __forceinline__ void share_ranges(const float2 sums[N], float shares[N])
{
    float max[N], all[N];

    static_assert(HEADS_SPLITS == 32, "a lane for each range");
#pragma unroll
    for (int h = 0; h < N; h++)
        max[h] = sums[h].x;
#pragma unroll
    for (int k = 16; k > 0; k /= 2)
#pragma unroll
        for (int h = 0; h < N; h++)
            max[h] = fmaxf(max[h], __shfl_xor_sync(~0u, max[h], k));
#pragma unroll
    for (int h = 0; h < N; h++)
        all[h] = shares[h] = sums[h].y * exp2f(sums[h].x - max[h]);
#pragma unroll
    for (int k = 16; k > 0; k /= 2)
#pragma unroll
        for (int h = 0; h < N; h++)
            all[h] += __shfl_xor_sync(~0u, all[h], k);
#pragma unroll
    for (int h = 0; h < N; h++)
        shares[h] = __fdividef(shares[h], all[h]);
}

/* Merges the results of the ranges, each times its factor: passes eight columns at a time to
 * set(i, on, columns from 8 i on), by whole warps. One half of a warp takes the even ranges, the
 * other the odd ones. By n_workers threads; a barrier must follow. */
template <int D, class S>
static __device__ __forceinline__ void merge_ranges(const struct cuda_input &in, int token,
                                                    int n_ranges, int n_workers, S set)
{
    /* Pieces of eight columns: a warp takes PIECES at once, from N_HEADS heads, of several ranges.
     */
    enum { PIECES = 16, N_HEADS = PIECES * 8 / D, AT_ONCE = 4 };
    int n_head = in.cols / D, lane = threadIdx.x % 32, odd = lane / 16;

    for (int first = threadIdx.x / 32 * PIECES; first < in.cols / 8; first += n_workers / 2) {
        int i = first + lane % 16, own = lane % 16 * 8 / D, head = first * 8 / D;
        size_t row = ((size_t)token * n_head + head) * HEADS_SPLITS;
        const float2 *sums = (const float2 *)in.part_sums + row;
        const __half *at = (const __half *)in.part + (row + own * HEADS_SPLITS) * D + i * 8 % D;
        bool on = i < in.cols / 8;
        float v[8] = {}, shares[N_HEADS];
        float2 of_head[N_HEADS];
#pragma unroll
        for (int h = 0; h < N_HEADS; h++)
            of_head[h] = lane < n_ranges && head + h < n_head
                             ? __ldcg(sums + h * HEADS_SPLITS + lane)
                             : make_float2(LOWEST, 0);
        for (int begin = 0; begin == 0 || begin < n_ranges; begin += 2 * AT_ONCE) {
            int r = begin + odd;
            uint4 of[AT_ONCE];
#pragma unroll
            for (int k = 0; k < AT_ONCE; k++)
                of[k] = on && r + 2 * k < n_ranges ? __ldcg((const uint4 *)(at + (r + 2 * k) * D))
                                                   : make_uint4(0, 0, 0, 0);
            if (begin == 0)
                share_ranges<N_HEADS>(of_head, shares);
#pragma unroll
            for (int k = 0; k < AT_ONCE; k++) {
                if (begin + 2 * k >= n_ranges)
                    break;
                float share = __shfl_sync(~0u, shares[0], r + 2 * k);
                if (N_HEADS > 1) {
                    float second = __shfl_sync(~0u, shares[N_HEADS - 1], r + 2 * k);
                    share = own ? second : share;
                }
                const uint32_t words[4] = {of[k].x, of[k].y, of[k].z, of[k].w};
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    float2 f = __half22float2(half2_of(words[j]));
                    v[2 * j] += f.x * share; /* zeros where a range does not exist */
                    v[2 * j + 1] += f.y * share;
                }
            }
        }
#pragma unroll
        for (int j = 0; j < 8; j++)
            v[j] += __shfl_xor_sync(~0u, v[j], 16);
        __half2 out[4];
#pragma unroll
        for (int j = 0; j < 4; j++)
            out[j] = __halves2half2(to_half(v[2 * j]), to_half(v[2 * j + 1]));
        set(i, on && !odd, *(uint4 *)out);
    }
}

static __device__ __forceinline__ void merge_row(const struct cuda_input &in, int token, __half *y)
{
    int position = in.position[token];
    int n_ranges = position < 0 ? 0 : heads_ranges(position, in.n_splits).n;
    auto set = [&](int i, bool on, uint4 v) {
        if (on)
            ((uint4 *)y)[i] = v;
    };

    for (int i = in.cols / 8 + threadIdx.x; i < in.pitch / 8; i += INPUT_THREADS)
        ((uint4 *)y)[i] = make_uint4(0, 0, 0, 0);
    if (in.head_dim == 64)
        merge_ranges<64>(in, token, n_ranges, INPUT_THREADS, set);
    else
        merge_ranges<128>(in, token, n_ranges, INPUT_THREADS, set);
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
