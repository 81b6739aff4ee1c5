/*
 * test_recover.c - what can be saved of a damaged file, and that trying loses nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"

enum { CONVERSATIONS = 40, TURNS = 8, MESSAGES = CONVERSATIONS * TURNS, PAGE = 4096 };

static void make_history(const char *path)
{
    unlink(path);
    struct store *s = must_open(path);
    assert_int_equal(store_begin(s), STORE_OK);
    for (int i = 1; i <= CONVERSATIONS; i++) {
        char title[40], text[800];
        snprintf(title, sizeof(title), "conversation %d", i);
        int64_t c = must_create(s, title);
        for (int turn = 0; turn < TURNS; turn++) {
            int len = snprintf(text, sizeof(text), "says %d.%d ", i, turn);
            memset(text + len, 'a' + turn, 600);
            text[len + 600] = '\0';
            if (turn % 2 == 0) {
                must_add(s, c, STORE_LEAF, STORE_USER, text);
                continue;
            }
            int64_t id = must_begin(s, c);
            must_append(s, id, STORE_REASONING, "thinking");
            must_append(s, id, STORE_TEXT, text);
            struct store_generation g = {.model = "m"};
            assert_int_equal(store_message_end(s, id, STORE_COMPLETE, &g), STORE_OK);
        }
    }
    assert_int_equal(store_conversation_archive(s, 2, true), STORE_OK);
    assert_int_equal(store_commit(s), STORE_OK);
    store_close(s);
}

static int try(const char *path, struct store_recovered *r)
{
    char err[240] = "";
    int rc = store_recover(path, r, err, sizeof(err));
    if (rc == STORE_OK)
        assert_int_equal(must_number(path, "SELECT count(*) FROM pragma_integrity_check"
                                           " WHERE integrity_check = 'ok'"),
                         1);
    else
        assert_true(*err && !strchr(err, '\n'));
    return rc;
}

/* How many messages are whole, on the paths of the conversations. */
static size_t whole(struct store *s)
{
    struct store_conversations *list;
    size_t n = 0;
    for (int archived = 0; archived < 2; archived++) {
        assert_int_equal(store_conversation_list(s, archived, 0, 1000, &list), STORE_OK);
        for (size_t i = 0; i < list->count; i++) {
            struct store_messages *path = must_path(s, list->items[i].id);
            for (size_t j = 0; j < path->count; j++) {
                const struct store_message *m = &path->items[j];
                n += !m->damaged && strncmp(m->text[STORE_TEXT], "says ", 5) == 0;
            }
            store_messages_free(path);
        }
        store_conversations_free(list);
    }
    return n;
}

static void a_whole_history_comes_out_as_it_was(void **state)
{
    struct place *p = *state;
    struct store_recovered r;
    make_history(p->path);
    assert_int_equal(try(p->path, &r), STORE_OK);
    assert_int_equal(r.conversations, CONVERSATIONS);
    assert_int_equal(r.messages, MESSAGES);
    assert_int_equal(r.lost, 0);
    assert_false(r.broken);
    assert_int_equal(must_number(r.kept, "SELECT count(*) FROM message"), MESSAGES);
    struct store *s = must_open(p->path);
    assert_int_equal(whole(s), MESSAGES);
    struct store_hits *hits;
    assert_int_equal(store_search(s, "\"says 7.3\"", 0, 9, &hits), STORE_OK);
    assert_int_equal(hits->count, 1);
    store_hits_free(hits);
    struct store_messages *path = must_path(s, 2);
    assert_string_equal(path->items[1].generation->model, "m");
    assert_string_equal(path->items[1].text[STORE_REASONING], "thinking");
    store_messages_free(path);
    store_close(s);

    struct store_recovered again; /* a second one keeps the first's */
    assert_int_equal(try(p->path, &again), STORE_OK);
    assert_string_not_equal(again.kept, r.kept);
    assert_int_equal(access(r.kept, F_OK), 0);
}

/* Each page blanked in turn: the rest is saved, and the damaged file is kept byte for byte. */
static void a_broken_page_costs_what_was_on_it(void **state)
{
    struct place *p = *state;
    size_t len, kept_len;
    make_history(p->path);
    char *good = must_read(p->path, &len), *bad = malloc(len);
    size_t rich = 0, tried = 0;
    for (size_t page = 1; page < len / PAGE; page += 7, tried++) {
        struct store_recovered r;
        memcpy(bad, good, len);
        memset(bad + page * PAGE, page % 2 ? 0 : 0xa5, PAGE);
        must_write(p->path, bad, len);
        if (try(p->path, &r) != STORE_OK)
            continue;
        struct store *s = must_open(p->path);
        rich += whole(s) >= MESSAGES * 8 / 10;
        store_close(s);
        char *kept = must_read(r.kept, &kept_len);
        assert_int_equal(kept_len, len);
        assert_memory_equal(kept, bad, len);
        free(kept);
        unlink(r.kept);
    }
    assert_true(tried > 10 && rich >= tried * 9 / 10);
    free(good);
    free(bad);
}

static void half_a_file_gives_half(void **state)
{
    struct place *p = *state;
    struct store_recovered r;
    size_t len;
    make_history(p->path);
    char *good = must_read(p->path, &len);
    must_write(p->path, good, len / 2 / PAGE * PAGE);
    assert_int_equal(try(p->path, &r), STORE_OK);
    assert_true(r.broken);
    assert_in_range(r.messages, MESSAGES / 5, MESSAGES);
    /* Where the messages are lost and their texts are not, those are in one conversation. */
    assert_true(must_number(p->path, "SELECT count(DISTINCT message) FROM text") > MESSAGES / 5);
    free(good);
}

static void rows_that_point_nowhere_find_a_place(void **state)
{
    struct place *p = *state;
    struct store_recovered r;
    make_history(p->path);
    must_run(p->path, "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;"
                      "DELETE FROM conversation WHERE id = 3;"
                      "DELETE FROM message WHERE conversation = 4 AND id % 2;"
                      "UPDATE conversation SET leaf = 9999 WHERE id = 5;"
                      "UPDATE message SET state = 0, owner = NULL WHERE conversation = 6;"
                      "DELETE FROM text WHERE message IN"
                      " (SELECT id FROM message WHERE conversation = 7)");
    assert_int_equal(try(p->path, &r), STORE_OK);
    assert_int_equal(r.messages, MESSAGES);
    struct store *s = must_open(p->path);
    assert_int_equal(must_number(p->path, "SELECT count(*) FROM conversation"
                                          " WHERE title = 'recovered'"),
                     2);
    struct store_messages *path = must_path(s, 3);
    assert_int_equal(path->count, TURNS);
    store_messages_free(path);
    path = must_path(s, 5);
    assert_int_equal(path->count, TURNS);
    store_messages_free(path);
    path = must_path(s, 6);
    assert_int_equal(path->items[0].state, STORE_INTERRUPTED);
    store_messages_free(path);
    store_close(s);
}

static void a_schema_that_lies_is_not_believed(void **state)
{
    struct place *p = *state;
    struct store_recovered r;
    char err[240];
    make_history(p->path);
    must_run(p->path, "CREATE TRIGGER t AFTER INSERT ON message BEGIN SELECT load_extension('x');"
                      " END; DROP VIEW searchable; DROP INDEX text_of_message");
    assert_true(refusal(p->path, err, sizeof(err)) != STORE_OK);
    assert_int_equal(try(p->path, &r), STORE_OK);
    assert_int_equal(r.messages, MESSAGES);
    struct store *s = must_open(p->path);
    assert_int_equal(whole(s), MESSAGES);
    store_close(s);
}

static void what_is_no_history_stays_where_it_is(void **state)
{
    struct place *p = *state;
    struct store_recovered r;
    size_t len;
    assert_int_equal(try(p->path, &r), STORE_EIO); /* nothing is there */
    must_write(p->path, "just a text, and a long one at that, of no database at all", 58);
    assert_int_equal(try(p->path, &r), STORE_ENOTDB);
    char *data = must_read(p->path, &len);
    assert_int_equal(len, 58);
    free(data);
    unlink(p->path);
    must_run(p->path, "CREATE TABLE bookmarks(url TEXT)");
    assert_int_equal(try(p->path, &r), STORE_EDAMAGED);
    assert_int_equal(must_number(p->path, "SELECT count(*) FROM bookmarks"), 0);
    char beside[128];
    snprintf(beside, sizeof(beside), "%s.recovered", p->path);
    assert_int_not_equal(access(beside, F_OK), 0);
}

/* The last file to be moved aside cannot be: those before it come back. */
static void a_failure_changes_nothing(void **state)
{
    struct place *p = *state;
    struct store_recovered r;
    char journal[128], memory[128], wall[128];
    make_history(p->path);
    snprintf(journal, sizeof(journal), "%s-journal", p->path);
    snprintf(memory, sizeof(memory), "%s-shm", p->path);
    snprintf(wall, sizeof(wall), "%s.damaged-shm", p->path);
    must_write(journal, "", 0);
    must_write(memory, "", 0);
    assert_int_equal(mkdir(wall, 0700), 0);
    int files = files_in(p->folder);
    assert_int_equal(try(p->path, &r), STORE_EIO);
    assert_int_equal(access(journal, F_OK), 0);
    assert_int_equal(access(memory, F_OK), 0);
    assert_int_equal(files_in(p->folder), files);
    assert_int_equal(must_number(p->path, "SELECT count(*) FROM message"), MESSAGES);
}

static void nothing_of_the_work_is_left(void **state)
{
    struct place *p = *state;
    struct store_recovered r;
    make_history(p->path);
    assert_int_equal(try(p->path, &r), STORE_OK);
    store_close(must_open(p->path));
    char name[128];
    static const char *const left[] = {"", "-lock", "-journal", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof(left) / sizeof(*left); i++) {
        snprintf(name, sizeof(name), "%s.recovered%s", p->path, left[i]);
        assert_int_not_equal(access(name, F_OK), 0);
    }
}

int test_recover(void)
{
    const struct CMUnitTest tests[] = {
        place_test(a_whole_history_comes_out_as_it_was),
        place_test(a_broken_page_costs_what_was_on_it),
        place_test(half_a_file_gives_half),
        place_test(rows_that_point_nowhere_find_a_place),
        place_test(a_schema_that_lies_is_not_believed),
        place_test(what_is_no_history_stays_where_it_is),
        place_test(a_failure_changes_nothing),
        place_test(nothing_of_the_work_is_left),
    };
    return cmocka_run_group_tests_name("storage recover", tests, NULL, NULL);
}
