/* memo.h - a cache of tokenized texts: a conversation is given to the model again with every
 * question, and counted more often than that.
 *
 * Entries not used lately are dropped, so memory is bounded. Any thread may use it.
 * Private to the templates. */
#ifndef ENGINE_TEXT_MEMO_H
#define ENGINE_TEXT_MEMO_H

#include <stddef.h>

#include "text/tokenizer.h"

/* Largest text that is kept, and largest sum of them, in bytes. */
enum { MEMO_SHORTEST = 64, MEMO_BYTES = 8 << 20 };

struct memo;

/* NULL: out of memory. */
struct memo *memo_new(void);
void memo_free(struct memo *m);

/* tok_encode() of text without markers. 0, or -1: out of memory and *out is as it was. */
int memo_encode(struct memo *m, const struct tokenizer *t, const char *text, size_t len,
                struct tok_ids *out);

#endif
