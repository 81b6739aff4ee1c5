/* constrain.h - the form an answer must have: from a request's schema, grammar or tools to the
 * tokens that may come next.
 *
 * struct shapes belongs to the engine: the vocabulary as a tree, and the grammars in use; equal
 * grammars are compiled once and share their masks. struct constraint belongs to one request: it
 * follows the tokens of the answer. Reasoning is free, but must end before the answer does; white
 * space after it (up to two lines) is not part of the answer.
 *
 * Threads: shapes_open and constraint_open by any thread; the rest by the engine's, or by any once
 * that has ended or before it has seen the request. */
#ifndef ENGINE_GRAMMAR_CONSTRAIN_H
#define ENGINE_GRAMMAR_CONSTRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "text/detok.h"

struct constraint;
struct shapes;
struct tokenizer;

/* The tokenizer must outlive it. 0, or -1: out of memory. */
int shapes_open(struct shapes **out, const struct tokenizer *t, enum engine_family family);
void shapes_close(struct shapes *all); /* NULL is fine */

/* *out is NULL where the request asks for nothing. 0, or an enum engine_error
 * with one line in err. */
int constraint_open(struct constraint **out, struct shapes *all, const struct engine_request *req,
                    char *err, size_t errlen);
void constraint_close(struct constraint *c); /* NULL is fine */

/* A bit for each token that may come next at this stage of the text; until the next call. NULL:
 * nothing may, or memory ran out. */
const uint32_t *constraint_mask(struct constraint *c, enum detok_stage stage);

/* Follows a token; the arguments are the text's stages before and after it. False: the answer has
 * left its form, which no token of the mask causes. */
bool constraint_take(struct constraint *c, int32_t token, enum detok_stage before,
                     enum detok_stage after);

enum { CONSTRAINT_FORCED = 64 };

/* Tokens that must come next because the text they spell must: they need not be sampled, and are
 * computed in one step. The last token of that text is left to the model, which may merge it with
 * what follows. Returns how many. */
int constraint_forced(struct constraint *c, enum detok_stage stage, int32_t out[CONSTRAINT_FORCED]);

/* The answer is complete, and nothing can be added to it. */
bool constraint_is_over(const struct constraint *c);

/* The answer may end here. */
bool constraint_is_whole(const struct constraint *c);

#endif
