/*
 * search.h - keeping the full-text index in step with the messages.
 */
#ifndef STORAGE_SEARCH_H
#define STORAGE_SEARCH_H

#include "db.h"

/* Inside a transaction: the caller's. */
int search_add(struct store *s, int64_t message);         /* as it ends */
int search_remove(struct store *s, int64_t conversation); /* while its texts are still there */

/*
 * A removed text stays in the index, marked as such, until its parts are merged: this merges them
 * all, in many short transactions that others may come between.
 */
int search_compact(struct store *s);

#endif
