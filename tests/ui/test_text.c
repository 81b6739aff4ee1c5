/*
 * test_text.c: decoding, clusters, widths, wrapping.
 */
#include "tests.h"

#include "ui/text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The drawn form of a text, clusters separated by '|'. */
static char *drawn(const char *s, size_t len)
{
    static char out[4096];
    struct text_cluster c;
    size_t at = 0;

    for (size_t i = 0; i < len; i += c.len) {
        text_next(s + i, len - i, &c);
        assert_true(c.len > 0 && i + c.len <= len && c.n <= TEXT_CLUSTER_MAX);
        if (i > 0)
            out[at++] = '|';
        for (int j = 0; j < c.n; j++)
            at += text_encode(c.cp[j], out + at);
    }
    out[at] = '\0';
    return out;
}

static void every_kind_of_text_is_drawn_as_it_should(void **state)
{
    static const struct {
        const char *text, *drawn;
        int width;
    } rows[] = {
        {"ab", "a|b", 2},
        {"e\u0301a", "e\u0301|a", 2},
        {"你好", "你|好", 4},
        {"한\u1100\u1161\u11a8", "한|\u1100\u1161\u11a8", 4},
        {"\u0915\u093e", "\u0915\u093e", 2}, /* a spacing mark takes a column */
        {"👨\u200d👩\u200d👧!", "👨|!", 3},      /* a joined emoji is its first */
        {"👍🏽x", "👍|x", 3},             /* without its skin tone */
        {"❤\ufe0fx", "❤|x", 2},              /* without its variation selector */
        {"🇫🇷🇩🇪", "🇫🇷|🇩🇪", 4},
        {"1\ufe0f\u20e3", "1\u20e3", 1},
        {"\u0301x", "\u25cc\u0301|x", 2}, /* a mark without a letter */
        {"a\u0300\u0301\u0302\u0303\u0304\u0305", "a\u0300\u0301\u0302\u0303", 1},
        {"\033[31m", "^[|[|3|1|m", 6},
        {"\a\b\r\v\f\x7f", "^G|^H|^M|^K|^L|^?", 12},
        {"\xc2\x9b"
         "2J",
         "<U+009B>|2|J", 10},
        {"\u202ex", "<U+202E>|x", 9},
        {"\u2066\u200b\u200d\ufeff", "<U+2066>|<U+200B>|<U+200D>|<U+FEFF>", 32},
        {"\U000e0041", "<U+E0041>", 9},
        {"a\u200db", "a|<U+200D>|b", 10},   /* joins no emoji */
        {"❤\ufe0f\ufe0f", "❤|<U+FE0F>", 9}, /* one selector, not a hidden message */
        {"a\U000e0100", "a|<U+E0100>", 10},
        {"\u3164x", "<U+3164>|x", 9},
        {"\xff\xc0\x80", "\ufffd|\ufffd|\ufffd", 3},
        {"\xe2\x82", "\ufffd", 1},
        {"\xed\xa0\x80", "\ufffd|\ufffd|\ufffd", 3}, /* a surrogate */
        {"\xf4\x90\x80\x80", "\ufffd|\ufffd|\ufffd|\ufffd", 4},
        {"x\xe2(", "x|\ufffd|(", 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(drawn(rows[i].text, strlen(rows[i].text)), rows[i].drawn);
        assert_int_equal(text_width(rows[i].text, strlen(rows[i].text)), rows[i].width);
    }
}

static void nothing_drawn_can_steer_a_terminal(void **state)
{
    struct text_cluster c;
    char utf8[4];
    (void)state;
    for (uint32_t cp = 0; cp < 0x110000; cp++) {
        if ((cp >= 0xd800 && cp < 0xe000) || cp == '\t')
            continue;
        text_next(utf8, text_encode(cp, utf8), &c);
        int width = 0;
        for (int i = 0; i < c.n; i++) {
            uint32_t d = c.cp[i];
            assert_true(d >= 0x20 && (d < 0x7f || d >= 0xa0));
            assert_false(d >= 0x200b && d <= 0x200f);
            assert_false((d >= 0x2028 && d <= 0x202e) || (d >= 0x2066 && d <= 0x2069));
            assert_false(d >= 0xe0000 && d <= 0xe01ef);
            width += text_columns(d);
        }
        assert_int_equal(width, c.width);
        assert_true(c.width >= 1);
    }
}

static void decoding_is_what_encoding_was(void **state)
{
    char utf8[4];
    (void)state;
    for (uint32_t cp = 0, back; cp < 0x110000; cp++) {
        if (cp >= 0xd800 && cp < 0xe000)
            continue;
        size_t n = text_encode(cp, utf8);
        assert_int_equal(text_decode(utf8, n, &back), n);
        assert_int_equal(back, cp);
        for (size_t cut = 1; cut < n; cut++)
            assert_int_equal(text_whole(utf8, cut), 0);
        assert_int_equal(text_whole(utf8, n), n);
    }
    assert_int_equal(text_whole("ab\xff", 3), 3); /* will never be whole: nothing to wait for */
    assert_int_equal(text_whole("\x80\x80\x80\x80", 4), 4);
}

/* Random text of pieces that like to interact. */
static size_t random_text(char *out, size_t size, unsigned *seed)
{
    static const char *const pieces[] = {
        "a",      "b",      " ",      "e\u0301", "\u0301", "你",   "，",   "👨",
        "\u200d", "👧",      "🏽",   "\ufe0f",  "🇫",      "\033", "\xff", "\xe2\x82",
        "\u1100", "\u1161", "\u202e", "\u0915",  "\u093e", "\t",   "\r",   "0",
    };
    size_t n = 0, count = (unsigned)rand_r(seed) % 24;
    for (size_t i = 0; i < count; i++) {
        const char *piece = pieces[(unsigned)rand_r(seed) % (sizeof pieces / sizeof *pieces)];
        size_t len = strlen(piece);
        if (n + len > size)
            break;
        memcpy(out + n, piece, len);
        n += len;
    }
    return n;
}

static void going_back_meets_the_same_clusters(void **state)
{
    char text[256];
    unsigned seed = 1;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t n = random_text(text, sizeof text, &seed), starts[256], count = 0;
        struct text_cluster c;
        for (size_t i = 0; i < n; i += c.len) {
            starts[count++] = i;
            text_next(text + i, n - i, &c);
        }
        for (size_t pos = n; count > 0; pos = starts[count])
            assert_int_equal(text_prev(text, pos), starts[--count]);
    }
}

static void lines_wrap_at_words_and_wide_characters(void **state)
{
    static const struct {
        const char *text;
        int width;
        const char *lines;
    } rows[] = {
        {"one two three", 7, "one two| three"},
        {"one two three", 8, "one two |three"},
        {"one  two", 4, "one  |two"},
        {"abcdefgh", 3, "abc|def|gh"},
        {"ab abcdefgh", 4, "ab |abcd|efgh"},
        {"你好世界", 5, "你好|世界"},
        {"你好。", 4, "你|好。"},
        {"ab你好", 3, "ab|你|好"},
        {"你", 1, "你"},
        {"", 5, ""},
    };
    (void)state;
    for (size_t i = 1; i < sizeof rows / sizeof *rows; i++) {
        char got[128] = "";
        size_t len = strlen(rows[i].text), at = 0;
        for (size_t pos = 0; pos < len;) {
            size_t n = text_wrap(rows[i].text + pos, len - pos, rows[i].width);
            assert_true(n > 0);
            at += (size_t)snprintf(got + at, sizeof got - at, "%s%.*s", pos ? "|" : "", (int)n,
                                   rows[i].text + pos);
            pos += n;
        }
        assert_string_equal(got, rows[i].lines);
    }
}

static void no_line_is_wider_than_asked(void **state)
{
    char text[256];
    unsigned seed = 2;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t n = random_text(text, sizeof text, &seed);
        int width = 1 + (int)((unsigned)rand_r(&seed) % 20);
        for (size_t pos = 0, line; pos < n; pos += line) {
            struct text_cluster c;
            int used = 0, shown = 0, first = 0;
            line = text_wrap(text + pos, n - pos, width);
            for (size_t i = 0; i < line; i += c.len) {
                text_next(text + pos + i, line - i, &c);
                used += c.width;
                first = i == 0 ? c.width : first;
                shown = text_is_space(&c) ? shown : used;
            }
            assert_true(shown <= width || shown == first);
        }
    }
}

static void finding_ignores_case(void **state)
{
    (void)state;
    assert_true(text_contains("Größe der ÄPFEL", "äpfel"));
    assert_true(text_contains("abc", ""));
    assert_true(text_contains("今天星期几", "星期"));
    assert_false(text_contains("abc", "abd"));
    assert_false(text_contains("", "a"));
}

static void fitting_counts_columns(void **state)
{
    int used;
    (void)state;
    assert_int_equal(text_fit("你好", 6, 3, &used), 3);
    assert_int_equal(used, 2);
    assert_int_equal(text_fit("abc", 3, 0, &used), 0);
    assert_int_equal(text_fit("e\u0301e", 4, 1, &used), 3);
}

int test_text(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_text_is_drawn_as_it_should),
        cmocka_unit_test(nothing_drawn_can_steer_a_terminal),
        cmocka_unit_test(decoding_is_what_encoding_was),
        cmocka_unit_test(going_back_meets_the_same_clusters),
        cmocka_unit_test(lines_wrap_at_words_and_wide_characters),
        cmocka_unit_test(no_line_is_wider_than_asked),
        cmocka_unit_test(finding_ignores_case),
        cmocka_unit_test(fitting_counts_columns),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
