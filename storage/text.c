/*
 * text.c - rows of text in, whole texts out.
 */
#include "text.h"

#include <stdlib.h>
#include <string.h>

#include "crc.h"
#include "stmt.h"
#include "utf8.h"

static uint32_t row_crc(int64_t message, int64_t kind, const char *body, size_t len)
{
    unsigned char place[9];
    for (int i = 0; i < 8; i++)
        place[i] = (unsigned char)((uint64_t)message >> (8 * i));
    place[8] = (unsigned char)kind;
    return crc32_add(crc32_add(0, place, sizeof(place)), body, len);
}

bool text_is_intact(int64_t message, int64_t kind, const char *body, size_t len, int64_t crc)
{
    return kind >= 0 && kind < STORE_KINDS && row_crc(message, kind, body, len) == crc;
}

int text_insert(struct store *s, int64_t message, enum store_kind kind, const char *body,
                size_t len)
{
    if (len > DB_MAX_BYTES / 2)
        return db_error(s, STORE_EINVAL, "text: too long (got %zu, limit %d)", len,
                        DB_MAX_BYTES / 2);
    struct stmt q = stmt_open(s, "INSERT INTO text(message, kind, body, crc) VALUES(?, ?, ?, ?)");
    stmt_bind_int(&q, message);
    stmt_bind_int(&q, kind);
    stmt_bind_text(&q, body, len);
    stmt_bind_int(&q, row_crc(message, kind, body, len));
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

static void clear(struct text *t)
{
    t->damaged = false;
    for (int kind = 0; kind < STORE_KINDS; kind++) {
        t->body[kind].len = 0;
        t->body[kind].rows = 0;
    }
}

int text_read(struct store *s, int64_t message, struct text *t)
{
    clear(t);
    bool memory = true;
    struct stmt q = stmt_open(
        s, "SELECT kind, body, crc FROM text WHERE message = ? ORDER BY text.id");
    stmt_bind_int(&q, message);
    while (memory && stmt_row(&q)) {
        int64_t kind = stmt_int(&q, 0);
        size_t len;
        const char *body = stmt_text(&q, 1, &len);
        if (!body || !text_is_intact(message, kind, body, len, stmt_int(&q, 2)))
            t->damaged = true;
        if (body)
            memory = body_append(&t->body[kind > 0 && kind < STORE_KINDS ? kind : 0], body, len);
    }
    int rc = stmt_close(&q);
    if (!memory)
        return db_error(s, STORE_ENOMEM, "out of memory");
    if (rc != STORE_OK && rc != STORE_EDAMAGED)
        return rc;
    if (rc == STORE_EDAMAGED)
        t->damaged = true;
    for (int kind = 0; kind < STORE_KINDS; kind++)
        if (!utf8_valid(t->body[kind].data, t->body[kind].len))
            t->damaged = true;
    return STORE_OK;
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
    return several && !t->damaged; /* a new checksum would hide the damage */
}

static int replace(struct store *s, int64_t message, const struct text *t)
{
    struct stmt q = stmt_open(s, "DELETE FROM text WHERE message = ?");
    stmt_bind_int(&q, message);
    int rc = stmt_run(&q);
    for (int kind = 0; kind < STORE_KINDS && rc == STORE_OK; kind++)
        if (t->body[kind].len > 0)
            rc = text_insert(s, message, kind, t->body[kind].data, t->body[kind].len);
    return rc;
}

int text_fold(struct store *s, int64_t message)
{
    struct text t = {0};
    int rc = text_read(s, message, &t);
    if (rc == STORE_OK && worth_folding(&t))
        rc = replace(s, message, &t);
    text_done(&t);
    return rc;
}
