/* outlet.c - see outlet.h. */
#include "app/outlet.h"

#include <errno.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "app/exit.h"
#include "app/say.h"
#include "app/signals.h"
#include "ui/ui.h"

/* Bytes that a writable stream accepts without blocking. */
enum { STEP = 4096 };

void outlet_init(struct outlet *o, int fd)
{
    *o = (struct outlet){.fd = fd, .name = "stdout", .terminal = isatty(fd)};
    o->ascii = o->terminal && strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
}

void outlet_done(struct outlet *o)
{
    str_done(&o->pending);
    wrap_done(&o->wrap);
}

/* Appends the text, with non-ASCII characters replaced where possible. */
static void add_ascii(struct str *out, const char *text, size_t len)
{
    struct str visible = {0};
    str_add_visible(&visible, text, len, true);
    for (size_t i = 0, n; i < visible.len; i += n) {
        int32_t code;
        n = str_next(visible.data + i, visible.len - i, &code);
        char form = code >= 0x80 ? ui_ascii_form((uint32_t)code) : visible.data[i];
        str_add(out, &form, 1);
    }
    str_done(&visible);
}

static void add_shown(const struct outlet *o, struct str *out, const char *text, size_t len)
{
    if (o->ascii)
        add_ascii(out, text, len);
    else
        str_add_visible(out, text, len, true);
}

void outlet_add(struct outlet *o, const char *text, size_t len)
{
    struct str shown = {0};
    if (!o->terminal) {
        str_add(&o->pending, text, len);
    } else if (!o->wraps) {
        add_shown(o, &o->pending, text, len);
    } else {
        add_shown(o, &shown, text, len);
        o->wrap.width = wrap_width(o->fd);
        wrap_add(&o->wrap, str_get(&shown), shown.len, &o->pending);
        str_done(&shown);
    }
}

void outlet_put(struct outlet *o, const char *text)
{
    wrap_put(&o->wrap, text, &o->pending);
}

bool outlet_is_waiting(const struct outlet *o)
{
    return o && !o->error && o->sent < o->pending.len;
}

void outlet_send(struct outlet *o)
{
    size_t left = o->pending.len - o->sent;
    ssize_t n = write(o->fd, o->pending.data + o->sent, left < STEP ? left : STEP);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
        o->error = errno;
    if (n > 0)
        o->sent += (size_t)n;
    if (o->sent == o->pending.len) {
        str_clear(&o->pending);
        o->sent = 0;
    }
}

int outlet_failure(const struct outlet *o, char *err, size_t errlen)
{
    if (!o->error)
        return 0;
    if (o->error == EPIPE)
        return say_to(err, errlen, EXIT_SIGNAL + SIGPIPE, "%s", "");
    return say_to(err, errlen, EXIT_ANSWER, "%s: write failed: %s", o->name, strerror(o->error));
}

int outlet_finish(struct outlet *o, char *err, size_t errlen)
{
    err[0] = '\0';
    outlet_put(o, "");
    while (outlet_is_waiting(o)) {
        struct pollfd fds[] = {{.fd = o->fd, .events = POLLOUT},
                               {.fd = signals_fd(), .events = POLLIN}};
        poll(fds, 2, -1);
        int signal = signals_next_ending();
        if (signal != 0)
            return EXIT_SIGNAL + signal;
        if (fds[0].revents)
            outlet_send(o);
    }
    return outlet_failure(o, err, errlen);
}
