/* progress.h - the progress of a batch or an evaluation: a line on standard error, rewritten
 * in place on a terminal, and a final line at the end. */
#ifndef APP_BATCH_PROGRESS_H
#define APP_BATCH_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct batch_progress {
    int64_t n_done, n_failed, n_skipped; /* jobs; failed ones count as done */
    int64_t tokens;

    /* Private. */
    const char *verb, *name;
    bool quiet, on_terminal, shown;
    double began_ms, shown_ms;
};

/* The verb and, unless NULL, the subject (both kept); quiet: prints nothing. */
void batch_progress_begin(struct batch_progress *p, const char *verb, const char *name, bool quiet);

/* How long poll may sleep until the line is due; -1: indefinitely. */
int batch_progress_due_ms(const struct batch_progress *p);

/* Writes the line when it is due; share of the whole that is done, 0: not known. */
void batch_progress_show(struct batch_progress *p, double share);

void batch_progress_end(struct batch_progress *p);

#endif
