/* ahead.h - type-ahead in line mode: input typed during an answer is kept for the next line, except
 * the request to answer now (Alt-a, or /answer and Enter). */
#ifndef APP_PLAIN_AHEAD_H
#define APP_PLAIN_AHEAD_H

#include <stdbool.h>

#include "app/str.h"

struct ahead {
    struct str typed;
    size_t at; /* arrival of the first byte not yet taken */
};

/* Reads available input. False: end of input. */
bool ahead_read(struct ahead *a, int fd);

/* Removes the request to answer now from the input; false: none. */
bool ahead_take_wish(struct ahead *a);

/* The next byte for the line; -1: none. */
int ahead_next(struct ahead *a);

/* Drops everything, as a terminal does on Ctrl-C. */
void ahead_drop(struct ahead *a);

#endif
