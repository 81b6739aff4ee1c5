/* attention_spans.cu - the same for many tokens of one sequence: reading a prompt.
 *
 * A block takes a span of up to 64 tokens and one query head; each of its four warps takes sixteen
 * tokens and walks over the keys 64 positions at a time, which the block brings to shared memory
 * (Dao et al. 2022). The matrix of scores exists only in registers. Queries are split into two
 * halves, high and low, so that scores keep the precision of floats times the cache's halves. */
#include "cuda/device.cuh"

enum { WARPS = 4, ROWS = 16, KEYS = 64, PAD = 8 };
static_assert(WARPS * ROWS == ATTENTION_ROWS, "a span is a block");

/* Keys and values from position `first` on into shared memory; those from `last` on are zeros. */
template <int D>
static __device__ __forceinline__ void fetch(const struct cuda_attention &a, int sequence,
                                             int head_kv, int first, int last, __half *keys,
                                             __half *values)
{
    for (int i = threadIdx.x; i < KEYS * D / 8; i += WARPS * 32) {
        int row = i / (D / 8), dim = i % (D / 8) * 8, position = first + row;
        uint4 k = make_uint4(0, 0, 0, 0), v = k;
        if (position < last) {
            const __half *at = (const __half *)a.cache.data + dim +
                               cache_at(a.cache, a.step, sequence, position, a.layer, head_kv);
            k = *(const uint4 *)at;
            v = *(const uint4 *)(at + KV_BLOCK * D);
        }
        *(uint4 *)(keys + row * (D + PAD) + dim) = k;
        *(uint4 *)(values + row * (D + PAD) + dim) = v;
    }
}

static __device__ __forceinline__ void split(float2 v, uint32_t *high, uint32_t *low)
{
    __half2 h = __floats2half2_rn(v.x, v.y);
    float2 back = __half22float2(h);
    *high = bits_of(h);
    *low = bits_of(__floats2half2_rn(v.x - back.x, v.y - back.y));
}

static __device__ __forceinline__ void load_transposed(uint32_t out[4], const __half *row)
{
    uint32_t at = (uint32_t)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(at));
}

/* What a lane holds of its warp's sixteen tokens: rows g and g + 8. */
template <int D> struct rows {
    uint32_t high[D / 16][4], low[D / 16][4]; /* of the queries, as A */
    float out[D / 8][4];
    float max[2], sum[2];
    int position[2];
};

/* Scores of 64 keys, then their probabilities as halves, as A of the second product. */
template <int D>
static __device__ __forceinline__ void score(struct rows<D> &r, const __half *keys, int first,
                                             uint32_t p[KEYS / 16][4])
{
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    float s[KEYS / 8][4];

#pragma unroll
    for (int j = 0; j < KEYS / 8; j++) {
        s[j][0] = s[j][1] = s[j][2] = s[j][3] = 0;
        const __half *key = keys + (j * 8 + g) * (D + PAD) + t * 2;
#pragma unroll
        for (int k = 0; k < D / 16; k++) {
            uint32_t b0 = *(const uint32_t *)(key + k * 16);
            uint32_t b1 = *(const uint32_t *)(key + k * 16 + 8);
            multiply_add(s[j], r.high[k][0], r.high[k][1], r.high[k][2], r.high[k][3], b0, b1);
            multiply_add(s[j], r.low[k][0], r.low[k][1], r.low[k][2], r.low[k][3], b0, b1);
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
            split(make_float2(v.x * scale, v.y * scale), &r.high[k / 2][k % 2 * 2 + row],
                  &r.low[k / 2][k % 2 * 2 + row]);
        }
    }
#pragma unroll
    for (int j = 0; j < D / 8; j++)
        r.out[j][0] = r.out[j][1] = r.out[j][2] = r.out[j][3] = 0;
}

/* Grid: query heads, spans. */
template <int D>
static __global__ void __launch_bounds__(WARPS * 32)
    attend_span(const __grid_constant__ struct cuda_attention a)
{
    __shared__ __align__(16) __half keys[KEYS * (D + PAD)], values[KEYS * (D + PAD)];
    int head = blockIdx.x, head_kv = head / (a.cache.n_head / a.cache.n_head_kv);
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4, warp = threadIdx.x / 32;

    let_next_start();
    wait_for_last();
    int first = a.spans[2 * blockIdx.y], n = a.spans[2 * blockIdx.y + 1];
    int sequence = a.step.sequence[first], last = a.step.position[first + n - 1] + 1;

    struct rows<D> r;
    load_queries<D>(a, first, n, head, r);
    for (int at = 0; at < last; at += KEYS) {
        uint32_t p[KEYS / 16][4];
        __syncthreads();
        fetch<D>(a, sequence, head_kv, at, last, keys, values);
        __syncthreads();
        score<D>(r, keys, at, p);
        add_values<D>(r, values, p);
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

bool cuda_attention_spans_usable(const struct cuda_cache *cache)
{
    return !cache->f32 && (cache->head_dim == 64 || cache->head_dim == 128);
}

cudaError_t launch_attention_spans(const struct cuda_queue *q, const struct cuda_attention *a,
                                   int n_spans)
{
    dim3 grid((unsigned)a->cache.n_head, (unsigned)n_spans);

    if (a->cache.head_dim == 64)
        return launch(q, attend_span<64>, grid, WARPS * 32, 0, *a);
    return launch(q, attend_span<128>, grid, WARPS * 32, 0, *a);
}
