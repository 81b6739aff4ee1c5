/* kv.c - the pool of KV blocks, the prefix tree over them and the order of eviction; see kv.h. The
 * order needs no bookkeeping of its own: whoever holds a block holds all before it, and a sequence
 * releases its last block first, so no block is ever idle longer than those that follow it. */
#include "kv.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

struct block {
    int n_owners; /* sequences that hold it */

    /* In the tree, if n_tokens > 0. */
    int n_tokens; /* fewer than KV_BLOCK only at the end of a path */
    int32_t tokens[KV_BLOCK];
    int32_t parent, first_child, next_sibling;

    /* In the ring of idle blocks, if n_owners == 0: the next to be evicted comes first. */
    int32_t idle_next, idle_prev;
};

struct kv {
    int n_blocks, n_idle;
    int n_reserved;        /* of all sequences; never more than n_idle */
    atomic_int n_cached;   /* tokens in the tree */
    struct block blocks[]; /* and one more: the root of the tree and head of the ring */
};

int kv_blocks(int n_tokens)
{
    return (n_tokens + KV_BLOCK - 1) / KV_BLOCK;
}

static int32_t root(const struct kv *kv)
{
    return kv->n_blocks;
}

/* The ring */

static void idle_insert(struct kv *kv, int32_t id, int32_t after)
{
    struct block *b = kv->blocks;
    b[id].idle_prev = after;
    b[id].idle_next = b[after].idle_next;
    b[b[id].idle_next].idle_prev = id;
    b[after].idle_next = id;
    kv->n_idle++;
}

static void idle_remove(struct kv *kv, int32_t id)
{
    struct block *b = kv->blocks;
    b[b[id].idle_prev].idle_next = b[id].idle_next;
    b[b[id].idle_next].idle_prev = b[id].idle_prev;
    kv->n_idle--;
}

static void hold(struct kv *kv, int32_t id)
{
    if (kv->blocks[id].n_owners++ == 0)
        idle_remove(kv, id);
}

/* An empty block is reused first, one with rows in it last. */
static void release(struct kv *kv, int32_t id)
{
    struct block *b = &kv->blocks[id];
    if (--b->n_owners == 0)
        idle_insert(kv, id, b->n_tokens > 0 ? kv->blocks[root(kv)].idle_prev : root(kv));
}

/* The tree */

static void tree_enter(struct kv *kv, int32_t id, int32_t parent, const int32_t *tokens, int n)
{
    struct block *b = &kv->blocks[id];
    memcpy(b->tokens, tokens, (size_t)n * sizeof *tokens);
    b->n_tokens = n;
    kv->n_cached += n;
    b->parent = parent;
    b->first_child = NONE;
    b->next_sibling = kv->blocks[parent].first_child;
    kv->blocks[parent].first_child = id;
}

static void tree_leave(struct kv *kv, int32_t id)
{
    struct block *b = &kv->blocks[id];
    assert(b->first_child == NONE);
    int32_t *at = &kv->blocks[b->parent].first_child;
    while (*at != id)
        at = &kv->blocks[*at].next_sibling;
    *at = b->next_sibling;
    kv->n_cached -= b->n_tokens;
    b->n_tokens = 0;
}

/* How many of the first n tokens a block holds in its first rows. */
static int common(const struct block *b, const int32_t *tokens, int n)
{
    int i = 0;
    while (i < n && i < b->n_tokens && b->tokens[i] == tokens[i])
        i++;
    return i;
}

/* A child of parent that begins with these tokens, or NONE. */
static int32_t find_child(const struct kv *kv, int32_t parent, const int32_t *tokens, int n)
{
    int32_t id = kv->blocks[parent].first_child;
    while (id != NONE && common(&kv->blocks[id], tokens, n) < n)
        id = kv->blocks[id].next_sibling;
    return id;
}

/* The idle leaf below parent that shares the most rows with tokens, or NONE. At least half of its
 * rows must match: otherwise another text loses more than this one gains. */
static int32_t find_end(const struct kv *kv, int32_t parent, const int32_t *tokens, int n,
                        int *n_common_out)
{
    int32_t best = NONE;
    *n_common_out = 0;
    for (int32_t id = kv->blocks[parent].first_child; id != NONE;) {
        const struct block *b = &kv->blocks[id];
        int k = common(b, tokens, n);
        if (b->n_owners == 0 && b->first_child == NONE && k > *n_common_out &&
            2 * k >= b->n_tokens) {
            best = id;
            *n_common_out = k;
        }
        id = b->next_sibling;
    }
    return best;
}

/* Sequences */

int kv_new(struct kv **out, int n_blocks)
{
    struct kv *kv = malloc(sizeof *kv + ((size_t)n_blocks + 1) * sizeof kv->blocks[0]);
    if (!kv)
        return -1;
    kv->n_blocks = n_blocks;
    kv->n_idle = 0;
    kv->n_reserved = 0;
    atomic_init(&kv->n_cached, 0);
    int32_t r = root(kv);
    kv->blocks[r] = (struct block){.first_child = NONE, .idle_next = r, .idle_prev = r};
    for (int32_t id = 0; id < n_blocks; id++) {
        kv->blocks[id] = (struct block){.first_child = NONE};
        idle_insert(kv, id, kv->blocks[r].idle_prev);
    }
    *out = kv;
    return 0;
}

void kv_free(struct kv *kv)
{
    free(kv);
}

int kv_available(const struct kv *kv)
{
    return kv->n_idle - kv->n_reserved;
}

int kv_cached(const struct kv *kv)
{
    return kv->n_cached;
}

int kv_open(struct kv *kv, struct kv_sequence *s, const int32_t *tokens, int n, int max_tokens)
{
    int32_t last = root(kv);
    int n_shared = 0, n_shared_idle = 0;
    int n_cached = 0;

    while (n_cached + KV_BLOCK < n) {
        int32_t id = find_child(kv, last, tokens + n_cached, KV_BLOCK);
        if (id == NONE)
            break;
        s->blocks[n_shared++] = last = id;
        n_shared_idle += kv->blocks[id].n_owners == 0;
        n_cached += KV_BLOCK;
    }
    int left = n - 1 - n_cached, n_rows;
    int32_t end = find_end(kv, last, tokens + n_cached, left < KV_BLOCK ? left : KV_BLOCK, &n_rows);

    int n_new = kv_blocks(max_tokens) - n_shared;
    if (n_new + n_shared_idle > kv_available(kv))
        return -1;

    for (int i = 0; i < n_shared; i++)
        hold(kv, s->blocks[i]);
    s->n_shared = s->n_blocks = n_shared;
    s->n_reserved = n_new;
    kv->n_reserved += n_new;
    if (end != NONE) {
        tree_leave(kv, end);
        hold(kv, end);
        s->blocks[s->n_blocks++] = end;
        s->n_reserved--;
        kv->n_reserved--;
    }
    return n_cached + n_rows;
}

void kv_grow(struct kv *kv, struct kv_sequence *s, int n_tokens)
{
    while (s->n_blocks < kv_blocks(n_tokens)) {
        assert(s->n_reserved > 0 && kv->n_idle > 0);
        int32_t id = kv->blocks[root(kv)].idle_next;
        if (kv->blocks[id].n_tokens > 0)
            tree_leave(kv, id);
        hold(kv, id);
        s->blocks[s->n_blocks++] = id;
        s->n_reserved--;
        kv->n_reserved--;
    }
}

static int32_t block_before(const struct kv *kv, const struct kv_sequence *s, int i)
{
    return i > 0 ? s->blocks[i - 1] : root(kv);
}

void kv_commit(struct kv *kv, struct kv_sequence *s, const int32_t *tokens, int n_tokens)
{
    for (; (s->n_shared + 1) * KV_BLOCK <= n_tokens; s->n_shared++) {
        int i = s->n_shared;
        int32_t parent = block_before(kv, s, i), id = s->blocks[i];
        int32_t equal = find_child(kv, parent, tokens + i * KV_BLOCK, KV_BLOCK);
        if (equal == NONE) {
            tree_enter(kv, id, parent, tokens + i * KV_BLOCK, KV_BLOCK);
        } else {
            hold(kv, equal);
            release(kv, id);
            s->blocks[i] = equal;
        }
    }
}

void kv_close(struct kv *kv, struct kv_sequence *s, const int32_t *tokens, int n_tokens)
{
    kv_commit(kv, s, tokens, n_tokens);
    int i = s->n_shared, n = n_tokens - i * KV_BLOCK;
    if (n > 0) {
        int32_t parent = block_before(kv, s, i);
        if (find_child(kv, parent, tokens + i * KV_BLOCK, n) == NONE)
            tree_enter(kv, s->blocks[i], parent, tokens + i * KV_BLOCK, n);
    }
    while (s->n_blocks > 0)
        release(kv, s->blocks[--s->n_blocks]);
    kv->n_reserved -= s->n_reserved;
    s->n_reserved = s->n_shared = 0;
}
