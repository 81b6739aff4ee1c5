/* lines.c - see lines.h. */
#include "app/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "app/mem.h"

enum { STEP = 64 * 1024 };

void lines_init(struct lines *l, int fd)
{
    *l = (struct lines){.fd = fd};
}

void lines_done(struct lines *l)
{
    str_done(&l->held);
}

/* Takes n bytes and the newline after them from the buffer. */
static enum lines_got take(struct lines *l, size_t n, const char **text, size_t *len)
{
    *text = str_get(&l->held) + l->at;
    *len = n;
    l->at += n + (l->at + n < l->held.len);
    l->searched = l->at;
    l->number++;
    if (l->skipping || n > LINES_LONGEST) {
        l->skipping = false;
        return LINES_TOO_LONG;
    }
    if (l->number == 1 && n >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
        *text += 3;
        *len -= 3;
    }
    if (*len > 0 && (*text)[*len - 1] == '\r')
        --*len;
    return LINES_LINE;
}

enum lines_got lines_next(struct lines *l, const char **text, size_t *len)
{
    const char *held = str_get(&l->held);
    const char *newline = memchr(held + l->searched, '\n', l->held.len - l->searched);
    if (newline)
        return take(l, (size_t)(newline - held) - l->at, text, len);
    l->searched = l->held.len;
    if (!l->ended)
        return LINES_WAIT;
    if (l->at < l->held.len || l->skipping)
        return take(l, l->held.len - l->at, text, len);
    return LINES_END;
}

/* Drops what was given, and the beginning of a line that is too long. */
static void forget(struct lines *l)
{
    if (l->held.len - l->at > LINES_LONGEST) {
        l->skipping = true;
        l->at = l->held.len;
    }
    size_t left = l->held.len - l->at;
    if (left > 0 && l->at > 0)
        memmove(l->held.data, l->held.data + l->at, left);
    l->held.len = left;
    l->at = 0;
    l->searched = left;
}

void lines_feed(struct lines *l)
{
    char step[STEP];
    forget(l);
    ssize_t n = read(l->fd, step, sizeof step);
    if (n > 0) {
        str_add(&l->held, step, (size_t)n);
        l->bytes += (uint64_t)n;
    } else if (n == 0) {
        l->ended = true;
    } else if (errno != EINTR && errno != EAGAIN) {
        l->error = errno;
        l->ended = true;
    }
}
