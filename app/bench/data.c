/* data.c - see bench.h: rows, and figures computed from samples. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/bench/bench.h"
#include "app/mem.h"

const struct bench_metric_info bench_metrics[BENCH_METRICS] = {
    [BENCH_LOAD] = {"load_ms", "load", BENCH_MS, BENCH_LESS, 0},
    [BENCH_RSS] = {"rss_bytes", "memory after load", BENCH_BYTES, BENCH_LESS, 0},
    [BENCH_VRAM] = {"vram_bytes", "GPU memory after load", BENCH_BYTES, BENCH_LESS, 0},
    [BENCH_WEIGHTS] = {"weight_bytes", "  weights", BENCH_BYTES, BENCH_LESS, 0},
    [BENCH_KV] = {"kv_bytes", "  KV cache", BENCH_BYTES, BENCH_LESS, 0},
    [BENCH_SCRATCH] = {"scratch_bytes", "  scratch", BENCH_BYTES, BENCH_LESS, 0},
    [BENCH_KV_TOKEN] = {"kv_bytes_per_token", "KV cache, each token", BENCH_BYTES, BENCH_LESS, 0},
    [BENCH_READ_TOKEN] = {"bytes_read_per_token", "weights read, each token", BENCH_BYTES,
                          BENCH_LESS, 1},
    [BENCH_BANDWIDTH] = {"memory_bandwidth", "memory reads", BENCH_BYTES_S, BENCH_MORE, 1},
    [BENCH_TTFT] = {"ttft_ms", "first token after #", BENCH_MS, BENCH_LESS, 2},
    [BENCH_PREFILL] = {"prefill_tokens_per_second", "prompt of # read, tokens/s", BENCH_TOKENS_S,
                       BENCH_MORE, 2},
    [BENCH_SPEED] = {"tokens_per_second", "tokens/s at #", BENCH_TOKENS_S, BENCH_MORE, 3},
    [BENCH_LIMIT] = {"limit_tokens_per_second", "memory's limit at #", BENCH_TOKENS_S, BENCH_MORE,
                     3},
    [BENCH_SHARE] = {"share_of_limit", "share of the limit at #", BENCH_SHARE_OF_1, BENCH_MORE, 3},
    [BENCH_TPOT] = {"tpot_ms", "time for a token at #", BENCH_MS, BENCH_LESS, 3},
    [BENCH_ITL] = {"itl_ms", "time between tokens at #", BENCH_MS, BENCH_LESS, 3},
    [BENCH_BATCH_SPEED] = {"batch_tokens_per_second", "tokens/s of # together", BENCH_TOKENS_S,
                           BENCH_MORE, 4},
    [BENCH_BATCH_SHARE] = {"batch_share_of_limit", "share of the limit of #", BENCH_SHARE_OF_1,
                           BENCH_MORE, 4},
    [BENCH_UTILIZATION] = {"gpu_utilization", "GPU busy with #", BENCH_SHARE_OF_1, BENCH_MORE, 5},
    [BENCH_COST_TTFT] = {"reproducible_cost_ttft", "--reproducible, first after #", BENCH_CHANGE,
                         BENCH_LESS, 5},
    [BENCH_COST_BATCH] = {"reproducible_cost_batch", "--reproducible, # together", BENCH_CHANGE,
                          BENCH_LESS, 5},
};

const char *bench_unit_name(enum bench_unit unit)
{
    static const char *const names[] = {[BENCH_MS] = "ms",        [BENCH_BYTES] = "B",
                                        [BENCH_BYTES_S] = "B/s",  [BENCH_TOKENS_S] = "tokens/s",
                                        [BENCH_SHARE_OF_1] = "1", [BENCH_CHANGE] = "1"};
    return names[unit];
}

/* Results */

void bench_results_done(struct bench_results *r)
{
    for (size_t i = 0; i < r->n_models; i++) {
        free(r->models[i].name);
        free(r->models[i].type);
        free(r->models[i].device);
        free(r->models[i].settings);
        free(r->models[i].rows);
    }
    free(r->models);
    free(r->version);
    free(r->machine);
    *r = (struct bench_results){0};
}

struct bench_model *bench_add_model(struct bench_results *r, const struct bench_model *facts)
{
    r->models = mem_realloc(r->models, (r->n_models + 1) * sizeof *r->models);
    struct bench_model *m = &r->models[r->n_models++];
    *m = (struct bench_model){.name = mem_strdup(facts->name),
                              .type = mem_strdup(facts->type),
                              .device = mem_strdup(facts->device),
                              .settings = mem_strdup(facts->settings)};
    return m;
}

static struct bench_row *add_row(struct bench_model *m, enum bench_metric metric,
                                 struct bench_point at)
{
    m->rows = mem_realloc(m->rows, (m->n_rows + 1) * sizeof *m->rows);
    struct bench_row *row = &m->rows[m->n_rows++];
    *row = (struct bench_row){.metric = metric, .at = at};
    return row;
}

void bench_add(struct bench_model *m, enum bench_metric metric, struct bench_point at,
               struct bench_figure figure)
{
    add_row(m, metric, at)->figure = figure;
}

void bench_add_note(struct bench_model *m, enum bench_metric metric, struct bench_point at,
                    const char *format, ...)
{
    struct bench_row *row = add_row(m, metric, at);
    va_list args;
    va_start(args, format);
    vsnprintf(row->note, sizeof row->note, format, args);
    va_end(args);
}

int bench_row_order(const struct bench_row *a, const struct bench_row *b)
{
    const int keys[][2] = {{(int)a->metric, (int)b->metric},
                           {a->at.batch, b->at.batch},
                           {a->at.context, b->at.context},
                           {a->at.prompt, b->at.prompt}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? -1 : 1;
    return 0;
}

const struct bench_row *bench_find(const struct bench_model *m, enum bench_metric metric,
                                   struct bench_point at)
{
    const struct bench_row wanted = {.metric = metric, .at = at};
    for (size_t i = 0; i < m->n_rows; i++)
        if (bench_row_order(&m->rows[i], &wanted) == 0)
            return &m->rows[i];
    return NULL;
}

/* Samples */

void samples_add(struct samples *s, double value)
{
    s->values = mem_realloc(s->values, (s->n + 1) * sizeof *s->values);
    s->values[s->n++] = value;
}

void samples_done(struct samples *s)
{
    free(s->values);
    *s = (struct samples){0};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double samples_quantile(struct samples *s, double share)
{
    if (s->n == 0)
        return NAN;
    qsort(s->values, s->n, sizeof *s->values, by_value);
    size_t at = (size_t)ceil(share * (double)s->n);
    return s->values[at > 0 ? at - 1 : 0];
}

double samples_median(struct samples *s)
{
    double lower = samples_quantile(s, 0.5);
    return s->n > 0 && s->n % 2 == 0 ? (lower + s->values[s->n / 2]) / 2 : lower;
}

struct bench_figure samples_figure(struct samples *s)
{
    if (s->n == 0)
        return (struct bench_figure){0};
    return (struct bench_figure){
        .median = samples_median(s),
        .low = samples_quantile(s, 0.1),
        .high = samples_quantile(s, 0.9),
        .p99 = samples_quantile(s, 0.99),
        .n = (int)s->n,
    };
}

struct bench_figure bench_exact(double value)
{
    return (struct bench_figure){value, value, value, value, 1};
}
