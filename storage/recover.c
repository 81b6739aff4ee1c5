/*
 * recover.c - what can still be read of a damaged history, into a new one.
 *
 * The rows of each table are read in order of their ids, and where a page is broken from behind it
 * on. Only the tables are believed: the new file's indexes are made anew. A message keeps its
 * checksum, so that one whose text is not what was written says so afterwards.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "stmt.h"

enum {
    NEAR = 300,   /* ids to try one by one behind a broken place: more than a page has rows */
    COLUMNS = 18, /* of the widest table */
    TRIES_OF_NAMES = 100,
};

struct table {
    const char *read;  /* rows behind an id */
    const char *write; /* one row, its columns in the order of `columns` */
    const char *columns[COLUMNS];
};

static const struct table tables[] = {
    {"SELECT rowid, * FROM conversation WHERE rowid > ? ORDER BY rowid",
     "INSERT INTO conversation(id, title, system, created, updated, archived, leaf, deleted_by,"
     " activity) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,"
     " (SELECT coalesce(max(activity), 0) + 1 FROM conversation))",
     {"id", "title", "system", "created", "updated", "archived", "leaf", "deleted_by"}},
    {"SELECT rowid, * FROM message WHERE rowid > ? ORDER BY rowid",
     "INSERT INTO message(id, conversation, parent, role, state, created, crc, opens)"
     " VALUES(?1, ?2, ?3, ?4, CASE ?5 WHEN 0 THEN 3 ELSE ?5 END, ?6, ?7, coalesce(?8, 0))",
     {"id", "conversation", "parent", "role", "state", "created", "crc", "opens"}},
    {"SELECT rowid, * FROM text WHERE rowid > ? ORDER BY rowid",
     "INSERT INTO text(id, message, kind, body) VALUES(?1, ?2, ?3, ?4)",
     {"id", "message", "kind", "body"}},
    {"SELECT rowid, * FROM generation WHERE rowid > ? ORDER BY rowid",
     "INSERT INTO generation VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,"
     " ?15, ?16)",
     {"message", "model", "fingerprint", "engine", "device", "settings", "stop_reason", "error",
      "seed", "prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens", "load_ms",
      "time_to_first_token_ms", "generation_time_ms"}},
};

/*
 * Rows that point nowhere: a text without its message gets one, a message without its conversation
 * too, and what cannot be known is nothing.
 */
static const char mend[] =
    "INSERT INTO conversation(id, title, system, created, updated, activity)"
    "  SELECT coalesce(max(id), 0) + 1, 'recovered', '', 0, 0, coalesce(max(activity), 0) + 1"
    "  FROM conversation HAVING EXISTS"
    "    (SELECT 1 FROM text WHERE message NOT IN (SELECT id FROM message));"
    "INSERT INTO message(id, conversation, role, state, created, crc)"
    "  SELECT DISTINCT message, (SELECT max(id) FROM conversation), 2, 1, 0, -1"
    "  FROM text WHERE message NOT IN (SELECT id FROM message);"
    "INSERT INTO conversation(id, title, system, created, updated, activity)"
    "  SELECT DISTINCT conversation, 'recovered', '', 0, 0,"
    "    (SELECT coalesce(max(activity), 0) FROM conversation) + conversation"
    "  FROM message WHERE conversation NOT IN (SELECT id FROM conversation);"
    "UPDATE message SET parent = NULL WHERE parent IS NOT NULL AND NOT EXISTS"
    "  (SELECT 1 FROM message p WHERE p.id = message.parent"
    "   AND p.conversation = message.conversation);"
    "UPDATE conversation SET leaf = (SELECT max(id) FROM message WHERE conversation ="
    "  conversation.id) WHERE leaf IS NULL OR NOT EXISTS"
    "  (SELECT 1 FROM message m WHERE m.id = leaf AND m.conversation = conversation.id);"
    "DELETE FROM generation WHERE message NOT IN (SELECT id FROM message);"
    "INSERT INTO search(search) VALUES('rebuild');";

/* The column of this name in the row, 0 (which is the row's id, a number) where there is none. */
static int find_column(sqlite3_stmt *row, const char *name)
{
    for (int i = 1; i < sqlite3_column_count(row); i++)
        if (strcmp(sqlite3_column_name(row, i), name) == 0)
            return i;
    return 0;
}

/* A row that breaks a rule of its table is lost; *bad counts those. */
static int copy_row(struct store *s, sqlite3_stmt *row, const struct table *t,
                    struct store_recovered *out)
{
    sqlite3_stmt *write;
    int code = sqlite3_prepare_v2(s->sql, t->write, -1, &write, NULL);
    if (code != SQLITE_OK)
        return db_failed(s, code);
    for (int i = 0; i < COLUMNS && t->columns[i]; i++) {
        int column = find_column(row, t->columns[i]);
        if (column > 0)
            sqlite3_bind_value(write, i + 1, sqlite3_column_value(row, column));
    }
    sqlite3_bind_int64(write, 1, sqlite3_column_int64(row, 0));
    code = sqlite3_step(write);
    sqlite3_finalize(write);
    if ((code & 0xff) == SQLITE_CONSTRAINT || (code & 0xff) == SQLITE_TOOBIG) {
        out->lost++;
        return STORE_OK;
    }
    return code == SQLITE_DONE ? STORE_OK : db_failed(s, code);
}

/* Reads rows behind *id until they end (*more is false) or cannot be read. */
static int copy_run(struct store *s, sqlite3 *from, const struct table *t, int64_t *id, bool *more,
                    struct store_recovered *out)
{
    sqlite3_stmt *row = NULL;
    int rc = STORE_OK, code = sqlite3_prepare_v2(from, t->read, -1, &row, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(row, 1, *id);
    while (rc == STORE_OK && code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        *id = sqlite3_column_int64(row, 0);
        rc = copy_row(s, row, t, out);
        code = SQLITE_OK;
    }
    sqlite3_finalize(row);
    *more = code != SQLITE_DONE;
    bool hopeless = (code & 0xff) == SQLITE_NOMEM || (code & 0xff) == SQLITE_NOTADB;
    return hopeless ? db_failed(s, code) : rc;
}

/* Behind a broken place the next ids are tried one by one, then in ever larger steps. */
static int copy_table(struct store *s, sqlite3 *from, const struct table *t,
                      struct store_recovered *out)
{
    int64_t id = 0, step = 1;
    bool more = true;
    int rc = STORE_OK;
    for (int misses = 0; rc == STORE_OK && more; misses++) {
        int64_t before = id;
        rc = copy_run(s, from, t, &id, &more, out);
        if (!more || rc != STORE_OK)
            break;
        if (id > before) {
            misses = 0;
            step = 1;
        }
        out->broken = true;
        step = misses > NEAR ? 2 * step : 1;
        if (step > INT64_MAX / 4 - id)
            break;
        id += step;
    }
    return rc;
}

static int count(struct store *s, const char *sql, int64_t *out)
{
    struct stmt q = stmt_open(s, sql);
    *out = stmt_row(&q) ? stmt_int(&q, 0) : 0;
    return stmt_close(&q);
}

static int copy_all(struct store *s, sqlite3 *from, struct store_recovered *out)
{
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    rc = db_script(s, "PRAGMA defer_foreign_keys = ON");
    for (size_t i = 0; i < sizeof(tables) / sizeof(*tables) && rc == STORE_OK; i++)
        rc = copy_table(s, from, &tables[i], out);
    if (rc == STORE_OK)
        rc = db_script(s, mend);
    if (rc == STORE_OK)
        rc = count(s, "SELECT count(*) FROM conversation", &out->conversations);
    if (rc == STORE_OK)
        rc = count(s, "SELECT count(*) FROM message", &out->messages);
    if (rc == STORE_OK && out->messages == 0)
        rc = db_error(s, STORE_EDAMAGED, "nothing in it can be read");
    return db_end(s, rc);
}

/* What is asked of the damaged file is plain reading of tables, whatever its schema says. */
static int open_damaged(struct store *s, const char *path, sqlite3 **out)
{
    int code = sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_db_config(*out, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_db_config(*out, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    if (code == SQLITE_OK)
        sqlite3_limit(*out, SQLITE_LIMIT_LENGTH, DB_MAX_BYTES);
    if (code == SQLITE_OK)
        code = sqlite3_exec(*out, "PRAGMA writable_schema = ON; PRAGMA mmap_size = 0", NULL, NULL,
                            NULL);
    return code == SQLITE_OK ? STORE_OK : db_failed(s, code);
}

/* A name beside the file that nothing has yet. */
static bool free_name(const char *path, char *out, size_t size)
{
    for (int i = 1; i < TRIES_OF_NAMES; i++) {
        int n = i == 1 ? snprintf(out, size, "%s.damaged", path)
                       : snprintf(out, size, "%s.damaged.%d", path, i);
        if (n > 0 && (size_t)n < size && access(out, F_OK) != 0)
            return true;
    }
    return false;
}

/* A history's files, itself last. */
static const char *const suffixes[] = {"-lock", "-journal", "-wal", "-shm", ""};
enum { SUFFIXES = sizeof(suffixes) / sizeof(*suffixes), LOCK = 0 };

static void remove_history(const char *path)
{
    for (int i = 0; i < SUFFIXES; i++) {
        char *name = file_beside(path, suffixes[i]);
        if (name)
            unlink(name);
        free(name);
    }
}

static bool move(const char *from, const char *to, const char *suffix)
{
    char *old = file_beside(from, suffix), *new = file_beside(to, suffix);
    bool moved = old && new && (rename(old, new) == 0 || (errno == ENOENT && *suffix));
    free(old);
    free(new);
    return moved;
}

/* The old file goes aside with its journal, which belongs to it, and the new one takes its place;
 * or everything stays where it is. */
static int change_places(const char *path, const char *fresh, const char *kept, char *err,
                         size_t errlen)
{
    int i = LOCK + 1;
    while (i < SUFFIXES && move(path, kept, suffixes[i]))
        i++;
    if (i == SUFFIXES && move(fresh, path, ""))
        return STORE_OK;
    snprintf(err, errlen, "%s: %s: %s", path,
             i < SUFFIXES ? "moving the damaged file aside" : "putting the new file in place",
             strerror(errno));
    while (--i > LOCK)
        move(kept, path, suffixes[i]);
    return STORE_EIO;
}

static int recover(struct store *s, const char *path, struct store_recovered *out)
{
    sqlite3 *from = NULL;
    int rc = open_damaged(s, path, &from);
    if (rc == STORE_OK)
        rc = copy_all(s, from, out);
    sqlite3_close(from);
    return rc;
}

int store_recover(const char *path, struct store_recovered *out, char *err, size_t errlen)
{
    *out = (struct store_recovered){0};
    char *real = realpath(path, NULL), *fresh = real ? file_beside(real, ".recovered") : NULL;
    struct store *s = NULL;
    int rc = STORE_EIO;
    if (!fresh) {
        snprintf(err, errlen, "%s: %s", path, strerror(errno));
        goto done;
    }
    remove_history(fresh);
    rc = store_open(&s, fresh, err, errlen);
    if (rc != STORE_OK)
        goto done;
    rc = recover(s, real, out);
    if (rc == STORE_OK)
        rc = db_empty_log(s);
    if (rc == STORE_OK && !free_name(real, out->kept, sizeof(out->kept)))
        rc = db_error(s, STORE_EIO, "there is no name left to keep the damaged file by");
    if (rc != STORE_OK)
        snprintf(err, errlen, "%s: %s", path, store_error(s));
    store_close(s);
    if (rc == STORE_OK)
        rc = change_places(real, fresh, out->kept, err, errlen);
    remove_history(fresh);
done:
    free(fresh);
    free(real);
    return rc;
}
