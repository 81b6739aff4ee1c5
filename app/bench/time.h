/* time.h - times requests on an open engine. All sizes take turns several times, so that
 * other load on the machine affects all of them alike and shows in each spread. */
#ifndef APP_BENCH_TIME_H
#define APP_BENCH_TIME_H

#include "app/bench/ask.h"

enum { BENCH_MAX_SIZES = 16 };

struct bench_sizes {
    int n, size[BENCH_MAX_SIZES];
};

struct bench_plan {
    struct bench_sizes prompts, contexts, batches;
    int n_generate, n_runs;
    struct engine_options options; /* but for the path */
    struct bench_progress *progress;
    const struct paths *paths;
};

struct bench_steps {
    struct samples speed, tpot;
    struct samples all, medians; /* of the times between tokens: all, and each run's median */
};

/* {0} is empty. A size that exceeds the engine's context gets no samples. */
struct bench_times {
    struct samples ttft[BENCH_MAX_SIZES];      /* of each prompt */
    struct bench_steps steps[BENCH_MAX_SIZES]; /* of each context */
    struct samples batch[BENCH_MAX_SIZES];     /* of each batch: tokens a second of all together */
};
void bench_times_done(struct bench_times *t);

/* Each returns 0, or an exit status as in ask.h, with the samples taken so far. */

/* The plan's prompts and contexts, one request at a time. */
int bench_time_alone(const struct bench_plan *plan, struct bench_engine *b, struct bench_times *t);

/* The plan's batches, at its first context. */
int bench_time_together(const struct bench_plan *plan, struct bench_engine *b,
                        struct bench_times *t);

/* n concurrent answers, once. *speed: tokens per second of all, from the first token of any to the
 * last of any. */
int bench_ask_together(const struct bench_plan *plan, struct bench_engine *b, int n, double *speed);

#endif
