/* kv.h - who owns which block of the KV cache, and what the blocks that nobody owns still hold.
 *
 * The cache is a pool of blocks of KV_BLOCK positions (batch.h). This is bookkeeping only: it never
 * touches a device. A sequence holds the blocks of its positions in order. A block whose rows are
 * computed is entered in a tree, where a path from the root spells the tokens it was computed from;
 * a new sequence walks down that tree as far as its own tokens go and shares what it finds. Tokens
 * are always compared, never only hashed, so a found block is the right one.
 *
 * When a sequence ends, its blocks stay in the tree until a block is needed: then the one goes that
 * nobody owns for the longest time, the end of a text before its beginning. A block at the end of a
 * path that nobody owns (the partial last one of an answer, say) can also be taken over from the
 * middle: the new sequence keeps the rows up to where the tokens part and overwrites the others.
 *
 * A sequence reserves all it may ever need when it is opened, so it can neither fail later nor wait
 * for another one: either it fits, or it is not opened. To fork a sequence, open another one with
 * its tokens: it finds and shares every full block.
 *
 * Nothing is allocated after kv_new. One thread, but that kv_cached may be asked from any. */
#ifndef ENGINE_KV_H
#define ENGINE_KV_H

#include <stdint.h>

#include "batch.h"

struct kv;

struct kv_sequence {
    int32_t *
        blocks; /* [blocks of the longest sequence] the caller's memory; a row of batch.h's table */
    int n_blocks;   /* held */
    int n_reserved; /* more that it may still take */
    int n_shared;   /* of the held ones, the first that are in the tree */
};

/* Blocks that n_tokens positions take. */
int kv_blocks(int n_tokens);

/* 0, or -1: memory is short. */
int kv_new(struct kv **out, int n_blocks);
void kv_free(struct kv *kv); /* NULL is fine; sequences need not be closed before */

/* Opens a sequence of at most max_tokens positions that begins with tokens [n], and takes every row
 * for it that is there already. Returns how many positions need not be computed: always less than n,
 * because logits need one. -1, and nothing is taken: there is not enough room now. s->blocks is set
 * by the caller. */
int kv_open(struct kv *kv, struct kv_sequence *s, const int32_t *tokens, int n, int max_tokens);

/* Makes sure that positions below n_tokens (at most what was asked for) have blocks to write to. */
void kv_grow(struct kv *kv, struct kv_sequence *s, int n_tokens);

/* Says that the rows below n_tokens are computed, of these tokens; full blocks are shared from now
 * on. May exchange a block of s for an equal one. */
void kv_commit(struct kv *kv, struct kv_sequence *s, const int32_t *tokens, int n_tokens);

/* Ends a sequence whose rows below n_tokens are computed; they stay findable while there is room. */
void kv_close(struct kv *kv, struct kv_sequence *s, const int32_t *tokens, int n_tokens);

/* Blocks that a sequence could still take: owned by nobody and reserved by nobody. */
int kv_available(const struct kv *kv);

/* Positions whose rows can be found, by sequences that begin as they did. */
int kv_cached(const struct kv *kv);

#endif
