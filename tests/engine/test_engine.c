/* test_engine.c - the engine through its one door, on tiny random models and the outside fixtures. */
#include <ctype.h>
#include <glob.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "engine/engine.h"
#include "tests/engine/tests.h"
#include "tests/engine/tiny_model.h"

static const char *const architectures[] = {"qwen2", "llama"};

static const char sum[] = "[{\"role\": \"user\", \"content\": \"What is 17 + 25?\"}]";
static const char product[] = "[{\"role\": \"system\", \"content\": \"You are a patient tutor.\"},"
                              " {\"role\": \"user\", \"content\": \"And 6 times 7, please?\"}]";

static const struct engine_sampling greedy = {.top_p = 1, .repeat_penalty = 1};
static const struct engine_sampling warm = {
    .temperature = 0.8f, .top_p = 0.95f, .repeat_penalty = 1, .seed = 42};

/* An engine and what it is opened with */

struct fixture {
    struct tiny_model model;
    struct engine *e;
};

static struct engine *open_path(const char *path, int n_threads, int n_parallel)
{
    const struct engine_options opt = {.model_path = path,
                                       .device = ENGINE_DEVICE_CPU,
                                       .n_threads = n_threads,
                                       .n_parallel = n_parallel};
    struct engine *e = NULL;
    char err[256] = "";
    if (engine_open(&e, &opt, err, sizeof err) != 0)
        fail_msg("%s", err);
    return e;
}

static void open_tiny(struct fixture *f, const char *architecture)
{
    tiny_model_write(&f->model, &(struct tiny_model_options){.architecture = architecture});
    f->e = open_path(f->model.path, 1, 1);
}

static void close_tiny(struct fixture *f)
{
    engine_close(f->e);
    tiny_model_remove(&f->model);
}

/* Asking and listening */

struct answer {
    uint64_t id;
    char *text; /* reasoning and answer */
    size_t len;
    int n_prefill, n_text;
    bool done;
    enum engine_stop stop;
    enum engine_error error;
    char error_text[128];
    struct engine_usage usage;
};

static void free_answer(struct answer *a)
{
    free(a->text);
    a->text = NULL;
}

static void ask(struct engine *e, const char *messages, const struct engine_sampling *sampling,
                int max_tokens, struct answer *a)
{
    const struct engine_request req = {
        .messages = messages,
        .date = "26 Jul 2024",
        .sampling = *sampling,
        .max_tokens = max_tokens,
    };
    char err[256] = "";
    *a = (struct answer){.text = calloc(1, 1)};
    if (engine_submit(e, &req, &a->id, err, sizeof err) != 0)
        fail_msg("%s", err);
    assert_int_not_equal(a->id, 0);
}

static void note(struct answer *a, const struct engine_event *e)
{
    assert_false(a->done);
    a->usage = e->usage;
    if (e->type == ENGINE_PREFILL) {
        a->n_prefill++;
        assert_int_equal(a->n_text, 0);
    } else if (e->type == ENGINE_TEXT) {
        a->n_text++;
        assert_int_equal(e->text[e->len], '\0');
        a->text = realloc(a->text, a->len + e->len + 1);
        memcpy(a->text + a->len, e->text, e->len + 1);
        a->len += e->len;
    } else {
        assert_int_equal(e->type, ENGINE_DONE);
        a->done = true;
        a->stop = e->stop;
        a->error = e->error;
        snprintf(a->error_text, sizeof a->error_text, "%s", e->error_text ? e->error_text : "");
    }
}

/* Listens until all are done; at least one must be live. */
static void listen(struct engine *e, struct answer *answers, int n)
{
    for (int done = 0; done < n;) {
        const struct engine_event *ev = engine_next_event(e, 20000);
        assert_non_null(ev);
        for (int i = 0; i < n; i++) {
            if (ev->request == answers[i].id) {
                note(&answers[i], ev);
                done += answers[i].done;
            }
        }
    }
}

static void get_answer(struct engine *e, const char *messages,
                       const struct engine_sampling *sampling, int max_tokens, struct answer *a)
{
    ask(e, messages, sampling, max_tokens, a);
    listen(e, a, 1);
}

static void assert_same(const struct answer *a, const struct answer *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->text, b->text, a->len);
    assert_int_equal(a->stop, b->stop);
    assert_int_equal(a->usage.completion_tokens, b->usage.completion_tokens);
}

/* The tests */

static void an_answer_streams_and_adds_up(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        struct answer a;
        open_tiny(&f, architectures[i]);
        ask(f.e, sum, &warm, 50, &a); /* before READY: it waits for the weights */

        struct pollfd p = {.fd = engine_wake_fd(f.e), .events = POLLIN};
        assert_int_equal(poll(&p, 1, 20000), 1);
        const struct engine_event *ev = engine_next_event(f.e, 0);
        assert_int_equal(ev->type, ENGINE_READY);
        assert_int_equal(ev->request, 0);
        listen(f.e, &a, 1);
        assert_true(a.n_prefill > 0 && a.n_text > 0);
        assert_true(a.stop == ENGINE_STOP_END || a.usage.completion_tokens == 50);
        assert_int_equal(a.usage.cached_tokens, 0);
        assert_true(a.usage.prompt_tokens > 16);
        assert_true(a.usage.reasoning_tokens <= a.usage.completion_tokens);
        assert_int_equal(a.usage.reasoning_tokens > 0, i == 0);
        assert_true(a.usage.time_to_first_token_ms > 0);
        assert_true(a.usage.generation_time_ms >= 0);
        assert_int_equal(poll(&p, 1, 0), 0);
        assert_null(engine_next_event(f.e, 0));
        free_answer(&a);
        close_tiny(&f);
    }
}

static void the_seed_alone_decides(void **state)
{
    (void)state;
    struct fixture f;
    struct answer a, b, other, two_threads;
    struct engine_sampling seed_43 = warm;
    seed_43.seed = 43;
    open_tiny(&f, "qwen2");
    get_answer(f.e, sum, &warm, 60, &a);
    get_answer(f.e, sum, &warm, 60, &b);
    get_answer(f.e, sum, &seed_43, 60, &other);
    assert_same(&a, &b);
    assert_string_not_equal(a.text, other.text);

    struct engine *e = open_path(f.model.path, 2, 1);
    get_answer(e, sum, &warm, 60, &two_threads);
    assert_same(&a, &two_threads);
    engine_close(e);
    free_answer(&a);
    free_answer(&b);
    free_answer(&other);
    free_answer(&two_threads);
    close_tiny(&f);
}

/* Several answers of a model in one batch and on two threads are those of one after the other. */
static void assert_company_changes_nothing(const char *path)
{
    enum { N = 6 };
    struct answer alone[N], together[N];
    struct engine *single = open_path(path, 1, 1), *batch = open_path(path, 2, 4);
    for (int i = 0; i < N; i++) {
        struct engine_sampling s = i % 2 ? warm : greedy;
        s.seed = (uint64_t)i;
        ask(batch, i % 3 ? product : sum, &s, 20 + 7 * i, &together[i]);
        get_answer(single, i % 3 ? product : sum, &s, 20 + 7 * i, &alone[i]);
    }
    listen(batch, together, N);
    for (int i = 0; i < N; i++) {
        assert_same(&alone[i], &together[i]);
        free_answer(&alone[i]);
        free_answer(&together[i]);
    }
    engine_close(single);
    engine_close(batch);
}

static void company_changes_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        open_tiny(&f, architectures[i]);
        assert_company_changes_nothing(f.model.path);
        close_tiny(&f);
    }
}

static void company_changes_nothing_in_quantised_models(void **state)
{
    (void)state;
    static const char *const files[] = {
        "tiny/llama-a/llama-a.q4_k_m.gguf",
        "tiny/llama-a/llama-a.q8_0.gguf",
        "tiny/llama-b/llama-b.bf16.gguf",
        "tiny/qwen2-a/qwen2-a.q4_0.gguf",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[1024];
        fixture_path(files[i], path, sizeof path);
        assert_company_changes_nothing(path);
    }
}

/* The models that ship with the program; the tests run in the project's folder. */
static void demo_models_end_their_answers(void **state)
{
    (void)state;
    glob_t found;
    if (glob("app/demo/*.gguf", 0, NULL, &found) != 0)
        skip();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        assert_company_changes_nothing(found.gl_pathv[i]);
        struct engine *e = open_path(found.gl_pathv[i], 0, 1);
        struct answer a;
        get_answer(e, sum, &greedy, 0, &a);
        assert_int_equal(a.stop, ENGINE_STOP_END);
        assert_int_equal(a.usage.reasoning_tokens > 0, engine_info(e)->thinks);
        free_answer(&a);
        engine_close(e);
    }
    globfree(&found);
}

/* A prompt of tokens is computed as it is; past the end an answer takes all tokens it may have, and
 * is the same until there. */
static void measuring_is_asked_for(void **state)
{
    (void)state;
    glob_t found;
    if (glob("app/demo/*.gguf", 0, NULL, &found) != 0)
        skip();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct engine *e = open_path(found.gl_pathv[i], 0, 1);
        const struct engine_request plain = {.messages = sum, .date = "26 Jul 2024"};
        struct engine_prompt prompt;
        struct answer usual, past;
        char err[256];
        get_answer(e, sum, &greedy, 0, &usual);
        assert_int_equal(engine_render(e, &plain, true, NULL, &prompt, err, sizeof err), 0);

        struct engine_request req = {.tokens = prompt.ids,
                                     .n_tokens = prompt.n_ids,
                                     .sampling = greedy,
                                     .max_tokens = usual.usage.completion_tokens + 50,
                                     .past_end = true};
        past = (struct answer){.text = calloc(1, 1)};
        assert_int_equal(engine_submit(e, &req, &past.id, err, sizeof err), 0);
        listen(e, &past, 1);
        assert_int_equal(past.stop, ENGINE_STOP_LENGTH);
        assert_int_equal(past.usage.completion_tokens, req.max_tokens);
        assert_int_equal(past.usage.prompt_tokens, prompt.n_ids);
        assert_true(past.len > usual.len);
        if (!engine_info(e)->thinks)
            assert_memory_equal(past.text, usual.text, usual.len);

        req.n_tokens = 0;
        assert_int_equal(engine_submit(e, &req, &past.id, err, sizeof err), ENGINE_EINPUT);
        assert_string_equal(err, "tokens: none");
        req.n_tokens = 1;
        req.tokens = (int32_t[]){engine_info(e)->n_vocab};
        assert_int_equal(engine_submit(e, &req, &past.id, err, sizeof err), ENGINE_EINPUT);
        assert_non_null(strstr(err, "tokens[0]: not in the vocabulary (got"));
        free(prompt.text);
        free(prompt.ids);
        free_answer(&usual);
        free_answer(&past);
        engine_close(e);
    }
    globfree(&found);
}

static void memory_is_read(void **state)
{
    (void)state;
    struct fixture f;
    struct answer a;
    double passes[3];
    char err[256] = "";
    open_tiny(&f, "llama");
    assert_int_equal(engine_bandwidth(f.e, passes, 3, err, sizeof err), 0);
    for (int i = 0; i < 3; i++)
        assert_true(passes[i] > 0);
    const struct engine_info *info = engine_info(f.e);
    assert_null(info->bus_address);
    assert_int_equal(info->kv_token_bytes,
                     2 * info->n_layer * info->n_head_kv * info->head_dim * 2);

    ask(f.e, sum, &warm, 0, &a); /* it may have ended by now, which a wait for memory is not told */
    int rc = engine_bandwidth(f.e, passes, 1, err, sizeof err);
    assert_true(rc == 0 || (rc == ENGINE_EINPUT && strstr(err, "a request is live")));
    listen(f.e, &a, 1);
    free_answer(&a);
    close_tiny(&f);
}

/* The next turn of a conversation finds the beginning computed, and answers the same. */
static void a_second_turn_reuses_the_first(void **state)
{
    (void)state;
    static const char second[] =
        "[{\"role\": \"user\", \"content\": \"What is 17 + 25? Take your time and think.\"},"
        " {\"role\": \"assistant\", \"content\": \"42\"},"
        " {\"role\": \"user\", \"content\": \"Now double it.\"}]";
    static const char first[] =
        "[{\"role\": \"user\", \"content\": \"What is 17 + 25? Take your time and think.\"}]";
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        struct answer a, b, fresh;
        open_tiny(&f, architectures[i]);
        get_answer(f.e, first, &warm, 30, &a);
        get_answer(f.e, second, &warm, 30, &b);
        assert_true(b.usage.cached_tokens >= 32);
        assert_true(b.usage.cached_tokens < b.usage.prompt_tokens);

        struct engine *e = open_path(f.model.path, 1, 1);
        get_answer(e, second, &warm, 30, &fresh);
        assert_int_equal(fresh.usage.cached_tokens, 0);
        assert_same(&b, &fresh);
        engine_close(e);
        free_answer(&a);
        free_answer(&b);
        free_answer(&fresh);
        close_tiny(&f);
    }
}

static void stops_at_texts_and_limits(void **state)
{
    (void)state;
    struct fixture f;
    struct answer whole, cut, full;
    open_tiny(&f, "llama");
    get_answer(f.e, sum, &warm, 60, &whole);
    char text[4] = ""; /* a model of bytes writes much else between its letters */
    const char *found = NULL;
    for (size_t i = 1; i + 3 < whole.len && !found; i++) {
        const char *c = whole.text + i;
        if (isgraph((unsigned char)c[0]) && isgraph((unsigned char)c[1]) &&
            isgraph((unsigned char)c[2])) {
            memcpy(text, c, 3);
            found = memmem(whole.text, whole.len, text, 3);
        }
    }
    assert_non_null(found);
    const char *const stop[] = {"never seen", text, NULL};
    const struct engine_request req = {
        .messages = sum, .date = "26 Jul 2024", .sampling = warm, .max_tokens = 60, .stop = stop};
    cut = (struct answer){.text = calloc(1, 1)};
    char err[256];
    assert_int_equal(engine_submit(f.e, &req, &cut.id, err, sizeof err), 0);
    listen(f.e, &cut, 1);
    assert_int_equal(cut.stop, ENGINE_STOP_END);
    assert_int_equal(cut.len, found - whole.text);
    assert_memory_equal(cut.text, whole.text, cut.len);

    get_answer(f.e, sum, &greedy, 0, &full);
    assert_true(full.stop == ENGINE_STOP_END ||
                full.usage.prompt_tokens + full.usage.completion_tokens == TINY_CONTEXT);
    free_answer(&whole);
    free_answer(&cut);
    free_answer(&full);
    close_tiny(&f);
}

static void refuses_with_a_reason(void **state)
{
    (void)state;
    struct fixture f;
    open_tiny(&f, "qwen2");
    char *endless = malloc(3000);
    memset(endless, 'x', 2999);
    endless[2999] = '\0';
    char messages[3200], err[256];
    snprintf(messages, sizeof messages, "[{\"role\": \"user\", \"content\": \"%s\"}]", endless);
    struct engine_request req = {.messages = messages, .sampling = warm};
    uint64_t id = 7;
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EFIT);
    assert_non_null(strstr(err, "tokens do not fit (limit 511)"));

    req.messages = "[{\"role\": ";
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    req.messages = "{}";
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    req.messages = sum;
    req.sampling.temperature = -1;
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    assert_non_null(strstr(err, "temperature"));
    req.sampling = warm;
    req.max_tokens = -1;
    assert_int_equal(engine_submit(f.e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    engine_cancel(f.e, 12345);
    free(endless);
    close_tiny(&f);
}

static void a_bad_file_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    open_tiny(&f, "llama");
    struct engine *e = NULL;
    char err[256];
    struct engine_options opt = {.model_path = "/nowhere/model.gguf"};
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMODEL);
    opt.model_path = "/tmp";
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMODEL);
    opt.model_path = f.model.path;
    opt.n_ctx = TINY_CONTEXT + 1;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EINPUT);
    assert_non_null(strstr(err, "limit 512"));
    opt.n_ctx = -1;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EINPUT);
    opt.n_ctx = 0;
    opt.n_parallel = -2;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EINPUT);
    assert_null(e);
    engine_close(NULL);
    close_tiny(&f);
}

/* As many at a time as are of use, or as the memory has room for; what has none is refused. */
static void memory_is_planned(void **state)
{
    (void)state;
    struct tiny_model model;
    struct engine *e = NULL;
    char err[256];
    tiny_model_write(&model,
                     &(struct tiny_model_options){.architecture = "llama", .n_ctx = 1 << 30});
    struct engine_options opt = {.model_path = model.path, .n_parallel = ENGINE_PARALLEL_BEST};
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), 0);
    assert_int_equal(engine_info(e)->n_parallel, 16);
    engine_close(e);
    e = NULL;
    opt.n_ctx = 1 << 30;
    opt.n_parallel = 256;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    assert_non_null(strstr(err, "parallel: too many for a context of 1073741824 tokens"));
    opt.n_parallel = 16;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    struct engine_shortage shortage;
    opt.shortage = &shortage;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    assert_non_null(strstr(err, "memory: does not fit with a context of 1073741824 tokens"));
    assert_true(shortage.needed > shortage.available && shortage.available > 0);
    assert_null(e);

    opt.n_ctx = TINY_CONTEXT;
    opt.host_memory = 16 << 20;
    opt.n_parallel = ENGINE_PARALLEL_BEST; /* within the limit */
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), 0);
    assert_int_equal(shortage.needed, 0);
    const struct engine_info *info = engine_info(e);
    uint64_t takes = info->weight_bytes + info->kv_bytes + info->scratch_bytes;
    assert_in_range(takes, 1, opt.host_memory);
    assert_false(info->on_gpu);
    engine_close(e);
    e = NULL;
    opt.host_memory = 1 << 16;
    opt.n_parallel = 1;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    assert_int_equal(shortage.available, opt.host_memory);
    assert_in_range(shortage.needed, opt.host_memory + 1, takes);
    opt.host_memory = 0;
    opt.reserved_memory = UINT64_MAX - 1; /* others are about to take all there is */
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMEMORY);
    assert_int_equal(shortage.available, 0);
    tiny_model_remove(&model);
}

static void facts_and_inspection(void **state)
{
    (void)state;
    struct fixture f;
    open_tiny(&f, "llama");
    const struct engine_info *info = engine_info(f.e);
    assert_string_equal(info->name, "Tiny");
    assert_string_equal(info->architecture, "llama");
    assert_string_equal(info->type, "F32");
    assert_int_equal(info->family, ENGINE_FAMILY_LLAMA);
    assert_false(info->thinks);
    assert_int_equal(info->n_ctx, TINY_CONTEXT);
    const struct engine_sampling *s = &info->sampling;
    assert_true(s->temperature == 0.6f && s->top_p == 0.9f && s->repeat_penalty == 1);
    assert_true(s->top_k == 0 && s->min_p == 0);
    assert_true(info->n_params > 50000 && info->weight_bytes > 0 && info->kv_bytes > 0);

    static const char text[] = "hello <|eot_id|> wörld \xff\n";
    int32_t *ids;
    size_t n, len;
    char *back;
    assert_int_equal(engine_tokenize(f.e, text, strlen(text), false, &ids, &n), 0);
    assert_int_equal(engine_detokenize(f.e, ids, n, &back, &len), 0);
    assert_int_equal(len, strlen(text));
    assert_memory_equal(back, text, len);
    free(back);
    ids[0] = info->n_vocab;
    assert_int_equal(engine_detokenize(f.e, ids, n, &back, &len), ENGINE_EINPUT);
    free(ids);

    const struct engine_request req = {.messages = sum, .date = "26 Jul 2024"};
    struct engine_prompt prompt;
    char err[256];
    assert_int_equal(engine_render(f.e, &req, true, NULL, &prompt, err, sizeof err), 0);
    assert_non_null(strstr(prompt.text, "26 Jul 2024"));
    assert_true(prompt.n_ids > 20);
    free(prompt.text);
    free(prompt.ids);

    char *described = engine_describe(f.e);
    json_t *root = json_loads(described, 0, NULL);
    assert_non_null(root);
    assert_int_equal(json_array_size(json_object_get(root, "tensors")), 2 + 2 * 9);
    json_decref(root);
    free(described);
    close_tiny(&f);
}

static void a_vocabulary_alone_opens(void **state)
{
    (void)state;
    struct tiny_model m;
    tiny_model_write(&m, &(struct tiny_model_options){"qwen2", .without_tensors = true});
    struct engine_options opt = {.model_path = m.path, .vocab_only = true};
    struct engine *e = NULL;
    char err[256];
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), 0);
    assert_int_equal(engine_next_event(e, 0)->type, ENGINE_READY);
    assert_true(engine_info(e)->thinks);
    int32_t *ids;
    size_t n;
    assert_int_equal(engine_tokenize(e, "a<think>", 8, true, &ids, &n), 0);
    assert_int_equal(n, 2);
    free(ids);
    uint64_t id;
    const struct engine_request req = {.messages = sum, .sampling = greedy};
    assert_int_equal(engine_submit(e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    const struct engine_evaluation ev = {.tokens = (int32_t[]){1}, .n_tokens = 1};
    assert_int_equal(engine_evaluate(e, &ev, err, sizeof err), ENGINE_EINPUT);
    engine_close(e);
    opt.vocab_only = false;
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), ENGINE_EMODEL);
    tiny_model_remove(&m);
}

/* A long prompt: several steps of reading. */
static char *long_messages(void)
{
    char *m = malloc(1000);
    int n = snprintf(m, 1000, "[{\"role\": \"user\", \"content\": \"");
    memset(m + n, 'q', 400);
    snprintf(m + n + 400, 1000 - (size_t)n - 400, "\"}]");
    return m;
}

static void cancelling_works_in_every_phase(void **state)
{
    (void)state;
    char *messages = long_messages();
    struct fixture f;
    struct answer a, whole;
    open_tiny(&f, "qwen2");
    get_answer(f.e, sum, &warm, 200, &whole);

    ask(f.e, messages, &warm, 0, &a); /* at once: before or while it is read */
    engine_cancel(f.e, a.id);
    listen(f.e, &a, 1);
    assert_int_equal(a.stop, ENGINE_STOP_CANCEL); /* on a busy machine there may be text by then */
    free_answer(&a);

    ask(f.e, sum, &warm, 200, &a);
    while (a.n_text == 0)
        note(&a, engine_next_event(f.e, 20000));
    engine_cancel(f.e, a.id);
    engine_cancel(f.e, a.id);
    if (!a.done)
        listen(f.e, &a, 1);
    assert_memory_equal(a.text, whole.text, a.len); /* what came before is whole */
    engine_cancel(f.e, a.id);
    free_answer(&a);

    get_answer(f.e, sum, &warm, 200, &a);
    assert_same(&a, &whole);
    free_answer(&a);
    free_answer(&whole);
    free(messages);
    close_tiny(&f);
}

static void closing_is_possible_at_any_moment(void **state)
{
    (void)state;
    char *messages = long_messages();
    struct fixture f;
    open_tiny(&f, "llama");
    srand(5);
    for (int round = 0; round < 100; round++) {
        struct engine *e = open_path(f.model.path, 1 + round % 2, 1 + round % 3);
        struct answer a[3];
        int n = rand() % 4;
        for (int i = 0; i < n; i++)
            ask(e, i ? sum : messages, &warm, 0, &a[i]);
        const struct timespec pause = {.tv_nsec = rand() % 8 * 1000000L};
        nanosleep(&pause, NULL);
        if (n > 0 && round % 4 == 0)
            engine_cancel(e, a[0].id);
        if (round % 5 == 0)
            engine_next_event(e, 0);
        engine_close(e);
        for (int i = 0; i < n; i++)
            free_answer(&a[i]);
    }
    free(messages);
    close_tiny(&f);
}

static void a_slow_reader_gets_it_all_in_few_events(void **state)
{
    (void)state;
    struct fixture f;
    struct answer quick, slow;
    open_tiny(&f, "qwen2");
    get_answer(f.e, sum, &warm, 300, &quick);
    ask(f.e, sum, &warm, 300, &slow);

    /* An evaluation is refused while a request lives, and so tells when it ends. */
    const struct engine_evaluation ev = {.tokens = (int32_t[]){1}, .n_tokens = 1};
    char err[256];
    int rc;
    while ((rc = engine_evaluate(f.e, &ev, err, sizeof err)) == ENGINE_EINPUT)
        ;
    assert_int_equal(rc, 0);
    listen(f.e, &slow, 1);
    assert_same(&quick, &slow);
    assert_int_equal(slow.n_prefill, 1);
    assert_in_range(slow.n_text, 1, 2); /* reasoning, answer */
    free_answer(&quick);
    free_answer(&slow);
    close_tiny(&f);
}

static void numbers_that_are_none_are_said(void **state)
{
    (void)state;
    struct tiny_model m;
    tiny_model_write(&m, &(struct tiny_model_options){"llama", .damaged = true});
    struct engine *e = open_path(m.path, 1, 1);
    struct answer a;
    get_answer(e, sum, &greedy, 10, &a);
    assert_int_equal(a.stop, ENGINE_STOP_ERROR);
    assert_int_equal(a.error, ENGINE_ERROR);
    assert_non_null(strstr(a.error_text, "invalid numbers"));
    free_answer(&a);
    engine_close(e);
    tiny_model_remove(&m);
}

static void a_file_cut_short_ends_the_engine(void **state)
{
    (void)state;
    struct fixture f;
    struct answer a, late;
    open_tiny(&f, "llama");
    get_answer(f.e, sum, &warm, 5, &a);
    free_answer(&a);

    assert_int_equal(truncate(f.model.path, 20000), 0);
    get_answer(f.e, product, &warm, 0, &a);
    assert_int_equal(a.stop, ENGINE_STOP_ERROR);
    assert_int_equal(a.error, ENGINE_EMODEL);
    const struct engine_event *ev = engine_next_event(f.e, 20000);
    assert_int_equal(ev->type, ENGINE_FATAL);
    assert_int_equal(ev->error, ENGINE_EMODEL);
    assert_non_null(strstr(ev->error_text, "changed"));

    get_answer(f.e, sum, &warm, 5, &late);
    assert_int_equal(late.stop, ENGINE_STOP_ERROR);
    const struct engine_evaluation evaluation = {.tokens = (int32_t[]){1}, .n_tokens = 1};
    char err[256];
    assert_int_equal(engine_evaluate(f.e, &evaluation, err, sizeof err), ENGINE_EMODEL);
    free_answer(&a);
    free_answer(&late);
    close_tiny(&f);
}

/* Evaluation */

struct shown {
    size_t n; /* positions so far */
    int n_vocab;
    float *logits; /* [n, n_vocab] */
};

static void show(void *ud, size_t position, const float *logits, int n_vocab)
{
    struct shown *s = ud;
    assert_int_equal(position, s->n);
    s->n_vocab = n_vocab;
    s->logits = realloc(s->logits, (s->n + 1) * (size_t)n_vocab * sizeof *logits);
    memcpy(s->logits + s->n++ * (size_t)n_vocab, logits, (size_t)n_vocab * sizeof *logits);
}

static void evaluate(struct engine *e, const int32_t *tokens, size_t n, int chunk, size_t n_greedy,
                     struct shown *s)
{
    *s = (struct shown){0};
    const struct engine_evaluation ev = {.tokens = tokens,
                                         .n_tokens = n,
                                         .n_greedy = n_greedy,
                                         .chunk = chunk,
                                         .position = show,
                                         .ud = s};
    char err[256];
    if (engine_evaluate(e, &ev, err, sizeof err) != 0)
        fail_msg("%s", err);
    assert_int_equal(s->n, n + n_greedy);
}

static int best_at(const struct shown *s, size_t position)
{
    const float *row = s->logits + position * (size_t)s->n_vocab;
    int best = 0;
    for (int i = 1; i < s->n_vocab; i++)
        best = row[i] > row[best] ? i : best;
    return best;
}

static void evaluation_is_the_same_in_any_pieces(void **state)
{
    (void)state;
    struct fixture f;
    struct shown whole, pieces;
    enum { N = 300, N_GREEDY = 5 };
    int32_t tokens[N];
    for (int i = 0; i < N; i++)
        tokens[i] = i * 37 % 256;
    open_tiny(&f, "qwen2");
    evaluate(f.e, tokens, N, 0, N_GREEDY, &whole);
    static const int chunks[] = {1, 7, 64};
    for (int i = 0; i < 3; i++) {
        evaluate(f.e, tokens, N, chunks[i], N_GREEDY, &pieces);
        assert_memory_equal(pieces.logits, whole.logits,
                            (N + N_GREEDY) * (size_t)whole.n_vocab * sizeof(float));
        free(pieces.logits);
    }

    /* A continuation is what those tokens give as input. */
    int32_t longer[N + N_GREEDY];
    memcpy(longer, tokens, sizeof tokens);
    for (size_t i = 0; i < N_GREEDY; i++)
        longer[N + i] = best_at(&whole, N - 1 + i);
    evaluate(f.e, longer, N + N_GREEDY, 0, 0, &pieces);
    assert_memory_equal(pieces.logits, whole.logits,
                        (N + N_GREEDY) * (size_t)whole.n_vocab * sizeof(float));
    free(pieces.logits);
    free(whole.logits);

    char err[256];
    struct engine_evaluation bad = {.tokens = (int32_t[]){1, 100000}, .n_tokens = 2};
    assert_int_equal(engine_evaluate(f.e, &bad, err, sizeof err), ENGINE_EINPUT);
    bad = (struct engine_evaluation){.tokens = tokens, .n_tokens = N, .n_greedy = 300};
    assert_int_equal(engine_evaluate(f.e, &bad, err, sizeof err), ENGINE_EFIT);
    close_tiny(&f);
}

/* The outside reference, through the door: what test_logits.c sees of the forward pass. */
static void evaluation_agrees_with_the_reference(void **state)
{
    (void)state;
    char path[1024];
    size_t len;
    fixture_path("tiny/llama-b/llama-b.f32.gguf", path, sizeof path);
    char *text = fixture_read("tiny/llama-b/ref.f32.json", &len);
    float *reference = fixture_read("tiny/llama-b/ref.f32.f32", &len);
    json_t *root = json_loads(text, 0, NULL), *prompt;
    assert_non_null(root);

    const struct engine_options opt = {
        .model_path = path, .device = ENGINE_DEVICE_CPU, .n_threads = 1, .kv_type = ENGINE_KV_F32};
    struct engine *e = NULL;
    char err[256];
    assert_int_equal(engine_open(&e, &opt, err, sizeof err), 0);
    size_t k;
    json_array_foreach(json_object_get(root, "prompts"), k, prompt)
    {
        const json_t *ids = json_object_get(prompt, "ids");
        const json_t *greedy_ids = json_object_get(prompt, "greedy");
        size_t n = json_array_size(ids), n_greedy = json_array_size(greedy_ids);
        int32_t *tokens = calloc(n, sizeof *tokens);
        for (size_t i = 0; i < n; i++)
            tokens[i] = (int32_t)json_integer_value(json_array_get(ids, i));
        struct shown s;
        evaluate(e, tokens, n, 0, n_greedy, &s);
        const float *expected = reference +
                                json_integer_value(json_object_get(prompt, "logits_offset"));
        for (int i = 0; i < s.n_vocab; i++)
            assert_true(fabsf(s.logits[(n - 1) * (size_t)s.n_vocab + (size_t)i] - expected[i]) <
                        1e-3f);
        for (size_t i = 0; i < n_greedy; i++) {
            const json_t *gap = json_array_get(json_object_get(prompt, "greedy_gap"), i);
            if (json_number_value(gap) < 2e-3)
                break;
            assert_int_equal(best_at(&s, n - 1 + i),
                             json_integer_value(json_array_get(greedy_ids, i)));
        }
        free(s.logits);
        free(tokens);
    }
    engine_close(e);
    json_decref(root);
    free(text);
    free(reference);
}

int test_engine(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_streams_and_adds_up),
        cmocka_unit_test(the_seed_alone_decides),
        cmocka_unit_test(company_changes_nothing),
        cmocka_unit_test(company_changes_nothing_in_quantised_models),
        cmocka_unit_test(demo_models_end_their_answers),
        cmocka_unit_test(measuring_is_asked_for),
        cmocka_unit_test(memory_is_read),
        cmocka_unit_test(a_second_turn_reuses_the_first),
        cmocka_unit_test(stops_at_texts_and_limits),
        cmocka_unit_test(refuses_with_a_reason),
        cmocka_unit_test(a_bad_file_is_refused),
        cmocka_unit_test(memory_is_planned),
        cmocka_unit_test(facts_and_inspection),
        cmocka_unit_test(a_vocabulary_alone_opens),
        cmocka_unit_test(cancelling_works_in_every_phase),
        cmocka_unit_test(closing_is_possible_at_any_moment),
        cmocka_unit_test(a_slow_reader_gets_it_all_in_few_events),
        cmocka_unit_test(numbers_that_are_none_are_said),
        cmocka_unit_test(a_file_cut_short_ends_the_engine),
        cmocka_unit_test(evaluation_is_the_same_in_any_pieces),
        cmocka_unit_test(evaluation_agrees_with_the_reference),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
