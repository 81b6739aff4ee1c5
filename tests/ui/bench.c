/*
 * bench.c: how long a frame takes and how many bytes it sends, on the real screen at 80x24 with
 * libvterm behind it: `make bench-ui`. A frame is what a turn of the loop costs the program: the
 * text appended or the key read, and ui_draw(). What the terminal then does with the bytes is not
 * counted.
 */
#include "bench.h"
#include "term.h"

#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FRAMES_MAX = 100000, FRAME_MS = 34 };

struct series {
    size_t n;
    double ms[FRAMES_MAX];
    double bytes[FRAMES_MAX];
};

static double now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec * 1000 + (double)ts.tv_nsec / 1e6;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* One turn: keys may be NULL, and so may text. */
static void turn(struct term *t, struct series *s, const char *keys, const char *text, size_t len)
{
    struct ui_action action;

    term_forget(t);
    term_wait(FRAME_MS);
    if (keys && write(t->master, keys, strlen(keys)) < 0)
        return;
    double start = now_ms();
    if (keys)
        ui_feed(t->ui);
    while (ui_next_action(t->ui, &action))
        continue;
    if (text)
        ui_message_append(t->ui, 1, UI_ANSWER, text, len);
    ui_draw(t->ui);
    double spent = now_ms() - start;
    struct pollfd fd = {.events = POLLOUT};
    do { /* a frame larger than the pty takes */
        term_drain(t);
        ui_draw(t->ui);
        ui_poll(t->ui, &fd);
    } while (fd.events & POLLOUT);
    term_drain(t);
    if (s->n < FRAMES_MAX) {
        s->ms[s->n] = spent;
        s->bytes[s->n++] = (double)t->raw.len;
    }
}

static void report(const char *what, struct series *s)
{
    if (s->n == 0)
        return;
    qsort(s->ms, s->n, sizeof *s->ms, ascending);
    qsort(s->bytes, s->n, sizeof *s->bytes, ascending);
    size_t half = s->n / 2, most = s->n - 1, high = most * 99 / 100;
    printf("%-44s %6zu  %8.3f %8.3f %8.3f  %7.0f %7.0f %7.0f\n", what, s->n, s->ms[half],
           s->ms[high], s->ms[most], s->bytes[half], s->bytes[high], s->bytes[most]);
    fflush(stdout);
    s->n = 0;
}

static void begin(struct term *t)
{
    ui_transcript_clear(t->ui);
    ui_message_begin(t->ui, 1, UI_ASSISTANT, "m");
}

static const char prose[] =
    "To find the average speed we **divide** the distance by the time, so that 60 km in 45 minutes "
    "make 80 km/h. ";
static const char section[] =
    "## A section\n\nSome *words* about `code` and a [link](http://example.org/) that go on "
    "for long enough to be wrapped somewhere in the window.\n\n"
    "1. first\n2. second\n   - nested\n   - again\n\n"
    "| n | square |\n|---|-------:|\n| 1 | 1 |\n| 2 | 4 |\n\n```c\nfor (int i = 0; i < n; i++)\n"
    "    sum += a[i]; /* add */\n```\n\nso \\(x^2 + y^2 = z^2\\), and\n\n\\[\\frac{a}{b} = "
    "c\\]\n\n> quoted\n\n";

/* Text of about so many lines on the screen. */
static struct bytes document(size_t lines)
{
    struct bytes out = {0};
    for (size_t n = 0; n < lines; n += 30)
        bytes_add(&out, section, strlen(section));
    return out;
}

static void scroll(struct term *t, struct series *s, const char *what)
{
    char name[96];
    turn(t, s, "\t", NULL, 0);
    s->n = 0;
    for (int i = 0; i < 300; i++)
        turn(t, s, "\033[5~", NULL, 0);
    for (int i = 0; i < 300; i++)
        turn(t, s, "k", NULL, 0);
    for (int i = 0; i < 20; i++) {
        turn(t, s, "g", NULL, 0);
        turn(t, s, "G", NULL, 0);
    }
    snprintf(name, sizeof name, "%s: scrolling", what);
    report(name, s);
    turn(t, s, "\t", NULL, 0);
    s->n = 0;
    for (int i = 0; i < 2000; i++)
        turn(t, s, NULL, prose + (size_t)i % (sizeof prose - 1), 1);
    snprintf(name, sizeof name, "%s: streaming", what);
    report(name, s);
}

static void measure_transcripts(struct term *t, struct series *s)
{
    struct bytes all = document(100000), part = document(100);

    begin(t);
    turn(t, s, NULL, all.data, all.len);
    report("one message of 100,000 lines: first frame", s);
    scroll(t, s, "one message of 100,000 lines");
    ui_transcript_clear(t->ui);
    for (int i = 1000; i > 0; i--) {
        ui_message_begin(t->ui, i, UI_ASSISTANT, "m");
        ui_message_append(t->ui, i, UI_ANSWER, part.data, part.len);
        if (i > 1)
            ui_message_end(t->ui, i, UI_INFO, "note");
    }
    turn(t, s, NULL, NULL, 0);
    report("1,000 messages of 100 lines: first frame", s);
    scroll(t, s, "1,000 messages of 100 lines");
    bytes_free(&all);
    bytes_free(&part);
}

static void measure_streams(struct term *t, struct series *s)
{
    begin(t);
    for (size_t i = 0; i < 20 * (sizeof prose - 1); i++)
        turn(t, s, NULL, prose + i % (sizeof prose - 1), 1);
    report("prose, a character a frame", s);
    begin(t);
    for (size_t i = 0; i < 10 * (sizeof section - 1); i++)
        turn(t, s, NULL, section + i % (sizeof section - 1), 1);
    report("all kinds of blocks, a character a frame", s);
}

static void measure_hostile(struct term *t, struct series *s)
{
    static const struct {
        const char *name, *begin, *again;
    } texts[] = {
        {"a line of words", "", "words "},
        {"a line without spaces", "", "x"},
        {"combining marks", "e", "\u0301"},
        {"a fence", "```c\n", "int x; /* a */\n"},
        {"a fence of one line", "```c\n", "int x; "},
        {"nested lists", "", "- "},
        {"deeper lists", "", "- a\n  - b\n    - c\n"},
        {"quotes", "", "> "},
        {"a table", "| a | b |\n|---|---|\n", "| cell | cell |\n"},
        {"a table of one row", "| a | b |\n|---|---|\n", "| cell "},
        {"dollars", "", "$ "},
        {"prices", "", "$5 "},
        {"an open formula", "\\[", "x + "},
        {"open formulas", "", "\\[ "},
        {"open boxes", "", "\\boxed{"},
        {"formulas", "", "\\(x^2\\) "},
        {"emphasis", "", "*a **b "},
        {"brackets", "", "[a]("},
        {"backticks", "", "`a``b "},
        {"empty lines", "", "\n"},
        {"controls", "", "\r\b\f\v\033"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bytes text = {0};
        char name[64];
        bytes_add(&text, texts[i].begin, strlen(texts[i].begin));
        while (text.len < 1 << 20)
            bytes_add(&text, texts[i].again, strlen(texts[i].again));
        begin(t);
        for (size_t at = 0; at < text.len; at += 4096)
            turn(t, s, NULL, text.data + at, text.len - at < 4096 ? text.len - at : 4096);
        snprintf(name, sizeof name, "1 MiB of %s, 4 KiB a frame", texts[i].name);
        report(name, s);
        begin(t);
        turn(t, s, NULL, text.data, text.len);
        for (int frame = 0; frame < 40; frame++)
            turn(t, s, NULL, "x", 1);
        snprintf(name, sizeof name, "1 MiB of %s at once", texts[i].name);
        report(name, s);
        bytes_free(&text);
    }
}

int bench_run(void)
{
    static struct series s;
    struct term t;

    setlocale(LC_ALL, "C.UTF-8");
    term_open(&t, 24, 80, NULL);
    printf("%-44s %6s  %8s %8s %8s  %7s %7s %7s\n", "80x24", "frames", "ms", "p99", "max", "bytes",
           "p99", "max");
    measure_streams(&t, &s);
    measure_transcripts(&t, &s);
    measure_hostile(&t, &s);
    term_close(&t);
    return 0;
}
