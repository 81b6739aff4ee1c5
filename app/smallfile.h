/* smallfile.h - small files that others may have put there: read whole, and only
 * if they are plain. */
#ifndef APP_SMALLFILE_H
#define APP_SMALLFILE_H

#include <stddef.h>

/* The bytes of a plain file of at most `most`, no link, NUL-terminated; the caller's. dir: an open
 * folder or AT_FDCWD. NULL: it is not there, or not that. */
char *smallfile_read(int dir, const char *name, size_t most, size_t *len);

#endif
