/* attention_spans.cu - attention for many tokens of one sequence: prefill.
 *
 * A block takes a span of up to 64 tokens and one query head; each of its four warps takes sixteen
 * tokens and walks over the blocks of the cache, which are fetched into shared memory one ahead
 * (Dao et al. 2022). The matrix of scores exists only in registers. Queries are split into a high
 * and a low half, so that scores keep the precision of floats times the cache's halves. */
#include "cuda/device.cuh"

enum { WARPS = 4, ROWS = 16, KEYS = KV_BLOCK, PAD = 8 };
static_assert(WARPS * ROWS == ATTENTION_ROWS, "a span is a block");

/* Waits for all copies except those of the last `ahead` tiles. */
template <int AHEAD> static __device__ __forceinline__ void wait_for_copies(void)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_group %0;" ::"n"(AHEAD) : "memory");
#endif
}

static __device__ __forceinline__ void end_of_copies(void)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/* A tile is a block of the cache: keys, then values. */
template <int D> struct tile {
    __half keys[KEYS * (D + PAD)], values[KEYS * (D + PAD)];
};

/* Starts fetching the block of position `first`; rows from position `last` on become zeros. */
template <int D>
static __device__ __forceinline__ void fetch(const struct cuda_attention &a, int sequence,
                                             int head_kv, int first, int last, struct tile<D> &t)
{
    if (first < last) {
        const __half *from = (const __half *)a.cache.data +
                             cache_at(a.cache, a.step, sequence, first, a.layer, head_kv);
#pragma unroll
        for (int k = 0; k < KEYS * D / 8 / (WARPS * 32); k++) {
            int i = threadIdx.x + k * WARPS * 32, row = i / (D / 8), dim = i % (D / 8) * 8;
            bool on = first + row < last;
            copy_16(t.keys + row * (D + PAD) + dim, from + row * D + dim, on);
            copy_16(t.values + row * (D + PAD) + dim, from + (KV_BLOCK + row) * D + dim, on);
        }
    }
    end_of_copies();
}

/* The same for 8-bit codes, synchronously. */
template <int D>
static __device__ __forceinline__ void fetch_codes(const struct cuda_attention &a, int sequence,
                                                   int head_kv, int first, int last,
                                                   struct tile<D> &t)
{
    if (first >= last)
        return;
    struct code_rows keys = codes_at(a.cache, a.step, sequence, first, a.layer, head_kv);
    struct code_rows values = values_of(keys, D);
#pragma unroll
    for (int k = 0; k < KEYS * D / 8 / (WARPS * 32); k++) {
        int i = threadIdx.x + k * WARPS * 32, row = i / (D / 8), dim = i % (D / 8) * 8;
        int scale = row * (D / CACHE_GROUP) + dim / CACHE_GROUP;
        uint4 key = make_uint4(0, 0, 0, 0), value = key;
        if (first + row < last) {
            key = load_codes(keys.codes + row * D + dim, __ldcg(keys.scales + scale));
            value = load_codes(values.codes + row * D + dim, __ldcg(values.scales + scale));
        }
        *(uint4 *)(t.keys + row * (D + PAD) + dim) = key;
        *(uint4 *)(t.values + row * (D + PAD) + dim) = value;
    }
}

static __device__ __forceinline__ void load_rows(uint32_t out[4], const __half *row)
{
    uint32_t at = (uint32_t)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(at));
}

/* A lane's part of its warp's sixteen tokens: rows g and g + 8. */
template <int D> struct rows {
    uint32_t high[D / 16][4], low[D / 16][4]; /* the queries, laid out as A */
    float out[D / 8][4];
    float max[2], sum[2];
    int position[2];
};

/* Scores of 64 keys, then their probabilities as halves, laid out as A of the second product. */
template <int D>
static __device__ __forceinline__ void score(struct rows<D> &r, const __half *keys, int first,
                                             uint32_t p[KEYS / 16][4])
{
    int lane = threadIdx.x % 32, t = lane % 4;
    float s[KEYS / 8][4];

#pragma unroll
    for (int j = 0; j < KEYS / 8; j++) {
        s[j][0] = s[j][1] = s[j][2] = s[j][3] = 0;
        const __half *key = keys + (j * 8 + lane % 8) * (D + PAD) + lane / 8 * 8;
#pragma unroll
        for (int k = 0; k < D / 16; k += 2) {
            uint32_t b[4];
            load_rows(b, key + k * 16);
#pragma unroll
            for (int i = 0; i < 2; i++) {
                const uint32_t *high = r.high[k + i], *low = r.low[k + i];
                multiply_add(s[j], high[0], high[1], high[2], high[3], b[2 * i], b[2 * i + 1]);
                multiply_add(s[j], low[0], low[1], low[2], low[3], b[2 * i], b[2 * i + 1]);
            }
        }
    }
#pragma unroll
    for (int row = 0; row < 2; row++) {
        float max = r.max[row];
#pragma unroll
        for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
            for (int i = 0; i < 2; i++) {
                float *at = &s[j][row * 2 + i];
                if (first + j * 8 + t * 2 + i > r.position[row])
                    *at = -INFINITY;
                max = fmaxf(max, *at);
            }
        }
        max = fmaxf(max, __shfl_xor_sync(~0u, max, 1));
        max = fmaxf(max, __shfl_xor_sync(~0u, max, 2));
        float base = max == -INFINITY ? 0 : max, old = exp2f(r.max[row] - base), sum = 0;
#pragma unroll
        for (int j = 0; j < KEYS / 8; j++) {
#pragma unroll
            for (int i = 0; i < 2; i++) {
                float *at = &s[j][row * 2 + i];
                *at = exp2f(*at - base);
                sum += *at;
            }
        }
        r.max[row] = max;
        r.sum[row] = r.sum[row] * old + sum;
#pragma unroll
        for (int j = 0; j < D / 8; j++) {
            r.out[j][row * 2] *= old;
            r.out[j][row * 2 + 1] *= old;
        }
    }
#pragma unroll
    for (int k = 0; k < KEYS / 16; k++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float *of = &s[2 * k + i / 2][i % 2 * 2];
            p[k][i] = bits_of(__floats2half2_rn(of[0], of[1]));
        }
    }
}

template <int D>
static __device__ __forceinline__ void add_values(struct rows<D> &r, const __half *values,
                                                  const uint32_t p[KEYS / 16][4])
{
    int lane = threadIdx.x % 32;

#pragma unroll
    for (int k = 0; k < KEYS / 16; k++) {
#pragma unroll
        for (int j = 0; j < D / 16; j++) {
            uint32_t b[4];
            load_transposed(b, values + (k * 16 + lane % 16) * (D + PAD) + j * 16 + lane / 16 * 8);
            multiply_add(r.out[2 * j], p[k][0], p[k][1], p[k][2], p[k][3], b[0], b[1]);
            multiply_add(r.out[2 * j + 1], p[k][0], p[k][1], p[k][2], p[k][3], b[2], b[3]);
        }
    }
}

template <int D>
static __device__ __forceinline__ void load_queries(const struct cuda_attention &a, int first,
                                                    int n, int head, struct rows<D> &r)
{
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4, warp = threadIdx.x / 32;
    float scale = 1.4426950408889634f * rsqrtf((float)D);

#pragma unroll
    for (int row = 0; row < 2; row++) {
        int i = warp * ROWS + row * 8 + g, token = first + (i < n ? i : n - 1);
        const float *q = a.q + ((size_t)token * a.cache.n_head + head) * D + t * 2;
        r.position[row] = a.step.position[token];
        r.max[row] = -INFINITY;
        r.sum[row] = 0;
#pragma unroll
        for (int k = 0; k < D / 8; k++) {
            float2 v = *(const float2 *)(q + k * 8);
            split_pair(v.x * scale, v.y * scale, &r.high[k / 2][k % 2 * 2 + row],
                       &r.low[k / 2][k % 2 * 2 + row]);
        }
    }
#pragma unroll
    for (int j = 0; j < D / 8; j++)
        r.out[j][0] = r.out[j][1] = r.out[j][2] = r.out[j][3] = 0;
}

/* Grid: query heads, spans. */
template <int D, bool CODES>
static __global__ void __launch_bounds__(WARPS * 32)
    attend_span(const __grid_constant__ struct cuda_attention a)
{
    __shared__ __align__(16) struct tile<D> tiles[2];
    int head = blockIdx.x, head_kv = head / (a.cache.n_head / a.cache.n_head_kv);
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4, warp = threadIdx.x / 32;

    let_next_start();
    wait_for_last();
    int span = gridDim.y - 1 - blockIdx.y; /* the longest first */
    int first = a.spans[2 * span], n = a.spans[2 * span + 1];
    int sequence = a.step.sequence[first], last = a.step.position[first + n - 1] + 1;

    auto bring = [&](int at, struct tile<D> &to) {
        if constexpr (CODES)
            fetch_codes<D>(a, sequence, head_kv, at, last, to);
        else
            fetch<D>(a, sequence, head_kv, at, last, to);
    };
    struct rows<D> r;
    load_queries<D>(a, first, n, head, r);
    bring(0, tiles[0]);
    for (int at = 0; at < last; at += KEYS) {
        const struct tile<D> &now = tiles[at / KEYS % 2];
        uint32_t p[KEYS / 16][4];
        bring(at + KEYS, tiles[(at / KEYS + 1) % 2]);
        wait_for_copies<1>();
        __syncthreads();
        score<D>(r, now.keys, at, p);
        add_values<D>(r, now.values, p);
        __syncthreads();
    }
#pragma unroll
    for (int row = 0; row < 2; row++) {
        float sum = r.sum[row];
        sum += __shfl_xor_sync(~0u, sum, 1);
        sum += __shfl_xor_sync(~0u, sum, 2);
        int i = warp * ROWS + row * 8 + g;
        if (i >= n)
            continue;
        __half *out = (__half *)a.out + (size_t)(first + i) * a.pitch + head * D + t * 2;
#pragma unroll
        for (int j = 0; j < D / 8; j++)
            *(__half2 *)(out + j * 8) = __halves2half2(to_half(r.out[j][row * 2] / sum),
                                                       to_half(r.out[j][row * 2 + 1] / sum));
    }
}

template <int D>
static cudaError_t launch_spans(const struct cuda_queue *q, const struct cuda_attention *a,
                                int n_spans)
{
    bool codes = a->cache.kind == CUDA_CACHE_CODES;
    dim3 grid((unsigned)a->cache.n_head, (unsigned)n_spans);

    return launch(q, codes ? attend_span<D, true> : attend_span<D, false>, grid, WARPS * 32, 0, *a);
}

cudaError_t launch_attention_spans(const struct cuda_queue *q, const struct cuda_attention *a,
                                   int n_spans)
{
    return a->cache.head_dim == 64 ? launch_spans<64>(q, a, n_spans)
                                   : launch_spans<128>(q, a, n_spans);
}
