/* copy.h - copies text to the user's clipboard, by whichever route works.
 *
 * In tmux that is tmux itself, which knows its terminals but does not pass on what a program
 * inside sends to the clipboard. Elsewhere the terminal gets OSC 52. Neither confirms that the
 * text has arrived, so duet says "sent". */
#ifndef APP_CHAT_COPY_H
#define APP_CHAT_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "app/str.h"

/* More is refused: many a terminal drops what is longer than 100,000 bytes in base64. */
enum { COPY_MAX = 74994 };

/* Whether tmux is the way. */
bool copy_through_tmux(void);

/* Hands the text to tmux, which goes on by itself: *pid and *fd are the caller's to wait for; fd is
 * readable once it has ended. 0, or -1 with one line in err. */
int copy_start(const char *text, size_t len, pid_t *pid, int *fd, char *err, size_t errlen);

/* Takes its end; false: it failed. Closes fd. */
bool copy_end(pid_t pid, int fd);

/* Adds the OSC 52 sequence for a text. */
void copy_add_sequence(struct str *out, const char *text, size_t len);

#endif
