/* random_model.h - matrices and whole models of random numbers, and what they compute in double. */
#ifndef TESTS_ENGINE_RANDOM_MODEL_H
#define TESTS_ENGINE_RANDOM_MODEL_H

#include "engine/model.h"

/* A generator that is the same everywhere (Vigna's splitmix64). */
uint64_t random_next(uint64_t *state);
float random_float(uint64_t *state); /* in -1 .. 1 */

/* Rows of a type with values of about -1 .. 1 times scale; the caller's to free (w.host). */
struct matrix random_matrix(uint64_t *state, enum quant_type type, int rows, int cols, float scale);

struct random_options {
    enum quant_type type; /* of all matrices */
    int n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff, n_vocab;
    bool neighbours, tied;
    float key_bias; /* biases of q, k, v where not 0: k's this large, the others small */
};

void random_model(struct model *m, const struct random_options *opt, uint64_t seed);
void random_model_done(struct model *m);

/* Logits of every position of one sequence, [n, n_vocab], in double and without any cleverness. */
double *reference_forward(const struct model *m, const int32_t *tokens, int n);

#endif
