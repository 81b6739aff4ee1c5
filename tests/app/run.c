/* run.c - duet without a terminal. */
#include "tests/app/tests.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_ARGS = 32 };

struct stream {
    int fd;
    char *data;
    size_t len;
};

static void read_some(struct stream *s)
{
    char step[65536];
    ssize_t n = read(s->fd, step, sizeof step);
    if (n <= 0) {
        close(s->fd);
        s->fd = -1;
        return;
    }
    s->data = realloc(s->data, s->len + (size_t)n + 1);
    memcpy(s->data + s->len, step, (size_t)n);
    s->len += (size_t)n;
    s->data[s->len] = '\0';
}

static void write_some(int *fd, const char *input, size_t len, size_t *sent)
{
    ssize_t n = *sent < len ? write(*fd, input + *sent, len - *sent) : 0;
    if (n > 0)
        *sent += (size_t)n;
    if (n <= 0 && errno != EAGAIN) {
        close(*fd);
        *fd = -1;
    }
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* Feeds and reads until both outputs are closed. */
static void exchange(struct run *r, pid_t child, int in, const char *input, size_t len, int out,
                     int err)
{
    struct stream streams[2] = {{out, calloc(1, 1), 0}, {err, calloc(1, 1), 0}};
    double end = now_ms() + PATIENCE_MS;
    size_t sent = 0;
    int status;

    errno = 0;
    while (streams[0].fd >= 0 || streams[1].fd >= 0) {
        struct pollfd fds[] = {
            {in, POLLOUT, 0}, {streams[0].fd, POLLIN, 0}, {streams[1].fd, POLLIN, 0}};
        if (now_ms() > end) {
            kill(child, SIGKILL);
            waitpid(child, &status, 0);
            fail_msg("duet did not end; it said: %s", streams[1].data);
        }
        poll(fds, 3, 100);
        if (fds[0].revents)
            write_some(&in, input, len, &sent);
        for (int i = 0; i < 2; i++)
            if (fds[i + 1].revents)
                read_some(&streams[i]);
    }
    if (in >= 0)
        close(in);
    waitpid(child, &status, 0);
    *r = (struct run){
        .status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
        .out = streams[0].data,
        .err = streams[1].data,
        .out_len = streams[0].len,
        .err_len = streams[1].len,
    };
}

static void run(struct run *r, const char *const *argv, const char *input, size_t len)
{
    int in[2] = {-1, -1}, out[2], err[2];
    if (input)
        assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(pipe2(err, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(input ? in[0] : open("/dev/null", O_RDONLY), STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        for (int s = 1; s < 32; s++)
            signal(s, SIG_DFL); /* a caller in the background ignores some */
        execv(argv[0], (char *const *)argv);
        _exit(127);
    }
    close(out[1]);
    close(err[1]);
    if (input) {
        close(in[0]);
        fcntl(in[1], F_SETFL, O_NONBLOCK);
        signal(SIGPIPE, SIG_IGN);
    }
    exchange(r, child, in[1], input, len, out[0], err[0]);
}

void run_duet(struct run *r, const char *input, size_t len, ...)
{
    const char *argv[MAX_ARGS] = {duet_path()};
    va_list args;
    va_start(args, len);
    for (int i = 1; i < MAX_ARGS - 1 && (argv[i] = va_arg(args, const char *)); i++)
        continue;
    va_end(args);
    run(r, argv, input, len);
}

void run_shell(struct run *r, const char *line)
{
    const char *const argv[] = {"/bin/bash", "-c", line, NULL};
    run(r, argv, NULL, 0);
}

void run_tmux(struct run *r, const char *line)
{
    static const char before[] =
        "cd $HOME; T=\"tmux -S $HOME/t -f /dev/null\"; trap '$T kill-server' EXIT; "
        "await() { until $T capture-pane -p | grep -q \"$1\"; do sleep 0.05; done; }; ";
    char *whole = malloc(sizeof before + strlen(line));
    strcat(strcpy(whole, before), line);
    run_shell(r, whole);
    free(whole);
    if (r->status != 0)
        fail_msg("exit %d: %s", r->status, r->err);
}

void run_done(struct run *r)
{
    free(r->out);
    free(r->err);
}

void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in \"%s\"", part, text);
}

void assert_error_line(const struct run *r)
{
    assert_in_range(r->err_len, 8, 240);
    assert_int_equal(strncmp(r->err, "duet: ", 6), 0);
    for (size_t i = 0; i + 1 < r->err_len; i++)
        assert_true((unsigned char)r->err[i] >= 0x20);
    assert_int_equal(r->err[r->err_len - 1], '\n');
}
