/* smallfile.c - see smallfile.h. */
#include "app/smallfile.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/mem.h"

char *smallfile_read(int dir, const char *name, size_t most, size_t *len)
{
    struct stat st;
    char *text = NULL;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uintmax_t)st.st_size <= most) {
        text = mem_alloc(most + 1);
        ssize_t n = read(fd, text, most);
        *len = n > 0 ? (size_t)n : 0;
    }
    if (fd >= 0)
        close(fd);
    return text;
}
