/* test_engine.c - answers of the engine through its one door, on tiny random models. */
#include <ctype.h>
#include <glob.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
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

#include "tests/engine/answers.h"
#include "tests/engine/tests.h"

static const char *const architectures[] = {"qwen2", "llama"};
static const char sum[] = "[{\"role\": \"user\", \"content\": \"What is 17 + 25?\"}]";
static const char product[] = "[{\"role\": \"system\", \"content\": \"You are a patient tutor.\"},"
                              " {\"role\": \"user\", \"content\": \"And 6 times 7, please?\"}]";
static const struct engine_sampling greedy = {.top_p = 1, .repeat_penalty = 1};
static const struct engine_sampling warm = {
    .temperature = 0.8f, .top_p = 0.95f, .repeat_penalty = 1, .seed = 42};

static void an_answer_streams_and_adds_up(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        struct answer a;
        answers_open_tiny(&f, architectures[i]);
        answer_ask(f.e, sum, &warm, 50, &a); /* before READY: it waits for the weights */

        struct pollfd p = {.fd = engine_wake_fd(f.e), .events = POLLIN};
        assert_int_equal(poll(&p, 1, 20000), 1);
        const struct engine_event *ev = engine_next_event(f.e, 0);
        assert_int_equal(ev->type, ENGINE_READY);
        assert_int_equal(ev->request, 0);
        answer_listen(f.e, &a, 1);
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
        answer_free(&a);
        answers_close_tiny(&f);
    }
}

static void the_seed_alone_decides(void **state)
{
    (void)state;
    struct fixture f;
    struct answer a, b, other, two_threads;
    struct engine_sampling seed_43 = warm;
    seed_43.seed = 43;
    answers_open_tiny(&f, "qwen2");
    answer_get(f.e, sum, &warm, 60, &a);
    answer_get(f.e, sum, &warm, 60, &b);
    answer_get(f.e, sum, &seed_43, 60, &other);
    answer_assert_same(&a, &b);
    assert_string_not_equal(a.text, other.text);

    struct engine *e = answers_open(f.model.path, 2, 1);
    answer_get(e, sum, &warm, 60, &two_threads);
    answer_assert_same(&a, &two_threads);
    engine_close(e);
    answer_free(&a);
    answer_free(&b);
    answer_free(&other);
    answer_free(&two_threads);
    answers_close_tiny(&f);
}

/* In one batch and on two threads they are what they are one after the other. */
static void assert_company_changes_nothing(const char *path)
{
    enum { N = 6 };
    struct answer alone[N], together[N];
    struct engine *single = answers_open(path, 1, 1), *batch = answers_open(path, 2, 4);
    for (int i = 0; i < N; i++) {
        struct engine_sampling s = i % 2 ? warm : greedy;
        s.seed = (uint64_t)i;
        answer_ask(batch, i % 3 ? product : sum, &s, 20 + 7 * i, &together[i]);
        answer_get(single, i % 3 ? product : sum, &s, 20 + 7 * i, &alone[i]);
    }
    answer_listen(batch, together, N);
    for (int i = 0; i < N; i++) {
        answer_assert_same(&alone[i], &together[i]);
        answer_free(&alone[i]);
        answer_free(&together[i]);
    }
    engine_close(single);
    engine_close(batch);
}

static void company_changes_nothing(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture f;
        answers_open_tiny(&f, architectures[i]);
        assert_company_changes_nothing(f.model.path);
        answers_close_tiny(&f);
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
        struct engine *e = answers_open(found.gl_pathv[i], 0, 1);
        struct answer a;
        answer_get(e, sum, &greedy, 0, &a);
        assert_int_equal(a.stop, ENGINE_STOP_END);
        assert_int_equal(a.usage.reasoning_tokens > 0, engine_info(e)->thinks);
        answer_free(&a);
        engine_close(e);
    }
    globfree(&found);
}

/* A prompt of tokens is taken as it is. An answer that may not end has all the tokens it may have,
 * and begins as the one that ends. */
static void measuring_is_asked_for(void **state)
{
    (void)state;
    glob_t found;
    if (glob("app/demo/*.gguf", 0, NULL, &found) != 0)
        skip();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct engine *e = answers_open(found.gl_pathv[i], 0, 1);
        const struct engine_request plain = {.messages = sum, .date = "26 Jul 2024"};
        struct engine_prompt prompt;
        struct answer usual, past;
        char err[256];
        answer_get(e, sum, &greedy, 0, &usual);
        assert_int_equal(engine_render(e, &plain, &(struct engine_rendering){.generate = true},
                                       &prompt, err, sizeof err),
                         0);
        struct engine_prompt again = {0};
        struct engine_rendering how = {.generate = true, .most = prompt.n_ids};
        assert_int_equal(engine_render(e, &plain, &how, &again, err, sizeof err), 0);
        assert_int_equal(again.n_ids, prompt.n_ids);
        free(again.text);
        free(again.ids);
        how.most--;
        assert_int_equal(engine_render(e, &plain, &how, &again, err, sizeof err), ENGINE_EFIT);

        struct engine_request req = {.tokens = prompt.ids,
                                     .n_tokens = prompt.n_ids,
                                     .sampling = greedy,
                                     .max_tokens = usual.usage.completion_tokens + 50,
                                     .ignore_eos = true};
        past = (struct answer){.text = calloc(1, 1)};
        assert_int_equal(engine_submit(e, &req, &past.id, err, sizeof err), 0);
        answer_listen(e, &past, 1);
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
        answer_free(&usual);
        answer_free(&past);
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
    answers_open_tiny(&f, "llama");
    assert_int_equal(engine_bandwidth(f.e, passes, 3, err, sizeof err), 0);
    for (int i = 0; i < 3; i++)
        assert_true(passes[i] > 0);
    const struct engine_info *info = engine_info(f.e);
    assert_null(info->bus_address);
    assert_int_equal(info->kv_token_bytes,
                     2 * info->n_layer * info->n_head_kv * info->head_dim * 2);

    answer_ask(f.e, sum, &warm, 0,
               &a); /* it may have ended by now, which a wait for memory is not told */
    int rc = engine_bandwidth(f.e, passes, 1, err, sizeof err);
    assert_true(rc == 0 || (rc == ENGINE_EINPUT && strstr(err, "a request is live")));
    answer_listen(f.e, &a, 1);
    answer_free(&a);
    answers_close_tiny(&f);
}

struct reading {
    struct engine *e;
    int rc;
    atomic_bool done;
};

static void *read_for_long(void *ud)
{
    struct reading *r = ud;
    double passes[20];
    char err[256] = "";
    r->rc = engine_bandwidth(r->e, passes, 20, err, sizeof err);
    atomic_store(&r->done, true);
    return NULL;
}

static void reading_memory_can_be_given_up(void **state)
{
    (void)state;
    struct fixture f;
    struct answer a;
    pthread_t thread;
    answers_open_tiny(&f, "llama");
    struct reading r = {.e = f.e};
    assert_int_equal(pthread_create(&thread, NULL, read_for_long, &r), 0);
    while (!atomic_load(&r.done)) {
        engine_cancel(f.e, 0);
        usleep(1000);
    }
    pthread_join(thread, NULL);
    assert_int_equal(r.rc, ENGINE_ECANCEL);
    answer_get(f.e, sum, &warm, 5, &a); /* and nothing else is */
    assert_int_equal(a.usage.completion_tokens, 5);
    answer_free(&a);
    answers_close_tiny(&f);
}

/* And answers what it would answer had it computed all of it. */
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
        answers_open_tiny(&f, architectures[i]);
        answer_get(f.e, first, &warm, 30, &a);
        answer_get(f.e, second, &warm, 30, &b);
        assert_true(b.usage.cached_tokens >= 32);
        assert_true(b.usage.cached_tokens < b.usage.prompt_tokens);

        struct engine *e = answers_open(f.model.path, 1, 1);
        answer_get(e, second, &warm, 30, &fresh);
        assert_int_equal(fresh.usage.cached_tokens, 0);
        answer_assert_same(&b, &fresh);
        engine_close(e);
        answer_free(&a);
        answer_free(&b);
        answer_free(&fresh);
        answers_close_tiny(&f);
    }
}

static void stops_at_texts_and_limits(void **state)
{
    (void)state;
    struct fixture f;
    struct answer whole, cut, full;
    answers_open_tiny(&f, "llama");
    answer_get(f.e, sum, &warm, 60, &whole);
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
    answer_listen(f.e, &cut, 1);
    assert_int_equal(cut.stop, ENGINE_STOP_END);
    assert_int_equal(cut.len, found - whole.text);
    assert_memory_equal(cut.text, whole.text, cut.len);

    answer_get(f.e, sum, &greedy, 0, &full);
    assert_true(full.stop == ENGINE_STOP_END ||
                full.usage.prompt_tokens + full.usage.completion_tokens == TINY_CONTEXT);
    answer_free(&whole);
    answer_free(&cut);
    answer_free(&full);
    answers_close_tiny(&f);
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

/* Without a character of which only a part had come. */
static size_t whole_length(const struct answer *a)
{
    bool cut = a->len >= 3 && memcmp(a->text + a->len - 3, "\xef\xbf\xbd", 3) == 0;
    return cut ? a->len - 3 : a->len;
}

static void cancelling_works_in_every_phase(void **state)
{
    (void)state;
    char *messages = long_messages();
    struct fixture f;
    struct answer a, whole;
    answers_open_tiny(&f, "qwen2");
    answer_get(f.e, sum, &warm, 200, &whole);

    answer_ask(f.e, messages, &warm, 0, &a); /* at once: before or while it is read */
    engine_cancel(f.e, a.id);
    answer_listen(f.e, &a, 1);
    assert_int_equal(a.stop, ENGINE_STOP_CANCEL); /* on a busy machine there may be text by then */
    answer_free(&a);

    answer_ask(f.e, sum, &warm, 200, &a);
    while (a.n_text == 0)
        answer_note(&a, engine_next_event(f.e, 20000));
    engine_cancel(f.e, a.id);
    engine_cancel(f.e, a.id);
    if (!a.done)
        answer_listen(f.e, &a, 1);
    assert_memory_equal(a.text, whole.text, whole_length(&a)); /* what came before is whole */
    engine_cancel(f.e, a.id);
    answer_free(&a);

    answer_get(f.e, sum, &warm, 200, &a);
    answer_assert_same(&a, &whole);
    answer_free(&a);
    answer_free(&whole);
    free(messages);
    answers_close_tiny(&f);
}

static void closing_is_possible_at_any_moment(void **state)
{
    (void)state;
    char *messages = long_messages();
    struct fixture f;
    answers_open_tiny(&f, "llama");
    srand(5);
    for (int round = 0; round < 100; round++) {
        struct engine *e = answers_open(f.model.path, 1 + round % 2, 1 + round % 3);
        struct answer a[3];
        int n = rand() % 4;
        for (int i = 0; i < n; i++)
            answer_ask(e, i ? sum : messages, &warm, 0, &a[i]);
        const struct timespec pause = {.tv_nsec = rand() % 8 * 1000000L};
        nanosleep(&pause, NULL);
        if (n > 0 && round % 4 == 0)
            engine_cancel(e, a[0].id);
        if (round % 5 == 0)
            engine_next_event(e, 0);
        engine_close(e);
        for (int i = 0; i < n; i++)
            answer_free(&a[i]);
    }
    free(messages);
    answers_close_tiny(&f);
}

static void a_slow_reader_gets_it_all_in_few_events(void **state)
{
    (void)state;
    struct fixture f;
    struct answer quick, slow;
    answers_open_tiny(&f, "qwen2");
    answer_get(f.e, sum, &warm, 300, &quick);
    answer_ask(f.e, sum, &warm, 300, &slow);

    /* An evaluation is refused while a request lives, and so tells when it ends. */
    const struct engine_evaluation ev = {.tokens = (int32_t[]){1}, .n_tokens = 1};
    char err[256];
    int rc;
    while ((rc = engine_evaluate(f.e, &ev, err, sizeof err)) == ENGINE_EINPUT)
        ;
    assert_int_equal(rc, 0);
    answer_listen(f.e, &slow, 1);
    answer_assert_same(&quick, &slow);
    assert_int_equal(slow.n_prefill, 1);
    assert_in_range(slow.n_text, 1, 2); /* reasoning, answer */
    answer_free(&quick);
    answer_free(&slow);
    answers_close_tiny(&f);
}

static void numbers_that_are_none_are_said(void **state)
{
    (void)state;
    struct tiny_model m;
    tiny_model_write(&m, &(struct tiny_model_options){"llama", .damaged = true});
    struct engine *e = answers_open(m.path, 1, 1);
    struct answer a;
    answer_get(e, sum, &greedy, 10, &a);
    assert_int_equal(a.stop, ENGINE_STOP_ERROR);
    assert_int_equal(a.error, ENGINE_ERROR);
    assert_non_null(strstr(a.error_text, "invalid numbers"));
    answer_free(&a);
    engine_close(e);
    tiny_model_remove(&m);
}

static void a_file_cut_short_ends_the_engine(void **state)
{
    (void)state;
    struct fixture f;
    struct answer a, late;
    answers_open_tiny(&f, "llama");
    answer_get(f.e, sum, &warm, 5, &a);
    answer_free(&a);

    assert_int_equal(truncate(f.model.path, 20000), 0);
    answer_get(f.e, product, &warm, 0, &a);
    assert_int_equal(a.stop, ENGINE_STOP_ERROR);
    assert_int_equal(a.error, ENGINE_EMODEL);
    const struct engine_event *ev = engine_next_event(f.e, 20000);
    assert_int_equal(ev->type, ENGINE_FATAL);
    assert_int_equal(ev->error, ENGINE_EMODEL);
    assert_non_null(strstr(ev->error_text, "changed"));

    answer_get(f.e, sum, &warm, 5, &late);
    assert_int_equal(late.stop, ENGINE_STOP_ERROR);
    const struct engine_evaluation evaluation = {.tokens = (int32_t[]){1}, .n_tokens = 1};
    char err[256];
    assert_int_equal(engine_evaluate(f.e, &evaluation, err, sizeof err), ENGINE_EMODEL);
    answer_free(&a);
    answer_free(&late);
    answers_close_tiny(&f);
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
        cmocka_unit_test(reading_memory_can_be_given_up),
        cmocka_unit_test(a_second_turn_reuses_the_first),
        cmocka_unit_test(stops_at_texts_and_limits),
        cmocka_unit_test(cancelling_works_in_every_phase),
        cmocka_unit_test(closing_is_possible_at_any_moment),
        cmocka_unit_test(a_slow_reader_gets_it_all_in_few_events),
        cmocka_unit_test(numbers_that_are_none_are_said),
        cmocka_unit_test(a_file_cut_short_ends_the_engine),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
