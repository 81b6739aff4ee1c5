/*
 * message.h - what the rest of storage/ needs to know of messages.
 */
#ifndef STORAGE_MESSAGE_H
#define STORAGE_MESSAGE_H

#include "db.h"

/* Times are those of the years 1970 to 9999; 0: unknown. */
#define MESSAGE_LAST_MS INT64_C(253402300799999)

/* Where a message's checksum starts: with its place in the tree and its role. */
uint32_t message_crc(int64_t id, int64_t conversation, int64_t parent, int64_t role);

/* Ends, as interrupted, the messages whose writers died. */
int message_end_orphans(struct store *s);

#endif
