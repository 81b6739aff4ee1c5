/* progress.h - how far a download is, or the reading of a file: in words, and as a bar on standard
 * error where that is a terminal that can show one. */
#ifndef APP_PROGRESS_H
#define APP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/options.h"
#include "app/str.h"

enum progress_phase {
    PROGRESS_ASKING,  /* the server what the file is */
    PROGRESS_WAITING, /* for another program that downloads the same */
    PROGRESS_READING, /* what is here already */
    PROGRESS_LOADING,
    PROGRESS_PAUSING, /* before the next try; `trouble` says why */
    PROGRESS_PHASES,
};
extern const char *const progress_phase_names[PROGRESS_PHASES]; /* "asking" */

struct progress {
    enum progress_phase phase;
    int64_t done, total;     /* bytes; total -1: not known yet */
    double bytes_per_second; /* of late; 0: not known */
    const char *trouble;     /* "" */
};

/* The share done, 0 to 1; negative: unknown. */
double progress_share(const struct progress *p);

/* At the present rate; negative: unknown. */
double progress_seconds_left(const struct progress *p);

/* "43%", "566 MB of 1.3 GB", "31 MB/s", "0:24 left", as far as they are known; `between` them. */
void progress_add_words(struct str *out, const struct progress *p, const char *between);

/* The same after a bar, in this many columns, for a terminal; ascii: using only ASCII. */
void progress_add_bar(struct str *out, const struct progress *p, int columns, bool ascii);

struct progress_bar {
    bool possible, ascii, shown;
};

void progress_bar_init(struct progress_bar *bar, const struct options *o);
void progress_bar_show(struct progress_bar *bar, const char *name, const struct progress *p);
void progress_bar_clear(
    struct progress_bar *bar); /* before anything else is said, and at the end */

#endif
