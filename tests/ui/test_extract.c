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

typedef char *taker(const struct ui *u, int64_t id, size_t n, size_t *len_out);

static void check(const struct term *t, taker *take, int64_t id, size_t n, const char *expected)
{
    size_t len = 0;
    char *got = take(t->ui, id, n, &len);
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
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    check(&t, ui_message_code, 1, 0, NULL);
    ui_message_begin(t.ui, 1, UI_ASSISTANT, "m");
    check(&t, ui_message_code, 1, 0, NULL);
    say(&t, 1, UI_ANSWER,
        "Do `this`:\n\n1. first\n   ```c\n   if (x)\n     y();\n   ```\n2. then\n\n```\n\nb\n\n```\n\n"
        "~~~py\nopen");
    check(&t, ui_message_code, 1, 0, "if (x)\n  y();");
    check(&t, ui_message_code, 1, 1, "\nb\n");
    check(&t, ui_message_code, 1, 2, "open");
    check(&t, ui_message_code, 1, 3, NULL);
    check(&t, ui_message_code, 2, 0, NULL);
    term_close(&t);
}

static void math_comes_as_it_was_written(void **state)
{
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    ui_message_begin(t.ui, 1, UI_ASSISTANT, "m");
    say(&t, 1, UI_ANSWER, "So \\(x^2\\) and\n\n\\[\n\\frac{1}{2}\n\\]\n\nfor $$y$$.");
    check(&t, ui_message_math, 1, 0, "x^2");
    check(&t, ui_message_math, 1, 1, "\n\\frac{1}{2}\n");
    check(&t, ui_message_math, 1, 2, "y");
    check(&t, ui_message_math, 1, 3, NULL);
    term_close(&t);
}

/* What was thought is taken only where nothing of the kind was said. */
static void the_answer_comes_before_the_reasoning(void **state)
{
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    ui_message_begin(t.ui, 1, UI_ASSISTANT, "m");
    say(&t, 1, UI_REASONING, "```\nthought\n```\n\\(t\\)");
    check(&t, ui_message_code, 1, 0, "thought");
    say(&t, 1, UI_ANSWER, "```\nsaid\n```\n");
    check(&t, ui_message_code, 1, 0, "said");
    check(&t, ui_message_code, 1, 1, NULL);
    check(&t, ui_message_math, 1, 0, "t");
    term_close(&t);
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
    term_type(&t, "[[");
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
        cmocka_unit_test(the_answer_comes_before_the_reasoning),
        cmocka_unit_test(the_chosen_message_is_the_marked_or_the_latest),
    };
    return cmocka_run_group_tests_name("extract", tests, NULL, NULL);
}
