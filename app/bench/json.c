/* json.c - see show.h: writes and reads results as JSON. A file is untrusted input:
 * everything is validated. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/bench/show.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"

enum { FORMAT = 1, MAX_MODELS = 30, MAX_ROWS = 4096, MAX_NUMBER = 1 << 30 };
static const off_t most_bytes = 16 << 20;

/* Writing */

static void set(json_t *object, const char *name, json_t *value)
{
    if (!value || json_object_set_new(object, name, value) != 0)
        mem_fail();
}

static void set_point(json_t *object, const struct bench_point *at)
{
    if (at->prompt > 0)
        set(object, "prompt_tokens", json_integer(at->prompt));
    if (at->context > 0)
        set(object, "context", json_integer(at->context));
    if (at->batch > 0)
        set(object, "batch", json_integer(at->batch));
}

static void set_figure(json_t *object, const struct bench_figure *f)
{
    set(object, "median", json_real(f->median));
    set(object, "p99", json_real(f->p99));
    set(object, "low", json_real(f->low));
    set(object, "high", json_real(f->high));
    set(object, "runs", json_integer(f->n));
}

static void set_comparison(json_t *object, const struct bench_row *row,
                           const struct bench_model *old)
{
    const struct bench_row *before = old ? bench_find(old, row->metric, row->at) : NULL;
    double ratio = before ? bench_ratio(&before->figure, &row->figure) : 0;
    if (ratio <= 0)
        return;
    json_t *figure = json_object();
    set_figure(figure, &before->figure);
    set(object, "old", figure);
    set(object, "ratio", json_real(ratio));
    set(object, "difference",
        json_string(
            bench_difference_name(bench_compare(row->metric, &before->figure, &row->figure))));
}

static json_t *json_of_row(const struct bench_row *row, const struct bench_model *old)
{
    const struct bench_metric_info *info = &bench_metrics[row->metric];
    json_t *object = json_object();
    set(object, "name", json_string(info->name));
    set(object, "unit", json_string(bench_unit_name(info->unit)));
    set_point(object, &row->at);
    if (row->figure.n > 0)
        set_figure(object, &row->figure);
    else
        set(object, "note", json_string(row->note));
    set_comparison(object, row, old);
    return object;
}

static json_t *json_of_model(const struct bench_model *m, const struct bench_model *old)
{
    json_t *object = json_object(), *rows = json_array();
    set(object, "model", json_string(m->name));
    set(object, "type", json_string(m->type));
    set(object, "device", json_string(m->device));
    set(object, "settings", json_string(m->settings));
    for (size_t i = 0; i < m->n_rows; i++)
        if (json_array_append_new(rows, json_of_row(&m->rows[i], old)) != 0)
            mem_fail();
    set(object, "rows", rows);
    return object;
}

void bench_show_json(const struct bench_results *r, const struct bench_results *old,
                     struct str *out)
{
    json_t *object = json_object(), *models = json_array();
    set(object, "duet_bench", json_integer(FORMAT));
    set(object, "version", json_string(r->version));
    set(object, "machine", json_string(r->machine));
    set(object, "generate", json_integer(r->n_generate));
    set(object, "runs", json_integer(r->n_runs));
    set(object, "interrupted", json_boolean(r->interrupted));
    for (size_t i = 0; i < r->n_models; i++) {
        const struct bench_model *m = &r->models[i];
        if (json_array_append_new(models, json_of_model(m, bench_find_model(old, m->name))) != 0)
            mem_fail();
    }
    set(object, "models", models);
    /* ASCII, since it may go to a terminal. */
    char *text = json_dumps(object, JSON_INDENT(1) | JSON_REAL_PRECISION(9) | JSON_ENSURE_ASCII);
    if (!text)
        mem_fail();
    str_addf(out, "%s\n", text);
    free(text);
    json_decref(object);
}

/* Reading. Each part returns false for a foreign file. */

/* Borrowed from the object, and read only. */
static bool read_text(const json_t *object, const char *name, char **out)
{
    *out = (char *)json_string_value(json_object_get(object, name));
    return *out != NULL;
}

/* An optional number. */
static bool read_count(const json_t *object, const char *name, int *out)
{
    const json_t *value = json_object_get(object, name);
    json_int_t n = json_integer_value(value);
    *out = (int)n;
    return !value || (json_is_integer(value) && n >= 0 && n <= MAX_NUMBER);
}

static bool read_number(const json_t *object, const char *name, double *out)
{
    const json_t *value = json_object_get(object, name);
    *out = json_number_value(value);
    return json_is_number(value) && isfinite(*out);
}

static bool read_figure(const json_t *object, struct bench_figure *f)
{
    return read_number(object, "median", &f->median) && read_number(object, "p99", &f->p99) &&
           read_number(object, "low", &f->low) && read_number(object, "high", &f->high) &&
           read_count(object, "runs", &f->n) && f->n > 0 && f->low <= f->median &&
           f->median <= f->high;
}

/* BENCH_METRICS: one of another version. */
static enum bench_metric metric_of(const char *name)
{
    int i = 0;
    while (i < BENCH_METRICS && strcmp(bench_metrics[i].name, name) != 0)
        i++;
    return (enum bench_metric)i;
}

static bool read_row(const json_t *object, struct bench_model *m)
{
    const char *note = json_string_value(json_object_get(object, "note"));
    char *name;
    struct bench_point at;
    struct bench_figure figure;
    if (!read_text(object, "name", &name) || !read_count(object, "prompt_tokens", &at.prompt) ||
        !read_count(object, "context", &at.context) || !read_count(object, "batch", &at.batch))
        return false;
    if (!note && !read_figure(object, &figure))
        return false;
    enum bench_metric metric = metric_of(name);
    if (metric == BENCH_METRICS)
        return true;
    if (bench_find(m, metric, at))
        return false;
    if (note)
        bench_add_note(m, metric, at, "%s", note);
    else
        bench_add(m, metric, at, figure);
    return true;
}

static bool read_model(const json_t *object, struct bench_results *out)
{
    struct bench_model facts = {0};
    const json_t *rows = json_object_get(object, "rows"), *row;
    size_t i;
    if (!read_text(object, "model", &facts.name) || !read_text(object, "type", &facts.type) ||
        !read_text(object, "device", &facts.device) ||
        !read_text(object, "settings", &facts.settings) || !json_is_array(rows) ||
        json_array_size(rows) > MAX_ROWS || bench_find_model(out, facts.name))
        return false;
    struct bench_model *m = bench_add_model(out, &facts);
    json_array_foreach(rows, i, row)
    {
        if (!read_row(row, m))
            return false;
    }
    return true;
}

static bool read_results(const json_t *object, struct bench_results *out)
{
    const json_t *format = json_object_get(object, "duet_bench"), *model;
    const json_t *models = json_object_get(object, "models");
    char *version, *machine;
    size_t i;
    if (json_integer_value(format) != FORMAT || !read_text(object, "version", &version) ||
        !read_text(object, "machine", &machine) ||
        !read_count(object, "generate", &out->n_generate) ||
        !read_count(object, "runs", &out->n_runs) || !json_is_array(models) ||
        json_array_size(models) > MAX_MODELS)
        return false;
    out->version = mem_strdup(version);
    out->machine = mem_strdup(machine);
    out->interrupted = json_is_true(json_object_get(object, "interrupted"));
    json_array_foreach(models, i, model)
    {
        if (!read_model(model, out))
            return false;
    }
    return true;
}

/* Only a regular file of reasonable size: reading must not block. */
static int open_file(const char *path, FILE **out, char *err, size_t errlen)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    *out = NULL;
    if (fd < 0 || fstat(fd, &st) != 0) {
        say_to(err, errlen, EXIT_USAGE, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        say_to(err, errlen, EXIT_USAGE, "%s: not a file", path);
    } else if (st.st_size > most_bytes) {
        say_to(err, errlen, EXIT_USAGE, "%s: too large (got %lld bytes, limit %lld)", path,
               (long long)st.st_size, (long long)most_bytes);
    } else {
        *out = fdopen(fd, "r");
    }
    if (!*out && fd >= 0)
        close(fd);
    return *out ? 0 : EXIT_USAGE;
}

int bench_read(const char *path, struct bench_results *out, char *err, size_t errlen)
{
    FILE *f;
    int status = open_file(path, &f, err, errlen);
    if (status != 0)
        return status;
    json_t *object = json_loadf(f, JSON_REJECT_DUPLICATES, NULL);
    fclose(f);
    *out = (struct bench_results){0};
    if (!read_results(object, out)) {
        bench_results_done(out);
        status = say_to(err, errlen, EXIT_USAGE, "%s: not what duet bench --json writes", path);
    }
    json_decref(object);
    return status;
}
