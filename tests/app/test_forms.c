/* test_forms.c - one answer in the forms that scripts want it in. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "app/grade/boxed.h"

static void ask(struct run *r, const char *arguments, int status)
{
    char line[512];
    snprintf(line, sizeof line, "$DUET -m demo-deepseek -q --temp 0 %s '17 + 25'", arguments);
    run_shell(r, line);
    if (r->status != status)
        fail_msg("%s: exit %d, not %d: %s", line, r->status, status, r->err);
}

static void assert_box(const char *text, const char *box)
{
    const char *found;
    size_t len;
    bool any = boxed_find(text, strlen(text), &found, &len);
    assert_int_equal(any, box != NULL);
    if (box && (len != strlen(box) || memcmp(found, box, len) != 0))
        fail_msg("%s gives %.*s", text, (int)len, found);
}

static void boxes_are_read(void **state)
{
    (void)state;
    assert_box("", NULL);
    assert_box("\\boxed", NULL);
    assert_box("\\boxed{", NULL);
    assert_box("\\boxed{}", "");
    assert_box("a \\boxed{1} b \\boxed{\\frac{1}{2}} c", "\\frac{1}{2}");
    assert_box("\\boxed{\\{1, 2\\}}", "\\{1, 2\\}");
    assert_box("\\boxed{1} then \\boxed{2", "1");
    assert_box("\\boxed{\\boxed{3}}", "3");
    assert_box("\\boxed{a\\", NULL);
}

static void boxed_prints_the_box_alone(void **state)
{
    struct run r;
    (void)state;
    ask(&r, "--boxed -R", 0);
    assert_string_equal(r.out, "42\n");
    assert_string_equal(r.err, "");
    run_done(&r);
    run_shell(&r, "$DUET -m demo-llama -q --boxed '17 + 25'");
    assert_int_equal(r.status, 8);
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, "duet: answer: no \\boxed{} in it\n");
    run_done(&r);
}

static void code_can_be_left_out(void **state)
{
    struct run r;
    (void)state;
    ask(&r, "-x -R", 8);
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, "duet: answer: no code block in it\n");
    run_done(&r);
    ask(&r, "-x --json", 2);
    assert_string_equal(r.err, "duet: --extract: contradicts --json\n");
    run_done(&r);
}

static void streamed_pieces_add_up(void **state)
{
    struct run r;
    char reasoning[4096] = "", answer[4096] = "";
    json_t *line = NULL;
    (void)state;
    ask(&r, "--stream-json", 0);
    assert_string_equal(r.err, "");
    for (char *text = r.out, *end; (end = strchr(text, '\n')); text = end + 1) {
        json_decref(line);
        assert_non_null(line = json_loadb(text, (size_t)(end - text), 0, NULL));
        const char *type = json_string_value(json_object_get(line, "type"));
        if (strcmp(type, "reasoning") == 0)
            strcat(reasoning, json_string_value(json_object_get(line, "text")));
        else if (strcmp(type, "answer") == 0)
            strcat(answer, json_string_value(json_object_get(line, "text")));
        else
            assert_string_equal(type, "done");
    }
    assert_string_equal(json_string_value(json_object_get(line, "type")), "done");
    assert_string_equal(json_string_value(json_object_get(line, "answer")), answer);
    assert_string_equal(json_string_value(json_object_get(line, "reasoning")), reasoning);
    assert_string_equal(json_string_value(json_object_get(line, "finish_reason")), "stop");
    json_decref(line);
    run_done(&r);
}

static void whole_answers_and_counts(void **state)
{
    struct run r;
    (void)state;
    ask(&r, "-S -u -R", 0);
    assert_string_equal(r.out, "17 + 25 = 42.\n\n\\boxed{42}\n");
    assert_int_equal(strncmp(r.err, "prompt_tokens 11, completion_tokens ", 36), 0);
    run_done(&r);
}

static void a_dry_run_keeps_nothing(void **state)
{
    struct run r;
    (void)state;
    run_shell(
        &r, "$DUET -m demo-llama -n 1 -q 'first' >/dev/null; "
            "$DUET -m demo-llama --dry-run -c 'and then?' 2>$HOME/err; cat $HOME/err; "
            "$DUET -m demo-llama --dry-run --json -q hi; $DUET -m demo-llama -c -q --json -n 1 x");
    assert_contains(r.out, "first");
    assert_contains(r.out, "and then?<|eot_id|>");
    assert_contains(r.out, "duet: prompt: ");
    assert_contains(r.out, "\"ids\": [");
    assert_contains(r.out, "\"message\": 4");
    run_done(&r);
}

/* By the option, else by the environment, else it is today. It is kept with the answer. */
static void the_day_in_a_prompt_can_be_chosen(void **state)
{
    struct run r;
    (void)state;
    run_shell(&r, "export DUET_DATE=2024-02-09; ask=\"$DUET -q -m demo-llama hi -n 1\"\n"
                  "$ask --dry-run; $ask --dry-run --date 2024-10-26; $ask --date 2024-10-27\n"
                  "$DUET export 1 --format json");
    assert_contains(r.out, "Today Date: 09 Feb 2024\n");
    assert_contains(r.out, "Today Date: 26 Oct 2024\n");
    assert_contains(r.out, "\"date\": \"27 Oct 2024\"");
    run_done(&r);
    run_shell(&r,
              "unset DUET_DATE; day() { LC_ALL=C date '+Today Date: %d %b %Y'; }; before=$(day)\n"
              "told=$($DUET -q -m demo-llama --dry-run hi | grep Today)\n"
              "[ \"$told\" = \"$before\" ] || [ \"$told\" = \"$(day)\" ]");
    assert_int_equal(r.status, 0);
    run_done(&r);
    run_shell(&r, "DUET_DATE=tomorrow $DUET -q hi");
    assert_int_equal(r.status, 2);
    assert_string_equal(r.err, "duet: DUET_DATE: not a day like 2024-07-26 (got tomorrow)\n");
    run_done(&r);
}

static void a_timeout_keeps_what_there_was(void **state)
{
    struct run r;
    (void)state;
    setenv("M", endless_model(), 1);
    /* Before the shorter ones are over the answer may not have begun. */
    run_shell(
        &r, "cd $HOME; for S in 0.3 1 3 10 30; do "
            "$DUET -q -m $M --ctx 100000 --temp 0 --timeout $S hello >out 2>err; code=$?; "
            "[ -s out ] && break; done; cat out; grep -q \"^duet: --timeout: stopped after $S s\" "
            "err && exit $code");
    assert_int_equal(r.status, 124);
    assert_true(r.out_len > 20); /* what there was of the answer */
    assert_int_equal(r.out[r.out_len - 1], '\n');
    run_done(&r);
    run_shell(&r, "$DUET -q -m $M --ctx 100000 --temp 0 --timeout 0.3 --json hello");
    assert_int_equal(r.status, 124);
    assert_contains(r.out, "\"finish_reason\": \"cancelled\"");
    run_done(&r);
}

int test_forms(void)
{
    const struct CMUnitTest tests[] = {
        TEST(boxes_are_read),
        TEST(boxed_prints_the_box_alone),
        TEST(code_can_be_left_out),
        TEST(streamed_pieces_add_up),
        TEST(whole_answers_and_counts),
        TEST(a_dry_run_keeps_nothing),
        TEST(the_day_in_a_prompt_can_be_chosen),
        TEST(a_timeout_keeps_what_there_was),
    };
    return cmocka_run_group_tests_name("forms", tests, NULL, NULL);
}
