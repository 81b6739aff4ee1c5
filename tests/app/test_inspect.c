/* test_inspect.c - `duet inspect`: the forms that tools read. */
#include "tests/app/tests.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static json_t *run_json(const char *line)
{
    struct run r;
    setenv("M", some_model(), 1);
    run_shell(&r, line);
    if (r.status != 0)
        fail_msg("%s: exit %d: %s", line, r.status, r.err);
    json_t *json = json_loads(r.out, JSON_ALLOW_NUL, NULL);
    if (!json)
        fail_msg("%s: %s", line, r.out);
    run_done(&r);
    return json;
}

static void assert_output(const char *line, const char *out)
{
    struct run r;
    setenv("M", some_model(), 1);
    run_shell(&r, line);
    assert_string_equal(r.err, "");
    assert_string_equal(r.out, out);
    assert_int_equal(r.status, 0);
    run_done(&r);
}

/* Control tokens as text included. */
static void tokens_decode_to_what_was_encoded(void **state)
{
    (void)state;
    assert_output("printf 'naïve 漢字 <|eot_id|> 17' | $DUET inspect tokens -m $M |"
                  "sed 's/ /,/g; s/.*/{\"ids\": [&]}/' | $DUET inspect tokens -m $M --jsonl",
                  "{\"text\": \"naïve 漢字 <|eot_id|> 17\"}\n");
    json_t *plain = run_json(
        "echo '{\"text\": \"<|eot_id|>\"}' | $DUET inspect tokens -m $M --jsonl");
    json_t *special = run_json(
        "echo '{\"text\": \"<|eot_id|>\"}' | $DUET inspect tokens -m $M --jsonl --special");
    assert_true(json_array_size(json_object_get(plain, "ids")) > 1);
    assert_int_equal(json_array_size(json_object_get(special, "ids")), 1);
    json_decref(plain);
    json_decref(special);
    assert_output("printf '' | $DUET inspect tokens -m $M", "\n");
}

static void prompts_are_shown_as_sent(void **state)
{
    (void)state;
    json_t *json = run_json("echo '{\"messages\": [{\"role\": \"user\", \"content\": \"17 + 25\"}],"
                            "\"add_generation_prompt\": true, \"date_string\": \"01 Jan 2025\"}' |"
                            "$DUET inspect prompt -m $M");
    assert_contains(json_string_value(json_object_get(json, "rendered")), "17 + 25");
    assert_contains(json_string_value(json_object_get(json, "rendered")), "01 Jan 2025");
    assert_true(json_array_size(json_object_get(json, "ids")) > 10);
    json_decref(json);

    /* Variables of the template beside the messages, or in an object of their own. */
    static const char *const lines[] = {
        "echo '{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"tools\": null,"
        "\"date_string\": null, \"custom_tools\": [{\"name\": \"abacus\"}]}' |"
        "$DUET inspect prompt -m $M",
        "echo '{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}],"
        "\"extra\": {\"custom_tools\": [{\"name\": \"abacus\"}]}}' | $DUET inspect prompt -m $M",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        json = run_json(lines[i]);
        assert_contains(json_string_value(json_object_get(json, "rendered")), "abacus");
        json_decref(json);
    }

    struct run r; /* a template's refusal is a line among lines */
    run_shell(
        &r,
        "printf '{\"messages\": 1}\\n{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}\\n'"
        "| $DUET inspect prompt -m $M");
    assert_int_equal(r.status, 1);
    assert_int_equal(strncmp(r.out, "{\"error\": \"", 11), 0);
    assert_contains(r.out, "\n{\"rendered\": ");
    run_done(&r);
}

static void logits_are_shown(void **state)
{
    (void)state;
    json_t *json = run_json(
        "echo '{\"tokens\": [1, 2, 3]}' | $DUET inspect logits -m $M --greedy 4");
    json_t *logits = json_object_get(json, "logits"), *top = json_object_get(json, "top5");
    json_t *greedy = json_object_get(json, "greedy");
    assert_true(json_array_size(logits) > 100);
    assert_int_equal(json_array_size(top), 3);
    assert_int_equal(json_array_size(json_array_get(top, 0)), 5);
    assert_int_equal(json_array_size(greedy), 4);
    json_t *best = json_array_get(json_array_get(top, 2), 0);
    json_int_t id = json_integer_value(json_array_get(best, 0));
    assert_int_equal(id, json_integer_value(json_array_get(greedy, 0)));
    assert_true(fabs(json_number_value(json_array_get(best, 1)) -
                     json_number_value(json_array_get(logits, (size_t)id))) < 1e-6);
    json_decref(json);
}

static void models_are_described(void **state)
{
    (void)state;
    json_t *json = run_json("$DUET inspect model $M --json");
    json_t *model = json_object_get(json, "model");
    assert_string_equal(json_string_value(json_object_get(model, "architecture")), "llama");
    assert_true(json_integer_value(json_object_get(model, "weight_bytes")) > 100000);
    assert_true(json_array_size(json_object_get(json, "tensors")) > 10);
    assert_non_null(json_object_get(json_object_get(json, "metadata"), "general.architecture"));
    json_decref(json);
    struct run r;
    run_shell(&r, "$DUET inspect model -m $M");
    assert_contains(r.out, "general.architecture");
    assert_contains(r.out, "token_embd.weight");
    run_done(&r);
}

/* Bytes of the cache that a line plans, and how far the third position's first logit is from that
 * of the line without a type. */
struct kv {
    json_int_t bytes;
    double logit;
};

static struct kv look_at_kv(const char *option)
{
    struct kv kv;
    setenv("KV", option, 1);
    json_t *json = run_json("$DUET inspect model $M --json $KV"),
           *model = json_object_get(json, "model");
    kv.bytes = json_integer_value(json_object_get(model, "kv_bytes"));
    if (*option)
        assert_contains(option, json_string_value(json_object_get(model, "kv_type")));
    json_decref(json);
    json = run_json("echo '{\"tokens\": [1, 2, 3]}' | $DUET inspect logits -m $M $KV");
    kv.logit = json_number_value(json_array_get(json_object_get(json, "logits"), 0));
    json_decref(json);
    return kv;
}

/* Elsewhere the cache is F16 unless asked for otherwise. */
static void logits_are_looked_at_with_an_exact_cache(void **state)
{
    (void)state;
    const struct kv usual = look_at_kv(""), f16 = look_at_kv("--kv-type=f16");
    const struct kv f32 = look_at_kv("--kv-type=f32"), q8 = look_at_kv("--kv=q8");
    assert_int_equal(usual.bytes, f16.bytes);
    assert_int_equal(f32.bytes, 2 * f16.bytes);
    assert_int_equal(q8.bytes * 64, f16.bytes * 34);
    assert_true(usual.logit == f32.logit);
    assert_true(f16.logit != f32.logit && q8.logit != f16.logit);
    assert_true(fabs(q8.logit - f32.logit) < 0.5);
    struct run r;
    run_shell(&r, "$DUET inspect model $M --kv-type q4");
    assert_int_equal(r.status, 2);
    assert_contains(r.err, "--kv-type: unknown value (got q4, limit f16 f32 q8)");
    run_done(&r);
}

static void wrong_lines_are_named(void **state)
{
    static const struct {
        const char *line, *part;
    } rows[] = {
        {"echo '{\"ids\": [1e9]}' | $DUET inspect tokens --jsonl -m $M",
         "stdin: line 1: ids: not token ids"},
        {"echo '{\"ids\": [-1]}' | $DUET inspect tokens --jsonl -m $M", "ids: not token ids"},
        {"printf '{\"text\":\"a\"}\\n{' | $DUET inspect tokens --jsonl -m $M",
         "stdin: line 2: column"},
        {"echo '[]' | $DUET inspect tokens --jsonl -m $M", "not an object"},
        {"echo '{\"tokens\": []}' | $DUET inspect logits -m $M", "line 1: evaluate: tokens: none"},
        {"echo '{\"tokens\": [99999999]}' | $DUET inspect logits -m $M", "not in the vocabulary"},
        {"echo '{}' | $DUET inspect logits -m $M", "tokens: not an array"},
        {"$DUET inspect </dev/null", "unknown subject (got none"},
        {"$DUET inspect tokens extra </dev/null", "unexpected argument extra"},
    };
    (void)state;
    setenv("M", some_model(), 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run r;
        run_shell(&r, rows[i].line);
        assert_int_equal(r.status, 2);
        assert_error_line(&r);
        assert_contains(r.err, rows[i].part);
        run_done(&r);
    }
}

static void a_reader_that_leaves_is_no_error(void **state)
{
    struct run r;
    (void)state;
    setenv("M", some_model(), 1);
    run_shell(&r, "yes '{\"text\": \"a\"}' | head -20000 | $DUET inspect tokens --jsonl -m $M | "
                  "head -1 >/dev/null; echo ${PIPESTATUS[2]}");
    assert_string_equal(r.out, "141\n");
    assert_string_equal(r.err, "");
    run_done(&r);
    run_shell(&r, "$DUET models >/dev/full");
    assert_int_equal(r.status, 1);
    assert_string_equal(r.err, "duet: stdout: write failed: No space left on device\n");
    run_done(&r);
}

static void a_hugging_face_folder_is_a_model(void **state)
{
    struct run r;
    const char *fixtures = getenv("DUET_FIXTURES");
    (void)state;
    if (!fixtures || !*fixtures)
        skip();
    run_shell(&r, "mkdir -p $HOME/.local/share/duet/models && "
                  "cp -r $DUET_FIXTURES/tiny/qwen2-a/hf $HOME/.local/share/duet/models/tiny && "
                  "$DUET models -q && echo '{\"tokens\": [1, 2]}' | $DUET inspect logits -m tiny");
    assert_contains(r.out, "tiny\n");
    assert_contains(r.out, "{\"logits\": [");
    run_done(&r);
    run_shell(&r, "$DUET -m $HOME/ hi");
    assert_int_equal(r.status, 3);
    assert_contains(r.err, "a directory without config.json, so not a model");
    run_done(&r);
}

/* Tokens, logits and recommended sampling. */
static void a_folder_equals_its_gguf_file(void **state)
{
    static const struct {
        const char *release, *file;
        double top_p; /* the releases' word; the families' would be 0.9 and 0.95 */
    } rows[] = {
        {"llama-b/hf", "llama-b/llama-b.f16.gguf", 0.95},  /* F16, one file */
        {"qwen2-a/hf", "qwen2-a/qwen2-a.bf16.gguf", 0.95}, /* BF16, two files */
    };
    const char *fixtures = getenv("DUET_FIXTURES");
    (void)state;
    if (!fixtures || !*fixtures)
        skip();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run tokens;
        setenv("A", rows[i].release, 1);
        setenv("B", rows[i].file, 1);
        run_shell(&tokens, "cd $DUET_FIXTURES/tiny; for m in $A $B; do"
                           " printf 'naïve 漢字 the <|eot_id|> <think> 1234\\n' |"
                           " $DUET inspect tokens -m $m --special; done | uniq -c | wc -l");
        assert_string_equal(tokens.out, "1\n");
        run_done(&tokens);
        json_t *both[2];
        for (int k = 0; k < 2; k++)
            both[k] = run_json(k == 0
                                   ? "cd $DUET_FIXTURES/tiny; echo '{\"tokens\": [1, 70, 3, 99]}' |"
                                     "$DUET inspect logits -m $A --greedy 24"
                                   : "cd $DUET_FIXTURES/tiny; echo '{\"tokens\": [1, 70, 3, 99]}' |"
                                     "$DUET inspect logits -m $B --greedy 24");
        json_t *a = json_object_get(both[0], "logits"), *b = json_object_get(both[1], "logits");
        assert_true(json_array_size(a) > 300);
        for (size_t n = 0; n < json_array_size(a); n++)
            assert_true(fabs(json_number_value(json_array_get(a, n)) -
                             json_number_value(json_array_get(b, n))) < 1e-4);
        assert_true(
            json_equal(json_object_get(both[0], "greedy"), json_object_get(both[1], "greedy")));
        json_decref(both[0]);
        json_decref(both[1]);
        json_t *facts = run_json("$DUET inspect model $DUET_FIXTURES/tiny/$A --json");
        json_t *sampling = json_object_get(json_object_get(facts, "model"), "sampling");
        assert_true(json_number_value(json_object_get(sampling, "temperature")) == 0.6);
        assert_true(json_number_value(json_object_get(sampling, "top_p")) == rows[i].top_p);
        json_decref(facts);
    }
}

int test_inspect(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tokens_decode_to_what_was_encoded),
        TEST(prompts_are_shown_as_sent),
        TEST(logits_are_shown),
        TEST(models_are_described),
        TEST(wrong_lines_are_named),
        TEST(a_reader_that_leaves_is_no_error),
        TEST(a_hugging_face_folder_is_a_model),
        TEST(a_folder_equals_its_gguf_file),
        TEST(logits_are_looked_at_with_an_exact_cache),
    };
    return cmocka_run_group_tests_name("inspect", tests, NULL, NULL);
}
