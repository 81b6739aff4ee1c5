/* vocab.c - a hash table over the block of token bytes. Half of each hash is kept in the slot, so a
 * lookup hardly ever touches the bytes of another token. */
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "host/pages.h"

struct vocab_slot {
    uint32_t tag;
    uint32_t token; /* id + 1; 0 = free */
};

enum { MAX_PROBES = 256 }; /* real vocabularies stay below 40 */

static uint64_t mix(uint64_t h)
{
    h *= 0x9E3779B97F4A7C15;
    return h ^ h >> 29;
}

static uint64_t load(const char *s, size_t n)
{
    uint64_t word = 0;
    memcpy(&word, s, n);
    return word;
}

static uint64_t hash_bytes(const char *s, size_t n)
{
    uint64_t h = n;
    for (; n > 8; s += 8, n -= 8)
        h = mix(h ^ load(s, 8));
    if (n >= 4) /* the two halves may overlap */
        return mix(mix(h ^ (load(s, 4) << 32 | load(s + n - 4, 4))));
    if (n > 0)
        h ^= (uint64_t)(unsigned char)s[0] << 48 | (uint64_t)(unsigned char)s[n / 2] << 24 |
             (unsigned char)s[n - 1];
    return mix(mix(h));
}

int vocab_init(struct vocab *v, size_t n, size_t n_bytes)
{
    size_t slots = 16;
    while (slots < n + n / 2)
        slots *= 2;
    *v = (struct vocab){
        .bytes = malloc(n_bytes + 1),
        .at = malloc((n + 1) * sizeof *v->at),
        .found = calloc(n + 1, sizeof *v->found),
        .slot = pages_map(slots * sizeof *v->slot, true),
        .mask = slots - 1,
    };
    if (v->bytes && v->at && v->found && v->slot) {
        v->at[0] = 0;
        return 0;
    }
    vocab_done(v);
    return -1;
}

void vocab_done(struct vocab *v)
{
    free(v->bytes);
    free(v->at);
    free(v->found);
    pages_unmap(v->slot, (v->mask + 1) * sizeof *v->slot);
    *v = (struct vocab){0};
}

char *vocab_end(struct vocab *v)
{
    return v->bytes + v->at[v->n];
}

void vocab_push(struct vocab *v, size_t len)
{
    v->at[v->n + 1] = v->at[v->n] + (uint32_t)len;
    v->n++;
}

/* The slot that holds these bytes, or the free one where they belong; NULL
 * after too many probes. */
static struct vocab_slot *probe(const struct vocab *v, const char *s, size_t len, uint64_t hash)
{
    for (size_t i = 0; i < MAX_PROBES; i++) {
        struct vocab_slot *slot = &v->slot[(hash + i) & v->mask];
        if (slot->token == 0)
            return slot;
        if (slot->tag != hash >> 32)
            continue;
        size_t have;
        const char *bytes = vocab_bytes(v, (int32_t)slot->token - 1, &have);
        if (have == len && memcmp(bytes, s, len) == 0)
            return slot;
    }
    return NULL;
}

int vocab_index(struct vocab *v, int32_t id)
{
    size_t len;
    const char *s = vocab_bytes(v, id, &len);
    uint64_t hash = hash_bytes(s, len);
    struct vocab_slot *slot = probe(v, s, len, hash);
    if (!slot)
        return -1;
    if (slot->token != 0)
        return 0;
    *slot = (struct vocab_slot){.tag = (uint32_t)(hash >> 32), .token = (uint32_t)id + 1};
    v->found[id] = true;
    return 1;
}

int32_t vocab_find(const struct vocab *v, const char *s, size_t len)
{
    const struct vocab_slot *slot = probe(v, s, len, hash_bytes(s, len));
    return slot ? (int32_t)slot->token - 1 : -1;
}

int32_t vocab_find_near(const struct vocab *v, int32_t id, const char *s, size_t len)
{
    for (int i = 0; i < 2 && (size_t)id < v->n; i++, id++) {
        size_t have;
        const char *bytes = vocab_bytes(v, id, &have);
        if (have == len && memcmp(bytes, s, len) == 0 && v->found[id])
            return id;
    }
    return vocab_find(v, s, len);
}

void vocab_expect(const struct vocab *v, const char *s, size_t len)
{
    __builtin_prefetch(&v->slot[hash_bytes(s, len) & v->mask]);
}
