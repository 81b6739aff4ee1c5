/*
 * stmt.h - prepared statements: constant SQL with `?`, bound from left to right.
 *
 *     struct stmt q = stmt_open(s, "UPDATE conversation SET title = ? WHERE id = ?");
 *     stmt_bind_string(&q, title);
 *     stmt_bind_int(&q, id);
 *     return stmt_run(&q);
 *
 * The first failure sticks, and stmt_run or stmt_close returns it as a store_status with the error
 * text set: nothing in between needs a check. Every stmt_open is followed by one of the two.
 */
#ifndef STORAGE_STMT_H
#define STORAGE_STMT_H

#include "db.h"

struct stmt {
    struct store *store;
    sqlite3_stmt *handle;
    int status; /* the first failure */
    int bound;  /* parameters so far */
};

struct stmt stmt_open(struct store *s, const char *sql);

void stmt_bind_int(struct stmt *q, int64_t value);
void stmt_bind_id(struct stmt *q, int64_t id); /* 0 is NULL */
void stmt_bind_real(struct stmt *q, double value);
void stmt_bind_string(struct stmt *q, const char *text);           /* NULL is "" */
void stmt_bind_text(struct stmt *q, const char *text, size_t len); /* borrowed until closed */

bool stmt_row(struct stmt *q); /* whether there is a next row */
int64_t stmt_int(struct stmt *q, int column);
double stmt_real(struct stmt *q, int column);
bool stmt_is_null(struct stmt *q, int column);
const char *stmt_text(struct stmt *q, int column, size_t *len); /* until the next row; NULL stays */

int stmt_close(struct stmt *q);
int stmt_close_after(struct stmt *q, int rc); /* `rc` when that is a failure already */
int stmt_run(struct stmt *q); /* steps a statement whose rows nobody wants, and closes it */
int stmt_run_on(struct stmt *q, const char *what); /* also STORE_ENOTFOUND when it changed no row */

void stmt_finalize_all(struct store *s); /* before the connection closes */

#endif
