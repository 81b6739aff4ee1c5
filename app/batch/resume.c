/* resume.c - see resume.h. */
#include "app/batch/resume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/exit.h"
#include "app/lines.h"
#include "app/mem.h"
#include "app/rewrite.h"
#include "app/say.h"
#include "app/str.h"

static char *spell(const json_t *id)
{
    char *text = json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        mem_fail();
    return text;
}

/* A line of the file: an answer, one that failed and is tried again, one whose writing was cut
 * short, or what no batch writes. */
enum kind { DONE, FAILED, TORN, FOREIGN };

static enum kind kind_of(const json_t *line, const char *text, size_t len)
{
    static const char head[] = "{\"id\": ";
    size_t n = len < sizeof head - 1 ? len : sizeof head - 1;

    if (!line)
        return memcmp(text, head, n) == 0 ? TORN : FOREIGN;
    if (!json_object_get(line, "id"))
        return FOREIGN;
    return json_object_get(line, "error")    ? FAILED
           : json_object_get(line, "answer") ? DONE
                                             : FOREIGN;
}

/* Keeps the line if it is an answer. */
static enum kind take_line(struct resume *r, const char *text, size_t len, struct str *kept)
{
    json_t *line = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    enum kind kind = kind_of(line, text, len);

    if (kind == DONE) {
        r->done = mem_realloc(r->done, (r->n_done + 1) * sizeof *r->done);
        r->done[r->n_done++] = spell(json_object_get(line, "id"));
        str_add(kept, text, len);
        str_adds(kept, "\n");
    }
    json_decref(line);
    return kind;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Reads what is there; sets *kept, *size to the bytes there were, and *foreign to the number of the
 * first line that is no batch's, or 0. 0 or -1 with errno. */
static int read_done(struct resume *r, int fd, struct str *kept, uint64_t *size, int64_t *foreign)
{
    struct lines in;
    enum lines_got got;
    enum kind kind = DONE;
    const char *text;
    size_t len;

    *foreign = 0;
    lines_init(&in, fd);
    while (*foreign == 0 && (got = lines_next(&in, &text, &len)) != LINES_END) {
        if (got == LINES_WAIT) {
            lines_feed(&in);
            continue;
        }
        if (kind == TORN) /* and not the last */
            *foreign = in.number - 1;
        kind = got == LINES_LINE ? take_line(r, text, len, kept) : FOREIGN;
        if (kind == FOREIGN && *foreign == 0)
            *foreign = in.number;
    }
    if (r->n_done > 0)
        qsort(r->done, r->n_done, sizeof *r->done, by_text);
    *size = in.bytes;
    lines_done(&in);
    errno = in.error;
    return in.error ? -1 : 0;
}

/* A lock stays with the file, not with its name. Not every file system has them. */
static int lock(int fd, const char *path, char *err, size_t errlen)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return 0;
    return say_to(err, errlen, EXIT_USAGE, "%s: another duet batch is writing it", path);
}

static int open_file(struct resume *r, const char *path, struct stat *st, char *err, size_t errlen)
{
    r->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (r->fd < 0)
        return say_to(err, errlen, errno == ENOSPC ? EXIT_ANSWER : EXIT_USAGE, "%s: %s", path,
                      strerror(errno));
    if (fstat(r->fd, st) != 0)
        return say_to(err, errlen, EXIT_ANSWER, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st->st_mode))
        return say_to(err, errlen, EXIT_USAGE, "%s: not a regular file", path);
    return lock(r->fd, path, err, errlen);
}

/* Puts a file with only what is kept in place of the one that was read. */
static int replace(struct resume *r, const char *path, const struct str *kept,
                   const struct stat *was, char *err, size_t errlen)
{
    int fd = rewrite_file(path, kept, was, err, errlen);
    if (fd < 0)
        return EXIT_ANSWER;
    close(r->fd);
    r->fd = fd;
    return lock(fd, path, err, errlen);
}

int resume_open(struct resume *r, const char *path, char *err, size_t errlen)
{
    struct str kept = {0};
    struct stat st;
    uint64_t size = 0;
    int64_t foreign = 0;

    *r = (struct resume){.fd = -1};
    int status = open_file(r, path, &st, err, errlen);
    if (status == 0 && read_done(r, r->fd, &kept, &size, &foreign) != 0)
        status = say_to(err, errlen, EXIT_ANSWER, "%s: %s", path, strerror(errno));
    if (status == 0 && foreign != 0)
        status = say_to(err, errlen, EXIT_USAGE, "%s: line %lld: not what duet batch writes", path,
                        (long long)foreign);
    if (status == 0 && kept.len != size)
        status = replace(r, path, &kept, &st, err, errlen);
    str_done(&kept);
    return status;
}

void resume_close(struct resume *r)
{
    for (size_t i = 0; i < r->n_done; i++)
        free(r->done[i]);
    free(r->done);
    if (r->fd >= 0)
        close(r->fd);
    *r = (struct resume){.fd = -1};
}

bool resume_has(const struct resume *r, const json_t *id)
{
    if (r->n_done == 0)
        return false;
    char *text = spell(id);
    bool has = bsearch(&text, r->done, r->n_done, sizeof *r->done, by_text) != NULL;
    free(text);
    return has;
}
