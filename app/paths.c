/* paths.c - see paths.h. */
#include "app/paths.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/mem.h"
#include "app/str.h"

char *paths_join(const char *dir, const char *name)
{
    struct str path = {0};
    str_addf(&path, "%s/%s", dir, name);
    return path.data;
}

/* The folder `levels` above the running program, or NULL. */
static char *above_program(int levels)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
    if (len <= 0)
        return NULL;
    path[len] = '\0';
    while (levels-- >= 0) {
        char *slash = strrchr(path, '/');
        if (!slash || slash == path)
            return NULL;
        *slash = '\0';
    }
    return mem_strdup(path);
}

char *paths_installed(const char *name)
{
    char *root = above_program(1);
    struct str dir = {0};
    if (root)
        str_addf(&dir, "%s/share/duet/%s", root, name);
    free(root);
    return dir.data;
}

/* CLONE/name for CLONE/build/VARIANT/duet. */
char *paths_in_clone(const char *name)
{
    char *build = above_program(1), *dir = NULL;
    char *slash = build ? strrchr(build, '/') : NULL;
    if (slash && strcmp(slash, "/build") == 0) {
        *slash = '\0';
        dir = paths_join(build, name);
    }
    free(build);
    return dir;
}

char *paths_expand(const char *path)
{
    const char *home = getenv("HOME");
    bool at_home = home && path[0] == '~' && (path[1] == '/' || path[1] == '\0');
    struct str full = {0};
    str_addf(&full, "%s%s", at_home ? home : "", path + at_home);
    return full.data ? full.data : mem_strdup("");
}

void paths_make_folder(const char *folder)
{
    char *path = mem_strdup(folder);
    for (char *s = path + 1; *s; s++)
        if (*s == '/') {
            *s = '\0';
            mkdir(path, 0700);
            *s = '/';
        }
    mkdir(path, 0700);
    free(path);
}

static char *folder(const char *variable, const char *under_home)
{
    const char *dir = getenv(variable), *home = getenv("HOME");
    if (dir && dir[0] == '/')
        return paths_join(dir, "duet");
    if (!home || home[0] != '/')
        return NULL;
    struct str path = {0};
    str_addf(&path, "%s/%s/duet", home, under_home);
    return path.data;
}

void paths_init(struct paths *p)
{
    const char *home = getenv("HOME");
    *p = (struct paths){
        .config = folder("XDG_CONFIG_HOME", ".config"),
        .data = folder("XDG_DATA_HOME", ".local/share"),
        .state = folder("XDG_STATE_HOME", ".local/state"),
        .cache = folder("XDG_CACHE_HOME", ".cache"),
    };
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    if (runtime && runtime[0] == '/')
        p->runtime = paths_join(runtime, "duet");
    if (p->data)
        p->history = paths_join(p->data, "chat.db");
    if (p->config)
        p->settings = paths_join(p->config, "config");
    if (!home || home[0] != '/')
        p->problem = home && home[0] ? "HOME is not an absolute path" : "HOME is not set";
}

void paths_done(struct paths *p)
{
    free(p->config);
    free(p->data);
    free(p->state);
    free(p->cache);
    free(p->runtime);
    free(p->history);
    free(p->settings);
}

void paths_print(const struct paths *p)
{
    const struct {
        const char *name, *path;
    } all[] = {
        {"config", p->config},   {"settings", p->settings}, {"data", p->data},
        {"history", p->history}, {"state", p->state},       {"cache", p->cache},
        {"runtime", p->runtime},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        printf("%s\t%s\n", all[i].name, all[i].path ? all[i].path : "-");
    if (p->data)
        printf("models\t%s/models\n", p->data);
}
