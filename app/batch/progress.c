/* progress.c - see progress.h. */
#include "app/batch/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/say.h"
#include "app/str.h"

enum { EVERY_MS = 250, BAR = 20 };

void batch_progress_begin(struct batch_progress *p, const char *verb, const char *name, bool quiet)
{
    p->verb = verb;
    p->name = name;
    p->quiet = quiet;
    p->on_terminal = !quiet && isatty(STDERR_FILENO);
    p->began_ms = p->shown_ms = clock_ms();
}

int batch_progress_due_ms(const struct batch_progress *p)
{
    if (!p->on_terminal)
        return -1;
    double left = p->shown_ms + EVERY_MS - clock_ms();
    return left > 0 ? (int)left + 1 : 0;
}

static double per_second(const struct batch_progress *p, double count)
{
    double ms = clock_ms() - p->began_ms;
    return ms > 0 ? count * 1e3 / ms : 0;
}

static void add_time(struct str *out, double seconds)
{
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        str_addf(out, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        str_addf(out, "%ld:%02ld", s / 60, s % 60);
}

static void add_rate(const struct batch_progress *p, struct str *out)
{
    double rate = per_second(p, (double)p->n_done);
    str_addf(out, "%lld done", (long long)p->n_done);
    if (p->n_failed > 0)
        str_addf(out, ", %lld failed", (long long)p->n_failed);
    if (p->n_skipped > 0)
        str_addf(out, ", %lld there already", (long long)p->n_skipped);
    str_addf(out, " \xc2\xb7 %.*f/s \xc2\xb7 %.0f tokens/s", rate < 10 ? 1 : 0, rate,
             per_second(p, (double)p->tokens));
}

static void add_left(const struct batch_progress *p, double share, bool bar, struct str *out)
{
    if (share <= 0 || share > 1)
        return;
    int full = (int)(share * BAR);
    str_adds(out, " \xc2\xb7 ");
    if (bar)
        str_addf(out, "[%.*s%.*s] ", full, "####################", BAR - full,
                 "....................");
    str_addf(out, "%.0f%% \xc2\xb7 ", 100 * share);
    add_time(out, (clock_ms() - p->began_ms) / 1e3 * (1 - share) / share);
    str_adds(out, " left");
}

static void wipe(struct batch_progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
    p->shown = false;
}

/* The prefix that fits into one row without wrapping the cursor. */
static size_t fitting(const struct str *text, bool *whole)
{
    struct winsize size;
    size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col
                                                                                     : 80;
    size_t at = 0;
    for (size_t n = 1; at < text->len && n < columns; n++) {
        int32_t code;
        at += str_next(text->data + at, text->len - at, &code);
    }
    *whole = at == text->len;
    return at;
}

void batch_progress_show(struct batch_progress *p, double share)
{
    struct str line = {0};
    if (!p->on_terminal || batch_progress_due_ms(p) > 0)
        return;
    p->shown_ms = clock_ms();
    bool bar = true, whole;
    size_t len;
    do {
        str_clear(&line);
        if (p->name)
            str_addf(&line, "%s: ", p->name);
        add_rate(p, &line);
        add_left(p, share, bar, &line);
        len = fitting(&line, &whole);
    } while (!whole && bar && !(bar = false));
    wipe(p);
    fwrite(line.data, 1, len, stderr);
    fflush(stderr);
    p->shown = true;
    str_done(&line);
}

void batch_progress_end(struct batch_progress *p)
{
    struct str line = {0};
    wipe(p);
    if (p->name)
        str_addf(&line, "%s: ", p->name);
    add_rate(p, &line);
    str_adds(&line, " \xc2\xb7 ");
    add_time(&line, (clock_ms() - p->began_ms) / 1e3);
    say_notice(p->quiet, "%s: %s", p->verb, line.data);
    str_done(&line);
}
