/* repl_line.h - a line of the line mode, edited by readline. What is typed while an answer is written is
 * not echoed into it, and comes whole to the next line. */
#ifndef APP_PLAIN_REPL_LINE_H
#define APP_PLAIN_REPL_LINE_H

#include "app/chat/chat.h"

/* Sets readline up, which is there once in a process. */
void repl_line_begin(struct chat *c);

/* Reads a line, to begin with `draft`; NULL in *line at the end of input, else the caller's. 0, or the
 * exit status of a signal. What is to be saved is saved meanwhile. */
int repl_line_read(struct chat *c, const char *prompt, const char *draft, char **line);

/* While an answer is written: takes what is typed, and obeys the wish for an answer now (ahead.h). False:
 * nothing will come any more. */
bool repl_line_typed(void *chat);
void repl_line_drop_typed(void);

#endif
