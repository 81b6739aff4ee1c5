/* compare.c - see show.h: whether two figures differ by more than chance. */
#include <math.h>
#include <string.h>

#include "app/bench/show.h"

static const double least_difference =
    0.01; /* of the old value: day-to-day variation of a machine */

enum bench_difference bench_compare(enum bench_metric metric, const struct bench_figure *old,
                                    const struct bench_figure *new)
{
    if (old->n == 0 || new->n == 0)
        return BENCH_UNKNOWN;
    bool apart = new->low > old->high || new->high < old->low;
    if (!apart || fabs(new->median - old->median) < least_difference * fabs(old->median))
        return BENCH_NONE;
    bool more = new->median > old->median;
    return more == (bench_metrics[metric].better == BENCH_MORE) ? BENCH_BETTER : BENCH_WORSE;
}

const char *bench_difference_name(enum bench_difference d)
{
    static const char *const names[] = {[BENCH_UNKNOWN] = "",
                                        [BENCH_NONE] = "none",
                                        [BENCH_BETTER] = "better",
                                        [BENCH_WORSE] = "worse"};
    return names[d];
}

double bench_ratio(const struct bench_figure *old, const struct bench_figure *new)
{
    return old->n > 0 && new->n > 0 && old->median > 0 ? new->median / old->median : 0;
}

const struct bench_model *bench_find_model(const struct bench_results *r, const char *name)
{
    for (size_t i = 0; r && i < r->n_models; i++)
        if (strcmp(r->models[i].name, name) == 0)
            return &r->models[i];
    return NULL;
}
