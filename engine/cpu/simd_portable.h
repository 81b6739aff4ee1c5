/* simd_portable.h - the vectors of kernels.inc in the compiler's own vectors of 16 bytes: any
 * machine. What each function does is said in simd_avx512.h. */
#ifndef ENGINE_CPU_SIMD_PORTABLE_H
#define ENGINE_CPU_SIMD_PORTABLE_H

#include <stdint.h>
#include <string.h>

#include "quant.h"

enum { LANES = 4, MAX_COLS = 2, MAX_FLOAT_COLS = 2, WIDE_BIAS = 0 };

typedef float vec __attribute__((vector_size(16)));
typedef int32_t ivec __attribute__((vector_size(16)));
typedef uint32_t uvec __attribute__((vector_size(16)));

static inline vec vec_set(float x)
{
    return (vec){x, x, x, x};
}

static inline vec vec_load(const float *p)
{
    vec v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void vec_store(float *p, vec v)
{
    memcpy(p, &v, sizeof v);
}

static inline vec vec_from_bits(ivec a)
{
    return (vec)a;
}

/* The exponent's bias differs by 112; the product also makes subnormals right. */
static inline vec vec_load_half(const uint16_t *p)
{
    ivec h = {p[0], p[1], p[2], p[3]};
    ivec magnitude = (ivec)((vec)((h & 0x7fff) << 13) * vec_set(0x1p112f));
    ivec not_finite = ((h & 0x7c00) == 0x7c00) & 0x7f800000;
    return (vec)(magnitude | not_finite | (ivec)((uvec)(h & 0x8000) << 16));
}

static inline void vec_store_half(uint16_t *p, vec v)
{
    for (int i = 0; i < LANES; i++)
        p[i] = quant_float_to_half(v[i]);
}

static inline vec vec_load_bf16(const uint16_t *p)
{
    uvec h = {p[0], p[1], p[2], p[3]};
    return (vec)(h << 16);
}

static inline vec vec_add(vec a, vec b)
{
    return a + b;
}

static inline vec vec_sub(vec a, vec b)
{
    return a - b;
}

static inline vec vec_mul(vec a, vec b)
{
    return a * b;
}

static inline vec vec_div(vec a, vec b)
{
    return a / b;
}

static inline vec vec_fma(vec a, vec b, vec c)
{
    return a * b + c;
}

static inline vec vec_max(vec a, vec b)
{
    ivec mask = a > b;
    return (vec)(((ivec)a & mask) | ((ivec)b & ~mask));
}

static inline vec vec_min(vec a, vec b)
{
    ivec mask = a < b;
    return (vec)(((ivec)a & mask) | ((ivec)b & ~mask));
}

static inline vec vec_abs(vec a)
{
    return (vec)((ivec)a & 0x7fffffff);
}

static inline float vec_sum(vec a)
{
    return (a[0] + a[2]) + (a[1] + a[3]);
}

static inline float vec_max_of(vec a)
{
    float m = a[0];
    for (int i = 1; i < LANES; i++)
        m = a[i] > m ? a[i] : m;
    return m;
}

static inline vec vec_of(ivec a)
{
    return __builtin_convertvector(a, vec);
}

/* Adding 1.5 * 2^23 leaves the nearest whole number in the low bits, for all below 2^22. */
static inline ivec ivec_of(vec a)
{
    vec magic = vec_set(0x1.8p23f);
    return (ivec)((uvec)(a + magic) - (uvec)magic);
}

static inline ivec ivec_set(int32_t x)
{
    return (ivec){x, x, x, x};
}

static inline ivec ivec_load(const void *p)
{
    ivec v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline ivec ivec_load_u8(const uint8_t *p)
{
    return (ivec){p[0], p[1], p[2], p[3]};
}

static inline ivec ivec_load_i8(const int8_t *p)
{
    return (ivec){p[0], p[1], p[2], p[3]};
}

static inline void ivec_store_i8(int8_t *p, ivec a)
{
    for (int i = 0; i < LANES; i++)
        p[i] = (int8_t)a[i];
}

static inline ivec ivec_add(ivec a, ivec b)
{
    return (ivec)((uvec)a + (uvec)b);
}

static inline ivec ivec_sub(ivec a, ivec b)
{
    return (ivec)((uvec)a - (uvec)b);
}

static inline ivec ivec_and(ivec a, ivec b)
{
    return a & b;
}

static inline ivec ivec_or(ivec a, ivec b)
{
    return a | b;
}

static inline ivec ivec_shl(ivec a, int n)
{
    return (ivec)((uvec)a << n);
}

static inline ivec ivec_shr(ivec a, int n)
{
    return (ivec)((uvec)a >> n);
}

static inline int32_t ivec_sum(ivec a)
{
    return a[0] + a[1] + a[2] + a[3];
}

/* Byte by byte, in the order of memory; code is unsigned, the other one signed. */
static inline ivec dot4(ivec acc, ivec code, ivec bytes)
{
    for (int i = 0; i < 4; i++) {
        ivec u = ivec_shr(code, 8 * i) & 255;
        ivec s = ivec_shl(bytes, 24 - 8 * i) >> 24;
        acc += u * s;
    }
    return acc;
}

static inline ivec dot4_wide(ivec acc, ivec code, ivec bytes)
{
    return dot4(acc, code, bytes);
}

#endif
