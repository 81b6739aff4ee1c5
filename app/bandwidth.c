/* bandwidth.c - see bandwidth.h. */
#include "app/bandwidth.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/clock.h"
#include "app/mem.h"

enum {
    MAX_THREADS = 256,
    PASSES = 6,
    LANES = 16, /* sums side by side, so that adding never waits */
};
static const size_t buffer_bytes = (size_t)512 << 20;

struct reader {
    pthread_t thread;
    pthread_barrier_t *barrier;
    const uint64_t *words;
    size_t n;
    uint64_t sum; /* so that reading has a purpose */
};

static uint64_t read_once(const uint64_t *words, size_t n)
{
    uint64_t sums[LANES] = {0}, sum = 0;
    for (size_t i = 0; i + LANES <= n; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            sums[lane] += words[i + (size_t)lane];
    for (int lane = 0; lane < LANES; lane++)
        sum += sums[lane];
    return sum;
}

static void *read_passes(void *arg)
{
    struct reader *r = arg;
    for (int pass = 0; pass < PASSES; pass++) {
        pthread_barrier_wait(r->barrier);
        r->sum += read_once(r->words, r->n);
        pthread_barrier_wait(r->barrier);
    }
    return NULL;
}

static int usable_cores(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

double bandwidth_measure(int n_threads)
{
    struct reader readers[MAX_THREADS];
    pthread_barrier_t barrier;
    int n = n_threads > 0 ? n_threads : usable_cores(), started = 0;
    double best_ms = 1e300;

    n = n > MAX_THREADS ? MAX_THREADS : n;
    uint64_t *buffer = malloc(buffer_bytes);
    if (!buffer)
        mem_fail();
    memset(buffer, 1, buffer_bytes);
    size_t words = buffer_bytes / sizeof *buffer / (size_t)n;
    pthread_barrier_init(&barrier, NULL, (unsigned)n + 1);
    for (; started < n; started++) {
        struct reader *r = &readers[started];
        *r = (struct reader){
            .barrier = &barrier, .words = buffer + words * (size_t)started, .n = words};
        if (pthread_create(&r->thread, NULL, read_passes, r) != 0)
            mem_fail();
    }
    for (int pass = 0; pass < PASSES; pass++) {
        pthread_barrier_wait(&barrier);
        double start = clock_ms();
        pthread_barrier_wait(&barrier);
        double took = clock_ms() - start;
        best_ms = took < best_ms ? took : best_ms;
    }
    for (int i = 0; i < n; i++)
        pthread_join(readers[i].thread, NULL);
    pthread_barrier_destroy(&barrier);
    volatile uint64_t purpose = readers[0].sum;
    (void)purpose;
    free(buffer);
    return (double)(words * sizeof *buffer * (size_t)n) * 1e3 / best_ms;
}
