/* count.h - the number of tokens of a text that changes as it is typed. Counted piece by piece, a
 * little in each turn of the loop; after a change only from the changed piece on. Pieces are cut
 * where both families' tokenizers always cut, so that their sum is the count of the whole. */
#ifndef APP_CHAT_COUNT_H
#define APP_CHAT_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"

struct chat;

struct count_piece {
    size_t end;
    int64_t tokens; /* of all up to here */
};

struct count {
    struct str text;
    struct count_piece *pieces;
    size_t n, room;
    uint64_t engine; /* whose tokens, pool_model_serial() */
    bool failed;
};

void count_set(struct count *c, const struct chat *chat, const char *text, size_t len);

/* Counts a piece more; false: there is nothing left to count. */
bool count_step(struct count *c, const struct chat *chat);

/* -1: not known, or not yet. */
int64_t count_tokens(const struct count *c);

void count_done(struct count *c);

#endif
