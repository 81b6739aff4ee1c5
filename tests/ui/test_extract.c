/*
 * test_extract.c: what /copy takes out of a message.
 */
#include "term.h"
#include "tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef char *taker(const char *text, size_t len, size_t n, size_t *len_out);

static void check(taker *take, const char *text, size_t n, const char *expected)
{
    size_t len = 0;
    char *got = take(text, strlen(text), n, &len);
    if (!expected) {
        assert_null(got);
        return;
    }
    assert_non_null(got);
    assert_string_equal(got, expected);
    assert_int_equal(len, strlen(expected));
    free(got);
}

static void say(struct term *t, int64_t id, enum ui_text kind, const char *text)
{
    ui_message_append(t->ui, id, kind, text, strlen(text));
}

static void code_comes_without_its_fence(void **state)
{
    static const char text[] = "Do `this`:\n\n1. first\n   ```c\n   if (x)\n     y();\n   ```\n2. "
                               "then\n\n```\n\nb\n\n```\n\n~~~py\nopen";
    (void)state;
    check(ui_code_in, "", 0, NULL);
    check(ui_code_in, text, 0, "if (x)\n  y();");
    check(ui_code_in, text, 1, "\nb\n");
    check(ui_code_in, text, 2, "open");
    check(ui_code_in, text, 3, NULL);
}

static void math_comes_as_it_was_written(void **state)
{
    static const char text[] = "So \\(x^2\\) and\n\n\\[\n\\frac{1}{2}\n\\]\n\nfor $$y$$.";
    (void)state;
    check(ui_math_in, text, 0, "x^2");
    check(ui_math_in, text, 1, "\n\\frac{1}{2}\n");
    check(ui_math_in, text, 2, "y");
    check(ui_math_in, text, 3, NULL);
}

/* As the screen draws it, for those who have none. */
static void a_formula_is_drawn(void **state)
{
    static const struct {
        const char *text, *rows;
        bool display;
    } rows[] = {
        {"$x^2+1$", "x² + 1\n", false},
        {"\\(\\frac{1}{2}\\)", "1/2\n", false},
        {"$$\\frac{a}{b}$$", " a \n───\n b \n", true},
        {"$x", NULL, false},
        {"no formula", NULL, false},
        {"", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool display = true;
        char *drawn = ui_formula_rows(rows[i].text, strlen(rows[i].text), &display);
        if (!rows[i].rows)
            assert_null(drawn);
        else
            assert_string_equal(drawn, rows[i].rows);
        assert_int_equal(display, rows[i].display);
        free(drawn);
    }
}

static void steps_are_counted(void **state)
{
    static const char text[] = "First 3 + 4 = 7.\n\nThen 7 * 2 = 14. Wait, that is wrong.\n";
    (void)state;
    assert_int_equal(ui_steps_in("", 0), 0);
    assert_int_equal(ui_steps_in("One.", 4), 1);
    assert_int_equal(ui_steps_in(text, sizeof text - 1), 3);
}

static void the_chosen_message_is_the_marked_or_the_latest(void **state)
{
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    assert_int_equal(ui_message_chosen(t.ui), 0);
    for (int id = 1; id <= 4; id++) {
        ui_message_begin(t.ui, id, id % 2 ? UI_USER : UI_ASSISTANT, "m");
        say(&t, id, UI_ANSWER, "text");
    }
    ui_message_begin(t.ui, 5, UI_USER, "You");
    assert_int_equal(ui_message_chosen(t.ui), 4);
    term_turn(&t);
    term_type(&t, "\t");
    term_type(&t, "KK");
    assert_int_equal(ui_message_chosen(t.ui), 3);
    term_type(&t, "\t");
    assert_int_equal(ui_message_chosen(t.ui), 4);
    term_close(&t);
}

int test_extract(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(code_comes_without_its_fence),
        cmocka_unit_test(math_comes_as_it_was_written),
        cmocka_unit_test(a_formula_is_drawn),
        cmocka_unit_test(steps_are_counted),
        cmocka_unit_test(the_chosen_message_is_the_marked_or_the_latest),
    };
    return cmocka_run_group_tests_name("extract", tests, NULL, NULL);
}
