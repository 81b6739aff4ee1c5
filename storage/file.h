/*
 * file.h - the history as a file: where it lies, whose it is, who may read it.
 */
#ifndef STORAGE_FILE_H
#define STORAGE_FILE_H

#include "db.h"

/*
 * Makes the file (0600) and its missing folders (0700) under any umask, before anything is in it,
 * or checks that the one that is there is a plain file of ours in a folder where no stranger can
 * replace it. Sets s->path, free of links, also when it fails late. A handle that only reads
 * changes nothing.
 */
int file_prepare(struct store *s, const char *path);

/* Undoes the making private: for a file that turns out to be none of ours. */
void file_give_back(struct store *s);

/* Whether there is a file at `path` that this process may not write, or not its folder. */
bool file_is_unwritable(const char *path);

/* Whether part of the history at `path` is in a journal beside it. */
bool file_has_journal(const char *path);

/* Whether other machines may have the file open too; also when that cannot be known. */
bool file_is_remote(const char *path);

/* `path` with `suffix`, the caller's to free; NULL when out of memory. */
char *file_beside(const char *path, const char *suffix);

#endif
