/*
 * steps.h: where the steps of a reasoning begin, found while it is written.
 *
 * A step is a paragraph, or a line that begins something: "Step 2", "3.", a heading, an equation.
 * What only continues - a formula of its own, a list, what follows a colon - is no step of its own.
 * Where the model takes something back ("Wait,", "let me re-check") a step begins in mid-line too.
 *
 * What has been decided stays. The first words of a line are waited for, a sentence's while they
 * may become such words; so `known`, up to which the text may be shown, is at most some bytes
 * behind.
 */
#ifndef UI_STEPS_H
#define UI_STEPS_H

#include <stdbool.h>
#include <stddef.h>

struct step {
    size_t start;    /* in the text; it ends where the next begins, or at `known` */
    bool apart;      /* a blank line stands before it */
    bool back_track; /* it takes something back */
};

enum { STEPS_MAX = 4096 }; /* more are part of the last: nobody walks through them */

struct steps {
    struct step *at;
    size_t n, cap;
    size_t n_back_tracks;
    size_t known;

    /* Where the scan stands. */
    bool in_line;         /* not at the start of a source line */
    bool apart;           /* blank lines lie before this one */
    bool fenced;          /* between ``` and ``` */
    const char *math_end; /* what ends the display formula that is open; NULL: none is */
    char last;            /* the last character that is no space */
};

void steps_done(struct steps *s);

/* Goes on with the text given before, longer by what was appended. `ended`: nothing will be. False:
 * out of memory. */
bool steps_scan(struct steps *s, const char *text, size_t len, bool ended);

/* The last whole \boxed{} of a text that grows. */
struct boxed {
    size_t at, len; /* what is between the braces; len 0: none yet */
    size_t scanned;
};

void boxed_scan(struct boxed *b, const char *text, size_t len);

#endif
