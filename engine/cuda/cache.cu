/* cache.cu - quantises keys and values, for a cache of 8-bit codes.
 *
 * A group's scale is set by its largest element, and some models' keys have a few that are very
 * large. So keys are first spread by the Walsh-Hadamard transform, which mixes each element of a
 * group into all of them and preserves lengths. Queries are transformed too, so that their
 * products with keys are unchanged. */
#include "cuda/device.cuh"

enum { THREADS = 256 };

/* The transform of a group, of which each lane of the warp holds one element. */
static __device__ __forceinline__ float spread(float x)
{
    int lane = threadIdx.x % 32;

#pragma unroll
    for (int apart = 1; apart < CACHE_GROUP; apart *= 2) {
        float other = __shfl_xor_sync(~0u, x, apart);
        x = lane & apart ? other - x : x + other;
    }
    return x * 0.17677669529663687f; /* 1 / sqrt(CACHE_GROUP) */
}

/* Stores a group's codes and scale. The scale is clamped to what a half can hold, the codes
 * saturate. */
static __device__ __forceinline__ void store_group(float x, uint8_t *codes, __half *scale)
{
    const float largest = 127 * 515.5f;
    int lane = threadIdx.x % 32;

    x = fminf(fmaxf(x, -largest), largest);
    float most = fabsf(x);
#pragma unroll
    for (int k = 16; k > 0; k /= 2)
        most = fmaxf(most, __shfl_xor_sync(~0u, most, k));
    float inverse = most < 1e-30f ? 0 : 127 / most;
    codes[lane] = (uint8_t)(__float2int_rn(x * inverse) + 128);
    if (lane == 0)
        *scale = __float2half_rn(most / 127);
}

/* A warp takes a group of a token's queries, keys or values. Grid: warps by the block, tokens. */
static __global__ void __launch_bounds__(THREADS)
    make_codes(const __grid_constant__ struct cuda_finish f)
{
    static_assert(CACHE_GROUP == 32, "a group is a warp's");
    const struct cuda_cache &c = f.cache;
    int lane = threadIdx.x % 32, token = blockIdx.y, groups = c.head_dim / CACHE_GROUP;
    int at = (blockIdx.x * THREADS + threadIdx.x) / 32, head = at / groups;

    let_next_start();
    wait_for_last();
    int position = f.step.position[token];
    if (position < 0 || head >= c.n_head + 2 * c.n_head_kv)
        return;
    if (head < c.n_head) {
        float *q = (float *)f.out + (size_t)token * f.pitch + at * CACHE_GROUP + lane;
        *q = spread(__ldcg(q));
        return;
    }
    bool of_values = head >= c.n_head + c.n_head_kv;
    int head_kv = (head - c.n_head) % c.n_head_kv, group = at % groups;
    size_t row = (size_t)token * 2 * c.n_head_kv * c.head_dim;
    float x = __ldcg(f.staged + row + (at - c.n_head * groups) * CACHE_GROUP + lane);
    struct code_rows to = codes_at(c, f.step, f.step.sequence[token], position, f.layer, head_kv);
    if (of_values)
        to = values_of(to, c.head_dim);
    store_group(of_values ? x : spread(x), to.codes + group * CACHE_GROUP, to.scales + group);
}

cudaError_t launch_codes(const struct cuda_queue *q, const struct cuda_finish *f, int n_tokens)
{
    int n = (f->cache.n_head + 2 * f->cache.n_head_kv) * f->cache.head_dim;
    dim3 grid((unsigned)((n + THREADS - 1) / THREADS), (unsigned)n_tokens);

    return launch(q, make_codes, grid, THREADS, 0, *f);
}
