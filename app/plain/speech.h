/* speech.h - a growing text with its formulas in words: for line mode, which is often read by
 * screen readers. Possible formulas are held back until they are decided. */
#ifndef APP_PLAIN_SPEECH_H
#define APP_PLAIN_SPEECH_H

#include <stdbool.h>
#include <stddef.h>

#include "app/str.h"

/* {0} is one that has not begun. */
struct speech {
    struct str text;
    size_t said, from; /* spoken so far; the search for formulas continues there */
    bool after_formula;
};

/* Appends these bytes to the text and adds to out what can be spoken; `ended`: the text is
 * complete, and the next one may begin. */
void speech_add(struct speech *s, const char *text, size_t len, bool ended, struct str *out);

void speech_done(struct speech *s);

#endif
