/* memory.c - see memory.h. */
#include "host/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* The number behind `key` in a file of lines ("MemAvailable: 123 kB"); with key
 * "" the first in it. */
static uint64_t read_number(const char *path, const char *key)
{
    char line[256];
    uint64_t value = UINT64_MAX;
    FILE *f = fopen(path, "re");

    while (f && value == UINT64_MAX && fgets(line, sizeof line, f)) {
        char *end;
        if (strncmp(line, key, strlen(key)) != 0)
            continue;
        unsigned long long n = strtoull(line + strlen(key), &end, 10);
        if (end != line + strlen(key))
            value = n;
    }
    if (f)
        fclose(f);
    return value;
}

static uint64_t left(uint64_t limit, uint64_t used)
{
    return limit == UINT64_MAX || used == UINT64_MAX ? UINT64_MAX : limit > used ? limit - used : 0;
}

static uint64_t in_control_group(void)
{
    return left(read_number("/sys/fs/cgroup/memory.max", ""),
                read_number("/sys/fs/cgroup/memory.current", ""));
}

static uint64_t in_address_space(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    uint64_t pages = read_number("/proc/self/statm", "");
    return pages == UINT64_MAX ? UINT64_MAX
                               : left(limit.rlim_cur, pages * (uint64_t)sysconf(_SC_PAGESIZE));
}

uint64_t cpu_memory_available(void)
{
    uint64_t kib = read_number("/proc/meminfo", "MemAvailable:");
    uint64_t least = kib == UINT64_MAX ? kib : kib * 1024;
    uint64_t others[] = {in_control_group(), in_address_space()};

    for (int i = 0; i < 2; i++)
        least = others[i] < least ? others[i] : least;
    return least;
}
