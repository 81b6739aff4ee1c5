/* progress.c - see progress.h. */
#include "app/progress.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/numbers.h"

enum { BAR_LEAST = 8, BAR_MOST = 30 };
enum { COLUMNS = 80 }; /* of a terminal that does not say */

const char *const progress_phase_names[] = {"asking", "waiting", "reading", "loading", "pausing"};

double progress_share(const struct progress *p)
{
    return p->total > 0 ? (double)p->done / (double)p->total : -1;
}

double progress_seconds_left(const struct progress *p)
{
    if (p->phase != PROGRESS_LOADING || p->total < 0 || p->bytes_per_second < 1)
        return -1;
    return (double)(p->total - p->done) / p->bytes_per_second;
}

static void add_time(struct str *out, double seconds)
{
    long s = seconds < 360000 ? (long)(seconds + 0.5) : 360000;
    if (s >= 3600)
        str_addf(out, "%ld:%02ld:%02ld left", s / 3600, s / 60 % 60, s % 60);
    else
        str_addf(out, "%ld:%02ld left", s / 60, s % 60);
}

/* What it is at where that is not loading. */
static const char *name_phase(enum progress_phase phase)
{
    switch (phase) {
    case PROGRESS_ASKING: return "asks what the file is";
    case PROGRESS_WAITING: return "waits for another duet that pulls it";
    case PROGRESS_READING: return "reads what is here";
    case PROGRESS_PAUSING: return "pauses, then tries again";
    case PROGRESS_LOADING:
    case PROGRESS_PHASES: break;
    }
    return NULL;
}

void progress_add_words(struct str *out, const struct progress *p, const char *between)
{
    double share = progress_share(p), left = progress_seconds_left(p);
    const char *phase = name_phase(p->phase);

    if (share >= 0 && p->phase != PROGRESS_WAITING) {
        str_addf(out, "%d%%%s", (int)(share * 100), between);
        numbers_add_bytes(out, (uint64_t)p->done);
        str_adds(out, " of ");
        numbers_add_bytes(out, (uint64_t)p->total);
    }
    if (p->phase == PROGRESS_LOADING && p->bytes_per_second >= 1) {
        str_adds(out, between);
        numbers_add_bytes(out, (uint64_t)p->bytes_per_second);
        str_adds(out, "/s");
    }
    if (left >= 0) {
        str_adds(out, between);
        add_time(out, left);
    }
    if (phase)
        str_addf(out, "%s%s", out->len > 0 ? between : "", phase);
}

static void add_cells(struct str *out, double share, int cells, bool ascii)
{
    int full = (int)(share * cells);
    for (int i = 0; i < cells; i++)
        str_adds(out, i < full ? (ascii ? "#" : "\u2588") : ascii ? "-" : "\u2591");
}

/* The bar gives way to the words, and these are cut where even they do not fit. */
void progress_add_bar(struct str *out, const struct progress *p, int columns, bool ascii)
{
    struct str words = {0};
    double share = progress_share(p);

    progress_add_words(&words, p, "  ");
    int room = columns - (int)words.len - 2;
    if (share >= 0 && room >= BAR_LEAST) {
        add_cells(out, share, room < BAR_MOST ? room : BAR_MOST, ascii);
        str_adds(out, "  ");
    }
    str_add(out, str_get(&words),
            (int)words.len > columns ? (size_t)(columns > 0 ? columns : 0) : words.len);
    str_done(&words);
}

/* On standard error */

void progress_bar_init(struct progress_bar *bar, const struct options *o)
{
    const char *term = getenv("TERM");
    *bar = (struct progress_bar){
        .possible = !o->quiet && !o->plain && !o->json && isatty(STDERR_FILENO) && term && *term &&
                    strcmp(term, "dumb") != 0,
        .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0,
    };
}

void progress_bar_show(struct progress_bar *bar, const char *name, const struct progress *p)
{
    struct winsize size;
    struct str line = {0};
    int columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col
                                                                              : COLUMNS;
    if (!bar->possible)
        return;
    str_addf(&line, "\r%s  ", name);
    progress_add_bar(&line, p, columns - (int)strlen(name) - 3, bar->ascii);
    str_adds(&line, "\033[K");
    fwrite(line.data, 1, line.len, stderr);
    str_done(&line);
    bar->shown = true;
}

void progress_bar_clear(struct progress_bar *bar)
{
    if (bar->shown)
        fputs("\r\033[K", stderr);
    bar->shown = false;
}
