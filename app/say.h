/* say.h - lines for the user on standard error: `duet: OBJECT: FIELD: reason (got G, limit L)`.
 *
 * One line each, at most 240 bytes, nothing in it that a terminal would obey. Not while the screen
 * is open: there the line belongs into a notice. */
#ifndef APP_SAY_H
#define APP_SAY_H

#include <stdbool.h>
#include <stddef.h>

enum { SAY_MAX = 240 };

__attribute__((format(printf, 1, 2))) void say_error(const char *format, ...);

/* The same for what is not an error. quiet: prints nothing. */
__attribute__((format(printf, 2, 3))) void say_notice(int quiet, const char *format, ...);

/* Writes the line to err, shortened in its middle where it is too long (errlen >= 16), and returns
 * status, so that a function can `return say_to(...)`. */
__attribute__((format(printf, 4, 5))) int say_to(char *err, size_t errlen, int status,
                                                 const char *format, ...);

/* Asks on a terminal, where only y confirms. True without asking if `yes`, or if there is no
 * terminal: a script means what it says. */
__attribute__((format(printf, 2, 3))) bool say_confirm(bool yes, const char *format, ...);

/* Flushes standard output. 0, or the exit status for a failed write, after an error line; none if
 * the reader has left. */
int say_flush(void);

#endif
