/* fake_model.h - a scheduler over a backend that is no model but cannot be fooled: the rows of its
 * cache are hashes of all tokens up to them, and what it samples follows from the last row. A wrong
 * block, position or order therefore changes the answer. */
#ifndef TESTS_ENGINE_FAKE_MODEL_H
#define TESTS_ENGINE_FAKE_MODEL_H

#include "engine/scheduler.h"

enum { CONTEXT = 4 * KV_BLOCK, MAX_POOL = 64 };

struct fake {
    struct backend base;
    const struct batch *batch;
    uint64_t rows[MAX_POOL][KV_BLOCK];
    uint64_t last[512]; /* rows of the outputs' tokens */

    int n_steps, max_step_tokens;
    int fail_after;      /* operations; 0 = never */
    struct queue *queue; /* where cancel_id is cancelled in mid-step */
    uint64_t cancel_id;
    bool produces_nan;
};

/* The scheduler and everything around it. */
struct world {
    struct tokenizer *tokenizer;
    struct model model;
    struct fake fake;
    struct queue *queue;
    struct kv *kv;
    struct sched *sched;
};

struct world *world_new(int n_blocks, int max_sequences, int max_tokens);
void world_free(struct world *w);

struct ask {
    char prompt[CONTEXT]; /* each byte is a token */
    int max_tokens;       /* of the answer; 0 = until the context is full */
    uint64_t seed;
    float temperature;
    const char *stop;
};

struct answer {
    char text[CONTEXT + 1];
    bool done;
    enum engine_stop stop;
    enum engine_error error;
    char error_text[64];
    struct engine_usage usage;
    int last_prompt_done;
};

/* Returns the request's id: 1 for the first of a world, then 2, 3 ... */
uint64_t world_submit(struct world *w, const struct ask *a);

/* Takes all events there are; answers[i] belongs to request i + 1. */
void world_listen(struct world *w, struct answer *answers, int n);

/* Steps until all n requests have ended. */
void world_run(struct world *w, struct answer *answers, int n);

/* What the fake model answers, worked out without a scheduler. */
void fake_answer(const struct ask *a, struct answer *out);

#endif
