/* stepper.h - feeds tokens of a few sequences to a model, as the scheduler would, but with every
 * choice the test's own. */
#ifndef TESTS_ENGINE_STEPPER_H
#define TESTS_ENGINE_STEPPER_H

#include "engine/backend.h"
#include "engine/host/features.h"

enum { STEPPER_TOKENS = 1024, STEPPER_SEQUENCES = 4, STEPPER_OUTPUTS = 8 };

struct stepper_options {
    enum cpu_level level;
    int n_threads;
    enum backend_kv_type kv_type;
    bool scattered; /* blocks of the sequences are mixed up, not one after the other */
};

struct stepper {
    struct model *m;
    struct backend *b;
    struct batch batch;
    int n_past[STEPPER_SEQUENCES];
    float *logits; /* [STEPPER_OUTPUTS, n_vocab] of the last step */
};

/* Opens a backend for m and loads it; fails the test where that fails. */
void stepper_open(struct stepper *s, struct model *m, const struct stepper_options *opt);
void stepper_close(struct stepper *s);

/* Adds n tokens of a sequence to the next step; the last one's logits are wanted if `output`. */
void stepper_add(struct stepper *s, int sequence, const int32_t *tokens, int n, bool output);

/* Runs the step; logits of output i are then row i of s->logits. */
void stepper_run(struct stepper *s);

/* One sequence: n tokens in steps of `chunk` (0: one step). Returns the last position's logits,
 * good until the next step. */
const float *stepper_feed(struct stepper *s, const int32_t *tokens, int n, int chunk);

/* The sequences are empty again. */
void stepper_reset(struct stepper *s);

#endif
