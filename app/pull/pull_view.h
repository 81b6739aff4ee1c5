/* pull_view.h - how far a download is, in words and as a bar. */
#ifndef APP_PULL_PULL_VIEW_H
#define APP_PULL_PULL_VIEW_H

#include "app/pull/pull.h"
#include "app/str.h"

/* Of what was to be loaded, 0 to 1; negative: not known. */
double pull_view_share(const struct pull_progress *p);

/* Seconds that are left at this rate; negative: not known. */
double pull_view_left(const struct pull_progress *p);

/* "43%", "566 MB of 1.3 GB", "31 MB/s", "0:24 left", as far as they are known; `between` them. */
void pull_view_add_words(struct str *out, const struct pull_progress *p, const char *between);

/* The same behind a bar, in so many columns, for a terminal; ascii: with nothing but ASCII in it. */
void pull_view_add_bar(struct str *out, const struct pull_progress *p, int columns, bool ascii);

#endif
