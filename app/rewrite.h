/* rewrite.h - replaces what is in a file: all of it, or on failure nothing. */
#ifndef APP_REWRITE_H
#define APP_REWRITE_H

#include <sys/types.h>

#include "app/str.h"

/* A link is followed, and stays. 0, or -1 with errno. */
int rewrite_file(const char *path, const struct str *text, mode_t mode);

#endif
