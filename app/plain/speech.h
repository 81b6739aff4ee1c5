/* speech.h - a growing text with its formulas in words: for line mode, which is often read aloud.
 * What may still become a formula is held back until that is known. */
#ifndef APP_PLAIN_SPEECH_H
#define APP_PLAIN_SPEECH_H

#include <stdbool.h>
#include <stddef.h>

#include "app/str.h"

/* {0} is one that has not begun. */
struct speech {
    struct str text;
    size_t said, from; /* how much was said; formulas are looked for from there on */
    bool after_formula;
};

/* Appends these bytes to the text and adds to out what can be said of it; `ended`: all of it, and
 * the next text may begin. */
void speech_add(struct speech *s, const char *text, size_t len, bool ended, struct str *out);

void speech_done(struct speech *s);

#endif
