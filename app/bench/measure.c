/* measure.c - see measure.h.
 *
 * Decoding a token reads every weight and the KV cache once, so the limit is memory bandwidth over
 * bytes read. Both are measured in one process, one after the other. */
#include "app/bench/measure.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/background.h"
#include "app/clock.h"
#include "app/exit.h"
#include "app/numbers.h"
#include "app/say.h"

enum {
    MAX_LOADS = 3,  /* timed loads, after one that is not */
    PASSES = 4,     /* passes over the memory per measurement */
    BUSY_MS = 1500, /* the driver's utilization lags by about a second */
};

static const struct bench_point nowhere;

struct measuring {
    const struct bench_plan *plan;
    const struct bench_gpus *gpus;
    const struct model_file *file;
    struct bench_model *out; /* or NULL: it could not be opened */
    struct bench_engine engine;
    int limit; /* length of the longest context that fits, in tokens */
    bool on_gpu;
    int gpu;              /* its index in the driver; -1: none */
    double read_bytes;    /* read per token */
    double token_bytes;   /* of the KV cache, per cached token */
    struct samples reads; /* memory bandwidth */
    struct bench_times times;
};

static const struct engine_info *info_of(const struct measuring *m)
{
    return engine_info(m->engine.engine);
}

/* Loading */

static double resident_bytes(void)
{
    unsigned long long size, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* GPU memory in use beyond what was used before; false if unknown. */
static bool gpu_bytes(const struct measuring *m, double *bytes)
{
    uint64_t used;
    if (m->gpu < 0 || m->gpu >= BENCH_MAX_GPUS || !nvml_memory_used(m->gpus->nvml, m->gpu, &used))
        return false;
    *bytes = (double)used - (double)m->gpus->bytes_before[m->gpu];
    return true;
}

static int open_engine(struct measuring *m, const struct engine_options *options, double *load_ms)
{
    struct engine_options with_path = *options;
    with_path.model_path = m->file->path;
    bench_close(&m->engine);
    return bench_open(&m->engine, &with_path, load_ms);
}

struct loads {
    struct samples ms, rss, vram;
};

static int load_once(struct measuring *m, bool counts, struct loads *l)
{
    double ms, bytes;
    bench_progress_step(m->plan->progress, "load");
    int status = open_engine(m, &m->plan->options, &ms);
    if (status != 0)
        return status;
    m->on_gpu = info_of(m)->bus_address != NULL;
    m->gpu = m->on_gpu ? nvml_find(m->gpus->nvml, info_of(m)->bus_address) : -1;
    if (counts) {
        samples_add(&l->ms, ms);
        samples_add(&l->rss, resident_bytes());
        if (gpu_bytes(m, &bytes))
            samples_add(&l->vram, bytes);
    }
    return bench_check_signals();
}

static void add_loads(struct measuring *m, struct loads *l)
{
    const struct engine_info *info = info_of(m);
    bench_add(m->out, BENCH_LOAD, nowhere, samples_figure(&l->ms));
    bench_add(m->out, BENCH_RSS, nowhere, samples_figure(&l->rss));
    if (l->vram.n > 0)
        bench_add(m->out, BENCH_VRAM, nowhere, samples_figure(&l->vram));
    else
        bench_add_note(m->out, BENCH_VRAM, nowhere, m->on_gpu ? "no NVML" : "on the CPU");
    bench_add(m->out, BENCH_WEIGHTS, nowhere, bench_exact((double)info->weight_bytes));
    bench_add(m->out, BENCH_KV, nowhere, bench_exact((double)info->kv_bytes));
    bench_add(m->out, BENCH_SCRATCH, nowhere, bench_exact((double)info->scratch_bytes));
    bench_add(m->out, BENCH_KV_TOKEN, nowhere, bench_exact((double)info->kv_token_bytes));
}

static struct bench_model *add_model(struct measuring *m, struct bench_results *results)
{
    const struct engine_info *info = info_of(m);
    const struct engine_options *o = &m->plan->options;
    struct str settings = {0};
    str_addf(&settings, "context %d, KV %s%s", info->n_ctx, engine_kv_type_name(info->kv_type),
             o->reproducible ? ", reproducible" : "");
    const struct bench_model facts = {.name = m->file->name,
                                      .type = (char *)info->type,
                                      .device = (char *)info->device,
                                      .settings = settings.data};
    struct bench_model *added = bench_add_model(results, &facts);
    str_done(&settings);
    return added;
}

/* Opens the model several times, as a chat would, and leaves the last one open. */
static int measure_load(struct measuring *m, struct bench_results *results)
{
    int n = m->plan->n_runs < MAX_LOADS ? m->plan->n_runs : MAX_LOADS;
    struct loads l = {0};
    int status = 0;

    for (int run = 0; run <= n && status == 0; run++)
        status = load_once(m, run > 0, &l);
    if (status == 0) {
        m->out = add_model(m, results);
        m->limit = info_of(m)->n_ctx_train;
        add_loads(m, &l);
    }
    samples_done(&l.ms);
    samples_done(&l.rss);
    samples_done(&l.vram);
    return status;
}

/* The limit */

/* All weights, except an embedding table of which one row is read. */
static double count_read_bytes(const struct measuring *m)
{
    char *text = engine_describe(m->engine.engine);
    json_t *described = text ? json_loads(text, JSON_ALLOW_NUL, NULL) : NULL, *t;
    double all = 0, embeddings = 0;
    bool tied = true;
    size_t i;

    json_array_foreach(json_object_get(described, "tensors"), i, t)
    {
        const char *name = json_string_value(json_object_get(t, "name"));
        double bytes = json_number_value(json_object_get(t, "bytes"));
        all += bytes;
        if (name && strcmp(name, "token_embd.weight") == 0)
            embeddings = bytes;
        if (name && strcmp(name, "output.weight") == 0)
            tied = false;
    }
    json_decref(described);
    free(text);
    return tied ? all : all - embeddings;
}

/* Reading memory, in a thread of its own: a signal gives it up. */
struct reading {
    struct bench_engine *engine;
    double speeds[PASSES];
    int signal;
};

static int read_memory(void *ud)
{
    struct reading *r = ud;
    struct bench_engine *b = r->engine;
    return engine_bandwidth(b->engine, r->speeds, PASSES, b->err, sizeof b->err);
}

static void await_reading(void *ud, int done_fd, double ms)
{
    struct reading *r = ud;
    int signal = background_wait(done_fd, ms);
    if (signal != 0)
        r->signal = signal;
    if (r->signal != 0)
        engine_cancel(r->engine->engine, 0);
}

static int measure_reads(struct measuring *m)
{
    struct reading r = {.engine = &m->engine};
    const struct background waiting = {await_reading, &r};

    bench_progress_step(m->plan->progress, "memory");
    int status = background_run(&waiting, read_memory, &r);
    if (r.signal != 0) {
        m->engine.err[0] = '\0';
        return EXIT_SIGNAL + r.signal;
    }
    if (status != 0)
        return exit_of_engine(status);
    for (int i = 0; i < PASSES; i++)
        if (r.speeds[i] > 0)
            samples_add(&m->reads, r.speeds[i]);
    return bench_check_signals();
}

/* Tokens per second for n answers at this context length. */
static double limit_at(const struct measuring *m, struct bench_point at, double bandwidth)
{
    double depth = at.context + m->plan->n_generate / 2.0;
    return at.batch * bandwidth / (m->read_bytes + at.batch * m->token_bytes * depth);
}

/* Bounded by the fastest read measured; without one, no figure. */
static struct bench_figure limit_figure(struct measuring *m, struct bench_point at)
{
    struct bench_figure f = samples_figure(&m->reads);
    f.low = limit_at(m, at, f.low);
    f.median = f.high = f.p99 = limit_at(m, at, samples_quantile(&m->reads, 1));
    return f;
}

static void add_share(struct measuring *m, enum bench_metric metric, struct bench_point at,
                      struct bench_figure speed)
{
    double limit = limit_figure(m, at).median;
    if (m->reads.n == 0)
        return;
    speed.median /= limit;
    speed.low /= limit;
    speed.high /= limit;
    speed.p99 /= limit;
    bench_add(m->out, metric, at, speed);
}

static void add_limit(struct measuring *m)
{
    bench_add(m->out, BENCH_READ_TOKEN, nowhere, bench_exact(m->read_bytes));
    if (m->reads.n > 0)
        bench_add(m->out, BENCH_BANDWIDTH, nowhere, samples_figure(&m->reads));
    else
        bench_add_note(m->out, BENCH_BANDWIDTH, nowhere, "memory is short");
}

/* One request */

static void add_first_token(struct measuring *m, int size, struct samples *ttft)
{
    const struct bench_point at = {.prompt = size};
    struct samples speed = {0};
    if (ttft->n == 0)
        return;
    bench_add(m->out, BENCH_TTFT, at, samples_figure(ttft));
    for (size_t i = 0; i < ttft->n; i++)
        samples_add(&speed, size * 1e3 / ttft->values[i]);
    bench_add(m->out, BENCH_PREFILL, at, samples_figure(&speed));
    samples_done(&speed);
}

static void add_answer(struct measuring *m, int context, struct bench_steps *s)
{
    const struct bench_point at = {.context = context, .batch = 1};
    if (s->speed.n == 0)
        return;
    struct bench_figure speed = samples_figure(&s->speed);
    struct bench_figure between = samples_figure(&s->all), runs = samples_figure(&s->medians);
    bench_add(m->out, BENCH_SPEED, at, speed);
    if (m->reads.n > 0)
        bench_add(m->out, BENCH_LIMIT, at, limit_figure(m, at));
    add_share(m, BENCH_SHARE, at, speed);
    bench_add(m->out, BENCH_TPOT, at, samples_figure(&s->tpot));
    between.low = runs.low;
    between.high = runs.high;
    between.n = runs.n;
    bench_add(m->out, BENCH_ITL, at, between);
}

/* Rows say so if a size does not fit. */
static void add_times(struct measuring *m, int limit)
{
    const struct bench_plan *plan = m->plan;
    for (int i = 0; i < plan->prompts.n; i++) {
        int size = plan->prompts.size[i];
        add_first_token(m, size, &m->times.ttft[i]);
        if (size >= limit)
            bench_add_note(m->out, BENCH_TTFT, (struct bench_point){.prompt = size}, "limit %d",
                           limit);
    }
    for (int i = 0; i < plan->contexts.n; i++) {
        const struct bench_point at = {.context = plan->contexts.size[i], .batch = 1};
        add_answer(m, at.context, &m->times.steps[i]);
        if (at.context + plan->n_generate > limit)
            bench_add_note(m->out, BENCH_SPEED, at, "limit %d", limit);
    }
}

/* Bandwidth is measured before and after, since conditions change. */
static int measure_alone(struct measuring *m)
{
    int limit = info_of(m)->n_ctx;
    m->read_bytes = count_read_bytes(m);
    m->token_bytes = (double)info_of(m)->kv_token_bytes;
    int status = measure_reads(m);
    if (status == 0)
        status = bench_time_alone(m->plan, &m->engine, &m->times);
    if (status == 0)
        status = measure_reads(m);
    add_limit(m);
    add_times(m, limit);
    return status;
}

/* Several requests */

static struct bench_point batch_point(const struct measuring *m, int n)
{
    return (struct bench_point){.context = m->plan->contexts.size[0], .batch = n};
}

/* GPU utilization while n requests are answered. */
static int measure_busy(struct measuring *m, int n)
{
    const struct bench_point at = batch_point(m, n);
    struct samples shares = {0};
    double start = clock_ms(), speed, share;
    int status = 0;

    if (m->gpu < 0) {
        bench_add_note(m->out, BENCH_UTILIZATION, at, m->on_gpu ? "no NVML" : "on the CPU");
        return 0;
    }
    if (at.context + m->plan->n_generate > info_of(m)->n_ctx) {
        bench_add_note(m->out, BENCH_UTILIZATION, at, "limit %d", info_of(m)->n_ctx);
        return 0;
    }
    bench_progress_step(m->plan->progress, "GPU busy with %d", n);
    while (status == 0 && clock_ms() < start + 2 * BUSY_MS) {
        status = bench_ask_together(m->plan, &m->engine, n, &speed);
        if (clock_ms() > start + BUSY_MS && nvml_utilization(m->gpus->nvml, m->gpu, &share))
            samples_add(&shares, share);
    }
    if (shares.n > 0)
        bench_add(m->out, BENCH_UTILIZATION, at, samples_figure(&shares));
    else if (status == 0)
        bench_add_note(m->out, BENCH_UTILIZATION, at, "not told");
    samples_done(&shares);
    return status;
}

static int largest(const struct bench_sizes *s)
{
    int most = 0;
    for (int i = 0; i < s->n; i++)
        most = s->size[i] > most ? s->size[i] : most;
    return most;
}

/* The shortest sufficient context, since each request has its own. */
static struct engine_options batch_options(const struct measuring *m, int longest_prompt)
{
    struct engine_options options = m->plan->options;
    int context = m->plan->contexts.size[0] + m->plan->n_generate;
    context = context > longest_prompt + 1 ? context : longest_prompt + 1;
    options.n_ctx = context < m->limit ? context : m->limit;
    options.n_parallel = largest(&m->plan->batches);
    return options;
}

/* If it does not fit the memory, the note says how much it needs; otherwise it is empty. */
static int open_batch_engine(struct measuring *m, const struct engine_options *options,
                             struct str *note)
{
    struct engine_shortage shortage;
    struct engine_options with_shortage = *options;
    double ms;

    with_shortage.shortage = &shortage;
    bench_progress_step(m->plan->progress, "load for %d", options->n_parallel);
    int status = open_engine(m, &with_shortage, &ms);
    if (status == 0 || shortage.needed == 0)
        return status;
    str_adds(note, "needs ");
    numbers_add_bytes(note, shortage.needed);
    m->engine.err[0] = '\0';
    return 0;
}

static void add_batch(struct measuring *m, int n, struct samples *speeds)
{
    if (speeds->n == 0)
        return;
    struct bench_figure speed = samples_figure(speeds);
    bench_add(m->out, BENCH_BATCH_SPEED, batch_point(m, n), speed);
    add_share(m, BENCH_BATCH_SHARE, batch_point(m, n), speed);
}

static void note_batches(struct measuring *m, const char *note)
{
    const struct bench_sizes *batches = &m->plan->batches;
    for (int i = 0; i < batches->n; i++)
        bench_add_note(m->out, BENCH_BATCH_SPEED, batch_point(m, batches->size[i]), "%s", note);
}

static int measure_together(struct measuring *m)
{
    const struct bench_sizes *batches = &m->plan->batches;
    const struct engine_options options = batch_options(m, 0);
    struct str note = {0};
    int status = 0;

    if (m->plan->contexts.size[0] + m->plan->n_generate > m->limit)
        str_addf(&note, "limit %d", m->limit);
    else
        status = open_batch_engine(m, &options, &note);
    bool opened = status == 0 && note.len == 0;
    if (opened)
        status = bench_time_together(m->plan, &m->engine, &m->times);
    for (int i = 0; i < batches->n && opened; i++)
        add_batch(m, batches->size[i], &m->times.batch[i]);
    if (note.len > 0)
        note_batches(m, note.data);
    for (int i = 0; i < batches->n && status == 0 && m->on_gpu && opened; i++)
        if (batches->size[i] > 1)
            status = measure_busy(m, batches->size[i]);
    str_done(&note);
    return status;
}

/* --reproducible */

static void add_cost(struct measuring *m, enum bench_metric metric, const struct bench_row *without,
                     struct samples *with)
{
    if (!without || without->figure.n == 0 || with->n == 0)
        return;
    struct bench_figure of = without->figure, f = samples_figure(with);
    bool time = metric == BENCH_COST_TTFT; /* else a speed */
    const struct bench_figure *more = time ? &f : &of, *less = time ? &of : &f;
    bench_add(m->out, metric, without->at,
              (struct bench_figure){.median = more->median / less->median - 1,
                                    .low = more->low / less->high - 1,
                                    .high = more->high / less->low - 1,
                                    .p99 = more->high / less->low - 1,
                                    .n = f.n});
}

/* It affects how many tokens are computed at once: so measure the longest prompt, and the most
 * requests. */
static int measure_reproducible(struct measuring *m)
{
    struct bench_plan plan = *m->plan;
    struct engine_options options = batch_options(m, largest(&plan.prompts));
    const struct bench_point batch = batch_point(m, options.n_parallel);
    const struct bench_point prompt = {.prompt = largest(&plan.prompts)};
    struct bench_times times = {0};
    struct str note = {0};

    if (!m->on_gpu || options.reproducible) {
        bench_add_note(m->out, BENCH_COST_BATCH, batch, m->on_gpu ? "always on" : "nothing");
        return 0;
    }
    options.reproducible = true;
    plan.prompts = (struct bench_sizes){1, {prompt.prompt}};
    plan.batches = (struct bench_sizes){1, {batch.batch}};
    plan.contexts.n = 0;
    int status = open_batch_engine(m, &options, &note);
    bool opened = status == 0 && note.len == 0;
    if (note.len > 0)
        bench_add_note(m->out, BENCH_COST_BATCH, batch, "%s", note.data);
    if (opened)
        status = bench_time_alone(&plan, &m->engine, &times);
    if (opened && status == 0)
        status = bench_time_together(&plan, &m->engine, &times);
    add_cost(m, BENCH_COST_TTFT, bench_find(m->out, BENCH_TTFT, prompt), &times.ttft[0]);
    add_cost(m, BENCH_COST_BATCH, bench_find(m->out, BENCH_BATCH_SPEED, batch), &times.batch[0]);
    bench_times_done(&times);
    str_done(&note);
    return status;
}

/* Everything */

int bench_measure(const struct bench_plan *plan, const struct bench_gpus *gpus,
                  const struct model_file *file, struct bench_results *results, char *err,
                  size_t errlen)
{
    struct measuring m = {.plan = plan, .gpus = gpus, .file = file, .gpu = -1};
    plan->progress->model = file->name;
    bench_init(&m.engine, plan->paths, file->name);
    int status = measure_load(&m, results);
    if (status == 0)
        status = measure_alone(&m);
    if (status == 0)
        status = measure_busy(&m, 1);
    if (status == 0)
        status = measure_together(&m);
    if (status == 0)
        status = measure_reproducible(&m);
    if (m.engine.err[0])
        say_to(err, errlen, status, "%s", m.engine.err);
    bench_close(&m.engine);
    bench_times_done(&m.times);
    samples_done(&m.reads);
    return status;
}
