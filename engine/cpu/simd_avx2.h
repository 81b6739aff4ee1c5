/* simd_avx2.h - the vectors of kernels.inc in AVX2 with FMA and F16C; with AVX_VNNI where the
 * including file asks for it (SIMD_VNNI). What each function does is said in simd_avx512.h. */
#ifndef ENGINE_CPU_SIMD_AVX2_H
#define ENGINE_CPU_SIMD_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

enum { LANES = 8, MAX_COLS = 4, MAX_FLOAT_COLS = 4 };

typedef __m256 vec;
typedef __m256i ivec;

static inline vec vec_set(float x)
{
    return _mm256_set1_ps(x);
}

static inline vec vec_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

static inline void vec_store(float *p, vec v)
{
    _mm256_storeu_ps(p, v);
}

static inline vec vec_load_half(const uint16_t *p)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}

static inline void vec_store_half(uint16_t *p, vec v)
{
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline vec vec_load_bf16(const uint16_t *p)
{
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

static inline vec vec_add(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}

static inline vec vec_mul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}

static inline vec vec_div(vec a, vec b)
{
    return _mm256_div_ps(a, b);
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline vec vec_max(vec a, vec b)
{
    return _mm256_max_ps(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm256_min_ps(a, b);
}

static inline vec vec_abs(vec a)
{
    return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a);
}

static inline float vec_sum(vec a)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

static inline float vec_max_of(vec a)
{
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

static inline vec vec_of(ivec a)
{
    return _mm256_cvtepi32_ps(a);
}

static inline vec vec_from_bits(ivec a)
{
    return _mm256_castsi256_ps(a);
}

static inline ivec ivec_of(vec a)
{
    return _mm256_cvtps_epi32(a);
}

static inline ivec ivec_set(int32_t x)
{
    return _mm256_set1_epi32(x);
}

static inline ivec ivec_load(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

static inline ivec ivec_load_u8(const uint8_t *p)
{
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
}

static inline ivec ivec_load_i8(const int8_t *p)
{
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p));
}

static inline void ivec_store_i8(int8_t *p, ivec a)
{
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(words, words));
}

static inline ivec ivec_add(ivec a, ivec b)
{
    return _mm256_add_epi32(a, b);
}

static inline ivec ivec_sub(ivec a, ivec b)
{
    return _mm256_sub_epi32(a, b);
}

static inline ivec ivec_and(ivec a, ivec b)
{
    return _mm256_and_si256(a, b);
}

static inline ivec ivec_or(ivec a, ivec b)
{
    return _mm256_or_si256(a, b);
}

static inline ivec ivec_shl(ivec a, int n)
{
    return _mm256_slli_epi32(a, n);
}

static inline ivec ivec_shr(ivec a, int n)
{
    return _mm256_srli_epi32(a, n);
}

static inline int32_t ivec_sum(ivec a)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
}

#ifdef SIMD_VNNI
enum { WIDE_BIAS = 0 };

static inline ivec dot4(ivec acc, ivec code, ivec bytes)
{
    return _mm256_dpbusd_avx_epi32(acc, code, bytes);
}

static inline ivec dot4_wide(ivec acc, ivec code, ivec bytes)
{
    return _mm256_dpbusd_avx_epi32(acc, code, bytes);
}
#else
enum { WIDE_BIAS = 128 };

/* Two products of a code below 64 and a byte fit 16 bits. */
static inline ivec dot4(ivec acc, ivec code, ivec bytes)
{
    __m256i pairs = _mm256_maddubs_epi16(code, bytes);
    return _mm256_add_epi32(acc, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/* Two of a code up to 255 do not; of one less 128 they do, its sign moved to the byte. */
static inline ivec dot4_wide(ivec acc, ivec code, ivec bytes)
{
    __m256i w = _mm256_xor_si256(code, _mm256_set1_epi8(-128));
    return dot4(acc, _mm256_abs_epi8(w), _mm256_sign_epi8(bytes, w));
}
#endif

#endif
