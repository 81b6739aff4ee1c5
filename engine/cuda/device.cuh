/* device.cuh - shared by all kernels: launching, warps, tensor cores, the cache's addresses. */
#ifndef ENGINE_CUDA_DEVICE_CUH
#define ENGINE_CUDA_DEVICE_CUH

#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include "batch.h"
#include "cuda/kernels.h"

/* Blocks in clusters of n_cluster, where that is more than one. */
template <class... P>
static cudaError_t launch_clusters(const struct cuda_queue *q, void (*kernel)(P...), int n_cluster,
                                   dim3 grid, int threads, size_t shared, P... args)
{
    cudaLaunchAttribute attributes[2] = {};
    attributes[0].id = cudaLaunchAttributeProgrammaticStreamSerialization;
    attributes[0].val.programmaticStreamSerializationAllowed = q->dependent;
    attributes[1].id = cudaLaunchAttributeClusterDimension;
    attributes[1].val.clusterDim.x = (unsigned)n_cluster;
    attributes[1].val.clusterDim.y = attributes[1].val.clusterDim.z = 1;

    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = dim3((unsigned)threads);
    config.dynamicSmemBytes = shared;
    config.stream = q->stream;
    config.attrs = attributes;
    config.numAttrs = n_cluster > 1 ? 2 : q->dependent ? 1 : 0;

    cudaError_t rc = cudaSuccess;
    if (shared > 32 * 1024) /* up to 48 KiB need no attribute */
        rc = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared);
    return rc == cudaSuccess ? cudaLaunchKernelEx(&config, kernel, args...) : rc;
}

template <class... P>
static cudaError_t launch(const struct cuda_queue *q, void (*kernel)(P...), dim3 grid, int threads,
                          size_t shared, P... args)
{
    return launch_clusters(q, kernel, 1, grid, threads, shared, args...);
}

/* Lets the next kernel start. */
static __device__ __forceinline__ void let_next_start(void)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}

/* Returns when everything the previous kernels wrote is visible. Every block calls it, even one
 * with nothing to do: otherwise the next kernel would not wait for the previous one. */
static __device__ __forceinline__ void wait_for_last(void)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

/* A barrier for the first n threads of a block; the others are not involved. */
static __device__ __forceinline__ void sync_workers(int n)
{
    asm volatile("bar.sync 1, %0;" ::"r"(n) : "memory");
}

static __device__ __forceinline__ uint4 load_weights(const void *p)
{
    uint4 v;
    asm volatile("ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "l"(p));
    return v;
}

static __device__ __forceinline__ float warp_sum(float v)
{
#pragma unroll
    for (int k = 16; k > 0; k >>= 1)
        v += __shfl_xor_sync(~0u, v, k);
    return v;
}

/* c[16, 8] += a[16, 16] b[16, 8]. Lane 4 g + t holds: a0, a1 = rows g, g + 8 of k 2t; a2, a3 = the
 * same of k 2t + 8; b0, b1 = column g of k 2t, 2t + 8; c = rows g, g + 8 of columns 2t, 2t + 1. */
static __device__ __forceinline__ void multiply_add(float c[4], uint32_t a0, uint32_t a1,
                                                    uint32_t a2, uint32_t a3, uint32_t b0,
                                                    uint32_t b1)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
                 "{%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
#else
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
                 "{%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a0), "r"(a1), "r"(b0));
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, "
                 "{%4, %5}, {%6}, {%0, %1, %2, %3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a2), "r"(a3), "r"(b1));
#endif
}

static __device__ __forceinline__ uint32_t bits_of(__half2 v)
{
    return *(uint32_t *)&v;
}

static __device__ __forceinline__ __half2 half2_of(uint32_t v)
{
    return *(__half2 *)&v;
}

/* Sixteen bytes to shared memory, or zeros; done when the copies have been waited for. */
static __device__ __forceinline__ void copy_16(__half *to, const __half *from, bool on)
{
#if __CUDA_ARCH__ >= 800
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                     (uint32_t)__cvta_generic_to_shared(to)),
                 "l"(from), "r"(on ? 16 : 0));
#else
    *(uint4 *)to = on ? *(const uint4 *)from : make_uint4(0, 0, 0, 0);
#endif
}

/* Loads four 8 x 8 pieces of halves, each transposed: lane 4 g + t gets rows 2t, 2t + 1 of column
 * g. row: row lane % 8 of piece lane / 8. */
static __device__ __forceinline__ void load_transposed(uint32_t out[4], const __half *row)
{
    uint32_t at = (uint32_t)__cvta_generic_to_shared(row);
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
                 : "r"(at));
}

/* Rounds to the nearest half, saturating instead of overflowing to infinity. */
static __device__ __forceinline__ __half to_half(float v)
{
    return __float2half_rn(fminf(fmaxf(v, -65504.f), 65504.f));
}

/* Splits two numbers into a high and a low half each. */
static __device__ __forceinline__ void split_pair(float x, float y, uint32_t *high, uint32_t *low)
{
    __half2 h = __floats2half2_rn(x, y);
    float2 back = __half22float2(h);

    *high = bits_of(h);
    *low = bits_of(__floats2half2_rn(x - back.x, y - back.y));
}

static __device__ __forceinline__ size_t cache_piece(const struct cuda_cache &c,
                                                     const struct cuda_step &s, int sequence,
                                                     int position, int layer, int head_kv)
{
    int id = s.block_table[sequence * s.max_blocks + position / KV_BLOCK];
    return ((size_t)id * c.n_layer + layer) * c.n_head_kv + head_kv;
}

/* Element 0 of the keys of a position's row; the values are KV_BLOCK rows further on. */
static __device__ __forceinline__ size_t cache_at(const struct cuda_cache &c,
                                                  const struct cuda_step &s, int sequence,
                                                  int position, int layer, int head_kv)
{
    size_t piece = cache_piece(c, s, sequence, position, layer, head_kv);
    return (piece * 2 * KV_BLOCK + position % KV_BLOCK) * c.head_dim;
}

/* The same of codes, and of their scales. */
struct code_rows {
    uint8_t *codes;
    __half *scales;
};

static __device__ __forceinline__ struct code_rows codes_at(const struct cuda_cache &c,
                                                            const struct cuda_step &s, int sequence,
                                                            int position, int layer, int head_kv)
{
    size_t n = (size_t)2 * KV_BLOCK * c.head_dim;
    size_t piece = cache_piece(c, s, sequence, position, layer, head_kv);
    uint8_t *codes = (uint8_t *)c.data + piece * (n + n / CACHE_GROUP * sizeof(__half));
    int row = position % KV_BLOCK;
    return {codes + row * c.head_dim, (__half *)(codes + n) + row * (c.head_dim / CACHE_GROUP)};
}

/* The values that belong to rows of keys. */
static __device__ __forceinline__ struct code_rows values_of(const struct code_rows &keys,
                                                             int head_dim)
{
    return {keys.codes + KV_BLOCK * head_dim, keys.scales + KV_BLOCK * (head_dim / CACHE_GROUP)};
}

/* Eight codes plus 128, as bytes, times their scale. Integers become halves by their bits: 0x6400
 * | n is 1024 + n. */
static __device__ __forceinline__ void scale_codes(uint32_t low, uint32_t high, __half2 scale,
                                                   uint32_t out[4])
{
#pragma unroll
    for (int i = 0; i < 4; i++) {
        uint32_t bits = __byte_perm(i < 2 ? low : high, 0x64646464, i % 2 ? 0x4342 : 0x4140);
        out[i] = bits_of(__hmul2(__hsub2(half2_of(bits), __float2half2_rn(1152)), scale));
    }
}

/* Eight codes of the cache. Bypasses L1, which may hold the line from before another block wrote
 * to it. */
static __device__ __forceinline__ uint4 load_codes(const uint8_t *codes, __half scale)
{
    uint2 code = __ldcg((const uint2 *)codes);
    uint32_t out[4];

    scale_codes(code.x, code.y, __half2half2(scale), out);
    return make_uint4(out[0], out[1], out[2], out[3]);
}

#endif
