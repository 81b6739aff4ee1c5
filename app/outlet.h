/* outlet.h - a plain stream to write to: standard output or error, or a file.
 *
 * Writes only as much as the stream takes, so that a slow reader holds up neither saving nor
 * Ctrl-C. On a terminal, what it would interpret is shown as \xNN; a pipe or file gets every byte
 * as it is. */
#ifndef APP_OUTLET_H
#define APP_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include "app/str.h"
#include "app/wrap.h"

struct outlet {
    int fd;
    const char *name;     /* for messages: "stdout" unless the owner has another */
    bool terminal, ascii; /* ascii: the terminal shows only ASCII */
    bool wraps;           /* lines for a terminal to show are broken between words (wrap.h) */
    struct wrap wrap;
    struct str pending;
    size_t sent;
    int error; /* errno of the write that failed; nothing is written after it */
};

void outlet_init(struct outlet *o, int fd);
void outlet_done(struct outlet *o);
void outlet_add(struct outlet *o, const char *text, size_t len); /* escaped for a terminal */
void outlet_put(struct outlet *o, const char *text); /* as it is; ends a word that is held */

/* For the caller's own loop: whether there is something to write (and no write has failed), and
 * one write of as much as a writable stream takes. */
bool outlet_is_waiting(const struct outlet *o);
void outlet_send(struct outlet *o);

/* 0, or the exit status for a failed write, with one line in err (none if the reader has
 * exited). */
int outlet_failure(const struct outlet *o, char *err, size_t errlen);

/* Writes what is pending, while signals can still end it. 0 or an exit status. */
int outlet_finish(struct outlet *o, char *err, size_t errlen);

#endif
