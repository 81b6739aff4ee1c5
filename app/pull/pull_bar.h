/* pull_bar.h - a bar on standard error, where that is a terminal that can show one. */
#ifndef APP_PULL_PULL_BAR_H
#define APP_PULL_PULL_BAR_H

#include <stdbool.h>

#include "app/options.h"
#include "app/pull/pull.h"

struct pull_bar {
    bool possible, ascii, shown;
};

void pull_bar_init(struct pull_bar *bar, const struct options *o);
void pull_bar_show(struct pull_bar *bar, const char *name, const struct pull_progress *progress);
void pull_bar_clear(struct pull_bar *bar); /* before anything else is said, and at the end */

#endif
