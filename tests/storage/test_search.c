/*
 * test_search.c - finding text, whatever was typed to find it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"

#define MATHS "\xe6\x95\xb0\xe5\xad\xa6" /* two Chinese characters */

static struct store_hits *search(struct store *s, const char *query, unsigned scope)
{
    struct store_hits *hits = NULL;
    if (store_search(s, query, scope, 20, &hits) != STORE_OK)
        fail_msg("%s: %s", query, store_error(s));
    return hits;
}

static size_t count(struct store *s, const char *query)
{
    struct store_hits *hits = search(s, query, 0);
    size_t n = hits->count;
    store_hits_free(hits);
    return n;
}

static struct store *school(void)
{
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, "Calculus");
    must_add(s, c, STORE_LEAF, STORE_USER, "Explain the chain rule, please; 50% of it");
    int64_t a = must_begin(s, c);
    must_append(s, a, STORE_REASONING, "The user wants the derivative of f(g(x)).");
    must_append(s, a, STORE_TEXT, "The Chain Rule says (f o g)' = (f' o g) * g'. " MATHS);
    assert_int_equal(store_message_end(s, a, STORE_COMPLETE, NULL), STORE_OK);
    must_add(s, must_create(s, "Cats"), STORE_LEAF, STORE_USER, "A chain of cats \"purrs\" x_y");
    return s;
}

static void words_are_found_in_part_and_in_any_case(void **state)
{
    (void)state;
    struct store *s = school();
    assert_int_equal(count(s, "chain"), 3);
    assert_int_equal(count(s, "CHAI"), 3);
    assert_int_equal(count(s, "chain rule"), 2);
    assert_int_equal(count(s, "rule chain"), 2);
    assert_int_equal(count(s, "\"chain rule\""), 2);
    assert_int_equal(count(s, "\"rule chain\""), 0);
    assert_int_equal(count(s, "derivat"), 1);
    assert_int_equal(count(s, "nothing"), 0);
    store_close(s);
}

static void no_text_is_a_text_without_words(void **state)
{
    (void)state;
    struct store *s = school();
    struct store_conversations *all;
    assert_int_equal(count(s, NULL), 0);
    assert_int_equal(store_conversation_filter(s, NULL, false, 9, &all), STORE_OK);
    assert_int_equal(all->count, 2);
    store_conversations_free(all);
    store_close(s);
}

static void a_scope_narrows(void **state)
{
    (void)state;
    struct store *s = school();
    static const struct {
        const char *query;
        unsigned scope;
        size_t hits;
    } cases[] = {
        {"chain", STORE_IN_QUESTIONS, 2},
        {"chain", STORE_IN_ANSWERS, 1},
        {"chain", STORE_IN_REASONING, 0},
        {"derivative", STORE_IN_REASONING, 1},
        {"derivative", STORE_IN_ANSWERS | STORE_IN_QUESTIONS, 0},
        {"g", STORE_IN_REASONING, 1},
        {"ca", STORE_IN_QUESTIONS, 1},
        {"ca", STORE_IN_ANSWERS, 0},
        {"chain", 8, 3},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct store_hits *hits = search(s, cases[i].query, cases[i].scope);
        assert_int_equal(hits->count, cases[i].hits);
        store_hits_free(hits);
    }
    store_close(s);
}

static void short_words_and_chinese_are_found(void **state)
{
    (void)state;
    struct store *s = school();
    assert_int_equal(count(s, MATHS), 1);
    assert_int_equal(count(s, "\xe5\xad\xa6"), 1);
    assert_int_equal(count(s, "\xe5\xad\xa7"), 0);
    assert_int_equal(count(s, "G'"), 1);
    assert_int_equal(count(s, "50 " MATHS), 0); /* the one in the question */
    assert_int_equal(count(s, "(f " MATHS " chain"), 1);
    assert_int_equal(count(s, "chain x_"), 1);
    store_close(s);
}

static void a_query_is_text(void **state)
{
    (void)state;
    struct store *s = school();
    static const struct {
        const char *query;
        size_t hits;
    } cases[] = {
        {"", 0},
        {"   ", 0},
        {"\"", 0},
        {"\"\"", 0},
        {"\"\"\"\"", 0},
        {"'; DROP TABLE message; --", 0},
        {"\" * NEAR(", 0},
        {"NEAR(chain rule)", 0},
        {"chain OR nothing", 0},
        {"chain NOT rule", 0},
        {"question:chain", 0},
        {"{question}: chain", 0},
        {"^chain", 0},
        {"chai*", 0},
        {"(((", 0},
        {"50%", 1},
        {"%", 1},
        {"_", 1},
        {"_y", 1},
        {"\\", 0},
        {"*", 1},
        {"g'", 1},
        {"\"purrs\"", 1},
        {"\xff\xfe"
         "chain",
         0},
        {"cha\x01in", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (count(s, cases[i].query) != cases[i].hits)
            fail_msg("%s: %zu", cases[i].query, count(s, cases[i].query));
    assert_int_equal(count(s, "chain"), 3);
    store_close(s);
}

static void a_very_long_query_is_still_a_query(void **state)
{
    (void)state;
    struct store *s = school();
    enum { WORDS = 5000 };
    char *many = malloc(6 * WORDS + 1);
    for (int i = 0; i < WORDS; i++)
        memcpy(many + 6 * i, "chain ", 7);
    assert_int_equal(count(s, many), 3);
    memset(many, 'x', 6 * WORDS);
    assert_int_equal(count(s, many), 0);
    memset(many, '"', 6 * WORDS);
    assert_int_equal(count(s, many), 0);
    free(many);
    store_close(s);
}

static void a_snippet_shows_the_match(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, "Long");
    char text[4000] = "";
    for (int i = 0; i < 200; i++)
        strcat(text, MATHS);
    strcat(text, "Needle");
    for (int i = 0; i < 200; i++)
        strcat(text, MATHS);
    int64_t m = must_add(s, c, STORE_LEAF, STORE_USER, text);
    must_add(s, c, STORE_LEAF, STORE_ASSISTANT, "needle first");
    must_add(s, c, STORE_LEAF, STORE_ASSISTANT, "last needle");

    struct store_hits *hits = search(s, "needle", STORE_IN_QUESTIONS);
    assert_int_equal(hits->count, 1);
    const struct store_hit *h = &hits->items[0];
    assert_int_equal(h->conversation, c);
    assert_int_equal(h->message, m);
    assert_int_equal(h->kind, STORE_TEXT);
    assert_string_equal(h->title, "Long");
    assert_int_equal(h->match_len, 6);
    assert_memory_equal(h->snippet + h->match_at, "Needle", 6);
    assert_memory_equal(h->snippet, "\xe2\x80\xa6\xe6\x95\xb0", 6);
    assert_true(strlen(h->snippet) < 300);
    store_hits_free(hits);

    struct store_draft draft = {.conversation = c, .parent = STORE_LEAF, .role = STORE_USER};
    assert_int_equal(store_message_add(s, &draft, "an a\0b thread", 13, &m), STORE_OK);
    hits = search(s, "a", 0); /* the newest first; behind the NUL it would not be found */
    assert_string_equal(hits->items[0].snippet, "an a b thread");
    store_hits_free(hits);

    hits = search(s, "needle", STORE_IN_ANSWERS);
    assert_int_equal(hits->count, 2);
    for (size_t i = 0; i < 2; i++) {
        h = &hits->items[i];
        assert_memory_equal(h->snippet + h->match_at, "needle", 6);
        assert_true(strcmp(h->snippet, "needle first") == 0 ||
                    strcmp(h->snippet, "last needle") == 0);
    }
    store_hits_free(hits);
    store_close(s);
}

static void the_best_comes_first(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, "");
    int64_t best = must_add(s, c, STORE_LEAF, STORE_USER, "tangent tangent tangent");
    char text[2000];
    for (int i = 0; i < 5; i++) {
        memset(text, 'a' + i, sizeof(text));
        memcpy(text + 900, " tangent ", 9);
        text[sizeof(text) - 1] = '\0';
        must_add(s, c, STORE_LEAF, STORE_USER, text);
    }
    struct store_hits *hits = search(s, "tangent", 0);
    assert_int_equal(hits->count, 6);
    assert_int_equal(hits->items[0].message, best);
    store_hits_free(hits);
    assert_int_equal(store_search(s, "tangent", 0, 2, &hits), STORE_OK);
    assert_int_equal(hits->count, 2);
    store_hits_free(hits);
    store_close(s);
}

static void a_streaming_message_is_found_once_it_has_ended(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t id = must_begin(s, must_create(s, ""));
    must_append(s, id, STORE_TEXT, "half a wo");
    must_append(s, id, STORE_TEXT, "rd later");
    assert_int_equal(count(s, "word"), 0);
    assert_int_equal(count(s, "wo"), 0);
    assert_int_equal(store_message_end(s, id, STORE_COMPLETE, NULL), STORE_OK);
    assert_int_equal(count(s, "word"), 1);
    assert_int_equal(count(s, "wo"), 1);
    store_close(s);
}

static void a_text_is_found_by_its_last_characters(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, "");
    must_add(s, c, STORE_LEAF, STORE_USER, "why q");
    must_add(s, c, STORE_LEAF, STORE_USER, "q");
    must_add(s, c, STORE_LEAF, STORE_USER, "xz");
    must_add(s, c, STORE_LEAF, STORE_USER, "the end xz");
    must_add(s, c, STORE_LEAF, STORE_USER, "\xe4\xb8\xad" MATHS);
    assert_int_equal(count(s, "q"), 2);
    assert_int_equal(count(s, "Z"), 2);
    assert_int_equal(count(s, "xz"), 2);
    assert_int_equal(count(s, "zx"), 0);
    assert_int_equal(count(s, MATHS), 1);
    assert_int_equal(count(s, "\xe5\xad\xa6"), 1);
    store_close(s);
}

/* The program's locale may be any; what is written in a history stays the same. */
static void letters_have_two_cases_in_every_locale(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, "");
    must_add(s, c, STORE_LEAF, STORE_USER, "\xc3\x89t\xc3\xa9 \xd0\x96\xd0\xb8");
    must_add(s, c, STORE_LEAF, STORE_USER, "\xce\xa3\xce\x91\xce\xa3"); /* "SAS", in Greek */
    assert_int_equal(count(s, "\xc3\xa9T\xc3\x89"), 1);
    assert_int_equal(count(s, "\xc3\xa9T"), 1);
    assert_int_equal(count(s, "\xd0\xb6"), 1);
    assert_int_equal(count(s, "\xcf\x83\xce\xb1\xcf\x82"), 1); /* which ends in another s */
    assert_int_equal(count(s, "\xcf\x82"), 1);
    store_close(s);
}

static void of_a_message_the_answer_is_the_hit(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t id = must_begin(s, must_create(s, ""));
    must_append(s, id, STORE_REASONING, "roots? roots! of 42");
    must_append(s, id, STORE_TEXT, "The roots are 1 and 2.");
    assert_int_equal(store_message_end(s, id, STORE_COMPLETE, NULL), STORE_OK);
    struct store_hits *hits = search(s, "roots", 0);
    assert_int_equal(hits->count, 1);
    assert_int_equal(hits->items[0].kind, STORE_TEXT);
    assert_int_equal(hits->items[0].where, STORE_IN_ANSWERS);
    assert_true(hits->items[0].created_ms > 0);
    store_hits_free(hits);
    hits = search(s, "roots 42", 0);
    assert_int_equal(hits->count, 1);
    assert_int_equal(hits->items[0].where, STORE_IN_REASONING);
    store_hits_free(hits);
    store_close(s);
}

/* Searches slice by slice, and returns how many hits that gives; `slices` of them at least. */
static size_t count_in_slices(struct store *s, const char *text, size_t limit, int slices)
{
    struct store_query q = {.text = text, .limit = limit, .ms = 60000};
    size_t n = 0;
    do {
        struct store_hits *hits;
        assert_int_equal(store_search_some(s, &q, &hits), STORE_OK);
        assert_true(hits->next == 0 || q.before == 0 || hits->next < q.before);
        n += hits->count;
        q.before = hits->next;
        store_hits_free(hits);
        slices--;
    } while (q.before != 0);
    assert_true(slices <= 0);
    return n;
}

static void a_search_goes_on_where_it_ended(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, "");
    assert_int_equal(store_begin(s), STORE_OK);
    for (int i = 0; i < 1203; i++) {
        char text[40];
        snprintf(text, sizeof(text), "word %d of ab%s", i, i % 7 ? "" : " seventh");
        must_add(s, c, 0, STORE_USER, text);
    }
    assert_int_equal(store_commit(s), STORE_OK);
    assert_int_equal(count_in_slices(s, "ab", 100, 13), 1203);
    assert_int_equal(count_in_slices(s, "word", 1000, 2), 1203);
    assert_int_equal(count_in_slices(s, "seventh", 1000, 1), 172);
    assert_int_equal(count_in_slices(s, "of ab", 500, 3), 1203);
    assert_int_equal(count_in_slices(s, "none", 10, 1), 0);
    store_close(s);
}

/* Too many texts contain them for the index to list. */
static void common_short_words_are_met_in_the_texts(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, "");
    assert_int_equal(store_begin(s), STORE_OK);
    must_add(s, c, 0, STORE_USER, "a and b, once");
    for (int i = 0; i < 10100; i++) {
        must_add(s, c, 0, STORE_USER, "ax ay ");
        must_add(s, c, 0, STORE_USER, "bx by ");
    }
    assert_int_equal(store_commit(s), STORE_OK);
    assert_int_equal(count(s, "a"), 20);
    assert_int_equal(count_in_slices(s, "a", 1000, 11), 10101);
    assert_int_equal(count(s, "b a"), 1);
    assert_int_equal(count(s, "b z"), 0);
    store_close(s);
}

int test_search(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_found_in_part_and_in_any_case),
        cmocka_unit_test(no_text_is_a_text_without_words),
        cmocka_unit_test(a_scope_narrows),
        cmocka_unit_test(short_words_and_chinese_are_found),
        cmocka_unit_test(a_query_is_text),
        cmocka_unit_test(a_very_long_query_is_still_a_query),
        cmocka_unit_test(a_snippet_shows_the_match),
        cmocka_unit_test(the_best_comes_first),
        cmocka_unit_test(a_streaming_message_is_found_once_it_has_ended),
        cmocka_unit_test(a_text_is_found_by_its_last_characters),
        cmocka_unit_test(letters_have_two_cases_in_every_locale),
        cmocka_unit_test(of_a_message_the_answer_is_the_hit),
        cmocka_unit_test(a_search_goes_on_where_it_ended),
        cmocka_unit_test(common_short_words_are_met_in_the_texts),
    };
    return cmocka_run_group_tests_name("storage search", tests, NULL, NULL);
}
