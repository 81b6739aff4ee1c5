/* merges.h - the merges of a vocabulary as a file has them, lines of "left right", best first, to
 * the table that bpe.h merges with. Private to the tokenizer. */
#ifndef ENGINE_TEXT_MERGES_H
#define ENGINE_TEXT_MERGES_H

#include <stddef.h>

#include "text/bpe.h"
#include "text/tokenizer.h"
#include "text/vocab.h"

enum { MERGES_MAX_BYTES = 8192 }; /* of a side */

enum { MERGES_SHORT = -1, MERGES_COLLIDE = -2 };

/* Every token that text may become must be findable. *n_skipped counts the useless lines: they
 * name no token, or a pair that had a rank before. 0; -1: out of memory; -2: more collisions
 * than chance explains (a hostile file). */
int merges_read(struct bpe *out, const struct vocab *v, const struct tok_string *lines, size_t n,
                size_t *n_skipped);

#endif
