/* test_constrain.c - answers that must have a form, through the engine's door: together and alone,
 * interrupted, continued, cut short. */
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
#include "tests/engine/answers.h"
#include "tests/engine/reply.h"
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

/* Of random models, whose answers are noise: in company they say what they say alone. */
static void noise_takes_the_form(void **state)
{
    static struct reply alone[8], together[8];
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct tiny_model m;
        tiny_model_write(&m, &(struct tiny_model_options){.architecture = architectures[k]});
        struct engine *one = answers_open(m.path, 1, 1), *many = answers_open(m.path, 1, 5);
        int whole = 0;
        for (int i = 0; i < 8; i++) {
            struct engine_request req = request_of(person, (uint64_t)i);
            reply_get(one, &req, &alone[i]);
            reply_submit(many, &req, &together[i]);
            assert_int_equal(alone[i].unfinished, alone[i].stop != ENGINE_STOP_END);
            if (!alone[i].unfinished)
                assert_conforms(person, alone[i].text[ENGINE_ANSWER]);
            whole += !alone[i].unfinished;
        }
        reply_finish(many, together, 8);
        for (int i = 0; i < 8; i++)
            assert_string_equal(alone[i].text[ENGINE_ANSWER], together[i].text[ENGINE_ANSWER]);
        assert_true(whole >= 4);
        engine_close(one);
        engine_close(many);
        tiny_model_remove(&m);
    }
}

/* Wherever it was cut, the answer becomes what it would have been. */
static void a_cut_answer_continues_in_its_form(void **state)
{
    static struct reply whole, cut, rest;
    (void)state;
    struct tiny_model m;
    tiny_model_write(&m, &(struct tiny_model_options){.architecture = "llama"});
    struct engine *e = answers_open(m.path, 1, 1);
    struct engine_request req = request_of(person, 3);
    reply_get(e, &req, &whole);
    assert_false(whole.unfinished);
    for (int n = 1; n < (int)whole.n_tokens; n++) {
        struct engine_request again = req;
        again.max_tokens = n;
        reply_get(e, &again, &cut);
        assert_true(cut.unfinished && cut.stop == ENGINE_STOP_LENGTH);
        if (strstr(cut.text[ENGINE_ANSWER], "\xef\xbf\xbd"))
            continue; /* in the middle of a character, which is told as no character */
        const struct engine_partial partial = {.answer = cut.text[ENGINE_ANSWER],
                                               .answer_len = strlen(cut.text[ENGINE_ANSWER]),
                                               .tokens = cut.tokens,
                                               .n_tokens = cut.n_tokens};
        again.max_tokens = 300;
        again.partial = &partial;
        reply_get(e, &again, &rest);
        assert_false(rest.unfinished);
        assert_memory_equal(whole.text[ENGINE_ANSWER], partial.answer, partial.answer_len);
        assert_string_equal(whole.text[ENGINE_ANSWER] + partial.answer_len,
                            rest.text[ENGINE_ANSWER]);
    }
    const struct engine_partial wrong = {.answer = "Well", .answer_len = 4};
    req.partial = &wrong;
    reply_get(e, &req, &rest);
    assert_int_equal(rest.stop, ENGINE_STOP_ERROR);
    assert_true(rest.unfinished);
    engine_close(e);
    tiny_model_remove(&m);
}

/* Cancelled, abandoned, refused. */
static void an_early_end_leaves_nothing_behind(void **state)
{
    static struct reply a[6];
    (void)state;
    struct tiny_model m;
    char err[256];
    uint64_t id;
    tiny_model_write(&m, &(struct tiny_model_options){.architecture = "qwen2"});
    struct engine *e = answers_open(m.path, 1, 2);
    for (int i = 0; i < 6; i++) {
        struct engine_request req = request_of(i % 2 ? person : "{\"type\": \"array\"}", 1);
        req.max_tokens = 0;
        reply_submit(e, &req, &a[i]);
    }
    for (int i = 0; i < 3; i++)
        engine_cancel(e, a[i].id);
    reply_finish(e, a, 3);
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

/* In turn and at once. */
static void more_forms_than_are_kept(void **state)
{
    static struct reply a[12];
    char grammar[12][64], text[16];
    (void)state;
    struct tiny_model m;
    tiny_model_write(&m, &(struct tiny_model_options){.architecture = "llama"});
    struct engine *e = answers_open(m.path, 1, 4);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 12; i++) {
            snprintf(grammar[i], sizeof grammar[i], "root ::= \"<%d>\" | \"<%d>!\"", i, i);
            struct engine_request req = request_of(NULL, (uint64_t)i);
            req.grammar = grammar[i];
            reply_submit(e, &req, &a[i]);
        }
        reply_finish(e, a, 12);
        for (int i = 0; i < 12; i++) {
            snprintf(text, sizeof text, "<%d>", i);
            assert_int_equal(strncmp(a[i].text[ENGINE_ANSWER], text, strlen(text)), 0);
        }
    }
    engine_close(e);
    tiny_model_remove(&m);
}

static void calls_are_told_from_text(void **state)
{
    static const char *const demos[] = {"app/demo/demo-deepseek.gguf", "app/demo/demo-llama.gguf"};
    static struct reply a;
    (void)state;
    for (int k = 0; k < 2; k++) {
        struct engine *e = answers_open(demos[k], 1, 1);
        struct engine_request req = request_of(NULL, 5);
        req.tools = tool;
        req.tool_choice = "required";
        req.max_tokens = 0;
        reply_get(e, &req, &a);
        assert_string_equal(a.text[ENGINE_ANSWER], "");
        assert_true(strlen(a.text[ENGINE_CALL]) > 20);
        assert_non_null(strstr(a.calls, "\"name\":\"look\",\"arguments\":\"{\\\"at\\\":\\\"s"));
        req.tool_choice = "none";
        req.max_tokens = 20;
        reply_get(e, &req, &a);
        assert_string_equal(a.text[ENGINE_CALL], "");
        assert_string_equal(a.calls, "");
        assert_false(a.unfinished);
        engine_close(e);
    }
}

int test_constrain(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_takes_the_form),
        cmocka_unit_test(a_cut_answer_continues_in_its_form),
        cmocka_unit_test(an_early_end_leaves_nothing_behind),
        cmocka_unit_test(more_forms_than_are_kept),
        cmocka_unit_test(calls_are_told_from_text),
    };
    return cmocka_run_group_tests_name("constrain", tests, NULL, NULL);
}
