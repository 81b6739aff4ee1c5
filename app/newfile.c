/* newfile.c - see newfile.h. */
#include "app/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/say.h"
#include "app/str.h"

static int write_all(int fd, const char *text, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, text + done, len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        done += (size_t)n;
    }
    return 0;
}

static int write_to(const char *path, const char *text, size_t len, char *err, size_t errlen)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return say_to(err, errlen, -1, "%s: %s", path,
                      errno == EEXIST ? "already exists, not overwritten; choose another name"
                                      : strerror(errno));
    bool failed = write_all(fd, text, len) != 0;
    int error = errno;
    if (close(fd) != 0 && !failed) {
        failed = true;
        error = errno;
    }
    if (!failed)
        return 0;
    unlink(path);
    return say_to(err, errlen, -1, "%s: %s", path, strerror(error));
}

int newfile_write(const char *path, const char *text, size_t len, char *err, size_t errlen)
{
    const char *home = getenv("HOME");
    struct str whole = {0};
    bool at_home = strncmp(path, "~/", 2) == 0 && home;
    str_addf(&whole, "%s%s", at_home ? home : "", at_home ? path + 1 : path);
    int status = write_to(whole.data, text, len, err, errlen);
    str_done(&whole);
    return status;
}
