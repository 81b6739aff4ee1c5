/* repl_pull.h - /pull in line mode. */
#ifndef APP_PLAIN_REPL_PULL_H
#define APP_PLAIN_REPL_PULL_H

/* Pulls, and returns when that has ended; print gets lines about it. */
void repl_pull(const char *name, void (*print)(void *ud, const char *line), void *ud);

#endif
