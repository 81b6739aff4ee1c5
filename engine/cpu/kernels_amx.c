/* kernels_amx.c - kernels.inc for AVX-512 with VNNI and AMX_INT8; nothing on other
 * architectures. */
#include "cpu/kernels.h"

#include <math.h>
#include <string.h>

#include "batch.h"

#ifdef __x86_64__
#ifdef __clang__
#pragma clang attribute push(                                                                      \
    __attribute__((                                                                                \
        target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,amx-tile,amx-int8"))), \
    apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,amx-tile,amx-int8")
#endif

#define KERNELS kernels_amx
#include "cpu/simd_amx.h"
#include "cpu/kernels.inc"

#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
