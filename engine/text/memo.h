/* memo.h - the tokens of texts that were tokenised before: a conversation is given to a model again with
 * every question, and counted more often than that.
 *
 * What was not asked for lately is forgotten, so memory is bounded. Any thread may use it. Private to
 * the templates. */
#ifndef ENGINE_TEXT_MEMO_H
#define ENGINE_TEXT_MEMO_H

#include <stddef.h>

#include "text/tokenizer.h"

/* Bytes of a text that is kept, and of all that is, at most. */
enum { MEMO_SHORTEST = 64, MEMO_BYTES = 8 << 20 };

struct memo;

/* NULL: memory is short. */
struct memo *memo_new(void);
void memo_free(struct memo *m);

/* tok_encode() of text without markers. 0, or -1: memory is short and *out is as it was. */
int memo_encode(struct memo *m, const struct tokenizer *t, const char *text, size_t len,
                struct tok_ids *out);

#endif
