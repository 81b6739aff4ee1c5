/* test_vectors.c - both real vocabularies, from files and from the releases' folders, against the
 * outside vectors of encoding and decoding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/text/tokenizer.h"
#include "engine/text/utf8.h"
#include "tests/engine/jsonl.h"
#include "tests/engine/tests.h"
#include "tests/engine/token_checks.h"

struct models {
    struct tokenizer *llama, *deepseek;
    bool special;
    bool release; /* from its folder */
    size_t failures;
};

static void compare(struct models *m, const struct tokenizer *t, const char *text, size_t len,
                    const json_t *expected)
{
    struct tok_ids ids = encode(t, text, len, m->special);
    if (!jsonl_same_ids(expected, ids.ids, ids.n)) {
        print_error("tokens differ: %s\n", text);
        m->failures++;
    }
    free(ids.ids);
}

static void encode_text(struct models *m, const char *text, size_t len, const json_t *row)
{
    compare(m, m->llama, text, len, json_object_get(row, "llama"));
    compare(m, m->deepseek, text, len, json_object_get(row, "deepseek"));
}

static void encode_row(const json_t *row, void *ud)
{
    const json_t *text = json_object_get(row, "text");
    encode_text(ud, json_string_value(text), json_string_length(text), row);
}

static void replaced_row(const json_t *row, void *ud)
{
    struct models *m = ud;
    size_t len, replaced_len;
    char *bytes = jsonl_hex(json_object_get(row, "hex"), &len);
    char *replaced = replace_bad_parts(bytes, len, &replaced_len);
    assert_string_equal(replaced, json_string_value(json_object_get(row, "text_replaced")));
    encode_text(m, replaced, replaced_len, row);
    assert_lossless(m->llama, bytes, len, false);
    assert_lossless(m->deepseek, bytes, len, true);
    free(replaced);
    free(bytes);
}

static void decode_row(const json_t *row, void *ud)
{
    struct models *m = ud;
    const char *model = json_string_value(json_object_get(row, "model"));
    const struct tokenizer *t = strcmp(model, "llama") == 0 ? m->llama : m->deepseek;
    const json_t *list = json_object_get(row, "ids");
    struct tok_ids ids = {0};
    for (size_t i = 0; i < json_array_size(list); i++)
        tok_push(&ids, (int32_t)json_integer_value(json_array_get(list, i)));
    size_t len, expected_len;
    char *text = decode(t, ids, &len);
    char *expected = jsonl_hex(json_object_get(row, "hex"), &expected_len);
    assert_int_equal(len, expected_len);
    assert_memory_equal(text, expected, len);
    free(expected);
    free(text);
    free(ids.ids);
}

static int open_releases(void **state)
{
    static struct models models;
    models = (struct models){.release = true};
    *state = &models;
    return 0;
}

static int open_models(void **state)
{
    static struct models models;
    models = (struct models){0};
    *state = &models;
    return 0;
}

/* Opened by the tests, since only they may skip. */
static struct models *need_models(void **state)
{
    struct models *m = *state;
    if (!m->llama && m->release) {
        m->llama = jsonl_open_tokenizer("hf/llama-3.2-1b-instruct");
        m->deepseek = jsonl_open_tokenizer("hf/deepseek-r1-distill-qwen-1.5b");
    } else if (!m->llama) {
        m->llama = jsonl_tokenizer("llama");
        m->deepseek = jsonl_tokenizer("deepseek");
    }
    m->failures = 0;
    return m;
}

static int close_models(void **state)
{
    struct models *m = *state;
    tok_close(m->llama);
    tok_close(m->deepseek);
    return 0;
}

static void outside_plain_vectors_hold(void **state)
{
    struct models *m = need_models(state);
    m->special = false;
    assert_int_equal(jsonl_each("tokenizer/tokenize.plain.jsonl", encode_row, m), 359);
    assert_int_equal(m->failures, 0);
}

static void outside_special_vectors_hold(void **state)
{
    struct models *m = need_models(state);
    m->special = true;
    assert_int_equal(jsonl_each("tokenizer/tokenize.special.jsonl", encode_row, m), 359);
    assert_int_equal(m->failures, 0);
}

static void outside_invalid_vectors_hold(void **state)
{
    struct models *m = need_models(state);
    m->special = false;
    assert_int_equal(jsonl_each("tokenizer/invalid_utf8.jsonl", replaced_row, m), 17);
    assert_int_equal(m->failures, 0);
}

static void outside_decode_vectors_hold(void **state)
{
    assert_int_equal(jsonl_each("tokenizer/decode.jsonl", decode_row, need_models(state)), 76);
}

static void outside_vocabularies_are_understood(void **state)
{
    struct models *m = need_models(state);
    const struct tok_info *llama = tok_info(m->llama), *deepseek = tok_info(m->deepseek);
    assert_int_equal(llama->bos, 128000);
    assert_true(llama->add_bos);
    assert_int_equal(llama->n_ends, 3);
    assert_true(tok_is_end(m->llama, 128001) && tok_is_end(m->llama, 128008) &&
                tok_is_end(m->llama, 128009));
    assert_int_equal(deepseek->bos, 151646);
    assert_int_equal(deepseek->n_ends, 1);
    assert_true(tok_is_end(m->deepseek, 151643));
    assert_int_equal(deepseek->think_open, 151648);
    assert_int_equal(deepseek->think_close, 151649);
    assert_false(deepseek->banned[151664]);
    assert_true(deepseek->banned[151665] && deepseek->banned[151935]);
    assert_int_equal(llama->n_duplicates + deepseek->n_duplicates, 0);
    assert_int_equal(llama->n_merges_skipped + deepseek->n_merges_skipped, 0);
    assert_markers_stay_text(m->llama);
    assert_markers_stay_text(m->deepseek);
}

int test_vectors(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outside_plain_vectors_hold),
        cmocka_unit_test(outside_special_vectors_hold),
        cmocka_unit_test(outside_invalid_vectors_hold),
        cmocka_unit_test(outside_decode_vectors_hold),
        cmocka_unit_test(outside_vocabularies_are_understood),
    };
    return cmocka_run_group_tests_name("vectors", tests, open_models, close_models) +
           cmocka_run_group_tests_name("vectors of releases", tests, open_releases, close_models);
}
