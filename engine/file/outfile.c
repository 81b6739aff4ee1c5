/* outfile.c - see outfile.h. */
#include "file/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int refuse(const char *reason, char *err, size_t errlen)
{
    snprintf(err, errlen, "%s", reason);
    return -1;
}

static int refuse_errno(const char *doing, char *err, size_t errlen)
{
    snprintf(err, errlen, "%s: %s", doing, strerror(errno));
    return -1;
}

static void close_all(struct outfile *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->folder >= 0)
        close(f->folder);
    f->fd = f->folder = -1;
}

/* Opens the folder of a path and keeps the last part of it. */
static int open_folder(struct outfile *f, const char *path, char *err, size_t errlen)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t len = strlen(name);

    if (len == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return refuse("this is no name for a file", err, errlen);
    if (len >= sizeof f->name) {
        errno = ENAMETOOLONG;
        return refuse_errno("cannot be written", err, errlen);
    }
    memcpy(f->name, name, len + 1);
    char *folder = slash ? strndup(path, (size_t)(name - path)) : strdup(".");
    if (!folder)
        return refuse("out of memory", err, errlen);
    f->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    return f->folder < 0 ? refuse_errno("its folder cannot be used", err, errlen) : 0;
}

/* An existing file must be one that may be replaced. */
static int check_place(const struct outfile *f, char *err, size_t errlen)
{
    struct stat st;
    if (fstatat(f->folder, f->name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    if (S_ISDIR(st.st_mode))
        return refuse("this is a directory", err, errlen);
    if (!f->replace)
        return refuse("exists already", err, errlen);
    if (!S_ISREG(st.st_mode))
        return refuse("exists and is no regular file", err, errlen);
    return 0;
}

static int open_named(struct outfile *f)
{
    for (int tries = 0; tries < 16; tries++) {
        uint64_t random = 0;
        if (getrandom(&random, sizeof random, GRND_NONBLOCK) < 0)
            random = (uint64_t)getpid() + (uint64_t)tries;
        snprintf(f->temporary, sizeof f->temporary, ".duet-%016llx", (unsigned long long)random);
        f->fd = openat(f->folder, f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        f->named = f->fd >= 0;
        if (f->fd >= 0 || errno != EEXIST)
            break;
    }
    return f->fd < 0 ? -1 : 0;
}

static int open_here(struct outfile *f, char *err, size_t errlen)
{
    if (check_place(f, err, errlen) != 0)
        return -1;
    if (access("/proc/self/fd", X_OK) == 0)
        f->fd = openat(f->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (f->fd < 0 && open_named(f) != 0)
        return refuse_errno("cannot be written", err, errlen);
    return 0;
}

int outfile_open(struct outfile *f, const char *path, bool replace, char *err, size_t errlen)
{
    *f = (struct outfile){.fd = -1, .folder = -1, .replace = replace};
    struct stat st;
    char *target = NULL; /* of a link, the target is replaced and the link stays */
    if (replace && lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && !(target = realpath(path, NULL)))
        return refuse_errno("cannot be written", err, errlen);
    int result = open_folder(f, target ? target : path, err, errlen);
    if (result == 0)
        result = open_here(f, err, errlen);
    free(target);
    if (result != 0)
        close_all(f);
    return result;
}

int outfile_reserve(struct outfile *f, uint64_t bytes, char *err, size_t errlen)
{
    struct statvfs fs;
    if (fallocate(f->fd, 0, 0, (off_t)bytes) == 0 || errno == EOPNOTSUPP || errno == ENOSYS)
        return 0;
    int reason = errno;
    if (reason == ENOSPC && fstatvfs(f->fd, &fs) == 0)
        snprintf(err, errlen, "no space for it (needs %llu MB, %llu MB are free)",
                 (unsigned long long)bytes / 1000000 + 1,
                 (unsigned long long)fs.f_bavail * fs.f_frsize / 1000000);
    else
        snprintf(err, errlen, "no space for its %llu MB: %s",
                 (unsigned long long)bytes / 1000000 + 1, strerror(reason));
    return -1;
}

int outfile_write(struct outfile *f, const void *bytes, size_t n, char *err, size_t errlen)
{
    const char *at = bytes;
    while (n > 0) {
        ssize_t written = write(f->fd, at, n);
        if (written < 0 && errno != EINTR)
            return refuse_errno("write failed", err, errlen);
        if (written > 0) {
            at += written;
            n -= (size_t)written;
        }
    }
    return 0;
}

static int link_open(struct outfile *f, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", f->fd);
    return linkat(AT_FDCWD, path, f->folder, name, AT_SYMLINK_FOLLOW);
}

/* Takes the name only if it is free. */
static int take_name(struct outfile *f)
{
    if (!f->named)
        return link_open(f, f->name);
    if (linkat(f->folder, f->temporary, f->folder, f->name, 0) == 0)
        return unlinkat(f->folder, f->temporary, 0);
    /* Without hard links (FAT) a rename must do. */
    return errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK
               ? renameat2(f->folder, f->temporary, f->folder, f->name, RENAME_NOREPLACE)
               : -1;
}

/* Takes the name in any case: a file without a name needs one first, to be renamed from. */
static int seize_name(struct outfile *f)
{
    for (int tries = 0; !f->named && tries < 16; tries++) {
        snprintf(f->temporary, sizeof f->temporary, ".duet-%d-%d", (int)getpid(), tries);
        f->named = link_open(f, f->temporary) == 0;
        if (!f->named && errno != EEXIST)
            return -1;
    }
    return renameat(f->folder, f->temporary, f->folder, f->name);
}

int outfile_commit(struct outfile *f, char *err, size_t errlen)
{
    int result = 0;
    if (fsync(f->fd) != 0)
        result = refuse_errno("write failed", err, errlen);
    else if (f->replace && check_place(f, err, errlen) != 0)
        result = -1;
    else if ((f->replace ? seize_name(f) : take_name(f)) != 0)
        result = errno == EEXIST ? refuse("exists already", err, errlen)
                                 : refuse_errno("cannot be named", err, errlen);
    if (result != 0) {
        outfile_abandon(f);
        return -1;
    }
    fsync(f->folder); /* some file systems cannot sync a folder, and need not */
    close_all(f);
    return 0;
}

void outfile_abandon(struct outfile *f)
{
    if (f->named)
        unlinkat(f->folder, f->temporary, 0);
    close_all(f);
}
