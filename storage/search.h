/*
 * search.h - keeping the full-text index in step with the messages; inside a transaction.
 */
#ifndef STORAGE_SEARCH_H
#define STORAGE_SEARCH_H

#include "db.h"

int search_add(struct store *s, int64_t message);         /* as it ends */
int search_remove(struct store *s, int64_t conversation); /* while its texts are still there */
int search_compact(struct store *s);                      /* so that what was removed is gone */

#endif
