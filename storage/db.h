/*
 * db.h - the handle that all of storage/ shares: connection, transactions, error text.
 *
 * The only place that knows SQLite's result codes. What is stored is not its business.
 */
#ifndef STORAGE_DB_H
#define STORAGE_DB_H

#include <locale.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sqlite3.h>

#include "owner.h"
#include "store.h"

/* The longest text or row; also what a hostile file can make us allocate at once. */
#define DB_MAX_BYTES (64 << 20)

struct store {
    sqlite3 *sql;
    char *path; /* without links; NULL: in memory */
    bool reads_only;
    mode_t shared_mode; /* the file's, until it was made private; 0: it was */
    struct owner owner;
    struct stmt_cached *statements;
    int64_t data_version; /* as of the last store_changed */
    bool grouped;         /* between store_begin and store_commit ... */
    int group_status;     /* ... and how that has gone so far */
    bool has_deleted;     /* so that closing purges */
    locale_t letters;     /* which knows upper and lower case, whatever locale is in use */
    int patience_ms;
    int64_t waiting_since_ms; /* in the busy handler */
    uint32_t jitter;
    char error[320];
    int failure; /* the status that it explains */
};

/* Connects to `s->path` with every safety on. Nothing is read or written yet. */
int db_open(struct store *s);

/* The same without a right to write, and so without the files that SQLite makes beside this one. */
int db_open_to_read(struct store *s);

/*
 * Chooses the journal, which may write to the file: only once the file is known to be ours. A
 * write-ahead log needs memory that all its users share.
 */
int db_use_journal(struct store *s, bool may_share_memory);
void db_close(struct store *s);

/* Runs constant statements that are needed once. */
int db_script(struct store *s, const char *sql);

/*
 * Every write stands between db_begin and db_end, which commits when `rc` is STORE_OK, else rolls
 * back and returns `rc`. Inside a store_begin group both leave that to store_commit.
 */
int db_begin(struct store *s);
int db_end(struct store *s, int rc);

/* One view of the file for several reads; not nested. */
int db_snapshot(struct store *s);
void db_release(struct store *s);

/* Sets the error text, with what is no visible character as \xNN, and returns `status`. */
int db_error(struct store *s, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int db_no_memory(struct store *s);

/* The same for SQLite's result `code`; errno, cleared before the call, says what the system did. */
int db_failed(struct store *s, int code);

/* Leaves nothing behind in a write-ahead log. */
int db_empty_log(struct store *s);

/* Whether this SQLite may have a write-ahead log that several processes use. */
bool db_wal_is_safe(int sqlite_version);

int64_t db_now_ms(void);   /* Unix time */
int64_t db_clock_ms(void); /* monotonic */

/* Whether another file, or none, is now at the history's path. */
bool db_has_moved(struct store *s);

#endif
