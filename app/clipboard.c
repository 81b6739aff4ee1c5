/* clipboard.c - see clipboard.h. */
#include "app/clipboard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/say.h"

bool clipboard_is_tmux(void)
{
    const char *tmux = getenv("TMUX");
    return tmux && *tmux;
}

/* A file in memory with the text, to be read from its start; -1 with errno. */
static int file_of(const char *text, size_t len)
{
    int fd = memfd_create("copy", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, text + done, len - done);
        if (n <= 0) {
            close(fd);
            return -1;
        }
        done += (size_t)n;
    }
    lseek(fd, 0, SEEK_SET);
    return fd;
}

/* The child holds the pipe's other end in place of both its outputs, so that its end is seen there
 * and nothing it says reaches the screen. */
static int spawn(int text, int out, pid_t *pid)
{
    static const char *const argv[] = {"tmux", "load-buffer", "-w", "-", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t defaults;

    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, text, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
    int error = posix_spawnp(pid, argv[0], &files, &attributes, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

int clipboard_tmux_start(const char *text, size_t len, pid_t *pid, int *fd, char *err,
                         size_t errlen)
{
    int ends[2];
    int file = file_of(text, len);
    if (file < 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        say_to(err, errlen, -1, "clipboard: %s", strerror(errno));
        if (file >= 0)
            close(file);
        return -1;
    }
    int error = spawn(file, ends[1], pid);
    close(file);
    close(ends[1]);
    if (error != 0) {
        close(ends[0]);
        return say_to(err, errlen, -1, "clipboard: tmux: %s", strerror(error));
    }
    *fd = ends[0];
    return 0;
}

bool clipboard_tmux_end(pid_t pid, int fd)
{
    int status = -1;
    close(fd);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void clipboard_add_osc52(struct str *out, const char *text, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *s = (const unsigned char *)text;

    str_adds(out, "\033]52;c;");
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        unsigned bits = (unsigned)s[i] << 16;
        bits |= n > 1 ? (unsigned)s[i + 1] << 8 : 0;
        bits |= n > 2 ? s[i + 2] : 0;
        char four[4] = {digits[bits >> 18], digits[bits >> 12 & 63], '=', '='};
        if (n > 1)
            four[2] = digits[bits >> 6 & 63];
        if (n > 2)
            four[3] = digits[bits & 63];
        str_add(out, four, 4);
    }
    str_adds(out, "\033\\");
}
