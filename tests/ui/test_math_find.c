/*
 * test_math_find.c: where formulas are found in a text, and where they are not.
 */
#include "tests.h"

#include "ui/math/math.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The formulas of a text, set apart by '|': i: inline, d: display, with a + where it is open. */
static char *found(const char *text)
{
    static char out[1024];
    struct math_span span = {0};
    size_t len = strlen(text), at = 0;
    out[0] = '\0';
    for (size_t from = 0; math_find(text, len, from, &span); from = span.end) {
        assert_true(span.start >= from && span.end > span.start && span.end <= len);
        assert_true(span.tex >= span.start && span.tex + span.tex_len <= span.end);
        assert_true(!span.open || span.end == len);
        at += (size_t)snprintf(out + at, sizeof out - at, "%s%c%s:%.*s", at ? "|" : "",
                               span.style == MATH_INLINE ? 'i' : 'd', span.open ? "+" : "",
                               (int)span.tex_len, text + span.tex);
    }
    return out;
}

static const struct {
    const char *text, *found;
} rows[] = {
    /* each kind of delimiter */
    {"so $x^2$ and $y$.", "i:x^2|i:y"},
    {"$$x = 1$$", "d:x = 1"},
    {"is \\(a + b\\), then\n\\[\nc\n\\]\n", "i:a + b|d:\nc\n"},
    {"\\boxed{42}", "d:\\boxed{42}"},
    {"The answer is \\boxed{\\frac{1}{2}}.", "i:\\boxed{\\frac{1}{2}}"},
    {"\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}\n",
     "d:\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}"},
    {"$$\\begin{pmatrix} 1 \\\\[4pt] 2 \\end{pmatrix}$$",
     "d:\\begin{pmatrix} 1 \\\\[4pt] 2 \\end{pmatrix}"},
    {"\\begin{itemize}\\item x\\end{itemize}", ""},
    {"the $n$th term of $ x + 1 $", "i:n|i: x + 1 "},
    {"若$x$是", "i:x"},
    {"$\\text{price is \\$5 and more}$", "i:\\text{price is \\$5 and more}"},
    {"$f(x) dx = 3$ and $PV = nRT$, $ABC$", "i:f(x) dx = 3|i:PV = nRT|i:ABC"},
    {"$distance = speed \\times time$", "i:distance = speed \\times time"},
    {"$12$ apples, $1,000$ pears", "i:12|i:1,000"},
    {"a $x$\nb $y\n+ z$", "i:x|i:y\n+ z"},

    /* money */
    {"It costs $5 and $10.", ""},
    {"$5-$10, $5/$10, $5+$6", ""},
    {"I paid $5, or 5$ maybe", ""},
    {"$3. He paid 4$.", ""},
    {"US$5 and A$6", ""},
    {"from $20K to $30K a year", ""},
    {"$5 + $10 = $15", ""},
    {"I have $ 5 + tax and $ 10", ""},
    {"$100 million and $200 million", ""},
    {"only $5", ""},
    {"\\$5 and \\$6", ""},
    {"$5 is the price of $x$ apples", "i:x"},
    {"if $x$ costs $5, then $2x$ costs $10", "i:x|i:2x"},
    {"$", ""},
    {"$$", "d+:"},
    {"$$$$", ""},

    /* shell and code */
    {"echo $HOME and $PATH", ""},
    {"`$x$` and ``a ` $y$ `` and $z$", "i:z"},
    {"```\n$x$\n```\n$y$", "i:y"},
    {"~~~sh\necho $x$\n~~~\n\\(y\\)", "i:y"},
    {"```\n$x$ never closed", ""},
    {"an ` alone, $x$", "i:x"},

    /* what a blank line ends was none */
    {"$a\n\nb$", ""},
    {"\\(a\n\nb\\) \\(c\\)", "i:c"},
    {"\\boxed{a\n\n}", ""},
    {"\\begin{align}a\n\n\\end{align}", ""},
    {"\\\\(a\\\\) \\\\[b\\\\]", ""},
    {"\\(a \\(b\\)", "i:b"},

    /* still streaming */
    {"so \\(x +", "i+:x +"},
    {"so \\[x + 1\\", "d+:x + 1"},
    {"so $$x + \\frac{1", "d+:x + \\frac{1"},
    {"so $$x$", "d+:x"},
    {"so $x^2 + ", "i+:x^2 + "},
    {"so $\\frac", "i+:\\frac"},
    {"it is $5", ""},
    {"it is $5^2", "i+:5^2"},
    {"\\boxed{\\frac{1}", "d+:\\boxed{\\frac{1}"},
    {"\\begin{align} x", "d+:\\begin{align} x"},
    {"$x$ and \\", "i:x"},
};

static void formulas_are_found_and_money_is_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(found(rows[i].text), rows[i].found) != 0)
            fail_msg("in \"%s\" found \"%s\", not \"%s\"", rows[i].text, found(rows[i].text),
                     rows[i].found);
}

/* However a text is cut, what is found before the cut's formula stays what it was. */
static void a_text_that_grows_keeps_what_was_found(void **state)
{
    static const char text[] = "So $x^2$ is \\(a\\), $$\\frac{1}{2}$$ at $5 each, and "
                               "\\boxed{7}.\n\\begin{cases}a\\\\b\\end{cases}";
    (void)state;
    for (size_t len = 0; len < sizeof text; len++) {
        struct math_span part, whole;
        size_t from = 0;
        while (math_find(text, len, from, &part) && !part.open) {
            assert_true(math_find(text, sizeof text - 1, from, &whole));
            assert_int_equal(part.start, whole.start);
            assert_int_equal(part.end, whole.end);
            from = part.end;
        }
    }
}

/* Text that would take forever, were any part of it read again and again. */
static void hostile_text_is_read_in_one_go(void **state)
{
    static const char *const pieces[] = {
        "$", "$a ", "\\(",      "\\[",   "$$ ",       "\\boxed{", "\\begin{align}",
        "`", "` `", "\\(\\[$$", "$5 a ", "\\boxed{$", "```\n",    "\\begin{cases}\\boxed{",
    };
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE + 32);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        struct math_span span;
        size_t len = 0, n = strlen(pieces[i]);
        for (; len < SIZE; len += n)
            memcpy(text + len, pieces[i], n);
        for (size_t from = 0; math_find(text, len, from, &span); from = span.end)
            assert_true(span.end > from);
    }
    free(text);
}

int test_math_find(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_are_found_and_money_is_not),
        cmocka_unit_test(a_text_that_grows_keeps_what_was_found),
        cmocka_unit_test(hostile_text_is_read_in_one_go),
    };
    return cmocka_run_group_tests_name("math_find", tests, NULL, NULL);
}
