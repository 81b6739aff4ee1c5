/* batch.h - the input of one step of the model: tokens of one or more sequences.
 *
 * Tokens of one sequence stand together, in order of position. The scheduler owns the arrays
 * and fills them; a backend only reads them. Keys and values live in blocks of KV_BLOCK
 * positions: position p of sequence s is row p % KV_BLOCK of block block_table[s *
 * max_blocks + p / KV_BLOCK]. */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include <stdint.h>

enum { KV_BLOCK = 32 };

struct batch {
    int n_tokens;
    int32_t *token;    /* [n_tokens] */
    int32_t *position; /* [n_tokens] */
    int32_t *sequence; /* [n_tokens] row of the block table */

    int n_sequences;
    int max_blocks;       /* row length of the block table */
    int32_t *block_table; /* [n_sequences, max_blocks] ids of KV blocks */

    int n_outputs;
    int32_t *output; /* [n_outputs] indices of the tokens whose logits are wanted */
};

#endif
