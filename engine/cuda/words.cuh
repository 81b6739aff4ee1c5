/* words.cuh - what blocks of a running kernel leave for each other.
 *
 * A fence takes longer than all that is to be handed over, so there is none: every number says itself
 * whether it is there yet. Either it has a tag beside it, which says what it is of, or its lowest bit is
 * a mark, which is the other way round each time that it is written anew. (Accesses of up to eight bytes are
 * whole: PTX ISA, "Memory Consistency Model".) Who would have to look for many numbers first waits for
 * a counter that blocks add to behind theirs: looking takes memory's time from others. */
#ifndef ENGINE_CUDA_WORDS_CUH
#define ENGINE_CUDA_WORDS_CUH

#include "cuda/device.cuh"

static __device__ __forceinline__ void store_relaxed(void *at, uint64_t v)
{
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(at), "l"(v) : "memory");
}

/* Two neighbours of eight bytes each. */
static __device__ __forceinline__ void store_relaxed(void *at, uint64_t v0, uint64_t v1)
{
    asm volatile("st.relaxed.gpu.global.v2.u64 [%0], {%1, %2};" ::"l"(at), "l"(v0), "l"(v1)
                 : "memory");
}

static __device__ __forceinline__ void load_relaxed(const void *at, uint64_t v[2])
{
    asm volatile("ld.relaxed.gpu.global.v2.u64 {%0, %1}, [%2];"
                 : "=l"(v[0]), "=l"(v[1])
                 : "l"(at)
                 : "memory");
}

static __device__ __forceinline__ uint2 load_relaxed(const void *at)
{
    uint2 v;
    asm volatile("ld.relaxed.gpu.global.v2.u32 {%0, %1}, [%2];"
                 : "=r"(v.x), "=r"(v.y)
                 : "l"(at)
                 : "memory");
    return v;
}

static __device__ __forceinline__ uint64_t tagged(uint32_t value, uint32_t tag)
{
    return (uint64_t)tag << 32 | value;
}

/* The two values from `at` on, once both have the tag. */
static __device__ __forceinline__ uint2 take_tagged(const struct cuda_word *at, uint32_t tag)
{
    uint64_t v[2];
    do
        load_relaxed(at, v);
    while (v[0] >> 32 != tag || v[1] >> 32 != tag);
    return make_uint2((uint32_t)v[0], (uint32_t)v[1]);
}

template <class T> static __device__ __forceinline__ T marked(T bits, unsigned mark)
{
    return (bits & ~(T)1) | mark;
}

/* Counters only grow (and wrap). */
static __device__ __forceinline__ void count_one(uint32_t *counter)
{
    asm volatile("red.relaxed.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
}

/* The same after all that the block has written, which needs no marks then. */
static __device__ __forceinline__ void release_one(uint32_t *counter)
{
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
}

/* By one thread: if all looked, they would be in the way of what is written. */
static __device__ __forceinline__ void wait_for_count(const uint32_t *counter, uint32_t to)
{
    uint32_t v;
    do
        asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(v) : "l"(counter) : "memory");
    while ((int32_t)(v - to) < 0);
}

#endif
