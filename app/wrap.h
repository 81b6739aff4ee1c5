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
    int spaces; /* before the word that is held back */
    struct str word;
    int word_width;
    bool wide;     /* it is a character of two columns; a line may be broken on both sides of it */
    bool long_one; /* it continues a word that was too long to be held back */
    bool begun;    /* the line has a word */
    bool fenced, verbatim;
};

/* The columns of a terminal, which may change at any time. */
int wrap_width(int fd);

/* Adds to *out as much of the text as is decided, to be shown by a terminal as it is. */
void wrap_add(struct wrap *w, const char *text, size_t len, struct str *out);

/* Adds what was held back, then this text as it is; it may hold colour sequences. */
void wrap_put(struct wrap *w, const char *text, struct str *out);

void wrap_done(struct wrap *w); /* for the next text, too */

#endif
