/* rewrite.h - replaces what is in a file: all of it, or on failure nothing. A link is followed, and
 * stays; one that leads to no file makes that. Errors name the file that a link leads to. */
#ifndef APP_REWRITE_H
#define APP_REWRITE_H

#include <stddef.h>
#include <sys/stat.h>

#include "app/str.h"

/* Whether its folder lets that be done. 0, or -1 with one line in err. */
int rewrite_check(const char *path, char *err, size_t errlen);

/* The file keeps its permissions; a new one is its owner's alone. Where `was` is given, a file
 * other than that one is left as it is: text that was made from a file replaces only that. The file
 * that it is now, open to be appended to, or -1 with one line in err. */
int rewrite_file(const char *path, const struct str *text, const struct stat *was, char *err,
                 size_t errlen);

#endif
