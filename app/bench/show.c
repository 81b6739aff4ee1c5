/* show.c - see show.h: results as tables, with a column per model, or old and new for a
 * comparison. */
#include "app/bench/show.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/grid.h"
#include "app/mem.h"
#include "app/numbers.h"

/* Rows of a table */

struct places {
    struct bench_row *rows; /* for these, figures are meaningless */
    size_t n;
};

static int by_place(const void *a, const void *b)
{
    return bench_row_order(a, b);
}

static void add_places(struct places *p, const struct bench_model *m)
{
    if (!m || m->n_rows == 0)
        return;
    p->rows = mem_realloc(p->rows, (p->n + m->n_rows) * sizeof *p->rows);
    memcpy(p->rows + p->n, m->rows, m->n_rows * sizeof *p->rows);
    p->n += m->n_rows;
}

/* In order, each once. */
static void settle_places(struct places *p)
{
    size_t n = 0;
    if (p->n > 0)
        qsort(p->rows, p->n, sizeof *p->rows, by_place);
    for (size_t i = 0; i < p->n; i++)
        if (n == 0 || by_place(&p->rows[n - 1], &p->rows[i]) != 0)
            p->rows[n++] = p->rows[i];
    p->n = n;
}

/* Cells */

static int number_of(const struct bench_row *place)
{
    const struct bench_metric_info *info = &bench_metrics[place->metric];
    if (place->at.prompt > 0)
        return place->at.prompt;
    return info->group >= BENCH_OF_BATCHES ? place->at.batch : place->at.context;
}

static void add_label(struct grid *g, const struct bench_row *place)
{
    const char *label = bench_metrics[place->metric].label, *at = strchr(label, '#');
    if (at)
        grid_addf(g, "%.*s%d%s", (int)(at - label), label, number_of(place), at + 1);
    else
        grid_add(g, label);
}

/* Three significant digits. */
static void add_number(struct str *out, double v)
{
    double size = fabs(v);
    str_addf(out, "%.*f", size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3, v);
}

static void add_value(struct str *out, enum bench_unit unit, double v)
{
    switch (unit) {
    case BENCH_MS:
        add_number(out, v);
        str_adds(out, " ms");
        break;
    case BENCH_BYTES: numbers_add_bytes(out, v > 0 ? (uint64_t)fmin(v, 1e18) : 0); break;
    case BENCH_BYTES_S:
        add_number(out, v / 1e9);
        str_adds(out, " GB/s");
        break;
    case BENCH_TOKENS_S: add_number(out, v); break;
    case BENCH_SHARE_OF_1: str_addf(out, "%.1f %%", 100 * v); break;
    case BENCH_CHANGE: str_addf(out, "%+.1f %%", 100 * v); break;
    }
}

/* "±2%"; nothing for exact values or single measurements. */
static void add_spread(struct str *out, enum bench_unit unit, const struct bench_figure *f)
{
    double of = unit == BENCH_CHANGE ? 1 : f->median;
    if (f->n > 1 && of > 0)
        str_addf(out, "\xc2\xb1%.0f%%", 50 * (f->high - f->low) / of);
}

/* Two cells in text, so that both parts are aligned; one in Markdown. row may be NULL. */
static void add_cell(struct grid *g, const struct bench_row *row, double value, bool text)
{
    struct str cell = {0}, spread = {0};
    if (row && row->figure.n > 0) {
        add_value(&cell, bench_metrics[row->metric].unit, value);
        add_spread(&spread, bench_metrics[row->metric].unit, &row->figure);
    } else {
        str_adds(&cell, row ? row->note : "-");
    }
    if (!text && spread.len > 0)
        str_addf(&cell, " %s", spread.data);
    grid_add(g, str_get(&cell));
    if (text)
        grid_add(g, str_get(&spread));
    str_done(&cell);
    str_done(&spread);
}

static void add_name(struct grid *g, const char *name, bool text)
{
    grid_add(g, name);
    if (text)
        grid_add(g, "");
}

/* For times between tokens, the slowest matter too. */
static bool has_tail(const struct bench_row *place)
{
    return place->metric == BENCH_ITL;
}

static double p99_of(const struct bench_row *row)
{
    return row ? row->figure.p99 : 0;
}

static double median_of(const struct bench_row *row)
{
    return row ? row->figure.median : 0;
}

/* Models side by side */

static void add_model_rows(struct grid *g, const struct bench_results *r,
                           const struct bench_row *place, bool text)
{
    add_label(g, place);
    for (size_t i = 0; i < r->n_models; i++) {
        const struct bench_row *row = bench_find(&r->models[i], place->metric, place->at);
        add_cell(g, row, median_of(row), text);
    }
    if (!has_tail(place))
        return;
    grid_add(g, "  99 % of them within");
    for (size_t i = 0; i < r->n_models; i++) {
        struct bench_row row = {.metric = place->metric};
        const struct bench_row *of = bench_find(&r->models[i], place->metric, place->at);
        if (of)
            row = *of;
        row.figure.low = row.figure.high = row.figure.median;
        row.figure.n = row.figure.n > 0;
        add_cell(g, of ? &row : NULL, p99_of(of), text);
    }
}

static void add_heads(struct grid *g, const struct bench_results *r, bool text)
{
    grid_add(g, "");
    for (size_t i = 0; i < r->n_models; i++)
        add_name(g, r->models[i].name, text);
    grid_add(g, "type");
    for (size_t i = 0; i < r->n_models; i++)
        add_name(g, r->models[i].type, text);
}

static void add_side_by_side(const struct bench_results *r, bool text, struct grid *g)
{
    struct places places = {0};
    for (size_t i = 0; i < r->n_models; i++)
        add_places(&places, &r->models[i]);
    settle_places(&places);
    g->n_columns = 1 + (int)r->n_models * (text ? 2 : 1);
    add_heads(g, r, text);
    for (size_t i = 0; i < places.n; i++) {
        const struct bench_row *place = &places.rows[i];
        if (i > 0 &&
            bench_metrics[place->metric].group != bench_metrics[places.rows[i - 1].metric].group)
            grid_add_gap(g);
        add_model_rows(g, r, place, text);
    }
    free(places.rows);
}

/* Old and new */

static void add_comparison(const struct bench_model *m, const struct bench_model *old, bool text,
                           struct grid *g)
{
    struct places places = {0};
    add_places(&places, m);
    add_places(&places, old);
    settle_places(&places);
    g->n_columns = text ? 7 : 5;
    grid_add(g, m->name);
    add_name(g, "old", text);
    add_name(g, "new", text);
    grid_add(g, "ratio");
    grid_add(g, "difference");
    for (size_t i = 0; i < places.n; i++) {
        const struct bench_row *place = &places.rows[i];
        const struct bench_row *before = old ? bench_find(old, place->metric, place->at) : NULL;
        const struct bench_row *now = bench_find(m, place->metric, place->at);
        if (i > 0 &&
            bench_metrics[place->metric].group != bench_metrics[places.rows[i - 1].metric].group)
            grid_add_gap(g);
        add_label(g, place);
        add_cell(g, before, median_of(before), text);
        add_cell(g, now, median_of(now), text);
        double ratio = before && now ? bench_ratio(&before->figure, &now->figure) : 0;
        if (ratio > 0) {
            grid_addf(g, "%.3f", ratio);
            grid_add(g, bench_difference_name(
                            bench_compare(place->metric, &before->figure, &now->figure)));
        } else {
            grid_add(g, "");
            grid_add(g, "");
        }
    }
    free(places.rows);
}

/* The whole */

static void add_devices(const struct bench_results *r, struct str *out)
{
    str_adds(out, "duet ");
    str_add_visible(out, r->version, strlen(r->version), false);
    for (size_t i = 0; i < r->n_models; i++) {
        bool told = false;
        for (size_t k = 0; k < i; k++)
            told = told || strcmp(r->models[i].device, r->models[k].device) == 0;
        if (told)
            continue;
        str_adds(out, i == 0 ? " on " : "; ");
        str_add_visible(out, r->models[i].device, strlen(r->models[i].device), false);
    }
    if (*r->machine) {
        str_adds(out, "; ");
        str_add_visible(out, r->machine, strlen(r->machine), false);
    }
    str_adds(out, "\n\n");
}

/* Above the memory bandwidth: it was not read in full. */
static bool is_above_limit(const struct bench_results *r)
{
    for (size_t i = 0; i < r->n_models; i++) {
        const struct bench_model *m = &r->models[i];
        for (size_t k = 0; k < m->n_rows; k++)
            if ((m->rows[k].metric == BENCH_SHARE || m->rows[k].metric == BENCH_BATCH_SHARE) &&
                m->rows[k].figure.median > 1)
                return true;
    }
    return false;
}

static void add_legend(const struct bench_results *r, struct str *out)
{
    str_addf(out,
             "\nMedians of %d run%s, \xc2\xb1 the spread of four fifths of them. Answers have %d "
             "tokens.\n",
             r->n_runs, r->n_runs == 1 ? "" : "s", r->n_generate);
    if (is_above_limit(r))
        str_adds(out, "Above 100 % the weights come from a cache: then memory is no limit.\n");
    if (r->interrupted)
        str_adds(out, "Broken off: not everything was measured.\n");
}

static void print_grid(const struct grid *g, bool text, struct str *out)
{
    if (text)
        grid_print_text(g, out);
    else
        grid_print_markdown(g, out);
}

static void show_tables(const struct bench_results *r, const struct bench_results *old, bool text,
                        struct str *out)
{
    add_devices(r, out);
    for (size_t i = 0; old && i < r->n_models; i++) {
        struct grid g = {0};
        add_comparison(&r->models[i], bench_find_model(old, r->models[i].name), text, &g);
        str_adds(out, i > 0 ? "\n" : "");
        print_grid(&g, text, out);
        grid_done(&g);
    }
    if (!old && r->n_models > 0) {
        struct grid g = {0};
        add_side_by_side(r, text, &g);
        print_grid(&g, text, out);
        grid_done(&g);
    }
    add_legend(r, out);
}

void bench_show(const struct bench_results *r, const struct bench_results *old,
                enum bench_form form, struct str *out)
{
    switch (form) {
    case BENCH_TEXT: show_tables(r, old, true, out); break;
    case BENCH_MARKDOWN: show_tables(r, old, false, out); break;
    case BENCH_JSON: bench_show_json(r, old, out); break;
    case BENCH_CSV: bench_show_csv(r, old, out); break;
    }
}
