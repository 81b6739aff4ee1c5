/* csv.c - see show.h: a line for each row of each model. */
#include <string.h>

#include "app/bench/show.h"

static void add_field(struct str *out, const char *text)
{
    struct str shown = {0};
    str_add_visible(&shown, text, strlen(text), false);
    const char *at = str_get(&shown);
    bool quoted = at[strcspn(at, ",\"")];
    str_adds(out, quoted ? ",\"" : ",");
    for (; *at; at++)
        str_addf(out, *at == '"' ? "\"%c" : "%c", *at);
    str_adds(out, quoted ? "\"" : "");
    str_done(&shown);
}

static void add_count(struct str *out, int n)
{
    if (n > 0)
        str_addf(out, ",%d", n);
    else
        str_adds(out, ",");
}

static void add_comparison(struct str *out, const struct bench_row *row,
                           const struct bench_model *old)
{
    const struct bench_row *before = old ? bench_find(old, row->metric, row->at) : NULL;
    double ratio = before ? bench_ratio(&before->figure, &row->figure) : 0;
    if (ratio > 0)
        str_addf(out, ",%.9g,%.9g,%.9g,%.9g,%s", before->figure.median, before->figure.low,
                 before->figure.high, ratio,
                 bench_difference_name(bench_compare(row->metric, &before->figure, &row->figure)));
    else
        str_adds(out, ",,,,,");
}

static void add_row(struct str *out, const struct bench_model *m, const struct bench_row *row)
{
    const struct bench_metric_info *info = &bench_metrics[row->metric];
    struct str name = {0};
    add_field(&name, m->name);
    str_adds(out, name.data + 1);
    str_done(&name);
    add_field(out, m->type);
    add_field(out, m->device);
    add_field(out, info->name);
    add_count(out, row->at.prompt);
    add_count(out, row->at.context);
    add_count(out, row->at.batch);
    add_field(out, bench_unit_name(info->unit));
    if (row->figure.n > 0)
        str_addf(out, ",%.9g,%.9g,%.9g,%.9g,%d", row->figure.median, row->figure.p99,
                 row->figure.low, row->figure.high, row->figure.n);
    else
        str_adds(out, ",,,,,");
    add_field(out, row->note);
}

void bench_show_csv(const struct bench_results *r, const struct bench_results *old, struct str *out)
{
    str_adds(out,
             "model,type,device,name,prompt_tokens,context,batch,unit,median,p99,low,high,runs,"
             "note");
    str_adds(out, old ? ",old_median,old_low,old_high,ratio,difference\n" : "\n");
    for (size_t i = 0; i < r->n_models; i++) {
        const struct bench_model *m = &r->models[i];
        for (size_t k = 0; k < m->n_rows; k++) {
            add_row(out, m, &m->rows[k]);
            if (old)
                add_comparison(out, &m->rows[k], bench_find_model(old, m->name));
            str_adds(out, "\n");
        }
    }
}
