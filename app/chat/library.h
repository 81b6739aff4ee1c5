/* library.h - operations on stored conversations: rename, archive, delete, restore, search. They
 * work on the store; the current conversation belongs to the chat (history.h). */
#ifndef APP_CHAT_LIBRARY_H
#define APP_CHAT_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"
#include "storage/store.h"

/* What was deleted and can be restored until the program ends, latest first. */
struct library {
    struct library_deleted {
        int64_t id;
        char *title;
    } * deleted;
    size_t n_deleted;
};

void library_done(struct library *l);

/* Statuses are the store's; ENOTFOUND for an unknown conversation. */
int library_delete(struct library *l, struct store *s, int64_t id);

/* Restores the latest deletion, or the given conversation if id is not 0; *id_out is its id, 0:
 * there was nothing to restore. */
int library_restore(struct library *l, struct store *s, int64_t id, int64_t *id_out);
const struct library_deleted *library_last_deleted(const struct library *l); /* NULL: none */

/* Advice to add to the reason why a history could not be opened, or "". */
const char *library_advice(int status);

/* The id of the conversation that `name` means (its number, its title, or the start of its title;
 * NULL is the one used last); 0: none; or a negative store_status. */
int64_t library_find(struct store *s, const char *name);

/* The title of a conversation; the caller's. NULL: there is none, and store_error() says why. */
char *library_title(struct store *s, int64_t id);

/* "14:05" of today, "26 Jul" of this year, "2024". */
void library_add_date(struct str *out, int64_t ms);

/* As lines of text: the latest conversations, or those with these words in their titles; and the
 * texts that hold these words. A store status; on failure nothing was added. */
int library_add_list(struct str *out, struct store *s, const char *words, bool archived);
int library_add_hits(struct str *out, struct store *s, const char *words);

/* "answer", "question" or "reasoning": where a hit is. */
const char *library_where(const struct store_hit *hit);

#endif
