/*
 * steps.h: splits reasoning into steps while it is written.
 *
 * A step is a paragraph, or a line that starts something new: "Step 2", "3.", a heading, an
 * equation. A continuation - a display formula, a list, what follows a colon - is not a step of its
 * own. When the model retracts something ("Wait,", "let me re-check") a step begins in mid-line
 * too.
 *
 * Decisions are final. The first words of a line or sentence are awaited while they may still form
 * such a phrase, so `known`, the end of the text that may be shown, lags by a few bytes at most.
 */
#ifndef UI_TRANSCRIPT_STEPS_H
#define UI_TRANSCRIPT_STEPS_H

#include <stdbool.h>
#include <stddef.h>

struct step {
    size_t start;    /* start in the text; it ends at the next step, or at `known` */
    bool apart;      /* preceded by a blank line */
    bool back_track; /* retracts something */
};

enum { STEPS_MAX = 4096 }; /* excess steps are merged into the last */

struct steps {
    struct step *at;
    size_t n, cap;
    size_t n_back_tracks;
    size_t known;

    /* State of the scan. */
    bool in_line;         /* inside a source line */
    bool apart;           /* preceded by blank lines */
    bool fenced;          /* between ``` and ``` */
    const char *math_end; /* terminator of the open display formula; NULL: none open */
    char last;            /* the last non-space character */
};

void steps_done(struct steps *s);

/*
 * Continues with a text that extends the previous one. `ended`: the text is complete. False: out of
 * memory.
 */
bool steps_scan(struct steps *s, const char *text, size_t len, bool ended);

/* The last complete \boxed{} of a growing text. */
struct boxed {
    size_t at, len; /* the text between the braces; len 0: none yet */
    size_t scanned;
};

void boxed_scan(struct boxed *b, const char *text, size_t len);

#endif
