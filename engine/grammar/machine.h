/* machine.h - runs a grammar's program: a pushdown automaton whose states are made when first
 * reached and whose steps are looked up from then on.
 *
 * A state is the set of all places in the program where the text so far may have led to, each with
 * its loop counter and the set of places to return to. Equal sets have one number, so that a step
 * is a table lookup. Places that differ only in where they return to share one set of returns: an
 * ambiguous grammar costs no more states than it has places.
 *
 * Everything is bounded: a text that would need a deeper stack, or more places at a time, than
 * the limits is refused as if the grammar did not match. The tables grow until
 * machine_is_full, and the owner of the states then calls machine_flush with those that it
 * still needs. One thread at a time. */
#ifndef ENGINE_GRAMMAR_MACHINE_H
#define ENGINE_GRAMMAR_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grammar/grammar.h"

enum { MACHINE_DEAD = -1 };

struct machine;

/* The program must outlive it. NULL: out of memory. */
struct machine *machine_new(const struct gprogram *p);
void machine_free(struct machine *m);

/* State before the first byte. */
int32_t machine_start(struct machine *m);

/* The state after one more byte; MACHINE_DEAD: the grammar has no such text. */
int32_t machine_step(struct machine *m, int32_t state, uint8_t byte);

/* The text so far is complete. */
bool machine_ends(const struct machine *m, int32_t state);

/* The only byte that may come next, or -1: there are several, or the text may end here. */
int machine_only_byte(const struct machine *m, int32_t state);

/* The text is complete and nothing may be added to it. */
bool machine_is_over(const struct machine *m, int32_t state);

bool machine_is_full(const struct machine *m);

/* Forgets all states but these, which get new numbers in place; MACHINE_DEAD stays. Anything else
 * kept by state number is void. */
void machine_flush(struct machine *m, int32_t *const *states, size_t n);
uint64_t machine_n_flushed(const struct machine *m); /* flushes so far */

/* Memory was short at some time: states may be missing. */
bool machine_has_failed(const struct machine *m);

/* A state in a loop over characters of one set (in a string, say). */
struct machine_loop {
    int32_t set;  /* of the program's sets */
    int32_t left; /* how many of them may follow; GX_FOREVER */
};

/* True where any text of characters of the set, up to `left` of them, may follow, and no such
 * character may be anything but a turn of that loop. */
bool machine_in_loop(struct machine *m, int32_t state, struct machine_loop *out);

#endif
