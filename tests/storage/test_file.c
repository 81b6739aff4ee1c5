/*
 * test_file.c - who may read the history, whose file it is, where it went, a disk without space.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "storage/schema.h"

static void must_be_private(const char *folder)
{
    struct stat st;
    DIR *d = opendir(folder);
    assert_non_null(d);
    int files = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        assert_int_equal(stat(path, &st), 0);
        if (!S_ISREG(st.st_mode))
            continue;
        if ((st.st_mode & 0777) != 0600)
            fail_msg("%s: %03o", path, st.st_mode & 0777);
        files++;
    }
    closedir(d);
    assert_true(files >= 3); /* database, journal, lock */
}

static void history_is_private_under_any_umask(void **state)
{
    struct place *p = *state;
    static const mode_t masks[] = {0, 022, 077};
    for (size_t i = 0; i < 3; i++) {
        char folder[128], path[200];
        struct stat st;
        snprintf(folder, sizeof(folder), "%s/%zu/share/duet", p->folder, i);
        snprintf(path, sizeof(path), "%s/chat.db", folder);
        mode_t before = umask(masks[i]);
        struct store *s = must_open(path);
        must_add(s, must_create(s, "t"), STORE_LEAF, STORE_USER, "secret");
        assert_int_equal(store_begin(s), STORE_OK); /* so that a journal is there and full */
        must_create(s, "u");
        must_be_private(folder);
        assert_int_equal(stat(folder, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0700);
        *strrchr(folder, '/') = '\0';
        assert_int_equal(stat(folder, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0700);
        store_close(s);
        umask(before);
    }
}

static void an_open_file_is_made_private(void **state)
{
    struct place *p = *state;
    store_close(must_open(p->path));
    assert_int_equal(chmod(p->path, 0644), 0);
    store_close(must_open(p->path));
    struct stat st;
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static int try_open(const char *path, char *err)
{
    struct store *s;
    int rc = store_open(&s, path, err, 240);
    store_close(s);
    return rc;
}

static void what_is_not_ours_is_refused(void **state)
{
    struct place *p = *state;
    char err[240], other[128];
    snprintf(other, sizeof(other), "%s/other.db", p->folder);

    assert_int_equal(mkdir(p->path, 0700), 0);
    assert_int_equal(try_open(p->path, err), STORE_EFOREIGN);
    rmdir(p->path);
    assert_int_equal(mkfifo(p->path, 0600), 0);
    assert_int_equal(try_open(p->path, err), STORE_EFOREIGN);
    unlink(p->path);
    assert_int_equal(symlink(other, p->path), 0); /* to nowhere: nothing is made there */
    assert_int_equal(try_open(p->path, err), STORE_EIO);
    assert_int_not_equal(access(other, F_OK), 0);

    unlink(p->path);
    assert_int_equal(chmod(p->folder, 0777), 0);
    assert_int_equal(try_open(p->path, err), STORE_EFOREIGN);
    assert_int_not_equal(access(p->path, F_OK), 0); /* nothing is made there either */
    assert_int_equal(chmod(p->folder, 0700), 0);

    assert_int_equal(symlink(other, p->path), 0);
    store_close(must_open(other));
    store_close(must_open(p->path)); /* a link to a file of ours is fine */
    assert_int_equal(chmod(p->folder, 0777), 0);
    assert_int_equal(try_open(p->path, err), STORE_EFOREIGN);
    assert_int_equal(chmod(p->folder, 01777), 0);
    store_close(must_open(p->path));
    assert_int_equal(chmod(p->folder, 0700), 0);

    assert_int_equal(try_open("/dev/null", err), STORE_EFOREIGN);
    assert_int_equal(try_open("/proc/nowhere/chat.db", err), STORE_EIO);
    assert_int_equal(try_open("", err), STORE_EIO);
    assert_int_equal(try_open("/proc/\033[31m/x\ny", err), STORE_EIO);
    assert_non_null(strstr(err, "\\x1b[31m/x\\x0ay"));
    assert_int_equal(try_open("/proc/\xc2\x9b/\xff\xc3\xa9/x", err), STORE_EIO);
    assert_non_null(strstr(err, "/\\xc2\\x9b/\\xff\xc3\xa9/x: "));
    char long_path[3000] = "/proc/";
    memset(long_path + 6, 'x', sizeof(long_path) - 7);
    long_path[sizeof(long_path) - 1] = '\0';
    assert_int_equal(try_open(long_path, err), STORE_EIO);
    assert_true(strlen(err) < 200 && strstr(err, ": making the file: "));
}

static void another_users_file_is_refused(void **state)
{
    struct place *p = *state;
    char err[240];
    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    store_close(must_open(p->path));
    assert_int_equal(chown(p->path, 12345, 12345), 0);
    assert_int_equal(try_open(p->path, err), STORE_EFOREIGN);
    assert_int_equal(chown(p->path, 0, 0), 0);
    assert_int_equal(chown(p->folder, 12345, 12345), 0);
    assert_int_equal(try_open(p->path, err), STORE_EFOREIGN);
    assert_int_equal(chown(p->folder, 0, 0), 0);
}

/* What a user finds who may not write to the folder; root becomes somebody else for it. */
struct locked {
    struct place *p;
    mode_t folder, file;
    int wanted;
    const char *words; /* of the error, or what there is to read */
};

static int read_where_nothing_may_be_written(void *argument)
{
    const struct locked *l = argument;
    char err[240] = "";
    struct store *s;
    if (geteuid() == 0 &&
        (chown(l->p->folder, 12345, 12345) != 0 || chown(l->p->path, 12345, 12345) != 0))
        return 2;
    if (chmod(l->p->path, l->file) != 0 || chmod(l->p->folder, l->folder) != 0)
        return 2;
    if (geteuid() == 0 && (setregid(12345, 12345) != 0 || setreuid(12345, 12345) != 0))
        return 2;
    int rc = store_open_to_read(&s, l->p->path, err, sizeof(err));
    if (rc != l->wanted || (rc != STORE_OK && !strstr(err, l->words))) {
        fprintf(stderr, "%d: %s\n", rc, err);
        return 1;
    }
    if (rc != STORE_OK)
        return 0;
    struct store_hits *hits;
    int64_t id;
    bool right = strcmp(path_text(s, 1), l->words) == 0 &&
                 store_search(s, "needle", 0, 9, &hits) == STORE_OK && hits->count == 1;
    if (right && l->folder == 0500)
        right = store_conversation_create(s, "t", "", &id) == STORE_EIO;
    store_close(s);
    return right ? 0 : 1;
}

static void must_read_as(struct place *p, mode_t folder, mode_t file, int wanted, const char *words)
{
    struct locked l = {p, folder, file, wanted, words};
    char left[160];
    snprintf(left, sizeof(left), "%s-lock", p->path);
    assert_int_equal(in_child(read_where_nothing_may_be_written, &l), 0);
    if (folder == 0500)
        assert_int_not_equal(access(left, F_OK), 0);
    assert_int_equal(chmod(p->folder, 0700), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(p->folder, 0, 0) | chown(p->path, 0, 0), 0);
}

/* A name that means something in a URI. */
static void what_may_not_be_written_can_be_read(void **state)
{
    struct place *p = *state;
    char lock[160];
    snprintf(p->path, sizeof(p->path), "%s/a?b%%20#.db", p->folder);
    snprintf(lock, sizeof(lock), "%s-lock", p->path);
    struct store *s = must_open(p->path);
    must_add(s, must_create(s, ""), STORE_LEAF, STORE_USER, "a needle");
    store_close(s);
    unlink(lock);
    must_read_as(p, 0500, 0600, STORE_OK, "a needle|");
    must_read_as(p, 0500, 0444, STORE_OK, "a needle|");
    must_read_as(p, 0500, 0, STORE_EIO, "the file: Permission denied");
    must_read_as(p, 0700, 0400, STORE_OK, "a needle|");
    assert_int_equal(chmod(p->path, 0600), 0);
    must_run(p->path, "PRAGMA journal_mode = WAL"); /* whatever this SQLite would have chosen */
    unlink(lock);
    must_read_as(p, 0500, 0600, STORE_OK, "a needle|");
}

/* Nothing that was said is passed over in silence. */
static void a_journal_that_cannot_be_read_is_named(void **state)
{
    struct place *p = *state;
    char beside[160];
    struct store *s = must_open(p->path);
    must_add(s, must_create(s, ""), STORE_LEAF, STORE_USER, "a needle");
    store_close(s);
    snprintf(beside, sizeof(beside), "%s-lock", p->path);
    unlink(beside);
    snprintf(beside, sizeof(beside), "%s-journal", p->path);
    for (int i = 0; i < 2; i++) {
        must_write(beside, "what is left of a transaction", 29);
        must_read_as(p, 0500, 0600, STORE_EIO, "its newest part is in a journal");
        unlink(beside);
        snprintf(beside, sizeof(beside), "%s-wal", p->path);
    }
}

static void an_older_history_is_not_read_where_it_cannot_be_upgraded(void **state)
{
    struct place *p = *state;
    sqlite3 *sql;
    must_write(p->path, "", 0);
    must_read_as(p, 0500, 0600, STORE_ENOTDB, "not a history");
    assert_int_equal(sqlite3_open(p->path, &sql), SQLITE_OK);
    assert_int_equal(schema_build(sql, 1), SQLITE_OK);
    sqlite3_close(sql);
    must_read_as(p, 0500, 0600, STORE_EIO, "of an older duet");
}

static void a_file_that_moves_away_is_noticed(void **state)
{
    struct place *p = *state;
    char away[128];
    snprintf(away, sizeof(away), "%s/away.db", p->folder);
    struct store *s = must_open(p->path);
    int64_t id = must_begin(s, must_create(s, ""));
    must_append(s, id, STORE_TEXT, "a");
    assert_int_equal(rename(p->path, away), 0);
    assert_int_equal(store_message_append(s, id, STORE_TEXT, "b", 1), STORE_EMOVED);
    must_write(p->path, "", 0);
    assert_int_equal(store_message_append(s, id, STORE_TEXT, "b", 1), STORE_EMOVED);
    assert_int_equal(rename(away, p->path), 0);
    must_append(s, id, STORE_TEXT, "b");
    assert_string_equal(path_text(s, 1), "ab|");
    store_close(s);
}

/* Fills the disk, sees the failure, makes room, goes on: 0 when nothing was lost. */
static int write_on_a_full_disk(void *argument)
{
    struct place *p = argument;
    struct stat st;
    struct rlimit limit;
    struct store *s = must_open(p->path);
    int64_t c = must_create(s, ""), id = must_begin(s, c);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    char kept[200000] = "";
    size_t len = 0;
    int refused = 0;
    for (int i = 0; i < 60; i++) {
        if (i % 20 == 5 && stat(p->path, &st) == 0) {
            limit.rlim_cur = (rlim_t)st.st_size + 20000;
            setrlimit(RLIMIT_FSIZE, &limit);
        }
        if (i % 20 == 15) {
            limit.rlim_cur = limit.rlim_max;
            setrlimit(RLIMIT_FSIZE, &limit);
        }
        char text[3000];
        memset(text, 'a' + i % 26, sizeof(text));
        int rc = store_message_append(s, id, STORE_TEXT, text, sizeof(text));
        if (rc == STORE_OK) {
            memcpy(kept + len, text, sizeof(text));
            len += sizeof(text);
        } else if (rc == STORE_EFULL) {
            refused++;
        } else {
            return 1;
        }
    }
    if (store_message_end(s, id, STORE_COMPLETE, NULL) != STORE_OK)
        return 2;
    store_close(s);
    s = must_open(p->path);
    struct store_messages *list = must_path(s, c);
    const struct store_message *m = &list->items[0];
    bool same = m->len[STORE_TEXT] == len && memcmp(m->text[STORE_TEXT], kept, len) == 0;
    bool damaged = m->damaged;
    store_messages_free(list);
    store_close(s);
    if (refused == 0 || refused > 40)
        return 3;
    return same && !damaged ? 0 : 4;
}

static void a_full_disk_loses_nothing_that_was_accepted(void **state)
{
    struct place *p = *state;
    assert_int_equal(in_child(write_on_a_full_disk, p), 0);
    assert_int_equal(must_number(p->path, "SELECT count(*) FROM pragma_integrity_check"
                                          " WHERE integrity_check = 'ok'"),
                     1);
}

static int read_on_a_full_disk(void *argument)
{
    struct place *p = argument;
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 0;
    setrlimit(RLIMIT_FSIZE, &limit);
    struct store *s;
    char err[240];
    if (store_open(&s, p->path, err, sizeof(err)) != STORE_OK)
        return 1;
    bool same = strcmp(path_text(s, 1), "half|") == 0;
    store_close(s);
    return same ? 0 : 2;
}

static int begin_and_die(void *argument)
{
    struct store *s = must_open(argument);
    must_append(s, must_begin(s, must_create(s, "")), STORE_TEXT, "half");
    return die();
}

static void a_full_disk_can_be_read(void **state)
{
    struct place *p = *state;
    assert_int_equal(in_child(begin_and_die, p->path), KILLED);
    if (must_number(p->path, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"))
        skip(); /* a log wants a file of shared memory */
    assert_int_equal(in_child(read_on_a_full_disk, p), 0);
}

int test_file(void)
{
    const struct CMUnitTest tests[] = {
        place_test(history_is_private_under_any_umask),
        place_test(an_open_file_is_made_private),
        place_test(what_is_not_ours_is_refused),
        place_test(another_users_file_is_refused),
        place_test(what_may_not_be_written_can_be_read),
        place_test(a_journal_that_cannot_be_read_is_named),
        place_test(an_older_history_is_not_read_where_it_cannot_be_upgraded),
        place_test(a_file_that_moves_away_is_noticed),
        place_test(a_full_disk_loses_nothing_that_was_accepted),
        place_test(a_full_disk_can_be_read),
    };
    return cmocka_run_group_tests_name("storage file", tests, NULL, NULL);
}
