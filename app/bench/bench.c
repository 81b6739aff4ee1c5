/* bench.c - `duet bench`: selects the models, measures them and prints the results. Results of an
 * earlier run can stand in for measuring. */
#include "app/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/bench/measure.h"
#include "app/bench/show.h"
#include "app/cmd.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"
#include "app/signals.h"

enum { MAX_MODELS = 16, MOST = 1000000, MOST_AT_A_TIME = 256 };

struct bench {
    const struct app *app;
    enum bench_form form;
    struct bench_plan plan;
    struct bench_progress progress;
    struct model_file files[MAX_MODELS];
    size_t n_files;
    struct bench_results results, old;
    char err[512];
};

/* The command line */

/* "16,128,512" */
static int read_sizes(struct bench *b, const char *option, const char *list, int most,
                      struct bench_sizes *out)
{
    const char *at = list;
    for (out->n = 0; out->n < BENCH_MAX_SIZES; at++) {
        char *end;
        long size = strtol(at, &end, 10);
        if (end == at || size < 1 || size > most || (*end != ',' && *end != '\0'))
            break;
        out->size[out->n++] = (int)size;
        at = end;
        if (*end == '\0')
            return 0;
    }
    return say_to(b->err, sizeof b->err, EXIT_USAGE,
                  "%s: not at most %d numbers of 1 to %d with commas between (got %s)", option,
                  BENCH_MAX_SIZES, most, list);
}

static int read_options(struct bench *b)
{
    const struct options *o = &b->app->options;
    if (o->json + o->csv + o->markdown > 1)
        return say_to(b->err, sizeof b->err, EXIT_USAGE,
                      "--json, --csv, --markdown: one of them at a time");
    if (b->app->n_words > 1)
        return say_to(b->err, sizeof b->err, EXIT_USAGE, "bench: unexpected argument %s",
                      b->app->words[1]);
    b->form = o->json ? BENCH_JSON : o->csv ? BENCH_CSV : o->markdown ? BENCH_MARKDOWN : BENCH_TEXT;
    b->plan.n_runs = (int)o->n_runs;
    b->plan.n_generate = (int)o->n_generate;
    b->plan.options = options_engine(o, NULL);
    int status = read_sizes(b, "--prompts", o->prompt_sizes, MOST, &b->plan.prompts);
    if (status == 0)
        status = read_sizes(b, "--contexts", o->context_sizes, MOST, &b->plan.contexts);
    if (status == 0)
        status = read_sizes(b, "--batch", o->batch_sizes, MOST_AT_A_TIME, &b->plan.batches);
    return status;
}

/* The models */

static int add_file(struct bench *b, const char *name)
{
    if (b->n_files == MAX_MODELS)
        return say_to(b->err, sizeof b->err, EXIT_USAGE, "--model: too many (limit %d)",
                      MAX_MODELS);
    struct model_file *file = &b->files[b->n_files];
    int status = models_find(&b->app->paths, name, file, b->err, sizeof b->err);
    for (size_t i = 0; i < b->n_files && status == 0; i++) {
        if (strcmp(b->files[i].path, file->path) == 0) {
            model_file_done(file); /* list each only once */
            return 0;
        }
    }
    if (status == 0)
        b->n_files++;
    return status;
}

static bool add_if_installed(struct bench *b, const char *name)
{
    bool there = add_file(b, name) == 0;
    b->err[0] = '\0';
    return there;
}

static int add_usual(struct bench *b)
{
    bool deepseek = add_if_installed(b, "deepseek"), llama = add_if_installed(b, "llama");
    if (deepseek || llama)
        return 0;
    int status = add_file(b, "demo-deepseek");
    return status == 0 ? add_file(b, "demo-llama") : status;
}

/* "deepseek,llama"; a file whose name holds a comma is one. */
static int find_models(struct bench *b)
{
    const char *list = b->app->options.model;
    if (!list)
        return add_usual(b);
    if (strchr(list, ',') && add_if_installed(b, list))
        return 0;
    int status = 0;
    for (const char *at = list; at && status == 0;) {
        size_t len = strcspn(at, ",");
        struct str name = {0};
        str_add(&name, at, len);
        status = add_file(b, str_get(&name));
        str_done(&name);
        at = at[len] ? at + len + 1 : NULL;
    }
    return status;
}

static bool is_named(const struct bench *b, const char *name)
{
    for (size_t i = 0; i < b->n_files; i++)
        if (strcmp(b->files[i].name, name) == 0)
            return true;
    return false;
}

/* Column names are unique: the second of two equal ones is the path. */
static void tell_apart(struct bench *b)
{
    size_t n = b->n_files;
    for (size_t i = 1; i < n; i++) {
        b->n_files = i;
        if (is_named(b, b->files[i].name)) {
            free(b->files[i].name);
            b->files[i].name = mem_strdup(b->files[i].path);
        }
    }
    b->n_files = n;
}

/* Comparing */

static int read_old(struct bench *b)
{
    const char *path = b->app->options.compare;
    if (!path)
        return 0;
    return bench_read(path, &b->old, b->err, sizeof b->err);
}

/* A result to compare with, and a warning if its settings differ. */
static int check_old(struct bench *b)
{
    const char *path = b->app->options.compare;
    bool found = false;
    for (size_t i = 0; path && i < b->results.n_models; i++) {
        const struct bench_model *m = &b->results.models[i];
        const struct bench_model *old = bench_find_model(&b->old, m->name);
        found = found || old;
        if (!old)
            say_notice(b->app->options.quiet, "%s: has no %s", path, m->name);
        else if (strcmp(old->device, m->device) != 0)
            say_notice(b->app->options.quiet, "%s: %s: another device (%s)", path, m->name,
                       old->device);
        else if (strcmp(old->type, m->type) != 0)
            say_notice(b->app->options.quiet, "%s: %s: another type (%s)", path, m->name,
                       old->type);
        else if (strcmp(old->settings, m->settings) != 0)
            say_notice(b->app->options.quiet, "%s: %s: other settings (%s)", path, m->name,
                       old->settings);
    }
    if (path && b->old.n_generate != b->results.n_generate)
        say_notice(b->app->options.quiet, "%s: answers of another length (%d tokens)", path,
                   b->old.n_generate);
    if (path && b->results.n_models > 0 && !found)
        return say_to(b->err, sizeof b->err, EXIT_USAGE, "%s: has none of these models", path);
    return 0;
}

/* Measuring */

/* "Intel(R) Xeon(R) Processor"; as processors of this kind are called, or "". The caller's. */
static char *name_machine(void)
{
    char line[256], *name = NULL;
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f && !name && fgets(line, sizeof line, f)) {
        char *value = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !value)
            continue;
        size_t len = strlen(++value);
        const char *trimmed = str_trim(value, &len);
        struct str valid = {0};
        str_add_valid(&valid, trimmed, len);
        name = valid.data;
    }
    if (f)
        fclose(f);
    return name ? name : mem_strdup("");
}

/* A model that fails does not stop the others. */
static int measure_models(struct bench *b)
{
    struct bench_plan *plan = &b->plan;
    int sizes = plan->prompts.n + plan->contexts.n + plan->batches.n, status = 0;
    struct bench_gpus gpus = {.nvml = nvml_open()};

    for (int i = 0; i < BENCH_MAX_GPUS; i++)
        if (!nvml_memory_used(gpus.nvml, i, &gpus.bytes_before[i]))
            break;
    bench_progress_begin(&b->progress, b->app->options.quiet);
    b->progress.n_steps = (int)b->n_files * (7 + sizes * (plan->n_runs + 1));
    plan->progress = &b->progress;
    plan->paths = &b->app->paths;
    for (size_t i = 0; i < b->n_files && status < EXIT_SIGNAL; i++) {
        int failed = bench_measure(plan, &gpus, &b->files[i], &b->results, b->err, sizeof b->err);
        bench_progress_wipe(&b->progress);
        if (failed && b->err[0])
            say_error("%s", b->err);
        b->err[0] = '\0';
        status = failed >= EXIT_SIGNAL || status == 0 ? failed : status;
    }
    nvml_close(gpus.nvml);
    return status;
}

static int measure(struct bench *b)
{
    int status = find_models(b);
    if (status != 0)
        return status;
    tell_apart(b);
    if (signals_catch() != 0)
        return say_to(b->err, sizeof b->err, EXIT_DEVICE, "signals: cannot be caught");
    b->results.version = mem_strdup(DUET_VERSION);
    b->results.machine = name_machine();
    b->results.n_generate = b->plan.n_generate;
    b->results.n_runs = b->plan.n_runs;
    status = measure_models(b);
    b->results.interrupted = status != 0;
    return status;
}

static int make_results(struct bench *b)
{
    if (b->app->n_words == 0)
        return measure(b);
    return bench_read(b->app->words[0], &b->results, b->err, sizeof b->err);
}

/* Prints the results, even of an interrupted run. */
static int print_results(const struct bench *b)
{
    struct str out = {0};
    bench_show(&b->results, b->app->options.compare ? &b->old : NULL, b->form, &out);
    fwrite(out.data, 1, out.len, stdout);
    str_done(&out);
    return say_flush();
}

int cmd_bench(struct app *app)
{
    struct bench b = {.app = app};
    int status = read_options(&b);
    if (status == 0)
        status = read_old(&b);
    if (status == 0) {
        status = make_results(&b);
        int checked = status == 0 ? check_old(&b) : 0;
        status = checked ? checked : status;
        int printed = b.results.n_models > 0 && !checked ? print_results(&b) : 0;
        status = status ? status : printed;
    }
    if (b.err[0])
        say_error("%s", b.err);
    for (size_t i = 0; i < b.n_files; i++)
        model_file_done(&b.files[i]);
    bench_results_done(&b.results);
    bench_results_done(&b.old);
    return status;
}
