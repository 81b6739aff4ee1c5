/* sampler.h - from logits to the next token.
 *
 * Order: repetition penalty (as in CTRL, Keskar et al. 2019; once for each token in the window),
 * temperature, top-k, top-p (of what top-k left), min-p, then one draw. "Most likely" means the
 * lowest id among equals, everywhere. The draw walks the tokens that are left in order of
 * their ids, so it does not depend on how they were selected; its random number is a pure function
 * of the seed and the count of draws so far (a counter-based generator), so that any backend, batch
 * and thread count draws the same. Temperature 0 takes the most likely token. */
#ifndef ENGINE_SAMPLER_H
#define ENGINE_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine.h"

enum { SAMPLER_WINDOW = 64 }; /* tokens the repetition penalty looks back on */

struct sampler {
    struct engine_sampling set;
    const bool *banned;             /* [n_vocab] never sampled, or NULL; not owned */
    const uint32_t *mask;           /* a bit for each token that may be picked next, or NULL: all;
                                       not owned, set anew before each pick */
    uint64_t drawn;                 /* picks so far that drew: the generator's counter */
    int32_t recent[SAMPLER_WINDOW]; /* ring of the last tokens, prompt included */
    int n_recent; /* accepted so far (stays under twice the window); its head is n_recent % it */
};

struct sampler_candidate {
    float p; /* probability, times a constant */
    int32_t id;
};

/* Why the settings cannot be used ("top_k: less than 0"), or NULL. */
const char *sampler_fault(const struct engine_sampling *set);

void sampler_init(struct sampler *s, const struct engine_sampling *set, const bool *banned);

/* Records a token of the sequence: of the prompt, or the one that was picked. */
void sampler_accept(struct sampler *s, int32_t token);

/* As if so many more tokens had been picked. */
void sampler_skip(struct sampler *s, int n);

/* The draw's random number, in [0, 1): for a backend that picks by itself, once for
 * each pick that draws. */
double sampler_uniform(struct sampler *s);

/* Picks a token from logits [n_vocab], which it changes; scratch [n_vocab] is the caller's. Does
 * not accept it. -1 when a logit is NaN or +infinity (the model is damaged), or none is left. A
 * logit of -infinity is a token that is never picked. */
int32_t sampler_pick(struct sampler *s, float *logits, int n_vocab,
                     struct sampler_candidate *scratch);

#endif
