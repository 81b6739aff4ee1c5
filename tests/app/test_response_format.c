/* test_response_format.c - answers in a form: schemas, grammars, calls of tools; held against
 * jsonschema. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

enum { PARTS = 8 }; /* of the corpus: each is a run that is short enough */

static const char tools[] =
    "[{\"type\": \"function\", \"function\": {\"name\": \"add\", \"description\": \"adds\","
    " \"parameters\": {\"type\": \"object\", \"required\": [\"a\", \"b\"], \"properties\": {"
    " \"a\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 99},"
    " \"b\": {\"type\": \"integer\", \"minimum\": 0, \"maximum\": 99}}}}},"
    " {\"type\": \"function\", \"function\": {\"name\": \"now\"}}]";

static void ask(struct run *r, const char *line, int status)
{
    run_shell(r, line);
    if (r->status != status)
        fail_msg("%s: exit %d, not %d: %s%s", line, r->status, status, r->out, r->err);
}

static json_t *parse(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY, &error);
    if (!json)
        fail_msg("%s in %s", error.text, text);
    return json;
}

/* For every schema of the corpus, by models that are nearly random. */
static void what_ends_conforms_to_its_schema(void **state)
{
    struct run r;
    (void)state;
    run_shell(&r, "python3 -c 'import jsonschema'");
    bool usable = r.status == 0;
    run_done(&r);
    if (!usable)
        skip();
    setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
    for (int part = 0; part < PARTS; part++) {
        char line[512];
        snprintf(
            line, sizeof line,
            "python3 tests/schemas/corpus.py 3 %d %d | $DUET batch -q --parallel 4 -m demo-llama "
            "--ctx 2048 | python3 tests/schemas/check.py --all",
            part, PARTS);
        ask(&r, line, 0);
        run_done(&r);
        snprintf(line, sizeof line,
                 "python3 tests/schemas/corpus.py 1 %d %d | $DUET batch -q --parallel 4 -m "
                 "demo-deepseek --ctx 2048 | python3 tests/schemas/check.py",
                 part, PARTS);
        ask(&r, line, 0);
        run_done(&r);
    }
}

/* Nor does what was computed before. */
static void company_changes_no_schema(void **state)
{
    struct run a, b;
    (void)state;
    if (system("python3 -c 'import jsonschema' 2>/dev/null") != 0)
        skip();
    ask(&a,
        "python3 tests/schemas/corpus.py 1 1 4 | $DUET batch -q --parallel 1 -t 1 -m "
        "demo-llama --ctx 2048 | sed 's/\"usage.*//'",
        0);
    ask(&b,
        "python3 tests/schemas/corpus.py 1 1 4 | $DUET batch -q --parallel 7 -t 2 -m "
        "demo-llama --ctx 2048 | sed 's/\"usage.*//'",
        0);
    assert_string_equal(a.out, b.out);
    run_done(&a);
    run_done(&b);
}

static void an_integer_keeps_its_limits(void **state)
{
    struct run r;
    (void)state;
    sandbox_write("s.json", "{\"type\": \"integer\", \"minimum\": 10, \"maximum\": 12}");
    ask(&r, "$DUET -q -m demo-llama --temp 3 --schema $HOME/s.json '17 + 25'", 0);
    int n = atoi(r.out);
    assert_true(n >= 10 && n <= 12 && r.out_len == 3);
    run_done(&r);
    ask(&r,
        "$DUET -q -m demo-llama -j '{\"const\": [1, {\"a\": null}]}' --temp 3 hi | tr -d ' \\n'",
        0);
    assert_string_equal(r.out, "[1,{\"a\":null}]");
    run_done(&r);
}

static void short_schemas_are_understood(void **state)
{
    struct run r;
    (void)state;
    ask(&r,
        "$DUET -q -m demo-llama --temp 1 --seed 4 -n 2000 --json --schema 'age int, tall bool, x "
        "float: a number' hi",
        0);
    json_t *all = parse(r.out);
    json_t *answer = parse(json_string_value(json_object_get(all, "answer")));
    assert_true(json_is_integer(json_object_get(answer, "age")));
    assert_true(json_is_boolean(json_object_get(answer, "tall")));
    assert_true(json_is_number(json_object_get(answer, "x")));
    assert_int_equal(json_object_size(answer), 3);
    json_decref(answer);
    json_decref(all);
    run_done(&r);
}

static void reasoning_is_free_of_the_schema(void **state)
{
    struct run r;
    (void)state;
    ask(&r,
        "$DUET -q -m demo-deepseek --temp 0.6 --seed 1 --json --schema '{\"enum\": [\"a\", "
        "\"b\"]}' '17 + 25'",
        0);
    json_t *all = parse(r.out);
    const char *answer = json_string_value(json_object_get(all, "answer"));
    assert_true(strcmp(answer, "\"a\"") == 0 || strcmp(answer, "\"b\"") == 0);
    assert_true(strlen(json_string_value(json_object_get(all, "reasoning"))) > 10);
    json_decref(all);
    run_done(&r);
}

static void a_grammar_is_kept(void **state)
{
    struct run r;
    (void)state;
    sandbox_write("g.gbnf", "root ::= \"<\" [a-c]{3} (\",\" [0-9])? \">\"\n");
    ask(&r,
        "for i in 1 2 3; do $DUET -q -m demo-llama --temp 5 --seed $i --grammar "
        "$HOME/g.gbnf hi; done | grep -cE '^<[abc]{3}(,[0-9])?>$'",
        0);
    assert_string_equal(r.out, "3\n");
    run_done(&r);
}

static void assert_refused(const char *arguments, int status, const char *message)
{
    struct run r;
    char line[1024];
    snprintf(line, sizeof line, "$DUET -q -m demo-llama %s hi", arguments);
    ask(&r, line, status);
    assert_string_equal(r.out, "");
    assert_error_line(&r);
    assert_contains(r.err, message);
    run_done(&r);
}

static void bad_schemas_are_refused(void **state)
{
    (void)state;
    sandbox_write("bad.gbnf", "root ::= x\nx ::= (\"a\"\n");
    sandbox_write("left.gbnf", "root ::= \"a\" | x\nx ::= x \"b\" | \"c\"\n");
    sandbox_write("bad.json", "{\"type\": \"object\",}");
    sandbox_write("tools.json", tools);
    sandbox_write("bin", "");
    assert_refused("--schema '{\"not\": {}}'", 2, "schema: not: not supported");
    assert_refused("--schema $HOME/bad.json", 2, "schema: not JSON: line 1");
    sandbox_write("esc.json", "{\"a\":\033\033[2J}");
    assert_refused("--schema $HOME/esc.json", 2, "schema: not JSON: line 1");
    assert_refused("--schema $HOME/none.json", 2, "No such file");
    assert_refused("--schema 'age nat'", 2, "--schema: neither a file");
    assert_refused("--schema ''", 2, "--schema: empty");
    assert_refused("--schema $HOME", 2, "Is a directory");
    assert_refused("--schema x --grammar $HOME/bad.gbnf", 2, "contradicts --schema");
    assert_refused("--grammar $HOME/bad.gbnf", 2, "grammar: line 2, column 7: the group");
    assert_refused("--grammar $HOME/left.gbnf", 2, "grammar: x: refers to itself");
    assert_refused("--grammar $HOME/none", 2, "--grammar: ");
    assert_refused("--tools $HOME/bad.json", 2, "tools: not JSON");
    assert_refused("--tools $HOME/tools.json --tool-choice sub", 2, "tool_choice: no such tool");
    assert_refused("--tool-choice required", 2, "--tool-choice: without --tools");
}

static void a_cut_answer_is_given_and_said(void **state)
{
    struct run r;
    (void)state;
    ask(&r,
        "$DUET -q -m demo-llama --temp 1 -n 9 --schema '{\"type\": \"string\", \"minLength\": "
        "500}' hi",
        8);
    assert_int_equal(r.out[0], '"');
    assert_error_line(&r);
    assert_contains(r.err, "cut short of the form asked for (max_tokens)");
    run_done(&r);
    ask(&r, "$DUET -qR -m demo-deepseek -n 3 --schema 'a int' '17 + 25'", 9);
    run_done(&r);
}

/* Calls, of which there may be several; the arguments of the first conform. */
static void assert_call(const char *text, bool add)
{
    json_t *all = parse(text), *calls = json_object_get(all, "tool_calls");
    assert_true(json_array_size(calls) > 0);
    json_t *function = json_object_get(json_array_get(calls, 0), "function");
    json_t *arguments = parse(json_string_value(json_object_get(function, "arguments")));
    assert_string_equal(json_string_value(json_object_get(function, "name")), add ? "add" : "now");
    if (add) {
        json_int_t a = json_integer_value(json_object_get(arguments, "a"));
        assert_true(json_is_integer(json_object_get(arguments, "b")) && a >= 0 && a <= 99);
    }
    json_decref(arguments);
    json_decref(all);
}

static void tool_calls_are_whole(void **state)
{
    static const char *const models[] = {"demo-llama", "demo-deepseek"};
    (void)state;
    sandbox_write("tools.json", tools);
    for (int i = 0; i < 2; i++) {
        struct run r;
        char line[512];
        setenv("M", models[i], 1);
        snprintf(line, sizeof line, "$DUET -qR -m $M --tools $HOME/tools.json --temp 1 --seed 3 %s",
                 "--tool-choice add '17 + 25'");
        ask(&r, line, 0);
        assert_call(r.out, true);
        run_done(&r);
        snprintf(line, sizeof line, "$DUET -qR -m $M --tools $HOME/tools.json --temp 1 --seed 3 %s",
                 "--json --tool-choice required '17 + 25'");
        ask(&r, line, 0);
        json_t *all = parse(r.out);
        assert_true(json_array_size(json_object_get(all, "tool_calls")) > 0);
        assert_true(json_is_null(json_object_get(all, "answer")));
        json_decref(all);
        run_done(&r);
        ask(&r, "$DUET -qR -m $M --tools $HOME/tools.json --tool-choice none --temp 0 '17 + 25'",
            0);
        assert_null(strstr(r.out, "tool_calls"));
        run_done(&r);
    }
}

/* And what an answer was asked with is kept. */
static void tools_are_in_the_prompt(void **state)
{
    struct run r;
    (void)state;
    sandbox_write("tools.json", tools);
    ask(&r, "$DUET -q -m demo-llama --tools $HOME/tools.json --dry-run hi", 0);
    assert_contains(r.out, "\"name\": \"add\"");
    run_done(&r);
    ask(&r, "$DUET -q -m demo-llama --schema '{\"const\": 5}' hi; $DUET export 1 --format json", 0);
    assert_contains(r.out, "{\\\"const\\\": 5}");
    run_done(&r);
}

static void calls_come_whole_at_the_end_of_a_stream(void **state)
{
    struct run r;
    (void)state;
    sandbox_write("tools.json", tools);
    ask(&r, "$DUET -q -m demo-llama --stream-json --tools $HOME/tools.json --tool-choice now hi",
        0);
    json_t *all = parse(r.out);
    assert_string_equal(json_string_value(json_object_get(all, "type")), "done");
    assert_string_equal(json_string_value(json_object_get(all, "finish_reason")), "tool_calls");
    json_decref(all);
    run_done(&r);
}

/* Each line with settings of its own. */
static void a_batch_can_have_calls_and_results(void **state)
{
    static const char *const models[] = {"demo-llama", "demo-deepseek"};
    (void)state;
    sandbox_write(
        "in.jsonl",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"add\"}, {\"role\": \"assistant\", "
        "\"tool_calls\": [{\"id\": \"1\", \"type\": \"function\", \"function\": {\"name\": \"add\","
        " \"arguments\": {\"a\": 1, \"b\": 2}}}]}, {\"role\": \"tool\", \"content\": \"3\"},"
        " {\"role\": \"user\", \"content\": \"now\"}],"
        " \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"now\"}}],"
        " \"tool_choice\": \"required\"}\n"
        "{\"prompt\": \"x\", \"response_format\": {\"type\": \"json_schema\", \"json_schema\": "
        "{\"schema\": {\"const\": 7}}}}\n"
        "{\"prompt\": \"x\", \"grammar\": \"root ::= \\\"yes\\\"\"}\n"
        "{\"prompt\": \"x\", \"schema\": {\"not\": 1}}\n");
    for (int i = 0; i < 2; i++) {
        struct run r;
        setenv("M", models[i], 1);
        ask(&r, "$DUET batch -q --temp 1 --seed 5 -m $M $HOME/in.jsonl", 1);
        char *line = strtok(r.out, "\n");
        assert_call(line, false);
        line = strtok(NULL, "\n");
        assert_contains(line, "\"answer\": \"7\"");
        line = strtok(NULL, "\n");
        assert_contains(line, "\"answer\": \"yes\"");
        line = strtok(NULL, "\n");
        assert_contains(line, "schema: not: not supported");
        run_done(&r);
    }
}

int test_response_format(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_ends_conforms_to_its_schema),
        TEST(company_changes_no_schema),
        TEST(an_integer_keeps_its_limits),
        TEST(short_schemas_are_understood),
        TEST(a_grammar_is_kept),
        TEST(reasoning_is_free_of_the_schema),
        TEST(bad_schemas_are_refused),
        TEST(a_cut_answer_is_given_and_said),
        TEST(tool_calls_are_whole),
        TEST(tools_are_in_the_prompt),
        TEST(calls_come_whole_at_the_end_of_a_stream),
        TEST(a_batch_can_have_calls_and_results),
    };
    return cmocka_run_group_tests_name("response-format", tests, NULL, NULL);
}
