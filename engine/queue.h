/* queue.h - where the callers' threads and the engine's thread meet; all they share.
 *
 * To the engine: requests, cancellations, calls to run in its thread, and the wish to shut down.
 * From it: events. There is one lock, held only as long as it takes to link or copy something. A
 * request's events are kept as the state still to be reported (struct queue_events), not as a list
 * of what happened: progress and usage are the latest, text of one kind is one piece, and the end
 * has its place reserved. So memory is bounded by the live requests and their text.
 *
 * Knows neither models nor scheduling: a request is a pointer here. */
#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine.h"

struct queue;

/* What is still to be reported of one request. The engine may use it until it has sent the end. */
struct queue_events;

/* 0, or -1: memory or file descriptors are short. */
int queue_open(struct queue **out);
void queue_close(struct queue *q); /* after the engine's thread has ended; NULL is fine */

/* The callers' side; any thread. */

/* Hands a request over. 0, or -1: out of memory. *id_out is set before the engine can see it. */
int queue_submit(struct queue *q, void *request, uint64_t *id_out);

/* Cancels a request; id 0 only interrupts what the engine's thread is doing. If the engine has not
 * taken the request yet (it is loading, or in a step) its end is sent at once and the request
 * returned: it is the caller's again. Else NULL. */
void *queue_cancel(struct queue *q, uint64_t id);

/* Asks for a request's reasoning to be closed. */
void queue_answer_now(struct queue *q, uint64_t id);

/* Runs call(ud) in the engine's thread between two steps, and waits until it has. */
void queue_call(struct queue *q, void (*call)(void *ud), void *ud);
void queue_shut(struct queue *q);

int queue_fd(const struct queue *q);
const struct engine_event *queue_next(struct queue *q, int timeout_ms); /* see engine_next_event */

/* The engine's side; its thread only. */

/* Runs the waiting calls, then gives the next request and its events; false when there is none.
 * With `wait` it sleeps until there is one or the queue is shut. */
bool queue_take(struct queue *q, bool wait, void **request_out, struct queue_events **events_out);

bool queue_is_shut(const struct queue *q);
const atomic_bool *queue_shut_flag(const struct queue *q);

/* True once the step in flight has become pointless: something was cancelled, or the queue was
 * shut. queue_begin_step clears it; what was cancelled by then is seen by queue_is_cancelled. */
const atomic_bool *queue_interrupt_flag(const struct queue *q);
void queue_begin_step(struct queue *q);
bool queue_is_cancelled(const struct queue_events *ev);
bool queue_wants_answer(const struct queue_events *ev);

void queue_emit_ready(struct queue *q, double load_ms);
void queue_emit_prefill(struct queue *q, struct queue_events *ev, int prompt_done,
                        const struct engine_usage *usage);

struct queue_text {
    enum engine_text kind;
    const char *text; /* copied, as are the tokens that came with it */
    size_t len;
    const int32_t *tokens;
    size_t n_tokens;
};

/* -1: out of memory, and the text is lost. */
int queue_emit_text(struct queue *q, struct queue_events *ev, const struct queue_text *text,
                    const struct engine_usage *usage);

struct queue_end {
    enum engine_stop stop;
    enum engine_error error;
    const char *error_text; /* copied; NULL without an error */
    const char *tool_calls; /* copied; NULL without any or when out of memory */
    bool unfinished;
    struct engine_usage usage;
    const int32_t *tokens; /* copied; those that no text came with */
    size_t n_tokens;
};

void queue_emit_done(struct queue *q, struct queue_events *ev, const struct queue_end *end);
void queue_emit_fatal(struct queue *q, enum engine_error error, const char *text);

#endif
