/* test_speech.c - texts for the ear: the same words however the text comes in pieces. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/plain/speech.h"

static void assert_says(const char *text, const char *expected)
{
    size_t len = strlen(text);
    for (size_t piece = 1; piece <= len + 1; piece++) {
        struct speech s = {0};
        struct str out = {0};
        for (size_t i = 0; i < len; i += piece)
            speech_add(&s, text + i, len - i < piece ? len - i : piece, false, &out);
        speech_add(&s, "", 0, true, &out);
        if (strcmp(str_get(&out), expected) != 0)
            fail_msg("in pieces of %zu: \"%s\", expected \"%s\"", piece, str_get(&out), expected);
        str_done(&out);
    }
}

static void formulas_become_words(void **state)
{
    (void)state;
    assert_says("", "");
    assert_says("Plain words.\nAnd more.\n", "Plain words.\nAnd more.\n");
    assert_says("So \\(\\frac{a}{b}\\) it is.", "So a over b it is.");
    assert_says("is\\(x^2\\)here", "is x squared here");
    assert_says("It costs $5 and $10.\n", "It costs $5 and $10.\n");
    assert_says("Code: `$x$` and\n```\n$y$\n```\n", "Code: `$x$` and\n```\n$y$\n```\n");
    assert_says("\\[\n\\sqrt{2}\n\\]\n", "the square root of 2\n");
    assert_says("\\boxed{42}\n", "boxed 42\n");
    assert_says("C:\\new and \\n stay\n", "C:\\new and \\n stay\n");
    assert_says("an open \\( x + ", "an open \\( x + ");
    assert_says("no such \\(\\nothing{\\) formula", "no such \\(\\nothing{\\) formula");
}

static void nothing_waits_longer_than_it_must(void **state)
{
    struct speech s = {0};
    struct str out = {0};
    (void)state;
    speech_add(&s, "Words", 5, false, &out);
    assert_string_equal(out.data, "Words");
    speech_add(&s, " and $", 6, false, &out);
    assert_string_equal(out.data, "Words and ");
    speech_add(&s, "5.\n", 3, false, &out);
    assert_string_equal(out.data, "Words and $5.\n");
    str_done(&out);
    speech_done(&s);
}

int test_speech(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_become_words),
        cmocka_unit_test(nothing_waits_longer_than_it_must),
    };
    return cmocka_run_group_tests_name("speech", tests, NULL, NULL);
}
