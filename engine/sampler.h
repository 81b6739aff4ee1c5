/* sampler.h - from logits to the next token.
 *
 * Order: repetition penalty, temperature, top-k, top-p, min-p, then one draw. The draw's random
 * number is a pure function of the seed and the count of tokens sampled so far (a counter-based
 * generator), so that any backend, batch and thread count draws the same. Temperature 0 takes the
 * most likely token, the lowest id among equals. Logits that are not finite are an error, not a
 * crash. */
#ifndef ENGINE_SAMPLER_H
#define ENGINE_SAMPLER_H

#include <stdint.h>

struct sampler_settings {
    float temperature;
    int top_k;
    float top_p, min_p;
    float repeat_penalty;
    uint64_t seed;
};

enum { SAMPLER_WINDOW = 64 }; /* tokens the repetition penalty looks back on */

struct sampler {
    struct sampler_settings set;
    const uint8_t *banned;          /* [n_vocab] 1 = never sampled, or NULL; not owned */
    uint64_t drawn;                 /* tokens sampled so far: the generator's counter */
    int32_t recent[SAMPLER_WINDOW]; /* ring of the last tokens, prompt included */
    int n_recent; /* ever accepted; the ring's head is n_recent % SAMPLER_WINDOW */
};

struct sampler_candidate {
    float logit; /* later: probability */
    int32_t id;
};

void sampler_init(struct sampler *s, const struct sampler_settings *set, const uint8_t *banned);

/* Tells the sampler a token of the sequence: of the prompt, or the one it picked. */
void sampler_accept(struct sampler *s, int32_t token);

/* Picks a token from logits [n_vocab], which it may change; scratch [n_vocab] is the caller's.
 * Returns the id, or -1 when no finite logit is left. Does not accept it. */
int32_t sampler_pick(struct sampler *s, float *logits, int n_vocab,
                     struct sampler_candidate *scratch);

#endif
