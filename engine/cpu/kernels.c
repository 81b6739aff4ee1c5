/* kernels.c - which table a level means. */
#include "cpu/kernels.h"

const struct kernels *kernels_of(enum cpu_level level)
{
    switch (level) {
#ifdef __x86_64__
    case CPU_AVX2: return &kernels_avx2;
    case CPU_AVX_VNNI: return &kernels_avx_vnni;
    case CPU_AVX512_VNNI: return &kernels_avx512;
    case CPU_AMX: return &kernels_amx;
#endif
    default: return &kernels_portable;
    }
}
