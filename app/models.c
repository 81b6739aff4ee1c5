/* models.c - see models.h. */
#include "app/models.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/args.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"
#include "app/str.h"

/* Names that stand for any file of a release, whatever its number format. In the order in which
 * they are taken by default. */
static const struct {
    const char *name, *alias, *release;
    bool demo;
} known[] = {
    {"deepseek", "r1", "DeepSeek-R1-Distill-Qwen-1.5B", false},
    {"llama", NULL, "Llama-3.2-1B-Instruct", false},
    {"demo-deepseek", NULL, NULL, true},
    {"demo-llama", NULL, NULL, true},
};
enum { N_KNOWN = sizeof known / sizeof *known };

void model_file_done(struct model_file *file)
{
    free(file->name);
    free(file->path);
    *file = (struct model_file){0};
}

void models_list_done(struct model_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        model_file_done(&list->items[i]);
    free(list->items);
    *list = (struct model_list){0};
}

static struct model_file *by_name(const struct model_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcasecmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

/* The name for a file: that of its release where it is the first of it, else the file's own. */
static const char *name_for(const struct model_list *list, const char *stem)
{
    for (int i = 0; i < N_KNOWN; i++) {
        const char *release = known[i].release;
        if (release && strncasecmp(stem, release, strlen(release)) == 0 &&
            !by_name(list, known[i].name))
            return known[i].name;
    }
    return stem;
}

static bool is_demo(const char *name)
{
    for (int i = 0; i < N_KNOWN; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].demo;
    return false;
}

static bool has_ending(const char *name, const char *ending)
{
    size_t len = strlen(name), n = strlen(ending);
    return len > n && strcasecmp(name + len - n, ending) == 0;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int is_weights(const struct dirent *entry)
{
    return has_ending(entry->d_name, ".safetensors");
}

/* Whether the folder is a Hugging Face release; *bytes of its weights. */
static bool is_release(const char *path, uint64_t *bytes)
{
    char *config = paths_join(path, "config.json");
    bool release = access(config, F_OK) == 0;
    struct dirent **entries;
    int n = release ? scandir(path, &entries, is_weights, NULL) : -1;

    *bytes = 0;
    for (int i = 0; i < n; i++) {
        struct stat st;
        char *file = paths_join(path, entries[i]->d_name);
        if (stat(file, &st) == 0)
            *bytes += (uint64_t)st.st_size;
        free(file);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    free(config);
    return release;
}

static void add_file(struct model_list *list, const char *dir, const char *file)
{
    char *path = paths_join(dir, file), *stem = mem_strdup(file);
    struct stat st = {0};
    uint64_t bytes = 0;
    bool gguf = has_ending(file, ".gguf");

    if (gguf)
        stem[strlen(stem) - 5] = '\0';
    const char *name = name_for(list, stem);
    bool model = stat(path, &st) == 0 &&
                 (gguf ? S_ISREG(st.st_mode) : S_ISDIR(st.st_mode) && is_release(path, &bytes));
    if (!model || by_name(list, name)) {
        free(path);
        free(stem);
        return;
    }
    list->items = mem_realloc(list->items, (list->count + 1) * sizeof *list->items);
    list->items[list->count++] = (struct model_file){
        .name = mem_strdup(name),
        .path = path,
        .bytes = gguf ? (uint64_t)st.st_size : bytes,
        .demo = is_demo(name),
    };
    free(stem);
}

static void add_folder(struct model_list *list, char *dir)
{
    struct dirent **entries;
    int n = dir ? scandir(dir, &entries, is_visible, alphasort) : -1;
    for (int i = 0; i < n; i++) {
        add_file(list, dir, entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    free(dir);
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

static char *installed_folder(void)
{
    char *root = above_program(1);
    char *dir = root ? paths_join(root, "share/duet/models") : NULL;
    free(root);
    return dir;
}

/* CLONE/app/demo for CLONE/build/VARIANT/duet. */
static char *clone_folder(void)
{
    char *build = above_program(1), *dir = NULL;
    char *slash = build ? strrchr(build, '/') : NULL;
    if (slash && strcmp(slash, "/build") == 0) {
        *slash = '\0';
        dir = paths_join(build, "app/demo");
    }
    free(build);
    return dir;
}

void models_list(const struct paths *paths, struct model_list *out)
{
    *out = (struct model_list){0};
    add_folder(out, paths->data ? paths_join(paths->data, "models") : NULL);
    add_folder(out, installed_folder());
    add_folder(out, clone_folder());
}

const struct model_file *models_default(const struct model_list *list)
{
    for (int i = 0; i < N_KNOWN; i++) {
        const struct model_file *file = by_name(list, known[i].name);
        if (file)
            return file;
    }
    return NULL;
}

static void copy_file(const struct model_file *from, struct model_file *to)
{
    *to = *from;
    to->name = mem_strdup(from->name);
    to->path = mem_strdup(from->path);
}

/* A folder of a Hugging Face release goes by the folder's name. */
static int at_folder(const char *path, struct model_file *out, char *err, size_t errlen)
{
    uint64_t bytes;
    if (!is_release(path, &bytes))
        return say_to(err, errlen, EXIT_MODEL,
                      "%s: a directory without config.json, so not a model", path);
    char *full = realpath(path, NULL);
    if (!full)
        return say_to(err, errlen, EXIT_MODEL, "%s: %s", path, strerror(errno));
    const char *slash = strrchr(full, '/');
    *out = (struct model_file){
        .name = mem_strdup(slash[1] ? slash + 1 : full), .path = full, .bytes = bytes};
    return 0;
}

static int at_path(const char *path, struct model_file *out, char *err, size_t errlen)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return say_to(err, errlen, EXIT_MODEL, "%s: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return at_folder(path, out, err, errlen);
    const char *slash = strrchr(path, '/');
    *out = (struct model_file){
        .name = mem_strdup(slash ? slash + 1 : path),
        .path = mem_strdup(path),
        .bytes = (uint64_t)st.st_size,
    };
    size_t len = strlen(out->name);
    if (len > 5 && strcasecmp(out->name + len - 5, ".gguf") == 0)
        out->name[len - 5] = '\0';
    return 0;
}

static int not_found(const struct model_list *list, const char *name, char *err, size_t errlen)
{
    for (int i = 0; i < N_KNOWN; i++)
        if (known[i].release && strcasecmp(name, known[i].name) == 0)
            return say_to(err, errlen, EXIT_MODEL, "%s: not installed; `duet pull %s` gets it",
                          name, known[i].name);
    const char **names = mem_alloc((list->count + N_KNOWN) * sizeof *names);
    size_t n = 0;
    for (; n < list->count; n++)
        names[n] = list->items[n].name;
    for (int i = 0; i < N_KNOWN; i++)
        names[n++] = known[i].name;
    const char *nearest = args_nearest(name, names, n);
    free(names);
    if (nearest)
        return say_to(err, errlen, EXIT_MODEL, "%s: no such model; did you mean %s?", name,
                      nearest);
    return say_to(err, errlen, EXIT_MODEL, "%s: no such model (`duet models` lists them)", name);
}

int models_find(const struct paths *paths, const char *name, struct model_file *out, char *err,
                size_t errlen)
{
    struct model_list list;
    int status = 0;

    if (name && *name == '\0')
        return say_to(err, errlen, EXIT_MODEL, "model: empty name");
    if (name && strchr(name, '/'))
        return at_path(name, out, err, errlen);
    for (int i = 0; name && i < N_KNOWN; i++)
        if (known[i].alias && strcasecmp(name, known[i].alias) == 0)
            name = known[i].name;

    models_list(paths, &list);
    const struct model_file *found = name ? by_name(&list, name) : models_default(&list);
    if (found)
        copy_file(found, out);
    else if (name && access(name, F_OK) == 0)
        status = at_path(name, out, err, errlen);
    else if (name)
        status = not_found(&list, name, err, errlen);
    else
        status = say_to(err, errlen, EXIT_MODEL,
                        "model: none installed, not even a demo model (`make run` finds them)");
    models_list_done(&list);
    return status;
}
