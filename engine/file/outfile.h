/* outfile.h - a file that appears whole, or not at all.
 *
 * What is written has no name until outfile_commit gives it one, so that a process that ends early
 * leaves nothing behind; where the file system has no O_TMPFILE, the file is ".duet-..." beside
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

/* With `replace` a regular file of that name (or at the end of a link of that name) is replaced at
 * the end; without, an existing one is an error, now or at the end. 0, or -1 with err set. */
int outfile_open(struct outfile *f, const char *path, bool replace, char *err, size_t errlen);

/* Reserves room for so many bytes, where the file system can. */
int outfile_reserve(struct outfile *f, uint64_t bytes, char *err, size_t errlen);

int outfile_write(struct outfile *f, const void *bytes, size_t n, char *err, size_t errlen);

/* Syncs it to the disk and gives it its name. Either way f is then closed. */
int outfile_commit(struct outfile *f, char *err, size_t errlen);

/* Closes f and leaves nothing. */
void outfile_abandon(struct outfile *f);

#endif
