/* memo.c - see memo.h. Two generations: lookups fill the young table; when it is full it becomes
 * the old one, and the former old one is dropped. */
#include "text/memo.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 4096, MOST = SLOTS / 2 };

struct entry {
    uint64_t hash;
    size_t len, n_ids;
    int32_t ids[]; /* [n_ids], and behind them the text */
};

struct table {
    struct entry *slot[SLOTS]; /* open addressing */
    size_t n, bytes;
};

struct memo {
    pthread_mutex_t lock; /* of what follows */
    struct table tables[2], *young, *old;
};

static uint64_t hash_text(const char *s, size_t n)
{
    uint64_t h = n, word;
    for (; n >= 8; s += 8, n -= 8) {
        memcpy(&word, s, 8);
        h = (h ^ word) * 0x9E3779B97F4A7C15;
        h ^= h >> 29;
    }
    word = 0;
    memcpy(&word, s, n);
    h = (h ^ word) * 0x9E3779B97F4A7C15;
    return h ^ h >> 32;
}

static size_t entry_bytes(size_t len, size_t n_ids)
{
    return sizeof(struct entry) + n_ids * sizeof(int32_t) + len;
}

static const char *entry_text(const struct entry *e)
{
    return (const char *)(e->ids + e->n_ids);
}

static void empty(struct table *t)
{
    for (size_t i = 0; i < SLOTS; i++)
        free(t->slot[i]);
    memset(t, 0, sizeof *t);
}

/* The slot that holds this text, or the free one where it belongs: half of them are free. */
static struct entry **probe(struct table *t, uint64_t hash, const char *s, size_t len)
{
    for (size_t i = hash;; i++) {
        struct entry **slot = &t->slot[i % SLOTS], *e = *slot;
        if (!e || (e->hash == hash && e->len == len && memcmp(entry_text(e), s, len) == 0))
            return slot;
    }
}

/* Takes the entry over. */
static void put(struct memo *m, struct entry *e)
{
    size_t bytes = entry_bytes(e->len, e->n_ids);
    if (m->young->n == MOST || m->young->bytes + bytes > MEMO_BYTES / 2) {
        struct table *old = m->old;
        empty(old);
        m->old = m->young;
        m->young = old;
    }
    *probe(m->young, e->hash, entry_text(e), e->len) = e;
    m->young->n++;
    m->young->bytes += bytes;
}

/* The entry of this text in either table, or NULL. */
static const struct entry *find(struct memo *m, uint64_t hash, const char *s, size_t len)
{
    struct entry *e = *probe(m->young, hash, s, len);
    if (e)
        return e;
    e = *probe(m->old, hash, s, len);
    if (!e)
        return NULL;
    /* A copy moves, as a hole in the old table would hide what lies behind it. */
    size_t bytes = entry_bytes(e->len, e->n_ids);
    struct entry *copy = malloc(bytes);
    if (!copy)
        return e;
    memcpy(copy, e, bytes);
    put(m, copy);
    return copy;
}

static int push_all(struct tok_ids *out, const struct entry *e)
{
    size_t before = out->n;
    for (size_t i = 0; i < e->n_ids; i++)
        if (tok_push(out, e->ids[i]) != 0) {
            out->n = before;
            return -1;
        }
    return 0;
}

/* Keeps nothing when memory runs out. */
static void keep(struct memo *m, uint64_t hash, const char *s, size_t len, const int32_t *ids,
                 size_t n_ids)
{
    size_t bytes = entry_bytes(len, n_ids);
    struct entry *e = bytes <= MEMO_BYTES / 2 ? malloc(bytes) : NULL;
    if (!e)
        return;
    *e = (struct entry){.hash = hash, .len = len, .n_ids = n_ids};
    memcpy(e->ids, ids, n_ids * sizeof *ids);
    memcpy(e->ids + n_ids, s, len);
    pthread_mutex_lock(&m->lock);
    if (find(m, hash, s, len)) /* another thread was sooner */
        free(e);
    else
        put(m, e);
    pthread_mutex_unlock(&m->lock);
}

struct memo *memo_new(void)
{
    struct memo *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    pthread_mutex_init(&m->lock, NULL);
    m->young = &m->tables[0];
    m->old = &m->tables[1];
    return m;
}

void memo_free(struct memo *m)
{
    if (!m)
        return;
    empty(m->young);
    empty(m->old);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

int memo_encode(struct memo *m, const struct tokenizer *t, const char *text, size_t len,
                struct tok_ids *out)
{
    if (len < MEMO_SHORTEST)
        return tok_encode(t, text, len, false, out);
    uint64_t hash = hash_text(text, len);
    size_t before = out->n;
    pthread_mutex_lock(&m->lock);
    const struct entry *e = find(m, hash, text, len);
    int status = e ? push_all(out, e) : 0;
    pthread_mutex_unlock(&m->lock);
    if (e)
        return status;
    if (tok_encode(t, text, len, false, out) != 0)
        return -1;
    keep(m, hash, text, len, out->ids + before, out->n - before);
    return 0;
}
