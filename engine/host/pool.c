/* pool.c - one word says which job is on and which item comes next.
 *
 * The ticket packs the job's number, its count of items and the next item. Taking an item is a
 * compare-and-swap of the whole word, so a thread that was away for a while can take nothing of a
 * job it has not read: the number differs. Every item that is taken is done before its job ends,
 * so the job's function and argument stay valid as long as a ticket of it can be won. */
#include "host/pool.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* How often to look before sleeping: some tens of microseconds, longer than the pauses between the
 * jobs of one step. */
enum { SPINS = 2000, CACHE_LINE = 64 };

struct worker {
    struct pool *pool;
    int index; /* 1 .. n_threads - 1 */
    pthread_t thread;
};

struct pool {
    /* Each on a cache line of its own: threads hammer on the ticket and the count of done items. */
    _Alignas(CACHE_LINE) _Atomic uint64_t ticket; /* job << 32 | items << 16 | next item */
    _Alignas(CACHE_LINE) atomic_int done;
    _Alignas(CACHE_LINE) _Atomic(pool_fn) fn;
    void *_Atomic ud;
    atomic_bool stop;

    /* Sleeping: the counts are changed under the lock, or before it is taken to sleep. */
    pthread_mutex_t lock;
    pthread_cond_t job_posted, job_done;
    atomic_int n_sleeping;
    atomic_bool caller_sleeps;

    int n_workers; /* started */
    struct worker *workers;
};

static uint64_t ticket_of(uint32_t job, int n_items)
{
    return (uint64_t)job << 32 | (uint64_t)n_items << 16;
}

static uint32_t ticket_job(uint64_t ticket)
{
    return (uint32_t)(ticket >> 32);
}

static int ticket_items(uint64_t ticket)
{
    return ticket >> 16 & 0xffff;
}

static int ticket_next(uint64_t ticket)
{
    return ticket & 0xffff;
}

static void relax(void)
{
#ifdef __x86_64__
    _mm_pause();
#endif
}

/* Does items of the job that is on until none is left. */
static void work(struct pool *p, int thread)
{
    uint64_t ticket = atomic_load(&p->ticket);

    while (ticket_next(ticket) < ticket_items(ticket)) {
        pool_fn fn = atomic_load_explicit(&p->fn, memory_order_relaxed);
        void *ud = atomic_load_explicit(&p->ud, memory_order_relaxed);
        if (!atomic_compare_exchange_weak(&p->ticket, &ticket, ticket + 1))
            continue;
        fn(ud, ticket_next(ticket), thread);
        int n_done = atomic_fetch_add(&p->done, 1) + 1;
        if (n_done == ticket_items(ticket) && thread != 0 && atomic_load(&p->caller_sleeps)) {
            pthread_mutex_lock(&p->lock);
            pthread_cond_signal(&p->job_done);
            pthread_mutex_unlock(&p->lock);
        }
        ticket = atomic_load(&p->ticket);
    }
}

static bool job_is_new(struct pool *p, uint32_t seen)
{
    return ticket_job(atomic_load(&p->ticket)) != seen || atomic_load(&p->stop);
}

static void wait_for_job(struct pool *p, uint32_t seen)
{
    for (int i = 0; i < SPINS; i++) {
        if (job_is_new(p, seen))
            return;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    atomic_fetch_add(&p->n_sleeping, 1); /* before looking again: pool_run posts, then looks here */
    while (!job_is_new(p, seen))
        pthread_cond_wait(&p->job_posted, &p->lock);
    atomic_fetch_sub(&p->n_sleeping, 1);
    pthread_mutex_unlock(&p->lock);
}

static void *worker_main(void *ud)
{
    struct worker *w = ud;
    struct pool *p = w->pool;
    uint32_t seen = 0;

    while (!atomic_load(&p->stop)) {
        wait_for_job(p, seen);
        seen = ticket_job(atomic_load(&p->ticket));
        work(p, w->index);
    }
    return NULL;
}

static void wake_workers(struct pool *p)
{
    if (atomic_load(&p->n_sleeping) == 0)
        return;
    pthread_mutex_lock(&p->lock);
    pthread_cond_broadcast(&p->job_posted);
    pthread_mutex_unlock(&p->lock);
}

static void wait_until_done(struct pool *p, int n_items)
{
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&p->done) == n_items)
            return;
        relax();
    }
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->caller_sleeps, true);
    while (atomic_load(&p->done) != n_items)
        pthread_cond_wait(&p->job_done, &p->lock);
    atomic_store(&p->caller_sleeps, false);
    pthread_mutex_unlock(&p->lock);
}

void pool_run(struct pool *p, pool_fn fn, void *ud, int n_items)
{
    assert(n_items <= POOL_MAX_ITEMS);
    if (n_items == 1 || p->n_workers == 0) {
        for (int i = 0; i < n_items; i++)
            fn(ud, i, 0);
        return;
    }
    if (n_items <= 0)
        return;
    atomic_store_explicit(&p->fn, fn, memory_order_relaxed);
    atomic_store_explicit(&p->ud, ud, memory_order_relaxed);
    atomic_store_explicit(&p->done, 0, memory_order_relaxed);
    atomic_store(&p->ticket, ticket_of(ticket_job(atomic_load(&p->ticket)) + 1, n_items));
    wake_workers(p);
    work(p, 0);
    wait_until_done(p, n_items);
}

/* Signals are for the program's own threads; only those that a fault raises stay open here. */
static int start_worker(struct worker *w)
{
    sigset_t blocked, before;

    sigfillset(&blocked);
    sigdelset(&blocked, SIGBUS);
    sigdelset(&blocked, SIGSEGV);
    sigdelset(&blocked, SIGFPE);
    sigdelset(&blocked, SIGILL);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    int rc = pthread_create(&w->thread, NULL, worker_main, w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? 0 : -1;
}

int pool_new(struct pool **out, int n_threads)
{
    assert(n_threads >= 1);
    struct pool *p = aligned_alloc(CACHE_LINE, sizeof *p);
    if (!p)
        return -1;
    *p = (struct pool){.n_workers = 0};
    p->workers = calloc((size_t)n_threads, sizeof *p->workers);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->job_posted, NULL);
    pthread_cond_init(&p->job_done, NULL);
    if (!p->workers)
        goto fail;
    for (int i = 1; i < n_threads; i++) {
        struct worker *w = &p->workers[p->n_workers];
        w->pool = p;
        w->index = i;
        if (start_worker(w) != 0)
            goto fail;
        p->n_workers++;
    }
    *out = p;
    return 0;

fail:
    pool_free(p);
    return -1;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->stop, true);
    pthread_cond_broadcast(&p->job_posted);
    pthread_mutex_unlock(&p->lock);
    for (int i = 0; i < p->n_workers; i++)
        pthread_join(p->workers[i].thread, NULL);
    pthread_cond_destroy(&p->job_done);
    pthread_cond_destroy(&p->job_posted);
    pthread_mutex_destroy(&p->lock);
    free(p->workers);
    free(p);
}

int pool_threads(const struct pool *p)
{
    return p->n_workers + 1;
}
