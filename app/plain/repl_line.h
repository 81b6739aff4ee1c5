/* repl_line.h - reading a line in line mode, with readline. Input typed during an answer is not
 * echoed into it, and is complete on the next line. */
#ifndef APP_PLAIN_REPL_LINE_H
#define APP_PLAIN_REPL_LINE_H

#include "app/chat/chat.h"

/* Sets up readline, of which a process has only one. */
void repl_line_begin(struct chat *c);

/* Reads a line, starting with `draft`; NULL in *line at end of input, else the caller's. 0, or the
 * exit status of a signal. Pending saves are done meanwhile. */
int repl_line_read(struct chat *c, const char *prompt, const char *draft, char **line);

/* During an answer: reads input, and obeys a request to answer now (typeahead.h). False: end of
 * input. */
bool repl_line_typed(void *chat);
void repl_line_drop_typed(void);

#endif
