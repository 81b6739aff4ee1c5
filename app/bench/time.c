/* time.c - see time.h. The first run of each size is a warm-up and does not count. */
#include "app/bench/time.h"

#include <math.h>
#include <stdlib.h>

#include "app/mem.h"

enum { WARM = -1 };

void bench_times_done(struct bench_times *t)
{
    for (int i = 0; i < BENCH_MAX_SIZES; i++) {
        samples_done(&t->ttft[i]);
        samples_done(&t->steps[i].speed);
        samples_done(&t->steps[i].tpot);
        samples_done(&t->steps[i].all);
        samples_done(&t->steps[i].medians);
        samples_done(&t->batch[i]);
    }
}

static bool fits(const struct bench_engine *b, int tokens)
{
    return tokens <= engine_info(b->engine)->n_ctx;
}

/* No prompt shares a prefix with that of another run, so that nothing is cached. */
static int time_first_token(const struct bench_plan *plan, struct bench_engine *b, int size,
                            int run, struct samples *ttft)
{
    struct bench_question q = {
        .n_prompt = size, .n_generate = 1, .seed = (unsigned)(size * 1009 + run)};
    if (!fits(b, size + 1))
        return 0;
    bench_progress_step(plan->progress, "first token after %d", size);
    int status = bench_ask(b, &q, 1, NULL);
    if (status == 0 && run != WARM)
        samples_add(ttft, q.ttft_ms);
    return status;
}

static void take_run(struct bench_steps *s, const struct bench_question *q, struct samples *steps)
{
    double tpot = (q->last_ms - q->first_ms) / (q->n_tokens - 1);
    samples_add(&s->tpot, tpot);
    samples_add(&s->speed, 1e3 / tpot);
    for (size_t i = 0; i < steps->n; i++)
        samples_add(&s->all, steps->values[i]);
    samples_add(&s->medians, samples_median(steps));
}

/* All runs continue from one prompt, most of which is cached after the first: only the decode
 * counts. */
static int time_answer(const struct bench_plan *plan, struct bench_engine *b, int context, int run,
                       struct bench_steps *s)
{
    struct bench_question q = {
        .n_prompt = context, .n_generate = plan->n_generate, .seed = (unsigned)context};
    struct samples steps = {0};
    if (!fits(b, context + plan->n_generate))
        return 0;
    bench_progress_step(plan->progress, "tokens/s at %d", context);
    int status = bench_ask(b, &q, 1, &steps);
    if (status == 0 && run != WARM)
        take_run(s, &q, &steps);
    samples_done(&steps);
    return status;
}

int bench_time_alone(const struct bench_plan *plan, struct bench_engine *b, struct bench_times *t)
{
    int status = 0;
    for (int run = WARM; run < plan->n_runs; run++) {
        for (int i = 0; i < plan->prompts.n && status == 0; i++)
            status = time_first_token(plan, b, plan->prompts.size[i], run, &t->ttft[i]);
        for (int i = 0; i < plan->contexts.n && status == 0; i++)
            status = time_answer(plan, b, plan->contexts.size[i], run, &t->steps[i]);
    }
    return status;
}

int bench_ask_together(const struct bench_plan *plan, struct bench_engine *b, int n, double *speed)
{
    struct bench_question *q = mem_alloc((size_t)n * sizeof *q);
    double first = INFINITY, last = 0;
    int tokens = 0;

    for (int i = 0; i < n; i++)
        q[i] = (struct bench_question){.n_prompt = plan->contexts.size[0],
                                       .n_generate = plan->n_generate,
                                       .seed = (unsigned)i};
    int status = bench_ask(b, q, n, NULL);
    for (int i = 0; i < n && status == 0; i++) {
        first = fmin(first, q[i].first_ms);
        last = fmax(last, q[i].last_ms);
        tokens += q[i].n_tokens - 1;
    }
    *speed = tokens * 1e3 / (last - first);
    free(q);
    return status;
}

int bench_time_together(const struct bench_plan *plan, struct bench_engine *b,
                        struct bench_times *t)
{
    int status = 0;
    if (!fits(b, plan->contexts.size[0] + plan->n_generate))
        return 0;
    for (int run = WARM; run < plan->n_runs; run++) {
        for (int i = 0; i < plan->batches.n && status == 0; i++) {
            double speed;
            bench_progress_step(plan->progress, "%d together", plan->batches.size[i]);
            status = bench_ask_together(plan, b, plan->batches.size[i], &speed);
            if (status == 0 && run != WARM)
                samples_add(&t->batch[i], speed);
        }
    }
    return status;
}
