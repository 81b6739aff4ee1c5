/*
 * stmt.c - the statement cache, and helpers that keep the first failure.
 *
 * A statement is prepared at its first use and lives as long as the connection. Each stands in the
 * code once, as a literal: its address is its key. There are a few dozen, so a list will do.
 */
#include "stmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct stmt_cached {
    struct stmt_cached *next;
    const char *sql;
    sqlite3_stmt *handle;
};

static int prepare(struct store *s, const char *sql, sqlite3_stmt **out)
{
    struct stmt_cached *fresh = malloc(sizeof(*fresh));
    if (!fresh)
        return SQLITE_NOMEM;
    int code = sqlite3_prepare_v3(s->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    if (code != SQLITE_OK) {
        free(fresh);
        return code;
    }
    *fresh = (struct stmt_cached){s->statements, sql, *out};
    s->statements = fresh;
    return SQLITE_OK;
}

static void keep(struct stmt *q, int code)
{
    if (code != SQLITE_OK)
        q->status = db_failed(q->store, code);
}

struct stmt stmt_open(struct store *s, const char *sql)
{
    struct stmt q = {.store = s};
    for (struct stmt_cached *c = s->statements; c; c = c->next)
        if (c->sql == sql && !sqlite3_stmt_busy(c->handle)) {
            q.handle = c->handle;
            return q;
        }
    keep(&q, prepare(s, sql, &q.handle));
    return q;
}

int stmt_run_on(struct stmt *q, const char *what)
{
    int rc = stmt_run(q);
    if (rc == STORE_OK && sqlite3_changes(q->store->sql) == 0)
        rc = db_error(q->store, STORE_ENOTFOUND, "%s: there is none with this number", what);
    return rc;
}

void stmt_finalize_all(struct store *s)
{
    while (s->statements) {
        struct stmt_cached *c = s->statements;
        s->statements = c->next;
        sqlite3_finalize(c->handle);
        free(c);
    }
}

void stmt_bind_int(struct stmt *q, int64_t value)
{
    if (q->status == STORE_OK)
        keep(q, sqlite3_bind_int64(q->handle, ++q->bound, value));
}

void stmt_bind_id(struct stmt *q, int64_t id)
{
    if (id != 0)
        stmt_bind_int(q, id);
    else
        q->bound++; /* never bound since the last close: NULL */
}

void stmt_bind_real(struct stmt *q, double value)
{
    if (q->status == STORE_OK)
        keep(q, sqlite3_bind_double(q->handle, ++q->bound, value));
}

void stmt_bind_string(struct stmt *q, const char *text)
{
    stmt_bind_text(q, text, text ? strlen(text) : 0);
}

void stmt_bind_text(struct stmt *q, const char *text, size_t len)
{
    if (q->status == STORE_OK)
        keep(q, sqlite3_bind_text64(q->handle, ++q->bound, text ? text : "", len, SQLITE_STATIC,
                                    SQLITE_UTF8));
}

bool stmt_row(struct stmt *q)
{
    if (q->status != STORE_OK)
        return false;
    errno = 0; /* which then tells what the system said to a failure */
    int code = sqlite3_step(q->handle);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        keep(q, code);
    return code == SQLITE_ROW;
}

int64_t stmt_int(struct stmt *q, int column)
{
    return sqlite3_column_int64(q->handle, column);
}

double stmt_real(struct stmt *q, int column)
{
    return sqlite3_column_double(q->handle, column);
}

bool stmt_is_null(struct stmt *q, int column)
{
    return sqlite3_column_type(q->handle, column) == SQLITE_NULL;
}

const char *stmt_text(struct stmt *q, int column, size_t *len)
{
    const char *text = (const char *)sqlite3_column_text(q->handle, column);
    *len = text ? (size_t)sqlite3_column_bytes(q->handle, column) : 0;
    return text;
}

int stmt_close(struct stmt *q)
{
    if (q->handle) {
        sqlite3_reset(q->handle);
        sqlite3_clear_bindings(q->handle);
    }
    return q->status;
}

int stmt_close_after(struct stmt *q, int rc)
{
    int closed = stmt_close(q);
    return rc == STORE_OK ? closed : rc;
}

int stmt_run(struct stmt *q)
{
    while (stmt_row(q))
        continue;
    return stmt_close(q);
}
