/* scheduler.h - which tokens of which requests the model computes next.
 *
 * A request is a row of tokens, of which the first n_computed are in the KV cache. A step computes
 * some of the rest: first one token for each request that needs only one (decode), then as many as
 * still fit for those that need more (prefill, in chunks). A request whose tokens are all computed
 * gets one more, sampled. Prefill and decode are not separate states.
 *
 * Requests are admitted in the order they came, once the KV cache has room for everything they may
 * need: nothing is ever preempted, and no two requests can wait for each other. A step that is
 * given up half way (queue.h's interrupt) leaves no trace: nothing is sampled, and the rows it
 * wrote to the cache count as not computed. So an answer depends on its own request alone.
 *
 * Touches no device: forward() and the backend do that. Progress, text and ends go to queue.h.
 * (Not called sched.h, which is the C library's.) */
#ifndef ENGINE_SCHEDULER_H
#define ENGINE_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "backend.h"
#include "kv.h"
#include "queue.h"
#include "sampler.h"

struct calls;
struct constraint;
struct detok;
struct gguf;
struct sched;
struct tokenizer;

struct sched_options {
    struct backend *backend; /* opened for at least the sizes below */
    const struct model *model;
    const struct tokenizer *tokenizer;
    const struct gguf *file; /* watched for changes; or NULL */
    struct queue *queue;
    struct kv *kv;
    int max_context;   /* tokens of a sequence; the KV cache holds at least one such */
    int max_sequences; /* in a step */
    int max_tokens;    /* in a step; at least max_sequences */
};

struct sched_request {
    /* Filled in by whoever submits it; the request owns tokens, detok, constraint and calls. */
    int32_t *tokens; /* [max_tokens], the prompt first */
    int n_prompt;    /* 1 .. max_tokens - 1 */
    int max_tokens;  /* of prompt and answer together; at most the context */
    struct sampler sampler;
    struct detok *detok;
    struct constraint *constraint;      /* the form its answer must have, or NULL */
    struct calls *calls;                /* finds calls of tools, or NULL */
    const struct thinking_close *close; /* how its reasoning can be closed; NULL: it has none */
    int think_left;                     /* tokens until the scheduler closes it; < 0: never */
    bool ignore_eos;                    /* a token that ends answers does not end this one */
    double submitted_ms;                /* sched_clock_ms() */

    /* The scheduler's. */
    struct sched_request *next; /* in the queue of those not yet admitted */
    struct queue_events *events;
    int slot; /* row of the block table */
    struct kv_sequence kv;
    int n_tokens, n_computed;
    int n_told;         /* tokens whose text was sent, the prompt included */
    int n_step, output; /* in the step being made: tokens, and which output is its own or -1 */
    bool stuck;         /* its constraint allows no token */
    double first_token_ms;
    struct engine_usage usage;
};

double sched_clock_ms(void); /* monotonic */

void sched_request_free(struct sched_request *r); /* NULL is fine; with what it owns */

/* 0, or -1: out of memory. */
int sched_new(struct sched **out, const struct sched_options *opt);
void sched_free(struct sched *s); /* NULL is fine; with the requests it has */

/* Takes a request over; its end will be sent to its events. */
void sched_add(struct sched *s, struct sched_request *r, struct queue_events *events);

bool sched_busy(const struct sched *s); /* it has requests that have not ended */

/* One step of the model, if there is anything to do. 0, or -1: the device or the file failed and
 * nothing more can be computed; sched_error says why. */
int sched_step(struct sched *s);
const char *sched_error(const struct sched *s);

/* Ends every request that it has. */
void sched_end_all(struct sched *s, enum engine_stop stop, enum engine_error error,
                   const char *error_text);

#endif
