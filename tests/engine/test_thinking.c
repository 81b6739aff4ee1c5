/* test_thinking.c - reasoning that is closed from outside, and answers that are continued: on the
 * demo models, and on random ones, whose tokens are not those that their text is split into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/batch.h"
#include "engine/engine.h"
#include "tests/engine/answers.h"
#include "tests/engine/reply.h"
#include "tests/engine/tests.h"
#include "tests/engine/tiny_model.h"

static const char demo[] = "app/demo/demo-deepseek.gguf", demo_llama[] = "app/demo/demo-llama.gguf";
static const char product[] = "[{\"role\": \"user\", \"content\": \"What is 345 * 27?\"}]";
static const char eggs[] =
    "[{\"role\": \"user\", \"content\": \"A box holds 12 eggs. How many eggs are in 7 boxes?\"}]";

static const struct engine_sampling greedy = {.top_p = 1, .repeat_penalty = 1};
static const struct engine_sampling warm = {
    .temperature = 0.9f, .top_p = 0.95f, .repeat_penalty = 1.1f, .seed = 7};

static struct engine_partial partial_of(const struct reply *a, bool tokens)
{
    return (struct engine_partial){
        .reasoning = a->text[ENGINE_REASONING],
        .answer = a->text[ENGINE_ANSWER],
        .reasoning_len = strlen(a->text[ENGINE_REASONING]),
        .answer_len = strlen(a->text[ENGINE_ANSWER]),
        .tokens = tokens ? a->tokens : NULL,
        .n_tokens = tokens ? a->n_tokens : 0,
    };
}

/* What both say, one after the other. */
static void assert_joined(const struct reply *whole, const struct reply *a, const struct reply *b)
{
    for (int kind = 0; kind < 2; kind++) {
        size_t n = strlen(a->text[kind]);
        assert_memory_equal(whole->text[kind], a->text[kind], n);
        assert_string_equal(whole->text[kind] + n, b->text[kind]);
    }
}

static void every_token_is_told(void **state)
{
    (void)state;
    struct engine *e = answers_open(demo, 1, 0);
    static struct reply a;
    struct engine_request req = {.messages = product, .sampling = greedy};
    reply_get(e, &req, &a);
    assert_int_equal(a.stop, ENGINE_STOP_END);
    assert_int_equal(a.n_tokens + 1, a.usage.completion_tokens); /* the end is none of the answer */
    char *bytes;
    size_t len;
    assert_int_equal(engine_detokenize(e, a.tokens, a.n_tokens, &bytes, &len), 0);
    char whole[2 * REPLY_TEXT + 32];
    snprintf(whole, sizeof whole, "%s</think>\n\n%s", a.text[ENGINE_REASONING],
             a.text[ENGINE_ANSWER]);
    assert_string_equal(bytes, whole);
    free(bytes);
    engine_close(e);
}

/* Wherever it was cut, the answer becomes what it would have been. */
static void assert_goes_on(const char *path, const char *messages,
                           const struct engine_sampling *sampling, bool tokens)
{
    struct engine *e = answers_open(path, 1, 0);
    static struct reply whole, a, b;
    struct engine_request req = {.messages = messages, .sampling = *sampling, .max_tokens = 120};
    reply_get(e, &req, &whole);
    int n = whole.usage.completion_tokens;
    assert_true(n > 3);
    for (int cut = 1; cut < n; cut += 1 + cut / 6) {
        req.max_tokens = cut;
        req.partial = NULL;
        reply_get(e, &req, &a);
        assert_int_equal(a.stop, ENGINE_STOP_LENGTH);
        assert_int_equal(a.n_tokens, cut);
        const struct engine_partial partial = partial_of(&a, tokens);
        req.partial = &partial;
        req.max_tokens = 120 - cut;
        reply_get(e, &req, &b);
        assert_joined(&whole, &a, &b);
        assert_int_equal(b.stop, whole.stop);
        if (!tokens)
            continue;
        assert_int_equal(b.usage.partial_tokens, cut);
        assert_int_equal(b.usage.partial_reasoning_tokens, a.usage.reasoning_tokens);
        assert_int_equal(b.usage.prompt_tokens, a.usage.prompt_tokens + cut);
        assert_int_equal(b.usage.completion_tokens, n - cut);
        assert_int_equal(a.usage.reasoning_tokens + b.usage.reasoning_tokens,
                         whole.usage.reasoning_tokens);
        assert_true(b.usage.cached_tokens >=
                    (b.usage.prompt_tokens - 1) / KV_BLOCK * KV_BLOCK); /* nothing twice */
    }
    engine_close(e);
}

static void answers_go_on_where_they_were_cut(void **state)
{
    (void)state;
    assert_goes_on(demo, product, &greedy, true);
    assert_goes_on(demo, product, &warm, true);
    assert_goes_on(demo_llama, product, &greedy, true);
    assert_goes_on(demo_llama, product, &warm, true);
}

/* A model that has learnt to write writes the tokens that its text is split into. */
static void text_alone_is_enough_for_a_trained_model(void **state)
{
    (void)state;
    assert_goes_on(demo, product, &greedy, false);
    assert_goes_on(demo, eggs, &greedy, false);
    assert_goes_on(demo_llama, product, &greedy, false);
}

/* Its tokens are noise: cut characters, blanks behind tags, a text that splits otherwise. */
static void only_tokens_are_exact(void **state)
{
    static const char *const architectures[] = {"qwen2", "llama"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct tiny_model model;
        tiny_model_write(&model, &(struct tiny_model_options){.architecture = architectures[i]});
        struct engine *e = answers_open(model.path, 1, 0);
        static struct reply whole, a, b;
        struct engine_request req = {.messages = product, .sampling = warm, .max_tokens = 60};
        reply_get(e, &req, &whole);
        for (int cut = 1; cut < whole.usage.completion_tokens; cut += 3) {
            req.max_tokens = cut;
            req.partial = NULL;
            reply_submit(e, &req, &a);
            const struct engine_event *ev;
            /* As after a crash: without what the end gives of a character that is not whole. */
            while ((ev = engine_next_event(e, 20000)) && ev->type != ENGINE_DONE)
                if (ev->request == a.id && a.usage.completion_tokens < cut)
                    reply_take(&a, ev);
            const struct engine_partial partial = partial_of(&a, true);
            req.partial = &partial;
            req.max_tokens = 60 - (int)a.n_tokens;
            reply_get(e, &req, &b);
            if (b.usage.partial_tokens == (int)a.n_tokens)
                assert_joined(&whole, &a, &b);
        }
        engine_close(e);
        tiny_model_remove(&model);
    }
}

static void edited_text_wins_over_tokens(void **state)
{
    (void)state;
    struct engine *e = answers_open(demo, 1, 0);
    static struct reply a, b;
    struct engine_request req = {.messages = product, .sampling = greedy, .max_tokens = 20};
    reply_get(e, &req, &a);
    struct engine_partial partial = partial_of(&a, true);
    char edited[REPLY_TEXT];
    snprintf(edited, sizeof edited, "%.10s999", a.text[ENGINE_REASONING]);
    partial.reasoning = edited;
    partial.reasoning_len = strlen(edited);
    req.partial = &partial;
    reply_get(e, &req, &b);
    assert_true(b.usage.partial_tokens > 3 && b.usage.partial_tokens < 20);
    assert_int_equal(b.usage.partial_reasoning_tokens, b.usage.partial_tokens);

    /* Tokens that nobody can have sampled are none. */
    const int32_t hostile[] = {-1, 1 << 30, 634};
    partial.tokens = hostile;
    for (int i = 0; i < 3; i++, partial.tokens++) {
        partial.n_tokens = 1;
        reply_get(e, &req, &b);
        assert_true(b.usage.partial_tokens > 3);
    }
    engine_close(e);
}

static void reasoning_opens_again(void **state)
{
    (void)state;
    struct engine *e = answers_open(demo, 1, 0);
    static struct reply a, b;
    struct engine_request req = {.messages = product, .sampling = greedy};
    reply_get(e, &req, &a);
    struct engine_partial partial = partial_of(&a, true);
    char more[REPLY_TEXT + 16];
    snprintf(more, sizeof more, "%s\n\nWait,", a.text[ENGINE_REASONING]);
    partial.reasoning = more;
    partial.reasoning_len = strlen(more);
    partial.answer_len = 0;
    partial.state = ENGINE_PARTIAL_OPEN;
    req.partial = &partial;
    req.max_tokens = 200;
    reply_get(e, &req, &b);
    assert_true(b.usage.partial_tokens > a.usage.reasoning_tokens);
    assert_int_equal(b.usage.partial_tokens, b.usage.partial_reasoning_tokens);
    assert_true(b.usage.reasoning_tokens > 0); /* it thinks */

    partial.state = ENGINE_PARTIAL_CLOSED; /* or answers at once */
    partial.reasoning_len -= strlen("\n\nWait,");
    reply_get(e, &req, &b);
    assert_string_equal(b.text[ENGINE_REASONING], "");
    assert_string_equal(b.text[ENGINE_ANSWER], a.text[ENGINE_ANSWER]);
    engine_close(e);
}

static void no_thinking(void **state)
{
    (void)state;
    struct engine *e = answers_open(demo, 1, 0);
    static struct reply a;
    struct engine_request req = {.messages = eggs, .sampling = greedy, .think = ENGINE_THINK_OFF};
    reply_get(e, &req, &a);
    assert_string_equal(a.text[ENGINE_REASONING], "");
    assert_true(strlen(a.text[ENGINE_ANSWER]) > 0);
    assert_int_equal(a.usage.reasoning_tokens, 0);
    engine_close(e);
    assert_goes_on(demo_llama, eggs, &greedy, true);
}

static void a_budget_closes_the_reasoning(void **state)
{
    (void)state;
    struct engine *e = answers_open(demo, 1, 0);
    static struct reply whole, a, again, rest;
    struct engine_request req = {.messages = product, .sampling = warm};
    reply_get(e, &req, &whole);
    for (int budget = 1; budget < 30; budget += 7) {
        req.reasoning_budget = budget;
        req.partial = NULL;
        req.max_tokens = 0;
        reply_get(e, &req, &a);
        reply_get(e, &req, &again);
        assert_string_equal(a.text[ENGINE_ANSWER], again.text[ENGINE_ANSWER]);
        assert_in_range(a.usage.reasoning_tokens, budget + 1, budget + 2); /* a new line, the tag */
        size_t n = strlen(a.text[ENGINE_REASONING]);
        assert_true(n > 0 && a.text[ENGINE_REASONING][n - 1] == '\n');
        n -= whole.text[ENGINE_REASONING][n - 1] != '\n';
        assert_memory_equal(a.text[ENGINE_REASONING], whole.text[ENGINE_REASONING], n);
        assert_true(strlen(a.text[ENGINE_ANSWER]) > 0);

        /* Continued from before, in and behind what was closed. */
        for (int cut = budget - 1; cut < budget + 6; cut++) {
            req.max_tokens = cut;
            req.partial = NULL;
            if (cut < 1)
                continue;
            reply_get(e, &req, &again);
            const struct engine_partial partial = partial_of(&again, true);
            req.partial = &partial;
            req.max_tokens = 0;
            reply_get(e, &req, &rest);
            assert_joined(&a, &again, &rest);
        }
    }
    req = (struct engine_request){.messages = product, .sampling = warm, .reasoning_budget = 5000};
    reply_get(e, &req, &a);
    assert_string_equal(a.text[ENGINE_ANSWER], whole.text[ENGINE_ANSWER]);
    engine_close(e);

    e = answers_open(demo_llama, 1, 0); /* without effect */
    req.reasoning_budget = 1;
    reply_get(e, &req, &a);
    assert_int_equal(a.usage.reasoning_tokens, 0);
    engine_close(e);
}

static void answer_now_closes_the_reasoning(void **state)
{
    (void)state;
    struct engine *e = answers_open(demo, 1, 0);
    static struct reply first, a, plain;
    struct engine_request req = {.messages = product, .sampling = greedy};
    reply_get(e, &req, &plain);
    engine_answer_now(e, 0); /* nobody */
    engine_answer_now(e, plain.id);
    reply_submit(e, &req, &first); /* the only place is taken, */
    reply_submit(e, &req, &a);     /* so this one has not begun */
    engine_answer_now(e, a.id);
    reply_finish(e, &first, 1);
    reply_finish(e, &a, 1);
    assert_string_equal(first.text[ENGINE_REASONING], plain.text[ENGINE_REASONING]);
    assert_string_equal(a.text[ENGINE_REASONING], "");
    assert_true(strlen(a.text[ENGINE_ANSWER]) > 0);
    assert_int_equal(a.stop, ENGINE_STOP_END);
    engine_close(e);
}

/* The part that is there counts towards the form of the whole. */
static void a_form_goes_on(void **state)
{
    (void)state;
    struct engine *e = answers_open(demo_llama, 1, 0);
    static struct reply whole, a, b;
    struct engine_request req = {
        .messages = product,
        .sampling = greedy,
        .max_tokens = 200,
        .schema = "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":"
                  "\"integer\",\"maximum\":99999},\"b\":{\"type\":\"string\","
                  "\"maxLength\":9}},\"required\":[\"a\",\"b\"]}"};
    reply_get(e, &req, &whole);
    assert_int_equal(whole.stop, ENGINE_STOP_END);
    for (int cut = 1; cut < (int)whole.n_tokens; cut++) {
        req.max_tokens = cut;
        req.partial = NULL;
        reply_get(e, &req, &a);
        if (strstr(a.text[ENGINE_ANSWER], "\uFFFD"))
            continue; /* cut inside a character, which the whole has not got */
        const struct engine_partial partial = partial_of(&a, true);
        req.partial = &partial;
        req.max_tokens = 200;
        reply_get(e, &req, &b);
        assert_joined(&whole, &a, &b);
    }
    engine_close(e);
}

static void wrong_budgets_are_refused(void **state)
{
    (void)state;
    struct engine *e = answers_open(demo, 1, 0);
    struct engine_request req = {.messages = product, .sampling = greedy, .reasoning_budget = -1};
    uint64_t id;
    char err[256];
    assert_int_equal(engine_submit(e, &req, &id, err, sizeof err), ENGINE_EINPUT);
    assert_non_null(strstr(err, "reasoning_budget"));
    req.reasoning_budget = 0;
    char *long_text = malloc(100000);
    memset(long_text, 'x', 100000);
    req.partial = &(struct engine_partial){.reasoning = long_text, .reasoning_len = 100000};
    assert_int_equal(engine_submit(e, &req, &id, err, sizeof err), ENGINE_EFIT);
    free(long_text);
    engine_close(e);
}

int test_thinking(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_token_is_told),
        cmocka_unit_test(answers_go_on_where_they_were_cut),
        cmocka_unit_test(text_alone_is_enough_for_a_trained_model),
        cmocka_unit_test(only_tokens_are_exact),
        cmocka_unit_test(edited_text_wins_over_tokens),
        cmocka_unit_test(reasoning_opens_again),
        cmocka_unit_test(no_thinking),
        cmocka_unit_test(a_budget_closes_the_reasoning),
        cmocka_unit_test(answer_now_closes_the_reasoning),
        cmocka_unit_test(a_form_goes_on),
        cmocka_unit_test(wrong_budgets_are_refused),
    };
    return cmocka_run_group_tests_name("thinking", tests, NULL, NULL);
}
