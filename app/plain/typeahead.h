/* typeahead.h - type-ahead in line mode: input typed during an answer is kept for the next line,
 * except the request to answer now (Alt-a, or /answer and Enter). */
#ifndef APP_PLAIN_TYPEAHEAD_H
#define APP_PLAIN_TYPEAHEAD_H

#include <stdbool.h>

#include "app/str.h"

struct typeahead {
    struct str typed;
    size_t at; /* arrival of the first byte not yet taken */
};

/* Reads available input. False: end of input. */
bool typeahead_read(struct typeahead *a, int fd);

/* Removes the request to answer now from the input; false: none. */
bool typeahead_take_answer_now(struct typeahead *a);

/* The next byte for the line; -1: none. */
int typeahead_next(struct typeahead *a);

/* Drops everything, as a terminal does on Ctrl-C. */
void typeahead_drop(struct typeahead *a);

#endif
