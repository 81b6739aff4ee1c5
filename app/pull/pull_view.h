/* pull_view.h - a download's progress, in words and as a bar. */
#ifndef APP_PULL_PULL_VIEW_H
#define APP_PULL_PULL_VIEW_H

#include "app/pull/pull.h"
#include "app/str.h"

/* The share done, 0 to 1; negative: unknown. */
double pull_view_share(const struct pull_progress *p);

/* Seconds that are left at this rate; negative: not known. */
double pull_view_left(const struct pull_progress *p);

/* "43%", "566 MB of 1.3 GB", "31 MB/s", "0:24 left", as far as they are known; `between` them. */
void pull_view_add_words(struct str *out, const struct pull_progress *p, const char *between);

/* The same after a bar, in this many columns, for a terminal; ascii: using only ASCII. */
void pull_view_add_bar(struct str *out, const struct pull_progress *p, int columns, bool ascii);

#endif
