/*
 * text.h - what a message says, by kind: the table `text` and its checksums.
 *
 * A message's text of one kind is the sequence of its rows, one per append; when it has ended they
 * are folded into one. Each row carries the CRC of its message's id, its kind and its bytes.
 */
#ifndef STORAGE_TEXT_H
#define STORAGE_TEXT_H

#include "db.h"

struct text_body {
    char *data; /* ends with a NUL once read */
    size_t len, room;
    size_t rows;
};

struct text {
    struct text_body body[STORE_KINDS];
    bool damaged; /* what is here is not what was written */
};

/* Inside a transaction: the caller's. */
int text_insert(struct store *s, int64_t message, enum store_kind kind, const char *body,
                size_t len);
int text_fold(struct store *s, int64_t message);

/* Fills `t`, which is zeroed or was filled before. A damaged file is no failure. */
int text_read(struct store *s, int64_t message, struct text *t);
void text_done(struct text *t);

/* Whether `crc` is that of the row. */
bool text_is_intact(int64_t message, int64_t kind, const char *body, size_t len, int64_t crc);

#endif
