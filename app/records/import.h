/* import.h - conversations from elsewhere into the store: what export.h writes as JSON, one or many
 * of them, and ChatGPT's export (conversations.json). */
#ifndef APP_RECORDS_IMPORT_H
#define APP_RECORDS_IMPORT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/store.h"

/* Takes one conversation, whole or not at all. 0, or an exit status with one line in err. */
int import_conversation(struct store *store, const json_t *from, int64_t *id_out, char *err,
                        size_t errlen);

/* The two forms. 0, or -1 with one line in err: the text is at fault where *status is STORE_OK. */
struct import {
    struct store *store;
    int64_t conversation;
    int status; /* of the store's call that failed */
    char *err;
    size_t errlen;
};
int import_own(struct import *in, const json_t *from);
int import_chatgpt(struct import *in, const json_t *from);

/* For the forms. Adds a message; reasoning may be NULL. Its id, or -1. */
int64_t import_message(struct import *in, const struct store_draft *draft, enum store_state state,
                       const json_t *text, const json_t *reasoning);

/* Notes the store's complaint; -1. */
int import_failed(struct import *in, int status);

#endif
