/*
 * test_keymap.c: the table of keys against itself.
 */
#include "tests.h"

#include "ui/keys/keymap.h"
#include "ui/keys/keyname.h"
#include "ui/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct key key_of(const char *name)
{
    struct key key;
    assert_true(keyname_parse(&name, &key));
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
        {"C-O", 'o', KEY_CTRL}, {"Ctrl-o", 'o', KEY_CTRL},
        {"S-a", 'A', 0},        {"Alt-PageUp", KEY_PAGE_UP, KEY_ALT},
        {"C-i", KEY_TAB, 0},    {"C-m", KEY_ENTER, 0},
        {"é", 0xe9, 0},         {"escape", KEY_ESC, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct key key = key_of(rows[i].name);
        assert_int_equal(key.code, rows[i].code);
        assert_int_equal(key.mods, rows[i].mods);
    }
    static const char *const wrong[] = {"", "X-a", "F13", "F0x", "Entry", "C-", "\001", "\xff"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *name = wrong[i];
        struct key key;
        assert_false(keyname_parse(&name, &key) && *name == '\0');
    }
}

static void names_are_written_as_they_are_read(void **state)
{
    static const char *const names[] = {"C-x",   "M-<",   "C-M-Left", "F12",
                                        "Space", "S-Tab", "é",        ","};
    char name[KEYNAME_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        keyname_print(key_of(names[i]), false, name);
        assert_string_equal(name, names[i]);
    }
    keyname_print(key_of("C-M-x"), true, name);
    assert_string_equal(name, "Ctrl-Alt-X");
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

/* What works everywhere works while one writes too: no key of the composer takes it away. */
static void writing_hides_nothing(void **state)
{
    struct keymap map;
    (void)state;
    keymap_init(&map);
    for (size_t i = 0; i < map.n; i++)
        for (size_t k = 0; k < map.n; k++) {
            const struct keymap_binding *a = &map.bindings[i], *b = &map.bindings[k];
            if (a->place == IN_ALL && b->place == IN_COMPOSER)
                assert_memory_not_equal(a->key, b->key, sizeof a->key);
        }
}

static void every_action_has_a_key_and_a_help(void **state)
{
    (void)state;
    for (int action = ACT_INTERRUPT; action <= ACT_ERASE; action++) {
        const struct keymap_row *row = keymap_table();
        while (row->keys && (int)row->action != action)
            row++;
        assert_non_null(row->keys);
        assert_true(strlen(row->help) > 0 && strlen(row->help) <= 46);
        assert_true(strlen(row->keys) <= 24);
    }
}

/* Binding */

static int bind(struct keymap *map, const char *place, const char *name, const char *keys)
{
    char err[240] = "";
    struct keymap before = *map;
    int status = keymap_bind(map, place, name, keys, err, sizeof err);
    assert_true((status != 0) == (err[0] != '\0'));
    if (status != 0)
        assert_memory_equal(&before, map, sizeof before);
    return status;
}

static void assert_keys(const struct keymap *map, enum keymap_place place,
                        enum keymap_action action, const char *expected)
{
    char keys[KEYMAP_KEYS_MAX];
    keymap_keys(map, place, action, keys);
    assert_string_equal(keys, expected);
}

static void actions_get_other_keys(void **state)
{
    struct keymap map;
    (void)state;
    keymap_init(&map);
    assert_keys(&map, IN_ALL, ACT_FOLD_ALL, "C-o");
    assert_int_equal(bind(&map, "", "fold-all", "F5,C-x  f , C-o"), 0);
    assert_keys(&map, IN_ALL, ACT_FOLD_ALL, "F5, C-x f, C-o");
    assert_int_equal(keymap_lookup(&map, IN_COMPOSER, NULL, key_of("F5")), ACT_FOLD_ALL);
    assert_int_equal(bind(&map, "", "fold-all", "none"), 0);
    assert_keys(&map, IN_ALL, ACT_FOLD_ALL, "none");
    assert_int_equal(keymap_lookup(&map, IN_COMPOSER, NULL, key_of("F5")), ACT_NONE);
}

static void an_action_may_have_keys_of_its_own_in_a_place(void **state)
{
    struct keymap map;
    (void)state;
    keymap_init(&map);
    assert_int_equal(bind(&map, "reading", "sidebar", "s"), 0);
    assert_int_equal(keymap_lookup(&map, IN_TRANSCRIPT, NULL, key_of("s")), ACT_SIDEBAR);
    assert_int_equal(keymap_lookup(&map, IN_COMPOSER, NULL, key_of("s")), ACT_NONE);
    assert_int_equal(keymap_lookup(&map, IN_COMPOSER, NULL, key_of("F2")), ACT_SIDEBAR);
    assert_int_equal(bind(&map, "reading", "page-up", "none"), 0);
    assert_int_equal(keymap_lookup(&map, IN_TRANSCRIPT, NULL, key_of("C-u")), ACT_NONE);
    assert_int_equal(keymap_lookup(&map, IN_TRANSCRIPT, NULL, key_of("PgUp")), ACT_PAGE_UP);
}

static void a_key_does_one_thing_in_a_place(void **state)
{
    struct keymap map;
    (void)state;
    keymap_init(&map);
    assert_int_equal(bind(&map, "", "help", "C-l"), 0);
    assert_keys(&map, IN_ALL, ACT_REPAINT, "none");
    assert_int_equal(bind(&map, "", "help", "C-x"), 0); /* alone, it is no prefix any more */
    assert_keys(&map, IN_ALL, ACT_MODELS, "none");
    assert_int_equal(keymap_lookup(&map, IN_TRANSCRIPT, NULL, key_of("C-x")), ACT_HELP);
}

static void wrong_bindings_change_nothing(void **state)
{
    struct keymap map;
    (void)state;
    keymap_init(&map);
    assert_int_equal(bind(&map, "", "fold-some", "F5"), UI_UNKNOWN);
    assert_int_equal(bind(&map, "sleeping", "fold-all", "F5"), UI_UNKNOWN);
    assert_int_equal(bind(&map, "reading", "send", "F5"), UI_UNKNOWN);
    static const char *const wrong[] = {"F13", "C-o,", "C-o C-o C-o", "", ",,", "F5, f", "\001"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(bind(&map, "", "fold-all", wrong[i]), i == 3 ? 0 : UI_ERROR);
}

static void a_way_to_quit_is_left(void **state)
{
    struct keymap map;
    (void)state;
    keymap_init(&map);
    assert_int_equal(bind(&map, "", "quit", "none"), 0);
    assert_int_equal(bind(&map, "", "interrupt", "none"), UI_REFUSED);
    assert_int_equal(bind(&map, "writing", "send", "C-c"), UI_REFUSED);
    assert_int_equal(bind(&map, "", "help", "C-c"), UI_REFUSED);
    assert_int_equal(bind(&map, "", "interrupt", "C-x c"), 0);
    assert_int_equal(bind(&map, "", "help", "C-x"), UI_REFUSED);
    keymap_init(&map);
    assert_int_equal(bind(&map, "", "interrupt", "none"), 0);
    assert_int_equal(bind(&map, "", "newline", "C-d"), UI_REFUSED);
    assert_int_equal(keymap_lookup(&map, IN_COMPOSER, NULL, key_of("C-d")), ACT_EOF);
}

/* tmux, screen, flow control and SIGQUIT take these before we see them. */
static void no_action_needs_a_key_that_others_take(void **state)
{
    static const char taken[] = "basq\\";
    struct keymap map;
    (void)state;
    keymap_init(&map);
    for (size_t i = 0; i < map.n_rows; i++) {
        bool free_key = false;
        for (size_t k = 0; k < map.n; k++)
            if (map.bindings[k].action == map.rows[i].action)
                free_key = free_key || !((map.bindings[k].key[0].mods & KEY_CTRL) &&
                                         map.bindings[k].key[0].code < 0x7f &&
                                         strchr(taken, (int)map.bindings[k].key[0].code));
        if (!free_key)
            fail_msg("%s has only keys that others take", map.rows[i].name);
    }
}

static void every_action_has_one_name(void **state)
{
    (void)state;
    for (const struct keymap_row *a = keymap_table(); a->keys; a++)
        for (const struct keymap_row *b = keymap_table(); b->keys; b++)
            assert_true((a->action == b->action) == (strcmp(a->name, b->name) == 0));
}

int test_keymap(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read),
        cmocka_unit_test(every_binding_is_found_and_none_twice),
        cmocka_unit_test(a_place_goes_before_everywhere),
        cmocka_unit_test(writing_hides_nothing),
        cmocka_unit_test(every_action_has_a_key_and_a_help),
        cmocka_unit_test(every_action_has_one_name),
        cmocka_unit_test(names_are_written_as_they_are_read),
        cmocka_unit_test(actions_get_other_keys),
        cmocka_unit_test(an_action_may_have_keys_of_its_own_in_a_place),
        cmocka_unit_test(a_key_does_one_thing_in_a_place),
        cmocka_unit_test(wrong_bindings_change_nothing),
        cmocka_unit_test(a_way_to_quit_is_left),
        cmocka_unit_test(no_action_needs_a_key_that_others_take),
    };
    return cmocka_run_group_tests_name("keymap", tests, NULL, NULL);
}
