/* attention_heads.cu - attention for tokens one by one, a KV head's query heads together: decoding. */
#include "cuda/heads.cuh"

/* Grid: KV heads x groups of query heads, ranges, tokens. */
template <int D>
static __global__ void __launch_bounds__(HEADS_WARPS * 32)
    attend_heads(const __grid_constant__ struct cuda_attention a)
{
    extern __shared__ __align__(16) char shared[];

    let_next_start();
    attend<D>(a, task_of<D>(a, blockIdx.x, blockIdx.y, blockIdx.z), a.q, a.layer, HEADS_WARPS * 32,
              *(struct heads_memory<D> *)shared, [] { wait_for_last(); });
}

bool cuda_attention_tensor_usable(const struct cuda_cache *cache)
{
    return !cache->f32 && (cache->head_dim == 64 || cache->head_dim == 128) &&
           cache->n_head <= MERGE_HEADS;
}

int cuda_head_groups(const struct cuda_cache *cache)
{
    return (cache->n_head / cache->n_head_kv + HEADS - 1) / HEADS;
}

cudaError_t launch_attention_heads(const struct cuda_queue *q, const struct cuda_attention *a,
                                   int n_tokens)
{
    dim3 grid((unsigned)(a->cache.n_head_kv * a->n_groups), (unsigned)a->n_splits,
              (unsigned)n_tokens);

    if (a->cache.head_dim == 64)
        return launch(q, attend_heads<64>, grid, HEADS_WARPS * 32, sizeof(struct heads_memory<64>),
                      *a);
    return launch(q, attend_heads<128>, grid, HEADS_WARPS * 32, sizeof(struct heads_memory<128>),
                  *a);
}
