/* bench.h - what `duet bench` measures, as data: rows of figures, by model.
 *
 * Results are made by measuring (measure.h) or read from a file that `--json` wrote; the
 * forms they are printed in (show.h) do not know which. */
#ifndef APP_BENCH_BENCH_H
#define APP_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>

/* In the order of the table. */
enum bench_metric {
    BENCH_LOAD,
    BENCH_RSS,
    BENCH_VRAM,
    BENCH_WEIGHTS,
    BENCH_KV,
    BENCH_SCRATCH,
    BENCH_KV_TOKEN,
    BENCH_READ_TOKEN,
    BENCH_BANDWIDTH,
    BENCH_TTFT,
    BENCH_PREFILL,
    BENCH_SPEED,
    BENCH_LIMIT,
    BENCH_SHARE,
    BENCH_TPOT,
    BENCH_ITL,
    BENCH_BATCH_SPEED,
    BENCH_BATCH_SHARE,
    BENCH_UTILIZATION,
    BENCH_COST_TTFT,
    BENCH_COST_BATCH,
    BENCH_METRICS
};

/* Groups of metrics; from this one on they are per number of concurrent requests. */
enum { BENCH_OF_BATCHES = 4 };

enum bench_unit {
    BENCH_MS,
    BENCH_BYTES,
    BENCH_BYTES_S,
    BENCH_TOKENS_S,
    BENCH_SHARE_OF_1, /* 0.5 is 50 % */
    BENCH_CHANGE,     /* of 1 too: 0.5 is 50 % more */
};
enum bench_better { BENCH_LESS, BENCH_MORE };

struct bench_metric_info {
    const char *name;  /* in JSON and CSV */
    const char *label; /* # stands for the prompt, the context or the batch */
    enum bench_unit unit;
    enum bench_better better;
    int group; /* rows of one group stand together */
};
extern const struct bench_metric_info bench_metrics[BENCH_METRICS];
const char *bench_unit_name(enum bench_unit unit);

/* The samples of several runs. low and high bound the middle 80 % of the runs; with fewer than ten
 * runs, all of them. */
struct bench_figure {
    double median, low, high;
    double p99; /* of all samples, which may be more than runs */
    int n;      /* runs; 0: not measured */
};

/* The conditions of a measurement; 0 if not applicable. */
struct bench_point {
    int prompt;  /* tokens of the prompt */
    int context; /* tokens before the first that counts */
    int batch;   /* requests at a time */
};

struct bench_row {
    enum bench_metric metric;
    struct bench_point at;
    struct bench_figure figure;
    char note[48]; /* why there is no figure */
};

struct bench_model {
    char *name; /* name as given by the user */
    char *type, *device;
    char *settings; /* "context 4096, KV f16": other settings that affect the figures */
    struct bench_row *rows;
    size_t n_rows;
};

struct bench_results {
    char *version, *machine; /* machine: its processor, "" if unknown */
    int n_generate, n_runs;  /* tokens of an answer; times each was measured */
    bool interrupted;
    struct bench_model *models;
    size_t n_models;
};

void bench_results_done(struct bench_results *r);

/* Adds a model without rows, copying name, type, device and settings from `facts`. The pointer is
 * valid until the next model is added. */
struct bench_model *bench_add_model(struct bench_results *r, const struct bench_model *facts);
void bench_add(struct bench_model *m, enum bench_metric metric, struct bench_point at,
               struct bench_figure figure);
__attribute__((format(printf, 4, 5))) void bench_add_note(struct bench_model *m,
                                                          enum bench_metric metric,
                                                          struct bench_point at, const char *format,
                                                          ...);

/* The row at these conditions, or NULL. */
const struct bench_row *bench_find(const struct bench_model *m, enum bench_metric metric,
                                   struct bench_point at);

/* In the order of the table: metric, then batch, context, prompt. */
int bench_row_order(const struct bench_row *a, const struct bench_row *b);

/* Samples */

struct samples {
    double *values;
    size_t n;
};

void samples_add(struct samples *s, double value);
void samples_done(struct samples *s);
/* The quantile of all samples; NAN if there are none. Sorts them. */
double samples_quantile(struct samples *s, double share);
double samples_median(struct samples *s);
struct bench_figure samples_figure(struct samples *s);

/* An exact value. */
struct bench_figure bench_exact(double value);

#endif
