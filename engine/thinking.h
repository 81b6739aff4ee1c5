/* thinking.h - reasoning that does not go its natural way: closed from outside, or gone on with.
 *
 * What closes it are the tokens that models of the family write themselves: a new line, </think>, an
 * empty line. What was begun becomes tokens again, and a detok that stands where they end. */
#ifndef ENGINE_THINKING_H
#define ENGINE_THINKING_H

#include <stdint.h>

#include "engine.h"
#include "text/detok.h"
#include "text/tokenizer.h"

struct thinking_close {
    int32_t ids[8];
    int n, n_line; /* all; those of the new line, which come first */
};

/* False where the tokeniser has no </think>. */
bool thinking_close_init(struct thinking_close *c, const struct tokenizer *t);

/* The tokens that close reasoning behind the token `last`; how many. */
int thinking_closing(const struct thinking_close *c, const struct tokenizer *t, int32_t last,
                     const int32_t **ids_out);

/* The beginning of an answer, ready to be gone on from. */
struct thinking_begun {
    struct tok_ids ids;
    struct detok *detok;
    int n_reasoning; /* of the ids, those that count as reasoning */
};

/* opt: as for an answer from its first token on. 0, or -1: memory is short. Both members are then the
 * caller's to free. */
int thinking_begin(struct thinking_begun *out, const struct tokenizer *t,
                   const struct detok_options *opt, const struct thinking_close *close,
                   const struct engine_begun *begun);

#endif
