/* test_schema.c - schemas: what is refused, and whether the grammars accept
 * what jsonschema does. */
#include "tests/engine/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/engine/accept.h"

static void what_cannot_be_kept_to_is_refused_by_name(void **state)
{
    static const struct {
        const char *schema, *message;
    } rows[] = {
        {"{\"not\": {}}", "not: not supported"},
        {"{\"if\": {}}", "if: not supported"},
        {"{\"patternProperties\": {}}", "patternProperties: not supported"},
        {"{\"dependentRequired\": {}}", "dependentRequired: not supported"},
        {"{\"contains\": {}}", "contains: not supported"},
        {"{\"propertyNames\": {}}", "propertyNames: not supported"},
        {"{\"unevaluatedProperties\": false}", "unevaluatedProperties: not supported"},
        {"{\"minlength\": 3}", "minlength: not supported"},
        {"{\"properties\": {\"a\": {\"items\": {\"not\": {}}}}}",
         "not: not supported (in /properties/a/items)"},
        {"{\"evil\\u001b[2J\": 1}", "evil\\x1B[2J: not supported"},
        {"[]", "schema: must be an object or true"},
        {"false", "false: a schema that nothing conforms to"},
        {"{\"type\": \"strin\"}", "type: no such type as strin"},
        {"{\"type\": []}", "type: allows nothing"},
        {"{\"type\": 3}", "type: no such type as this"},
        {"{\"$ref\": \"#/$defs/x\"}", "$ref: nothing is at #/$defs/x"},
        {"{\"$ref\": \"other.json\"}", "$ref: nothing is at other.json"},
        {"{\"$ref\": 1}", "$ref: must be a string"},
        {"{\"$ref\": \"#\"}", "nothing that it allows can ever end"},
        {"{\"allOf\": [{\"$ref\": \"#\"}]}", "$ref: refers to itself, or nested too deep"},
        {"{\"anyOf\": [{\"$ref\": \"#\"}, {\"type\": \"null\"}]}",
         "$ref #: refers to itself before anything is read (left recursion)"},
        {"{\"properties\": {\"a\": {\"$ref\": \"#\"}}, \"required\": [\"a\"]}",
         "nothing that it allows can ever end"},
        {"{\"anyOf\": []}", "anyOf: must be an array of schemas"},
        {"{\"oneOf\": [{\"type\": \"integer\"}, {\"type\": \"number\"}]}",
         "oneOf: 0 and 1 may both hold"},
        {"{\"oneOf\": [{\"properties\": {\"a\": {\"const\": 1}}}, {\"type\": \"object\"}]}",
         "oneOf: 0 and 1 may both hold"},
        {"{\"oneOf\": [{\"const\": 1}, {\"const\": 1.0}]}", "oneOf: 0 and 1 may both hold"},
        {"{\"allOf\": [{\"type\": \"string\"}, {\"type\": \"null\"}]}", "type: two that exclude"},
        {"{\"allOf\": [{\"pattern\": \"a\"}, {\"pattern\": \"b\"}]}", "pattern: twice"},
        {"{\"enum\": []}", "enum: must be an array of values"},
        {"{\"enum\": [1], \"minimum\": 2}", "enum: not together with other keywords"},
        {"{\"type\": \"string\", \"enum\": [1]}", "enum: no value has the type"},
        {"{\"enum\": [1], \"const\": 2}", "const: not among the enum"},
        {"{\"minimum\": 5, \"maximum\": 4}", "minimum: no number lies between the bounds"},
        {"{\"type\": \"integer\", \"exclusiveMinimum\": 1, \"exclusiveMaximum\": 2}",
         "minimum: no number lies between the bounds"},
        {"{\"minimum\": \"5\"}", "minimum: must be a number"},
        {"{\"exclusiveMinimum\": true}", "exclusiveMinimum: must be a number"},
        {"{\"multipleOf\": 0}", "multipleOf: must be a number above 0"},
        {"{\"type\": \"integer\", \"multipleOf\": 1e30}", "multipleOf: too large or too fine"},
        {"{\"multipleOf\": 7, \"minimum\": 8, \"maximum\": 9}", "multipleOf: no number lies"},
        {"{\"minLength\": 3, \"maxLength\": 2}", "maxLength: less than minLength"},
        {"{\"minLength\": -1}", "minLength: must be a whole number from 0 up"},
        {"{\"minLength\": 1.5}", "minLength: must be a whole number from 0 up"},
        {"{\"pattern\": 3}", "pattern: must be a string"},
        {"{\"pattern\": \"(\"}", "pattern: a ( without its )"},
        {"{\"pattern\": \")\"}", "pattern: a ) without its ("},
        {"{\"pattern\": \"[a\"}", "pattern: a [ without its ]"},
        {"{\"pattern\": \"[b-a]\"}", "pattern: a range that ends before it begins"},
        {"{\"pattern\": \"*\"}", "pattern: *: nothing to repeat"},
        {"{\"pattern\": \"a**\"}", "pattern: *: nothing to repeat"},
        {"{\"pattern\": \"a{3,2}\"}", "pattern: {3,2}: a maximum below the minimum"},
        {"{\"pattern\": \"a{999999}\"}", "pattern: {}: too many times"},
        {"{\"pattern\": \"(?=a)\"}", "pattern: (?=: not supported"},
        {"{\"pattern\": \"(?<!a)\"}", "pattern: (?<: not supported"},
        {"{\"pattern\": \"(a)\\\\1\"}", "pattern: \\1: not supported"},
        {"{\"pattern\": \"\\\\bx\"}", "pattern: \\b: not supported"},
        {"{\"pattern\": \"\\\\p{L}\"}", "pattern: \\p: not supported"},
        {"{\"pattern\": \"a^b\"}", "pattern: ^: only at the ends"},
        {"{\"pattern\": \"\\\\\"}", "pattern: a \\ at the end"},
        {"{\"pattern\": \"^a+b+$\", \"maxLength\": 9}", "pattern: not together with minLength"},
        {"{\"pattern\": \"^abc$\", \"maxLength\": 2}", "pattern: not together"},
        {"{\"format\": \"phone\"}", "format: phone: not supported"},
        {"{\"format\": \"date\", \"pattern\": \"1\"}", "format: not together with pattern"},
        {"{\"items\": 3}", "schema: must be an object or true (in /items)"},
        {"{\"minItems\": 3, \"maxItems\": 2}", "maxItems: less than minItems"},
        {"{\"prefixItems\": [{}], \"minItems\": 2}", "minItems: more than there can be"},
        {"{\"type\": \"array\", \"uniqueItems\": true}", "uniqueItems: only for items of an enum"},
        {"{\"uniqueItems\": true, \"items\": {\"enum\": [1, 1]}}", "uniqueItems: an enum with"},
        {"{\"uniqueItems\": true, \"minItems\": 3, \"items\": {\"enum\": [1, 2]}}",
         "minItems: more than there are"},
        {"{\"required\": [\"b\"], \"properties\": {}, \"additionalProperties\": false}",
         "required: b is not a property"},
        {"{\"required\": \"b\"}", "required: must be an array of names"},
        {"{\"properties\": []}", "properties: must be an object"},
        {"{\"properties\": {\"a\": true}, \"minProperties\": 1}", "minProperties: more than"},
        {"{\"properties\": {\"a\": true, \"b\": true}, \"maxProperties\": 1}",
         "maxProperties: not together"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct accept a;
        char err[256] = "";
        if (accept_schema(&a, rows[i].schema, err, sizeof err) == 0)
            fail_msg("%s was taken", rows[i].schema);
        if (strncmp(err, rows[i].message, strlen(rows[i].message)) != 0)
            fail_msg("%s: %s, not %s", rows[i].schema, err, rows[i].message);
    }
}

static char *repeated(const char *before, const char *inner, const char *after, int n)
{
    size_t size = (strlen(before) + strlen(after)) * (size_t)n + strlen(inner) + 1;
    char *text = malloc(size), *at = text;
    for (int i = 0; i < n; i++)
        at += sprintf(at, "%s", before);
    at += sprintf(at, "%s", inner);
    for (int i = 0; i < n; i++)
        at += sprintf(at, "%s", after);
    return text;
}

static void depth_and_size_have_limits(void **state)
{
    struct accept a;
    char err[256] = "";
    (void)state;
    char *deep = repeated("{\"items\": ", "{\"type\": \"null\"}", "}", 149);
    assert_int_equal(accept_schema(&a, deep, err, sizeof err), 0);
    accept_done(&a);
    free(deep);
    deep = repeated("{\"items\": ", "true", "}", 1500);
    assert_int_equal(accept_schema(&a, deep, err, sizeof err), -1);
    assert_non_null(strstr(err, "nested too deep (limit 150)"));
    free(deep);

    /* A pattern that would be 3^40 nodes, and two that are at a limit of depth. */
    char *groups = repeated("(", "a", "){3}", 40), text[4096];
    snprintf(text, sizeof text, "{\"pattern\": \"%s\"}", groups);
    assert_int_equal(accept_schema(&a, text, err, sizeof err), -1);
    assert_string_equal(err, "too large");
    free(groups);
    groups = repeated("(", "a", ")", 101);
    snprintf(text, sizeof text, "{\"pattern\": \"%s\"}", groups);
    assert_int_equal(accept_schema(&a, text, err, sizeof err), -1);
    assert_string_equal(err, "pattern: nested too deep (limit 100)");
    free(groups);

    /* Merging that would go on for ever, in two directions at each step. */
    assert_int_equal(
        accept_schema(
            &a,
            "{\"$defs\": {\"a\": {\"properties\": {\"l\": {\"$ref\": \"#/$defs/a\"}, \"r\": "
            "{\"$ref\": \"#/$defs/a\"}}}, \"b\": {\"properties\": {\"l\": {\"$ref\": "
            "\"#/$defs/b\"}, \"r\": {\"$ref\": \"#/$defs/b\"}}}}, \"allOf\": [{\"$ref\": "
            "\"#/$defs/a\"}, {\"$ref\": \"#/$defs/b\"}]}",
            err, sizeof err),
        -1);
    assert_non_null(strstr(err, "nested too deep"));
    char *name = repeated("x", "", "", 5000);
    snprintf(text, sizeof text,
             "{\"properties\": {\"%.3000s\": {}}, \"additionalProperties\": true}", name);
    assert_int_equal(accept_schema(&a, text, err, sizeof err), -1);
    assert_string_equal(err, "additionalProperties: beside a name of over 200 bytes");
    free(name);
}

/* An answer cannot be nested deeper than the automaton's stack: it is refused there, and ends. */
static void a_recursive_schema_stops_at_the_stack(void **state)
{
    struct accept a;
    char err[256] = "";
    (void)state;
    assert_int_equal(accept_schema(&a, "{\"items\": {\"$ref\": \"#\"}}", err, sizeof err), 0);
    char *deep = repeated("[", "", "]", 200), *deeper = repeated("[", "", "]", 5000);
    assert_true(accepts(&a, deep, strlen(deep)));
    assert_false(accepts(&a, deeper, strlen(deeper)));
    free(deep);
    free(deeper);
    accept_done(&a);
}

/* White space is allowed where people put it, and only so much. */
static void white_space_is_bounded(void **state)
{
    static const struct {
        const char *text;
        bool accepted;
    } rows[] = {
        {"{\"a\":1,\"b\":[true,false]}", true},
        {"{\"a\": 1, \"b\": [true, false]}", true},
        {"{ \"a\": 1, \"b\": [ true, false ] }", true},
        {"{\n  \"a\": 1,\n  \"b\": [\n    true,\n    false\n  ]\n}", true},
        {"{\"a\":  1,\"b\":[]}", false},
        {"{\"a\" :1,\"b\":[]}", false},
        {"{\"a\":1,\n\n\"b\":[]}", false},
        {" {\"a\":1,\"b\":[]}", false},
        {"{\"a\":1,\"b\":[]} ", false},
        {"{\"a\":1,\t\"b\":[]}", false},
        {"{\"b\":[],\"a\":1}", false},
        {"{\"a\":1,\"b\":[],\"c\":1}", false},
    };
    struct accept a;
    char err[256];
    (void)state;
    assert_int_equal(accept_schema(&a,
                                   "{\"properties\": {\"a\": {\"type\": \"integer\"}, \"b\": "
                                   "{\"type\": \"array\", \"items\": {\"type\": \"boolean\"}}},"
                                   "\"required\": [\"a\", \"b\"]}",
                                   err, sizeof err),
                     0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (accepts(&a, rows[i].text, strlen(rows[i].text)) != rows[i].accepted)
            fail_msg("%s", rows[i].text);
    accept_done(&a);
}

/* A free string may be written with escapes; half a pair of surrogates is none. */
static void strings_are_any_json(void **state)
{
    static const struct {
        const char *text;
        bool accepted;
    } rows[] = {
        {"\"\"", true},
        {"\"a\\u00e9\\\"\\/\\n\"", true},
        {"\"\\ud83d\\ude00\"", true},
        {"\"\\uD7FF\"", true},
        {"\"\\ud83d\"", false},
        {"\"\\ude00\"", false},
        {"\"\\ud83d\\u0041\"", false},
        {"\"\\x41\"", false},
        {"\"\n\"", false},
        {"\"\xc3\xa9\"", true},
        {"\"\xc3\"", false},
        {"\"\xed\xa0\x80\"", false},
        {"\"\xc0\x80\"", false},
        {"\"\xf4\x90\x80\x80\"", false},
        {"\"\xf4\x8f\xbf\xbf\"", true},
    };
    struct accept a;
    char err[256];
    (void)state;
    assert_int_equal(accept_schema(&a, "{\"type\": \"string\"}", err, sizeof err), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (accepts(&a, rows[i].text, strlen(rows[i].text)) != rows[i].accepted)
            fail_msg("%s", rows[i].text);
    accept_done(&a);
}

/* For values that are nearly right. */
static void the_verdict_is_the_outside_validators(void **state)
{
    struct accept a = {0};
    char *line = NULL, err[256] = "";
    size_t cap = 0;
    int n_schemas = 0, n_valid = 0, n_invalid = 0, n_wrong = 0;
    (void)state;
    if (system("python3 -c 'import jsonschema' 2>/dev/null") != 0)
        skip();
    FILE *f = popen("PYTHONDONTWRITEBYTECODE=1 python3 tests/schemas/mutate.py 60", "r");
    assert_non_null(f);
    while (getline(&line, &cap, f) > 0) {
        json_t *row = json_loads(line, 0, NULL), *schema = json_object_get(row, "schema");
        const char *text = json_string_value(json_object_get(row, "text"));
        bool valid = json_is_true(json_object_get(row, "valid"));
        if (schema) {
            char *dumped = json_dumps(schema, JSON_ENCODE_ANY);
            accept_done(&a);
            if (accept_schema(&a, dumped, err, sizeof err) != 0)
                fail_msg("%s: %s", dumped, err);
            free(dumped);
            n_schemas++;
        } else if (accepts(&a, text, strlen(text)) != valid) {
            print_error("schema %d: %s is %s\n", n_schemas, text, valid ? "valid" : "not valid");
            n_wrong++;
        }
        n_valid += !schema && valid;
        n_invalid += !schema && !valid;
        json_decref(row);
    }
    accept_done(&a);
    free(line);
    assert_int_equal(pclose(f), 0);
    assert_int_equal(n_wrong, 0);
    assert_true(n_schemas > 60 && n_valid > 1000 && n_invalid > 1000);
}

int test_schema(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_kept_to_is_refused_by_name),
        cmocka_unit_test(depth_and_size_have_limits),
        cmocka_unit_test(a_recursive_schema_stops_at_the_stack),
        cmocka_unit_test(white_space_is_bounded),
        cmocka_unit_test(strings_are_any_json),
        cmocka_unit_test(the_verdict_is_the_outside_validators),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
