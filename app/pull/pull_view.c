/* pull_view.c - see pull_view.h. */
#include "app/pull/pull_view.h"

#include <stdio.h>

#include "app/numbers.h"

enum { BAR_LEAST = 8, BAR_MOST = 30 };

double pull_view_share(const struct pull_progress *p)
{
    return p->total > 0 ? (double)p->done / (double)p->total : -1;
}

double pull_view_left(const struct pull_progress *p)
{
    if (p->phase != PULL_LOADS || p->total < 0 || p->bytes_per_second < 1)
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
static const char *name_phase(enum pull_phase phase)
{
    switch (phase) {
    case PULL_ASKS: return "asks what the file is";
    case PULL_WAITS: return "waits for another duet that pulls it";
    case PULL_READS: return "reads what is here";
    case PULL_PAUSES: return "pauses, then tries again";
    case PULL_LOADS:
    case PULL_PHASES: break;
    }
    return NULL;
}

void pull_view_add_words(struct str *out, const struct pull_progress *p, const char *between)
{
    double share = pull_view_share(p), left = pull_view_left(p);
    const char *phase = name_phase(p->phase);

    if (share >= 0 && p->phase != PULL_WAITS) {
        str_addf(out, "%d%%%s", (int)(share * 100), between);
        numbers_add_bytes(out, (uint64_t)p->done);
        str_adds(out, " of ");
        numbers_add_bytes(out, (uint64_t)p->total);
    }
    if (p->phase == PULL_LOADS && p->bytes_per_second >= 1) {
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
void pull_view_add_bar(struct str *out, const struct pull_progress *p, int columns, bool ascii)
{
    struct str words = {0};
    double share = pull_view_share(p);

    pull_view_add_words(&words, p, "  ");
    int room = columns - (int)words.len - 2;
    if (share >= 0 && room >= BAR_LEAST) {
        add_cells(out, share, room < BAR_MOST ? room : BAR_MOST, ascii);
        str_adds(out, "  ");
    }
    str_add(out, str_get(&words),
            (int)words.len > columns ? (size_t)(columns > 0 ? columns : 0) : words.len);
    str_done(&words);
}
