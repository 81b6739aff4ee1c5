/*
 * owner.c - tokens as byte-range locks.
 *
 * Open file description locks, not the older record locks: those belong to a process, so that a
 * second handle of the same process would not see them. See fcntl(2).
 */
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#define TRIES 8 /* of random 62-bit numbers that would all have to be taken */

static struct flock byte_at(int64_t token)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = token, .l_len = 1};
}

static int draw(int64_t *token)
{
    do {
        if (getrandom(token, sizeof(*token), 0) != sizeof(*token))
            return -1;
        *token &= INT64_MAX >> 1;
    } while (*token == 0);
    return 0;
}

int owner_open(struct owner *o, const char *path)
{
    o->fd = -1;
    if (draw(&o->token) != 0)
        return -1;
    if (!path)
        return 0;
    o->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (o->fd < 0)
        return -1;
    for (int i = 0; i < TRIES; i++) {
        struct flock lock = byte_at(o->token);
        if (fcntl(o->fd, F_OFD_SETLK, &lock) == 0)
            return 0;
        if ((errno != EAGAIN && errno != EACCES) || draw(&o->token) != 0)
            break;
    }
    int saved = errno;
    owner_close(o);
    errno = saved;
    return -1;
}

void owner_close(struct owner *o)
{
    if (o->fd >= 0)
        close(o->fd);
    o->fd = -1;
}

bool owner_alive(const struct owner *o, int64_t token)
{
    if (token == o->token)
        return true;
    if (o->fd < 0 || token <= 0)
        return false;
    struct flock lock = byte_at(token);
    /* If this cannot be determined, the text is assumed to have a live writer. */
    return fcntl(o->fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}
