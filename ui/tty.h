/*
 * tty.h: the terminal as a device: modes, size, bytes in, bytes out. Never waits for it, but for a
 * bounded moment at the end. Knows no escape sequence: those it writes at the end are given to it.
 */
#ifndef UI_TTY_H
#define UI_TTY_H

#include "bytes.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

enum { TTY_RESTORE_MAX = 512 };

struct tty {
    int in, out; /* the same descriptor when the terminal could be opened anew */
    bool reopened;
    bool gone;             /* hung up */
    struct termios cooked; /* the modes before us */
    struct bytes pending;  /* output on its way */
    size_t sent;           /* of it */
    char restore[TTY_RESTORE_MAX];
    size_t restore_len;
};

/*
 * Takes the terminal behind two descriptors, which stay the caller's. Where it can be, it is opened
 * anew: a description of our own can be non-blocking without the shell noticing. 0, or -1 with
 * errno.
 */
int tty_open(struct tty *t, int in, int out);

/* Raw mode on. 0 or -1 with errno. */
int tty_raw(struct tty *t);

/* Sends what is pending and the restoring bytes, waiting at most 0.2 s; then the old modes. */
void tty_cooked(struct tty *t);

/* Gives the terminal back; its modes stay as they are. */
void tty_release(struct tty *t);

/* The bytes that bring the terminal back, for tty_cooked() and tty_emergency(). */
void tty_set_restore(struct tty *t, const char *bytes, size_t len);

/* Async-signal-safe. */
void tty_emergency(const struct tty *t);

/* 0x0 where it is not known. */
void tty_size(const struct tty *t, int *rows_out, int *cols_out);

/* Bytes that are there, 0 when none are; after a hang-up t->gone is set. */
size_t tty_read(struct tty *t, char *buf, size_t size);

/* Queues bytes and sends what the terminal takes. False: out of memory, nothing queued. */
bool tty_write(struct tty *t, const char *bytes, size_t len);

/* Goes on sending; true when nothing is left. */
bool tty_flush(struct tty *t);

void tty_poll(const struct tty *t, struct pollfd *out);

#endif
