/* bpe.h - merges one pre-token's bytes into tokens (byte pair encoding).
 *
 * The pair with the best (lowest) rank is merged first, the leftmost of equals first, until no pair
 * of neighbours has a rank. With a linked list and a heap that is O(n log n) for a pre-token of n
 * bytes. Knows ids and ranks only. Private to the tokenizer. */
#ifndef ENGINE_TEXT_BPE_H
#define ENGINE_TEXT_BPE_H

#include <stddef.h>
#include <stdint.h>

struct bpe_merge;
struct tok_ids;

struct bpe {
    struct bpe_merge *slot; /* open addressing by (left, right) */
    size_t mask;
    int32_t byte[256]; /* the token of each single byte */
};

/* Room for n merges. 0, or -1: out of memory. */
int bpe_init(struct bpe *b, size_t n_merges);
void bpe_done(struct bpe *b);

/* 1; 0: the pair has a rank already and keeps it; -1: more collisions than chance
 * explains (a hostile file). */
int bpe_add(struct bpe *b, int32_t left, int32_t right, uint32_t rank, int32_t merged);

/* Prefetches what adding this pair will read. */
void bpe_expect(const struct bpe *b, int32_t left, int32_t right);

/* Memory for merging, kept from one pre-token to the next; all zero at first. */
struct bpe_scratch {
    struct bpe_node *node;
    uint64_t *heap;
    size_t n_heap, cap;
};
void bpe_scratch_done(struct bpe_scratch *w);

/* Appends the tokens of s, 0 < n < 2^31 bytes. 0, or -1: out of memory. */
int bpe_encode(const struct bpe *b, struct bpe_scratch *w, const char *s, size_t n,
               struct tok_ids *out);

#endif
