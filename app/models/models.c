/* models.c - see models.h. */
#include "app/models/models.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/args.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/models/caches.h"
#include "app/say.h"
#include "app/str.h"

static const char *const demos[] = {"demo-deepseek", "demo-llama"};
enum { N_DEMOS = sizeof demos / sizeof *demos };

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

/* While the list is made, releases have no name yet. */
static struct model_file *by_name(const struct model_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].name && strcasecmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

static bool is_demo(const char *name)
{
    return strcmp(name, demos[0]) == 0 || strcmp(name, demos[1]) == 0;
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

/* Whether the folder is a Hugging Face release; *bytes is the size of its weights. */
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

/* Whether a file is on the list, perhaps under another path. */
static bool is_listed(const struct model_list *list, const struct stat *st)
{
    struct stat other;
    for (size_t i = 0; i < list->count; i++)
        if (stat(list->items[i].path, &other) == 0 && other.st_ino == st->st_ino &&
            other.st_dev == st->st_dev)
            return true;
    return false;
}

/* The type of the weights in the makers' own repositories, whose names do not tell it. */
static const char published_type[] = "bf16";

/* Adds a file or folder if it is a model. Releases get their names later. */
static void add_model(struct model_list *list, enum model_place place, const char *path,
                      const char *stem)
{
    struct stat st;
    uint64_t bytes = 0;
    char type[RELEASE_TYPE];
    int release = release_of(stem, type);

    if (stat(path, &st) != 0 || !(S_ISREG(st.st_mode) || is_release(path, &bytes)) ||
        (place >= MODEL_HUGGING_FACE && S_ISDIR(st.st_mode) && bytes == 0) ||
        (release < 0 && by_name(list, stem)) || is_listed(list, &st))
        return;
    list->items = mem_realloc(list->items, (list->count + 1) * sizeof *list->items);
    struct model_file *file = &list->items[list->count++];
    *file = (struct model_file){
        .name = release < 0 ? mem_strdup(stem) : NULL,
        .path = mem_strdup(path),
        .bytes = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : bytes,
        .demo = is_demo(stem),
        .place = place,
        .release = release,
    };
    if (release >= 0)
        snprintf(file->type, sizeof file->type, "%s",
                 type[0] || place != MODEL_HUGGING_FACE || S_ISREG(st.st_mode) ? type
                                                                               : published_type);
}

static void add_file(struct model_list *list, enum model_place place, const char *dir,
                     const char *name)
{
    char *path = paths_join(dir, name), *stem = mem_strdup(name);
    struct stat st;
    bool gguf = has_ending(name, ".gguf");
    if (gguf)
        stem[strlen(stem) - 5] = '\0';
    if (stat(path, &st) == 0 && (gguf ? S_ISREG(st.st_mode) : S_ISDIR(st.st_mode)))
        add_model(list, place, path, stem);
    free(path);
    free(stem);
}

static void add_folder(struct model_list *list, enum model_place place, char *dir)
{
    struct dirent **entries;
    int n = dir ? scandir(dir, &entries, is_visible, alphasort) : -1;
    for (int i = 0; i < n; i++) {
        add_file(list, place, dir, entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    free(dir);
}

static void add_found(void *ud, enum model_place place, const char *path, const char *stem)
{
    add_model(ud, place, path, stem);
}

/* Names of releases */

/* Files in our folder come first, then the better type; of equals, the one listed first. */
static bool is_better(const struct model_file *a, const struct model_file *b)
{
    bool ours = a->place == MODEL_OURS;
    if (ours != (b->place == MODEL_OURS))
        return ours;
    return release_rank(a->type) < release_rank(b->type);
}

/* The best one still without a name; NULL: all have one. */
static struct model_file *best_unnamed(const struct model_list *list, int release)
{
    struct model_file *best = NULL;
    for (size_t i = 0; i < list->count; i++) {
        struct model_file *file = &list->items[i];
        if (!file->name && file->release == release && (!best || is_better(file, best)))
            best = file;
    }
    return best;
}

/* Whether a name already means a file. "llama:q8" does if the Q8 file is called "llama". */
static bool is_taken(const struct model_list *list, const char *name, int release)
{
    const char *type;
    release_named(name, &type);
    for (size_t i = 0; i < list->count; i++) {
        const struct model_file *file = &list->items[i];
        if (file->name && (strcasecmp(file->name, name) == 0 ||
                           (type && file->release == release && release_type_is(file->type, type))))
            return true;
    }
    return false;
}

/* "llama", else "llama:q4", else "llama:q4_k_s", else that with "@ollama"; NULL: all are taken. */
static char *free_name(const struct model_list *list, const struct model_file *file)
{
    const char *base = releases[file->release].name;
    struct str name = {0};
    for (int way = 0; way < 4; way++) {
        str_clear(&name);
        str_adds(&name, base);
        if (way > 0 && file->type[0])
            str_addf(&name, ":%.*s", way == 1 ? (int)strcspn(file->type, "_") : RELEASE_TYPE,
                     file->type);
        if (way == 3)
            str_addf(&name, "@%s", models_keeper(file->place));
        if (!is_taken(list, name.data, file->release))
            return name.data;
    }
    str_done(&name);
    return NULL;
}

/* A file for which no name is free is left out. */
static void name_releases(struct model_list *list)
{
    struct model_file *file;
    for (int release = 0; release < N_RELEASES; release++)
        while ((file = best_unnamed(list, release))) {
            file->name = free_name(list, file);
            if (file->name)
                continue;
            model_file_done(file);
            list->count--;
            memmove(file, file + 1, (size_t)(list->items + list->count - file) * sizeof *file);
        }
}

void models_list(const struct paths *paths, struct model_list *out)
{
    *out = (struct model_list){0};
    add_folder(out, MODEL_OURS, paths->data ? paths_join(paths->data, "models") : NULL);
    add_folder(out, MODEL_SHIPPED, paths_installed("models"));
    add_folder(out, MODEL_SHIPPED, paths_in_clone("app/demo"));
    caches_list(add_found, out);
    name_releases(out);
}

const char *models_keeper(enum model_place place)
{
    static const char *const names[] = {"duet",   "duet",      "huggingface",
                                        "ollama", "llama.cpp", "lmstudio"};
    return names[place];
}

const struct model_file *models_named(const struct model_list *list, const char *name)
{
    const char *type;
    const struct model_file *found = by_name(list, name), *best = NULL;
    int release = release_named(name, &type);
    if (!found && release >= 0 && !type)
        return by_name(list, releases[release].name);
    for (size_t i = 0; !found && release >= 0 && i < list->count; i++) {
        const struct model_file *file = &list->items[i];
        if (file->release == release && release_type_is(file->type, type) &&
            (!best || is_better(file, best)))
            best = file;
    }
    return found ? found : best;
}

const struct model_file *models_default(const struct model_list *list)
{
    const struct model_file *file = NULL;
    for (int i = 0; !file && i < N_RELEASES; i++)
        file = by_name(list, releases[i].name);
    for (int i = 0; !file && i < N_DEMOS; i++)
        file = by_name(list, demos[i]);
    return file;
}

static void copy_file(const struct model_file *from, struct model_file *to)
{
    *to = *from;
    to->name = mem_strdup(from->name);
    to->path = mem_strdup(from->path);
}

/* A Hugging Face release is named after its folder. */
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
    *out = (struct model_file){.name = mem_strdup(slash[1] ? slash + 1 : full),
                               .path = full,
                               .bytes = bytes,
                               .release = -1};
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
        .release = -1,
    };
    size_t len = strlen(out->name);
    if (len > 5 && strcasecmp(out->name + len - 5, ".gguf") == 0)
        out->name[len - 5] = '\0';
    return 0;
}

/* How a user lists the models and gets one. */
struct advice {
    const char *list, *pull;
};

static int not_found(const struct model_list *list, const char *name, const struct advice *advice,
                     char *err, size_t errlen)
{
    const char *type;
    int release = release_named(name, &type);
    if (release >= 0)
        return say_to(err, errlen, EXIT_MODEL, "%s: not installed; `%s %s%s%s` gets it", name,
                      advice->pull, releases[release].name, type ? ":" : "", type ? type : "");
    for (int i = 0; i < N_DEMOS; i++)
        if (strcmp(name, demos[i]) == 0)
            return say_to(err, errlen, EXIT_MODEL,
                          "%s: comes with duet, but is not beside this program", name);
    const char **names = mem_alloc((list->count + N_DEMOS + N_RELEASES) * sizeof *names);
    size_t n = 0;
    for (; n < list->count; n++)
        names[n] = list->items[n].name;
    for (int i = 0; i < N_DEMOS; i++)
        names[n++] = demos[i];
    for (int i = 0; i < N_RELEASES; i++)
        names[n++] = releases[i].name;
    const char *nearest = args_nearest(name, names, n);
    free(names);
    if (nearest)
        return say_to(err, errlen, EXIT_MODEL, "%s: no such model; did you mean %s?", name,
                      nearest);
    return say_to(err, errlen, EXIT_MODEL, "%s: no such model (`%s` lists them)", name,
                  advice->list);
}

/* Also true for a broken link: at_path reports what is wrong with it. */
static bool is_there(const char *name)
{
    struct stat st;
    return lstat(name, &st) == 0;
}

/* A listed model keeps its name when it is given by its path. */
static const struct model_file *by_path(const struct model_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].path, path) == 0)
            return &list->items[i];
    return NULL;
}

static int find(const struct paths *paths, const char *asked, const struct advice *advice,
                struct model_file *out, char *err, size_t errlen)
{
    struct model_list list;
    int status = 0;

    if (asked && *asked == '\0')
        return say_to(err, errlen, EXIT_MODEL, "model: empty name");
    char *name = asked ? paths_expand(asked) : NULL;
    models_list(paths, &list);
    bool is_path = name && strchr(name, '/');
    const struct model_file *found = !name     ? models_default(&list)
                                     : is_path ? by_path(&list, name)
                                               : models_named(&list, name);
    if (found)
        copy_file(found, out);
    else if (is_path || (name && is_there(name)))
        status = at_path(name, out, err, errlen);
    else if (name)
        status = not_found(&list, name, advice, err, errlen);
    else
        status = say_to(err, errlen, EXIT_MODEL, "%s",
                        list.count > 0
                            ? "model: none is the default; -m NAME takes one of `duet models`, and "
                              "`duet pull llama` gets one that is"
                            : "model: none installed; `duet pull llama` gets one");
    models_list_done(&list);
    free(name);
    return status;
}

int models_find(const struct paths *paths, const char *name, struct model_file *out, char *err,
                size_t errlen)
{
    return find(paths, name, &(struct advice){"duet models", "duet pull"}, out, err, errlen);
}

int models_find_in_chat(const struct paths *paths, const char *name, struct model_file *out,
                        char *err, size_t errlen)
{
    return find(paths, name, &(struct advice){"/model", "/pull"}, out, err, errlen);
}
