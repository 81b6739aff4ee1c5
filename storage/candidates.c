/*
 * candidates.c - selects the documents to examine.
 *
 * The index knows pieces of three characters. A longer word is looked up by some of its pieces. A
 * shorter one is a prefix of some piece wherever it occurs, since texts are indexed with two
 * trailing newlines: the documents of all pieces with that prefix are those that contain it.
 */
#include "candidates.h"

#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "utf8.h"

#define RARE      20000  /* maximum number of documents to collect and sort: a few ms */
#define SKIPPED   64     /* texts without a match that are skipped in one step */
#define LAST_BYTE "\xff" /* sorts after every character */

/* The documents with a short word, unordered, each perhaps several times; n is RARE
 * when there are more. */
static int gather(struct store *s, const struct query_word *w, int64_t before, int64_t *list,
                  size_t *n)
{
    char low[2 * UTF8_LONGEST + 1], high[sizeof(low) + 1];
    size_t len = utf8_fold(w->text, w->len, low);
    memcpy(high, low, len);
    memcpy(high + len, LAST_BYTE, sizeof(LAST_BYTE));
    struct stmt q = stmt_open(s, "SELECT doc FROM temp.piece WHERE term >= ? AND term < ? LIMIT ?");
    stmt_bind_text(&q, low, len);
    stmt_bind_text(&q, high, len + 1);
    stmt_bind_int(&q, RARE);
    size_t rows = 0;
    for (*n = 0; stmt_row(&q); rows++) {
        list[*n] = stmt_int(&q, 0);
        *n += list[*n] < before;
    }
    if (rows == RARE)
        *n = RARE;
    return stmt_close(&q);
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static size_t sort_once(int64_t *list, size_t n)
{
    size_t kept = 0;
    qsort(list, n, sizeof(*list), ascending);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || list[kept - 1] != list[i])
            list[kept++] = list[i];
    return kept;
}

/* Lists the documents of the rarest short word, if one is rare. */
static int list_rarest(struct candidates *c, struct store *s, const struct query *q)
{
    int64_t *list = malloc(2 * RARE * sizeof(*list)), *spare = list ? list + RARE : NULL;
    size_t fewest = RARE, n;
    int rc = list ? STORE_OK : db_no_memory(s);
    for (size_t i = 0; i < q->count && i < QUERY_PIECES && rc == STORE_OK; i++) {
        if (q->words[i].is_long)
            continue;
        rc = gather(s, &q->words[i], c->before, spare, &n);
        if (rc == STORE_OK && n < fewest) {
            memcpy(list, spare, n * sizeof(*list));
            fewest = n;
        }
    }
    if (rc != STORE_OK || fewest == RARE) {
        free(list);
        return rc;
    }
    c->from = FROM_LIST;
    c->list = list;
    c->n = sort_once(list, fewest);
    return STORE_OK;
}

static void open_rows(struct candidates *c, struct store *s, const struct query *q)
{
    if (q->match) {
        c->from = FROM_MATCH;
        c->rows = stmt_open(s, "SELECT rowid FROM search WHERE search MATCH ? AND rowid < ?"
                               " ORDER BY rowid DESC");
        stmt_bind_string(&c->rows, q->match);
        stmt_bind_int(&c->rows, c->before);
        return;
    }
    c->from = FROM_TEXTS;
    c->query = q;
    c->rows = stmt_open(s, "SELECT 4 * m.id + CASE WHEN t.kind = 1 THEN 2 ELSE m.role <> 1 END,"
                           " t.body FROM message m CROSS JOIN text t ON t.message = m.id"
                           " WHERE m.state <> 0 AND m.id <= ? ORDER BY m.id DESC");
    stmt_bind_int(&c->rows, c->before / INDEX_PARTS);
}

int candidates_open(struct candidates *c, struct store *s, const struct query *q, int64_t before)
{
    bool some_short = false;
    *c = (struct candidates){.before = before > 0 ? before : INT64_MAX};
    for (size_t i = 0; i < q->count; i++)
        some_short |= !q->words[i].is_long;
    int rc = some_short ? list_rarest(c, s, q) : STORE_OK;
    if (rc == STORE_OK && c->from == FROM_NOWHERE)
        open_rows(c, s, q);
    return rc;
}

bool candidates_next(struct candidates *c, int64_t *document)
{
    if (c->from == FROM_LIST) {
        if (c->n == 0)
            return false;
        *document = c->list[--c->n];
        return true;
    }
    for (int skipped = 0; stmt_row(&c->rows); skipped++) {
        *document = stmt_int(&c->rows, 0);
        if (c->from == FROM_MATCH)
            return true;
        size_t len;
        const char *body = stmt_text(&c->rows, 1, &len);
        if (*document < c->before &&
            (skipped == SKIPPED || (body && query_matches(c->query, body, len))))
            return true;
    }
    return false;
}

int candidates_close(struct candidates *c, int rc)
{
    free(c->list);
    return c->rows.store ? stmt_close_after(&c->rows, rc) : rc;
}
