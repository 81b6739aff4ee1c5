/*
 * test_keymap.c: the table of keys against itself.
 */
#include "tests.h"

#include "ui/keymap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct key key_of(const char *name)
{
    struct key key;
    assert_true(keymap_parse(&name, &key));
    assert_int_equal(*name, '\0');
    return key;
}

static void names_are_read(void **state)
{
    static const struct {
        const char *name;
        uint32_t code;
        unsigned mods;
    } rows[] = {
        {"a", 'a', 0},          {"C-x", 'x', KEY_CTRL},
        {"M-<", '<', KEY_ALT},  {"C-M-Left", KEY_LEFT, KEY_CTRL | KEY_ALT},
        {"F1", KEY_F1, 0},      {"F12", KEY_F12, 0},
        {"Space", ' ', 0},      {"-", '-', 0},
        {"C--", '-', KEY_CTRL}, {",", ',', 0},
        {"?", '?', 0},          {"S-Tab", KEY_TAB, KEY_SHIFT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct key key = key_of(rows[i].name);
        assert_int_equal(key.code, rows[i].code);
        assert_int_equal(key.mods, rows[i].mods);
    }
    static const char *const wrong[] = {"", "X-a", "F13", "F0x", "Entry", "C-"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *name = wrong[i];
        struct key key;
        assert_false(keymap_parse(&name, &key) && *name == '\0' && i != 5);
    }
}

static void every_binding_is_found_and_none_twice(void **state)
{
    struct keymap map;
    (void)state;
    keymap_init(&map);
    for (size_t i = 0; i < map.n; i++) {
        const struct keymap_binding *b = &map.bindings[i];
        bool two = b->key[1].code != 0;
        if (two)
            assert_int_equal(keymap_lookup(&map, b->place, NULL, b->key[0]), ACT_PREFIX);
        assert_int_equal(keymap_lookup(&map, b->place, two ? &b->key[0] : NULL, b->key[two]),
                         b->action);
        for (size_t j = i + 1; j < map.n; j++)
            assert_false(map.bindings[j].place == b->place &&
                         memcmp(map.bindings[j].key, b->key, sizeof b->key) == 0);
    }
}

static void a_place_goes_before_everywhere(void **state)
{
    struct keymap map;
    struct key prefix = key_of("C-x");
    (void)state;
    keymap_init(&map);
    assert_int_equal(keymap_lookup(&map, IN_COMPOSER, NULL, key_of("PgUp")), ACT_PAGE_UP);
    assert_int_equal(keymap_lookup(&map, IN_LIST, NULL, key_of("PgUp")), ACT_ROWS_UP);
    assert_int_equal(keymap_lookup(&map, IN_COMPOSER, &prefix, key_of("m")), ACT_MODELS);
    assert_int_equal(keymap_lookup(&map, IN_COMPOSER, &prefix, key_of("C-e")), ACT_EDITOR);
    assert_int_equal(keymap_lookup(&map, IN_LIST, &prefix, key_of("C-e")), ACT_NONE);
    assert_int_equal(keymap_lookup(&map, IN_COMPOSER, NULL, key_of("m")), ACT_NONE);
}

static void every_action_has_a_key_and_a_help(void **state)
{
    (void)state;
    for (int action = ACT_INTERRUPT; action <= ACT_ERASE; action++) {
        const struct keymap_row *row = keymap_table();
        while (row->keys && (int)row->action != action)
            row++;
        assert_non_null(row->keys);
        assert_true(strlen(row->help) > 0 && strlen(row->help) <= 48);
        assert_true(strlen(row->keys) <= 24);
    }
}

int test_keymap(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read),
        cmocka_unit_test(every_binding_is_found_and_none_twice),
        cmocka_unit_test(a_place_goes_before_everywhere),
        cmocka_unit_test(every_action_has_a_key_and_a_help),
    };
    return cmocka_run_group_tests_name("keymap", tests, NULL, NULL);
}
