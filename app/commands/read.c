/* read.c - see read.h. A file is checked before it is opened: opening a pipe
 * would block, and a device may have side effects. */
#include "app/commands/read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/mem.h"
#include "app/numbers.h"
#include "app/paths.h"
#include "app/question.h"
#include "app/say.h"

enum { READ_MAX = 4 << 20, STEP = 1 << 16 };

/* The file's real name: quotes removed, "~/" expanded. */
static char *file_name(const char *arg)
{
    size_t n = strlen(arg);

    while (n > 0 && arg[n - 1] == ' ')
        n--;
    if (n >= 2 && (arg[0] == '"' || arg[0] == '\'') && arg[n - 1] == arg[0]) {
        arg++;
        n -= 2;
    }
    struct str bare = {0};
    str_add(&bare, arg, n);
    char *name = paths_expand(str_get(&bare));
    str_done(&bare);
    return name;
}

static int read_whole(int fd, const char *name, struct str *out, char *err, size_t errlen)
{
    char *step = mem_alloc(STEP);
    ssize_t n;

    while ((n = read(fd, step, STEP)) > 0 && out->len <= READ_MAX)
        str_add(out, step, (size_t)n);
    free(step);
    if (n < 0)
        return say_to(err, errlen, -1, "%s: %s", name, strerror(errno));
    if (out->len > READ_MAX)
        return say_to(err, errlen, -1, "%s: too large (got more, limit %d bytes)", name, READ_MAX);
    return 0;
}

static int read_file(const char *path, const char *name, struct str *out, char *err, size_t errlen)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return say_to(err, errlen, -1, "%s: %s", name, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return say_to(err, errlen, -1, "%s: %s", name,
                      S_ISDIR(st.st_mode) ? "is a folder" : "not a regular file");
    if (st.st_size > READ_MAX)
        return say_to(err, errlen, -1, "%s: too large (got %lld bytes, limit %d)", name,
                      (long long)st.st_size, READ_MAX);
    /* It may have been replaced in the meantime: never block on it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return say_to(err, errlen, -1, "%s: %s", name, strerror(errno));
    int status = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
                     ? read_whole(fd, name, out, err, errlen)
                     : say_to(err, errlen, -1, "%s: not a regular file", name);
    close(fd);
    return status;
}

void run_read(struct chat *c, const char *arg, struct command_reply *reply)
{
    struct str bytes = {0}, shown = {0};
    char err[512], *path = file_name(arg);
    const char *slash = strrchr(path, '/'), *base = slash && slash[1] ? slash + 1 : path;

    (void)c;
    str_add_visible(&shown, arg, strlen(arg), false);
    str_add_visible(&reply->file_name, base, strlen(base), false);
    if (!*path) {
        command_refuse(reply, "needs a file: /read FILE");
    } else if (read_file(path, str_get(&shown), &bytes, err, sizeof err) != 0 ||
               question_check_kind(str_get(&shown), &bytes, err, sizeof err) != 0) {
        command_refuse(reply, err);
    } else if (bytes.len == 0) {
        command_refuse(reply, str_get(&shown));
        str_adds(&reply->text, ": is empty");
    } else {
        size_t bad = question_add_part(&reply->file, bytes.data, bytes.len);
        while (reply->file.len > 0 && strchr("\r\n", reply->file.data[reply->file.len - 1]))
            reply->file.data[--reply->file.len] = '\0';
        str_adds(&reply->file, "\n");
        reply->effect = COMMAND_ATTACH;
        if (bad > 0)
            str_addf(&reply->text, "%s: not UTF-8 at %zu place%s, shown as U+FFFD", str_get(&shown),
                     bad, bad == 1 ? "" : "s");
    }
    free(path);
    str_done(&bytes);
    str_done(&shown);
}
