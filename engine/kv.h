/* kv.h - which sequence holds which block of the KV cache, and what the blocks that none holds
 * still contain.
 *
 * The cache is a pool of blocks of KV_BLOCK positions (batch.h). This is bookkeeping only: it
 * never touches a device. A sequence holds the blocks of its positions in order. A block whose
 * rows are computed is entered in a prefix tree, where a path from the root spells the tokens it
 * was computed from; a new sequence walks down that tree as far as its own tokens match and shares
 * the blocks it finds. Tokens are always compared, never only hashed, so a found block is the
 * right one.
 *
 * When a sequence ends, its blocks stay in the tree until a block is needed: then the one that has
 * been idle longest goes, the end of a text before its beginning. An idle block at the end of a
 * path (often the partly filled last one of an answer) can also be taken over in part: the new
 * sequence keeps the rows up to where the tokens differ and overwrites the rest.
 *
 * A sequence reserves all it may ever need when it is opened, so it can neither fail later nor
 * wait for another one: either it fits, or it is not opened. To fork a sequence, open another one
 * with its tokens: it finds and shares every full block.
 *
 * Nothing is allocated after kv_new. One thread, except that kv_cached may be called from any. */
#ifndef ENGINE_KV_H
#define ENGINE_KV_H

#include <stdint.h>

#include "batch.h"

struct kv;

struct kv_sequence {
    int32_t *blocks; /* [blocks of the longest sequence], the caller's: a row of batch.h's table */
    int n_blocks;    /* held */
    int n_reserved;  /* more that it may still take */
    int n_shared;    /* of the held ones, how many of the first are in the tree */
};

/* Blocks that n_tokens positions take. */
int kv_blocks(int n_tokens);

/* 0, or -1: out of memory. */
int kv_new(struct kv **out, int n_blocks);
void kv_free(struct kv *kv); /* NULL is fine; sequences need not be closed before */

/* Opens a sequence of at most max_tokens positions that begins with tokens [n], and reuses every
 * row that is cached for it. Returns how many positions need not be computed: always less than n,
 * because logits need one. -1 when there is not enough room now; nothing is taken then. s->blocks
 * is set by the caller. */
int kv_open(struct kv *kv, struct kv_sequence *s, const int32_t *tokens, int n, int max_tokens);

/* Gives the positions below n_tokens (at most max_tokens) blocks to write to. */
void kv_grow(struct kv *kv, struct kv_sequence *s, int n_tokens);

/* Records that the rows below n_tokens are computed, from these tokens; full blocks are shared
 * from now on. May exchange a block of s for an equal one. */
void kv_commit(struct kv *kv, struct kv_sequence *s, const int32_t *tokens, int n_tokens);

/* Ends a sequence whose rows below n_tokens are computed; they can be found as
 * long as there is room. */
void kv_close(struct kv *kv, struct kv_sequence *s, const int32_t *tokens, int n_tokens);

/* Blocks that a sequence could still take: neither held nor reserved. */
int kv_available(const struct kv *kv);

/* Positions whose rows a new sequence could reuse. */
int kv_cached(const struct kv *kv);

#endif
