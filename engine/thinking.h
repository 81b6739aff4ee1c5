/* thinking.h - reasoning that is closed from outside, or continued.
 *
 * It is closed with the tokens that models of the family write themselves: a new line, </think>,
 * an empty line. The beginning of an interrupted answer becomes tokens again, and a detok in the
 * state they leave it in. */
#ifndef ENGINE_THINKING_H
#define ENGINE_THINKING_H

#include <stdint.h>

#include "engine.h"
#include "text/detok.h"
#include "text/tokenizer.h"

struct thinking_close {
    int32_t ids[8];
    int n, n_line; /* n in all; the first n_line of them are the new line */
};

/* False where the tokenizer has no </think>. */
bool thinking_close_init(struct thinking_close *c, const struct tokenizer *t);

/* The tokens that close reasoning after the token `last`; returns how many. */
int thinking_closing(const struct thinking_close *c, const struct tokenizer *t, int32_t last,
                     const int32_t **ids_out);

/* The beginning of an answer, ready to be continued. */
struct thinking_partial {
    struct tok_ids ids;
    struct detok *detok;
    int n_reasoning; /* of the ids, those that count as reasoning */
};

/* opt: as for an answer from its first token on. 0, or -1: out of memory. Both members are then
 * the caller's to free. */
int thinking_begin(struct thinking_partial *out, const struct tokenizer *t,
                   const struct detok_options *opt, const struct thinking_close *close,
                   const struct engine_partial *partial);

#endif
