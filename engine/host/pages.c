/* pages.c - mmap and its advice. */
#include "host/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE = 2 << 20 };

void *pages_map(size_t bytes, bool huge)
{
    if (bytes == 0)
        bytes = 1;
    huge = huge && bytes >= HUGE;

    /* A large page must start at a multiple of its size: map one more and cut the ends off. */
    size_t slack = huge ? HUGE : 0;
    char *p = mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (huge) {
        size_t page = (size_t)sysconf(_SC_PAGESIZE);
        size_t front = (HUGE - (uintptr_t)p % HUGE) % HUGE;
        size_t used = (front + bytes + page - 1) / page * page;
        if (front > 0)
            munmap(p, front);
        if (used < bytes + slack)
            munmap(p + used, bytes + slack - used);
        p += front;
#ifdef MADV_HUGEPAGE
        madvise(p, bytes, MADV_HUGEPAGE);
#endif
    }
    return p;
}

void pages_unmap(void *p, size_t bytes)
{
    if (p)
        munmap(p, bytes > 0 ? bytes : 1);
}

void pages_drop_file(const void *p, size_t bytes)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)p + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)p + bytes) / page * page;

    if (from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}
