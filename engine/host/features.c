/* features.c - CPUID, and whether the system saves the wide registers (Intel SDM, volumes 1 and 2).
 * Other architectures have the portable level only. */
#include "host/features.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#ifdef __x86_64__
#include <cpuid.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

struct features {
    bool avx2, avx_vnni, avx512_vnni, amx;
};

/* Which register files the system saves: XCR0. Only where CPUID says OSXSAVE. */
static uint64_t saved_state(void)
{
    uint32_t low, high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool all(uint32_t reg, uint32_t bits)
{
    return (reg & bits) == bits;
}

/* Tiles are 8 KiB of registers that the system saves only for those who asked for them first; it
 * may refuse. Asking again does no harm. */
static bool tiles_allowed(void)
{
#if defined(__linux__) && defined(SYS_arch_prctl)
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 }; /* arch_prctl(2); a bit of XCR0 */
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return false;
#endif
}

static struct features features_read(void)
{
    struct features f = {false};
    uint32_t a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !all(c, bit_OSXSAVE | bit_FMA | bit_F16C))
        return f;
    uint64_t state = saved_state();
    if ((state & 0x06) != 0x06 || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return f;
    f.avx2 = all(b, bit_AVX2);
    f.avx512_vnni = f.avx2 && (state & 0xe6) == 0xe6 && all(c, bit_AVX512VNNI) &&
                    all(b, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL);
    f.amx = f.avx512_vnni && (state & 0x60000) == 0x60000 && all(d, 1u << 24 | 1u << 25) &&
            tiles_allowed();
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d))
        f.avx_vnni = f.avx2 && all(a, 1u << 4);
    return f;
}

bool cpu_level_usable(enum cpu_level level)
{
    struct features f = features_read();

    switch (level) {
    case CPU_PORTABLE: return true;
    case CPU_AVX2: return f.avx2;
    case CPU_AVX_VNNI: return f.avx_vnni;
    case CPU_AVX512_VNNI: return f.avx512_vnni;
    case CPU_AMX: return f.amx;
    case CPU_N_LEVELS: break;
    }
    return false;
}
#else
bool cpu_level_usable(enum cpu_level level)
{
    return level == CPU_PORTABLE;
}
#endif

enum cpu_level cpu_best_level(void)
{
    int level = CPU_N_LEVELS - 1;

    while (!cpu_level_usable((enum cpu_level)level))
        level--;
    return (enum cpu_level)level;
}

const char *cpu_level_name(enum cpu_level level)
{
    static const char *const names[CPU_N_LEVELS] = {
        [CPU_PORTABLE] = "portable",        [CPU_AVX2] = "AVX2", [CPU_AVX_VNNI] = "AVX-VNNI",
        [CPU_AVX512_VNNI] = "AVX-512 VNNI", [CPU_AMX] = "AMX",
    };

    return names[level];
}

int cpu_count(void)
{
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
#endif
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}
