/* test_grade.c - answers compared as mathematics: what is equal, what is not, and what always
 * holds. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "app/grade/grade.h"

static enum grade compare(const char *a, const char *b)
{
    return grade_compare(a, strlen(a), b, strlen(b));
}

/* Both ways. */
static void expect(const char *a, const char *b, enum grade wanted)
{
    enum grade forth = compare(a, b), back = compare(b, a);
    if (forth != wanted || back != wanted)
        fail_msg("%s | %s: %s, back %s, not %s", a, b, grade_name(forth), grade_name(back),
                 grade_name(wanted));
}

struct pair {
    const char *a, *b;
};

static const struct pair equal[] = {
    /* numbers */
    {"1,234,567", "1234567"},
    {"10,\\!080", "10080"},
    {"12{,}345", "12345"},
    {"1\\,000", "1000"},
    {"42.", "42"},
    {".5", "\\frac{1}{2}"},
    {"2 \\frac{1}{2}", "2.5"},
    {"2\\frac12", "5/2"},
    {"1 3/4", "1.75"},
    {"0.\\overline{3}", "1/3"},
    {"0.1\\overline{36}", "\\frac{3}{22}"},
    {"6.02\\times10^{23}", "602 \\cdot 10^{21}"},
    {"1.5e3", "1500"},
    {"2^{10}", "1024"},
    {"5!", "120"},
    {"\\binom{5}{2}", "10"},
    {"1101_2", "1101_{2}"},
    {"3:2", "\\frac32"},
    {"2 + 2", "4"},
    {"3 + 4 = 7", "7"},
    {"-\\frac{1}{2}", "\\frac{-1}{2}"},
    {"−5", "-5"},
    /* roots, and what is beyond the rationals */
    {"\\sqrt{117}", "3\\sqrt{13}"},
    {"\\frac{1}{\\sqrt{3}}", "\\frac{\\sqrt{3}}{3}"},
    {"\\frac{1}{1+\\sqrt2}", "\\sqrt2-1"},
    {"\\sqrt{5+2\\sqrt{6}}", "\\sqrt3+\\sqrt2"},
    {"\\sqrt{3-2\\sqrt2}", "\\sqrt2-1"},
    {"\\sqrt[3]{-16}", "-2\\sqrt[3]{2}"},
    {"\\sqrt{-4}", "2i"},
    {"(1+i)^2", "2i"},
    {"\\frac{1}{i}", "-i"},
    {"√2·√8", "4"},
    {"2\\pi", "2π"},
    {"\\sin 30^\\circ", "\\frac12"},
    {"\\cos\\frac{\\pi}{6}", "\\frac{\\sqrt{3}}{2}"},
    {"\\log_2 8", "3"},
    {"\\ln 8", "3 \\ln 2"},
    {"e^2 \\cdot e", "e^3"},
    {"|-3|", "3"},
    {"\\sqrt{x^2}", "|x|"},
    {"\\sqrt{x^4}", "x^2"},
    {"e^{i\\pi}", "-1"},
    {"e^{-i\\pi/3}", "\\frac{1-i\\sqrt3}{2}"},
    {"\\lfloor -2.5 \\rfloor", "-3"},
    /* letters */
    {"(x+1)^2", "x^2+2x+1"},
    {"\\frac{x^2-1}{x-1}", "x+1"},
    {"\\frac{a}{b}", "a/b"},
    {"2^{n+1}", "2\\cdot2^n"},
    {"4^n", "2^{2n}"},
    {"\\sqrt{4x+4}", "2\\sqrt{x+1}"},
    {"x_1+x_2", "x_{2}+x_{1}"},
    {"y = 2x+3", "3+2x"},
    {"f(x) = 2x", "2x"},
    {"5x - 7y + 11z + 4 = 0", "-10x+14y-22z=8"},
    {"y=2x+1", "2x-y+1=0"},
    {"2x > 6", "x > 3"},
    {"3 < x", "x > 3"},
    {"-x > 3", "x < -3"},
    {"0 < x \\le 3", "3 \\geq x > 0"},
    /* percentages, units, money, degrees */
    {"50\\%", "50"},
    {"50%", "50 percent"},
    {"5 cm", "5"},
    {"100 cm", "1 m"},
    {"90\\text{ minutes}", "1.5 hours"},
    {"25 square feet", "25\\text{ ft}^2"},
    {"1 m^2", "10000 cm^2"},
    {"7 apples", "7"},
    {"20 \\text{ m/s}", "20"},
    {"20 m/s", "20"},
    {"72 km/h", "72"},
    {"1 egg", "1"},
    {"\\$1,250.00", "1250 dollars"},
    {"$3.50", "3.5"},
    {"50 cents", "\\$0.50"},
    {"2 million", "2000000"},
    {"90^\\circ", "90 degrees"},
    /* several things */
    {"1,2", "2, 1"},
    {"3 and 5", "\\{5, 3\\}"},
    {"\\{1,1,2\\}", "\\{2,1\\}"},
    {"x = 1, x = 2", "1 \\text{ or } 2"},
    {"x = \\pm 3", "-3, 3"},
    {"1 \\pm \\sqrt{2}", "1-\\sqrt2, 1+\\sqrt2"},
    {"\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\pi/2)"},
    {"\\langle 1, 2 \\rangle", "(1,2)"},
    {"[0,1)", "[0, 1)"},
    {"x > 3", "(3,\\infty)"},
    {"0 < x \\le 3", "(0,3]"},
    {"x \\in [1,2]", "[1,2]"},
    {"x < 3 \\text{ or } x \\ge 5", "(-\\infty,3)\\cup[5,\\infty)"},
    {"(3,\\infty) \\cup (-\\infty,2)", "(-\\infty,2)\\cup(3,\\infty)"},
    {"(-∞,2) U (3,∞)", "(-\\infty,2)\\cup(3,\\infty)"},
    {"\\emptyset", "\\{\\}"},
    {"\\begin{pmatrix} 1 & 2 \\\\ 3 & \\frac{8}{2} \\end{pmatrix}",
     "\\begin{bmatrix}1&2\\\\3&4\\end{bmatrix}"},
    /* words */
    {"\\text{Evelyn}", "evelyn"},
    {"No solution.", "\\text{no solution}"},
    {"(C)", "\\text{(C)}"},
    {"C", "\\textbf{(C)}"},
    {"\\text{odd}", "Odd"},
    {"\\text{Bob and Eve}", "Eve, Bob"},
};

static const struct pair different[] = {
    {"5", "-5"},
    {"0.3333", "\\frac{1}{3}"},
    {"1 1/2", "11/2"},
    {"1,234", "1,235"},
    {"\\pi", "3.14159"},
    {"\\sqrt{6}", "2\\sqrt{2}"},
    {"\\sqrt{2}+\\sqrt{3}", "\\sqrt{5}"},
    {"52_8", "52"},
    {"1101_2", "13"},
    {"0.5", "50\\%"},
    {"5 cm", "5 m"},
    {"5 cm", "5 cm^2"},
    {"3 hours", "3 minutes"},
    {"6 m/s", "5"},
    {"x^2+2x", "x^2+2x+1"},
    {"x = 5", "y = 5"},
    {"\\sqrt{x^2}", "x"},
    {"(1,2),(3,4)", "(1,2)\\cup(3,4)"},
    {"x > 3", "x \\ge 3"},
    {"x > 3", "x < 3"},
    {"5x - 7y + 11z + 4 = 0", "5x - 7y + 11z + 5 = 0"},
    {"(1,2)", "(2,1)"},
    {"(1,2)", "(1,2,3)"},
    {"[0,1]", "[0,1)"},
    {"\\{1,2\\}", "\\{1,2,3\\}"},
    {"3", "\\{3,4\\}"},
    {"\\begin{pmatrix} 1 & 2 \\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}"},
    {"even", "odd"},
    {"\\text{Carla}", "\\text{Evelyn}"},
    {"", "5"},
    {"9^{99}", "9^{98}"},
};

static void equal_answers_are_equal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof equal / sizeof *equal; i++)
        expect(equal[i].a, equal[i].b, GRADE_EQUAL);
}

static void different_answers_are_different(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof different / sizeof *different; i++)
        expect(different[i].a, different[i].b, GRADE_DIFFERENT);
}

/* It must never be called right or wrong. */
static void what_cannot_be_worked_out_is_undecided(void **state)
{
    static const struct pair pairs[] = {
        {"9^9^9^9", "5"},
        {"9^{9^{9^9}}", "9^{9^{9^8}}"},
        {"100000!", "1"},
        {"2^{2^{30}}", "7"},
        {"1/0", "2/0"},
        {"\\frac{1}{", "\\frac{2}{"},
        {"(((((", ")))))"},
        {"\\left(\\left(", "4"},
        {"x^{99999}(x+1)^{9999}", "x"},
        {"1e99999", "1e99998"},
        {"\xff\xfe(", "3 +"},
        {"\\binom{99999}{9999}", "3"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        expect(pairs[i].a, pairs[i].b, GRADE_UNDECIDED);
        expect(pairs[i].a, pairs[i].a, GRADE_EQUAL);
    }
}

/* A text of n times `unit`. The caller's. */
static char *repeated(const char *unit, size_t n)
{
    size_t len = strlen(unit);
    char *text = malloc(n * len + 1);
    for (size_t i = 0; i < n; i++)
        memcpy(text + i * len, unit, len);
    text[n * len] = '\0';
    return text;
}

/* Long and deep: this test fails by hanging, or by a stack that runs over. */
static void hostile_answers_end_soon(void **state)
{
    static const struct {
        const char *unit;
        size_t n;
    } rows[] = {
        {"{", 1000000},     {"\\boxed{", 300000},
        {"(", 1900},        {"\\sqrt{", 330},
        {"-", 1900},        {"(1+\\sqrt{2})", 150},
        {"(x+y+z)", 280},   {"9^", 900},
        {"1/", 900},        {"\\frac12", 280},
        {"x,", 950},        {"\\{1,2\\},", 220},
        {"\\text{", 320},   {"1_", 900},
        {"!", 1900},        {"\\sqrt{12345678}+", 120},
        {"(a+b+c)^9", 220}, {"\\begin{matrix}1&", 120},
        {"#", 1000000},     {"answer is ", 100000},
    };
    const char *found;
    size_t n;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = repeated(rows[i].unit, rows[i].n);
        assert_int_equal(compare(text, text), GRADE_EQUAL);
        assert_true(compare(text, "-7.5") != GRADE_EQUAL);
        assert_true(compare("-7.5", text) != GRADE_EQUAL);
        grade_find(text, strlen(text), &found, &n);
        assert_true(found >= text && found + n <= text + strlen(text));
        free(text);
    }
}

/* Properties, on expressions made at random */

struct writer {
    uint64_t random;
    char *out;
    size_t len;
};

static unsigned draw(struct writer *w, unsigned n)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return (unsigned)((w->random >> 33) % n);
}

__attribute__((format(printf, 2, 3))) static void put(struct writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    w->len += (size_t)vsnprintf(w->out + w->len, 1900 - w->len, format, args);
    va_end(args);
}

/* One expression in two texts: operands that may change their places do so in the second. */
static void write_both(struct writer *a, struct writer *b, int depth)
{
    unsigned what = draw(a, depth > 0 ? 9 : 3);
    unsigned n = 1 + draw(a, 12);
    switch (what) {
    case 0:
        put(a, "%u", n);
        put(b, "%u.0", n);
        return;
    case 1:
        put(a, "%c", "xyab"[n % 4]);
        put(b, " %c ", "xyab"[n % 4]);
        return;
    case 2:
        put(a, "\\frac{%u}{%u}", n, 7u);
        put(b, "(%u/%u)", 2 * n, 14u);
        return;
    case 3:
        put(a, "\\sqrt{%u}", 12 * n);
        put(b, "2 sqrt(%u)", 3 * n);
        return;
    default: break;
    }
    struct writer first[2] = {*a, *b}, second[2] = {*a, *b};
    char texts[4][2000] = {""};
    for (int i = 0; i < 2; i++) {
        first[i] = (struct writer){.out = texts[i]};
        second[i] = (struct writer){.out = texts[2 + i]};
    }
    first[0].random = a->random;
    write_both(&first[0], &first[1], depth - 1);
    second[0].random = first[0].random;
    write_both(&second[0], &second[1], depth - 1);
    a->random = second[0].random;
    switch (what) {
    case 4:
    case 5:
        put(a, "%s+(%s)", texts[0], texts[2]);
        put(b, "%s + %s", texts[3], texts[1]);
        return;
    case 6:
        put(a, "%s-\\left(%s\\right)", texts[0], texts[2]);
        put(b, "-(%s) + (%s)", texts[3], texts[1]);
        return;
    case 7:
        put(a, "(%s)(%s)", texts[0], texts[2]);
        put(b, "(%s) \\cdot (%s)", texts[3], texts[1]);
        return;
    default:
        put(a, "\\frac{%s}{1+(%s)^2}", texts[0], texts[2]);
        put(b, "(%s)/((%s)^2+1)", texts[1], texts[3]);
        return;
    }
}

static void rewritten_expressions_stay_equal(void **state)
{
    int decided = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= 600; seed++) {
        char texts[3][2000] = {""};
        struct writer a = {.random = seed * 0x9e3779b97f4a7c15u, .out = texts[0]};
        struct writer b = {.out = texts[1]};
        write_both(&a, &b, 3);
        enum grade grade = compare(texts[0], texts[1]);
        if (grade == GRADE_DIFFERENT)
            fail_msg("seed %d: %s | %s", (int)seed, texts[0], texts[1]);
        assert_int_equal(grade, compare(texts[1], texts[0]));
        decided += grade == GRADE_EQUAL;
        /* One more is another number. */
        snprintf(texts[2], sizeof texts[2], "%.1800s + 1", texts[1]);
        assert_int_not_equal(compare(texts[0], texts[2]), GRADE_EQUAL);
    }
    assert_in_range(decided, 570, 600);
}

/* Except between two numbers. */
static void white_space_means_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof equal / sizeof *equal; i++) {
        char spaced[400] = "";
        size_t n = 0;
        for (const char *c = equal[i].a; *c; c++) {
            if (strchr("+=(){}[],^", *c) && (c == equal[i].a || c[-1] != '\\') && c[1] != '\\')
                n += (size_t)snprintf(spaced + n, sizeof spaced - n, *c == ',' ? "" : "  ");
            spaced[n++] = *c;
        }
        if (strchr(equal[i].a, ',') || strstr(equal[i].a, "begin") || strstr(equal[i].a, "text"))
            continue;
        expect(spaced, equal[i].b, GRADE_EQUAL);
    }
}

/* The final answer */

static void the_final_answer_is_found(void **state)
{
    static const struct {
        const char *text;
        enum grade_place place;
        const char *found;
    } rows[] = {
        {"So \\boxed{3}, no: \\boxed{\\frac{1}{2}}.", GRADE_BOXED, "\\frac{1}{2}"},
        {"\\boxed{4} and \\boxed{unfinished", GRADE_BOXED, "4"},
        {"\\boxed{\\boxed{7}}", GRADE_BOXED, "7"},
        {"\\boxed{}", GRADE_BOXED, ""},
        {"Two and two.\n#### 4\n", GRADE_MARKED, "4"},
        {"The answer is 12 cm. That was it", GRADE_TOLD, "12 cm"},
        {"**Answer:** 3.5", GRADE_TOLD, "3.5"},
        {"It is 3 and then $x = \\sqrt{2}$.", GRADE_LAST, "x = \\sqrt{2}"},
        {"Thus \\(x+1\\)", GRADE_LAST, "x+1"},
        {"17 + 25 = 42.", GRADE_LAST, "42"},
        {"It is 1,234.5 in all", GRADE_LAST, "1,234.5"},
        {"That makes -7", GRADE_LAST, "-7"},
        {"10-7", GRADE_LAST, "7"},
        {"Hm.\nEvelyn.", GRADE_LAST, "Evelyn"},
        {"I only calculate with whole numbers, so that I cannot answer this.", GRADE_NOWHERE, ""},
        {"", GRADE_NOWHERE, ""},
        {" \n", GRADE_NOWHERE, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *found;
        size_t n;
        enum grade_place place = grade_find(rows[i].text, strlen(rows[i].text), &found, &n);
        if (place != rows[i].place || n != strlen(rows[i].found) ||
            memcmp(found, rows[i].found, n) != 0)
            fail_msg("%s: %d, %.*s", rows[i].text, (int)place, (int)n, found);
    }
}

/* Outside pairs and problems */

static FILE *fixture(const char *name)
{
    const char *folder = getenv("DUET_FIXTURES");
    char path[1024];
    if (!folder || !*folder)
        skip();
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("cannot open %s", path);
    return f;
}

static json_t *next_row(FILE *f)
{
    return json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL);
}

/* All as a mathematician labels them; the nine that another grader labels otherwise included: it
 * does not work out 2+2, 2^3, 2/4, 7/1, sqrt(16) or (x+1)/2, takes sets in order, and knows neither
 * "90 degrees" nor "2 million". */
static void outside_pairs_are_graded_right(void **state)
{
    FILE *f = fixture("answers/equivalence.jsonl");
    json_t *row;
    int n = 0;
    (void)state;
    for (; (row = next_row(f)); n++) {
        const char *given = json_string_value(json_object_get(row, "given"));
        const char *truth = json_string_value(json_object_get(row, "truth"));
        bool right = json_is_true(json_object_get(row, "math_equal"));
        expect(given, truth, right ? GRADE_EQUAL : GRADE_DIFFERENT);
        json_decref(row);
    }
    fclose(f);
    assert_int_equal(n, 94);
}

/* Each is equal to itself in a box and in another setting, and to no other text among them. */
static void outside_answers_are_understood(void **state)
{
    static const char *const names[] = {"math100.jsonl", "gsm8k100.jsonl"};
    (void)state;
    for (int k = 0; k < 2; k++) {
        FILE *f = fixture(names[k]);
        char *answers[100];
        size_t n = 0, len;
        for (json_t *row; (row = next_row(f)); json_decref(row))
            answers[n++] = strdup(json_string_value(json_object_get(row, "answer")));
        fclose(f);
        assert_int_equal(n, 100);
        for (size_t i = 0; i < n; i++) {
            char said[400];
            const char *found;
            snprintf(said, sizeof said, "Thus \\boxed{ \\displaystyle %s }.", answers[i]);
            assert_int_equal(grade_find(said, strlen(said), &found, &len), GRADE_BOXED);
            assert_int_equal(grade_compare(found, len, answers[i], strlen(answers[i])),
                             GRADE_EQUAL);
            for (size_t j = 0; j < i; j++)
                expect(answers[i], answers[j],
                       strcmp(answers[i], answers[j]) == 0 ? GRADE_EQUAL : GRADE_DIFFERENT);
        }
        for (size_t i = 0; i < n; i++)
            free(answers[i]);
    }
}

int test_grade(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_answers_are_equal),
        cmocka_unit_test(different_answers_are_different),
        cmocka_unit_test(what_cannot_be_worked_out_is_undecided),
        cmocka_unit_test(hostile_answers_end_soon),
        cmocka_unit_test(rewritten_expressions_stay_equal),
        cmocka_unit_test(white_space_means_nothing),
        cmocka_unit_test(the_final_answer_is_found),
        cmocka_unit_test(outside_pairs_are_graded_right),
        cmocka_unit_test(outside_answers_are_understood),
    };
    return cmocka_run_group_tests_name("grade", tests, NULL, NULL);
}
