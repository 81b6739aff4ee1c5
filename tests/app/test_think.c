/* test_think.c - how the model thinks, as the user has it; and answers that were interrupted, which
 * go on to what they would have been. */
#include "tests/app/tests.h"

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "app/chat/request.h"
#include "tests/app/talk.h"

static const char question[] = "What is 345 * 27?";

/* The only conversation in the store. */
static void load(struct history *h)
{
    char path[PATH_MAX], err[256];
    sandbox_path(".local/share/duet/chat.db", path, sizeof path);
    if (history_open(h, path, NULL, err, sizeof err) != 0 ||
        history_load(h, 1, err, sizeof err) != 0)
        fail_msg("%s", err);
    assert_int_equal(h->n_turns, 2);
}

/* Without a screen */

static json_t *ask_json(const char *option, const char *value)
{
    struct run r;
    run_duet(&r, NULL, 0, "-m", thinking_model(), "--json", "--temp", "0", question, option, value,
             NULL);
    json_t *answer = json_loads(r.out, 0, NULL);
    if (r.status != 0 || !answer)
        fail_msg("%s", r.err);
    run_done(&r);
    return answer;
}

static size_t thought_length(const json_t *answer)
{
    return json_string_length(json_object_get(answer, "reasoning"));
}

static json_int_t thought_tokens(const json_t *answer)
{
    return json_integer_value(
        json_object_get(json_object_get(answer, "usage"), "reasoning_tokens"));
}

static void options_turn_thinking_on_and_off(void **state)
{
    static const char *const off[][2] = {{"--think=off", NULL},
                                         {"--nothink", NULL},
                                         {"--no-think", NULL},
                                         {"--reasoning-budget", "0"}};
    static const char *const on[] = {"--think", "--think=on", "--think=auto"};
    (void)state;
    for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
        json_t *answer = ask_json(off[i][0], off[i][1]);
        assert_int_equal(thought_length(answer), 0);
        assert_true(json_string_length(json_object_get(answer, "answer")) > 0);
        json_decref(answer);
    }
    for (size_t i = 0; i < sizeof on / sizeof *on; i++) {
        json_t *answer = ask_json(on[i], NULL);
        assert_true(thought_length(answer) > 100);
        json_decref(answer);
    }
    json_t *answer = ask_json("--reasoning-budget", "12");
    assert_in_range(thought_tokens(answer), 13, 14);
    assert_true(json_string_length(json_object_get(answer, "answer")) > 0);
    json_decref(answer);
}

static void wrong_thinking_options_are_refused(void **state)
{
    static const char *const wrong[][2] = {
        {"--think=perhaps", "unknown value"},
        {"--nothink=1", "takes no value"},
        {"--reasoning-budget=-1", "out of range"},
        {"--reasoning=shut", "unknown value"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct run r;
        run_duet(&r, NULL, 0, wrong[i][0], "x", NULL);
        assert_int_equal(r.status, 2);
        assert_error_line(&r);
        assert_contains(r.err, wrong[i][1]);
        run_done(&r);
    }
    struct run r; /* a word behind --think is the prompt's */
    run_duet(&r, NULL, 0, "-m", thinking_model(), "--temp", "0", "--think", "off", "--dry-run",
             NULL);
    assert_int_equal(r.status, 0);
    assert_contains(r.out, "off");
    assert_contains(r.out, "<think>\n");
    run_done(&r);
}

/* On the screen */

static struct term *start(const char *model, const char *option, const char *value)
{
    struct term *t = term_start(24, 80, "-m", model, "--temp", "0", "--ctx", "2048", option, value,
                                NULL);
    term_expect(t, "Ctrl");
    return t;
}

static void thinking_is_switched_on_the_screen(void **state)
{
    (void)state;
    struct term *t = start(thinking_model(), NULL, NULL);
    term_type(t, "\024"); /* Ctrl-T */
    term_expect(t, "no thinking");
    term_type(t, "17 + 25\r");
    term_expect(t, "tokens ·");
    term_lacks(t, "step");
    term_type(t, "\024");
    term_expect(t, "the model thinks before");
    term_type(t, "What is 12 * 12?\r");
    term_expect(t, "step");
    term_type(t, "/nothink\r");
    term_expect(t, "no thinking");
    term_type(t, "/think 8\r");
    term_expect(t, "thinks 8 tokens at most");
    term_type(t, "What is 35 * 45?\r");
    term_expect(t, "1 step · 10 tokens"); /* of reasoning: a new line and the tag end it */
    term_type(t, "/think perhaps\r");
    term_expect(t, "on, off, auto or a number of tokens (got perhaps)");
    term_type(t, "/think auto\r");
    term_expect(t, "the model thinks before");
    term_leave(t);
    t = start(some_model(), NULL, NULL);
    term_type(t, "/think on\r");
    term_expect(t, "does not think");
    term_leave(t);
}

static void a_key_ends_the_thinking(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "-m", endless_thinker(), "--temp", "0", "--ctx", "100000",
                                NULL);
    term_expect(t, "Ctrl");
    term_type(t, "\033a"); /* nothing to hurry */
    term_expect(t, "the model is not thinking");
    term_type(t, "What is 345 * 27?\r");
    term_expect(t, "thinking, Alt-a answers now");
    term_type(t, "\033a");
    term_expect(t, "answering, Esc stops");
    term_type(t, "\003");
    term_expect(t, "stopped");
    term_expect(t, "Ctrl-X c or /continue resumes");
    term_leave(t);
}

static void more_thinking_makes_a_second_version(void **state)
{
    (void)state;
    struct term *t = start(thinking_model(), NULL, NULL);
    term_type(t, "/more\r");
    term_expect(t, "there is no answer yet");
    term_type(t, "What is 345 * 27?\r");
    term_expect(t, "→ 9315");
    term_expect(t, "first after");
    term_type(t, "/continue\r");
    term_expect(t, "the answer is complete");
    term_type(t, "\030t"); /* Ctrl-X t */
    term_expect(t, "1 back-track");
    term_lacks(t, "Esc stops"); /* it has ended */
    term_shows(t, "first after");
    term_leave(t);

    /* The first version is still in the store, beside the second. */
    struct history h;
    load(&h);
    const struct turn *turn = h.turns[1];
    assert_non_null(strstr(str_get(&turn->text[STORE_REASONING]), "\n\nWait,"));
    assert_non_null(strstr(turn->generation.settings, "\"continued\":{"));
    assert_non_null(strstr(turn->generation.settings, "\"think\":\"on\""));
    struct store_messages *versions;
    assert_int_equal(store_message_children(h.store, 1, h.turns[0]->saved.id, &versions), STORE_OK);
    assert_int_equal(versions->count, 2);
    assert_null(strstr(versions->items[0].text[STORE_REASONING], "Wait"));
    assert_string_equal(versions->items[0].text[STORE_TEXT], "345 × 27 = 9315.\n\n\\boxed{9315}");
    store_messages_free(versions);
    history_close(&h);
}

static void reasoning_folds_as_asked(void **state)
{
    (void)state;
    struct term *t = start(thinking_model(), "--reasoning", "last");
    term_type(t, "What is 345 * 27?\r");
    term_expect(t, "▾ 9 steps");
    term_expect(t, "│ 345 × 27 = 9315");
    term_lacks(t, "345 × 2:");
    term_leave(t);
    t = start(thinking_model(), "--reasoning", "open");
    term_type(t, "17 + 25\r");
    term_expect(t, "│ 17 + 25");
    term_expect(t, "tokens ·");
    term_shows(t, "│ 17 + 25");
    term_leave(t);
}

/* Going on */

/* Tokens; a second or so, in which there is time to interrupt. */
#ifdef __SANITIZE_ADDRESS__
enum { LONG = 2000 };
#else
enum { LONG = 6000 };
#endif

/* The whole answer as nobody interrupted it. */
static char *whole_answer(const char *model, const char *temp)
{
    struct run r;
    char n[16];
    snprintf(n, sizeof n, "%d", LONG);
    run_duet(&r, NULL, 0, "-m", model, "--no-log", "--temp", temp, "--seed", "11", "--ctx", "20000",
             "-n", n, "--json", "go", NULL);
    json_t *answer = json_loads(r.out, 0, NULL);
    const char *end = json_string_value(json_object_get(answer, "finish_reason"));
    if (!end || strcmp(end, "length") != 0)
        fail_msg("status %d, finish_reason %s: %s", r.status, end ? end : "none", r.err);
    const char *thought = json_string_value(json_object_get(answer, "reasoning"));
    const char *said = json_string_value(json_object_get(answer, "answer"));
    char *whole = malloc(strlen(thought) + strlen(said) + 1);
    strcat(strcpy(whole, thought), said);
    json_decref(answer);
    run_done(&r);
    return whole;
}

/* The answer to it in the store, which is one message. */
static void assert_stored(const char *whole, enum store_state state)
{
    struct history h;
    load(&h);
    const struct turn *turn = h.turns[1];
    assert_int_equal(turn->state, state);
    assert_false(turn->damaged);
    const struct str *thought = &turn->text[STORE_REASONING], *said = &turn->text[STORE_TEXT];
    if (state == STORE_COMPLETE) {
        assert_int_equal(strlen(whole), thought->len + said->len);
        assert_int_equal(
            strtol(strstr(turn->generation.settings, "\"max_tokens\":") + 13, NULL, 10), LONG);
        assert_true(turn->generation.completion_tokens < LONG); /* of its own run */
    }
    assert_memory_equal(whole, str_get(thought), thought->len);
    assert_memory_equal(whole + thought->len, str_get(said), said->len);
    struct store_messages *versions;
    assert_int_equal(store_message_children(h.store, 1, h.turns[0]->saved.id, &versions), STORE_OK);
    assert_int_equal(versions->count, 1);
    store_messages_free(versions);
    history_close(&h);
}

/* Waits until some of the answer is in the store. */
static void wait_for_stored(struct term *t)
{
    for (int i = 0; i < 3000; i++) {
        struct history h;
        load(&h);
        size_t len = h.turns[1]->text[STORE_REASONING].len + h.turns[1]->text[STORE_TEXT].len;
        history_close(&h);
        if (len > 0)
            return;
        term_read(t, 20);
    }
    fail_msg("nothing is stored of: %s", term_screen(t));
}

static struct term *start_long(const char *model, const char *temp, const char *option)
{
    char n[16];
    snprintf(n, sizeof n, "%d", LONG);
    struct term *t = term_start(24, 80, "-m", model, "--temp", temp, "--seed", "11", "--ctx",
                                "20000", "-n", n, option, NULL);
    term_expect(t, option ? "Ctrl-D leaves" : "Ctrl");
    return t;
}

/* Started anew, without any of the settings: the answer has its own. */
static struct term *start_again(const char *model, const char *option)
{
    struct term *t = term_start(24, 80, "-m", model, "--ctx", "20000", option, NULL);
    term_expect(t, option ? "The answer to “go” was interrupted" : "interrupted: go");
    return t;
}

static void go_on(struct term *t, const char *key)
{
    term_type(t, key);
    term_expect(t, "cut at the length limit");
}

/* Only its name is known, so what to do is said. */
static void a_model_given_as_a_file_is_asked_for(void **state)
{
    struct talk p;
    char line[600];
    (void)state;
    talk_open(&p, NULL);
    talk_use(&p, endless_model());
    p.options.max_tokens = 4;
    talk_ask(&p, question);
    snprintf(line, sizeof line, "/model %s", p.chat.model->file.path);
    talk_use(&p, some_model());
    talk_refused(&p, "/continue", "endless began this answer and is not installed; /model FILE");
    talk_run(&p, line);
    talk_run(&p, "/continue");
    assert_string_equal(talk_last(&p)->generation.model, "endless");
    assert_string_equal(talk_last(&p)->generation.stop_reason, "length");
    assert_true(talk_last(&p)->text[STORE_TEXT].len > 0);
    talk_close(&p);
}

static void continuing_keeps_the_size_of_the_reasoning(void **state)
{
    struct talk p;
    (void)state;
    talk_open(&p, NULL);
    talk_use(&p, thinking_model());
    talk_ask(&p, question);
    int64_t tokens = talk_last(&p)->generation.reasoning_tokens;
    p.options.max_tokens = tokens + 3;
    talk_run(&p, "/regen");
    assert_string_equal(talk_last(&p)->generation.stop_reason, "length");
    struct request_thought before = request_thought(talk_last(&p)->generation.settings);
    p.options.max_tokens = 0;
    talk_run(&p, "/continue");
    const struct turn *turn = talk_last(&p);
    assert_string_equal(turn->generation.stop_reason, "stop");
    struct request_thought after = request_thought(turn->generation.settings);
    assert_int_equal(after.continued_tokens + turn->generation.reasoning_tokens, tokens);
    assert_true(before.ms > 0);
    assert_int_equal(after.ms, before.ms);

    /* And continuing twice, from within the reasoning. */
    p.options.max_tokens = tokens / 3;
    talk_run(&p, "/regen");
    talk_run(&p, "/continue");
    assert_string_equal(talk_last(&p)->generation.stop_reason, "length");
    p.options.max_tokens = 0;
    talk_run(&p, "/continue");
    turn = talk_last(&p);
    assert_string_equal(turn->generation.stop_reason, "stop");
    after = request_thought(turn->generation.settings);
    assert_int_equal(after.continued_tokens + turn->generation.reasoning_tokens, tokens);
    talk_close(&p);
}

/* Continuing is not offered then. */
static void a_full_context_is_said(void **state)
{
    struct run r;
    (void)state;
    struct term *t = term_start(24, 80, "-m", thinking_model(), "--ctx", "40", NULL);
    term_expect(t, "Ctrl");
    term_type(t, "What is 345 * 27?\r");
    term_expect(t, "the context is full \u00b7 "); /* first: numbers give way where it is narrow */
    term_expect(t, "the context of 40 tokens is full; a larger --ctx makes room");
    term_lacks(t, "resumes it");
    term_type(t, "/continue\r");
    term_expect(t, "\u25a0 the context of 40 tokens is full; a larger --ctx makes room");
    term_free(t);
    run_duet(&r, NULL, 0, "-m", thinking_model(), "--ctx", "40", "-q", question, NULL);
    assert_int_equal(r.status, 9);
    assert_contains(r.err, ": context: no answer yet (got ");
    run_done(&r);
}

static void a_killed_answer_goes_on_to_the_same_end(void **state)
{
    (void)state;
    const char *model = endless_model();
    char *whole = whole_answer(model, "0");
    struct term *t = start_long(model, "0", NULL);
    term_type(t, "go\r");
    term_expect(t, "answering");
    wait_for_stored(t);
    term_signal(t, SIGKILL);
    assert_int_equal(term_end(t), -SIGKILL);
    term_free(t);
    assert_stored(whole, STORE_INTERRUPTED);
    t = start_again(model, NULL);
    go_on(t, "\030c"); /* Ctrl-X c */
    term_leave(t);
    assert_stored(whole, STORE_COMPLETE);
    free(whole);
}

/* Twice, while it thinks. Sampled, not greedy. */
static void a_hung_up_answer_goes_on_to_the_same_end(void **state)
{
    (void)state;
    const char *model = endless_thinker();
    char *whole = whole_answer(model, "0.8");
    struct term *t = start_long(model, "0.8", NULL);
    for (int times = 0; times < 2; times++) {
        term_type(t, times == 0 ? "go\r" : "/continue\r");
        term_expect(t, "thinking, Alt-a");
        term_expect(t, "tok/s"); /* some of it is there */
        term_hang_up(t);
        assert_int_equal(term_end(t), 128 + SIGHUP);
        term_free(t);
        assert_stored(whole, STORE_INTERRUPTED);
        t = start_again(model, NULL);
    }
    go_on(t, "/continue\r");
    term_leave(t);
    assert_stored(whole, STORE_COMPLETE);
    free(whole);
}

static void line_mode_goes_on_to_the_same_end(void **state)
{
    (void)state;
    const char *model = endless_model();
    char *whole = whole_answer(model, "0");
    struct term *t = start_long(model, "0", "--plain");
    term_type(t, "go\r");
    term_expect_bytes(t, "demo model");
    term_signal(t, SIGHUP);
    assert_int_equal(term_end(t), 128 + SIGHUP);
    term_free(t);
    assert_stored(whole, STORE_INTERRUPTED);
    t = start_again(model, "--plain");
    term_expect(t, "> ");
    go_on(t, "/continue\r");
    term_leave(t);
    assert_stored(whole, STORE_COMPLETE);
    free(whole);
}

/* So does one that was cut at its length limit. Neither is offered at the next start. */
static void a_stopped_answer_continues(void **state)
{
    (void)state;
    const char *model = endless_model();
    char *whole = whole_answer(model, "0");
    struct term *t = start_long(model, "0", NULL);
    term_type(t, "go\r");
    term_expect(t, "tok/s");
    term_type(t, "\003");
    term_expect(t, "stopped");
    term_leave(t);
    assert_stored(whole, STORE_STOPPED);
    t = term_start(24, 80, "-m", model, "--ctx", "20000", "-c", "-n", "20", NULL);
    term_expect(t, "stopped");
    term_lacks(t, "interrupted");
    go_on(t, "/continue\r");
    assert_stored(whole, STORE_COMPLETE);
    term_type(t, "/continue\r"); /* by the length that holds now */
    term_expect(t, "20 tokens ·");
    term_leave(t);
    free(whole);
}

static void an_offer_declined_is_not_made_again(void **state)
{
    (void)state;
    const char *model = endless_model();
    struct term *t = start_long(model, "0", NULL);
    term_type(t, "go\r");
    term_expect(t, "answering");
    term_signal(t, SIGTERM);
    assert_int_equal(term_end(t), 128 + SIGTERM);
    term_free(t);
    t = start_again(model, NULL); /* offered as often as it is overlooked */
    term_leave(t);
    t = start_again(model, NULL);
    term_type(t, "\033");
    term_expect(t, "left unchanged");
    term_leave(t);
    t = term_start(24, 80, "-m", model, "--ctx", "20000", NULL);
    term_expect(t, "Ctrl");
    term_type(t, "\030c"); /* there would be something to continue */
    term_expect(t, "there is no answer yet");
    term_lacks(t, "interrupted");
    term_leave(t);
}

static void an_answer_written_elsewhere_cannot_be_continued(void **state)
{
    (void)state;
    const char *model = endless_model();
    struct term *a = term_start_answer();
    struct term *b = term_start(24, 80, "-m", model, "-c", NULL);
    term_expect(b, "still being written elsewhere");
    term_lacks(b, "interrupted");
    term_type(b, "/continue\r");
    term_expect(b, "the answer is being written elsewhere");
    term_free(b);
    term_free(a);
}

/* The time too. */
static void a_header_is_the_same_when_opened_again(void **state)
{
    char before[200] = "";
    (void)state;
    setenv("M", endless_model(), 1);
    struct term *t = term_start(24, 80, "-m", "demo-deepseek", "--temp", "0", NULL);
    term_expect(t, "Ctrl");
    term_type(t, "What is 3471 + 2692?\r");
    term_expect(t, "tokens/s");
    const char *screen = term_screen(t), *at = strstr(screen, "\xe2\x96\xb8 ");
    assert_non_null(at);
    snprintf(before, sizeof before, "%.*s", (int)strcspn(at, "\n"), at);
    term_leave(t);
    t = term_start(24, 80, "-c", "-m", "demo-deepseek", NULL);
    term_expect(t, before);
    term_leave(t);

    struct run r;
    run_shell(&r, "$DUET export 1 --format json");
    assert_contains(r.out, "\"reasoning_ms\": ");
    run_done(&r);
}

int test_think(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_turn_thinking_on_and_off),
        TEST(wrong_thinking_options_are_refused),
        TEST(thinking_is_switched_on_the_screen),
        TEST(a_key_ends_the_thinking),
        TEST(more_thinking_makes_a_second_version),
        TEST(reasoning_folds_as_asked),
        TEST(a_killed_answer_goes_on_to_the_same_end),
        TEST(a_hung_up_answer_goes_on_to_the_same_end),
        TEST(line_mode_goes_on_to_the_same_end),
        TEST(a_stopped_answer_continues),
        TEST(an_offer_declined_is_not_made_again),
        TEST(an_answer_written_elsewhere_cannot_be_continued),
        TEST(a_header_is_the_same_when_opened_again),
        TEST(a_model_given_as_a_file_is_asked_for),
        TEST(continuing_keeps_the_size_of_the_reasoning),
        TEST(a_full_context_is_said),
    };
    return cmocka_run_group_tests_name("think", tests, NULL, NULL);
}
