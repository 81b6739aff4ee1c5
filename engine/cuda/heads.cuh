/* heads.cuh - attention of one token, a KV head's query heads together, over a range of positions.
 *
 * Four warps of a block take sixteen positions at a time each. Scores are a product of tensor cores
 * with the heads as rows, results one with the dimensions as rows; softmax is computed as positions
 * come (Milakov and Gimelshein 2018). Queries are split into two halves, high and low: keys with
 * large biases need the precision. The warps' results are put together here, those of the ranges by
 * who reads them: see CUDA_MERGE. */
#ifndef ENGINE_CUDA_HEADS_CUH
#define ENGINE_CUDA_HEADS_CUH

#include "cuda/device.cuh"
#include "cuda/input.cuh"

enum { HEADS_WARPS = 4, HEADS = 8, POSITIONS = 16, PAD = 8 };
static_assert(RANGE_STEP == HEADS_WARPS * POSITIONS, "ranges are whole steps of a block");
static_assert(KV_BLOCK % POSITIONS == 0, "a warp's positions are in one block of the cache");

static __device__ __forceinline__ void wait_for_copies(void)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

/* What a warp has in shared memory: sixteen positions, and at last its results in their place. */
template <int D> struct piece {
    __half keys[POSITIONS][D + PAD], values[POSITIONS][D + PAD];
};
template <int D> struct results {
    float out[HEADS][D + 4], max[HEADS], sum[HEADS];
};
template <int D> union alignas(16) piece_memory {
    struct piece<D> piece;
    struct results<D> results;
};

/* The queries of up to eight heads, scaled, in high and low halves. */
template <int D> struct alignas(16) queries {
    __half high[HEADS][D + PAD], low[HEADS][D + PAD];
};

template <int D> struct heads_memory {
    struct queries<D> queries;
    union piece_memory<D> pieces[HEADS_WARPS];
};

/* Begins to fetch n positions; up to sixteen the rest are zeros. */
template <int D>
static __device__ __forceinline__ void fetch(const __half *from, int n, struct piece<D> &p)
{
    int lane = threadIdx.x % 32;

#pragma unroll
    for (int k = 0; k < POSITIONS * D / 8 / 32; k++) {
        int i = lane + k * 32, row = i / (D / 8), dim = i % (D / 8) * 8;
        copy_16(&p.keys[row][dim], from + row * D + dim, row < n);
        copy_16(&p.values[row][dim], from + (KV_BLOCK + row) * D + dim, row < n);
    }
}

static __device__ __forceinline__ float query_scale(int head_dim)
{
    return 1.4426950408889634f * rsqrtf((float)head_dim); /* scores are exponents of two */
}

/* Begins to fetch queries: floats [n_heads, D]. By the first four warps together. */
template <int D>
static __device__ __forceinline__ void load_queries(const float *from, int n_heads,
                                                    struct queries<D> &q)
{
    float scale = query_scale(D);

    for (int i = threadIdx.x; i < HEADS * D / 4; i += HEADS_WARPS * 32) {
        int head = i / (D / 4), dim = i % (D / 4) * 4;
        float4 v = make_float4(0, 0, 0, 0);
        uint2 high, low;
        if (head < n_heads)
            v = __ldcg((const float4 *)(from + head * D + dim));
        split_pair(v.x * scale, v.y * scale, &high.x, &low.x);
        split_pair(v.z * scale, v.w * scale, &high.y, &low.y);
        *(uint2 *)&q.high[head][dim] = high;
        *(uint2 *)&q.low[head][dim] = low;
    }
}

/* The same of halves [n_heads, {high, low}, D] that are scaled. */
template <int D>
static __device__ __forceinline__ void load_queries(const __half *from, int n_heads,
                                                    struct queries<D> &q)
{
#pragma unroll
    for (int k = 0; k < HEADS * D / 8 / (HEADS_WARPS * 32 / 2); k++) {
        int i = threadIdx.x + k * HEADS_WARPS * 32, row = i / (D / 8), dim = i % (D / 8) * 8;
        copy_16((row % 2 ? q.low : q.high)[row / 2] + dim, from + row * D + dim, row / 2 < n_heads);
    }
}

/* What a warp has of its heads: of head g, and of the results heads 2t, 2t + 1. */
template <int D> struct sums {
    float max, sum;
    float out[D / 16][4]; /* dimensions 16 j + g and + 8, of heads 2t and 2t + 1 */
};

/* The first piece sets s, further ones add to it. */
template <int D, bool FIRST>
static __device__ __forceinline__ void
attend_piece(const struct queries<D> &q, const struct piece<D> &p, int n, struct sums<D> &s)
{
    int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    float score[2][4] = {}, rest[2][4] = {};

#pragma unroll
    for (int u = 0; u < D / 32; u++) {
        uint4 high = *(const uint4 *)&q.high[g][u * 32 + t * 8];
        uint4 low = *(const uint4 *)&q.low[g][u * 32 + t * 8];
#pragma unroll
        for (int i = 0; i < 2; i++) {
            uint4 k = *(const uint4 *)&p.keys[i * 8 + g][u * 32 + t * 8];
            multiply_add(score[i], high.x, 0, high.y, 0, k.x, k.y);
            multiply_add(rest[i], low.x, 0, low.y, 0, k.x, k.y);
            multiply_add(score[i], high.z, 0, high.w, 0, k.z, k.w);
            multiply_add(rest[i], low.z, 0, low.w, 0, k.z, k.w);
        }
    }
    float max = FIRST ? -1e30f
                      : s.max; /* not infinite: of no positions at all nothing is a number */
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int k = 0; k < 2; k++) {
            score[i][k] += rest[i][k];
            if (i * 8 + t * 2 + k >= n)
                score[i][k] = -INFINITY;
            max = fmaxf(max, score[i][k]);
        }
    }
    max = fmaxf(max, __shfl_xor_sync(~0u, max, 1));
    max = fmaxf(max, __shfl_xor_sync(~0u, max, 2));
    float old = FIRST ? 0 : exp2f(s.max - max), sum = 0;
    uint32_t b[2];
#pragma unroll
    for (int i = 0; i < 2; i++) {
        float x = exp2f(score[i][0] - max), y = exp2f(score[i][1] - max);
        sum += x + y;
        b[i] = bits_of(__floats2half2_rn(x, y));
    }
    sum += __shfl_xor_sync(~0u, sum, 1);
    sum += __shfl_xor_sync(~0u, sum, 2);
    s.max = max;
    s.sum = FIRST ? sum : s.sum * old + sum;
    float old0 = __shfl_sync(~0u, old, t * 8), old1 = __shfl_sync(~0u, old, t * 8 + 4);

    const __half *at = &p.values[lane % 8 + lane / 16 * 8][lane / 8 % 2 * 8];
#pragma unroll
    for (int j = 0; j < D / 16; j++) {
        uint32_t v[4];
        load_transposed(v, at + j * 16);
        s.out[j][0] = FIRST ? 0 : s.out[j][0] * old0;
        s.out[j][1] = FIRST ? 0 : s.out[j][1] * old1;
        s.out[j][2] = FIRST ? 0 : s.out[j][2] * old0;
        s.out[j][3] = FIRST ? 0 : s.out[j][3] * old1;
        multiply_add(s.out[j], v[0], v[1], v[2], v[3], b[0], b[1]);
    }
}

template <int D>
static __device__ __forceinline__ void leave_results(const struct sums<D> &s, struct results<D> &r)
{
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;

    __syncwarp();
#pragma unroll
    for (int j = 0; j < D / 16; j++) {
#pragma unroll
        for (int i = 0; i < 4; i++)
            r.out[t * 2 + i % 2][j * 16 + g + i / 2 * 8] = s.out[j][i];
    }
    if (t == 0) {
        r.max[g] = s.max;
        r.sum[g] = s.sum;
    }
}

/* part, sums: of the first head, for those of the others HEADS_SPLITS rows further on. */
template <int D>
static __device__ __forceinline__ void merge_heads(__half *part, float2 *part_sums, int n_heads,
                                                   int n_warps, int n_workers,
                                                   const union piece_memory<D> *warps)
{
    for (int i = threadIdx.x; i < n_heads * D / 2; i += n_workers) {
        int head = i / (D / 2), dim = i % (D / 2) * 2;
        float max = -INFINITY, sum = 0, x = 0, y = 0;
        for (int w = 0; w < n_warps; w++)
            max = fmaxf(max, warps[w].results.max[head]);
        for (int w = 0; w < n_warps; w++) {
            const struct results<D> &r = warps[w].results;
            float scale = exp2f(r.max[head] - max);
            float2 of = *(const float2 *)&r.out[head][dim];
            sum += r.sum[head] * scale;
            x += of.x * scale;
            y += of.y * scale;
        }
        float share = __frcp_rn(sum);
        *(__half2 *)(part + head * HEADS_SPLITS * D + dim) = __halves2half2(to_half(x * share),
                                                                            to_half(y * share));
        if (dim == 0)
            part_sums[head * HEADS_SPLITS] = make_float2(max, sum);
    }
}

/* One token's query heads of one KV head (or eight of them), and one range of positions. */
struct heads_task {
    const __half *keys; /* of layer 0, of this warp's first positions */
    size_t q;           /* where the first head's queries begin */
    __half *part;       /* and its result */
    float2 *part_sums;
    int n_heads, head_kv, sequence;
    int at, last; /* this warp's first position, and the end of the range; at >= last: none */
    int n_warps;  /* that have positions */
    bool works;   /* some do */
    bool early;   /* what this warp needs first was written by earlier steps */
};

/* part: of n_head_kv x n_groups. The step's input is there before the first of its kernels starts. */
template <int D>
static __device__ __forceinline__ struct heads_task task_of(const struct cuda_attention &a,
                                                            int part, int range, int token)
{
    int warp = threadIdx.x / 32, n_heads = a.cache.n_head / a.cache.n_head_kv;
    int group = part % a.n_groups, in_batch = a.first_token + token;
    int position = a.step.position[in_batch];
    struct ranges ranges = heads_ranges(position, a.n_splits);
    int first = range * ranges.length;
    struct heads_task t = {};

    t.head_kv = part / a.n_groups;
    t.n_heads = min(n_heads - group * HEADS, (int)HEADS);
    t.sequence = a.step.sequence[in_batch];
    t.last = min(first + ranges.length, position + 1);
    t.works = position >= 0 && first < t.last;
    t.n_warps = min((t.last - first + POSITIONS - 1) / POSITIONS, (int)HEADS_WARPS);
    t.at = first + warp * POSITIONS;
    int head = t.head_kv * n_heads + group * HEADS;
    size_t row = ((size_t)token * a.cache.n_head + head) * HEADS_SPLITS + range;
    t.q = ((size_t)in_batch * a.cache.n_head + head) * D;
    t.part = (__half *)a.part + row * D;
    t.part_sums = (float2 *)a.part_sums + row;
    if (warp >= HEADS_WARPS || !t.works || t.at >= t.last)
        t.at = t.last;
    else
        t.keys = (const __half *)a.cache.data +
                 cache_at(a.cache, a.step, t.sequence, t.at, 0, t.head_kv);
    t.early = t.at < t.last && t.at + POSITIONS <= a.step.fresh[in_batch];
    return t;
}

/* The task's result in a layer. What earlier steps have written is read before `wait`, which returns
 * when what this step writes is there too. all_q: of all heads, as one of the load_queries takes them. By
 * n_workers threads, of whose warps the first four work. */
template <int D, class Q, class W>
static __device__ __forceinline__ void attend(const struct cuda_attention &a,
                                              const struct heads_task &t, const Q *all_q, int layer,
                                              int n_workers, struct heads_memory<D> &memory, W wait)
{
    int warp = threadIdx.x / 32, at = t.at;
    size_t to_layer = (size_t)layer * a.cache.n_head_kv * 2 * KV_BLOCK * D;
    union piece_memory<D> &mine = memory.pieces[warp % HEADS_WARPS];
    auto keys_at = [&](int position) {
        return (const __half *)a.cache.data +
               cache_at(a.cache, a.step, t.sequence, position, layer, t.head_kv);
    };

    if (t.early)
        fetch<D>(t.keys + to_layer, t.last - at, mine.piece);
    wait();
    if (t.works && warp < HEADS_WARPS) {
        if (at < t.last && !t.early)
            fetch<D>(t.keys + to_layer, t.last - at, mine.piece);
        load_queries<D>(all_q + t.q * (sizeof(float) / sizeof(Q)), t.n_heads, memory.queries);
        wait_for_copies();
        asm volatile("bar.sync 2, %0;" ::"n"(HEADS_WARPS * 32) : "memory");
    }
    if (at < t.last) {
        struct sums<D> s;
        attend_piece<D, true>(memory.queries, mine.piece, t.last - at, s);
        while ((at += RANGE_STEP) < t.last) {
            __syncwarp();
            fetch<D>(keys_at(at), t.last - at, mine.piece);
            wait_for_copies();
            __syncwarp();
            attend_piece<D, false>(memory.queries, mine.piece, t.last - at, s);
        }
        leave_results<D>(s, mine.results);
    }
    sync_workers(n_workers);
    if (t.works)
        merge_heads<D>(t.part, t.part_sums, t.n_heads, t.n_warps, n_workers, memory.pieces);
}

#endif
