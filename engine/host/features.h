/* features.h - what this processor can do, asked at run time. */
#ifndef ENGINE_HOST_FEATURES_H
#define ENGINE_HOST_FEATURES_H

#include <stdbool.h>

/* Sets of instructions that kernels are written for; each one needs what those before it need. */
enum cpu_level {
    CPU_PORTABLE, /* plain C for any machine */
    CPU_AVX2,     /* with FMA and F16C */
    CPU_AVX_VNNI,
    CPU_AVX512_VNNI, /* with F, BW, DQ and VL; not all of these have AVX_VNNI */
    CPU_AMX,         /* with AMX_INT8, where the system lets us use its registers */
    CPU_N_LEVELS,
};

/* True where the processor and the system support the level. */
bool cpu_level_usable(enum cpu_level level);

enum cpu_level cpu_best_level(void);

const char *cpu_level_name(enum cpu_level level); /* "AVX-512 VNNI" */

/* Cores that this process may use. */
int cpu_count(void);

#endif
