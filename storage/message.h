/*
 * message.h - what the rest of storage/ needs to know of messages.
 */
#ifndef STORAGE_MESSAGE_H
#define STORAGE_MESSAGE_H

#include "db.h"

/* Ends, as interrupted, the messages whose writers died. */
int message_end_orphans(struct store *s);

#endif
