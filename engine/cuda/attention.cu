/* attention.cu - decode attention, softmax(q k / sqrt(D)) v, one token at a time, for shapes that
 * tensor cores do not fit.
 *
 * A block takes one token, one KV head, up to HEADS of its query heads and one range of positions;
 * each lane takes eight dimensions, so a warp reads a few positions at once. Scores and sums are
 * floats: keys with large biases overflow anything less. Softmax is computed online (Milakov and
 * Gimelshein 2018); the block that finishes last merges the partial results. */
#include "cuda/device.cuh"

enum { WARPS = 8, DIMS = 8, RANGE_LEAST = 32 };

/* How a token's positions are cut: by its position alone. */
struct ranges {
    int n, length;
};

static __device__ __forceinline__ struct ranges ranges_of(int position)
{
    int total = position + 1;
    int length = (total + ATTENTION_SPLITS - 1) / ATTENTION_SPLITS;
    length = (length + KV_BLOCK - 1) / KV_BLOCK * KV_BLOCK;
    length = length < RANGE_LEAST ? RANGE_LEAST : length;
    return {(total + length - 1) / length, length};
}

/* Online softmax of some heads for eight dimensions: sum is of exp2(score - max). */
template <int HEADS> struct running {
    float max[HEADS], sum[HEADS], v[HEADS][DIMS];
};

static __device__ __forceinline__ void load_dims(const struct cuda_cache &c, size_t at,
                                                 float out[DIMS])
{
    if (c.kind == CUDA_CACHE_FLOATS) {
        const float4 *p = (const float4 *)((const float *)c.data + at);
        float4 a = p[0], b = p[1];
        out[0] = a.x, out[1] = a.y, out[2] = a.z, out[3] = a.w;
        out[4] = b.x, out[5] = b.y, out[6] = b.z, out[7] = b.w;
    } else {
        uint4 w = *(const uint4 *)((const __half *)c.data + at);
        const uint32_t words[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
        for (int i = 0; i < 4; i++) {
            float2 f = __half22float2(half2_of(words[i]));
            out[2 * i] = f.x;
            out[2 * i + 1] = f.y;
        }
    }
}

static __device__ __forceinline__ void load_dims(const struct code_rows &from, int dim,
                                                 float out[DIMS])
{
    uint2 code = __ldcg((const uint2 *)(from.codes + dim));
    float scale = __half2float(__ldcg(from.scales + dim / CACHE_GROUP));

#pragma unroll
    for (int i = 0; i < DIMS; i++) {
        uint32_t byte = (i < 4 ? code.x : code.y) >> i % 4 * 8 & 0xff;
        out[i] = (float)((int)byte - 128) * scale;
    }
}

/* Merges the result of another part of the positions. */
static __device__ __forceinline__ void merge(float &max, float &sum, float v[DIMS], float max2,
                                             float sum2, const float v2[DIMS])
{
    float m = fmaxf(max, max2);
    float a = max == m ? 1 : exp2f(max - m), b = max2 == m ? 1 : exp2f(max2 - m);
    max = m;
    sum = sum * a + sum2 * b;
#pragma unroll
    for (int i = 0; i < DIMS; i++)
        v[i] = v[i] * a + v2[i] * b;
}

struct share {
    struct cuda_attention a;
    int n_heads;  /* of a KV head */
    int n_groups; /* of HEADS heads, in a KV head */
    int lanes;    /* that share a position's dimensions: a power of two */
};

/* What a block works on. */
struct part_of {
    int token, in_batch; /* of this launch, of the step */
    int head, n_heads, head_kv, sequence;
    int range, n_ranges, first, last; /* positions [first, last); none where first is last */
};

static __device__ __forceinline__ struct part_of part_of_block(const struct share &s, int heads)
{
    const struct cuda_attention &a = s.a;
    int group = blockIdx.x % s.n_groups, left = s.n_heads - group * heads;
    struct part_of p;

    p.token = blockIdx.z;
    p.in_batch = a.first_token + p.token;
    p.head_kv = blockIdx.x / s.n_groups;
    p.head = p.head_kv * s.n_heads + group * heads;
    p.n_heads = left < heads ? left : heads;
    p.sequence = a.step.sequence[p.in_batch];

    int position = a.step.position[p.in_batch];
    struct ranges ranges = ranges_of(position);
    p.range = blockIdx.y;
    p.n_ranges = ranges.n;
    p.first = p.last = p.range * ranges.length;
    if (position >= 0 && p.range < ranges.n)
        p.last = min(p.first + ranges.length, position + 1);
    return p;
}

/* The part's positions by this warp's lanes: `lanes` of them for each position. */
template <int HEADS>
static __device__ __forceinline__ void walk(const struct cuda_attention &a, const struct part_of &p,
                                            const float (*q)[DIMS], int lanes, bool idle,
                                            struct running<HEADS> &r)
{
    const struct cuda_cache &c = a.cache;
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, at_once = 32 / lanes;
    int dim = lane % lanes * DIMS;
    size_t to_values = (size_t)KV_BLOCK * c.head_dim;

    int position = p.first + warp * at_once + lane / lanes;
    float k[DIMS] = {}, v[DIMS] = {}, next_k[DIMS] = {}, next_v[DIMS] = {};

    auto fetch = [&](int of, float *keys, float *values) {
        if (of >= p.last || idle)
            return;
        if (c.kind == CUDA_CACHE_CODES) {
            struct code_rows rows = codes_at(c, a.step, p.sequence, of, a.layer, p.head_kv);
            load_dims(rows, dim, keys);
            load_dims(values_of(rows, c.head_dim), dim, values);
            return;
        }
        size_t at = cache_at(c, a.step, p.sequence, of, a.layer, p.head_kv) + dim;
        load_dims(c, at, keys);
        load_dims(c, at + to_values, values);
    };
    fetch(position, next_k, next_v);
    for (int base = p.first + warp * at_once; base < p.last; base += WARPS * at_once) {
#pragma unroll
        for (int i = 0; i < DIMS; i++) {
            k[i] = next_k[i];
            v[i] = next_v[i];
        }
        fetch(position + WARPS * at_once, next_k, next_v);
#pragma unroll
        for (int h = 0; h < HEADS; h++) {
            float score = 0;
#pragma unroll
            for (int i = 0; i < DIMS; i++)
                score += q[h][i] * k[i];
            for (int step = lanes / 2; step > 0; step /= 2)
                score += __shfl_xor_sync(~0u, score, step);
            if (position >= p.last)
                continue;
            float max = fmaxf(r.max[h], score);
            float old = exp2f(r.max[h] - max), e = exp2f(score - max);
            r.max[h] = max;
            r.sum[h] = r.sum[h] * old + e;
#pragma unroll
            for (int i = 0; i < DIMS; i++)
                r.v[h][i] = r.v[h][i] * old + e * v[i];
        }
        position += WARPS * at_once;
    }
}

/* Merges the lanes of a warp that hold the same dimensions. */
template <int HEADS>
static __device__ __forceinline__ void merge_lanes(int lanes, struct running<HEADS> &r)
{
    for (int step = lanes; step < 32; step *= 2) {
#pragma unroll
        for (int h = 0; h < HEADS; h++) {
            float v[DIMS], max = __shfl_xor_sync(~0u, r.max[h], step);
            float sum = __shfl_xor_sync(~0u, r.sum[h], step);
#pragma unroll
            for (int i = 0; i < DIMS; i++)
                v[i] = __shfl_xor_sync(~0u, r.v[h][i], step);
            merge(r.max[h], r.sum[h], r.v[h], max, sum, v);
        }
    }
}

template <int HEADS>
static __device__ __forceinline__ void load_queries(const struct cuda_attention &a,
                                                    const struct part_of &p, int dim, bool idle,
                                                    float (*q)[DIMS])
{
    int d = a.cache.head_dim;
    float scale = 1.4426950408889634f * rsqrtf((float)d);
    const float *from = a.q + ((size_t)p.in_batch * a.cache.n_head + p.head) * d + dim;

#pragma unroll
    for (int h = 0; h < HEADS; h++) {
        float4 low = make_float4(0, 0, 0, 0), high = low;
        if (h < p.n_heads && !idle) {
            low = __ldcg((const float4 *)(from + h * d));
            high = __ldcg((const float4 *)(from + h * d + 4));
        }
        const float all[DIMS] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
        for (int i = 0; i < DIMS; i++)
            q[h][i] = all[i] * scale;
    }
}

/* The factor for a lane's partial result, so that the warp's lanes add up to the whole; max and
 * sum are the whole's. */
static __device__ __forceinline__ float weight_of(float2 sums, bool on, float *max_out,
                                                  float *sum_out)
{
    float max = on ? sums.x : -INFINITY;
    for (int k = 16; k > 0; k /= 2)
        max = fmaxf(max, __shfl_xor_sync(~0u, max, k));
    float scale = on ? exp2f(sums.x - max) : 0;
    *max_out = max;
    *sum_out = warp_sum(on ? sums.y * scale : 0);
    return scale;
}

/* A block's shared memory besides the warps' results, [WARPS, HEADS, head_dim + 2]. */
struct weights {
    float of[WARPS][ATTENTION_SPLITS]; /* [head][warp or range] */
    float max[WARPS], sum[WARPS];      /* [head] */
};

template <int HEADS>
static __device__ __forceinline__ void share_result(const struct running<HEADS> &r, int d, int dim,
                                                    float *to)
{
#pragma unroll
    for (int h = 0; h < HEADS; h++, to += d + 2) {
        for (int i = 0; i < DIMS; i++)
            to[dim + i] = r.v[h][i];
        if (dim == 0) {
            to[d] = r.max[h];
            to[d + 1] = r.sum[h];
        }
    }
}

/* Merges the warps' results into the token's, or into those of one of its ranges. */
template <int HEADS>
static __device__ __forceinline__ void merge_warps(const struct cuda_attention &a,
                                                   const struct part_of &p, const float *results,
                                                   struct weights &w)
{
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, d = a.cache.head_dim, row = d + 2;

    if (warp < p.n_heads) {
        const float *sums = results + (lane * HEADS + warp) * row + d;
        bool on = lane < WARPS;
        w.of[warp][lane] = weight_of(on ? make_float2(sums[0], sums[1]) : make_float2(0, 0), on,
                                     &w.max[warp], &w.sum[warp]);
    }
    __syncthreads();
    for (int i = threadIdx.x; i < p.n_heads * d; i += blockDim.x) {
        int h = i / d, dim = i % d;
        float v = 0;
#pragma unroll
        for (int k = 0; k < WARPS; k++)
            v += results[(k * HEADS + h) * row + dim] * w.of[h][k];
        if (p.n_ranges == 1) {
            ((__half *)a.out)[(size_t)p.in_batch * a.pitch + (p.head + h) * d + dim] = to_half(
                v / w.sum[h]);
        } else {
            size_t at = ((size_t)p.token * a.cache.n_head + p.head + h) * ATTENTION_SPLITS +
                        p.range;
            ((float *)a.part)[at * d + dim] = v;
            if (dim == 0)
                ((float2 *)a.part_sums)[at] = make_float2(w.max[h], w.sum[h]);
        }
    }
}

/* True in the last block of a token and group to get here; by then all have written. */
static __device__ __forceinline__ bool comes_last(const struct cuda_attention &a,
                                                  const struct part_of &p)
{
    __shared__ bool is_last;

    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) {
        unsigned *ticket = &a.ticket[p.token * a.cache.n_head + p.head];
        is_last = atomicAdd(ticket, 1) == (unsigned)p.n_ranges - 1;
        if (is_last)
            *ticket = 0;
        __threadfence();
    }
    __syncthreads();
    return is_last;
}

/* Merges the ranges; a thread takes four dimensions of a head. */
static __device__ __forceinline__ void merge_ranges(const struct cuda_attention &a,
                                                    const struct part_of &p, struct weights &w)
{
    int d = a.cache.head_dim, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    size_t first = ((size_t)p.token * a.cache.n_head + p.head) * ATTENTION_SPLITS;

    if (warp < p.n_heads) {
        const float2 *sums = (const float2 *)a.part_sums + first + warp * ATTENTION_SPLITS;
        bool on = lane < p.n_ranges;
        float max, sum;
        float scale = weight_of(on ? __ldcg(&sums[lane]) : make_float2(0, 0), on, &max, &sum);
        w.of[warp][lane] = scale / sum;
    }
    __syncthreads();
    for (int i = threadIdx.x; i < p.n_heads * d / 4; i += blockDim.x) {
        int h = i / (d / 4), dim = i % (d / 4) * 4;
        const float *part = (const float *)a.part + (first + h * ATTENTION_SPLITS) * d + dim;
        float4 v = make_float4(0, 0, 0, 0);
        for (int r = 0; r < p.n_ranges; r += 8) {
            float4 of[8];
#pragma unroll
            for (int k = 0; k < 8; k++)
                of[k] = r + k < p.n_ranges ? __ldcg((const float4 *)(part + (size_t)(r + k) * d))
                                           : make_float4(0, 0, 0, 0);
#pragma unroll
            for (int k = 0; k < 8; k++) {
                float weight = r + k < p.n_ranges ? w.of[h][r + k] : 0;
                v.x += of[k].x * weight;
                v.y += of[k].y * weight;
                v.z += of[k].z * weight;
                v.w += of[k].w * weight;
            }
        }
        __half2 *out = (__half2 *)((__half *)a.out + (size_t)p.in_batch * a.pitch +
                                   (p.head + h) * d + dim);
        out[0] = __halves2half2(to_half(v.x), to_half(v.y));
        out[1] = __halves2half2(to_half(v.z), to_half(v.w));
    }
}

/* Grid: KV heads x groups of query heads, ranges, tokens. */
template <int HEADS>
static __global__ void __launch_bounds__(WARPS * 32) attend(const __grid_constant__ struct share s)
{
    extern __shared__ float shared[];
    __shared__ struct weights weights;
    const struct cuda_attention &a = s.a;
    int lane = threadIdx.x % 32, warp = threadIdx.x / 32, d = a.cache.head_dim;
    int dim = lane % s.lanes * DIMS;
    bool idle = dim >= d;

    /* The step's input is there before the first of its kernels starts. */
    let_next_start();
    struct part_of p = part_of_block(s, HEADS);
    wait_for_last();
    if (p.first == p.last)
        return;

    struct running<HEADS> r;
    float q[HEADS][DIMS];
#pragma unroll
    for (int h = 0; h < HEADS; h++) {
        r.max[h] = -INFINITY;
        r.sum[h] = 0;
#pragma unroll
        for (int i = 0; i < DIMS; i++)
            r.v[h][i] = 0;
    }
    load_queries<HEADS>(a, p, dim, idle, q);
    walk<HEADS>(a, p, q, s.lanes, idle, r);
    merge_lanes<HEADS>(s.lanes, r);
    if (lane < s.lanes && !idle)
        share_result<HEADS>(r, d, dim, shared + warp * HEADS * (d + 2));
    __syncthreads();
    merge_warps<HEADS>(a, p, shared, weights);
    if (p.n_ranges > 1 && comes_last(a, p))
        merge_ranges(a, p, weights);
}

template <int HEADS>
static cudaError_t launch_heads(const struct cuda_queue *q, struct share *s, int n_tokens)
{
    size_t shared = (size_t)WARPS * HEADS * (s->a.cache.head_dim + 2) * sizeof(float);
    cudaError_t rc = cudaSuccess;

    s->n_groups = (s->n_heads + HEADS - 1) / HEADS;
    for (int done = 0; done < n_tokens && rc == cudaSuccess; done += ATTENTION_TOKENS) {
        int n = n_tokens - done < ATTENTION_TOKENS ? n_tokens - done : ATTENTION_TOKENS;
        s->a.first_token = done;
        dim3 grid((unsigned)(s->a.cache.n_head_kv * s->n_groups), ATTENTION_SPLITS, (unsigned)n);
        rc = launch(q, attend<HEADS>, grid, WARPS * 32, shared, *s);
    }
    return rc;
}

cudaError_t launch_attention(const struct cuda_queue *q, const struct cuda_attention *a,
                             int n_tokens)
{
    struct share s = {*a, a->cache.n_head / a->cache.n_head_kv, 1, 1};

    while (s.lanes * DIMS < a->cache.head_dim)
        s.lanes *= 2;
    if (s.n_heads == 1)
        return launch_heads<1>(q, &s, n_tokens);
    if (s.n_heads == 2)
        return launch_heads<2>(q, &s, n_tokens);
    if (s.n_heads % 6 == 0)
        return launch_heads<6>(q, &s, n_tokens);
    return launch_heads<4>(q, &s, n_tokens);
}
