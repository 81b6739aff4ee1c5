/* test_str.c - bytes from outside: made valid, made safe to show, shortened. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/numbers.h"
#include "app/say.h"
#include "app/str.h"

static void assert_valid(const char *bytes, size_t len, const char *valid, size_t bad)
{
    struct str s = {0};
    assert_int_equal(str_add_valid(&s, bytes, len), bad);
    assert_string_equal(str_get(&s), valid);
    str_done(&s);
}

/* By maximal parts, as chapter 3.9 of Unicode and its table 3-8 have them. */
static void bad_bytes_are_replaced(void **state)
{
    (void)state;
    assert_valid("", 0, "", 0);
    assert_valid("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10, "aé€😀", 0);
    assert_valid("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9, "��������A", 8);
    assert_valid("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 9, "����A", 4);
    assert_valid("\xed\xa0\x80", 3, "���", 3);
    assert_valid("x\xf4\x90\x80\x80y", 6, "x����y", 4);
    assert_valid("end\xe2\x82", 5, "end�", 1);
}

static void assert_visible(const char *bytes, bool lines, const char *shown)
{
    struct str s = {0};
    str_add_visible(&s, bytes, strlen(bytes), lines);
    assert_string_equal(str_get(&s), shown);
    str_done(&s);
}

static void control_characters_are_shown(void **state)
{
    (void)state;
    assert_visible("a\tb\nc", true, "a\tb\nc");
    assert_visible("a\tb\nc", false, "a\\x09b\\x0ac");
    assert_visible("a\r\nb\r\n\r", true, "a\nb\n\\x0d");
    assert_visible("a\r\n", false, "a\\x0d\\x0a");
    assert_visible("\033[2J\r\b\x7f", true, "\\x1b[2J\\x0d\\x08\\x7f");
    assert_visible("\xc2\x9b"
                   "31m",
                   true, "\\xc2\\x9b31m");
    assert_visible("\xe2\x80\xae", true, "\\xe2\\x80\\xae"); /* right-to-left override */
    assert_visible("\xff", true, "\\xff");
    assert_visible("é漢👨‍👩‍👧", true, "é漢👨‍👩‍👧");
}

static void cuts_fall_between_characters(void **state)
{
    (void)state;
    assert_int_equal(str_cut("a€b", 5, 3), 1);
    assert_int_equal(str_cut("a€b", 5, 4), 4);
    assert_int_equal(str_cut("ab", 2, 9), 2);
    size_t len = 7;
    assert_int_equal(strncmp(str_trim(" \n a b ", &len), "a b", 3), 0);
    assert_int_equal(len, 3);
    len = 2;
    str_trim("\n ", &len);
    assert_int_equal(len, 0);
}

/* The start says what it is about, the end why. */
static void a_shortened_message_keeps_both_ends(void **state)
{
    char err[64], name[200];
    (void)state;
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(say_to(err, sizeof err, 3, "model: %s: no such file", name), 3);
    assert_true(strlen(err) < sizeof err);
    assert_int_equal(strncmp(err, "model: xxx", 10), 0);
    assert_contains(err, "...x");
    assert_contains(err, "x: no such file");
}

static void long_times_are_in_seconds(void **state)
{
    static const struct {
        double ms;
        const char *line;
    } rows[] = {
        {0, "12 tokens · 11 tokens/s"},
        {8, "12 tokens · 11 tokens/s · first after 8 ms"},
        {2962, "12 tokens · 11 tokens/s · first after 3.0 s"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct engine_usage usage = {.completion_tokens = 12, .generation_time_ms = 1000};
        struct str line = {0};
        usage.time_to_first_token_ms = rows[i].ms;
        numbers_add_line(&line, &usage);
        assert_string_equal(line.data, rows[i].line);
        str_done(&line);
    }
}

int test_str(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_bytes_are_replaced),
        cmocka_unit_test(control_characters_are_shown),
        cmocka_unit_test(cuts_fall_between_characters),
        cmocka_unit_test(a_shortened_message_keeps_both_ends),
        cmocka_unit_test(long_times_are_in_seconds),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
