/*
 * test_steps.c: where steps begin, in the texts that models write, whatever the pieces they come
 * in.
 */
#include "tests.h"

#include "ui/transcript/steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A text with a mark where each step begins: | one that follows, ¦ one apart, ~ one that takes
 * back. */
static void check(const char *marked)
{
    char text[4096], got[8192];
    size_t n = 0, at = 0, out = 0;
    for (const char *c = marked; *c; c++) {
        if (memcmp(c, "¦", 2) == 0)
            c++;
        else if (*c != '|' && *c != '~')
            text[n++] = *c;
    }
    text[n] = '\0';
    for (size_t piece = 1; piece <= n; piece = piece * 3 + 1) {
        struct steps s = {0};
        for (size_t len = 0; len < n;) {
            size_t known = s.known;
            len = len + piece < n ? len + piece : n;
            assert_true(steps_scan(&s, text, len, len == n));
            assert_true(s.known >= known && s.known <= len && len - s.known < 40);
        }
        assert_int_equal(s.known, n);
        at = out = 0;
        for (size_t i = 0; i <= s.n; i++) {
            size_t end = i < s.n ? s.at[i].start : n;
            out += (size_t)sprintf(got + out, "%.*s", (int)(end - at), text + at);
            if (i < s.n)
                out += (size_t)sprintf(got + out, "%s%s", s.at[i].back_track ? "~" : "",
                                       s.at[i].apart        ? "¦"
                                       : s.at[i].back_track ? ""
                                                            : "|");
            at = end;
        }
        assert_string_equal(got, marked);
        steps_done(&s);
    }
}

static void paragraphs_are_steps(void **state)
{
    (void)state;
    check("|Okay, so I need to find 15% of 240. Percent means per hundred.\n\n"
          "¦First, let me write it as a fraction. So that is 15/100.\n\n"
          "¦Therefore the result should be 36.\n");
    check("|One\n\n\n\n¦Two\n");
    check("\n\n|  One");
    check("|首先，我需要计算。\n\n¦然后，得到结果。");
    check("|one long line that ends without an end");
}

static void what_only_continues_is_none(void **state)
{
    (void)state;
    check("|So, the sum is:\n\n\\[\nx = 1\n\nY = 2\n\\]\n\n¦Then I divide.\n");
    check("|We get\n\n$$\nx = 1\n\nY\n$$\n\n¦Then \\(x\\) is 2.\n");
    check(
        "|Let me define it,\n\nwhere x is the length\n\n- one\n- two\n\n> quoted\n\n¦So it is.\n");
    check("|The parts are:\n\nTotal = 5\n");
    check("|Code:\n\n```\nFor example\n\nAnother line\n```\n\n¦After it.\n");
    check("|Line\n  Indented line\n");
}

static void lines_that_begin_something_are_steps(void **state)
{
    (void)state;
    check("|We go on:\n|Step 1: add\n|Step 2: divide\n|1. one\n|2) two\n|12. twelve\n");
    check("|# Plan\n|**First part** do\n|Second part\n");
    /* As the small demo model writes on its board. */
    check("|345 × 27 = 345 × 20 + 345 × 7\n|345 × 2:\nones: 5 × 2 = 10, write 0, carry 1\n"
          "tens: 4 × 2 = 8, 8 + 1 = 9\n|345 × 2 = 690\n|345 × 20 = 6900\n");
    check(
        "|3x + 5 = 20\n|3x = 20 - 5\n|20 - 5:\nones: 0 - 5\n|20 - 5 = 15\n|3x = 15\n|x = 15 ÷ 3\n");
    check("|The others:\n12 - 7:\nones: 2 - 7, borrow: 12 - 7 = 5\n|12 - 7 = 5\n");
}

static void taking_back_is_seen(void **state)
{
    static const char *const first[] = {
        "Wait,",
        "Wait.",
        "Wait—",
        "Hmm,",
        "Hmmm...",
        "Hm.",
        "Hold on.",
        "Actually, it",
        "No, that",
        "no, that's wrong",
        "Oops,",
        "But wait, is it",
        "So wait a moment",
        "Oh wait",
        "Oh, wait.",
        "Let me re-check",
        "Let me recheck",
        "let me double-check",
        "But let me double check",
        "That's not right.",
        "That’s wrong",
        "That can’t be",
        "I made a mistake",
        "Scratch that.",
        "On second thought, x",
        "Okay, so wait",
    };
    static const char *const not_one[] = {
        "Waiting for it", "Actuality",    "Now, 5 and 6", "Note that", "So the waiter",
        "But later",      "Let me check", "Hundred",      "Nothing",   "Home",
    };
    (void)state;
    check("|The result is 5.\n\n~¦Wait, that is wrong.\n\n¦It should be 6.\n");
    check("|It is 5.\n~Wait, no.\n");
    check("|So x = 4. ~Wait, that's wrong. It is 5. ~Hmm, is it? Yes! ~Actually, no.\n");
    check("|Wait, what is asked?\n\n¦The sum.\n"); /* nothing to take back yet */
    check("|I wait. Then no more.\n");
    check("|See p. ~Wait");
    check("|Wai");
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        char text[128];
        snprintf(text, sizeof text, "|It is so.\n\n~¦%s\n", first[i]);
        check(text);
        snprintf(text, sizeof text, "|It is so. ~%s", first[i]);
        check(text);
    }
    for (size_t i = 0; i < sizeof not_one / sizeof *not_one; i++) {
        char text[128];
        snprintf(text, sizeof text, "|It is so. %s\n", not_one[i]);
        check(text);
    }
}

/* Nothing that is written makes it slow, or lose its place. */
static void hostile_texts_are_walked_through(void **state)
{
    static const char alphabet[] = "aW \n\n:.1$\\[]`#*~\t(\xe2\x80\x99";
    unsigned seed = 5;
    (void)state;
    for (int round = 0; round < 300; round++) {
        char text[600];
        size_t n = sizeof text, len = 0;
        struct steps s = {0}, whole = {0};
        for (size_t i = 0; i < n; i++)
            text[i] = alphabet[(size_t)rand_r(&seed) % (sizeof alphabet - 1)];
        while (len < n) {
            len += 1 + (size_t)rand_r(&seed) % 9;
            len = len < n ? len : n;
            assert_true(steps_scan(&s, text, len, len == n));
        }
        assert_true(steps_scan(&whole, text, n, true));
        assert_int_equal(s.n, whole.n);
        for (size_t i = 0; i < s.n; i++)
            assert_int_equal(s.at[i].start, whole.at[i].start);
        assert_int_equal(s.n_back_tracks, whole.n_back_tracks);
        steps_done(&s);
        steps_done(&whole);
    }
    enum { MANY = 100000 };
    char *lines = malloc(2 * MANY);
    struct steps s = {0};
    for (size_t i = 0; i < MANY; i++)
        memcpy(lines + 2 * i, "A\n", 2);
    assert_true(steps_scan(&s, lines, 2 * MANY, true));
    assert_int_equal(s.n, STEPS_MAX);
    assert_int_equal(s.known, 2 * MANY);
    steps_done(&s);
    free(lines);
}

static void check_boxed(const char *text, const char *result)
{
    struct boxed b = {0};
    for (size_t n = 1; n <= strlen(text); n++)
        boxed_scan(&b, text, n);
    assert_int_equal(b.len, strlen(result));
    assert_memory_equal(text + b.at, result, b.len);
}

static void the_last_result_is_found(void **state)
{
    char text[4000];
    (void)state;
    check_boxed("so \\boxed{42}.", "42");
    check_boxed("\\boxed{\\frac{1}{2}} or \\boxed{x_{1} = {3}}", "x_{1} = {3}");
    check_boxed("\\boxed{1} and \\boxed{2", "1");
    check_boxed("\\boxed", "");
    check_boxed("\\boxed{}", "");
    memset(text, 'x', sizeof text);
    memcpy(text, "\\boxed{", 7); /* never closed */
    strcpy(text + sizeof text - 12, "\\boxed{7}");
    check_boxed(text, "7");
}

int test_steps(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paragraphs_are_steps),
        cmocka_unit_test(what_only_continues_is_none),
        cmocka_unit_test(lines_that_begin_something_are_steps),
        cmocka_unit_test(taking_back_is_seen),
        cmocka_unit_test(hostile_texts_are_walked_through),
        cmocka_unit_test(the_last_result_is_found),
    };
    return cmocka_run_group_tests_name("steps", tests, NULL, NULL);
}
