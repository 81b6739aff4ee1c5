/* newfile.h - a file that was not there before. */
#ifndef APP_NEWFILE_H
#define APP_NEWFILE_H

#include <stddef.h>

/* Writes a new file that its owner alone can read; one that exists is left as it is, and so is what a
 * link points to. "~/" is the user's home. 0, or -1 with one line in err. */
int newfile_write(const char *path, const char *text, size_t len, char *err, size_t errlen);

#endif
