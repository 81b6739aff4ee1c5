/* rewrite.c - see rewrite.h. The text is written beside the file, and then gets its name. */
#include "app/rewrite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The file itself, whatever links lead to it; the caller's. One that is not there is made. */
static char *follow(const char *path, bool *made)
{
    char *file = realpath(path, NULL);
    *made = !file && errno == ENOENT;
    if (!*made)
        return file;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return NULL;
    close(fd);
    return realpath(path, NULL);
}

/* 0 or an errno. */
static int replace(const char *file, const struct str *text, mode_t mode)
{
    struct str beside = {0};
    int error = 0;
    str_addf(&beside, "%s.XXXXXX", file);
    int fd = mkostemp(beside.data, O_CLOEXEC);
    if (fd < 0 || fchmod(fd, mode & 0777) != 0 || write_all(fd, text) != 0 || fsync(fd) != 0)
        error = errno;
    if (fd >= 0 && close(fd) != 0 && !error)
        error = errno;
    if (!error && rename(beside.data, file) != 0)
        error = errno;
    if (fd >= 0 && error)
        unlink(beside.data);
    str_done(&beside);
    return error;
}

int rewrite_file(const char *path, const struct str *text, mode_t mode)
{
    bool made;
    char *file = follow(path, &made);
    int error = file ? replace(file, text, mode) : errno;
    if (file && error && made)
        unlink(file);
    free(file);
    errno = error;
    return error ? -1 : 0;
}
