/*
 * rank.h - which of the messages that match is the better answer.
 */
#ifndef STORAGE_RANK_H
#define STORAGE_RANK_H

#include "db.h"

/* Gives SQL on this connection the function relevance(search), the more the better. */
int rank_register(struct store *s);

#endif
