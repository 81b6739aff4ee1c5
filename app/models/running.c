/* running.c - see running.h. A file is never changed: a new one, locked already, takes its name. */
#include "app/models/running.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/clock.h"
#include "app/mem.h"

char *running_folder(const struct paths *paths, int i)
{
    if (i == 0)
        return mem_strdup(paths->runtime);
    return paths->state ? paths_join(paths->state, "running") : NULL;
}

const char *running_state_name(enum running_state state)
{
    static const char *const names[] = {"loading", "idle", "answering"};
    return names[state];
}

struct running_model running_model_of(const struct engine *engine, const char *name,
                                      enum running_state state)
{
    const struct engine_info *info = engine_info(engine);
    return (struct running_model){
        .name = name,
        .device = info->device,
        .on_gpu = info->on_gpu,
        .state = state,
        .since_ms = clock_ms(),
        .weight_bytes = (int64_t)info->weight_bytes,
        .kv_bytes = (int64_t)info->kv_bytes,
        .scratch_bytes = (int64_t)info->scratch_bytes,
        .cached_tokens = engine_cached_tokens(engine),
    };
}

static json_t *model_json(const struct running_model *m)
{
    return json_pack("{s:s, s:s, s:b, s:s, s:f, s:I, s:I, s:I, s:I}", "name", m->name, "device",
                     m->device, "gpu", m->on_gpu, "state", running_state_name(m->state), "since_ms",
                     m->since_ms, "weight_bytes", (json_int_t)m->weight_bytes, "kv_bytes",
                     (json_int_t)m->kv_bytes, "scratch_bytes", (json_int_t)m->scratch_bytes,
                     "cached_tokens", (json_int_t)m->cached_tokens);
}

/* The file's text; the caller's. */
static char *make_text(const char *as, const struct running_model *models, size_t n)
{
    const char *terminal = ttyname(STDIN_FILENO);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, model_json(&models[i]));
    json_t *object = json_pack("{s:I, s:s, s:s, s:o}", "pid", (json_int_t)getpid(), "as", as,
                               "terminal", terminal ? terminal : "", "models", list);
    char *text = object ? json_dumps(object, 0) : NULL;
    json_decref(object);
    return text;
}

/* Makes a folder in which nobody else can replace our file. The runtime folder's parent is the
 * system's to make. */
static bool make_safe_folder(const char *folder, bool runtime)
{
    struct stat st;
    if (runtime)
        mkdir(folder, 0700);
    else
        paths_make_folder(folder);
    return lstat(folder, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* A new file of this name with the text in it, locked; -1: it cannot be. */
static int write_locked(const char *path, const char *text)
{
    size_t len = strlen(text);
    unlink(path); /* of a process that had our number */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && write(fd, text, len) == (ssize_t)len)
        return fd;
    unlink(path);
    close(fd);
    return -1;
}

static bool write_to(struct running *r, const char *path, const char *text)
{
    struct str fresh = {0};
    str_addf(&fresh, "%s.new", path);
    int fd = write_locked(fresh.data, text);
    bool named = fd >= 0 && rename(fresh.data, path) == 0;
    if (named) {
        if (r->fd >= 0)
            close(r->fd);
        r->fd = fd;
    } else if (fd >= 0) {
        unlink(fresh.data);
        close(fd);
    }
    str_done(&fresh);
    return named;
}

/* The first of both folders that takes it is kept to. */
static void write_text(struct running *r, const struct paths *paths, const char *text)
{
    char name[32];
    snprintf(name, sizeof name, "%ld.json", (long)getpid());
    for (int i = 0; i < 2 && !r->path; i++) {
        char *folder = running_folder(paths, i);
        char *path = folder && make_safe_folder(folder, i == 0) ? paths_join(folder, name) : NULL;
        if (path && write_to(r, path, text))
            r->path = path;
        else
            free(path);
        free(folder);
    }
}

void running_publish(struct running *r, const struct paths *paths, const char *as,
                     const struct running_model *models, size_t n)
{
    if (n == 0) {
        running_done(r);
        return;
    }
    char *text = make_text(as, models, n);
    if (!text)
        return;
    if (r->path)
        write_to(r, r->path, text);
    else
        write_text(r, paths, text);
    free(text);
}

/* The name goes first: nobody sees the file without its lock. */
void running_done(struct running *r)
{
    if (r->path)
        unlink(r->path);
    if (r->fd >= 0)
        close(r->fd);
    free(r->path);
    *r = (struct running){.fd = -1};
}
