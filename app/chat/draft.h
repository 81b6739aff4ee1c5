/* draft.h - the text being written and the waiting questions, kept in a file as they are typed, so
 * that neither a crash nor a lost terminal loses them. They are kept as one text: the draft, then
 * the questions, each after a NUL. Each running duet has a file of its own, which it locks; what
 * one of them left is given to the next that starts. */
#ifndef APP_CHAT_DRAFT_H
#define APP_CHAT_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"

enum { DRAFT_MS = 1000 }; /* at most this much typing is lost */

struct draft {
    char *path;
    int fd;        /* -1: nothing is kept */
    uint64_t seen; /* revision, plus 1 */
    int64_t due;   /* when to save, -1: nothing to save */
};

/* Takes a file in this folder, preferably one with a draft in it, which goes to *out. folder NULL:
 * nothing is kept. */
void draft_open(struct draft *d, const char *folder, struct str *out);

/* Notes the text's revision; true when it is time to save. An empty text is saved at once. */
bool draft_due(struct draft *d, uint64_t revision, bool empty, int64_t now);

/* Something else in the file has changed: save now. */
void draft_touch(struct draft *d, int64_t now);

/* How long until the next save; -1: nothing to save. */
int draft_timeout_ms(const struct draft *d, int64_t now);

/* Saves the text. False: failed, with errno. */
bool draft_save(struct draft *d, const char *text, size_t len);

/* Leaves the saved text for the next start; removes the file if it is empty. */
void draft_close(struct draft *d);

#endif
