/* kernels_avx2.c - kernels.inc for AVX2 with FMA and F16C; nothing on other architectures. */
#include "cpu/kernels.h"

#include <math.h>
#include <string.h>

#include "batch.h"

#ifdef __x86_64__
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif

#define KERNELS kernels_avx2
#include "cpu/simd_avx2.h"
#include "cpu/kernels.inc"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
