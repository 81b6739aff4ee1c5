/* test_describe.c - a model file as JSON. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "engine/file/describe.h"
#include "engine/file/gguf.h"
#include "tests/engine/build_gguf.h"
#include "tests/engine/tests.h"

static json_t *describe(const struct build *b)
{
    struct gguf *g = build_parse(b);
    json_error_t error;

    char *text = describe_model(g);
    assert_non_null(text);
    assert_null(strchr(text, '\n'));
    json_t *json = json_loads(text, JSON_ALLOW_NUL, &error);
    if (!json)
        fail_msg("not JSON: %s", error.text);
    free(text);
    gguf_close(g);
    return json;
}

/* The value under metadata, as JSON text. */
static void assert_value(const json_t *json, const char *key, const char *expected)
{
    const json_t *value = json_object_get(json_object_get(json, "metadata"), key);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void shows_every_type(void **state)
{
    struct build b;
    int16_t many[17];
    (void)state;

    for (int16_t i = 0; i < 17; i++)
        many[i] = (int16_t)(-i);
    build_init(&b);
    build_scalar(&b, "u8", GGUF_U8, (union gguf_value){.u = 200});
    build_scalar(&b, "i8", GGUF_I8, (union gguf_value){.i = -100});
    build_scalar(&b, "u32", GGUF_U32, (union gguf_value){.u = 4000000000});
    build_scalar(&b, "u64", GGUF_U64, (union gguf_value){.u = UINT64_MAX});
    build_scalar(&b, "i64", GGUF_I64, (union gguf_value){.i = INT64_MIN});
    build_f32(&b, "f32", 1e-6f);
    build_f32(&b, "nan", NAN);
    build_f32(&b, "infinite", -INFINITY);
    build_scalar(&b, "f64", GGUF_F64, (union gguf_value){.f = 1e300});
    build_scalar(&b, "bool", GGUF_BOOL, (union gguf_value){.u = 1});
    build_string(&b, "text", "\"q\"\n\x1b[1m \xe4\xbd\xa0");
    build_bytes(&b, "bytes", "a\0\xff\xe4\xbd\xed\xa0\x80z", 9);
    build_array(&b, "none", GGUF_U8, NULL, 0);
    build_array(&b, "few", GGUF_I16, many, 3);
    build_array(&b, "many", GGUF_I16, many, 17);
    build_string(&b, "k\xff", "");
    build_finish(&b);

    json_t *json = describe(&b);
    assert_int_equal(json_object_size(json_object_get(json, "metadata")), 16);
    assert_value(json, "u8", "200");
    assert_value(json, "i8", "-100");
    assert_value(json, "u32", "4000000000");
    assert_value(json, "u64", "\"18446744073709551615\"");
    assert_value(json, "i64", "-9223372036854775808");
    assert_value(json, "f32", "1e-6");
    assert_value(json, "nan", "\"NaN\"");
    assert_value(json, "infinite", "\"-Infinity\"");
    assert_value(json, "f64", "1e300");
    assert_value(json, "bool", "true");
    assert_value(json, "text", "\"\\\"q\\\"\\n\\u001B[1m \xe4\xbd\xa0\"");
    assert_value(
        json, "bytes",
        "\"a\\u0000\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
        "z\"");
    assert_value(json, "none", "[]");
    assert_value(json, "few", "[0, -1, -2]");
    assert_value(
        json, "many",
        "{\"length\": 17, \"first\": [0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12, "
        "-13, -14, -15]}");
    assert_value(json, "k\xef\xbf\xbd", "\"\"");
    json_decref(json);
    build_done(&b);
}

static void shows_tensors(void **state)
{
    struct build b;
    (void)state;

    build_model(&b, "llama");
    json_t *json = describe(&b);
    const json_t *tensors = json_object_get(json, "tensors");
    assert_int_equal(json_array_size(tensors), 21);
    char *text = json_dumps(json_array_get(tensors, 0), 0);
    assert_string_equal(text, "{\"name\": \"token_embd.weight\", \"type\": \"F32\", "
                              "\"shape\": [16, 8], \"bytes\": 512}");
    free(text);
    json_decref(json);
    build_done(&b);
}

int test_describe(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_every_type),
        cmocka_unit_test(shows_tensors),
    };
    return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
