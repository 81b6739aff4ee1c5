/*
 * conversation.h - what the rest of storage/ needs to know of conversations.
 */
#ifndef STORAGE_CONVERSATION_H
#define STORAGE_CONVERSATION_H

#include "db.h"

/* STORE_ENOTFOUND when it does not exist or is deleted. A lost leaf gives the message before it. */
int conversation_leaf(struct store *s, int64_t id, int64_t *leaf_out);

/* A message was written: makes it the leaf, and the conversation the one used last. */
int conversation_touch(struct store *s, int64_t id, int64_t leaf);

/* As store_purge, until that is done or `until_ms` of the monotonic clock has come. */
int conversation_purge(struct store *s, int64_t until_ms);
int conversation_any_abandoned(struct store *s, bool *any);

#endif
