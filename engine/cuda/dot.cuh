/* dot.cuh - a chunk of weights times one token's columns, on tensor cores.
 *
 * The instruction's A is the weights: its rows 0-7 are the chunk's rows in the first half of its
 * columns, rows 8-15 the same rows in the second. B's columns are the chunk's eight units of x. Of
 * the result for unit u of each half only columns u and u + 4 have a meaning: the sums of a unit
 * each, side by side, to be scaled in floats. Codes are not converted to weights: as halves they
 * are 1024 + code, or 1024 + 16 code where x is divided by 16, and the excess is known from sums
 * of x. */
#ifndef ENGINE_CUDA_DOT_CUH
#define ENGINE_CUDA_DOT_CUH

#include "cuda/ring.cuh"

/* A token's columns in shared memory. sums: for each 16 columns their sum, and their sum with
 * columns 2, 3, 6 and 7 of each eight divided by 16. */
struct columns {
    __half *x;
    float2 *sums;
};

/* The contribution of a pair of columns to the sums: pair i of the row. */
static __device__ __forceinline__ float2 sums_of_pair(float2 v, int i)
{
    float sum = v.x + v.y;
    return make_float2(sum, i % 2 ? sum / 16 : sum);
}

static __device__ __forceinline__ uint32_t and_or(uint32_t a, uint32_t mask, uint32_t bits)
{
    uint32_t out;
    asm("lop3.b32 %0, %1, %2, %3, 0xea;" : "=r"(out) : "r"(a), "r"(mask), "r"(bits));
    return out;
}

/* Half a chunk as codes: pair j of unit u as two halves of 1024 + code or, if SIXTEENTH and j is
 * odd, 1024 + 16 code. OFFSET is subtracted from a code. scale() computes the result of two units
 * of a row from their sums of codes and of x; K6 has a scale for each half of a unit. */
template <int F> struct codes;

template <> struct codes<CUDA_Q8> {
    static constexpr float OFFSET = 128;
    static constexpr bool SIXTEENTH = false;
    uint4 w[2];

    __device__ void load(const char *chunk, int half, int lane)
    {
        w[0] = *(const uint4 *)(chunk + half * 1024 + lane * 16);
        w[1] = *(const uint4 *)(chunk + half * 1024 + 512 + lane * 16);
    }
    __device__ uint32_t pair(int u, int j) const
    {
        uint32_t word = u % 2 ? (j < 2 ? w[u / 2].z : w[u / 2].w) : j < 2 ? w[u / 2].x : w[u / 2].y;
        return __byte_perm(word, 0x64646464, j % 2 ? 0x4342 : 0x4140);
    }
    /* Of units u and u + 1 of a half, u even. */
    static __device__ void scale(const char *chunk, int half, int row, int u, float s[2],
                                 float o[2])
    {
        uint32_t d = *(const uint32_t *)(chunk + 2048 + half * 64 + row * 8 + u * 2);
        float2 f = __half22float2(half2_of(d));
        s[0] = f.x, s[1] = f.y;
        o[0] = o[1] = 0;
    }
};

/* Four and five bits. */
template <int F> struct codes_nibbles {
    static constexpr float OFFSET = 0;
    static constexpr bool SIXTEENTH = true;
    uint4 w;
    uint32_t high;

    __device__ void load(const char *chunk, int half, int lane)
    {
        w = *(const uint4 *)(chunk + half * 512 + lane * 16);
        high = 0;
        if (F == CUDA_A5 || F == CUDA_K5)
            high = *(const uint32_t *)(chunk + parts_of(F).code + half * 128 + lane * 4);
    }
    __device__ uint32_t pair(int u, int j) const
    {
        uint32_t word = u == 0 ? w.x : u == 1 ? w.y : u == 2 ? w.z : w.w, bits = 0x64006400;
        if (F == CUDA_A5 || F == CUDA_K5)
            bits |= fifth_bits(high >> 8 * u & 255, j) << j % 2 * 4;
        return and_or(word >> j / 2 * 8, j % 2 ? 0x00f000f0 : 0x000f000f, bits);
    }
    static __device__ void scale(const char *chunk, int half, int row, int u, float s[2],
                                 float o[2])
    {
        constexpr struct parts p = parts_of(F);
        const char *scales = chunk + p.code + p.high;
        if (F == CUDA_A4 || F == CUDA_A5) {
            uint2 d = *(const uint2 *)(scales + half * 128 + row * 16 + u * 4);
            float2 a = __half22float2(half2_of(d.x)), b = __half22float2(half2_of(d.y));
            s[0] = a.x, o[0] = a.y;
            s[1] = b.x, o[1] = b.y;
            return;
        }
        uint32_t bytes = *(const uint32_t *)(scales + half * 64 + row * 8 + u * 2);
        float2 d = __half22float2(half2_of(*(const uint32_t *)(scales + p.scale + row * 4)));
        s[0] = d.x * byte_of(bytes, 0);
        o[0] = d.y * byte_of(bytes, 1);
        s[1] = d.x * byte_of(bytes, 2);
        o[1] = d.y * byte_of(bytes, 3);
    }
    /* 0x4b000000 | n is 2^23 + n. */
    static __device__ float byte_of(uint32_t bytes, int i)
    {
        return __uint_as_float(__byte_perm(bytes, 0x4b000000, 0x7440 | i)) - 8388608.f;
    }
};
template <> struct codes<CUDA_A4> : codes_nibbles<CUDA_A4> {
};
template <> struct codes<CUDA_A5> : codes_nibbles<CUDA_A5> {
};
template <> struct codes<CUDA_K4> : codes_nibbles<CUDA_K4> {
};
template <> struct codes<CUDA_K5> : codes_nibbles<CUDA_K5> {
};

/* Six bits, and a scale for each half of a unit. */
template <> struct codes<CUDA_K6> {
    uint4 w;
    uint2 high;

    __device__ void load(const char *chunk, int half, int lane)
    {
        w = *(const uint4 *)(chunk + half * 512 + lane * 16);
        high = *(const uint2 *)(chunk + parts_of(CUDA_K6).code + half * 256 + lane * 8);
    }
    __device__ uint32_t pair(int u, int j) const
    {
        uint32_t word = u == 0 ? w.x : u == 1 ? w.y : u == 2 ? w.z : w.w;
        uint32_t low = and_or(word >> j / 2 * 8, j % 2 ? 0x00f000f0 : 0x000f000f, 0x64006400);
        uint32_t bits = u < 2 ? high.x : high.y;
        int from = u % 2 * 8 + 2 * j, to = j % 2 ? 8 : 4;
        return and_or(from > to ? bits >> (from - to) : bits << (to - from),
                      j % 2 ? 0x03000300 : 0x00300030, low);
    }
    static __device__ void scale(const char *chunk, int half, int row, int u, float s[4])
    {
        constexpr struct parts p = parts_of(CUDA_K6);
        const char *scales = chunk + p.code + p.high;
        uint32_t bytes = *(const uint32_t *)(scales + half * 64 + row * 8 + u * 2);
        float d = __half2float(*(const __half *)(scales + p.scale + row * 2));
#pragma unroll
        for (int i = 0; i < 4; i++)
            s[i] = d * (codes_nibbles<CUDA_K4>::byte_of(bytes, i) - 128);
    }
};

/* Units 2t and 2t + 1 of a chunk: rows 0-7 hold its first half's results, rows 8-15 its second's.
 */
static __device__ __forceinline__ float2 own_units(const float v[4][4], int t)
{
    return make_float2(t == 0   ? v[0][0]
                       : t == 1 ? v[2][0]
                       : t == 2 ? v[0][2]
                                : v[2][2],
                       t == 0   ? v[1][1]
                       : t == 1 ? v[3][1]
                       : t == 2 ? v[1][3]
                                : v[3][3]);
}

/* Divides the odd pairs by 16. */
static __device__ __forceinline__ uint4 with_sixteenths(uint4 x)
{
    const __half2 sixteenth = __float2half2_rn(1.f / 16);
    x.y = bits_of(__hmul2(half2_of(x.y), sixteenth));
    x.w = bits_of(__hmul2(half2_of(x.w), sixteenth));
    return x;
}

/* Lane 4 g + t's part of row g: the four lanes of a row add up to all of it. */
template <int F>
static __device__ __forceinline__ float dot_codes(const char *chunk, const struct columns &c,
                                                  int lane)
{
    int g = lane / 4, t = lane % 4;
    uint4 x = *(const uint4 *)(c.x + g * UNIT + t * 8);
    float4 x0 = *(const float4 *)(c.sums + 4 * t), x1 = *(const float4 *)(c.sums + 4 * t + 2);
    codes<F> low, high;
    float v[4][4] = {}, s[2], o[2];

    low.load(chunk, 0, lane);
    high.load(chunk, 1, lane);
    codes<F>::scale(chunk, t / 2, g, t % 2 * 2, s, o);
    if (codes<F>::SIXTEENTH)
        x = with_sixteenths(x);
#pragma unroll
    for (int u = 0; u < 4; u++) {
        multiply_add(v[u], low.pair(u, 0), high.pair(u, 0), low.pair(u, 1), high.pair(u, 1), x.x,
                     x.y);
        multiply_add(v[u], low.pair(u, 2), high.pair(u, 2), low.pair(u, 3), high.pair(u, 3), x.z,
                     x.w);
    }
    float2 raw = own_units(v, t);
    if (!codes<F>::SIXTEENTH) {
        constexpr float too_much = 1024 + codes<F>::OFFSET;
        return s[0] * (raw.x - too_much * (x0.x + x0.z)) +
               s[1] * (raw.y - too_much * (x1.x + x1.z));
    }
    return s[0] * (raw.x - 1024 * (x0.y + x0.w)) + s[1] * (raw.y - 1024 * (x1.y + x1.w)) +
           (o[0] * (x0.x + x0.z) + o[1] * (x1.x + x1.z));
}

/* The same for K6: the halves of units are kept apart too. Lanes with t < 2 hold the first ones. */
static __device__ __forceinline__ float dot_k6(const char *chunk, const struct columns &c, int lane)
{
    int g = lane / 4, t = lane % 4;
    uint4 x = with_sixteenths(*(const uint4 *)(c.x + g * UNIT + t * 8));
    float4 x0 = *(const float4 *)(c.sums + 4 * t), x1 = *(const float4 *)(c.sums + 4 * t + 2);
    uint32_t first = t < 2 ? ~0u : 0;
    codes<CUDA_K6> low, high;
    float a[4][4] = {}, b[4][4] = {}, s[4];

    low.load(chunk, 0, lane);
    high.load(chunk, 1, lane);
    codes<CUDA_K6>::scale(chunk, t / 2, g, t % 2 * 2, s);
#pragma unroll
    for (int u = 0; u < 4; u++) {
#pragma unroll
        for (int j = 0; j < 4; j += 2) {
            uint32_t w0 = low.pair(u, j), w1 = high.pair(u, j), w2 = low.pair(u, j + 1);
            uint32_t w3 = high.pair(u, j + 1), xa = j ? x.z : x.x, xb = j ? x.w : x.y;
            multiply_add(a[u], w0, w1, w2, w3, xa & first, xb & first);
            multiply_add(b[u], w0, w1, w2, w3, xa & ~first, xb & ~first);
        }
    }
    float2 of_a = own_units(a, t), of_b = own_units(b, t);
    return s[0] * (of_a.x - 1024 * x0.y - 32 * x0.x) + s[1] * (of_b.x - 1024 * x0.w - 32 * x0.z) +
           s[2] * (of_a.y - 1024 * x1.y - 32 * x1.x) + s[3] * (of_b.y - 1024 * x1.w - 32 * x1.z);
}

/* The same for F16: only the halves of the chunk are kept apart, in columns 0 and 1. */
static __device__ __forceinline__ float dot_halves(const struct chunk &chunk,
                                                   const struct columns &c, int lane)
{
    int g = lane / 4, t = lane % 4;
    const uint4 *x = (const uint4 *)(c.x + g % 2 * (CHUNK / 2) + t * 8);
    format<CUDA_F16> low, high;
    float v[2][4] = {};

    low.load<in_shared>(chunk, 0, lane);
    high.load<in_shared>(chunk, 1, lane);
#pragma unroll
    for (int u = 0; u < 4; u++) {
        uint4 of_x = x[u * UNIT / 8];
        multiply_add(v[0], low.w[u].x, high.w[u].x, low.w[u].y, high.w[u].y, of_x.x, of_x.y);
        multiply_add(v[1], low.w[u].z, high.w[u].z, low.w[u].w, high.w[u].w, of_x.z, of_x.w);
    }
    return t == 0 ? (v[0][0] + v[1][0]) + (v[0][3] + v[1][3]) : 0;
}

/* Writes the chunk's eight rows to out[8]. By a warp. */
template <int F>
static __device__ __forceinline__ void dot_chunk(const struct chunk &chunk, const struct columns &c,
                                                 int lane, float *out)
{
    float sum;

    if constexpr (F == CUDA_F16) {
        sum = dot_halves(chunk, c, lane);
    } else {
        if constexpr (F == CUDA_K6)
            sum = dot_k6(chunk.at, c, lane);
        else
            sum = dot_codes<F>(chunk.at, c, lane);
        sum += __shfl_xor_sync(~0u, sum, 1);
        sum += __shfl_xor_sync(~0u, sum, 2);
    }
    if (lane % 4 == 0)
        out[lane / 4] = sum;
}

#endif
