/*
 * tty.c: the terminal as a device. A terminal that accepts no output must not block the program:
 * output is queued and sent when poll() allows, through a non-blocking file description of our own.
 */
#include "terminal/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum {
    LAST_WORDS_MS = 200,
    SHARED_PIECE = 256, /* bytes a writable terminal accepts without blocking */
};

int tty_open(struct tty *t, int in, int out)
{
    char name[128];

    *t = (struct tty){.in = in, .out = out};
    if (tcgetattr(in, &t->cooked) != 0 || !isatty(out))
        return -1;
    if (ttyname_r(in, name, sizeof name) == 0) {
        int fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (fd >= 0) {
            t->in = t->out = fd;
            t->reopened = true;
        }
    }
    return 0;
}

int tty_raw(struct tty *t)
{
    struct termios raw = t->cooked;

    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    return tcsetattr(t->in, TCSANOW, &raw);
}

static int64_t now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void tty_cooked(struct tty *t)
{
    int64_t end = now_ms() + LAST_WORDS_MS;

    tty_write(t, t->restore, t->restore_len);
    while (!tty_flush(t)) {
        struct pollfd p = {.fd = t->out, .events = POLLOUT};
        int64_t left = end - now_ms();
        if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
            break;
    }
    bytes_cut(&t->pending, 0);
    t->sent = 0;
    /* Not TCSADRAIN: a stuck terminal would block here. */
    tcsetattr(t->in, TCSANOW, &t->cooked);
}

void tty_release(struct tty *t)
{
    bytes_free(&t->pending);
    if (t->reopened)
        close(t->in);
}

void tty_set_restore(struct tty *t, const char *bytes, size_t len)
{
    t->restore_len = len < TTY_RESTORE_MAX ? len : TTY_RESTORE_MAX;
    memcpy(t->restore, bytes, t->restore_len);
}

void tty_emergency(const struct tty *t)
{
    ssize_t ignored = write(t->out, t->restore, t->restore_len);
    (void)ignored;
    tcsetattr(t->in, TCSANOW, &t->cooked);
}

void tty_size(const struct tty *t, int *rows_out, int *cols_out)
{
    struct winsize size = {0};
    ioctl(t->out, TIOCGWINSZ, &size);
    *rows_out = size.ws_row;
    *cols_out = size.ws_col;
}

size_t tty_read(struct tty *t, char *buf, size_t size)
{
    struct pollfd p = {.fd = t->in, .events = POLLIN};

    if (t->gone || poll(&p, 1, 0) <= 0)
        return 0;
    ssize_t n = read(t->in, buf, size);
    if (n > 0)
        return (size_t)n;
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        t->gone = true;
    return 0;
}

bool tty_write(struct tty *t, const char *bytes, size_t len)
{
    if (!bytes_add(&t->pending, bytes, len))
        return false;
    tty_flush(t);
    return true;
}

bool tty_flush(struct tty *t)
{
    while (t->sent < t->pending.len && !t->gone) {
        struct pollfd p = {.fd = t->out, .events = POLLOUT};
        size_t n = t->pending.len - t->sent;
        if (!t->reopened && n > SHARED_PIECE)
            n = SHARED_PIECE;
        if (poll(&p, 1, 0) <= 0)
            return false;
        ssize_t done = write(t->out, t->pending.data + t->sent, n);
        if (done >= 0)
            t->sent += (size_t)done;
        else if (errno == EAGAIN)
            return false;
        else if (errno != EINTR)
            t->gone = true;
    }
    bytes_cut(&t->pending, 0);
    t->sent = 0;
    return true;
}

void tty_poll(const struct tty *t, struct pollfd *out)
{
    *out = (struct pollfd){.fd = t->gone ? -1 : t->in, .events = POLLIN};
    if (t->sent < t->pending.len)
        out->events |= POLLOUT;
}
