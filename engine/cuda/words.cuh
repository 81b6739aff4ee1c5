/* words.cuh - how blocks of a running kernel hand values to each other.
 *
 * A fence would take longer than the transfer itself, so there is none: every value says itself
 * whether it has arrived. Either a tag beside it says what it belongs to, or its lowest bit is a
 * mark that flips each time it is written. (Accesses of up to eight bytes are atomic: PTX ISA,
 * "Memory Consistency Model".) A block that needs many values first waits for a counter that the
 * writers increment when the values are due: polling the values would take memory bandwidth from
 * the others. */
#ifndef ENGINE_CUDA_WORDS_CUH
#define ENGINE_CUDA_WORDS_CUH

#include "cuda/device.cuh"

static __device__ __forceinline__ void store_relaxed(void *at, uint64_t v)
{
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(at), "l"(v) : "memory");
}

/* Two neighbouring words of eight bytes each. */
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

/* Waits until both values at `at` have the tag, and returns them. */
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

/* The same with release semantics: what the block wrote before needs no marks. */
static __device__ __forceinline__ void release_one(uint32_t *counter)
{
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
}

/* By one thread: if all polled, they would slow down the writers. */
static __device__ __forceinline__ void wait_for_count(const uint32_t *counter, uint32_t to)
{
    uint32_t v;
    do
        asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(v) : "l"(counter) : "memory");
    while ((int32_t)(v - to) < 0);
}

/* The same of release_one. */
static __device__ __forceinline__ void acquire_count(const uint32_t *counter, uint32_t to)
{
    uint32_t v;
    do
        asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(v) : "l"(counter) : "memory");
    while ((int32_t)(v - to) < 0);
}

#endif
