/* vocab.h - the bytes of every token, and the way back from bytes to a token.
 *
 * All bytes lie in one block in the order of the ids. Only tokens that text may become are put into
 * the table; markers are found elsewhere (marker.h). Private to the tokenizer. */
#ifndef ENGINE_TEXT_VOCAB_H
#define ENGINE_TEXT_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vocab_slot;

struct vocab {
    size_t n;                /* tokens so far */
    char *bytes;             /* of all of them */
    uint32_t *at;            /* [n + 1]: token i is bytes[at[i] .. at[i + 1]) */
    bool *found;             /* [n]: a lookup of the token's bytes leads to it */
    struct vocab_slot *slot; /* open addressing */
    size_t mask;
};

/* Room for n tokens of n_bytes in all. 0, or -1: out of memory. */
int vocab_init(struct vocab *v, size_t n, size_t n_bytes);
void vocab_done(struct vocab *v);

/* The next token's bytes are written to vocab_end and then pushed; it cannot be found yet. */
char *vocab_end(struct vocab *v);
void vocab_push(struct vocab *v, size_t len);

/* Makes a token findable. 1; 0: an earlier one has the same bytes and stays; -1: more collisions
 * than chance explains (a hostile file). */
int vocab_index(struct vocab *v, int32_t id);

/* The token with these bytes, or -1. */
int32_t vocab_find(const struct vocab *v, const char *s, size_t len);

/* The same, faster if it is token `near` or the one after it. */
int32_t vocab_find_near(const struct vocab *v, int32_t id, const char *s, size_t len);

/* Prefetches what a lookup of these bytes will read. */
void vocab_expect(const struct vocab *v, const char *s, size_t len);

static inline const char *vocab_bytes(const struct vocab *v, int32_t id, size_t *len_out)
{
    *len_out = v->at[id + 1] - v->at[id];
    return v->bytes + v->at[id];
}

#endif
