/* outfile.h - a file that is there whole, or not at all.
 *
 * What is written has no name until outfile_commit gives it one, so that whatever ends the process
 * leaves nothing behind; where the file system cannot do that (O_TMPFILE), it is ".duet-..." beside
 * its name to be. Errors are one line about the file, without its name. */
#ifndef ENGINE_FILE_OUTFILE_H
#define ENGINE_FILE_OUTFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outfile {
    /* Private. */
    int fd, folder;
    bool replace, named;
    char name[256], temporary[32];
};

/* With `replace` a regular file of that name (or behind a link of that name) gives way at the end;
 * without, anything there is an error, now or then. 0, or -1 with err set. */
int outfile_open(struct outfile *f, const char *path, bool replace, char *err, size_t errlen);

/* Takes the room for so many bytes, where the file system lets one. */
int outfile_reserve(struct outfile *f, uint64_t bytes, char *err, size_t errlen);

int outfile_write(struct outfile *f, const void *bytes, size_t n, char *err, size_t errlen);

/* Puts it on the disk and gives it its name. Either way f is then closed. */
int outfile_commit(struct outfile *f, char *err, size_t errlen);

/* Closes f and leaves nothing. */
void outfile_abandon(struct outfile *f);

#endif
