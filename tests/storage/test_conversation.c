/*
 * test_conversation.c - the list, changes, deleting with undo and for good, earlier prompts.
 */
#include <stdio.h>
#include <string.h>

#include "place.h"

/* The titles of a page, in order. */
static const char *titles(struct store *s, bool archived, int64_t before, size_t limit,
                          int64_t *last)
{
    static char text[1024];
    struct store_conversations *list;
    assert_int_equal(store_conversation_list(s, archived, before, limit, &list), STORE_OK);
    text[0] = '\0';
    for (size_t i = 0; i < list->count; i++) {
        strcat(strcat(text, list->items[i].title), " ");
        if (last)
            *last = list->items[i].activity;
    }
    store_conversations_free(list);
    return text;
}

static void the_last_used_comes_first(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t a = must_create(s, "a"), b = must_create(s, "b");
    must_create(s, "c");
    assert_string_equal(titles(s, false, 0, 10, NULL), "c b a ");
    must_add(s, a, STORE_LEAF, STORE_USER, "x");
    assert_string_equal(titles(s, false, 0, 10, NULL), "a c b ");
    int64_t last;
    assert_string_equal(titles(s, false, 0, 2, &last), "a c ");
    assert_string_equal(titles(s, false, last, 2, &last), "b ");
    assert_string_equal(titles(s, false, last, 2, NULL), "");
    assert_int_equal(store_conversation_archive(s, b, true), STORE_OK);
    assert_string_equal(titles(s, false, 0, 10, NULL), "a c ");
    assert_string_equal(titles(s, true, 0, 10, NULL), "b ");
    assert_int_equal(store_conversation_archive(s, b, false), STORE_OK);
    assert_string_equal(titles(s, false, 0, SIZE_MAX, NULL), "a c b ");
    store_close(s);
}

static void changes_are_kept(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    int64_t id;
    assert_int_equal(store_conversation_create(s, NULL, "Be brief.", &id), STORE_OK);
    assert_int_equal(store_conversation_rename(s, id, "'; DROP TABLE message; --"), STORE_OK);
    int64_t leaf = must_add(s, id, STORE_LEAF, STORE_USER, "x");
    store_close(s);

    s = must_open(p->path);
    struct store_conversations *one;
    assert_int_equal(store_conversation_get(s, id, &one), STORE_OK);
    assert_int_equal(one->count, 1);
    const struct store_conversation *c = &one->items[0];
    assert_int_equal(c->id, id);
    assert_int_equal(c->leaf, leaf);
    assert_string_equal(c->title, "'; DROP TABLE message; --");
    assert_string_equal(c->system, "Be brief.");
    assert_true(c->created_ms > 0 && c->updated_ms >= c->created_ms);
    assert_false(c->archived || c->damaged);
    store_conversations_free(one);
    assert_int_equal(store_conversation_set_system(s, id, NULL), STORE_OK);
    assert_int_equal(store_conversation_get(s, id, &one), STORE_OK);
    assert_string_equal(one->items[0].system, "");
    store_conversations_free(one);
    store_close(s);
}

static void a_deleted_conversation_can_be_taken_back(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t id = must_create(s, "a");
    must_add(s, id, STORE_LEAF, STORE_USER, "needle");
    assert_int_equal(store_conversation_delete(s, id), STORE_OK);
    assert_int_equal(store_conversation_delete(s, id), STORE_ENOTFOUND);
    assert_int_equal(store_conversation_rename(s, id, "b"), STORE_ENOTFOUND);
    struct store_conversations *one;
    assert_int_equal(store_conversation_get(s, id, &one), STORE_ENOTFOUND);
    assert_null(one);
    assert_string_equal(titles(s, false, 0, 10, NULL), "");
    struct store_hits *hits;
    assert_int_equal(store_search(s, "needle", 0, 10, &hits), STORE_OK);
    assert_int_equal(hits->count, 0);
    store_hits_free(hits);

    assert_int_equal(store_conversation_restore(s, id), STORE_OK);
    assert_int_equal(store_conversation_restore(s, id), STORE_ENOTFOUND);
    assert_string_equal(titles(s, false, 0, 10, NULL), "a ");
    assert_string_equal(path_text(s, id), "needle|");

    assert_int_equal(store_conversation_delete(s, id), STORE_OK);
    assert_int_equal(store_purge(s), STORE_OK);
    assert_int_equal(store_conversation_restore(s, id), STORE_ENOTFOUND);
    assert_true(must_create(s, "new") > id);
    store_close(s);
}

/* The index cuts words into threes: one such piece of a word that nothing else holds. */
#define MARKER "\xe9\xbe\x98\xe9\xba\xa4\xe9\xbd\xbe"

static void deleted_means_gone(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    int64_t kept = must_create(s, "kept");
    must_add(s, kept, STORE_LEAF, STORE_USER, "this stays");
    int64_t id = must_create(s, "title " MARKER);
    for (int i = 0; i < 50; i++) {
        char text[3000];
        memset(text, 'a' + i % 26, sizeof(text));
        snprintf(text + 1500, 100, " %d " MARKER " ", i);
        text[1500 + strlen(text + 1500)] = '.';
        text[sizeof(text) - 1] = '\0';
        must_add(s, id, STORE_LEAF, STORE_USER, text);
        int64_t answer = must_begin(s, id);
        must_append(s, answer, STORE_REASONING, "thinks " MARKER);
        must_append(s, answer, STORE_REASONING, "more");
        struct store_generation g = {.model = "m" MARKER};
        assert_int_equal(store_message_end(s, answer, STORE_COMPLETE, &g), STORE_OK);
    }
    assert_true(folder_holds(p->folder, MARKER, strlen(MARKER)));
    assert_int_equal(store_conversation_delete(s, id), STORE_OK);
    assert_true(folder_holds(p->folder, MARKER, strlen(MARKER)));
    store_close(s);
    assert_false(folder_holds(p->folder, MARKER, strlen(MARKER)));
    assert_int_equal(must_number(p->path, "SELECT count(*) FROM message"), 1);
    assert_int_equal(must_number(p->path, "SELECT count(*) FROM generation"), 0);

    s = must_open(p->path);
    assert_string_equal(path_text(s, kept), "this stays|");
    struct store_hits *hits;
    assert_int_equal(store_search(s, "stays", 0, 10, &hits), STORE_OK);
    assert_int_equal(hits->count, 1);
    store_hits_free(hits);
    store_close(s);
}

static void a_broken_index_keeps_nothing(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    must_add(s, must_create(s, "kept"), STORE_LEAF, STORE_USER, "this stays");
    int64_t id = must_create(s, "title " MARKER);
    must_add(s, id, STORE_LEAF, STORE_USER, MARKER);
    store_close(s);
    must_run(p->path, "UPDATE search_data SET block = zeroblob(9) WHERE id > 10");

    s = must_open(p->path);
    assert_int_equal(store_conversation_delete(s, id), STORE_OK);
    assert_int_equal(store_purge(s), STORE_OK);
    struct store_hits *hits;
    assert_int_equal(store_search(s, "stays", 0, 10, &hits), STORE_OK);
    assert_int_equal(hits->count, 1);
    store_hits_free(hits);
    store_close(s);
    assert_false(folder_holds(p->folder, MARKER, strlen(MARKER)));
}

static int delete_and_die(void *argument)
{
    struct store *s = must_open(argument);
    return store_conversation_delete(s, 1) == STORE_OK ? die() : 1;
}

static void the_deleted_outlive_no_handle_that_could_restore_them(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    must_add(s, must_create(s, MARKER), STORE_LEAF, STORE_USER, MARKER);
    int64_t mine = must_create(s, "mine");
    assert_int_equal(store_conversation_delete(s, mine), STORE_OK);
    assert_int_equal(in_child(delete_and_die, p->path), KILLED);
    assert_true(folder_holds(p->folder, MARKER, strlen(MARKER)));

    store_close(must_open(p->path)); /* purges what the dead one deleted, not ours */
    assert_false(folder_holds(p->folder, MARKER, strlen(MARKER)));
    assert_int_equal(store_conversation_restore(s, 1), STORE_ENOTFOUND);
    struct store *other = must_open(p->path);
    assert_int_equal(store_conversation_restore(other, mine), STORE_OK);
    store_close(other);
    store_close(s);
}

/* Ids of those whose title holds the words. */
static const char *filtered(struct store *s, const char *words, bool archived, size_t limit)
{
    static char ids[100];
    struct store_conversations *list;
    assert_int_equal(store_conversation_filter(s, words, archived, limit, &list), STORE_OK);
    ids[0] = '\0';
    for (size_t i = 0; i < list->count; i++)
        sprintf(ids + strlen(ids), "%lld ", (long long)list->items[i].id);
    store_conversations_free(list);
    return ids;
}

static void titles_are_filtered_by_their_words(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    must_create(s, "The chain rule");
    must_create(s, "\xc3\x89t\xc3\xa9 100%");
    must_create(s, "Chains and rules");
    must_create(s, "Cats");
    assert_string_equal(filtered(s, "", false, 9), "4 3 2 1 ");
    assert_string_equal(filtered(s, "RULE chain", false, 9), "3 1 ");
    assert_string_equal(filtered(s, "\"n rule\"", false, 9), "1 ");
    assert_string_equal(filtered(s, "\xc3\xa9T\xc3\x89", false, 9), "2 ");
    assert_string_equal(filtered(s, "%", false, 9), "2 ");
    assert_string_equal(filtered(s, "c", false, 2), "4 3 ");
    assert_string_equal(filtered(s, "dogs", false, 9), "");
    assert_int_equal(store_conversation_archive(s, 3, true), STORE_OK);
    assert_int_equal(store_conversation_delete(s, 1), STORE_OK);
    assert_string_equal(filtered(s, "rule", false, 9), "");
    assert_string_equal(filtered(s, "rule", true, 9), "3 ");
    store_close(s);
}

static void prompts_come_back_once_each(void **state)
{
    (void)state;
    struct store *s = must_open(NULL);
    int64_t c = must_create(s, ""), gone = must_create(s, "");
    static const char *const asked[] = {"one", "two", "one", "three\nlines", "two"};
    for (size_t i = 0; i < 5; i++) {
        must_add(s, c, STORE_LEAF, STORE_USER, asked[i]);
        must_add(s, c, STORE_LEAF, STORE_ASSISTANT, "an answer");
    }
    must_add(s, gone, STORE_LEAF, STORE_USER, "deleted");
    assert_int_equal(store_conversation_delete(s, gone), STORE_OK);
    struct store_prompts *list;
    assert_int_equal(store_prompts(s, 10, &list), STORE_OK);
    assert_int_equal(list->count, 3);
    assert_string_equal(list->items[0], "two");
    assert_string_equal(list->items[1], "three\nlines");
    assert_string_equal(list->items[2], "one");
    store_prompts_free(list);
    assert_int_equal(store_prompts(s, 1, &list), STORE_OK);
    assert_int_equal(list->count, 1);
    store_prompts_free(list);
    store_close(s);
}

int test_conversation(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_used_comes_first),
        place_test(changes_are_kept),
        cmocka_unit_test(a_deleted_conversation_can_be_taken_back),
        place_test(deleted_means_gone),
        place_test(a_broken_index_keeps_nothing),
        place_test(titles_are_filtered_by_their_words),
        place_test(the_deleted_outlive_no_handle_that_could_restore_them),
        cmocka_unit_test(prompts_come_back_once_each),
    };
    return cmocka_run_group_tests_name("storage conversation", tests, NULL, NULL);
}
