/* bench_ask.h - an engine that is being measured: opening it, and asking it as anybody else does,
 * through requests and their events. Ctrl-C ends whatever waits here. */
#ifndef APP_BENCH_BENCH_ASK_H
#define APP_BENCH_BENCH_ASK_H

#include "app/bench/bench.h"
#include "app/models/running.h"
#include "app/paths.h"
#include "engine/engine.h"

/* How far it is: a line on a terminal's standard error that is written over. */
struct bench_progress {
    const char *model; /* what is measured just now */
    bool on_terminal, shown;
    int n_done, n_steps;
};

void bench_progress_begin(struct bench_progress *p, bool quiet);
/* One more step begins, which is called so. */
__attribute__((format(printf, 2, 3))) void bench_progress_step(struct bench_progress *p,
                                                               const char *format, ...);
void bench_progress_wipe(struct bench_progress *p);

struct bench_engine {
    struct engine *engine;
    char err[512];

    /* What it tells `duet ps`: of the model of this name, where it has been told what. */
    struct running running;
    const struct paths *paths;
    const char *name;
    enum running_state told;
};

/* Each of these returns 0, or an exit status with the reason in err; of a signal that ends the
 * program that is EXIT_SIGNAL and its number, without a reason. */

/* Before anything else. */
void bench_init(struct bench_engine *b, const struct paths *paths, const char *name);

/* *load_ms: until it could answer. */
int bench_open(struct bench_engine *b, const struct engine_options *options, double *load_ms);
void bench_close(struct bench_engine *b);

/* A signal that ends the program: as above; else 0. */
int bench_check_signals(void);

/* A question of n_prompt tokens, of which there is one for each seed, and its answer. */
struct bench_question {
    int n_prompt, n_generate;
    unsigned seed;

    /* Of the answer. */
    double first_ms, last_ms; /* when its first and last tokens came, on clock.h's clock */
    double ttft_ms;
    int n_tokens;

    /* Private. */
    uint64_t id;
    double submitted_ms;
    int n_seen; /* tokens that events have told of */
    double seen_ms;
};

/* Asks all at once and waits for the answers, which are greedy. steps: gets the time before each
 * token but the first, or NULL. */
int bench_ask(struct bench_engine *b, struct bench_question *questions, int n,
              struct samples *steps);

#endif
