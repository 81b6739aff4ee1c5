/* pull_bar.c - see pull_bar.h. */
#include "app/pull/pull_bar.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/pull/pull_view.h"
#include "app/str.h"

enum { COLUMNS = 80 };

void pull_bar_init(struct pull_bar *bar, const struct options *o)
{
    const char *term = getenv("TERM");
    *bar = (struct pull_bar){
        .possible = !o->quiet && !o->plain && !o->json && isatty(STDERR_FILENO) && term && *term &&
                    strcmp(term, "dumb") != 0,
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
    };
}

void pull_bar_show(struct pull_bar *bar, const char *name, const struct pull_progress *progress)
{
    struct winsize size;
    struct str line = {0};
    int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col
                                                                              : COLUMNS;
    if (!bar->possible)
        return;
    str_addf(&line, "\r%s  ", name);
    pull_view_add_bar(&line, progress, columns - (int)strlen(name) - 3, bar->ascii);
    str_adds(&line, "\033[K");
    fwrite(line.data, 1, line.len, stderr);
    str_done(&line);
    bar->shown = true;
}

void pull_bar_clear(struct pull_bar *bar)
{
    if (bar->shown)
        fputs("\r\033[K", stderr);
    bar->shown = false;
}
