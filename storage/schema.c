/*
 * schema.c - an ordered list of steps; user_version says how many of them a file has seen.
 *
 * A step is never edited once released: a change is a new step at the end. Numbers stored for role,
 * state and kind are those of store.h.
 */
#include "schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "stmt.h"

static const char *const steps[] = {
    /*
     * The references hold the tree together: a parent is an earlier message of the same
     * conversation, so every walk towards the root ends. `activity` orders the list of
     * conversations without a clock. A message that streams names its owner, a deleted
     * conversation who deleted it (owner.h).
     */
    "CREATE TABLE conversation("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  title TEXT NOT NULL,"
    "  system TEXT NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  updated INTEGER NOT NULL,"
    "  activity INTEGER NOT NULL UNIQUE,"
    "  archived INTEGER NOT NULL DEFAULT 0,"
    "  leaf INTEGER,"
    "  deleted_by INTEGER,"
    "  FOREIGN KEY(id, leaf) REFERENCES message(conversation, id)"
    ") STRICT;"
    "CREATE INDEX conversation_listed ON conversation(archived, activity);"
    "CREATE INDEX conversation_deleted ON conversation(deleted_by) WHERE deleted_by IS NOT NULL;"

    "CREATE TABLE message("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  conversation INTEGER NOT NULL REFERENCES conversation(id),"
    "  parent INTEGER CHECK(parent < id),"
    "  role INTEGER NOT NULL,"
    "  state INTEGER NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  crc INTEGER NOT NULL,"
    "  owner INTEGER,"
    "  FOREIGN KEY(conversation, parent) REFERENCES message(conversation, id)"
    ") STRICT;"
    "CREATE UNIQUE INDEX message_listed ON message(conversation, id);"
    "CREATE INDEX message_children ON message(conversation, parent);"
    "CREATE INDEX message_owned ON message(owner) WHERE owner IS NOT NULL;"

    /* A message's text of one kind is its rows of that kind, in order of id. */
    "CREATE TABLE text("
    "  id INTEGER PRIMARY KEY,"
    "  message INTEGER NOT NULL REFERENCES message(id),"
    "  kind INTEGER NOT NULL,"
    "  body TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX text_of_message ON text(message);"

    "CREATE TABLE generation("
    "  message INTEGER PRIMARY KEY REFERENCES message(id),"
    "  model TEXT NOT NULL,"
    "  fingerprint TEXT NOT NULL,"
    "  engine TEXT NOT NULL,"
    "  device TEXT NOT NULL,"
    "  settings TEXT NOT NULL,"
    "  stop_reason TEXT NOT NULL,"
    "  error TEXT NOT NULL,"
    "  seed INTEGER NOT NULL,"
    "  prompt_tokens INTEGER NOT NULL,"
    "  cached_tokens INTEGER NOT NULL,"
    "  completion_tokens INTEGER NOT NULL,"
    "  reasoning_tokens INTEGER NOT NULL,"
    "  load_ms REAL NOT NULL,"
    "  time_to_first_token_ms REAL NOT NULL,"
    "  generation_time_ms REAL NOT NULL"
    ") STRICT;"
    "PRAGMA application_id = 0x64756574;"
    "PRAGMA user_version = 1;",

    /*
     * Searching: three-character pieces, so that any part of a word is found in any script. The
     * index holds no text of its own; an ended message is in it, a streaming one is not.
     */
    "CREATE VIEW searchable AS "
    "  SELECT id,"
    "    CASE WHEN role = 1 THEN said END AS question,"
    "    CASE WHEN role <> 1 THEN said END AS answer,"
    "    thought AS reasoning"
    "  FROM (SELECT id, role,"
    "      (SELECT group_concat(body, '') FROM"
    "        (SELECT body FROM text WHERE message = message.id AND kind = 0 ORDER BY id)) AS said,"
    "      (SELECT group_concat(body, '') FROM"
    "        (SELECT body FROM text WHERE message = message.id AND kind = 1 ORDER BY id)) AS "
    "thought    FROM message WHERE state <> 0);"
    "CREATE VIRTUAL TABLE search USING fts5(question, answer, reasoning,"
    "  content = 'searchable', content_rowid = 'id', tokenize = 'trigram');"
    "INSERT INTO search(search) VALUES('rebuild');"
    "PRAGMA user_version = 2;",

    /*
     * Each text a document of its own (index.h), and of its pieces only that they are in it: a
     * sixth of the size, to be written and merged so much sooner. The two line ends let the
     * last characters of a text begin a piece, too. Titles stand in the index that orders them,
     * to be filtered there.
     */
    "DROP TABLE search;"
    "DROP VIEW searchable;"
    "CREATE VIEW searchable AS"
    "  SELECT 4 * id + (role <> 1) AS id, id AS message,"
    "    (SELECT group_concat(body, '') FROM"
    "      (SELECT body FROM text WHERE message = message.id AND kind = 0 ORDER BY id))"
    "    || char(10, 10) AS body FROM message WHERE state <> 0"
    "  UNION ALL SELECT 4 * id + 2, id,"
    "    (SELECT group_concat(body, '') FROM"
    "      (SELECT body FROM text WHERE message = message.id AND kind = 1 ORDER BY id))"
    "    || char(10, 10) FROM message WHERE state <> 0;"
    "CREATE VIRTUAL TABLE search USING fts5(body, content = 'searchable', content_rowid = 'id',"
    "  columnsize = 0, detail = none, tokenize = 'trigram');"
    "INSERT INTO search(search) VALUES('rebuild');"
    "DROP INDEX conversation_listed;"
    "CREATE INDEX conversation_listed ON conversation(archived, activity, title)"
    "  WHERE deleted_by IS NULL;"
    "PRAGMA user_version = 3;",

    /* A message that opens the window: models are given nothing that stands before it. */
    "ALTER TABLE message ADD COLUMN opens INTEGER NOT NULL DEFAULT 0;"
    "PRAGMA user_version = 4;",
};

_Static_assert(STORE_USER == 1 && STORE_STREAMING == 0 && STORE_TEXT == 0 && STORE_REASONING == 1,
               "the numbers in the statements of this folder");

enum { VERSION = sizeof(steps) / sizeof(*steps) };

/* What SQLite and its index keep for themselves may differ from one release to the next. */
#define OWN_OBJECTS                                                                                \
    "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema "                   \
    "WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' AND NOT (type = 'table' AND name IN "              \
    "('search_data', 'search_idx', 'search_docsize', 'search_config')) ORDER BY 1"

int schema_version(void)
{
    return VERSION;
}

int schema_build(sqlite3 *sql, int version)
{
    int code = SQLITE_OK;
    for (int i = 0; i < version && code == SQLITE_OK; i++)
        code = sqlite3_exec(sql, steps[i], NULL, NULL, NULL);
    return code;
}

static int read_number(struct store *s, const char *sql, int64_t *out)
{
    struct stmt q = stmt_open(s, sql);
    *out = stmt_row(&q) ? stmt_int(&q, 0) : 0;
    return stmt_close(&q);
}

static int read_version(struct store *s, int64_t *out)
{
    return read_number(s, "PRAGMA user_version", out);
}

/* Whether the file's objects are, word for word, those that our steps make. */
static int compare_objects(struct store *s, sqlite3 *model)
{
    sqlite3_stmt *expected;
    int code = sqlite3_prepare_v2(model, OWN_OBJECTS, -1, &expected, NULL);
    if (code != SQLITE_OK)
        return db_failed(s, code);
    bool same = true;
    struct stmt found = stmt_open(s, OWN_OBJECTS);
    while (same && stmt_row(&found)) {
        size_t len;
        const char *text = stmt_text(&found, 0, &len);
        same = sqlite3_step(expected) == SQLITE_ROW && text &&
               strcmp(text, (const char *)sqlite3_column_text(expected, 0)) == 0;
    }
    int rc = stmt_close(&found);
    if (rc == STORE_OK && (!same || sqlite3_step(expected) == SQLITE_ROW))
        rc = db_error(s, STORE_EFOREIGN, "user_version: the tables are not those of a history");
    sqlite3_finalize(expected);
    return rc;
}

static int check_objects(struct store *s, int version)
{
    sqlite3 *model = NULL;
    int code = sqlite3_open(":memory:", &model);
    if (code == SQLITE_OK)
        code = schema_build(model, version);
    int rc = code == SQLITE_OK ? compare_objects(s, model) : db_failed(s, code);
    sqlite3_close(model);
    return rc;
}

/* Refuses what is not ours, and says how old it is: 0 for a file with nothing in it. */
static int identify(struct store *s, int64_t *version)
{
    int64_t application = 0, objects = 0;
    int rc = read_number(s, "PRAGMA application_id", &application);
    if (rc == STORE_OK)
        rc = read_version(s, version);
    if (rc == STORE_OK)
        rc = read_number(s, "SELECT count(*) FROM sqlite_schema", &objects);
    if (rc != STORE_OK || (application == 0 && *version == 0 && objects == 0))
        return rc;
    if (application != SCHEMA_APPLICATION_ID)
        return db_error(s, STORE_EFOREIGN,
                        "application_id: the database belongs to another program (got %#llx)",
                        (unsigned long long)application);
    if (*version > VERSION)
        return db_error(s, STORE_ENEWER, "user_version: made by a newer duet (got %lld, limit %d)",
                        (long long)*version, VERSION);
    if (*version < 1)
        return db_error(s, STORE_EDAMAGED, "user_version: out of range (got %lld)",
                        (long long)*version);
    return check_objects(s, (int)*version);
}

static int upgrade(struct store *s)
{
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    int64_t version; /* read again: another instance may have been quicker */
    rc = read_version(s, &version);
    for (; rc == STORE_OK && version < VERSION; version++)
        rc = db_script(s, steps[version]);
    return db_end(s, rc);
}

static char *copy_name(const struct store *s, int version)
{
    char suffix[32];
    snprintf(suffix, sizeof(suffix), ".v%d", version);
    return file_beside(s->path, suffix);
}

/* SQLite's backup into a file that nobody else may read. */
static int copy_to(struct store *s, const char *path)
{
    sqlite3 *copy = NULL;
    unlink(path);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return db_error(s, STORE_EIO, "cannot make a copy before the upgrade: %s", strerror(errno));
    close(fd);
    errno = 0;
    int code = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, NULL);
    if (code == SQLITE_OK) {
        sqlite3_backup *backup = sqlite3_backup_init(copy, "main", s->sql, "main");
        if (backup)
            sqlite3_backup_step(backup, -1);
        code = backup ? sqlite3_backup_finish(backup) : sqlite3_errcode(copy);
    }
    sqlite3_close(copy);
    return code == SQLITE_OK ? STORE_OK : db_failed(s, code);
}

static int copy_aside(struct store *s, int version)
{
    char *name = copy_name(s, version);
    char *part = name ? file_beside(name, ".part") : NULL;
    int rc = part ? copy_to(s, part) : db_no_memory(s);
    if (rc == STORE_OK && rename(part, name) != 0)
        rc = db_error(s, STORE_EIO, "cannot make a copy before the upgrade: %s", strerror(errno));
    if (rc != STORE_OK && part)
        unlink(part);
    free(part);
    free(name);
    return rc;
}

void schema_forget_copies(struct store *s)
{
    for (int version = 1; s->path && version < VERSION; version++) {
        char *name = copy_name(s, version);
        if (name)
            unlink(name);
        free(name);
    }
}

int schema_prepare(struct store *s)
{
    int64_t version = 0;
    int rc = db_snapshot(s);
    if (rc == STORE_OK)
        rc = identify(s, &version);
    db_release(s);
    if (rc != STORE_OK || version == VERSION)
        return rc;
    if (s->reads_only && version == 0)
        return db_error(s, STORE_ENOTDB, "not a history database: empty");
    if (s->reads_only)
        return db_error(s, STORE_EIO,
                        "user_version: of an older duet, brought up to date only where it may be "
                        "written (got %lld, limit %d)",
                        (long long)version, VERSION);
    if (version > 0 && s->path)
        rc = copy_aside(s, (int)version);
    return rc == STORE_OK ? upgrade(s) : rc;
}
