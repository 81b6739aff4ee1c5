/* masker.h - which tokens a grammar allows next.
 *
 * One masker serves one grammar; each sequence that follows the grammar registers its state, since
 * states change their numbers when memory is reclaimed. A mask is computed by walking the
 * vocabulary's tree along the automaton, and kept for the next time its state recurs; inside a
 * string most of the vocabulary is known to fit without a walk. A mask is a pure function of the
 * text since the grammar began. One thread at a time. */
#ifndef ENGINE_GRAMMAR_MASKER_H
#define ENGINE_GRAMMAR_MASKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gprogram;
struct masker;
struct tokenizer;
struct trie;

/* What it is given must outlive it. 0, or -1: out of memory. */
int masker_open(struct masker **out, const struct gprogram *program, const struct tokenizer *tokens,
                struct trie *trie);
void masker_close(struct masker *k);

/* Registers a state and sets it to the grammar's beginning. 0, or -1: out of memory. */
int masker_join(struct masker *k, int32_t *state);
void masker_leave(struct masker *k, const int32_t *state); /* unknown is fine */

/* Moves a registered state over text. False: the grammar does not allow it; the state is dead. */
bool masker_accept(struct masker *k, int32_t *state, const char *text, size_t len);
bool masker_ends(const struct masker *k, const int32_t *state);    /* the text may end here */
bool masker_is_over(const struct masker *k, const int32_t *state); /* and must */

/* The text that is forced next, as far as there is no choice and it fits; returns its length.
 * *over_out: the text is then complete, and nothing may follow. */
size_t masker_forced(struct masker *k, int32_t state, char *out, size_t cap, bool *over_out);

/* Fills in a bit for each token of the vocabulary that may come next, those that end an answer
 * among them. False: there is none, or memory ran out. */
bool masker_fill(struct masker *k, int32_t *state, uint32_t *mask);

#endif
