/* attention_heads.cu - decode attention: one token at a time, all query heads of a KV head
 * together. */
#include "cuda/heads.cuh"

/* Grid: KV heads x groups of query heads, ranges, tokens. */
template <int D, bool CODES>
static __global__ void __launch_bounds__(HEADS_WARPS * 32)
    attend_heads(const __grid_constant__ struct cuda_attention a)
{
    extern __shared__ __align__(16) char shared[];
    struct heads_memory<D, HEADS_WARPS> &memory = *(struct heads_memory<D, HEADS_WARPS> *)shared;

    let_next_start();
    const struct heads_task t = task_of<D, HEADS_WARPS>(a, blockIdx.x, blockIdx.y, blockIdx.z);
    auto wait = [&] {
        wait_for_last();
        if (t.works)
            load_queries<D>(a.q + t.q, t.n_heads, memory.queries);
        __syncthreads();
    };
    attend<D, HEADS_WARPS, false, CODES>(
        a, t, a.layer, HEADS_WARPS * 32, memory, wait,
        [&](int at) { return cached<D, CODES>(a, t, a.layer, at); });
}

bool cuda_attention_tensor_usable(const struct cuda_cache *cache)
{
    return cache->kind != CUDA_CACHE_FLOATS && (cache->head_dim == 64 || cache->head_dim == 128);
}

int cuda_head_groups(const struct cuda_cache *cache)
{
    return (cache->n_head / cache->n_head_kv + HEADS - 1) / HEADS;
}

template <int D>
static cudaError_t launch_heads(const struct cuda_queue *q, const struct cuda_attention *a,
                                int n_tokens)
{
    bool codes = a->cache.kind == CUDA_CACHE_CODES;
    dim3 grid((unsigned)(a->cache.n_head_kv * a->n_groups), (unsigned)a->n_splits,
              (unsigned)n_tokens);

    return launch(q, codes ? attend_heads<D, true> : attend_heads<D, false>, grid, HEADS_WARPS * 32,
                  sizeof(struct heads_memory<D, HEADS_WARPS>), *a);
}

cudaError_t launch_attention_heads(const struct cuda_queue *q, const struct cuda_attention *a,
                                   int n_tokens)
{
    return a->cache.head_dim == 64 ? launch_heads<64>(q, a, n_tokens)
                                   : launch_heads<128>(q, a, n_tokens);
}
