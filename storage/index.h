/*
 * index.h - keeping the full-text index in step with the messages.
 *
 * A document of the index is one text of a message: its question, answer or reasoning. Its number
 * names all three, so that a scope needs no look at the text, and grows with the message's.
 */
#ifndef STORAGE_INDEX_H
#define STORAGE_INDEX_H

#include "db.h"

enum index_part { INDEX_QUESTION, INDEX_ANSWER, INDEX_REASONING };

enum { INDEX_PARTS = 4 }; /* numbers of documents for each message */

/* Lets this connection see the pieces that the index knows: the table temp.piece. */
int index_open(struct store *s);

/* Inside a transaction: the caller's. */
int index_add(struct store *s, int64_t message);         /* as it ends */
int index_withdraw(struct store *s, int64_t message);    /* before it goes on */
int index_remove(struct store *s, int64_t conversation); /* while its texts are still there */

/*
 * A removed text stays in the index, marked as such, until the index's parts are merged: this
 * merges them, in many short transactions that others may come between, until all is done or
 * `until_ms` of the monotonic clock has come. It goes on where it ended. A broken index, which may
 * still hold them, is built anew.
 */
int index_compact(struct store *s, int64_t until_ms, bool *done);

#endif
