/* draft.h - the text being written and the questions that wait, kept in a file as they are typed,
 * so that neither a crash nor a lost line takes them away. What is kept is one text; the questions
 * come behind the draft, each after a NUL. Each duet that runs has a file of its own, locked while
 * it does; what one of them left behind is handed to the next that starts. */
#ifndef APP_CHAT_DRAFT_H
#define APP_CHAT_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"

enum { DRAFT_MS = 1000 }; /* of typing at most that are lost */

struct draft {
    char *path;
    int fd;        /* -1: nothing is kept */
    uint64_t seen; /* revision, plus 1 */
    int64_t due;   /* when to save, -1: nothing to save */
};

/* Takes a file in this folder, one with a draft in it if there is one; that draft goes to *out.
 * folder NULL: nothing is kept. */
void draft_open(struct draft *d, const char *folder, struct str *out);

/* The text has this revision now: whether it is time to save it. An empty one
 * is not waited with. */
bool draft_due(struct draft *d, uint64_t revision, bool empty, int64_t now);

/* Something else that is kept has changed: it is time to save now. */
void draft_touch(struct draft *d, int64_t now);

/* How long until it will be; -1: nothing to save. */
int draft_timeout_ms(const struct draft *d, int64_t now);

/* Saves it. False: it could not be, as errno says. */
bool draft_save(struct draft *d, const char *text, size_t len);

/* Leaves what is saved for the next start, or no file where that is nothing. */
void draft_close(struct draft *d);

#endif
