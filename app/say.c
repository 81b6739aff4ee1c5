/* say.c - see say.h. */
#include "app/say.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/exit.h"
#include "app/mem.h"
#include "app/str.h"
#include "app/wrap.h"

/* Shortens in the middle: the object is named at the start, the reason at the end. */
static void shorten(struct str *t, size_t max)
{
    if (t->len <= max)
        return;
    size_t head = str_cut(t->data, t->len, max / 2 - 3);
    size_t tail = t->len - (max - max / 2);
    while (tail < t->len && ((unsigned char)t->data[tail] & 0xc0) == 0x80)
        tail++;
    memcpy(t->data + head, "...", 3);
    memmove(t->data + head + 3, t->data + tail, t->len - tail + 1);
    t->len = head + 3 + t->len - tail;
}

static void wrap_line(struct str *line)
{
    struct wrap w = {.width = wrap_width(STDERR_FILENO)};
    struct str lines = {0};
    wrap_add(&w, line->data, line->len, &lines);
    wrap_done(&w);
    str_done(line);
    *line = lines;
}

/* One write for the line, so that lines of several processes do not mix. */
static void say(const char *format, va_list args)
{
    struct str raw = {0}, line = {0};

    str_addv(&raw, format, args);
    str_adds(&line, "duet: ");
    str_add_visible(&line, str_get(&raw), raw.len, false);
    shorten(&line, SAY_MAX - 1);
    str_adds(&line, "\n");
    if (isatty(STDERR_FILENO))
        wrap_line(&line);
    while (write(STDERR_FILENO, line.data, line.len) < 0 && errno == EINTR)
        continue;
    str_done(&raw);
    str_done(&line);
}

void say_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

void say_notice(int quiet, const char *format, ...)
{
    if (quiet)
        return;
    va_list args;
    va_start(args, format);
    say(format, args);
    va_end(args);
}

int say_to(char *err, size_t errlen, int status, const char *format, ...)
{
    struct str line = {0};
    va_list args;

    va_start(args, format);
    str_addv(&line, format, args);
    va_end(args);
    shorten(&line, errlen - 1);
    snprintf(err, errlen, "%s", str_get(&line));
    str_done(&line);
    return status;
}

bool say_confirm(bool yes, const char *format, ...)
{
    struct str raw = {0}, line = {0};
    char answer[16];
    va_list args;

    if (yes || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return true;
    va_start(args, format);
    str_addv(&raw, format, args);
    va_end(args);
    str_add_visible(&line, str_get(&raw), raw.len, false);
    str_adds(&line, " [y/N] ");
    fputs(line.data, stderr);
    fflush(stderr);
    str_done(&raw);
    str_done(&line);
    ssize_t n = read(STDIN_FILENO, answer, sizeof answer);
    return n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

int say_flush(void)
{
    bool failed = ferror(stdout) != 0; /* of an earlier write; errno is still its */
    errno = failed ? errno : 0;
    if (fflush(stdout) == 0 && !failed)
        return 0;
    if (errno == EPIPE)
        return EXIT_SIGNAL + SIGPIPE;
    say_error("stdout: write failed: %s", errno ? strerror(errno) : "some of it is lost");
    return EXIT_ANSWER;
}
