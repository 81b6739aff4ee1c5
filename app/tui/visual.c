/* visual.c - see visual.h. */
#include "app/tui/visual.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/question.h"
#include "app/say.h"
#include "app/signals.h"

enum { NOT_FOUND = 127 }; /* a shell's exit status */

static const char *editor(void)
{
    const char *visual = getenv("VISUAL"), *editor = getenv("EDITOR");
    return visual && *visual ? visual : editor && *editor ? editor : "vi";
}

static int spawn(const char *path, pid_t *child)
{
    /* Run by a shell, since it may contain options and quotes; the file's name is an argument,
     * never code. */
    const char *const argv[] = {
        "sh", "-c", "eval \"exec $1 \\\"\\$2\\\"\"", "sh", editor(), path, NULL,
    };
    posix_spawnattr_t attributes;
    sigset_t defaults;

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    sigaddset(&defaults, SIGXFSZ);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int error = posix_spawn(child, "/bin/sh", NULL, &attributes, (char *const *)argv, environ);
    posix_spawnattr_destroy(&attributes);
    return error;
}

/* Terminal signals reach us as well as the editor: a stop concerns both, a hang-up ends both,
 * Ctrl-C is the editor's. */
static int wait_for(pid_t child)
{
    int status;
    while (waitpid(child, &status, WNOHANG) == 0) {
        struct pollfd fd = {.fd = signals_fd(), .events = POLLIN};
        poll(&fd, 1, 50);
        for (int signal; (signal = signals_next()) != 0;) {
            if (signal == SIGTSTP)
                signals_suspend();
            if (signal == SIGHUP || signal == SIGTERM) {
                kill(child, SIGHUP);
                waitpid(child, &status, 0);
                raise(signal);
                return -1;
            }
        }
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int edit(int fd, const char *path, const struct str *draft, struct str *out, char *err,
                size_t errlen)
{
    struct str read = {0};
    pid_t child;

    if (write(fd, str_get(draft), draft->len) != (ssize_t)draft->len)
        return say_to(err, errlen, -1, "editor: %s", strerror(errno));
    int error = spawn(path, &child);
    if (error != 0)
        return say_to(err, errlen, -1, "editor: %s", strerror(error));
    int status = wait_for(child);
    if (status == NOT_FOUND)
        return say_to(err, errlen, -1, "editor: %s: not found; $VISUAL or $EDITOR names another",
                      editor());
    if (status != 0)
        return say_to(err, errlen, -1, "editor: failed (got status %d); the draft is unchanged",
                      status);
    /* Editors often replace the file instead of rewriting it. */
    int again = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (again < 0)
        return say_to(err, errlen, -1, "editor: %s", strerror(errno));
    status = question_read_stream(again, "editor", &read, err, errlen);
    close(again);
    if (status == 0)
        str_add_valid(out, str_get(&read), read.len);
    while (out->len > 0 && out->data[out->len - 1] == '\n')
        out->data[--out->len] = '\0';
    str_done(&read);
    return status == 0 ? 0 : -1;
}

int visual_edit(const struct str *draft, struct str *out, char *err, size_t errlen)
{
    const char *dir = getenv("XDG_RUNTIME_DIR");
    struct str path = {0};

    if (!dir || dir[0] != '/')
        dir = getenv("TMPDIR");
    str_addf(&path, "%s/duet-XXXXXX.md", dir && dir[0] == '/' ? dir : "/tmp");
    int fd = mkostemps(path.data, 3, O_CLOEXEC); /* 0600 */
    int status = -1;
    if (fd < 0) {
        say_to(err, errlen, -1, "editor: %s: %s", path.data, strerror(errno));
    } else {
        status = edit(fd, path.data, draft, out, err, errlen);
        close(fd);
        unlink(path.data);
    }
    str_done(&path);
    return status;
}
