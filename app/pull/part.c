/* part.c - see part.h. */
#include "app/pull/part.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "app/mem.h"
#include "app/numbers.h"
#include "app/paths.h"
#include "app/say.h"
#include "app/str.h"

enum { WAIT_MS = 100, SPARE = 16 << 20 /* bytes left free on the disk */ };

static int fail(const struct part *p, const char *file, char *err, size_t errlen)
{
    return say_to(err, errlen, PART_FAILED, "%s/%s: %s", p->folder, file, strerror(errno));
}

static char *with_ending(const char *file, const char *ending)
{
    struct str name = {0};
    str_addf(&name, "%s%s", file, ending);
    return name.data;
}

/* Opening */

/* Not a link, nor a file that can be changed under another name. */
static int check_plain(const struct part *p, char *err, size_t errlen)
{
    struct stat st;
    const char *why = NULL;
    if (fstat(p->fd, &st) != 0)
        return fail(p, p->name, err, errlen);
    if (!S_ISREG(st.st_mode))
        why = "is not a plain file";
    else if (st.st_nlink > 1)
        why = "has a second name (a hard link)";
    else if (st.st_uid != geteuid())
        why = "belongs to somebody else";
    if (why)
        return say_to(err, errlen, PART_FAILED, "%s/%s: %s; remove it", p->folder, p->name, why);
    return 0;
}

static int open_plain(struct part *p, char *err, size_t errlen)
{
    p->fd = openat(p->dir, p->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (p->fd < 0 && errno == ELOOP)
        return say_to(err, errlen, PART_FAILED, "%s/%s: is a link; remove it", p->folder, p->name);
    if (p->fd < 0)
        return fail(p, p->name, err, errlen);
    return check_plain(p, err, errlen);
}

/* Whether the name is still that of the open file: the program that held the lock may have renamed
 * it. */
static bool still_named(const struct part *p)
{
    struct stat open, named;
    return fstat(p->fd, &open) == 0 && fstatat(p->dir, p->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

static int lock(struct part *p, char *err, size_t errlen)
{
    while (flock(p->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fail(p, p->name, err, errlen);
        if (!p->watcher.waiting(p->watcher.ud))
            return say_to(err, errlen, PART_STOPPED, "stopped");
        poll(NULL, 0, WAIT_MS);
    }
    return 0;
}

int part_open(struct part *p, const char *folder, const char *file,
              const struct part_watcher *watcher, char *err, size_t errlen)
{
    *p = (struct part){.folder = folder,
                       .file = file,
                       .watcher = *watcher,
                       .fd = -1,
                       .name = with_ending(file, ".part"),
                       .bad = with_ending(file, ".bad"),
                       .digest = digest_new()};
    paths_make_folder(folder);
    p->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p->dir < 0)
        return say_to(err, errlen, PART_FAILED, "%s: %s", folder, strerror(errno));
    for (;;) {
        int status = open_plain(p, err, errlen);
        if (status == 0)
            status = lock(p, err, errlen);
        if (status != 0)
            return status;
        if (still_named(p))
            return 0;
        close(p->fd);
    }
}

/* An empty part is removed. */
void part_close(struct part *p)
{
    struct stat st;
    if (p->fd >= 0 && fstat(p->fd, &st) == 0 && st.st_size == 0 && S_ISREG(st.st_mode) &&
        st.st_nlink == 1 && still_named(p))
        unlinkat(p->dir, p->name, 0);
    if (p->fd >= 0)
        close(p->fd);
    if (p->dir >= 0)
        close(p->dir);
    digest_free(p->digest);
    free(p->name);
    free(p->bad);
    *p = (struct part){.dir = -1, .fd = -1};
}

/* Writing */

int part_read(struct part *p, char *err, size_t errlen)
{
    struct stat st;
    digest_restart(p->digest);
    int status = lseek(p->fd, 0, SEEK_SET) == 0 && fstat(p->fd, &st) == 0
                     ? digest_add_file(p->digest, p->fd, p->watcher.reading, p->watcher.ud)
                     : -1;
    if (status < 0)
        return fail(p, p->name, err, errlen);
    if (status > 0)
        return say_to(err, errlen, PART_STOPPED, "stopped");
    p->size = lseek(p->fd, 0, SEEK_CUR);
    return 0;
}

int part_restart(struct part *p, char *err, size_t errlen)
{
    digest_restart(p->digest);
    p->size = 0;
    if (ftruncate(p->fd, 0) != 0 || lseek(p->fd, 0, SEEK_SET) != 0)
        return fail(p, p->name, err, errlen);
    return 0;
}

static int write_failed(const struct part *p, char *err, size_t errlen)
{
    struct str done = {0};
    bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    const char *why = strerror(errno);
    numbers_add_bytes(&done, (uint64_t)p->size);
    int status = say_to(err, errlen, PART_FAILED, "%s: %s after %s%s", p->folder, why, done.data,
                        full ? ", which are kept: make room and say it again" : "");
    str_done(&done);
    return status;
}

int part_add(struct part *p, const char *bytes, size_t len, char *err, size_t errlen)
{
    while (len > 0) {
        ssize_t n = write(p->fd, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return write_failed(p, err, errlen);
        digest_add(p->digest, bytes, (size_t)n);
        p->size += n;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

int part_room(const struct part *p, int64_t more, char *err, size_t errlen)
{
    struct statvfs disk;
    struct str needs = {0}, has = {0};
    int status = 0;

    if (fstatvfs(p->dir, &disk) != 0)
        return 0; /* a full disk will show when writing */
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (more > 0 && (uint64_t)more + SPARE > free_bytes) {
        numbers_add_bytes(&needs, (uint64_t)more + SPARE);
        numbers_add_bytes(&has, free_bytes);
        status = say_to(err, errlen, PART_FAILED, "%s: the disk is too full (needs %s, free %s)",
                        p->folder, needs.data, has.data);
    }
    str_done(&needs);
    str_done(&has);
    return status;
}

/* The end */

/* The next pull starts over, as nobody can say which bytes are wrong: the known digest is of the
 * whole file, and digests of its pieces, from the same server as the bytes, would prove nothing. */
static int set_aside(struct part *p, const char *found, const struct model_record *r, char *err,
                     size_t errlen)
{
    renameat(p->dir, p->name, p->dir, p->bad);
    model_record_remove(p->dir, p->file);
    return say_to(err, errlen, PART_DIFFERS,
                  "%s: sha256 differs (got %.12s..., must be %.12s...); set aside as %s", p->file,
                  found, r->sha256, p->bad);
}

/* Not every file system can rename without replacing another file. */
static int give_name(const struct part *p)
{
    if (renameat2(p->dir, p->name, p->dir, p->file, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(p->dir, p->name, p->dir, p->file, 0) != 0)
        return -1;
    return unlinkat(p->dir, p->name, 0);
}

bool part_is_right(struct part *p, const struct model_record *r)
{
    char found[DIGEST_HEX];
    digest_end(p->digest, found);
    return strcmp(found, r->sha256) == 0;
}

int part_finish(struct part *p, struct model_record *r, char *err, size_t errlen)
{
    char found[DIGEST_HEX];
    digest_end(p->digest, found);
    if (strcmp(found, r->sha256) != 0)
        return set_aside(p, found, r, err, errlen);
    r->bytes = p->size;
    r->verified = (int64_t)time(NULL);
    r->etag[0] = '\0';
    if (fsync(p->fd) != 0)
        return fail(p, p->name, err, errlen);
    if (model_record_write(p->dir, p->file, r) != 0)
        return fail(p, p->file, err, errlen);
    if (!still_named(p))
        return say_to(err, errlen, PART_FAILED, "%s/%s: was replaced meanwhile", p->folder,
                      p->name);
    if (give_name(p) != 0)
        return fail(p, p->file, err, errlen);
    fsync(p->dir);
    unlinkat(p->dir, p->bad, 0);
    return 0;
}
