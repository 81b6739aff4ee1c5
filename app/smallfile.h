/* smallfile.h - reads small files that others may have written: only plain ones, up to a limit. */
#ifndef APP_SMALLFILE_H
#define APP_SMALLFILE_H

#include <stddef.h>

/* The bytes of a plain file, at most `most` of them, NUL-terminated; the caller's. dir: an open
 * folder or AT_FDCWD. NULL: there is no such file, it is a link, or it is larger. */
char *smallfile_read(int dir, const char *name, size_t most, size_t *len);

#endif
