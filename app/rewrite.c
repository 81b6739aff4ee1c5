/* rewrite.c - see rewrite.h. The text is written beside the file, and then gets its name. */
#include "app/rewrite.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/say.h"

enum { LINKS_MAX = 40 }; /* as the kernel has it */

/* How much of a path is its folder's, with the slash. */
static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* The name of the file itself, there or not, whatever links lead to it. 0 or an errno. */
static int follow(const char *path, struct str *file)
{
    char target[PATH_MAX];
    struct stat st;
    ssize_t n;

    str_adds(file, path);
    if (!*path)
        return ENOENT;
    if (stat(path, &st) != 0 && errno != ENOENT) /* a loop, or a link that may not be followed */
        return errno;
    for (int i = 0; (n = readlink(file->data, target, sizeof target)) >= 0; i++) {
        if (i == LINKS_MAX)
            return ELOOP;
        if (n == sizeof target)
            return ENAMETOOLONG;
        file->len = n > 0 && target[0] == '/' ? 0 : folder_len(file->data);
        str_add(file, target, (size_t)n);
    }
    return 0;
}

int rewrite_check(const char *path, char *err, size_t errlen)
{
    struct str file = {0}, folder = {0};
    int error = follow(path, &file);
    str_add(&folder, file.data, folder_len(file.data));
    if (!error && access(folder.len > 0 ? folder.data : ".", W_OK | X_OK) != 0)
        error = errno;
    int status = error ? say_to(err, errlen, -1, "%s: %s", file.data, strerror(error)) : 0;
    str_done(&folder);
    str_done(&file);
    return status;
}

static int write_all(int fd, const struct str *text)
{
    for (size_t at = 0; at < text->len;) {
        ssize_t n = write(fd, text->data + at, text->len - at);
        if (n < 0 && errno != EINTR)
            return -1;
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* The last look at the file that fd is to replace. 0, or -1 with errno. */
static int take_place(int fd, const char *file, const struct stat *was)
{
    struct stat st;
    if (lstat(file, &st) != 0)
        return errno == ENOENT && !was ? 0 : -1;
    if (!S_ISREG(st.st_mode) || (was && (st.st_dev != was->st_dev || st.st_ino != was->st_ino))) {
        errno = ESTALE;
        return -1;
    }
    return fchmod(fd, st.st_mode & 0777);
}

/* 0 or an errno. */
static int replace(const char *file, const struct str *text, const struct stat *was, int *fd)
{
    struct str beside = {0};
    int error = 0;
    str_addf(&beside, "%s.XXXXXX", file);
    *fd = mkostemp(beside.data, O_APPEND | O_CLOEXEC);
    if (*fd < 0)
        error = errno;
    else if (write_all(*fd, text) != 0 || fsync(*fd) != 0 || take_place(*fd, file, was) != 0 ||
             rename(beside.data, file) != 0) {
        error = errno;
        close(*fd);
        unlink(beside.data);
    }
    str_done(&beside);
    return error;
}

int rewrite_file(const char *path, const struct str *text, const struct stat *was, char *err,
                 size_t errlen)
{
    struct str file = {0};
    int fd = -1, error = follow(path, &file);
    if (!error)
        error = replace(file.data, text, was, &fd);
    if (error)
        fd = say_to(err, errlen, -1, "%s: %s", file.data,
                    error == ESTALE ? "was replaced meanwhile" : strerror(error));
    str_done(&file);
    return fd;
}
