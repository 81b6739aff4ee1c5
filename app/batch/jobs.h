/* jobs.h - a queue of requests that one engine works on together, as in duet batch and duet eval.
 * Whoever owns a job embeds this one as its first member. */
#ifndef APP_BATCH_JOBS_H
#define APP_BATCH_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"
#include "engine/engine.h"

/* The result of a request: its text by kind, and how it ended. */
struct job_result {
    struct str answer, reasoning;
    char *tool_calls; /* JSON; or NULL */
    bool unfinished;  /* it ended before it matched the requested form */
    struct engine_usage usage;
    enum engine_stop stop;
    enum engine_error error;
    char error_text[256]; /* "" where there was no error */
};

struct job {
    struct job_result result;
    uint64_t request; /* 0: not (or no longer) with the engine */
    bool done;
    struct job *next;
};

struct jobs {
    struct engine *engine;
    const char *model;        /* its name, for err */
    struct job *first, **end; /* in the order in which they were added */
    size_t n, n_running;
    int fatal; /* an exit status, once the engine has failed for good */
    char err[512];
};

void jobs_init(struct jobs *j, struct engine *engine, const char *model);

/* Whether the engine takes another job: a few are queued per answer it writes at a time. */
bool jobs_have_room(const struct jobs *j, size_t ahead);

void jobs_add(struct jobs *j, struct job *job); /* at the end of the line; the caller's */

/* Removes the job at this place from the queue and returns it. */
struct job *jobs_take(struct jobs *j, struct job **at);

/* Submits the job's request; a refused one is done, with an error. */
void jobs_submit(struct jobs *j, struct job *job, const struct engine_request *request);

void job_fail(struct job *job, enum engine_error error, const char *why);

/* Takes pending engine events, without blocking. True: the weights have just been loaded. */
bool jobs_take_events(struct jobs *j);

void job_result_done(struct job_result *result);
const char *job_error_code(enum engine_error error); /* "input", "context" ... */

#endif
