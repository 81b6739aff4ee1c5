/* lines.h - a stream as lines, without blocking and without keeping more than one of them. */
#ifndef APP_LINES_H
#define APP_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"

enum { LINES_LONGEST = 16 * 1024 * 1024 }; /* bytes of a line; longer ones are dropped */

struct lines {
    int fd;
    int64_t number; /* of the last line returned, from 1 */
    uint64_t bytes; /* read so far */
    int error;      /* errno of the read that failed; the stream ends there */

    /* Private. */
    struct str held;
    size_t at, searched;
    bool ended, skipping;
};

enum lines_got {
    LINES_LINE,     /* a line without its end, in *text and *len until the next call */
    LINES_TOO_LONG, /* a line was dropped here */
    LINES_WAIT,     /* lines_feed first */
    LINES_END,
};

void lines_init(struct lines *l, int fd);
void lines_done(struct lines *l); /* the descriptor stays the caller's */

/* Takes the next line of what was read. A last line needs no newline. */
enum lines_got lines_next(struct lines *l, const char **text, size_t *len);

/* Reads once; waits where the descriptor does. */
void lines_feed(struct lines *l);

#endif
