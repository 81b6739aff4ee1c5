/* repl_line.h - reading a line in line mode, with readline. What is typed while an answer is
 * written is not echoed into it, and goes to the next line in full. */
#ifndef APP_PLAIN_REPL_LINE_H
#define APP_PLAIN_REPL_LINE_H

#include "app/chat/chat.h"

/* Sets up readline, of which a process has only one. */
void repl_line_begin(struct chat *c);

/* Reads a line, to begin with `draft`; NULL in *line at the end of input, else the caller's. 0, or
 * the exit status of a signal. What is to be saved is saved meanwhile. */
int repl_line_read(struct chat *c, const char *prompt, const char *draft, char **line);

/* While an answer is written: takes what is typed, and obeys a request to answer now (ahead.h).
 * False: end of input. */
bool repl_line_typed(void *chat);
void repl_line_drop_typed(void);

#endif
