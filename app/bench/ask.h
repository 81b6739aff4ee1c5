/* ask.h - an engine under measurement: opened, and asked through ordinary requests and
 * events. Ctrl-C interrupts any wait. */
#ifndef APP_BENCH_ASK_H
#define APP_BENCH_ASK_H

#include "app/bench/bench.h"
#include "app/models/running.h"
#include "app/paths.h"
#include "engine/engine.h"

/* Progress: a line on standard error, rewritten in place, if that is a terminal. */
struct bench_progress {
    const char *model; /* the current measurement */
    bool on_terminal, shown;
    int n_done, n_steps;
};

void bench_progress_begin(struct bench_progress *p, bool quiet);
/* Begins the next step, with this name. */
__attribute__((format(printf, 2, 3))) void bench_progress_step(struct bench_progress *p,
                                                               const char *format, ...);
void bench_progress_wipe(struct bench_progress *p);

struct bench_engine {
    struct engine *engine;
    char err[512];

    /* What is published for `duet ps`. */
    struct running running;
    const struct paths *paths;
    const char *name;
    enum running_state told;
};

/* Each returns 0, or an exit status with the reason in err; for a signal that ends the program,
 * EXIT_SIGNAL plus its number, without a reason. */

/* Call first. */
void bench_init(struct bench_engine *b, const struct paths *paths, const char *name);

/* *load_ms: time until it was ready. */
int bench_open(struct bench_engine *b, const struct engine_options *options, double *load_ms);
void bench_close(struct bench_engine *b);

/* A signal that ends the program: as above; else 0. */
int bench_check_signals(void);

/* A request with a prompt of n_prompt tokens, determined by the seed, and its answer. */
struct bench_question {
    int n_prompt, n_generate;
    unsigned seed;

    /* Of the answer. */
    double first_ms, last_ms; /* when its first and last tokens arrived, on clock.h's clock */
    double ttft_ms;
    int n_tokens;

    /* Private. */
    uint64_t id;
    double submitted_ms;
    int n_seen; /* tokens reported by events */
    double seen_ms;
};

/* Sends all requests at once and waits for the greedy answers. steps: receives the time before each
 * token but the first, or NULL. */
int bench_ask(struct bench_engine *b, struct bench_question *questions, int n,
              struct samples *steps);

#endif
