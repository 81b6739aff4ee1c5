/* wrap.h - breaks text for a terminal between words, while it comes in pieces. A word is held back
 * until it is whole, as what is written cannot be taken back. Code, tables and words longer than a
 * line are left to the terminal, which wraps them without a newline, so that copying them is
 * exact. */
#ifndef APP_WRAP_H
#define APP_WRAP_H

#include <stdbool.h>
#include <stddef.h>

#include "app/str.h"

struct wrap {
    int width;  /* columns of the terminal; 0: unknown, nothing is broken */
    int column; /* where the next character goes */
    int spaces; /* before the word that is held */
    struct str word;
    int word_width;
    bool wide;     /* it is a character of two columns, on both sides of which a line may end */
    bool long_one; /* it goes on with one that was too long to be held */
    bool begun;    /* the line has a word */
    bool fenced, verbatim;
};

/* The columns of a terminal, which may change at any time. */
int wrap_width(int fd);

/* Adds to *out what is certain of the text, which a terminal is to show as it is. */
void wrap_add(struct wrap *w, const char *text, size_t len, struct str *out);

/* Adds what is held, and then this as it is, of which a terminal may obey colours. */
void wrap_put(struct wrap *w, const char *text, struct str *out);

void wrap_done(struct wrap *w); /* for the next text, too */

#endif
