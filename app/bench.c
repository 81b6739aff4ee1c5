/* bench.c - `duet bench`: how fast this machine reads a prompt and writes an answer, and how near
 * that is to what its memory allows. Writing a token reads every weight once, so memory bandwidth
 * over bytes read is the limit; both are measured in this one process. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/bandwidth.h"
#include "app/clock.h"
#include "app/cmd.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/models.h"
#include "app/numbers.h"
#include "app/say.h"
#include "app/str.h"
#include "engine/engine.h"

enum { MAX_SIZES = 16 };

struct bench {
    const struct options *options;
    struct engine *engine;
    double load_ms;
    double bandwidth;        /* bytes per second */
    double fixed_bytes;      /* read for each token */
    double bytes_a_position; /* of the KV cache, read for each token before it */
    char err[512];
};

/* Samples */

struct samples {
    double *values;
    size_t n;
};

static void add_sample(struct samples *s, double value)
{
    s->values = mem_realloc(s->values, (s->n + 1) * sizeof *s->values);
    s->values[s->n++] = value;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value that the share of all samples does not exceed. */
static double quantile(struct samples *s, double share)
{
    if (s->n == 0)
        return NAN;
    qsort(s->values, s->n, sizeof *s->values, by_value);
    size_t at = (size_t)ceil(share * (double)s->n);
    return s->values[at > 0 ? at - 1 : 0];
}

/* The model */

static int open_model(struct bench *b, const struct app *app)
{
    const struct options *o = &app->options;
    struct model_file file;
    int status = models_find(&app->paths, o->model, &file, b->err, sizeof b->err);
    if (status != 0)
        return status;
    struct engine_options options = options_engine(o, file.path);
    options.kv_type = o->kv_type == ENGINE_KV_F32 ? ENGINE_KV_F32 : ENGINE_KV_F16;
    double start = clock_ms();
    status = engine_open(&b->engine, &options, b->err, sizeof b->err);
    model_file_done(&file);
    if (status != 0)
        return exit_of_engine(status);
    const struct engine_event *ev;
    while ((ev = engine_next_event(b->engine, -1)) && ev->type != ENGINE_READY)
        if (ev->type == ENGINE_FATAL)
            return say_to(b->err, sizeof b->err, exit_of_engine(ev->error), "%s", ev->error_text);
    b->load_ms = clock_ms() - start;
    return 0;
}

/* All weights but a table of embeddings of which one row is read. */
static void count_bytes(struct bench *b)
{
    const struct engine_info *info = engine_info(b->engine);
    char *text = engine_describe(b->engine);
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
    b->fixed_bytes = tied ? all : all - embeddings;
    b->bytes_a_position = (double)info->kv_bytes / info->n_ctx;
}

/* One prompt size */

struct result {
    int prompt_tokens;
    struct samples ttft, itl;
};

/* A conversation of about that many tokens, and no beginning shared with the run before, so that
 * nothing of it is cached. The caller's. */
static char *make_messages(struct bench *b, int64_t size, int run, struct engine_prompt *prompt)
{
    static const char *const words[] = {"seven", "apples", "and",    "nine",
                                        "pears", "make",   "sixteen"};
    struct str text = {0};
    str_addf(&text, "%d%d", run + 1, (int)size);
    for (size_t i = 0;; i++) {
        json_t *json = json_pack("[{s:s, s:s}]", "role", "user", "content", str_get(&text));
        char *messages = json_dumps(json, JSON_COMPACT);
        json_decref(json);
        struct engine_request request = {.messages = messages};
        if (!messages ||
            engine_render(b->engine, &request, true, NULL, prompt, b->err, sizeof b->err) != 0) {
            free(messages);
            messages = NULL;
        }
        if (!messages || (int64_t)prompt->n_ids >= size) {
            str_done(&text);
            return messages;
        }
        /* A word is a token or more; near the end, one at a time. */
        int64_t missing = size - (int64_t)prompt->n_ids;
        for (int64_t k = 0; k < (missing + 15) / 16; k++)
            str_addf(&text, " %s", words[(i + (size_t)k) % (sizeof words / sizeof *words)]);
        free(prompt->text);
        free(prompt->ids);
        free(messages);
    }
}

static int time_first_token(struct bench *b, const char *messages, struct result *r)
{
    struct engine_request request = {
        .messages = messages,
        .sampling = {.top_p = 1, .repeat_penalty = 1}, /* greedy */
        .max_tokens = 1,
    };
    const struct engine_event *ev;
    uint64_t id;
    int status = engine_submit(b->engine, &request, &id, b->err, sizeof b->err);
    if (status != 0)
        return exit_of_engine(status);
    while ((ev = engine_next_event(b->engine, -1)) && ev->type != ENGINE_DONE)
        continue;
    if (!ev || ev->stop == ENGINE_STOP_ERROR)
        return say_to(b->err, sizeof b->err, EXIT_ANSWER, "%s", ev ? ev->error_text : "engine");
    r->prompt_tokens = ev->usage.prompt_tokens;
    add_sample(&r->ttft, ev->usage.time_to_first_token_ms);
    return 0;
}

struct stopwatch {
    struct samples *steps;
    size_t n_tokens;
    double last_ms;
};

/* Called for each position: from the second generated token on, a whole step lies between two. */
static void stop_time(void *ud, size_t position, const float *logits, int n_vocab)
{
    struct stopwatch *w = ud;
    double now = clock_ms();
    (void)logits;
    (void)n_vocab;
    if (position >= w->n_tokens)
        add_sample(w->steps, now - w->last_ms);
    w->last_ms = now;
}

static int time_generation(struct bench *b, const struct engine_prompt *prompt, struct result *r)
{
    struct stopwatch watch = {.steps = &r->itl, .n_tokens = prompt->n_ids};
    struct engine_evaluation evaluation = {
        .tokens = prompt->ids,
        .n_tokens = prompt->n_ids,
        .n_greedy = (size_t)b->options->n_generate,
        .position = stop_time,
        .ud = &watch,
    };
    int status = engine_evaluate(b->engine, &evaluation, b->err, sizeof b->err);
    return status ? exit_of_engine(status) : 0;
}

static int measure(struct bench *b, int64_t size, struct result *r)
{
    int status = 0;
    for (int run = 0; run < (int)b->options->n_runs && status == 0; run++) {
        struct engine_prompt prompt;
        char *messages = make_messages(b, size, run, &prompt);
        if (!messages)
            return EXIT_ANSWER;
        status = time_first_token(b, messages, r);
        if (status == 0)
            status = time_generation(b, &prompt, r);
        free(prompt.text);
        free(prompt.ids);
        free(messages);
    }
    return status;
}

/* The report */

static uint64_t resident_bytes(void)
{
    unsigned long long size, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fscanf(f, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double limit_of(const struct bench *b, const struct result *r)
{
    double depth = r->prompt_tokens + (double)b->options->n_generate / 2;
    return b->bandwidth / (b->fixed_bytes + b->bytes_a_position * depth);
}

static json_t *spread(struct samples *s)
{
    return json_pack("{s:f, s:f}", "median", quantile(s, 0.5), "p99", quantile(s, 0.99));
}

static json_t *result_json(const struct bench *b, struct result *r)
{
    double ttft = quantile(&r->ttft, 0.5), itl = quantile(&r->itl, 0.5), limit = limit_of(b, r);
    return json_pack("{s:i, s:o, s:f, s:o, s:f, s:f, s:f}", "prompt_tokens", r->prompt_tokens,
                     "ttft_ms", spread(&r->ttft), "prefill_tokens_per_second",
                     r->prompt_tokens * 1e3 / ttft, "itl_ms", spread(&r->itl), "tokens_per_second",
                     1e3 / itl, "limit_tokens_per_second", limit, "share_of_limit",
                     1e3 / itl / limit);
}

static void add_json(struct bench *b, struct result *results, size_t n, struct str *out)
{
    const struct engine_info *info = engine_info(b->engine);
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, result_json(b, &results[i]));
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:f, s:I, s:I, s:I, s:f, s:f, s:o}", "version", DUET_VERSION, "model",
        info->name, "type", info->type, "device", info->device, "load_ms", b->load_ms, "rss_bytes",
        (json_int_t)resident_bytes(), "weight_bytes", (json_int_t)info->weight_bytes, "kv_bytes",
        (json_int_t)info->kv_bytes, "bytes_read_per_token", b->fixed_bytes, "memory_bandwidth",
        b->bandwidth, "results", rows);
    char *line = object ? json_dumps(object, JSON_REAL_PRECISION(6)) : NULL;
    if (!line)
        mem_fail();
    str_addf(out, "%s\n", line);
    json_decref(object);
    free(line);
}

static void add_table(struct bench *b, struct result *results, size_t n, struct str *out)
{
    const struct engine_info *info = engine_info(b->engine);
    str_addf(out, "model   %s, %s, ", info->name, info->type);
    numbers_add_bytes(out, info->file_bytes);
    str_addf(out, "\ndevice  %s\nload    %.0f ms, ", info->device, b->load_ms);
    numbers_add_bytes(out, resident_bytes());
    str_addf(out, " resident\nmemory  %.1f GB/s read; a token reads ", b->bandwidth / 1e9);
    numbers_add_bytes(out, (uint64_t)b->fixed_bytes);
    str_adds(out, " of weights\n");
    if (b->fixed_bytes < (double)sysconf(_SC_LEVEL3_CACHE_SIZE))
        str_adds(out, "        the weights fit the processor's cache: memory is no limit here\n");
    str_addf(out, "\n%8s %11s %11s %11s %11s %11s %9s\n", "prompt", "ttft ms", "prefill t/s",
             "itl ms", "itl p99", "tokens/s", "of limit");
    for (size_t i = 0; i < n; i++) {
        struct result *r = &results[i];
        double ttft = quantile(&r->ttft, 0.5), itl = quantile(&r->itl, 0.5);
        str_addf(out, "%8d %11.2f %11.0f %11.3f %11.3f %11.1f %8.0f%%\n", r->prompt_tokens, ttft,
                 r->prompt_tokens * 1e3 / ttft, itl, quantile(&r->itl, 0.99), 1e3 / itl,
                 1e5 / itl / limit_of(b, r));
    }
}

/* "16,128,512" */
static int read_sizes(const char *list, int64_t *sizes, size_t *n, char *err, size_t errlen)
{
    for (*n = 0; *n < MAX_SIZES; list++) {
        char *end;
        long size = strtol(list, &end, 10);
        if (end == list || size < 1 || size > 1000000 || (*end != ',' && *end != '\0'))
            break;
        sizes[(*n)++] = size;
        list = end;
        if (*end == '\0')
            return 0;
    }
    return say_to(err, errlen, EXIT_USAGE, "--prompts: not numbers with commas between (got %s)",
                  list);
}

static int report(struct bench *b, struct result *results, size_t n)
{
    struct str out = {0};
    if (b->options->json)
        add_json(b, results, n, &out);
    else
        add_table(b, results, n, &out);
    fwrite(out.data, 1, out.len, stdout);
    str_done(&out);
    return say_flush();
}

int cmd_bench(struct app *app)
{
    struct bench b = {.options = &app->options};
    struct result results[MAX_SIZES] = {0};
    int64_t sizes[MAX_SIZES];
    size_t n = 0;

    int status = read_sizes(app->options.prompt_sizes, sizes, &n, b.err, sizeof b.err);
    if (status == 0)
        status = open_model(&b, app);
    if (status == 0) {
        count_bytes(&b);
        b.bandwidth = bandwidth_measure((int)app->options.n_threads);
    }
    for (size_t i = 0; i < n && status == 0; i++)
        status = measure(&b, sizes[i], &results[i]);
    if (status == 0)
        status = report(&b, results, n);
    if (status != 0)
        say_error("%s", b.err);
    for (size_t i = 0; i < n; i++) {
        free(results[i].ttft.values);
        free(results[i].itl.values);
    }
    engine_close(b.engine);
    return status;
}
