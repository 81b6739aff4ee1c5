/* test_gguf.c - reading GGUF headers: what must load, and as what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/file/gguf.h"
#include "tests/engine/build_gguf.h"
#include "tests/engine/tests.h"

static void add_tensor(struct build *b, const char *name, enum quant_type type, int n_dims,
                       int64_t d0, int64_t d1)
{
    build_tensor(b, name, type, n_dims, (const int64_t[]){d0, d1, 1, 1});
}

static void reads_every_type(void **state)
{
    struct build b;
    (void)state;

    build_init(&b);
    build_scalar(&b, "u8", GGUF_U8, (union gguf_value){.u = 200});
    build_scalar(&b, "i8", GGUF_I8, (union gguf_value){.i = -100});
    build_scalar(&b, "u16", GGUF_U16, (union gguf_value){.u = 60000});
    build_scalar(&b, "i16", GGUF_I16, (union gguf_value){.i = -30000});
    build_scalar(&b, "u32", GGUF_U32, (union gguf_value){.u = 4000000000});
    build_scalar(&b, "i32", GGUF_I32, (union gguf_value){.i = -2000000000});
    build_scalar(&b, "f32", GGUF_F32, (union gguf_value){.f = 0.5});
    build_scalar(&b, "bool", GGUF_BOOL, (union gguf_value){.u = 1});
    build_string(&b, "string", "text");
    build_scalar(&b, "u64", GGUF_U64, (union gguf_value){.u = UINT64_MAX});
    build_scalar(&b, "i64", GGUF_I64, (union gguf_value){.i = INT64_MIN});
    build_scalar(&b, "f64", GGUF_F64, (union gguf_value){.f = 1e300});
    build_array(&b, "array", GGUF_I16, (const int16_t[]){-1, 2}, 2);
    build_array(&b, "nothing", GGUF_STRING, NULL, 0);
    build_bytes(&b, "bytes", "a\0\xff", 3);
    build_finish(&b);

    struct gguf *g = build_parse(&b);
    assert_int_equal(gguf_n_keys(g), 15);
    assert_int_equal(gguf_n_tensors(g), 0);
    assert_int_equal(gguf_find_key(g, "u8")->value.u, 200);
    assert_true(gguf_find_key(g, "i8")->value.i == -100);
    assert_int_equal(gguf_find_key(g, "u16")->value.u, 60000);
    assert_true(gguf_find_key(g, "i16")->value.i == -30000);
    assert_int_equal(gguf_find_key(g, "u32")->value.u, 4000000000);
    assert_true(gguf_find_key(g, "i32")->value.i == -2000000000);
    assert_true(gguf_find_key(g, "f32")->value.f == 0.5);
    assert_int_equal(gguf_find_key(g, "bool")->value.u, 1);
    assert_true(gguf_find_key(g, "u64")->value.u == UINT64_MAX);
    assert_true(gguf_find_key(g, "i64")->value.i == INT64_MIN);
    assert_true(gguf_find_key(g, "f64")->value.f == 1e300);
    const struct gguf_key *text = gguf_find_key(g, "string");
    assert_int_equal(text->value.s.len, 4);
    assert_memory_equal(text->value.s.data, "text", 4);
    assert_int_equal(gguf_find_key(g, "bytes")->value.s.len, 3);
    assert_int_equal(gguf_find_key(g, "nothing")->value.a.count, 0);
    const struct gguf_array *array = &gguf_find_key(g, "array")->value.a;
    const void *at = array->data;
    assert_int_equal(array->count, 2);
    assert_true(gguf_next_element(array->type, &at).i == -1);
    assert_true(gguf_next_element(array->type, &at).i == 2);
    assert_null(gguf_find_key(g, "u"));
    assert_null(gguf_find_key(g, "u88"));
    assert_string_equal(gguf_key_at(g, 1)->name.data + 0, gguf_find_key(g, "i8")->name.data);
    gguf_close(g);
    build_done(&b);
}

static void getters_never_cast(void **state)
{
    struct build b;
    struct gguf_string text;
    struct gguf_array array;
    int64_t i = 7;
    double f = 7;
    bool flag = true;
    char err[256] = "";
    (void)state;

    build_init(&b);
    build_scalar(&b, "large", GGUF_U64, (union gguf_value){.u = UINT64_C(1) << 63});
    build_scalar(&b, "small", GGUF_I8, (union gguf_value){.i = -5});
    build_f32(&b, "real", 2);
    build_string(&b, "text", "2");
    build_scalar(&b, "flag", GGUF_BOOL, (union gguf_value){.u = 0});
    build_array(&b, "list", GGUF_I32, (const int32_t[]){1}, 1);
    build_finish(&b);
    struct gguf *g = build_parse(&b);

    assert_int_equal(gguf_get_int(g, "absent", 0, 9, &i, err, sizeof err), 0);
    assert_int_equal(i, 7);
    assert_int_equal(gguf_get_int(g, "small", -5, 9, &i, err, sizeof err), 1);
    assert_int_equal(i, -5);
    assert_int_equal(gguf_get_int(g, "small", -4, 9, &i, err, sizeof err), -1);
    assert_string_equal(err, "small: out of range (got -5, limit -4 to 9)");
    assert_int_equal(gguf_get_int(g, "large", INT64_MIN, INT64_MAX, &i, err, sizeof err), -1);
    assert_non_null(strstr(err, "large: out of range (got 9223372036854775808"));
    assert_int_equal(gguf_get_int(g, "real", 0, 9, &i, err, sizeof err), -1);
    assert_string_equal(err, "real: wrong type (got f32, limit an integer)");
    assert_int_equal(gguf_get_int(g, "flag", 0, 9, &i, err, sizeof err), -1);
    assert_int_equal(gguf_get_float(g, "real", &f, err, sizeof err), 1);
    assert_true(f == 2);
    assert_int_equal(gguf_get_float(g, "small", &f, err, sizeof err), -1);
    assert_int_equal(gguf_get_bool(g, "flag", &flag, err, sizeof err), 1);
    assert_false(flag);
    assert_int_equal(gguf_get_bool(g, "small", &flag, err, sizeof err), -1);
    assert_int_equal(gguf_get_string(g, "text", &text, err, sizeof err), 1);
    assert_int_equal(gguf_get_string(g, "list", &text, err, sizeof err), -1);
    assert_string_equal(err, "list: wrong type (got array of i32, limit string)");
    assert_int_equal(gguf_get_array(g, "list", GGUF_I32, &array, err, sizeof err), 1);
    assert_int_equal(gguf_get_array(g, "list", GGUF_U32, &array, err, sizeof err), -1);
    assert_int_equal(gguf_get_array(g, "text", GGUF_U32, &array, err, sizeof err), -1);
    assert_string_equal(err, "text: wrong type (got string, limit array of u32)");
    gguf_close(g);
    build_done(&b);
}

static void finds_tensors_where_they_are(void **state)
{
    static const uint32_t alignments[] = {8, 32, 4096, 65536};
    (void)state;

    for (size_t i = 0; i < sizeof alignments / sizeof alignments[0]; i++) {
        struct build b;
        build_init(&b);
        b.alignment = alignments[i];
        build_model_keys(&b, "qwen2");
        build_model_tensors(&b, "qwen2");
        build_finish(&b);
        struct gguf *g = build_parse(&b);

        assert_int_equal(gguf_data_start(g) % alignments[i], 0);
        assert_int_equal(gguf_n_tensors(g), 3 + 2 * 12);
        const struct gguf_tensor *t = gguf_find_tensor(g, "blk.1.ffn_down.weight");
        assert_int_equal(t->n_dims, 2);
        assert_int_equal(t->dim[0], 32);
        assert_int_equal(t->dim[1], 16);
        assert_int_equal(t->dim[2], 1);
        assert_int_equal(t->type, QUANT_F32);
        assert_int_equal(t->bytes, 32 * 16 * 4);
        const struct build_field *data = build_field(&b, "blk.1.ffn_down.weight:data");
        assert_ptr_equal(t->data, b.bytes + data->offset);
        assert_null(gguf_find_tensor(g, "blk.2.ffn_down.weight"));
        gguf_close(g);
        build_done(&b);
    }
}

static void sizes_of_quantised_rows(void **state)
{
    static const struct {
        enum quant_type type;
        size_t bytes; /* of 3 rows of 512 */
    } types[] = {
        {QUANT_F32, 6144}, {QUANT_F16, 3072},  {QUANT_BF16, 3072}, {QUANT_Q8_0, 1632},
        {QUANT_Q4_0, 864}, {QUANT_Q4_1, 960},  {QUANT_Q5_0, 1056}, {QUANT_Q5_1, 1152},
        {QUANT_Q4_K, 864}, {QUANT_Q5_K, 1056}, {QUANT_Q6_K, 1260},
    };
    struct build b;
    (void)state;

    build_init(&b);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        add_tensor(&b, quant_info(types[i].type)->name, types[i].type, 2, 512, 3);
    build_finish(&b);
    struct gguf *g = build_parse(&b);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(gguf_tensor_at(g, i)->bytes, types[i].bytes);
    gguf_close(g);
    build_done(&b);
}

static void loads_version_2_and_trailing_bytes(void **state)
{
    struct build b;
    (void)state;

    build_model(&b, "llama");
    build_set(&b, "version", 2);
    gguf_close(build_parse(&b));

    /* Padding after the last tensor may be there or not. */
    const struct build_field *last = build_field(&b, "blk.1.ffn_down.weight:data");
    build_truncate(&b, last->offset + 32 * 16 * 4);
    gguf_close(build_parse(&b));
    build_done(&b);
}

/* llama.cpp#25739: an official model has three. */
static void loads_duplicate_tokens(void **state)
{
    static const char *const tokens[] = {"a", "b", "a", "", ""};
    struct build b;
    (void)state;

    build_init(&b);
    build_strings(&b, "tokenizer.ggml.tokens", tokens, 5);
    build_finish(&b);
    struct gguf *g = build_parse(&b);
    const void *at = gguf_find_key(g, "tokenizer.ggml.tokens")->value.a.data;
    for (int i = 0; i < 5; i++) {
        struct gguf_string s = gguf_next_string(&at);
        assert_int_equal(s.len, strlen(tokens[i]));
        assert_memory_equal(s.data, tokens[i], s.len);
    }
    gguf_close(g);
    build_done(&b);
}

/* As many as may be, with names that differ in the last letters only. */
static void loads_65536_tensors(void **state)
{
    enum { N = 65536 };
    struct build b;
    char name[32];
    (void)state;

    build_init(&b);
    b.alignment = 8;
    build_u32(&b, "general.alignment", 8);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "a.tensor.named.alike.%05x", i);
        add_tensor(&b, name, QUANT_F32, 1, 2, 1);
    }
    build_finish(&b);
    struct gguf *g = build_parse(&b);
    for (int i = 0; i < N; i += 1000) {
        snprintf(name, sizeof name, "a.tensor.named.alike.%05x", i);
        assert_ptr_equal(gguf_find_tensor(g, name), gguf_tensor_at(g, (size_t)i));
    }
    gguf_close(g);
    build_done(&b);
}

static void prints_safely(void **state)
{
    char buf[12];
    (void)state;

    assert_string_equal(gguf_print(buf, sizeof buf, (struct gguf_string){"plain", 5}), "plain");
    assert_string_equal(gguf_print(buf, sizeof buf, (struct gguf_string){"12345678901", 11}),
                        "12345678901");
    assert_string_equal(gguf_print(buf, sizeof buf, (struct gguf_string){"123456789012", 12}),
                        "12345678...");
    assert_string_equal(gguf_print(buf, sizeof buf, (struct gguf_string){"\x1b\0", 2}),
                        "\\x1b\\x00");
    assert_string_equal(gguf_print(buf, sizeof buf, (struct gguf_string){"\x1b\x1b\x1b", 3}),
                        "\\x1b\\x1b...");
    assert_string_equal(gguf_print(buf, sizeof buf, (struct gguf_string){"", 0}), "");
}

int test_gguf(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_type),
        cmocka_unit_test(getters_never_cast),
        cmocka_unit_test(finds_tensors_where_they_are),
        cmocka_unit_test(sizes_of_quantised_rows),
        cmocka_unit_test(loads_version_2_and_trailing_bytes),
        cmocka_unit_test(loads_duplicate_tokens),
        cmocka_unit_test(loads_65536_tensors),
        cmocka_unit_test(prints_safely),
    };
    return cmocka_run_group_tests_name("gguf", tests, NULL, NULL);
}
