/*
 * text.c - rows of text in, whole texts out.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#include "crc.h"
#include "stmt.h"
#include "utf8.h"

uint32_t text_crc(uint32_t crc, int64_t kind, const char *body, size_t len)
{
    unsigned char mark = (unsigned char)kind;
    return crc32_add(crc32_add(crc, &mark, 1), body, len);
}

int text_insert(struct store *s, int64_t message, enum store_kind kind, const char *body,
                size_t len)
{
    if (len > DB_MAX_BYTES / 2)
        return db_error(s, STORE_EINVAL, "text: too long (got %zu, limit %d)", len,
                        DB_MAX_BYTES / 2);
    struct stmt q = stmt_open(s, "INSERT INTO text(message, kind, body) VALUES(?, ?, ?)");
    stmt_bind_int(&q, message);
    stmt_bind_int(&q, kind);
    stmt_bind_text(&q, body, len);
    return stmt_run(&q);
}

static bool body_append(struct text_body *b, const char *data, size_t len)
{
    if (b->len + len + 1 > b->room) {
        size_t room = 2 * (b->len + len + 1);
        char *grown = realloc(b->data, room);
        if (!grown)
            return false;
        b->data = grown;
        b->room = room;
    }
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    b->rows++;
    return true;
}

static void clear(struct text *t, uint32_t crc)
{
    t->crc = crc;
    t->unreadable = false;
    for (int kind = 0; kind < STORE_KINDS; kind++) {
        t->body[kind].len = 0;
        t->body[kind].rows = 0;
    }
}

static bool add_row(struct text *t, int64_t kind, const char *body, size_t len)
{
    if (!body || kind < 0 || kind >= STORE_KINDS) {
        t->unreadable = true;
        return true;
    }
    t->crc = text_crc(t->crc, kind, body, len);
    return body_append(&t->body[kind], body, len);
}

int text_read(struct store *s, int64_t message, uint32_t start, struct text *t)
{
    clear(t, start);
    bool memory = true;
    struct stmt q = stmt_open(s, "SELECT kind, body FROM text WHERE message = ? ORDER BY text.id");
    stmt_bind_int(&q, message);
    while (memory && stmt_row(&q)) {
        size_t len;
        const char *body = stmt_text(&q, 1, &len);
        memory = add_row(t, stmt_int(&q, 0), body, len);
    }
    int rc = stmt_close(&q);
    if (!memory)
        return db_no_memory(s);
    for (int kind = 0; kind < STORE_KINDS; kind++)
        if (!utf8_valid(t->body[kind].data, t->body[kind].len))
            t->unreadable = true;
    if (rc == STORE_EDAMAGED)
        t->unreadable = true;
    return rc == STORE_EDAMAGED ? STORE_OK : rc;
}

int text_read_kind(struct store *s, int64_t message, enum store_kind kind, struct text_body *b)
{
    b->len = b->rows = 0;
    bool memory = true;
    struct stmt q = stmt_open(s,
                              "SELECT body FROM text WHERE message = ? AND kind = ? ORDER BY id");
    stmt_bind_int(&q, message);
    stmt_bind_int(&q, kind);
    while (memory && stmt_row(&q)) {
        size_t len;
        const char *body = stmt_text(&q, 0, &len);
        memory = !body || body_append(b, body, len);
    }
    return stmt_close_after(&q, memory ? STORE_OK : db_no_memory(s));
}

void text_done(struct text *t)
{
    for (int kind = 0; kind < STORE_KINDS; kind++)
        free(t->body[kind].data);
}

static bool worth_folding(const struct text *t)
{
    bool several = false;
    for (int kind = 0; kind < STORE_KINDS; kind++) {
        if (t->body[kind].len > DB_MAX_BYTES / 2)
            return false; /* too long for one row */
        several |= t->body[kind].rows > 1;
    }
    return several;
}

static int replace(struct store *s, int64_t message, const struct text *t, uint32_t *crc)
{
    struct stmt q = stmt_open(s, "DELETE FROM text WHERE message = ?");
    stmt_bind_int(&q, message);
    int rc = stmt_run(&q);
    for (int kind = 0; kind < STORE_KINDS && rc == STORE_OK; kind++) {
        const struct text_body *b = &t->body[kind];
        if (b->len == 0)
            continue;
        rc = text_insert(s, message, kind, b->data, b->len);
        *crc = text_crc(*crc, kind, b->data, b->len);
    }
    return rc;
}

int text_fold(struct store *s, int64_t message, uint32_t start, uint32_t *crc)
{
    struct text t = {0};
    int rc = text_read(s, message, start, &t);
    /* A new checksum over damaged rows would hide the damage. */
    bool intact = rc == STORE_OK && t.crc == *crc;
    if (intact && worth_folding(&t)) {
        *crc = start;
        rc = replace(s, message, &t, crc);
    }
    text_done(&t);
    return rc;
}
