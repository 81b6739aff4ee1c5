/* child.c - see child.h. */
#include "app/pull/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

enum { LINE_MAX_BYTES = 16 * 1024 };

/* In a process group of its own: the terminal's keys reach the chat alone, which passes on what is
 * meant for the download. */
static int spawn(const char *name, int out, pid_t *pid)
{
    const char *const argv[] = {"duet", "pull", "--json", "--quiet", "--", name, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t defaults;

    sigemptyset(&defaults);
    for (int s = 1; s < 32; s++)
        if (s != SIGKILL && s != SIGSTOP)
            sigaddset(&defaults, s);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
    int error = posix_spawn(pid, "/proc/self/exe", &files, &attributes, (char *const *)argv,
                            environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
    return error;
}

int pull_child_start(struct pull_child *c, const char *name, char *err, size_t errlen)
{
    int ends[2];
    *c = (struct pull_child){.progress = {.total = -1}};
    c->progress.trouble = c->trouble;
    snprintf(c->name, sizeof c->name, "%s", name);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return say_to(err, errlen, -1, "pull: %s", strerror(errno));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    int error = spawn(name, ends[1], &c->pid);
    close(ends[1]);
    c->fd = ends[0];
    if (error == 0)
        return 0;
    close(c->fd);
    c->pid = 0;
    return say_to(err, errlen, -1, "pull: %s", strerror(error));
}

/* Reading its output */

static enum progress_phase phase_of(const char *word)
{
    for (int i = 0; i < PROGRESS_PHASES; i++)
        if (strcmp(word, progress_phase_names[i]) == 0)
            return (enum progress_phase)i;
    return PROGRESS_ASKING;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void take_progress(struct pull_child *c, const json_t *object)
{
    const json_t *total = json_object_get(object, "total");
    c->progress.phase = phase_of(text_of(object, "phase"));
    c->progress.done = json_integer_value(json_object_get(object, "done"));
    c->progress.total = total ? json_integer_value(total) : -1;
    c->progress.bytes_per_second = json_number_value(json_object_get(object, "bytes_per_second"));
    snprintf(c->trouble, sizeof c->trouble, "%s", text_of(object, "trouble"));
}

static void take_event(struct pull_child *c, const json_t *object)
{
    const char *event = text_of(object, "event"), *model = text_of(object, "model");
    if (*model)
        snprintf(c->name, sizeof c->name, "%s", model);
    if (strcmp(event, "progress") == 0) {
        take_progress(c, object);
    } else if (strcmp(event, "done") == 0) {
        c->whole = true;
        c->was_here = json_is_true(json_object_get(object, "was_here"));
        c->progress.total = json_integer_value(json_object_get(object, "bytes"));
    } else if (strcmp(event, "error") == 0) {
        snprintf(c->error, sizeof c->error, "%s", text_of(object, "error"));
    }
}

/* An event; or a line meant for people, kept as the reason unless an event gives a better one. */
static void take_line(struct pull_child *c, const char *line, size_t len)
{
    json_t *object = json_loadb(line, len, 0, NULL);
    if (object)
        take_event(c, object);
    else if (!c->error[0] && len > 6 && memcmp(line, "duet: ", 6) == 0)
        snprintf(c->error, sizeof c->error, "%.*s", (int)len - 6, line + 6);
    json_decref(object);
}

static void take_lines(struct pull_child *c)
{
    char *end;
    while (c->line.len > 0 && (end = memchr(c->line.data, '\n', c->line.len))) {
        size_t len = (size_t)(end - c->line.data);
        take_line(c, c->line.data, len);
        c->line.len -= len + 1;
        memmove(c->line.data, end + 1, c->line.len + 1);
    }
    if (c->line.len > LINE_MAX_BYTES)
        str_clear(&c->line);
}

/* Why it ended, if it did not say so itself. */
static void take_end(struct pull_child *c)
{
    int status = 0;
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (c->stopped && !c->whole)
        snprintf(c->error, sizeof c->error, "stopped");
    else if (!c->whole && !c->error[0] && WIFSIGNALED(status))
        snprintf(c->error, sizeof c->error, "ended by signal %d", WTERMSIG(status));
    else if (!c->whole && !c->error[0])
        snprintf(c->error, sizeof c->error, "ended with status %d", WEXITSTATUS(status));
    close(c->fd);
    c->pid = 0;
}

bool pull_child_read(struct pull_child *c)
{
    char piece[4096];
    ssize_t n;
    while ((n = read(c->fd, piece, sizeof piece)) > 0) {
        str_add(&c->line, piece, (size_t)n);
        take_lines(c);
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    take_end(c);
    return true;
}

void pull_child_stop(struct pull_child *c)
{
    c->stopped = true;
    kill(c->pid, SIGTERM);
}

void pull_child_done(struct pull_child *c)
{
    if (c->pid > 0) {
        kill(c->pid, SIGTERM);
        close(c->fd);
    }
    c->pid = 0;
    str_done(&c->line);
}
