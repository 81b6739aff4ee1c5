/* ahead.h - what is typed in line mode while an answer is written: kept for the line that comes next,
 * but for the wish that the model answer now, which is Alt-a, or /answer and Enter. */
#ifndef APP_PLAIN_AHEAD_H
#define APP_PLAIN_AHEAD_H

#include <stdbool.h>

#include "app/str.h"

struct ahead {
    struct str typed;
    size_t at; /* of the first byte that was not taken yet */
};

/* Reads what is there. False: nothing will come any more. */
bool ahead_read(struct ahead *a, int fd);

/* Takes the wish out of what was typed; false: it is not there. */
bool ahead_take_wish(struct ahead *a);

/* The next byte for the line; -1: there is none. */
int ahead_next(struct ahead *a);

/* Forgets all, as a terminal does on Ctrl-C. */
void ahead_drop(struct ahead *a);

#endif
