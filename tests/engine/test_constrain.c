/* test_constrain.c - answers in a form through the engine's door: together and alone, interrupted,
 * gone on with, cut short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "tests/engine/accept.h"
#include "tests/engine/tests.h"
#include "tests/engine/tiny_model.h"

static const char hello[] = "[{\"role\": \"user\", \"content\": \"Hello.\"}]";
static const char person[] =
    "{\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\", \"maxLength\": 9},"
    " \"favourite colour\": {\"enum\": [\"red\", \"green\", \"magenta\"]}, \"list\": {\"type\":"
    " \"array\", \"items\": {\"type\": \"integer\", \"maximum\": 99, \"minimum\": -99}, "
    "\"maxItems\": 3}}, \"required\": [\"name\", \"favourite colour\", \"list\"]}";
static const char tool[] = "[{\"function\": {\"name\": \"look\", \"parameters\": {\"properties\": "
                           "{\"at\": {\"enum\": [\"sky\", \"sea\"]}}, \"required\": [\"at\"]}}}]";

static struct engine *open_model(const char *path, int n_parallel)
{
    const struct engine_options opt = {
        .model_path = path, .device = ENGINE_DEVICE_CPU, .n_threads = 1, .n_parallel = n_parallel};
    struct engine *e;
    char err[256];
    if (engine_open(&e, &opt, err, sizeof err) != 0)
        fail_msg("%s", err);
    return e;
}

enum { KINDS = 3, TEXT_MAX = 4096, TOKENS_MAX = 1024 };

struct answer {
    uint64_t id;
    char text[KINDS][TEXT_MAX]; /* by enum engine_text */
    int32_t tokens[TOKENS_MAX];
    size_t n_tokens;
    bool done, unfinished;
    enum engine_stop stop;
    char calls[TEXT_MAX];
};

static void submit(struct engine *e, const struct engine_request *req, struct answer *a)
{
    char err[256] = "";
    memset(a, 0, sizeof *a);
    if (engine_submit(e, req, &a->id, err, sizeof err) != 0)
        fail_msg("%s", err);
}

static void take(struct answer *a, const struct engine_event *ev)
{
    if (ev->type == ENGINE_TEXT)
        strncat(a->text[ev->kind], ev->text, TEXT_MAX - 1 - strlen(a->text[ev->kind]));
    assert_true(a->n_tokens + ev->n_tokens <= TOKENS_MAX);
    if (ev->n_tokens > 0)
        memcpy(a->tokens + a->n_tokens, ev->tokens, ev->n_tokens * sizeof *ev->tokens);
    a->n_tokens += ev->n_tokens;
    if (ev->type != ENGINE_DONE)
        return;
    a->done = true;
    a->stop = ev->stop;
    a->unfinished = ev->unfinished;
    snprintf(a->calls, sizeof a->calls, "%s", ev->tool_calls ? ev->tool_calls : "");
}

static void finish(struct engine *e, struct answer *a, int n)
{
    for (int done = 0; done < n;) {
        const struct engine_event *ev = engine_next_event(e, 20000);
        assert_non_null(ev);
        for (int i = 0; i < n; i++)
            if (ev->request == a[i].id) {
                take(&a[i], ev);
                done += a[i].done;
            }
    }
}

static void ask(struct engine *e, const struct engine_request *req, struct answer *a)
{
    submit(e, req, a);
    finish(e, a, 1);
}

static struct engine_request request_of(const char *schema, uint64_t seed)
{
    return (struct engine_request){
        .messages = hello,
        .schema = schema,
        .sampling = {.temperature = 1.5f, .top_p = 1, .repeat_penalty = 1, .seed = seed},
        .think = ENGINE_THINK_OFF,
        .max_tokens = 300,
    };
}

static void assert_conforms(const char *schema, const char *text)
{
    struct accept a;
    char err[256];
    assert_int_equal(accept_schema(&a, schema, err, sizeof err), 0);
    if (!accepts(&a, text, strlen(text)))
        fail_msg("%s", text);
    accept_done(&a);
}

static const char *const architectures[] = {"qwen2", "llama"};

/* Random models, whose every answer is noise: in the form, the same alone and with others. */
static void noise_takes_the_form(void **state)
{
    static struct answer alone[8], together[8];
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct tiny_model m;
        tiny_model_write(&m, &(struct tiny_model_options){.architecture = architectures[k]});
        struct engine *one = open_model(m.path, 1), *many = open_model(m.path, 5);
        int whole = 0;
        for (int i = 0; i < 8; i++) {
            struct engine_request req = request_of(person, (uint64_t)i);
            ask(one, &req, &alone[i]);
            submit(many, &req, &together[i]);
            assert_int_equal(alone[i].unfinished, alone[i].stop != ENGINE_STOP_END);
            if (!alone[i].unfinished)
                assert_conforms(person, alone[i].text[ENGINE_ANSWER]);
            whole += !alone[i].unfinished;
        }
        finish(many, together, 8);
        for (int i = 0; i < 8; i++)
            assert_string_equal(alone[i].text[ENGINE_ANSWER], together[i].text[ENGINE_ANSWER]);
        assert_true(whole >= 4);
        engine_close(one);
        engine_close(many);
        tiny_model_remove(&m);
    }
}

/* Cut at each of its tokens and gone on with, an answer becomes what it would have been. */
static void an_answer_is_gone_on_with(void **state)
{
    static struct answer whole, cut, rest;
    (void)state;
    struct tiny_model m;
    tiny_model_write(&m, &(struct tiny_model_options){.architecture = "llama"});
    struct engine *e = open_model(m.path, 1);
    struct engine_request req = request_of(person, 3);
    ask(e, &req, &whole);
    assert_false(whole.unfinished);
    for (int n = 1; n < (int)whole.n_tokens; n++) {
        struct engine_request again = req;
        again.max_tokens = n;
        ask(e, &again, &cut);
        assert_true(cut.unfinished && cut.stop == ENGINE_STOP_LENGTH);
        if (strstr(cut.text[ENGINE_ANSWER], "\xef\xbf\xbd"))
            continue; /* in the middle of a character, which is told as no character */
        const struct engine_partial partial = {.answer = cut.text[ENGINE_ANSWER],
                                               .answer_len = strlen(cut.text[ENGINE_ANSWER]),
                                               .tokens = cut.tokens,
                                               .n_tokens = cut.n_tokens};
        again.max_tokens = 300;
        again.partial = &partial;
        ask(e, &again, &rest);
        assert_false(rest.unfinished);
        assert_memory_equal(whole.text[ENGINE_ANSWER], partial.answer, partial.answer_len);
        assert_string_equal(whole.text[ENGINE_ANSWER] + partial.answer_len,
                            rest.text[ENGINE_ANSWER]);
    }
    const struct engine_partial wrong = {.answer = "Well", .answer_len = 4};
    req.partial = &wrong;
    ask(e, &req, &rest);
    assert_int_equal(rest.stop, ENGINE_STOP_ERROR);
    assert_true(rest.unfinished);
    engine_close(e);
    tiny_model_remove(&m);
}

/* Cancelled, abandoned, refused: nothing is left behind. */
static void ends_in_every_phase(void **state)
{
    static struct answer a[6];
    (void)state;
    struct tiny_model m;
    char err[256];
    uint64_t id;
    tiny_model_write(&m, &(struct tiny_model_options){.architecture = "qwen2"});
    struct engine *e = open_model(m.path, 2);
    for (int i = 0; i < 6; i++) {
        struct engine_request req = request_of(i % 2 ? person : "{\"type\": \"array\"}", 1);
        req.max_tokens = 0;
        submit(e, &req, &a[i]);
    }
    for (int i = 0; i < 3; i++)
        engine_cancel(e, a[i].id);
    finish(e, a, 3);
    struct engine_request req = request_of("{\"not\": {}}", 1);
    assert_int_equal(engine_submit(e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    assert_string_equal(err, "schema: not: not supported");
    req = request_of(person, 1);
    req.grammar = "root ::= \"a\"";
    assert_int_equal(engine_submit(e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    req.grammar = NULL;
    req.messages = "[";
    assert_int_equal(engine_submit(e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    engine_close(e);
    tiny_model_remove(&m);
}

/* More forms than are kept, in turn and at once. */
static void many_forms_at_a_time(void **state)
{
    static struct answer a[12];
    char grammar[12][64], text[16];
    (void)state;
    struct tiny_model m;
    tiny_model_write(&m, &(struct tiny_model_options){.architecture = "llama"});
    struct engine *e = open_model(m.path, 4);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 12; i++) {
            snprintf(grammar[i], sizeof grammar[i], "root ::= \"<%d>\" | \"<%d>!\"", i, i);
            struct engine_request req = request_of(NULL, (uint64_t)i);
            req.grammar = grammar[i];
            submit(e, &req, &a[i]);
        }
        finish(e, a, 12);
        for (int i = 0; i < 12; i++) {
            snprintf(text, sizeof text, "<%d>", i);
            assert_int_equal(strncmp(a[i].text[ENGINE_ANSWER], text, strlen(text)), 0);
        }
    }
    engine_close(e);
    tiny_model_remove(&m);
}

/* Calls are told apart from text, and read. */
static void calls_are_read(void **state)
{
    static const char *const demos[] = {"app/demo/demo-deepseek.gguf", "app/demo/demo-llama.gguf"};
    static struct answer a;
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct engine *e = open_model(demos[k], 1);
        struct engine_request req = request_of(NULL, 5);
        req.tools = tool;
        req.tool_choice = "required";
        req.max_tokens = 0;
        ask(e, &req, &a);
        assert_string_equal(a.text[ENGINE_ANSWER], "");
        assert_true(strlen(a.text[ENGINE_CALL]) > 20);
        assert_non_null(strstr(a.calls, "\"name\":\"look\",\"arguments\":\"{\\\"at\\\":\\\"s"));
        req.tool_choice = "none";
        req.max_tokens = 20;
        ask(e, &req, &a);
        assert_string_equal(a.text[ENGINE_CALL], "");
        assert_string_equal(a.calls, "");
        assert_false(a.unfinished);
        engine_close(e);
    }
}

int test_constrain(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_takes_the_form), cmocka_unit_test(an_answer_is_gone_on_with),
        cmocka_unit_test(ends_in_every_phase),  cmocka_unit_test(many_forms_at_a_time),
        cmocka_unit_test(calls_are_read),
    };
    return cmocka_run_group_tests_name("constrain", tests, NULL, NULL);
}
