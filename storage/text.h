/*
 * text.h - what a message says, by kind: the table `text`.
 *
 * A message's text of one kind is the sequence of its rows, one per append; when it has ended they
 * are folded into one. The message's checksum goes over all its rows in order: it starts as the
 * caller says, and text_crc takes it past one row.
 */
#ifndef STORAGE_TEXT_H
#define STORAGE_TEXT_H

#include "db.h"

struct text_body {
    char *data; /* ends with a NUL; NULL as long as nothing was read */
    size_t len, room;
    size_t rows;
};

struct text {
    struct text_body body[STORE_KINDS];
    uint32_t crc;    /* of the rows */
    bool unreadable; /* a row is missing, misplaced or not UTF-8 */
};

uint32_t text_crc(uint32_t crc, int64_t kind, const char *body, size_t len);

/* Inside a transaction: the caller's. */
int text_insert(struct store *s, int64_t message, enum store_kind kind, const char *body,
                size_t len);

/* Folds the rows if they are as `*crc` says, which becomes that of the new ones. */
int text_fold(struct store *s, int64_t message, uint32_t start, uint32_t *crc);

/* Fills `t`, which is zeroed or was filled before. A damaged file is no failure. */
int text_read(struct store *s, int64_t message, uint32_t start, struct text *t);
void text_done(struct text *t);

/* One text of a message, for looking at: nothing is checked. */
int text_read_kind(struct store *s, int64_t message, enum store_kind kind, struct text_body *b);

#endif
