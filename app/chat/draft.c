/* draft.c - see draft.h. */
#include "app/chat/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/mem.h"
#include "app/paths.h"

enum { SLOTS = 16, MAX_BYTES = 320 << 20 /* a draft and questions, 16 MiB each */ };

/* Locks a file that no other duet uses; -1: in use, or an error. */
static int take(const char *path)
{
    struct stat at, held;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return -1;
    /* Between open and lock its owner may have exited and unlinked it. */
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &held) == 0 && S_ISREG(held.st_mode) &&
        stat(path, &at) == 0 && at.st_ino == held.st_ino)
        return fd;
    close(fd);
    return -1;
}

static off_t size_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_size : -1;
}

static void read_draft(int fd, struct str *out)
{
    off_t size = size_of(fd);
    if (size <= 0 || size > MAX_BYTES)
        return;
    char *text = mem_alloc((size_t)size);
    ssize_t n = pread(fd, text, (size_t)size, 0);
    if (n > 0)
        str_add_valid(out, text, (size_t)n);
    free(text);
}

/* Takes the slot; `left`: only if it holds a draft, else only if it is empty, as an unreadable
 * draft must not be overwritten. */
static bool take_slot(struct draft *d, char *path, bool left, struct str *out)
{
    if (left && access(path, F_OK) != 0)
        return false;
    int fd = take(path);
    if (fd < 0)
        return false;
    if (left)
        read_draft(fd, out);
    off_t size = size_of(fd);
    if (left ? out->len == 0 : size != 0) {
        if (size == 0)
            unlink(path);
        close(fd);
        return false;
    }
    d->fd = fd;
    d->path = path;
    return true;
}

void draft_open(struct draft *d, const char *folder, struct str *out)
{
    *d = (struct draft){.fd = -1, .due = -1};
    if (!folder)
        return;
    paths_make_folder(folder);
    for (int i = 0; i < 2 * SLOTS; i++) {
        char name[32];
        snprintf(name, sizeof name, "draft-%d", i % SLOTS);
        char *path = paths_join(folder, name);
        if (take_slot(d, path, i < SLOTS, out))
            return;
        free(path);
    }
}

bool draft_due(struct draft *d, uint64_t revision, bool empty, int64_t now)
{
    if (d->fd < 0)
        return false;
    if (d->seen != revision + 1) {
        d->seen = revision + 1;
        if (d->due < 0)
            d->due = now + DRAFT_MS;
        if (empty)
            d->due = now;
    }
    return d->due >= 0 && now >= d->due;
}

void draft_touch(struct draft *d, int64_t now)
{
    if (d->fd >= 0)
        d->due = now;
}

int draft_timeout_ms(const struct draft *d, int64_t now)
{
    if (d->due < 0)
        return -1;
    return d->due <= now ? 0 : (int)(d->due - now);
}

bool draft_save(struct draft *d, const char *text, size_t len)
{
    size_t done = 0;

    d->due = -1;
    while (done < len) {
        ssize_t n = pwrite(d->fd, text + done, len - done, (off_t)done);
        if (n <= 0 && errno != EINTR)
            return false;
        done += n > 0 ? (size_t)n : 0;
    }
    return ftruncate(d->fd, (off_t)len) == 0;
}

void draft_close(struct draft *d)
{
    struct stat st;
    if (d->fd >= 0) {
        if (fstat(d->fd, &st) == 0 && st.st_size == 0)
            unlink(d->path);
        close(d->fd);
    }
    free(d->path);
    *d = (struct draft){.fd = -1, .due = -1};
}
