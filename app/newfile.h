/* newfile.h - creates a file, never replaces one. */
#ifndef APP_NEWFILE_H
#define APP_NEWFILE_H

#include <stddef.h>

/* Writes a new file that only its owner can read. Fails if the file exists, or is a link. "~/" is
 * the user's home. 0, or -1 with one line in err. */
int newfile_write(const char *path, const char *text, size_t len, char *err, size_t errlen);

#endif
