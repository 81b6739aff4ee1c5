/*
 * test_list.c: rows to choose from.
 */
#include "tests.h"

#include "ui/panes/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ui_row rows[] = {
    {10, "Apples", "today"}, {20, "Äpfel", NULL}, {30, NULL, "x"}, {40, "pineapple", NULL}};

static int set_up(void **state)
{
    struct list *l = malloc(sizeof *l);
    list_init(l);
    assert_true(list_set(l, rows, 4, 20));
    *state = l;
    return 0;
}

static int tear_down(void **state)
{
    list_done(*state);
    free(*state);
    return 0;
}

static int64_t chosen(const struct list *l)
{
    int64_t id = -1;
    return list_chosen(l, &id) ? id : -1;
}

static void it_starts_on_the_current_row_and_stops_at_the_ends(void **state)
{
    struct list *l = *state;
    assert_int_equal(chosen(l), 20);
    list_move(l, -1);
    list_move(l, -1);
    assert_int_equal(chosen(l), 10);
    list_move(l, INT32_MAX);
    assert_int_equal(chosen(l), 40);
}

static void typing_narrows_it(void **state)
{
    struct list *l = *state;
    list_type(l, "APPLE", 5);
    assert_int_equal(l->n_shown, 2);
    assert_int_equal(chosen(l), 10);
    list_move(l, 1);
    assert_int_equal(chosen(l), 40);
    list_type(l, "z", 1);
    assert_int_equal(chosen(l), -1);
    for (int i = 0; i < 9; i++)
        list_erase(l);
    assert_int_equal(l->n_shown, 4);
    list_type(l, "ä", 2);
    assert_int_equal(chosen(l), 20);
    list_erase(l); /* a character, not a byte */
    assert_int_equal(l->filter.len, 0);
}

static void new_rows_keep_the_selection(void **state)
{
    struct list *l = *state;
    list_select(l, 40);
    assert_true(list_set(l, rows + 1, 3, 20));
    assert_int_equal(chosen(l), 40);
    assert_true(list_set(l, rows, 2, 10));
    assert_int_equal(chosen(l), 20); /* the row that stands in its place, or the last */
    assert_true(list_set(l, NULL, 0, -1));
    assert_int_equal(chosen(l), -1);
    list_move(l, 5);
    list_move(l, -5);
    assert_int_equal(chosen(l), -1);
}

static void others_may_do_the_narrowing(void **state)
{
    struct list *l = *state;
    l->narrowed = true;
    list_type(l, "apple", 5);
    assert_int_equal(l->n_shown, 4);
    assert_true(list_set(l, rows + 2, 2, 20));
    assert_int_equal(l->n_shown, 2);
    assert_int_equal(chosen(l), 30); /* the first of the new ones */
    list_move(l, 1);
    assert_true(list_set(l, rows, 4, 20));
    assert_int_equal(chosen(l), 40);
    assert_string_equal(list_chosen_title(l), "pineapple");
    list_clear_filter(l);
    assert_true(list_set(l, rows, 4, 20));
    assert_int_equal(chosen(l), 20);
}

static void the_selected_row_is_in_sight(void **state)
{
    struct list *l = *state;
    struct grid g = {0};
    static struct ui_row many[1000];
    for (int i = 0; i < 1000; i++)
        many[i] = (struct ui_row){i, "row", "detail"};
    assert_true(list_set(l, many, 1000, 500));
    grid_resize(&g, 10, 60);
    for (int step = -700; step <= 700; step += 100) {
        list_select(l, 500);
        list_move(l, step);
        grid_clear(&g);
        list_draw(l, &g, (struct area){0, 0, 10, 60}, true);
        int found = 0;
        for (int row = 0; row < 10; row++)
            found += grid_at(&g, row, 0)->style == STYLE_SELECTED;
        assert_int_equal(found, 1);
    }
    list_move(l, INT32_MAX);
    list_draw(l, &g, (struct area){0, 0, 3, 60}, true);
    list_draw(l, &g, (struct area){0, 0, 10, 60}, true);
    assert_int_equal(l->top, 990); /* a taller window is full, too */
    grid_free(&g);
}

/* A title has the columns of details only to leave free where it has one. */
static void a_title_alone_has_the_whole_row(void **state)
{
    static const struct ui_row two[] = {{1, "a title of some twenty-nine cols", "ten columns"},
                                        {2, "a title of some twenty-nine cols", NULL}};
    struct list *l = *state;
    struct grid g = {0};
    assert_true(list_set(l, two, 2, 1));
    grid_resize(&g, 2, 42);
    list_draw(l, &g, (struct area){0, 0, 2, 42}, false);
    assert_int_equal(grid_at(&g, 0, 3 + 24)->cp[0], 0x2026);
    assert_int_equal(grid_at(&g, 1, 3 + 31)->cp[0], 's');
    grid_free(&g);
}

int test_list(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(it_starts_on_the_current_row_and_stops_at_the_ends),
        TEST(typing_narrows_it),
        TEST(new_rows_keep_the_selection),
        TEST(others_may_do_the_narrowing),
        TEST(the_selected_row_is_in_sight),
        TEST(a_title_alone_has_the_whole_row),
    };
#undef TEST
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
