/*
 * test_share.c - several handles and several processes on one file.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "place.h"

enum { WRITERS = 4, TURNS = 60 };

struct writer {
    const char *path;
    int number;
    pid_t pid;
};

/* One process: TURNS questions with streamed answers in the shared conversation. */
static int write_turns(void *argument)
{
    const struct writer *w = argument;
    struct store *s = must_open(w->path);
    store_set_patience(s, 20000);
    for (int turn = 0; turn < TURNS; turn++) {
        char text[32];
        snprintf(text, sizeof(text), "%d.%d", w->number, turn);
        must_add(s, 1, STORE_LEAF, STORE_USER, text);
        int64_t id = must_begin(s, 1);
        must_append(s, id, STORE_TEXT, "answer to ");
        must_append(s, id, STORE_TEXT, text);
        if (store_message_end(s, id, STORE_COMPLETE, NULL) != STORE_OK)
            return 1;
    }
    store_close(s);
    return 0;
}

static void four_processes_lose_and_reorder_nothing(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    must_create(s, "shared");
    struct writer writers[WRITERS];
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.path = p->path, .number = i};
        writers[i].pid = start_child(write_turns, &writers[i]);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(end_child(writers[i].pid), 0);

    struct store_messages *list = must_path(s, 1);
    assert_int_equal(list->count, 2 * WRITERS * TURNS);
    int asked[WRITERS] = {0}, answered[WRITERS] = {0};
    for (size_t i = 0; i < list->count; i++) {
        const struct store_message *m = &list->items[i];
        int writer, turn;
        bool answer = m->role == STORE_ASSISTANT;
        assert_int_equal(
            sscanf(m->text[STORE_TEXT], answer ? "answer to %d.%d" : "%d.%d", &writer, &turn), 2);
        assert_int_equal(turn, answer ? answered[writer]++ : asked[writer]++);
        assert_int_equal(m->state, STORE_COMPLETE);
        assert_false(m->damaged);
    }
    store_messages_free(list);
    store_close(s);
}

static int open_and_create(void *path)
{
    struct store *s = must_open(path);
    must_create(s, "");
    store_close(s);
    return 0;
}

static void first_starts_do_not_collide(void **state)
{
    struct place *p = *state;
    for (int round = 0; round < 10; round++) {
        pid_t pids[WRITERS];
        for (int i = 0; i < WRITERS; i++)
            pids[i] = start_child(open_and_create, p->path);
        for (int i = 0; i < WRITERS; i++)
            assert_int_equal(end_child(pids[i]), 0);
        assert_int_equal(must_number(p->path, "SELECT count(*) FROM conversation"), WRITERS);
        assert_int_equal(unlink(p->path), 0);
    }
}

static void a_handle_sees_that_another_has_written(void **state)
{
    struct place *p = *state;
    struct store *a = must_open(p->path), *b = must_open(p->path);
    assert_false(store_changed(a));
    int64_t id = must_create(b, "x");
    assert_true(store_changed(a));
    assert_false(store_changed(a));
    assert_false(store_changed(b));
    must_add(a, id, STORE_LEAF, STORE_USER, "q");
    assert_false(store_changed(a));
    assert_true(store_changed(b));
    assert_string_equal(path_text(b, id), "q|");
    store_close(a);
    store_close(b);
}

static int open_and_close(void *argument)
{
    store_close(must_open(argument));
    return 0;
}

static enum store_state last_state(struct store *s, int64_t conversation)
{
    struct store_messages *list = must_path(s, conversation);
    assert_true(list->count > 0);
    enum store_state state = list->items[list->count - 1].state;
    store_messages_free(list);
    return state;
}

static void a_living_writer_is_not_interrupted(void **state)
{
    struct place *p = *state;
    struct store *writer = must_open(p->path);
    int64_t c = must_create(writer, ""), id = must_begin(writer, c);
    must_append(writer, id, STORE_TEXT, "one ");
    assert_int_equal(in_child(open_and_close, p->path), 0);
    struct store *reader = must_open(p->path);
    assert_int_equal(last_state(reader, c), STORE_STREAMING);
    assert_int_equal(store_message_append(reader, id, STORE_TEXT, "x", 1), STORE_ENOTFOUND);
    assert_int_equal(store_message_end(reader, id, STORE_COMPLETE, NULL), STORE_ENOTFOUND);
    must_append(writer, id, STORE_TEXT, "two");
    assert_string_equal(path_text(reader, c), "one two|");
    assert_int_equal(store_message_end(writer, id, STORE_COMPLETE, NULL), STORE_OK);
    assert_int_equal(last_state(reader, c), STORE_COMPLETE);
    store_close(reader);
    store_close(writer);
}

static int begin_and_die(void *argument)
{
    struct store *s = must_open(argument);
    int64_t id = must_begin(s, 1);
    must_append(s, id, STORE_REASONING, "let me ");
    must_append(s, id, STORE_REASONING, "see");
    return die();
}

static void a_dead_writer_is(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    must_create(s, "");
    assert_int_equal(in_child(begin_and_die, p->path), KILLED);
    assert_int_equal(last_state(s, 1), STORE_INTERRUPTED); /* at once, and without a write */
    assert_int_equal(must_number(p->path, "SELECT state FROM message"), STORE_STREAMING);
    store_close(s);

    s = must_open(p->path);
    assert_int_equal(must_number(p->path, "SELECT state FROM message"), STORE_INTERRUPTED);
    struct store_messages *list = must_path(s, 1);
    assert_string_equal(list->items[0].text[STORE_REASONING], "let me see");
    assert_false(list->items[0].damaged);
    store_messages_free(list);
    struct store_hits *hits;
    assert_int_equal(store_search(s, "let me see", 0, 9, &hits), STORE_OK);
    assert_int_equal(hits->count, 1);
    store_hits_free(hits);
    store_close(s);
}

static void a_closed_writer_is_dead_too(void **state)
{
    struct place *p = *state;
    struct store *a = must_open(p->path), *b = must_open(p->path);
    int64_t c = must_create(a, "");
    must_begin(a, c);
    assert_int_equal(last_state(b, c), STORE_STREAMING);
    store_close(a);
    assert_int_equal(last_state(b, c), STORE_INTERRUPTED);
    store_close(b);
}

static void a_held_file_is_busy_and_then_is_not(void **state)
{
    struct place *p = *state;
    struct store *s = must_open(p->path);
    int64_t c = must_create(s, ""), id = must_begin(s, c);
    store_set_patience(s, 30);
    sqlite3 *other;
    assert_int_equal(sqlite3_open(p->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store_message_append(s, id, STORE_TEXT, "a", 1), STORE_EBUSY);
    assert_null(strstr(store_error(s), "locked"));
    assert_int_equal(store_begin(s), STORE_EBUSY);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    must_append(s, id, STORE_TEXT, "a");
    assert_string_equal(path_text(s, c), "a|");

    /* A reader in the way of the commit: nothing half done is left. */
    assert_int_equal(sqlite3_exec(other, "BEGIN; SELECT * FROM message", NULL, NULL, NULL),
                     SQLITE_OK);
    int rc = store_message_append(s, id, STORE_TEXT, "b", 1);
    assert_true(rc == STORE_EBUSY || rc == STORE_OK); /* with a log, readers are in nobody's way */
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    if (rc == STORE_EBUSY)
        must_append(s, id, STORE_TEXT, "b");
    assert_string_equal(path_text(s, c), "ab|");
    sqlite3_close(other);
    store_close(s);
}

int test_share(void)
{
    const struct CMUnitTest tests[] = {
        place_test(four_processes_lose_and_reorder_nothing),
        place_test(first_starts_do_not_collide),
        place_test(a_handle_sees_that_another_has_written),
        place_test(a_living_writer_is_not_interrupted),
        place_test(a_dead_writer_is),
        place_test(a_closed_writer_is_dead_too),
        place_test(a_held_file_is_busy_and_then_is_not),
    };
    return cmocka_run_group_tests_name("storage share", tests, NULL, NULL);
}
