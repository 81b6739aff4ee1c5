/* bandwidth.c - how fast the pool's threads together read memory that no cache holds. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "host/memory.h"
#include "host/pages.h"

enum {
    ITEM_BYTES = 4 << 20,
    MIN_ITEMS = 32,
    ITEMS = 128,     /* or more, where caches are larger, */
    MAX_ITEMS = 256, /* but not more than a model of this size has */
    LANES = 16,      /* sums side by side, so that adding never waits */
};

struct reading {
    const atomic_bool *abort; /* or NULL */
    uint64_t *words;
    _Atomic uint64_t sum; /* keeps the reads from being optimised away */
};

static bool given_up(const struct reading *r)
{
    return r->abort && atomic_load_explicit(r->abort, memory_order_relaxed);
}

static uint64_t *item_at(const struct reading *r, int item)
{
    return r->words + (size_t)item * (ITEM_BYTES / sizeof *r->words);
}

static void fill_item(void *ud, int item, int thread)
{
    uint64_t *words = item_at(ud, item);
    (void)thread;
    if (given_up(ud))
        return;
    for (size_t i = 0; i < ITEM_BYTES / sizeof *words; i++)
        words[i] = i;
}

static void read_item(void *ud, int item, int thread)
{
    struct reading *r = ud;
    const uint64_t *words = item_at(r, item);
    uint64_t sums[LANES] = {0}, sum = 0;
    (void)thread;
    if (given_up(r))
        return;
    for (size_t i = 0; i < ITEM_BYTES / sizeof *words; i += LANES)
        for (int lane = 0; lane < LANES; lane++)
            sums[lane] += words[i + (size_t)lane];
    for (int lane = 0; lane < LANES; lane++)
        sum += sums[lane];
    r->sum += sum;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Twice the last cache, within reason, but not half of what memory there is. */
static int choose_items(void)
{
    int64_t items = sysconf(_SC_LEVEL3_CACHE_SIZE) / ITEM_BYTES * 2;
    int64_t most = (int64_t)(cpu_memory_available() / 2 / ITEM_BYTES);

    items = items < ITEMS ? ITEMS : items > MAX_ITEMS ? MAX_ITEMS : items;
    return (int)(items < most ? items : most);
}

void cpu_bandwidth(struct cpu *c, double *passes, int n)
{
    int n_items = choose_items();
    size_t bytes = (size_t)n_items * ITEM_BYTES;
    struct reading r = {.abort = c->opt.abort_reading,
                        .words = n_items >= MIN_ITEMS ? pages_map(bytes, true) : NULL};

    for (int i = 0; i < n; i++)
        passes[i] = 0;
    if (!r.words)
        return;
    pool_run(c->pool, fill_item, &r, n_items);
    for (int i = 0; i < n && !given_up(&r); i++) {
        double start = seconds();
        pool_run(c->pool, read_item, &r, n_items);
        passes[i] = (double)bytes / (seconds() - start);
    }
    pages_unmap(r.words, bytes);
}
