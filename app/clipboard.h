/* clipboard.h - copies text to the user's clipboard, by whichever route works.
 *
 * In tmux that is tmux itself, which knows its terminals but does not pass on what a program
 * inside sends to the clipboard. Elsewhere the terminal gets OSC 52. Neither confirms that the
 * text has arrived, so duet says "sent". */
#ifndef APP_CLIPBOARD_H
#define APP_CLIPBOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "app/str.h"

/* Longer text is refused: many terminals drop more than 100,000 bytes of base64. */
enum { CLIPBOARD_MAX = 74994 };

/* Whether to copy through tmux. */
bool clipboard_is_tmux(void);

/* Hands the text to tmux in the background: wait for *pid and *fd, which the caller owns; fd
 * becomes readable when it ends. 0, or -1 with one line in err. */
int clipboard_tmux_start(const char *text, size_t len, pid_t *pid, int *fd, char *err,
                         size_t errlen);

/* Collects its status; false: it failed. Closes fd. */
bool clipboard_tmux_end(pid_t pid, int fd);

/* Adds the OSC 52 sequence for a text. */
void clipboard_add_osc52(struct str *out, const char *text, size_t len);

#endif
