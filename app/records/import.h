/* import.h - imports conversations into the store: the JSON of export.h, one or many conversations,
 * and ChatGPT's export (conversations.json). */
#ifndef APP_RECORDS_IMPORT_H
#define APP_RECORDS_IMPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/store.h"

/* Takes one conversation, whole or not at all. 0, or an exit status with one line in err. */
int import_conversation(struct store *store, const json_t *from, int64_t *id_out, char *err,
                        size_t errlen);

/* The two formats. 0, or -1 with one line in err: the text is at fault if *status is STORE_OK. */
struct import {
    struct store *store;
    int64_t conversation;
    int status; /* status of the store call that failed */
    char *err;
    size_t errlen;
};
int import_own(struct import *in, const json_t *from);
int import_chatgpt(struct import *in, const json_t *from);

/* For the formats. Adds a message; reasoning may be NULL. Its id, or -1. */
int64_t import_message(struct import *in, const struct store_draft *draft, enum store_state state,
                       const json_t *text, const json_t *reasoning);

/* A time in seconds as milliseconds; 0 where it is none. */
int64_t import_ms(const json_t *seconds);

/* Records the store's error; returns -1. */
int import_failed(struct import *in, int status);

#endif
