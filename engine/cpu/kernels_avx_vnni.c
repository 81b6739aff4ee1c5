/* kernels_avx_vnni.c - kernels.inc for AVX2 with FMA, F16C and AVX_VNNI; nothing on
 * other architectures. */
#include "cpu/kernels.h"

#include <math.h>
#include <string.h>

#include "batch.h"

#ifdef __x86_64__
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,avxvnni")
#endif

#define SIMD_VNNI
#define KERNELS kernels_avx_vnni
#include "cpu/simd_avx2.h"
#include "cpu/kernels.inc"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
