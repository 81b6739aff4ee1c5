/*
 * owner.h - who is writing, and whether it still lives.
 *
 * A handle draws a random number, its token, and locks the byte at that offset of a lock file
 * beside the history. The kernel drops the lock when the process ends in whatever way, so a token
 * whose byte is not locked belongs to nobody: no process ids, which are used again, and no clock.
 */
#ifndef STORAGE_OWNER_H
#define STORAGE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

struct owner {
    int fd; /* -1: a history in memory, which nobody else can see */
    int64_t token;
};

/* 0, or -1 with errno set. A NULL `path` is a history in memory. */
int owner_open(struct owner *o, const char *path);
void owner_close(struct owner *o);

bool owner_alive(const struct owner *o, int64_t token);

#endif
