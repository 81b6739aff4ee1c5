/* test_sums.c - the whole program, once for each way to use it: the demo models are asked, and what
 * they say is checked. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static void assert_says(const char *line, const char *answer)
{
    struct run r;
    run_shell(&r, line);
    if (r.status != 0)
        fail_msg("%s: exit %d: %s", line, r.status, r.err);
    assert_contains(r.out, answer);
    run_done(&r);
}

static void a_sum_as_an_argument(void **state)
{
    (void)state;
    assert_says("$DUET --temp 0 'What is 15% of 240?'", "\\boxed{36}");
    assert_says("$DUET --temp 0 -m demo-llama '17 + 25'", "42");
}

static void a_sum_from_a_pipe(void **state)
{
    (void)state;
    assert_says("echo '17 + 25' | $DUET --temp 0", "\\boxed{42}");
}

static void a_sum_that_goes_on(void **state)
{
    (void)state;
    assert_says("$DUET --temp 0 '17 + 25' >/dev/null; $DUET -c --temp 0 'now double it'",
                "\\boxed{84}");
}

static void another_model_goes_on(void **state)
{
    (void)state;
    assert_says(
        "$DUET --temp 0 '17 + 25' >/dev/null; $DUET -c -m demo-llama --temp 0 'now double it'",
        "84");
}

static void reasoning_and_answer_are_apart(void **state)
{
    struct run r;
    (void)state;
    run_shell(&r, "$DUET --temp 0 --json '345 + 678' 2>/dev/null");
    json_t *object = json_loads(r.out, 0, NULL);
    assert_contains(json_string_value(json_object_get(object, "answer")), "\\boxed{1023}");
    assert_true(json_string_length(json_object_get(object, "reasoning")) > 10);
    assert_string_equal(json_string_value(json_object_get(object, "finish_reason")), "stop");
    run_done(&r);
    run_shell(&r, "$DUET --temp 0 '345 + 678'");
    assert_null(strstr(r.out, "think"));
    assert_contains(r.err, json_string_value(json_object_get(object, "reasoning")));
    json_decref(object);
    run_done(&r);
    run_shell(&r, "$DUET --temp 0 -q -R '345 + 678'");
    assert_string_equal(r.err, "");
    run_done(&r);
}

static void the_demo_model_says_what_it_is(void **state)
{
    struct run r;
    (void)state;
    run_shell(&r, "$DUET -R '17 + 25' >/dev/null");
    assert_error_line(&r);
    assert_contains(r.err, "demo-deepseek is a small demo model");
    run_done(&r);
}

static void a_sum_on_the_screen(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "--temp", "0", NULL);
    term_expect(t, "demo-deepseek");
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "│ 42 │");
    term_type(t, "now double it\r");
    term_expect(t, "│ 84 │");
    term_type(t, "/model demo-llama\r");
    term_expect(t, "demo-llama answers from here on");
    term_type(t, "12 + 30\r");
    term_expect(t, "demo-llama");
    term_leave(t);
}

static void a_sum_in_line_mode(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "--plain", "--temp", "0", NULL);
    term_expect(t, "> ");
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "thinking: ");
    term_expect(t, "answer: ");
    term_expect(t, "boxed 42");
    term_leave(t);
}

int test_sums(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sum_as_an_argument),
        TEST(a_sum_from_a_pipe),
        TEST(a_sum_that_goes_on),
        TEST(another_model_goes_on),
        TEST(reasoning_and_answer_are_apart),
        TEST(the_demo_model_says_what_it_is),
        TEST(a_sum_on_the_screen),
        TEST(a_sum_in_line_mode),
    };
    return cmocka_run_group_tests_name("sums", tests, NULL, NULL);
}
