/* pool.h - threads that share out the items of one job at a time.
 *
 * Items are taken one by one from a common counter, by the caller too, so nobody waits for a thread
 * that has not come: a job ends when its items are done, and a core that another program holds
 * costs at most the item it was taken away from. Between jobs threads look for the next one for a
 * moment, then sleep.
 *
 * Which thread does an item is chance: results must not depend on it. */
#ifndef ENGINE_HOST_POOL_H
#define ENGINE_HOST_POOL_H

struct pool;

/* Does item i. thread: 0 (the caller) .. n_threads - 1, for scratch memory. */
typedef void (*pool_fn)(void *ud, int item, int thread);

enum { POOL_MAX_ITEMS = 65535 };

/* n_threads in all, the caller of pool_run included. 0, or -1: no memory or no threads. */
int pool_new(struct pool **out, int n_threads);
void pool_free(struct pool *p); /* NULL is fine */

int pool_threads(const struct pool *p);

/* Runs items 0 .. n_items - 1 and returns when all are done; what they wrote is then seen by the
 * caller. From one thread only. */
void pool_run(struct pool *p, pool_fn fn, void *ud, int n_items);

#endif
