/* test_pretok.c - what the tokenizer knows of Unicode: decoding, the split, normalisation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <utf8proc.h>

#include "engine/text/nfc.h"
#include "engine/text/pretok.h"
#include "engine/text/utf8.h"
#include "tests/engine/tests.h"
#include "tests/engine/token_checks.h"

static void every_character_survives_decoding(void **state)
{
    (void)state;
    for (int32_t c = 0; c <= 0x10FFFF; c++) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        char bytes[4];
        size_t n = utf8_encode(c, bytes), len;
        assert_int_equal(utf8_decode(bytes, n, &len), c);
        assert_int_equal(len, n);
        for (size_t cut = 1; cut < n; cut++) {
            assert_int_equal(utf8_decode(bytes, cut, &len), UTF8_SHORT);
            assert_int_equal(len, cut);
        }
    }
}

static void bad_parts_are_replaced_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *replaced;
    } rows[] = {
        {"plain", "plain"},
        {"A\xFF"
         "B",
         "A\uFFFDB"},
        {"\xC0\x80", "\uFFFD\uFFFD"},
        {"\xE2\x82(", "\uFFFD("},
        {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
        {"\xF0\x9F\x98", "\uFFFD"},
        {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
        {"\xF1\x80\x80\xC3\xA9", "\uFFFD\u00E9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len;
        char *got = replace_bad_parts(rows[i].bytes, strlen(rows[i].bytes), &len);
        assert_string_equal(got, rows[i].replaced);
        assert_int_equal(len, strlen(rows[i].replaced));
        free(got);
    }
}

static void escaped_text_is_harmless_and_fits(void **state)
{
    (void)state;
    static const char hostile[] = "a\x1b[2J\n\xFF\xC2\x9B\u00E9";
    char out[64];
    assert_string_equal(utf8_escape(out, sizeof out, hostile, strlen(hostile)),
                        "a\\x1B[2J\\x0A\\xFF\\xC2\\x9B\u00E9");
    assert_string_equal(utf8_escape(out, 5, hostile, strlen(hostile)), "a");
    assert_string_equal(utf8_escape(out, 6, hostile, strlen(hostile)), "a\\x1B");
    assert_string_equal(utf8_escape(out, 1, hostile, strlen(hostile)), "");
}

/* Pre-tokens joined by '|', which no row below contains. */
static void assert_split(const char *text, int max_digits, const char *expected)
{
    char joined[256] = "";
    size_t n = strlen(text), used = 0;
    for (size_t at = 0, len; at < n; at += len) {
        len = pretok_next(text + at, n - at, max_digits);
        assert_in_range(len, 1, n - at);
        used += (size_t)snprintf(joined + used, sizeof joined - used, "%s%.*s", at ? "|" : "",
                                 (int)len, text + at);
    }
    assert_string_equal(joined, expected);
}

static void text_is_split_as_the_pattern_says(void **state)
{
    (void)state;
    static const struct {
        const char *text, *split;
    } rows[] = {
        {"Hello world", "Hello| world"},
        {"a   b", "a|  | b"},
        {"a  ", "a|  "},
        {"a\n\n b", "a|\n\n| b"},
        {"a \n\n\tb", "a| \n\n|\tb"},
        {"\n   x", "\n|  | x"},
        {"it's I'LL o'clock", "it|'s| I|'LL| o|'clock"},
        {"'tis", "'t|is"},
        {"can\u2019t", "can|\u2019t"},
        {"f(x)=y;", "f|(x|)=|y|;"},
        {" ...\r\n\r\nz", " ...\r\n\r\n|z"},
        {"\t...", "\t|..."},
        {"a\u00A0b\u3000c", "a|\u00A0b|\u3000c"},
        {"a\u200Bb", "a|\u200Bb"},
        {"e\u0301te", "e|\u0301te"},
        {"\u00BD\u2167", "\u00BD\u2167"},
        {"\xFFz\xFF", "\xFFz|\xFF"},
        {"\u6570\u5B66 \u00E9t\u00E9", "\u6570\u5B66| \u00E9t\u00E9"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_split(rows[i].text, 3, rows[i].split);
    assert_split("x1234567 89", 3, "x|123|456|7| |89");
    assert_split("x1234 89", 1, "x|1|2|3|4| |8|9");
}

/* Marks, jamo, letters that decompose, excluded ones and plain ones, in any order. */
static size_t random_text(uint32_t *seed, char *out)
{
    static const int32_t pool[] = {'a',    'e',    0x301, 0x323,  0x30A,   0x345,   0xE9,   0x1EA5,
                                   0x212B, 0x958,  0x9C7, 0x9BE,  0x1100,  0x1161,  0x11A8, 0xAC00,
                                   0xAC01, 0xF900, 0x344, 0x2ADC, 0x1D15E, 0x4E00,  0x1B06, 0x1B35,
                                   0xDD9,  0xDCF,  0xDCA, 0x3099, 0x30AB,  0x10FFFF};
    size_t n = 0;
    for (uint32_t i = next_random(seed) % 12; i > 0; i--)
        n += utf8_encode(pool[next_random(seed) % (sizeof pool / sizeof *pool)], out + n);
    return n;
}

static void composing_agrees_with_utf8proc(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int round = 0; round < 100000; round++) {
        char text[64], *composed;
        size_t n = random_text(&seed, text), len = n;
        text[n] = '\0';
        assert_int_equal(nfc_compose(text, n, &composed, &len), 0);
        char *expected = (char *)utf8proc_NFC((const utf8proc_uint8_t *)text);
        const char *got = composed ? composed : text;
        len = composed ? len : n;
        assert_int_equal(len, strlen(expected));
        assert_memory_equal(got, expected, len);
        free(composed);
        free(expected);
    }
}

/* A sort by insertion needs hours for this. */
static void a_megabyte_of_marks_is_composed(void **state)
{
    (void)state;
    enum { PAIRS = 1 << 18 };
    char *text = malloc(4 * PAIRS), *composed;
    size_t len;
    assert_non_null(text);
    for (size_t i = 0; i < PAIRS; i++)
        memcpy(text + 4 * i, "\u0301\u0323", 4);
    assert_int_equal(nfc_compose(text, 4 * PAIRS, &composed, &len), 0);
    assert_int_equal(len, 4 * PAIRS);
    assert_memory_equal(composed, "\u0323", 2); /* below comes first, above last */
    assert_memory_equal(composed + len - 2, "\u0301", 2);
    free(composed);
    free(text);
}

static void composed_text_costs_nothing(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "plain", "\u00E9t\u00E9", "\uD55C\uAE00", "\xFF\xC3"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *composed;
        size_t len;
        assert_int_equal(nfc_compose(rows[i], strlen(rows[i]), &composed, &len), 0);
        assert_null(composed);
    }
}

int test_pretok(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_survives_decoding),
        cmocka_unit_test(bad_parts_are_replaced_one_by_one),
        cmocka_unit_test(escaped_text_is_harmless_and_fits),
        cmocka_unit_test(text_is_split_as_the_pattern_says),
        cmocka_unit_test(composing_agrees_with_utf8proc),
        cmocka_unit_test(a_megabyte_of_marks_is_composed),
        cmocka_unit_test(composed_text_costs_nothing),
    };
    return cmocka_run_group_tests_name("pretok", tests, NULL, NULL);
}
