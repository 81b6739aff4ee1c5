/*
 * tty.h: the terminal as a device: modes, size, input and output bytes. Never blocks on it, except
 * for a bounded time at the end. Knows no escape sequences: the final ones are passed in.
 */
#ifndef UI_TERMINAL_TTY_H
#define UI_TERMINAL_TTY_H

#include "text/bytes.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

enum { TTY_RESTORE_MAX = 512 };

struct tty {
    int in, out; /* the same descriptor if the terminal could be reopened */
    bool reopened;
    bool gone;             /* hung up */
    struct termios cooked; /* the original modes */
    struct bytes pending;  /* pending output */
    size_t sent;           /* sent so far */
    char restore[TTY_RESTORE_MAX];
    size_t restore_len;
};

/*
 * Opens the terminal behind two descriptors, which the caller keeps. If possible it is reopened: a
 * file description of our own can be non-blocking without affecting the shell. 0, or -1 with errno.
 */
int tty_open(struct tty *t, int in, int out);

/* Raw mode on. 0 or -1 with errno. */
int tty_raw(struct tty *t);

/* Sends pending output and the restore bytes, waiting at most 0.2 s; then restores the modes. */
void tty_cooked(struct tty *t);

/* Releases the terminal; its modes are unchanged. */
void tty_release(struct tty *t);

/* The bytes that restore the terminal, for tty_cooked() and tty_emergency(). */
void tty_set_restore(struct tty *t, const char *bytes, size_t len);

/* Async-signal-safe. */
void tty_emergency(const struct tty *t);

/* 0x0 if unknown. */
void tty_size(const struct tty *t, int *rows_out, int *cols_out);

/* Reads available bytes, 0 if none; sets t->gone after a hang-up. */
size_t tty_read(struct tty *t, char *buf, size_t size);

/* Queues bytes and sends what the terminal accepts. False: out of memory, nothing queued. */
bool tty_write(struct tty *t, const char *bytes, size_t len);

/* Continues sending; true when the queue is empty. */
bool tty_flush(struct tty *t);

void tty_poll(const struct tty *t, struct pollfd *out);

#endif
