/* test_batch.c - a line of JSON in, a line of JSON out. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

/* The lines of an output as an array; each of them must be an object. */
static json_t *parse(const char *text)
{
    json_t *lines = json_array();
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        json_t *line = json_loadb(text, (size_t)(end - text), 0, NULL);
        if (!json_is_object(line))
            fail_msg("not an object: %.*s", (int)(end - text), text);
        json_array_append_new(lines, line);
    }
    assert_string_equal(text, ""); /* every line has its end */
    return lines;
}

static json_t *batch(const char *arguments, const char *input, int status)
{
    struct run r;
    char line[512];
    char path[4096];

    sandbox_path("in.jsonl", path, sizeof path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(input, f);
    fclose(f);
    setenv("IN", path, 1);
    setenv("M", some_model(), 1);
    snprintf(line, sizeof line, "$DUET batch -m $M %s", arguments);
    run_shell(&r, line);
    if (r.status != status)
        fail_msg("%s: exit %d, not %d: %s", arguments, r.status, status, r.err);
    json_t *lines = parse(r.out);
    run_done(&r);
    return lines;
}

static const char *text_at(json_t *lines, size_t i, const char *key)
{
    return json_string_value(json_object_get(json_array_get(lines, i), key));
}

static const char *error_at(json_t *lines, size_t i)
{
    json_t *error = json_object_get(json_array_get(lines, i), "error");
    return json_string_value(json_object_get(error, "message"));
}

static json_int_t usage_at(json_t *lines, size_t i, const char *key)
{
    json_t *usage = json_object_get(json_array_get(lines, i), "usage");
    return json_integer_value(json_object_get(usage, key));
}

static void every_form_of_a_line_is_read(void **state)
{
    (void)state;
    json_t *out = batch(
        "$IN",
        "\"17 + 25\"\n"
        "\n"
        "{\"id\": \"a\", \"prompt\": \"17 + 25\", \"max_tokens\": 3, \"mine\": [1]}\r\n"
        "{\"id\": 7, \"messages\": [{\"role\": \"user\", \"content\": \"17 + 25\"}]}\n"
        "{\"custom_id\": \"b\", \"method\": \"POST\", \"body\": {\"messages\":"
        " [{\"role\": \"user\", \"content\": \"17 + 25\"}], \"stop\": [\"4\"]}}",
        0);
    assert_int_equal(json_array_size(out), 4);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(out, 0), "id")), 1);
    assert_string_equal(text_at(out, 1, "id"), "a");
    assert_string_equal(text_at(out, 1, "finish_reason"), "length");
    assert_int_equal(usage_at(out, 1, "completion_tokens"), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(out, 2), "line")), 4);
    assert_string_equal(text_at(out, 3, "id"), "b");
    assert_null(strchr(text_at(out, 3, "answer"), '4'));
    json_decref(out);
}

/* What is wrong is said on the line's own answer. */
static void a_bad_line_spoils_no_other(void **state)
{
    static const struct {
        const char *line, *why;
    } rows[] = {
        {"17 + 25?", "not JSON; `jq -R .` makes it of lines of text"},
        {"{17 + 25?", "not JSON: string or '}' expected near '17'"},
        {"[1, 2]", "neither a string nor an object"},
        {"{}", "prompt: missing"},
        {"\"\"", "prompt: empty"},
        {"{\"prompt\": \" \\n\\t\"}", "prompt: empty"},
        {"{\"messages\": [{\"role\": \"user\", \"content\": \"\"}]}",
         "messages: the question at the end is empty"},
        {"{\"prompt\": 4}", "prompt: not a string"},
        {"{\"messages\": []}", "messages: empty"},
        {"{\"prompt\": \"x\", \"messages\": []}", "messages: given beside prompt"},
        {"{\"messages\": 1}", "messages: not an array"},
        {"{\"prompt\": \"x\", \"temprature\": 1}", "did you mean temperature"},
        {"{\"prompt\": \"x\", \"temperature\": -1}", "temperature"},
        {"{\"prompt\": \"x\", \"temperature\": \"hot\"}", "temperature: not a number"},
        {"{\"prompt\": \"x\", \"seed\": -1}", "seed: not a whole number"},
        {"{\"prompt\": \"x\", \"max_tokens\": 1.5}", "max_tokens: not a whole number"},
        {"{\"prompt\": \"x\", \"stop\": 1}", "stop: neither"},
        {"{\"prompt\": \"x\", \"model\": \"gpt\"}", "model: not the one of this batch (got gpt"},
        {"{\"prompt\": \"x\", \"prompt\": \"y\"}", "not JSON: duplicate"},
        {"\"\xff\"", "not JSON"},
        {"{\"messages\": [{\"content\": \"x\"}]}", "role"},
    };
    enum { N = sizeof rows / sizeof *rows };
    char input[4096] = "";
    (void)state;
    for (size_t i = 0; i < N; i++) {
        strcat(input, rows[i].line);
        strcat(input, "\n\"hello\"\n");
    }
    json_t *out = batch("-n 3 $IN", input, 1);
    assert_int_equal(json_array_size(out), 2 * N);
    for (size_t i = 0; i < N; i++) {
        const char *why = error_at(out, 2 * i);
        if (!why || !strstr(why, rows[i].why))
            fail_msg("%s gives: %s", rows[i].line, why);
        assert_non_null(text_at(out, 2 * i + 1, "answer"));
        assert_null(error_at(out, 2 * i + 1));
    }
    json_decref(out);
}

/* Text, seed and counts are the same whether a line is computed alone or among others. */
static void company_changes_nothing(void **state)
{
    char input[4096] = "";
    (void)state;
    for (int i = 0; i < 24; i++) {
        char line[128];
        snprintf(line, sizeof line,
                 "{\"prompt\": \"What is %d times %d?\", \"seed\": %d, \"temperature\": 1}\n",
                 13 + 7 * i, 3 + i, i);
        strcat(input, line);
    }
    json_t *alone = batch("-n 60 --parallel 1 $IN", input, 0);
    json_t *together = batch("-n 60 --parallel 8 <$IN", input, 0);
    assert_int_equal(json_array_size(together), 24);
    for (size_t i = 0; i < 24; i++) {
        assert_string_equal(text_at(alone, i, "answer"), text_at(together, i, "answer"));
        assert_string_equal(text_at(alone, i, "reasoning"), text_at(together, i, "reasoning"));
        assert_int_equal(usage_at(alone, i, "completion_tokens"),
                         usage_at(together, i, "completion_tokens"));
    }
    json_decref(alone);

    json_t *unordered = batch("-n 60 --parallel 8 --unordered $IN", input, 0);
    bool seen[24] = {false};
    for (size_t i = 0; i < 24; i++) {
        json_int_t line = json_integer_value(json_object_get(json_array_get(unordered, i), "line"));
        assert_in_range(line, 1, 24);
        assert_false(seen[line - 1]);
        seen[line - 1] = true;
        assert_string_equal(text_at(unordered, i, "answer"),
                            text_at(together, (size_t)line - 1, "answer"));
    }
    json_decref(unordered);
    json_decref(together);
}

static void a_common_prefix_is_computed_once(void **state)
{
    char input[8192] = "";
    (void)state;
    for (int i = 0; i < 8; i++) {
        char line[128];
        snprintf(line, sizeof line, "{\"prompt\": \"Now: %d + %d\"}\n", i, 2 * i);
        strcat(input, line);
    }
    json_t *out = batch(
        "-n 3 --parallel 8 --system \"$(yes 'Be short, be right.' | head -20)\" $IN", input, 0);
    json_int_t prompt = usage_at(out, 0, "prompt_tokens");
    assert_int_equal(usage_at(out, 0, "cached_tokens"), 0);
    assert_true(prompt > 64);
    for (size_t i = 1; i < 8; i++)
        assert_true(usage_at(out, i, "cached_tokens") >= prompt - 64);
    json_decref(out);
}

/* Lines that failed are tried again. */
static void resume_completes_what_is_missing(void **state)
{
    struct run r;
    (void)state;
    json_decref(
        batch("--resume $HOME/out -n 4 $IN", "\"a\"\n{\"id\": \"x\", \"prompt\": 1}\n\"c\"\n", 1));
    run_shell(
        &r,
        "printf '{\"id\": 3, \"ans' >>$HOME/out; sed -i 's/\"prompt\": 1/\"prompt\": \"b\"/' $IN;"
        "$DUET batch -m $M --resume $HOME/out -n 4 $IN; cat $HOME/out");
    assert_int_equal(r.status, 0);
    assert_contains(r.err, "batch: 1 done, 2 there already");
    json_t *out = parse(r.out);
    assert_int_equal(json_array_size(out), 3);
    for (size_t i = 0; i < 3; i++)
        assert_null(error_at(out, i));
    assert_string_equal(text_at(out, 2, "id"), "x");
    json_decref(out);
    run_done(&r);
    /* A file with anything else in it is none of ours: the prompts themselves, say. */
    run_shell(&r, "cp $IN $HOME/in; $DUET batch -m $M --resume $HOME/in $HOME/in; S=$?; "
                  "cmp $IN $HOME/in && exit $S");
    assert_int_equal(r.status, 2);
    assert_error_line(&r);
    assert_contains(r.err, "in: line 1: not what duet batch writes");
    run_done(&r);
    run_shell(&r, "$DUET batch -m $M --resume /dev/null $IN");
    assert_int_equal(r.status, 2);
    assert_contains(r.err, "/dev/null: not a regular file");
    run_done(&r);
}

/* Where the last line is torn the file is written anew, and the link is still one. */
static void resume_follows_a_link(void **state)
{
    struct run r;
    (void)state;
    setenv("M", some_model(), 1);
    run_shell(&r, "cd $HOME; mkdir far; ln -s far/out link; printf '\"a\"\\n\"b\"\\n' >in; "
                  "$DUET batch -q -m $M --resume link -n 4 in; chmod 640 far/out; "
                  "printf '{\"id\": 3, \"ans' >>link; echo '\"c\"' >>in; "
                  "$DUET batch -q -m $M --resume link -n 4 in; readlink link; ls far; "
                  "stat -c %a far/out; grep -c answer far/out");
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "far/out\nout\n640\n3\n");
    assert_string_equal(r.err, "");
    run_done(&r);
}

static void batch_ends_with_the_right_status(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *err;
    } rows[] = {
        {"$DUET batch -m $M -q </dev/null", 0, NULL},
        {"$DUET batch -m $M /nonexistent.jsonl", 2, "/nonexistent.jsonl: No such file"},
        {"$DUET batch -m $M /", 2, "/: Is a directory"},
        {"$DUET batch -m $M a b", 2, "more than one file (got b)"},
        {"$DUET batch -m nothing </dev/null", 3, "nothing"},
        {"$DUET batch -m $M --resume nowhere/out </dev/null", 2, "nowhere/out: No such file"},
        {"$DUET batch -m $M --resume . </dev/null", 2, ".: Is a directory"},
        {"ulimit -f 1; trap '' XFSZ; yes '\"x\"' | head -99 | $DUET batch -q -m $M -n 9 --resume "
         "$HOME/full",
         1, "full: write failed: File too large"},
        {"echo '\"x\"' | $DUET batch -q -m $M -n 3 >/dev/full", 1, "write failed: No space left"},
        {"echo '\"x\"' | $DUET batch -q -m $M --parallel 0", 2, "--parallel"},
        {"echo '\"x\"' | $DUET --jsonl -q -m $M -n 3 | grep -q finish_reason", 0, NULL},
        {"(yes x | head -500; echo '\"x\"') | $DUET batch -q -m $M --parallel 1 -n 3 | tail -1 | "
         "grep -q '\"line\": 501, \"answer'",
         0, NULL},
        {"head -c 20000000 /dev/zero | tr '\\0' a | $DUET batch -q -m $M | grep -q 'line: too "
         "long'",
         0, NULL},
        {"yes '\"x\"' | $DUET batch -q -m $M -n 3 | head -3 >/dev/null; exit ${PIPESTATUS[1]}", 141,
         NULL},
    };
    (void)state;
    setenv("M", some_model(), 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run r;
        run_shell(&r, rows[i].line);
        if (r.status != rows[i].status)
            fail_msg("%s: exit %d: %s", rows[i].line, r.status, r.err);
        if (rows[i].err) {
            assert_error_line(&r);
            assert_contains(r.err, rows[i].err);
        } else {
            assert_string_equal(r.err, "");
        }
        run_done(&r);
    }
}

/* Each would append what the other does not know of. And an interrupt keeps what is done. */
static void two_runs_do_not_share_an_output(void **state)
{
    struct run r;
    (void)state;
    setenv("M", some_model(), 1);
    setenv("E", endless_model(), 1);
    run_shell(&r,
              "(echo '{\"prompt\": \"a\", \"max_tokens\": 2}'; echo '\"b\"') >$HOME/in; set -m; "
              "$DUET batch -q -m $E --ctx 100000 --resume $HOME/out $HOME/in & P=$!; "
              "while ! test -s $HOME/out; do sleep 0.01; done; ln -s out $HOME/link; "
              "$DUET batch -q -m $M --resume $HOME/link $HOME/in; echo $?; "
              "kill -INT $P; wait $P; echo $?; cat $HOME/out");
    assert_contains(r.out, "2\n130\n{\"id\": 1, ");
    assert_contains(r.err, "link: another duet batch is writing it");
    assert_null(strstr(r.out, "\"line\": 2"));
    run_done(&r);
}

int test_batch(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_form_of_a_line_is_read),     TEST(a_bad_line_spoils_no_other),
        TEST(company_changes_nothing),          TEST(a_common_prefix_is_computed_once),
        TEST(resume_completes_what_is_missing), TEST(resume_follows_a_link),
        TEST(batch_ends_with_the_right_status), TEST(two_runs_do_not_share_an_output),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
