/* heads.cuh - decode attention of one token for the query heads of one KV head, over one range of
 * positions.
 *
 * Each warp takes sixteen positions at a time: keys go straight into the registers that the tensor
 * cores read, values to shared memory, where they are transposed. Scores are a product with the
 * heads as rows, results one with the dimensions as rows; softmax is computed online (Milakov and
 * Gimelshein 2018). Queries are split into a high and a low half: keys with large biases need the
 * precision. The warps' results are merged here, those of the ranges by their readers: see
 * CUDA_MERGE. */
#ifndef ENGINE_CUDA_HEADS_CUH
#define ENGINE_CUDA_HEADS_CUH

#include "cuda/device.cuh"
#include "cuda/input.cuh"

enum { HEADS_WARPS = 8, HEADS = 8, POSITIONS = 16, PAD = 8 };
static_assert(KV_BLOCK % POSITIONS == 0, "a warp's positions are in one block of the cache");

static __device__ __forceinline__ void wait_for_copies(void)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

/* The queries of up to eight heads, scaled, in high and low halves. */
template <int D> struct alignas(16) queries {
    __half high[HEADS][D + PAD], low[HEADS][D + PAD];
};

/* A warp's shared memory: sixteen rows of values, replaced at the end by its results. */
template <int D> struct results {
    float out[HEADS][D + 4], max[HEADS], sum[HEADS];
};
template <int D> union alignas(16) warp_memory {
    __half values[POSITIONS][D + PAD];
    struct results<D> results;
};

/* The shared memory of W warps. */
template <int D, int W> struct heads_memory {
    struct queries<D> queries;
    union warp_memory<D> warps[W];
    alignas(16) __half fresh[2][D]; /* the new position's keys and values, not in the cache yet */
};

/* Keys of sixteen positions: lane 4 g + t holds positions g and g + 8, dimensions 32 u + 8 t to 32
 * u + 8 t + 7. */
template <int D> struct keys {
    uint4 of[2][D / 32];
};

/* Rows of keys; each one's values are `values` halves further on. */
struct rows {
    const __half *keys;
    int to_values;
};

/* Eight keys of a row, from dimension 32 u + 8 t on, or values from `dim` on. A row of halves is
 * whole L1 cache lines, so no line was cached before it was written. */
template <int D>
static __device__ __forceinline__ uint4 load_keys(const struct rows &from, int row, int u, int t)
{
    return *(const uint4 *)(from.keys + row * D + u * 32 + t * 8);
}

template <int D>
static __device__ __forceinline__ uint4 load_values(const struct rows &from, int row, int dim)
{
    return *(const uint4 *)(from.keys + from.to_values + row * D + dim);
}

template <int D>
static __device__ __forceinline__ uint4 load_keys(const struct code_rows &from, int row, int u,
                                                  int t)
{
    static_assert(CACHE_GROUP == 32, "a unit has one scale");
    __half scale = __ldcg(from.scales + row * (D / CACHE_GROUP) + u);
    return load_codes(from.codes + row * D + u * 32 + t * 8, scale);
}

template <int D>
static __device__ __forceinline__ uint4 load_values(const struct code_rows &from, int row, int dim)
{
    return load_keys<D>(values_of(from, D), row, dim / 32, dim % 32 / 8);
}

/* Fetches rows [first, last) of sixteen; `from`: where row 0 is. */
template <int D, class R>
static __device__ __forceinline__ void fetch_keys(const R &from, int first, int last,
                                                  struct keys<D> &k)
{
    int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;

#pragma unroll
    for (int i = 0; i < 2; i++) {
        int row = i * 8 + g;
        if (row >= first && row < last) {
#pragma unroll
            for (int u = 0; u < D / 32; u++)
                k.of[i][u] = load_keys<D>(from, row, u, t);
        }
    }
}

/* Starts fetching the values of rows [0, last); the rest of the sixteen become zeros. */
template <int D>
static __device__ __forceinline__ void fetch_values(const struct rows &from, int last,
                                                    union warp_memory<D> &m)
{
    int lane = threadIdx.x % 32;

#pragma unroll
    for (int k = 0; k < POSITIONS * D / 8 / 32; k++) {
        int i = lane + k * 32, row = i / (D / 8), dim = i % (D / 8) * 8;
        copy_16(&m.values[row][dim], from.keys + from.to_values + row * D + dim, row < last);
    }
}

template <int D>
static __device__ __forceinline__ void fetch_values(const struct code_rows &from, int last,
                                                    union warp_memory<D> &m)
{
    int lane = threadIdx.x % 32;

#pragma unroll
    for (int k = 0; k < POSITIONS * D / 8 / 32; k++) {
        int i = lane + k * 32, row = i / (D / 8), dim = i % (D / 8) * 8;
        uint4 v = make_uint4(0, 0, 0, 0);
        if (row < last)
            v = load_values<D>(from, row, dim);
        *(uint4 *)&m.values[row][dim] = v;
    }
}

/* Waits for them, and fetches rows [first, last) too, which may be in shared memory. */
template <int D, class R>
static __device__ __forceinline__ void fetch_late_values(const R &from, int first, int last,
                                                         union warp_memory<D> &m)
{
    int dim = threadIdx.x % 32 * 8;

    wait_for_copies();
    __syncwarp();
    for (int row = max(first, 0); row < min(last, (int)POSITIONS) && dim < D; row++)
        *(uint4 *)&m.values[row][dim] = load_values<D>(from, row, dim);
    __syncwarp();
}

static __device__ __forceinline__ float query_scale(int head_dim)
{
    return 1.4426950408889634f * rsqrtf((float)head_dim); /* scores are base-2 exponents */
}

/* Loads queries that are floats [n_heads, D]. By the block's first HEADS_WARPS warps. */
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

/* A warp's running softmax: max and sum of head g, and results of heads 2t and 2t + 1. */
template <int D> struct sums {
    float max, sum;
    float out[D / 16][4]; /* dimensions 16 j + g and + 8, of heads 2t and 2t + 1 */
};

/* Rescales s to the new maximum, and writes the weights of the first n of sixteen positions to
 * `shares`, laid out as B of a product. FIRST: s is still empty. */
template <int D, bool FIRST>
static __device__ __forceinline__ void score(const struct queries<D> &q, const struct keys<D> &k,
                                             int n, struct sums<D> &s, uint32_t shares[2])
{
    int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    float score[2][4] = {}, rest[2][4] = {};

#pragma unroll
    for (int u = 0; u < D / 32; u++) {
        uint4 high = *(const uint4 *)&q.high[g][u * 32 + t * 8];
        uint4 low = *(const uint4 *)&q.low[g][u * 32 + t * 8];
#pragma unroll
        for (int i = 0; i < 2; i++) {
            const uint4 &of = k.of[i][u];
            multiply_add(score[i], high.x, 0, high.y, 0, of.x, of.y);
            multiply_add(rest[i], low.x, 0, low.y, 0, of.x, of.y);
            multiply_add(score[i], high.z, 0, high.w, 0, of.z, of.w);
            multiply_add(rest[i], low.z, 0, low.w, 0, of.z, of.w);
        }
    }
    float max = FIRST ? -1e30f : s.max; /* not infinite: with no positions there would be NaNs */
#pragma unroll
    for (int i = 0; i < 2; i++) {
#pragma unroll
        for (int j = 0; j < 2; j++) {
            score[i][j] += rest[i][j];
            if (i * 8 + t * 2 + j >= n)
                score[i][j] = -INFINITY;
            max = fmaxf(max, score[i][j]);
        }
    }
    max = fmaxf(max, __shfl_xor_sync(~0u, max, 1));
    max = fmaxf(max, __shfl_xor_sync(~0u, max, 2));
    float old = FIRST ? 0 : exp2f(s.max - max), sum = 0;
#pragma unroll
    for (int i = 0; i < 2; i++) {
        float x = exp2f(score[i][0] - max), y = exp2f(score[i][1] - max);
        sum += x + y;
        shares[i] = bits_of(__floats2half2_rn(x, y));
    }
    sum += __shfl_xor_sync(~0u, sum, 1);
    sum += __shfl_xor_sync(~0u, sum, 2);
    s.max = max;
    s.sum = FIRST ? sum : s.sum * old + sum;
    float old0 = __shfl_sync(~0u, old, t * 8), old1 = __shfl_sync(~0u, old, t * 8 + 4);
#pragma unroll
    for (int i = 0; i < D / 16; i++) {
        float *out = s.out[i];
        out[0] = FIRST ? 0 : out[0] * old0;
        out[1] = FIRST ? 0 : out[1] * old1;
        out[2] = FIRST ? 0 : out[2] * old0;
        out[3] = FIRST ? 0 : out[3] * old1;
    }
}

/* s += values weighted by shares, for sixteen positions; those beyond the end have a weight of
 * zero, but must be finite. */
template <int D>
static __device__ __forceinline__ void add_values(const union warp_memory<D> &m,
                                                  const uint32_t shares[2], struct sums<D> &s)
{
    int lane = threadIdx.x % 32;
    const __half *at = &m.values[lane % 8 + lane / 16 * 8][lane / 8 % 2 * 8];

#pragma unroll
    for (int j = 0; j < D / 16; j++) {
        uint32_t v[4];
        load_transposed(v, at + j * 16);
        multiply_add(s.out[j], v[0], v[1], v[2], v[3], shares[0], shares[1]);
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

/* part, sums: the first head's; the others' are HEADS_SPLITS rows apart. */
template <int D, int W>
static __device__ __forceinline__ void merge_heads(__half *part, float2 *part_sums, int n_heads,
                                                   int n_warps, int n_workers,
                                                   const union warp_memory<D> *warps)
{
    for (int i = threadIdx.x; i < n_heads * D / 2; i += n_workers) {
        int head = i / (D / 2), dim = i % (D / 2) * 2;
        float scale[W], max = -INFINITY, sum = 0, x = 0, y = 0;
#pragma unroll
        for (int w = 0; w < W; w++) {
            scale[w] = w < n_warps ? warps[w].results.max[head] : -INFINITY;
            max = fmaxf(max, scale[w]);
        }
#pragma unroll
        for (int w = 0; w < W; w++) {
            if (w >= n_warps)
                continue;
            const struct results<D> &r = warps[w].results;
            float2 of = *(const float2 *)&r.out[head][dim];
            float by = exp2f(scale[w] - max);
            sum += r.sum[head] * by;
            x += of.x * by;
            y += of.y * by;
        }
        float share = __fdividef(1, sum);
        *(__half2 *)(part + head * HEADS_SPLITS * D + dim) = __halves2half2(to_half(x * share),
                                                                            to_half(y * share));
        if (dim == 0)
            part_sums[head * HEADS_SPLITS] = make_float2(max, sum);
    }
}

/* One token's query heads of one KV head (or eight of them), and one range of positions. */
struct heads_task {
    const __half *keys; /* of layer 0, of this warp's first positions; not of codes */
    size_t q;           /* where the first head's queries begin */
    __half *part;       /* and its result */
    float2 *part_sums;
    int n_heads, head_kv, sequence;
    int at, last; /* this warp's first position, and the end of the range; at >= last: none */
    int fresh;    /* positions from it on are written in this step */
    int n_warps;  /* that have positions */
    bool works;   /* some do */
};

/* part: of n_head_kv x n_groups. The step's input was written before the first of its kernels
 * started. */
template <int D, int W>
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
    t.fresh = a.step.fresh[in_batch];
    t.last = min(first + ranges.length, position + 1);
    t.works = position >= 0 && first < t.last;
    t.n_warps = min((t.last - first + POSITIONS - 1) / POSITIONS, W);
    t.at = first + warp * POSITIONS;
    int head = t.head_kv * n_heads + group * HEADS;
    size_t row = ((size_t)token * a.cache.n_head + head) * HEADS_SPLITS + range;
    t.q = ((size_t)in_batch * a.cache.n_head + head) * D;
    t.part = (__half *)a.part + row * D;
    t.part_sums = (float2 *)a.part_sums + row;
    if (warp >= W || !t.works || t.at >= t.last)
        t.at = t.last;
    else
        t.keys = (const __half *)a.cache.data +
                 cache_at(a.cache, a.step, t.sequence, t.at, 0, t.head_kv);
    return t;
}

/* The sixteen positions from `at` on, in the cache. */
template <int D, bool CODES>
static __device__ __forceinline__ auto cached(const struct cuda_attention &a,
                                              const struct heads_task &t, int layer, int at)
{
    if constexpr (CODES)
        return codes_at(a.cache, a.step, t.sequence, at, layer, t.head_kv);
    else
        return rows{(const __half *)a.cache.data +
                        cache_at(a.cache, a.step, t.sequence, at, layer, t.head_kv),
                    KV_BLOCK * D};
}

/* The same of the task's first positions, if it has any. */
template <int D, bool CODES>
static __device__ __forceinline__ auto first_cached(const struct cuda_attention &a,
                                                    const struct heads_task &t, int layer)
{
    if constexpr (CODES) {
        return t.at < t.last ? cached<D, true>(a, t, layer, t.at) : code_rows{};
    } else {
        size_t to_layer = (size_t)layer * a.cache.n_head_kv * 2 * KV_BLOCK * D;
        return rows{t.keys + to_layer, KV_BLOCK * D};
    }
}

/* all += the warp's further positions, `step` from each other. */
template <int D, bool CODES, class L>
static __device__ __forceinline__ void
attend_further(const struct cuda_attention &a, const struct heads_task &t, int layer,
               const struct queries<D> &q, int step, union warp_memory<D> &mine, const L &late,
               struct sums<D> &all)
{
    struct sums<D> s = all;
    struct keys<D> keys;
    uint32_t shares[2];

    for (int at = t.at + step; at < t.last; at += step) {
        const auto from = cached<D, CODES>(a, t, layer, at), to = late(at);
        int n_old = min(t.last, t.fresh) - at;
        __syncwarp();
        fetch_keys<D>(from, 0, n_old, keys);
        fetch_values<D>(from, n_old, mine);
        fetch_keys<D>(to, n_old, t.last - at, keys);
        score<D, false>(q, keys, t.last - at, s, shares);
        fetch_late_values<D>(to, n_old, t.last - at, mine);
        add_values<D>(mine, shares, s);
    }
    all = s;
}

/* Not inlined, so that the first positions get the registers they need. */
template <int D, bool CODES, class L>
static __device__ __noinline__ void
attend_further_apart(const struct cuda_attention &a, const struct heads_task &t, int layer,
                     const struct queries<D> &q, int step, union warp_memory<D> &mine,
                     const L &late, struct sums<D> &all)
{
    attend_further<D, CODES>(a, t, layer, q, step, mine, late, all);
}

/* Computes the task's result in a layer. What earlier steps wrote is fetched before `wait`, which
 * returns when the queries are in shared memory and what this step writes is where late(position)
 * says: it returns the rows of the sixteen positions from there on. APART: registers are scarce.
 * CODES: the cache holds 8-bit codes. By n_workers threads, whose first warps do the work. */
template <int D, int W, bool APART, bool CODES = false, class F, class L>
static __device__ __forceinline__ void attend(const struct cuda_attention &a,
                                              const struct heads_task &t, int layer, int n_workers,
                                              struct heads_memory<D, W> &memory, F wait, L late)
{
    int warp = threadIdx.x / 32, at = t.at, n_old = min(t.last, t.fresh) - at;
    const auto from = first_cached<D, CODES>(a, t, layer);
    union warp_memory<D> &mine = memory.warps[warp % W];
    struct keys<D> keys = {
    };
    struct sums<D> s;
    uint32_t shares[2];

    if (at < t.last) {
        fetch_keys<D>(from, 0, n_old, keys);
        fetch_values<D>(from, n_old, mine);
    }
    wait();
    if (at < t.last) {
        fetch_keys<D>(late(at), n_old, t.last - at, keys);
        score<D, true>(memory.queries, keys, t.last - at, s, shares);
        fetch_late_values<D>(late(at), n_old, t.last - at, mine);
        add_values<D>(mine, shares, s);
        if (!APART) {
            attend_further<D, CODES>(a, t, layer, memory.queries, W * POSITIONS, mine, late, s);
        } else if (at + W * POSITIONS < t.last) {
            struct sums<D> all = s;
            attend_further_apart<D, CODES>(a, t, layer, memory.queries, W * POSITIONS, mine, late,
                                           all);
            s = all;
        }
        leave_results<D>(s, mine.results);
    }
    sync_workers(n_workers);
    if (t.works && t.n_warps <= W / 2)
        merge_heads<D, W / 2>(t.part, t.part_sums, t.n_heads, t.n_warps, n_workers, memory.warps);
    else if (t.works)
        merge_heads<D, W>(t.part, t.part_sums, t.n_heads, t.n_warps, n_workers, memory.warps);
}

#endif
