/* test_wrap.c - lines that are broken between words, however the text comes. */
#include "tests/app/tests.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/wrap.h"

/* In pieces of every length, which end between characters as a model's do. */
static void assert_wraps(int width, const char *text, const char *lines)
{
    size_t len = strlen(text);
    for (size_t piece = 1; piece <= len; piece++) {
        struct wrap w = {.width = width};
        struct str out = {0};
        for (size_t at = 0, n; at < len; at += n) {
            n = at + piece < len ? str_cut(text + at, len - at, piece) : len - at;
            n = n > 0 ? n : str_cut(text + at, len - at, 4);
            wrap_add(&w, text + at, n, &out);
        }
        wrap_put(&w, "", &out);
        assert_string_equal(str_get(&out), lines);
        wrap_done(&w);
        str_done(&out);
    }
}

static void words_are_wrapped(void **state)
{
    (void)state;
    assert_wraps(11, "one two three four", "one two\nthree four");
    assert_wraps(11, "one two   \n three  four five", "one two   \n three\nfour five");
    assert_wraps(11, "0123456789 a", "0123456789\na");
    assert_wraps(11, "one\n\n\ntwo ", "one\n\n\ntwo ");
    assert_wraps(0, "one two three four", "one two three four");
    assert_wraps(1, "one two", "one two");
}

/* The terminal breaks it. */
static void a_long_word_stays_whole(void **state)
{
    (void)state;
    assert_wraps(11, "a https://example.org/path b", "a\nhttps://example.org/path b");
    assert_wraps(11, "0123456789abcd efghijk l", "0123456789abcd\nefghijk l");
}

static void code_and_tables_are_not_wrapped(void **state)
{
    (void)state;
    assert_wraps(11, "see this here\n```c\nint main(void) { }\n```\nand so on it goes",
                 "see this\nhere\n```c\nint main(void) { }\n```\nand so on\nit goes");
    assert_wraps(11, "| a | b | c | d |\n", "| a | b | c | d |\n");
}

/* What combines stays with its letter. */
static void wide_characters_may_end_any_line(void **state)
{
    (void)state;
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        skip();
    assert_wraps(7, "漢字漢字漢 ab", "漢字漢\n字漢\nab");
    assert_wraps(7, "e\u0301e\u0301e\u0301 abc", "e\u0301e\u0301e\u0301\nabc");
    setlocale(LC_CTYPE, "C");
}

/* Text of the program's own does. */
static void colours_take_no_column(void **state)
{
    (void)state;
    struct wrap w = {.width = 11};
    struct str out = {0};
    wrap_put(&w, "\033[2mmind: ", &out);
    wrap_add(&w, "one two", 7, &out);
    wrap_put(&w, "\033[0m\nsay: ", &out);
    wrap_add(&w, "```\na long line of code\n```\n", 28, &out);
    wrap_add(&w, "after it, lines", 15, &out);
    wrap_put(&w, "\n", &out);
    assert_string_equal(str_get(&out), "\033[2mmind: one\ntwo\033[0m\nsay: ```\n"
                                       "a long line of code\n```\nafter it,\nlines\n");
    wrap_done(&w);
    str_done(&out);
}

int test_wrap(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_wrapped),
        cmocka_unit_test(a_long_word_stays_whole),
        cmocka_unit_test(code_and_tables_are_not_wrapped),
        cmocka_unit_test(wide_characters_may_end_any_line),
        cmocka_unit_test(colours_take_no_column),
    };
    return cmocka_run_group_tests_name("wrap", tests, NULL, NULL);
}
