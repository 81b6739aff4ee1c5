/* show.h - output formats: a table, Markdown, CSV, JSON; and reading the last. */
#ifndef APP_BENCH_SHOW_H
#define APP_BENCH_SHOW_H

#include "app/bench/bench.h"
#include "app/str.h"

enum bench_form { BENCH_TEXT, BENCH_JSON, BENCH_CSV, BENCH_MARKDOWN };

/* old: the results to compare with, or NULL. */
void bench_show(const struct bench_results *r, const struct bench_results *old,
                enum bench_form form, struct str *out);

/* Results that BENCH_JSON wrote. 0, or an exit status and one line in err. */
int bench_read(const char *path, struct bench_results *out, char *err, size_t errlen);

/* Comparing */

/* Differences within the spread of both, or below one percent, do not count. */
enum bench_difference { BENCH_UNKNOWN, BENCH_NONE, BENCH_BETTER, BENCH_WORSE };
enum bench_difference bench_compare(enum bench_metric metric, const struct bench_figure *old,
                                    const struct bench_figure *new);
const char *bench_difference_name(enum bench_difference d); /* "" if unknown */

/* New over old; 0: unknown. */
double bench_ratio(const struct bench_figure *old, const struct bench_figure *new);

const struct bench_model *bench_find_model(const struct bench_results *r, const char *name);

/* The parts of bench_show. */
void bench_show_json(const struct bench_results *r, const struct bench_results *old,
                     struct str *out);
void bench_show_csv(const struct bench_results *r, const struct bench_results *old,
                    struct str *out);

#endif
