/*
 * test_schema.c - files of every age and of every other kind.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"

#include "storage/message.h"
#include "storage/schema.h"
#include "storage/text.h"

/* A history as an older schema had it: one conversation, `questions` questions. */
static void make_old(const char *path, int version, int questions)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    must_write(path, "", 0);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(schema_build(db, version), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "BEGIN; INSERT INTO conversation"
                                  " VALUES(1, 'old', '', 5, 6, 1, 0, NULL, NULL)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_prepare_v2(db,
                       "INSERT INTO message VALUES(?1, 1, nullif(?1 - 1, 0), 1, 1, 7, ?2, NULL)",
                       -1, &st, NULL);
    for (int i = 1; i <= questions; i++) {
        sqlite3_bind_int(st, 1, i);
        sqlite3_bind_int64(st, 2, text_crc(message_crc(i, 1, i - 1, STORE_USER), 0, "old tale", 8));
        assert_int_equal(sqlite3_step(st), SQLITE_DONE);
        sqlite3_reset(st);
    }
    sqlite3_finalize(st);
    assert_int_equal(
        sqlite3_exec(db,
                     "INSERT INTO text(message, kind, body) SELECT id, 0, 'old tale' FROM message;"
                     "UPDATE conversation SET leaf = (SELECT max(id) FROM message); COMMIT",
                     NULL, NULL, NULL),
        SQLITE_OK);
    if (version > 1)
        assert_int_equal(
            sqlite3_exec(db, "INSERT INTO search(search) VALUES('rebuild')", NULL, NULL, NULL),
            SQLITE_OK);
    sqlite3_close(db);
}

static void check_upgraded(const char *path, size_t questions)
{
    struct store *s = must_open(path);
    struct store_messages *list = must_path(s, 1);
    assert_int_equal(list->count, questions);
    for (size_t i = 0; i < questions; i++) {
        assert_string_equal(list->items[i].text[STORE_TEXT], "old tale");
        assert_false(list->items[i].damaged);
    }
    store_messages_free(list);
    struct store_hits *hits;
    assert_int_equal(store_search(s, "tale", 0, SIZE_MAX, &hits), STORE_OK);
    assert_int_equal(hits->count, questions < 1000 ? questions : 1000);
    store_hits_free(hits);
    assert_int_equal(store_search(s, "ld", 0, 1, &hits), STORE_OK);
    assert_int_equal(hits->count, 1);
    store_hits_free(hits);
    store_close(s);
    assert_int_equal(must_number(path, "PRAGMA user_version"), schema_version());
}

static void an_old_file_is_brought_up_to_date(void **state)
{
    struct place *p = *state;
    for (int version = 1; version < schema_version(); version++) {
        make_old(p->path, version, 3);
        check_upgraded(p->path, 3);

        char copy[128];
        struct stat st;
        snprintf(copy, sizeof(copy), "%s.v%d", p->path, version);
        assert_int_equal(stat(copy, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        assert_int_equal(must_number(copy, "PRAGMA user_version"), version);
        assert_int_equal(must_number(copy, "SELECT count(*) FROM text"), 3);

        struct store *s = must_open(p->path);
        assert_int_equal(store_conversation_delete(s, 1), STORE_OK);
        store_close(s);
        assert_int_not_equal(stat(copy, &st), 0); /* deleted means gone there too */
    }
}

static int upgrade(void *path)
{
    store_close(must_open(path));
    return 0;
}

static void an_upgrade_is_all_or_nothing(void **state)
{
    struct place *p = *state;
    for (int round = 0; round < 12; round++) {
        enum { QUESTIONS = 2000 };
        make_old(p->path, 1 + round % (schema_version() - 1), QUESTIONS);
        pid_t pid = start_child(upgrade, p->path);
        usleep((useconds_t)(2000 + 1500 * round));
        kill(pid, SIGKILL);
        end_child(pid);
        int64_t version = must_number(p->path, "PRAGMA user_version");
        assert_true(version == 1 + round % (schema_version() - 1) || version == schema_version());
        assert_int_equal(
            must_number(p->path, "SELECT count(*) FROM sqlite_schema WHERE name = 'search'"),
            version != 1);
        check_upgraded(p->path, QUESTIONS);
    }
}

static void a_newer_file_is_left_alone(void **state)
{
    struct place *p = *state;
    char err[240];
    store_close(must_open(p->path));
    char sql[64];
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", schema_version() + 1);
    must_run(p->path, sql);
    assert_int_equal(refusal(p->path, err, sizeof(err)), STORE_ENEWER);
    assert_non_null(strstr(err, p->path));
    assert_non_null(strstr(err, "newer"));
    must_run(p->path, "PRAGMA user_version = -3");
    assert_int_equal(refusal(p->path, err, sizeof(err)), STORE_EDAMAGED);
}

static void another_programs_database_is_left_alone(void **state)
{
    struct place *p = *state;
    char err[240];
    static const char *const others[] = {
        "CREATE TABLE bookmarks(url TEXT)",
        "PRAGMA user_version = 7",
        "PRAGMA application_id = 0x0f055112; CREATE TABLE blob(x)",
        "PRAGMA application_id = 0x64756574; PRAGMA user_version = 2; CREATE TABLE message(id)",
        "PRAGMA journal_mode = WAL; CREATE TABLE t(x); INSERT INTO t VALUES(1)",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        must_write(p->path, "", 0);
        must_run(p->path, others[i]);
        assert_int_equal(refusal(p->path, err, sizeof(err)), STORE_EFOREIGN);
        assert_null(strchr(err, '\n'));
    }
}

static void a_history_with_foreign_objects_is_left_alone(void **state)
{
    struct place *p = *state;
    char err[240];
    static const char *const additions[] = {
        "CREATE TRIGGER t AFTER INSERT ON message BEGIN SELECT load_extension('x'); END",
        "CREATE VIEW v AS SELECT * FROM text",
        "CREATE INDEX i ON text(length(body))",
        "CREATE TABLE other(a, b AS (a + 1))",
        "ALTER TABLE conversation ADD COLUMN x TEXT AS (title || 'x')",
        "DROP INDEX text_of_message",
        "DROP VIEW searchable",
        "DROP VIEW searchable; CREATE VIEW searchable AS SELECT id, 'x' AS question,"
        " 'y' AS answer, 'z' AS reasoning FROM message",
    };
    for (size_t i = 0; i < sizeof(additions) / sizeof(*additions); i++) {
        unlink(p->path);
        store_close(must_open(p->path));
        must_run(p->path, additions[i]);
        assert_int_equal(refusal(p->path, err, sizeof(err)), STORE_EFOREIGN);
    }
    must_run(p->path, "DROP VIEW searchable");
    assert_int_equal(refusal(p->path, err, sizeof(err)), STORE_EFOREIGN);
}

static void statistics_do_not_make_a_file_foreign(void **state)
{
    struct place *p = *state;
    store_close(must_open(p->path));
    must_run(p->path, "ANALYZE");
    store_close(must_open(p->path));
}

static void what_is_no_database_is_left_alone(void **state)
{
    struct place *p = *state;
    char err[240];
    char png[2000] = "\x89PNG\r\n\x1a\n";
    char text[5000];
    memset(text, 'x', sizeof(text));
    char half[100] = "SQLite format 3";
    const struct {
        const void *data;
        size_t len;
    } files[] = {{"x", 1}, {"hello\n", 6}, {png, sizeof(png)}, {text, 5000}, {half, 100}};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        must_write(p->path, files[i].data, files[i].len);
        assert_int_equal(refusal(p->path, err, sizeof(err)), STORE_ENOTDB);
        assert_non_null(strstr(err, "not a history database"));
    }
}

static void an_empty_file_is_a_new_history(void **state)
{
    struct place *p = *state;
    must_write(p->path, "", 0);
    struct store *s = must_open(p->path);
    must_create(s, "first");
    store_close(s);
    assert_int_equal(must_number(p->path, "PRAGMA application_id"), SCHEMA_APPLICATION_ID);
}

static void memory_is_a_history_too(void **state)
{
    (void)state;
    struct store *s = must_open(":memory:"), *t = must_open(NULL);
    int64_t id = must_create(s, "x");
    must_add(s, id, STORE_LEAF, STORE_USER, "hello");
    assert_string_equal(path_text(s, id), "hello|");
    assert_false(store_changed(s));
    struct store_conversations *list;
    assert_int_equal(store_conversation_list(t, false, 0, 9, &list), STORE_OK);
    assert_int_equal(list->count, 0);
    store_conversations_free(list);
    store_close(s);
    store_close(t);
    store_close(NULL);
    assert_int_not_equal(access(":memory:", F_OK), 0);
}

int test_schema(void)
{
    const struct CMUnitTest tests[] = {
        place_test(an_old_file_is_brought_up_to_date),
        place_test(an_upgrade_is_all_or_nothing),
        place_test(a_newer_file_is_left_alone),
        place_test(another_programs_database_is_left_alone),
        place_test(a_history_with_foreign_objects_is_left_alone),
        place_test(statistics_do_not_make_a_file_foreign),
        place_test(what_is_no_database_is_left_alone),
        place_test(an_empty_file_is_a_new_history),
        cmocka_unit_test(memory_is_a_history_too),
    };
    return cmocka_run_group_tests_name("storage schema", tests, NULL, NULL);
}
