/*
 * index.c - writing the full-text index.
 */
#include "index.h"

#include "stmt.h"

#define MERGED_AT_ONCE 250 /* pages of the index: some 20 ms */

int index_open(struct store *s)
{
    return db_script(s, "CREATE VIRTUAL TABLE temp.piece"
                        " USING fts5vocab('main', 'search', 'instance')");
}

int index_add(struct store *s, int64_t message)
{
    struct stmt q = stmt_open(s, "INSERT INTO search(rowid, body) SELECT id, body FROM searchable"
                                 " WHERE message = ? AND body IS NOT NULL");
    stmt_bind_int(&q, message);
    int rc = stmt_run(&q);
    /* A broken index must not keep a message from being saved. */
    return rc == STORE_EDAMAGED ? STORE_OK : rc;
}

int index_withdraw(struct store *s, int64_t message)
{
    struct stmt q = stmt_open(s, "INSERT INTO search(search, rowid, body)"
                                 " SELECT 'delete', id, body FROM searchable WHERE message = ?"
                                 " AND body IS NOT NULL");
    stmt_bind_int(&q, message);
    int rc = stmt_run(&q);
    return rc == STORE_EDAMAGED ? STORE_OK : rc;
}

int index_remove(struct store *s, int64_t conversation)
{
    struct stmt q = stmt_open(s, "INSERT INTO search(search, rowid, body)"
                                 " SELECT 'delete', id, body FROM searchable WHERE message IN"
                                 " (SELECT id FROM message WHERE conversation = ?)"
                                 " AND body IS NOT NULL");
    stmt_bind_int(&q, conversation);
    int rc = stmt_run(&q);
    return rc == STORE_EDAMAGED ? STORE_OK : rc; /* it is then built anew: index_compact */
}

/* See "The 'merge' command", sqlite.org/fts5.html: first a negative number of pages. */
static int merge_some(struct store *s, int pages, bool *done)
{
    int before = sqlite3_total_changes(s->sql);
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    struct stmt q = stmt_open(s, "INSERT INTO search(search, rank) VALUES('merge', ?)");
    stmt_bind_int(&q, pages);
    rc = db_end(s, stmt_run(&q));
    *done = sqlite3_total_changes(s->sql) - before < 2;
    return rc;
}

/* Anew from the texts that there are. */
static int rebuild(struct store *s)
{
    int rc = db_begin(s);
    if (rc != STORE_OK)
        return rc;
    struct stmt q = stmt_open(s, "INSERT INTO search(search) VALUES('rebuild')");
    return db_end(s, stmt_run(&q));
}

int index_compact(struct store *s, int64_t until_ms, bool *done)
{
    int rc = merge_some(s, -MERGED_AT_ONCE, done);
    while (rc == STORE_OK && !*done && db_clock_ms() < until_ms)
        rc = merge_some(s, MERGED_AT_ONCE, done);
    *done |= rc == STORE_EDAMAGED;
    return rc == STORE_EDAMAGED ? rebuild(s) : rc;
}
