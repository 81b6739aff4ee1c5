/* simd_avx512.h - the vectors of kernels.inc in AVX-512 with VNNI. */
#ifndef ENGINE_CPU_SIMD_AVX512_H
#define ENGINE_CPU_SIMD_AVX512_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum {
    LANES = 16,
    MAX_COLS = 16,      /* columns of integers whose sums stay in registers beside 8 of weights */
    MAX_FLOAT_COLS = 8, /* likewise of floats, each in two sums */
    WIDE_BIAS = 0,      /* what dot4_wide takes away from its codes */
};

typedef __m512 vec;
typedef __m512i ivec; /* 16 words */

static inline vec vec_set(float x)
{
    return _mm512_set1_ps(x);
}

static inline vec vec_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

static inline void vec_store(float *p, vec v)
{
    _mm512_storeu_ps(p, v);
}

static inline vec vec_load_half(const uint16_t *p)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}

static inline void vec_store_half(uint16_t *p, vec v)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline vec vec_load_bf16(const uint16_t *p)
{
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

static inline vec vec_add(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}

static inline vec vec_div(vec a, vec b)
{
    return _mm512_div_ps(a, b);
}

/* a b + c */
static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

/* Of these two; b where either is NaN. */
static inline vec vec_max(vec a, vec b)
{
    return _mm512_max_ps(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm512_min_ps(a, b);
}

static inline vec vec_abs(vec a)
{
    return _mm512_abs_ps(a);
}

static inline float vec_sum(vec a)
{
    return _mm512_reduce_add_ps(a);
}

static inline float vec_max_of(vec a)
{
    return _mm512_reduce_max_ps(a);
}

static inline vec vec_of(ivec a)
{
    return _mm512_cvtepi32_ps(a);
}

static inline vec vec_from_bits(ivec a)
{
    return _mm512_castsi512_ps(a);
}

/* To the nearest. */
static inline ivec ivec_of(vec a)
{
    return _mm512_cvtps_epi32(a);
}

static inline ivec ivec_set(int32_t x)
{
    return _mm512_set1_epi32(x);
}

static inline ivec ivec_load(const void *p)
{
    return _mm512_loadu_si512(p);
}

static inline ivec ivec_load_u8(const uint8_t *p)
{
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
}

static inline ivec ivec_load_i8(const int8_t *p)
{
    return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p));
}

static inline void ivec_store_i8(int8_t *p, ivec a)
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(a));
}

static inline ivec ivec_add(ivec a, ivec b)
{
    return _mm512_add_epi32(a, b);
}

static inline ivec ivec_sub(ivec a, ivec b)
{
    return _mm512_sub_epi32(a, b);
}

static inline ivec ivec_and(ivec a, ivec b)
{
    return _mm512_and_si512(a, b);
}

static inline ivec ivec_or(ivec a, ivec b)
{
    return _mm512_or_si512(a, b);
}

static inline ivec ivec_shl(ivec a, int n)
{
    return _mm512_slli_epi32(a, (unsigned)n);
}

static inline ivec ivec_shr(ivec a, int n) /* of unsigned words */
{
    return _mm512_srli_epi32(a, (unsigned)n);
}

static inline int32_t ivec_sum(ivec a)
{
    return _mm512_reduce_add_epi32(a);
}

/* Adds four products of an unsigned code (below 64) with a signed byte to each word. */
static inline ivec dot4(ivec acc, ivec code, ivec bytes)
{
    return _mm512_dpbusd_epi32(acc, code, bytes);
}

/* The same with any code, less WIDE_BIAS. */
static inline ivec dot4_wide(ivec acc, ivec code, ivec bytes)
{
    return _mm512_dpbusd_epi32(acc, code, bytes);
}

#endif
