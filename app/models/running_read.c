/* running_read.c - which duets run, from the files that they keep; see running.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/mem.h"
#include "app/models/running.h"

static const double MAX_SINCE_MS = 1e15;

enum { MAX_BYTES = 64 * 1024, MAX_MODELS = 64, MAX_PROCESSES = 1000 };

/* A number that is present and not negative. */
static bool read_number(const json_t *object, const char *name, int64_t *out)
{
    const json_t *value = json_object_get(object, name);
    *out = json_is_integer(value) ? json_integer_value(value) : -1;
    return *out >= 0;
}

static bool read_text(const json_t *object, const char *name, const char **out)
{
    *out = json_string_value(json_object_get(object, name));
    return *out != NULL;
}

static bool read_state(const json_t *object, enum running_state *out)
{
    const char *name;
    if (!read_text(object, "state", &name))
        return false;
    for (int i = 0; i < RUNNING_STATES; i++)
        if (strcmp(name, running_state_name((enum running_state)i)) == 0) {
            *out = (enum running_state)i;
            return true;
        }
    return false;
}

static bool read_model(const json_t *object, struct running_model *m)
{
    m->on_gpu = json_is_true(json_object_get(object, "gpu"));
    m->since_ms = json_number_value(json_object_get(object, "since_ms"));
    return m->since_ms >= 0 && m->since_ms < MAX_SINCE_MS && read_text(object, "name", &m->name) &&
           read_text(object, "device", &m->device) && read_state(object, &m->state) &&
           read_number(object, "weight_bytes", &m->weight_bytes) &&
           read_number(object, "kv_bytes", &m->kv_bytes) &&
           read_number(object, "scratch_bytes", &m->scratch_bytes) &&
           read_number(object, "cached_tokens", &m->cached_tokens);
}

/* False: it is not what running.c writes. */
static bool read_process(const char *text, size_t len, struct running_process *p)
{
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL), *object;
    const json_t *models = json_object_get(root, "models");
    int64_t pid;
    size_t i;

    p->owner = root;
    if (!read_number(root, "pid", &pid) || pid != p->pid || !read_text(root, "as", &p->as) ||
        !read_text(root, "terminal", &p->terminal) || json_array_size(models) > MAX_MODELS)
        return false;
    p->models = mem_alloc((json_array_size(models) + 1) * sizeof *p->models);
    json_array_foreach(models, i, object)
    {
        if (!read_model(object, &p->models[i]))
            return false;
        p->n_models++;
    }
    return p->n_models > 0;
}

/* Whether the process that wrote it is gone, and its lock with it. By now the name may be that of
 * its next file. */
static bool is_left_behind(int folder, const char *name, int fd)
{
    struct stat held, named;
    return flock(fd, LOCK_SH | LOCK_NB) == 0 && fstat(fd, &held) == 0 &&
           fstatat(folder, name, &named, AT_SYMLINK_NOFOLLOW) == 0 && held.st_ino == named.st_ino;
}

/* Opens a file of ours; -1: none, or somebody else's. */
static int open_file(int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid())
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void add_process(struct running_list *list, int64_t pid, int fd)
{
    struct running_process p = {.pid = pid};
    char *text = mem_alloc(MAX_BYTES);
    ssize_t len = read(fd, text, MAX_BYTES);
    p.damaged = len <= 0 || len == MAX_BYTES || !read_process(text, (size_t)len, &p);
    if (p.damaged)
        p.n_models = 0;
    free(text);
    list->items = mem_realloc(list->items, (list->count + 1) * sizeof p);
    list->items[list->count++] = p;
}

static void take_file(struct running_list *list, int folder, const char *name)
{
    char *end;
    if (name[0] < '1' || name[0] > '9')
        return;
    long pid = strtol(name, &end, 10);
    bool fresh = strcmp(end, ".json.new") == 0;
    if ((!fresh && strcmp(end, ".json") != 0) || pid <= 0)
        return;
    int fd = open_file(folder, name);
    if (fd < 0)
        return;
    bool gone = fresh ? kill((pid_t)pid, 0) != 0 && errno == ESRCH
                      : is_left_behind(folder, name, fd); /* a fresh one may not be locked yet */
    if (gone)
        unlinkat(folder, name, 0);
    else if (!fresh && list->count < MAX_PROCESSES)
        add_process(list, pid, fd);
    close(fd);
}

static int by_pid(const void *a, const void *b)
{
    const struct running_process *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

void running_read(const struct paths *paths, struct running_list *out)
{
    *out = (struct running_list){0};
    for (int i = 0; i < 2; i++) {
        struct dirent *entry;
        char *path = running_folder(paths, i);
        DIR *dir = path ? opendir(path) : NULL;
        while (dir && (entry = readdir(dir)))
            take_file(out, dirfd(dir), entry->d_name);
        if (dir)
            closedir(dir);
        free(path);
    }
    if (out->count > 0)
        qsort(out->items, out->count, sizeof *out->items, by_pid);
}

void running_list_done(struct running_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        json_decref(list->items[i].owner);
        free(list->items[i].models);
    }
    free(list->items);
    *list = (struct running_list){0};
}
