/*
 * test_math.c: what is a formula and what is not, and that none is too much. How formulas look is
 * in the files of math/, which test_math_golden.c reads.
 */
#include "tests.h"

#include "ui/math/math.h"
#include "ui/text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const enum math_style styles[] = {MATH_INLINE, MATH_DISPLAY};

/* Lays a formula out in every way there is; in how many it could be. */
static int ways(const char *source, size_t len)
{
    int laid = 0;
    char *tex = malloc(len + !len); /* to its end and not a byte further */
    assert_non_null(tex);
    memcpy(tex, source, len);
    for (int i = 0; i < 4; i++) {
        struct math *m = math_layout(tex, len, styles[i / 2], i % 2);
        laid += m != NULL;
        for (int row = 0; m && row < math_rows(m); row++) {
            size_t n;
            const char *s = math_row(m, row, &n);
            assert_int_equal(strlen(s), n);
            assert_int_equal(text_width(s, n), math_width(m));
            for (size_t j = 0; j < n; j++)
                assert_true((unsigned char)s[j] >= 0x20 && s[j] != 0x7f &&
                            (i % 2 == 0 || (unsigned char)s[j] < 0x80));
        }
        if (m)
            assert_in_range(math_baseline(m), 0, math_rows(m) - 1);
        math_free(m);
    }
    free(tex);
    return laid;
}

/* What is small enough is a formula in every way or in none. */
static bool is_formula(const char *tex, size_t len)
{
    int laid = ways(tex, len);
    assert_true(laid == 0 || laid == 4);
    return laid == 4;
}

static void what_is_no_formula_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "x^",
        "x_{",
        "x^2^3",
        "x_1_2",
        "\\frac{1}",
        "\\sqrt",
        "\\nope",
        "\\left( x",
        "x\\right)",
        "\\begin{pmatrix} 1",
        "\\begin{pmatrix} 1 \\end{bmatrix}",
        "\\begin{nope} 1 \\end{nope}",
        "\\end{pmatrix}",
        "\\text{a",
        "\\text{\\nope}",
        "a $ b",
        "\\",
        "\\left",
        "\\hat",
        "\\(x\\)",
        "\\sqrt[3",
        "\\not",
        "\\not\\frac12",
        "\\operatorname",
        "\\text{$x}",
        "\\begin",
        "\\begin{array}{c",
        "{\\over",
        "\\phantom{x}y}",
        "\\color",
        "\\middle|x\\",
        "\\left\\alpha x\\right)",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (is_formula(bad[i], strlen(bad[i])))
            fail_msg("\"%s\" passes for a formula", bad[i]);
}

static void every_cut_of_a_formula_is_laid_out_or_refused(void **state)
{
    static const char tex[] =
        "f(x) = \\begin{cases} \\frac{x^2}{\\sqrt[3]{y}} & \\text{if } x \\ge 0 \\\\ "
        "\\sum_{i=1}^{n} \\left( a_i \\middle| \\hat{b} \\right)' & \\not= \\binom{n}{k} "
        "\\end{cases}";
    (void)state;
    for (size_t len = 0; len < sizeof tex; len++)
        is_formula(tex, len);
    assert_true(is_formula(tex, sizeof tex - 1));
}

static char *repeat(const char *head, const char *piece, const char *middle, const char *tail,
                    size_t times)
{
    size_t size = strlen(head) + strlen(middle) + times * (strlen(piece) + strlen(tail)) + 1;
    char *s = calloc(1, size), *at = s;
    assert_non_null(s);
    at = stpcpy(at, head);
    for (size_t i = 0; i < times; i++)
        at = stpcpy(at, piece);
    at = stpcpy(at, middle);
    for (size_t i = 0; i < times; i++)
        at = stpcpy(at, tail);
    return s;
}

static void depth_and_size_have_their_limits(void **state)
{
    static const struct {
        const char *head, *piece, *middle, *tail;
    } nests[] = {
        {"", "{", "x", "}"},
        {"", "x^{", "y", "}"},
        {"", "(", "x", ")"},
        {"", "\\sqrt{", "x", "}"},
        {"", "\\frac{", "1", "}{2}"},
        {"", "\\left(", "x", "\\right)"},
        {"", "\\hat", " x", ""},
        {"", "({", "x", "})"},
        {"", "\\boxed{", "x", "}"},
        {"", "\\begin{matrix}", "x", "\\end{matrix}"},
        {"", "|", "x", "|"},
        {"", "\\text{$", "x", "$}"},
        {"", "1+\\cfrac{1}{", "x", "}"},
        {"", "\\underbrace{", "x", "}_{n}"},
        {"", "x", "y", "z"},
        {"", "a & b \\\\", "c", ""},
        {"", "&", "c", ""},
        {"", "\\frac{1}{2} \\\\", "c", ""},
        {"", "\\quad", "c", ""},
        {"", "x'", "", ""},
        {"", "\\bar", "{x}", ""},
        {"", "\\not", "=", ""},
        {"", "~&", "~", ""},
        {"x", "'", "", ""},
        {"", "\\left.", "x", "\\right|"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof nests / sizeof *nests; i++)
        for (size_t times = 1; times <= 4096; times *= 2) {
            char *tex = repeat(nests[i].head, nests[i].piece, nests[i].middle, nests[i].tail,
                               times);
            ways(tex, strlen(tex));
            free(tex);
        }
    assert_true(is_formula("{{{{{{{{{{x}}}}}}}}}}", 21));
}

static void hostile_characters_are_spelled_out(void **state)
{
    static const struct {
        const char *tex, *row;
    } rows[] = {
        {"a\033[31m b", "a^[[31mb"},
        {"x\u202e y", "x<U+202E>y"},
        {"\\text{a\u200bb\a}", "a<U+200B>b^G"},
        {"\xff + \\text{\xc0}", "\ufffd + \ufffd"},
        {"\\text{你好} = e\u0301", "你好 = e\u0301"},
        {"x_{\u202e}", "x_<U+202E>"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n;
        struct math *m = math_layout(rows[i].tex, strlen(rows[i].tex), MATH_INLINE, false);
        assert_non_null(m);
        assert_string_equal(math_row(m, 0, &n), rows[i].row);
        math_free(m);
        assert_true(is_formula(rows[i].tex, strlen(rows[i].tex)));
    }
}

static void zero_bytes_end_no_name(void **state)
{
    static const char *const heads[] = {"\\begin{cases", "\\frac",  "\\operatorname",
                                        "\\left",        "\\text{", "x"};
    char tex[64] = "";
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        for (size_t zeros = 1; zeros < 16; zeros++) {
            size_t len = strlen(heads[i]);
            memset(tex, 0, sizeof tex);
            memcpy(tex, heads[i], len);
            memcpy(tex + len + zeros, "}x", 2);
            is_formula(tex, len + zeros + 2);
        }
}

/* Pieces of formulas and of mischief in any order. */
static void nothing_random_is_too_much(void **state)
{
    static const char *const pieces[] = {
        "x",
        "2",
        "{",
        "}",
        "^",
        "_",
        "\\frac",
        "\\sqrt",
        "[",
        "]",
        "\\left(",
        "\\right)",
        "(",
        ")",
        "|",
        "\\hat",
        "\\text{",
        "&",
        "\\\\",
        "\\begin{cases}",
        "\\end{cases}",
        "'",
        "\\sum",
        "\\overline",
        "\\boxed{",
        "\\not",
        "=",
        "+",
        "\\int_0^1",
        " ",
        "\\underbrace{",
        "$",
        "你",
        "\u0301",
        "\u202e",
        "\xff",
        "\033",
        "\\mathbb",
        "\\binom",
        "\\over",
        "\\limits",
        "\\tag{",
        "\\xrightarrow",
        "\\substack{",
        "👨",
        "\u200d",
        "🏽",
        "\u1100",
        "\u1161",
        "🇫",
    };
    unsigned seed = 7;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char tex[512];
        size_t len = 0, count = 1 + (unsigned)rand_r(&seed) % 16;
        for (size_t i = 0; i < count; i++) {
            const char *piece = pieces[(unsigned)rand_r(&seed) % (sizeof pieces / sizeof *pieces)];
            memcpy(tex + len, piece, strlen(piece));
            len += strlen(piece);
        }
        for (int i = 0; i < 4; i++) {
            struct math *m = math_layout(tex, len, styles[i / 2], i % 2);
            for (int row = 0; m && row < math_rows(m); row++) {
                size_t n;
                const char *s = math_row(m, row, &n);
                assert_int_equal(text_width(s, n), math_width(m));
            }
            math_free(m);
        }
    }
}

int test_math(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_formula_is_refused),
        cmocka_unit_test(every_cut_of_a_formula_is_laid_out_or_refused),
        cmocka_unit_test(depth_and_size_have_their_limits),
        cmocka_unit_test(hostile_characters_are_spelled_out),
        cmocka_unit_test(zero_bytes_end_no_name),
        cmocka_unit_test(nothing_random_is_too_much),
    };
    return cmocka_run_group_tests_name("math", tests, NULL, NULL);
}
