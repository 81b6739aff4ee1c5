/* ring.cuh - a ring of slots in shared memory, filled with chunks of a matrix by the bulk copy
 * engine of compute capability 9.0 (PTX ISA, "cp.async.bulk" and "mbarrier"). */
#ifndef ENGINE_CUDA_RING_CUH
#define ENGINE_CUDA_RING_CUH

#include "cuda/format.cuh"

/* A row of a chunk of F16; rows in a slot are padded, so that they lie in different banks. */
enum { F16_ROW = CHUNK * 2, F16_PAD = 64 };

static __device__ __forceinline__ uint32_t shared_address(const void *p)
{
    return (uint32_t)__cvta_generic_to_shared(p);
}

/* n arrivals complete a phase, once its bytes have arrived too. By one thread, before any other
 * use. */
static __device__ __forceinline__ void barrier_init(uint64_t *barrier, int n)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(n)
                 : "memory");
#endif
}

static __device__ __forceinline__ void barrier_arrive(uint64_t *barrier)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("mbarrier.arrive.shared.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
#endif
}

static __device__ __forceinline__ void barriers_ready(void)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
#endif
}

static __device__ __forceinline__ void barrier_expect(uint64_t *barrier, int bytes)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("mbarrier.arrive.expect_tx.shared.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
                 "r"(bytes)
                 : "memory");
#endif
}

static __device__ __forceinline__ void barrier_wait(uint64_t *barrier, int phase)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("{\n"
                 ".reg .pred done;\n"
                 "again:\n"
                 "mbarrier.try_wait.parity.shared.b64 done, [%0], %1;\n"
                 "@!done bra again;\n"
                 "}" ::"r"(shared_address(barrier)),
                 "r"(phase)
                 : "memory");
#endif
}

/* Weights are read once in a step: they go from the cache first. */
static __device__ __forceinline__ uint64_t read_once(void)
{
    uint64_t policy = 0;
#if __CUDA_ARCH__ >= 900
    asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
#endif
    return policy;
}

static __device__ __forceinline__ void bulk_copy(void *to, const void *from, int bytes,
                                                 uint64_t *barrier, uint64_t policy)
{
#if __CUDA_ARCH__ >= 900
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint "
                 "[%0], [%1], %2, [%3], %4;" ::"r"(shared_address(to)),
                 "l"(from), "r"(bytes), "r"(shared_address(barrier)), "l"(policy)
                 : "memory");
#endif
}

#endif
