/*
 * test_parts.c - checksum, UTF-8, arena, query, and the choice of the journal.
 */
#include <locale.h>
#include <string.h>

#include "place.h"

#include "storage/arena.h"
#include "storage/crc.h"
#include "storage/db.h"
#include "storage/query.h"
#include "storage/utf8.h"

static void crc_has_the_check_value_of_its_standard(void **state)
{
    (void)state;
    assert_int_equal(crc32_add(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(crc32_add(crc32_add(0, "1234", 4), "56789", 5), 0xcbf43926);
    assert_int_equal(crc32_add(0, "", 0), 0);
}

static void utf8_takes_what_unicode_takes(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xc2",
                                      "\xe2\x82",
                                      "a\xf0\x9f\x98"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        assert_true(utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(utf8_valid(bad[i], strlen(bad[i])));
    assert_int_equal(utf8_length("a\xc3\xa9\xe6\x95\xb0\xff", 7), 4);
}

static void a_word_is_found_in_either_case(void **state)
{
    (void)state;
    size_t at, len;
    assert_true(utf8_find("say Hello", 9, "hELLO", 5, &at, &len));
    assert_int_equal(at, 4);
    assert_int_equal(len, 5);
    assert_true(utf8_find("aab", 3, "ab", 2, &at, &len));
    assert_int_equal(at, 1);
    assert_false(utf8_find("aab", 3, "abc", 3, &at, &len));
    assert_false(utf8_find("abc", 3, "", 0, &at, &len));
    assert_false(utf8_find("", 0, "a", 1, &at, &len));
    if (!setlocale(LC_CTYPE, "C.UTF-8"))
        return;
    assert_true(utf8_find("\xc3\x89t\xc3\xa9", 5, "\xc3\xa9T", 3, &at, &len)); /* E-acute */
    assert_int_equal(len, 3);
    setlocale(LC_CTYPE, "C");
}

static void an_arena_holds_what_it_was_given(void **state)
{
    (void)state;
    int *first = arena_new(sizeof(*first));
    char *texts[200];
    int *numbers = NULL;
    for (int i = 0; i < 200; i++) {
        char text[20000];
        size_t len = (size_t)(i * i) / 2; /* small ones and such that need their own block */
        memset(text, 'a' + i % 26, len);
        texts[i] = arena_copy(first, text, len);
        numbers = arena_grow(first, numbers, (size_t)i, sizeof(*numbers));
        numbers[i] = i;
    }
    assert_int_equal(*first, 0);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(strlen(texts[i]), i * i / 2);
        assert_true(i < 2 || texts[i][i * i / 2 - 1] == 'a' + i % 26);
        assert_int_equal(numbers[i], i);
    }
    arena_free(first);
    arena_free(NULL);
}

static void check_query(const char *text, size_t words, const char *match)
{
    struct query q;
    assert_true(query_parse(&q, text));
    assert_int_equal(q.count, words);
    if (match)
        assert_string_equal(q.match, match);
    else
        assert_null(q.match);
    query_done(&q);
}

static void a_query_is_words_and_phrases(void **state)
{
    (void)state;
    check_query("", 0, NULL);
    check_query(" \t\"\" \"  \"", 0, NULL);
    check_query("chain or", 2, "\"cha\" AND \"hai\" AND \"ain\"");
    check_query("\"a rule\"x", 2, "\"a r\" AND \" ru\" AND \"rul\" AND \"ule\"");
    check_query("\" to end ", 1, "\"to \" AND \"o e\" AND \" en\" AND \"end\"");
    check_query("a*b NOT (((", 3, "\"a*b\" AND \"NOT\" AND \"(((\"");
    check_query("50%", 1, "\"50%\"");
    check_query("5% x", 2, NULL);
    check_query("\xe6\x95\xb0\xe5\xad\xa6", 1, NULL);
    check_query("abc\xff", 0, NULL);
}

static void a_long_query_is_looked_up_by_some_pieces(void **state)
{
    (void)state;
    struct query q;
    char text[4000];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    for (int space = 0; space < 2; space++) {
        assert_true(query_parse(&q, text));
        size_t pieces = 0;
        for (const char *p = q.match; (p = strstr(p, "\"xxx\"")) != NULL; p++)
            pieces++;
        assert_in_range(pieces, QUERY_PIECES / 2, QUERY_PIECES);
        query_done(&q);
        for (size_t i = 5; i < sizeof(text) - 1; i += 6)
            text[i] = ' ';
    }
}

static void the_log_is_for_fixed_versions_only(void **state)
{
    (void)state;
    static const struct {
        int version;
        bool safe;
    } cases[] = {
        {3007000, false}, {3040001, false}, {3044005, false}, {3044006, true}, {3044009, true},
        {3045000, false}, {3050006, false}, {3050007, true},  {3050099, true}, {3051000, false},
        {3051002, false}, {3051003, true},  {3052000, true},  {4000000, true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(db_wal_is_safe(cases[i].version), cases[i].safe);
}

static void the_journal_is_the_chosen_one(void **state)
{
    struct place *p = *state;
    store_close(must_open(p->path));
    bool log = must_number(p->path, "SELECT journal_mode = 'wal' FROM pragma_journal_mode");
    assert_int_equal(log, db_wal_is_safe(sqlite3_libversion_number()));
}

int test_parts(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_has_the_check_value_of_its_standard),
        cmocka_unit_test(utf8_takes_what_unicode_takes),
        cmocka_unit_test(a_word_is_found_in_either_case),
        cmocka_unit_test(an_arena_holds_what_it_was_given),
        cmocka_unit_test(a_query_is_words_and_phrases),
        cmocka_unit_test(a_long_query_is_looked_up_by_some_pieces),
        cmocka_unit_test(the_log_is_for_fixed_versions_only),
        place_test(the_journal_is_the_chosen_one),
    };
    return cmocka_run_group_tests_name("storage parts", tests, NULL, NULL);
}
