/* measure.h - measures one model: which requests, in which order, and the resulting
 * figures. */
#ifndef APP_BENCH_MEASURE_H
#define APP_BENCH_MEASURE_H

#include "app/bench/nvml.h"
#include "app/bench/time.h"
#include "app/models/models.h"

enum { BENCH_MAX_GPUS = 16 };

struct bench_gpus {
    struct nvml *nvml;                     /* or NULL */
    uint64_t bytes_before[BENCH_MAX_GPUS]; /* in use before any model was opened */
};

/* Adds a model and its rows to the results; an interrupted run keeps what it has measured. 0, or an
 * exit status as in ask.h. */
int bench_measure(const struct bench_plan *plan, const struct bench_gpus *gpus,
                  const struct model_file *file, struct bench_results *results, char *err,
                  size_t errlen);

#endif
