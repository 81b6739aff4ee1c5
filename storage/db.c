/*
 * db.c - one connection: its settings, its transactions, its failures in words.
 */
#include "db.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file.h"
#include "stmt.h"
#include "utf8.h"

#define PATIENCE_MS 2000
#define MAX_NAP_MS  25

#define LONGEST_SHOWN 8 /* of one character in an error text: \xNN\xNN */

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t db_now_ms(void)
{
    return clock_ns(CLOCK_REALTIME) / 1000000;
}

int64_t db_clock_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / 1000000;
}

/*
 * Waits for another writer. The delays are random: SQLite's own grow in step, and whoever has just
 * committed wins repeatedly.
 */
static int busy(void *handle, int naps)
{
    struct store *s = handle;
    int64_t now = db_clock_ms();
    if (naps == 0)
        s->waiting_since_ms = now;
    if (now - s->waiting_since_ms >= s->patience_ms)
        return 0;
    s->jitter = s->jitter * 1664525u + 1013904223u; /* Numerical Recipes' generator */
    int longest = naps < 4 ? 2 << naps : MAX_NAP_MS;
    long nap_ms = 1 + (long)((s->jitter >> 16) % (unsigned)longest);
    nanosleep(&(struct timespec){.tv_nsec = nap_ms * 1000000}, NULL);
    return 1;
}

/* Against files made to harm; see "Defense Against The Dark Arts", sqlite.org/security.html. */
static int protect(struct store *s)
{
    static const struct {
        int option, value;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
        {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1}, /* until the file is known to be ours */
    };
    int code = SQLITE_OK;
    for (size_t i = 0; i < sizeof(switches) / sizeof(*switches) && code == SQLITE_OK; i++)
        code = sqlite3_db_config(s->sql, switches[i].option, switches[i].value, NULL);
    sqlite3_limit(s->sql, SQLITE_LIMIT_LENGTH, DB_MAX_BYTES);
    sqlite3_limit(s->sql, SQLITE_LIMIT_ATTACHED, 0);
    return code;
}

static int connect_to(struct store *s, const char *name, int flags)
{
    flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE |
             SQLITE_OPEN_NOFOLLOW;
    s->patience_ms = PATIENCE_MS;
    s->jitter = (uint32_t)clock_ns(CLOCK_MONOTONIC); /* two handles differ */
    errno = 0;
    int code = sqlite3_open_v2(name, &s->sql, flags, NULL);
    if (code == SQLITE_OK)
        code = protect(s);
    if (code == SQLITE_OK)
        code = sqlite3_busy_handler(s->sql, busy, s);
    if (code != SQLITE_OK)
        return db_failed(s, code);
    /* Deleted text is overwritten, nothing spills into a file, every commit waits for the disk. */
    return db_script(s, "PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;"
                        "PRAGMA synchronous = FULL; PRAGMA mmap_size = 0;"
                        "PRAGMA cell_size_check = ON;");
}

int db_open(struct store *s)
{
    return s->path ? connect_to(s, s->path, SQLITE_OPEN_READWRITE)
                   : connect_to(s, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY);
}

/* The path as the URI of a file that nobody changes (sqlite.org/uri.html). The caller frees it. */
static char *immutable_name(const char *path)
{
    static const char head[] = "file:", tail[] = "?immutable=1";
    char *name = malloc(sizeof(head) + 3 * strlen(path) + sizeof(tail));
    if (!name)
        return NULL;
    char *out = name + sprintf(name, "%s", head);
    for (; *path; path++)
        out += sprintf(out, strchr("%?#", *path) ? "%%%02x" : "%c", (unsigned char)*path);
    strcpy(out, tail);
    return name;
}

/*
 * A file in WAL mode cannot be read where its log cannot be created. If there is no log, nobody is
 * writing, and SQLite may treat the file as immutable. An existing journal must not be ignored: it
 * holds a part of the history.
 */
int db_open_to_read(struct store *s)
{
    int rc = connect_to(s, s->path, SQLITE_OPEN_READONLY);
    if (rc == STORE_OK)
        rc = db_script(s, "PRAGMA schema_version");
    if (rc != STORE_EIO || file_has_journal(s->path))
        return rc;
    db_close(s);
    char *name = immutable_name(s->path);
    if (!name)
        return db_no_memory(s);
    rc = connect_to(s, name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    free(name);
    return rc;
}

int db_script(struct store *s, const char *sql)
{
    errno = 0;
    int code = sqlite3_exec(s->sql, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? STORE_OK : db_failed(s, code);
}

void db_close(struct store *s)
{
    if (!s->sql)
        return;
    stmt_finalize_all(s);
    sqlite3_close(s->sql);
    s->sql = NULL;
}

bool db_wal_is_safe(int sqlite_version)
{
    /* The fix of the "WAL-reset" bug and its backports: sqlite.org/wal.html#walresetbug. */
    return sqlite_version >= 3051003 || (sqlite_version >= 3050007 && sqlite_version < 3051000) ||
           (sqlite_version >= 3044006 && sqlite_version < 3045000);
}

/* Runs a PRAGMA journal_mode; whether the mode is then `wanted`. */
static int switch_journal(struct store *s, const char *pragma, const char *wanted, bool *is_wanted)
{
    struct stmt q = stmt_open(s, pragma);
    size_t len;
    const char *mode = stmt_row(&q) ? stmt_text(&q, 0, &len) : NULL;
    *is_wanted = mode && strcmp(mode, wanted) == 0;
    return stmt_close(&q);
}

int db_use_journal(struct store *s, bool may_share_memory)
{
    bool log = false, truncate = false;
    int rc = STORE_OK;
    if (may_share_memory && db_wal_is_safe(sqlite3_libversion_number()))
        rc = switch_journal(s, "PRAGMA journal_mode = WAL", "wal", &log);
    /* Not DELETE: that a file is gone is not synced, and an old journal undoes the last commit. */
    if (rc == STORE_OK && !log)
        rc = switch_journal(s, "PRAGMA journal_mode = TRUNCATE", "truncate", &truncate);
    if (rc == STORE_OK && !log && !truncate && s->path)
        rc = db_error(s, STORE_EBUSY,
                      "another program has the history open in a journal mode "
                      "that cannot be shared safely");
    if (rc == STORE_OK)
        sqlite3_db_config(s->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return rc;
}

int db_empty_log(struct store *s)
{
    errno = 0;
    int code = sqlite3_wal_checkpoint_v2(s->sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code == SQLITE_OK ? STORE_OK : db_failed(s, code);
}

bool db_has_moved(struct store *s)
{
    int moved = 0;
    return s->path &&
           sqlite3_file_control(s->sql, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
           moved;
}

static int execute(struct store *s, const char *sql)
{
    struct stmt q = stmt_open(s, sql);
    return stmt_run(&q);
}

/* SQLite itself rolls back after some failures: then there is nothing left to roll back. */
static void roll_back(struct store *s)
{
    char error[sizeof(s->error)];
    memcpy(error, s->error, sizeof(error));
    if (!sqlite3_get_autocommit(s->sql))
        execute(s, "ROLLBACK");
    memcpy(s->error, error, sizeof(error));
}

static int commit(struct store *s)
{
    int rc = execute(s, "COMMIT");
    if (rc != STORE_OK)
        roll_back(s);
    return rc;
}

static int begin(struct store *s)
{
    if (db_has_moved(s))
        return db_error(s, STORE_EMOVED, "the history file was moved, deleted or replaced");
    /* IMMEDIATE: a transaction that reads first and writes later can fail however long it waits. */
    return execute(s, "BEGIN IMMEDIATE");
}

int db_begin(struct store *s)
{
    return s->grouped ? s->group_status : begin(s);
}

int db_end(struct store *s, int rc)
{
    if (s->grouped) {
        if (s->group_status == STORE_OK)
            s->group_status = rc;
        return rc;
    }
    if (rc == STORE_OK)
        return commit(s);
    roll_back(s);
    return rc;
}

int store_begin(struct store *s)
{
    if (s->grouped)
        return db_error(s, STORE_EINVAL, "a transaction is open already");
    int rc = begin(s);
    s->grouped = rc == STORE_OK;
    s->group_status = STORE_OK;
    return rc;
}

int store_commit(struct store *s)
{
    if (!s->grouped)
        return db_error(s, STORE_EINVAL, "no transaction is open");
    s->grouped = false;
    return db_end(s, s->group_status);
}

void store_rollback(struct store *s)
{
    s->grouped = false;
    roll_back(s);
}

int db_snapshot(struct store *s)
{
    return sqlite3_get_autocommit(s->sql) ? execute(s, "BEGIN") : STORE_OK;
}

void db_release(struct store *s)
{
    if (!s->grouped)
        roll_back(s);
}

int db_error(struct store *s, int status, const char *format, ...)
{
    char line[sizeof(s->error)];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);

    char *out = s->error;
    size_t len = strlen(line);
    for (size_t at = 0, next = 0; at < len && out + LONGEST_SHOWN < s->error + sizeof(s->error);) {
        uint32_t c = utf8_next(line, len, &next);
        bool visible = c >= 0x20 && c != UTF8_INVALID && (c < 0x7f || c >= 0xa0);
        for (; at < next; at++)
            out += sprintf(out, visible ? "%c" : "\\x%02x", (unsigned char)line[at]);
    }
    *out = '\0';
    s->failure = status;
    return status;
}

int db_no_memory(struct store *s)
{
    return db_error(s, STORE_ENOMEM, "out of memory");
}

int db_failed(struct store *s, int code)
{
    switch (code & 0xff) {
    case SQLITE_NOTADB: return db_error(s, STORE_ENOTDB, "not a history database");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return db_error(s, STORE_EBUSY, "another program is writing to the history");
    case SQLITE_NOMEM: return db_no_memory(s);
    case SQLITE_FULL: return db_error(s, STORE_EFULL, "no space left for the history");
    case SQLITE_CORRUPT:
    case SQLITE_FORMAT:
    case SQLITE_TOOBIG: return db_error(s, STORE_EDAMAGED, "the history file is damaged");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: break;
    default: return db_error(s, STORE_ERROR, "%s (code %d)", sqlite3_errmsg(s->sql), code);
    }

    if (code == SQLITE_IOERR_NOMEM)
        return db_no_memory(s);
    if (code == SQLITE_READONLY_DBMOVED)
        return db_error(s, STORE_EMOVED, "the history file was moved, deleted or replaced");
    if (s->reads_only && file_has_journal(s->path) && code != SQLITE_READONLY)
        return db_error(s, STORE_EIO,
                        "its newest part is in a journal, to be read only where it may be "
                        "written: copy both there");
    int system = errno;
    if (system == ENOSPC || system == EDQUOT || system == EFBIG)
        return db_error(s, STORE_EFULL, "no space left for the history: %s", strerror(system));
    return db_error(s, STORE_EIO, "%s%s%s", sqlite3_errstr(code), system ? ": " : "",
                    system ? strerror(system) : "");
}
