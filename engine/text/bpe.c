/* bpe.c - the symbols of a pre-token are a doubly linked list laid over its bytes; the heap holds
 * one key per pair that has a rank: rank in the high half, place in the low one, so the smallest
 * key is the next merge. A key whose pair has changed in the meantime is stale and thrown away. */
#include "text/bpe.h"

#include <stdlib.h>

#include "host/pages.h"
#include "text/tokenizer.h"

struct bpe_merge {
    int32_t left, right;
    uint32_t rank1; /* rank + 1; 0 = free */
    int32_t merged;
};

struct bpe_node {
    int32_t id;         /* -1: merged into the one before */
    int32_t merged;     /* what this and the next would become */
    uint32_t rank;      /* of that; NO_RANK = they do not merge */
    int32_t prev, next; /* -1 = none */
};

enum { MAX_PROBES = 256, HEAP_WAYS = 4 };
static const uint32_t NO_RANK = UINT32_MAX;

int bpe_init(struct bpe *b, size_t n_merges)
{
    size_t slots = 16;
    while (slots < n_merges + n_merges / 2)
        slots *= 2;
    b->slot = pages_map(slots * sizeof *b->slot, true);
    b->mask = slots - 1;
    return b->slot ? 0 : -1;
}

void bpe_done(struct bpe *b)
{
    pages_unmap(b->slot, (b->mask + 1) * sizeof *b->slot);
    b->slot = NULL;
}

static size_t hash_pair(int32_t left, int32_t right)
{
    uint64_t hash = ((uint64_t)(uint32_t)left << 32 | (uint32_t)right) * 0x9E3779B97F4A7C15;
    return (hash ^ hash >> 32) * 0x9E3779B97F4A7C15 >> 32;
}

/* The slot of this pair, or the free one where it belongs; NULL after too many probes. */
static struct bpe_merge *probe(const struct bpe *b, int32_t left, int32_t right)
{
    size_t hash = hash_pair(left, right);
    for (size_t i = 0; i < MAX_PROBES; i++) {
        struct bpe_merge *m = &b->slot[(hash + i) & b->mask];
        if (m->rank1 == 0 || (m->left == left && m->right == right))
            return m;
    }
    return NULL;
}

int bpe_add(struct bpe *b, int32_t left, int32_t right, uint32_t rank, int32_t merged)
{
    struct bpe_merge *m = probe(b, left, right);
    if (!m)
        return -1;
    if (m->rank1 != 0)
        return 0;
    *m = (struct bpe_merge){.left = left, .right = right, .rank1 = rank + 1, .merged = merged};
    return 1;
}

void bpe_expect(const struct bpe *b, int32_t left, int32_t right)
{
    __builtin_prefetch(&b->slot[hash_pair(left, right) & b->mask], 1);
}

void bpe_scratch_done(struct bpe_scratch *w)
{
    free(w->node);
    free(w->heap);
    *w = (struct bpe_scratch){0};
}

/* A pre-token of n bytes needs n nodes, and a key for each of n - 1 pairs and for the two new
 * pairs of each of n - 1 merges. */
static int reserve(struct bpe_scratch *w, size_t n)
{
    if (n <= w->cap)
        return 0;
    bpe_scratch_done(w);
    w->node = malloc(n * sizeof *w->node);
    w->heap = malloc(3 * n * sizeof *w->heap);
    if (!w->node || !w->heap)
        return -1;
    w->cap = n;
    return 0;
}

static void heap_push(struct bpe_scratch *w, uint64_t key)
{
    size_t at = w->n_heap++;
    for (size_t up; at > 0 && key < w->heap[up = (at - 1) / HEAP_WAYS]; at = up)
        w->heap[at] = w->heap[up];
    w->heap[at] = key;
}

static uint64_t heap_pop(struct bpe_scratch *w)
{
    uint64_t top = w->heap[0], key = w->heap[--w->n_heap];
    size_t at = 0;
    for (;;) {
        size_t first = HEAP_WAYS * at + 1, best = first;
        if (first >= w->n_heap)
            break;
        for (size_t i = first + 1; i < first + HEAP_WAYS && i < w->n_heap; i++)
            best = w->heap[i] < w->heap[best] ? i : best;
        if (w->heap[best] >= key)
            break;
        w->heap[at] = w->heap[best];
        at = best;
    }
    w->heap[at] = key;
    return top;
}

/* Looks up what node i and the one behind it merge to. */
static void rank_pair(const struct bpe *b, struct bpe_scratch *w, int32_t i)
{
    struct bpe_node *left = &w->node[i];
    const struct bpe_merge *m = left->next < 0 ? NULL : probe(b, left->id, w->node[left->next].id);
    if (!m || m->rank1 == 0) {
        left->rank = NO_RANK;
        return;
    }
    left->rank = m->rank1 - 1;
    left->merged = m->merged;
    heap_push(w, (uint64_t)left->rank << 32 | (uint32_t)i);
}

/* Merges node i with the one behind it; both neighbours' pairs are new then. */
static void merge(const struct bpe *b, struct bpe_scratch *w, int32_t i)
{
    struct bpe_node *left = &w->node[i], *right = &w->node[left->next];
    left->id = left->merged;
    left->next = right->next;
    right->id = -1;
    right->rank = NO_RANK;
    if (left->next >= 0)
        w->node[left->next].prev = i;
    rank_pair(b, w, i);
    if (left->prev >= 0)
        rank_pair(b, w, left->prev);
}

int bpe_encode(const struct bpe *b, struct bpe_scratch *w, const char *s, size_t n,
               struct tok_ids *out)
{
    if (reserve(w, n) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        w->node[i] = (struct bpe_node){.id = b->byte[(unsigned char)s[i]],
                                       .prev = (int32_t)i - 1,
                                       .next = i + 1 < n ? (int32_t)i + 1 : -1};
    w->n_heap = 0;
    for (size_t i = 0; i < n; i++)
        rank_pair(b, w, (int32_t)i);
    while (w->n_heap > 0) {
        uint64_t key = heap_pop(w);
        int32_t i = (int32_t)(key & UINT32_MAX);
        if (w->node[i].rank == key >> 32)
            merge(b, w, i);
    }
    for (int32_t i = 0; i >= 0; i = w->node[i].next)
        if (tok_push(out, w->node[i].id) != 0)
            return -1;
    return 0;
}
