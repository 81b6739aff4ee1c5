/* caches.c - see caches.h. */
#include "app/models/caches.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "app/digest.h"
#include "app/mem.h"
#include "app/models/release.h"
#include "app/smallfile.h"
#include "app/str.h"

enum {
    ENTRIES_MOST = 20000, /* read of a folder, */
    NAMES_MOST = 64,      /* and entered */
    JSON_MOST = 64 * 1024,
};

struct search {
    caches_found found;
    void *ud;
};

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] == '/' ? value : NULL;
}

/* $VARIABLE/rest; the caller's. NULL: the variable is not set. */
static char *under(const char *variable, const char *rest)
{
    const char *base = environment(variable);
    return base ? paths_join(base, rest) : NULL;
}

static char *first_of(char *a, char *b)
{
    if (!a)
        return b;
    free(b);
    return a;
}

/* Folders */

struct names {
    char *at[NAMES_MOST];
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The sorted names in a folder that are `wanted`; NULL: all. */
static void list_names(const char *folder, bool (*wanted)(const char *name), struct names *out)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    out->n = 0;
    for (int i = 0; dir && i < ENTRIES_MOST && out->n < NAMES_MOST && (entry = readdir(dir)); i++)
        if (entry->d_name[0] != '.' && (!wanted || wanted(entry->d_name)))
            out->at[out->n++] = mem_strdup(entry->d_name);
    if (dir)
        closedir(dir);
    qsort(out->at, out->n, sizeof *out->at, by_name);
}

static void names_done(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->at[i]);
}

/* Calls `each` with the path and the name of each such entry. Frees `folder`. */
static void walk(struct search *s, char *folder, bool (*wanted)(const char *name),
                 void (*each)(struct search *s, const char *path, const char *name))
{
    struct names names = {.n = 0};
    if (folder)
        list_names(folder, wanted, &names);
    for (size_t i = 0; i < names.n; i++) {
        char *path = paths_join(folder, names.at[i]);
        each(s, path, names.at[i]);
        free(path);
    }
    names_done(&names);
    free(folder);
}

/* Where a release's name begins in this one, at the start or after an underscore; NULL: nowhere. */
static const char *release_in(const char *name)
{
    for (const char *at = name + strlen(name); at > name; at--)
        if (at[-1] == '_' && release_of(at, NULL) >= 0)
            return at;
    return release_of(name, NULL) >= 0 ? name : NULL;
}

static bool is_gguf(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && strcasecmp(name + len - 5, ".gguf") == 0 && release_in(name);
}

static void report_file(struct search *s, enum model_place place, const char *path,
                        const char *name)
{
    char *stem = mem_strdup(release_in(name));
    stem[strlen(stem) - 5] = '\0';
    s->found(s->ud, place, path, stem);
    free(stem);
}

/* Hugging Face: models--OWNER--NAME/refs/main names the folder in snapshots/ that holds the files,
 * as links into blobs/. */

static bool is_cached_release(const char *name)
{
    const char *owner = strncmp(name, "models--", 8) == 0 ? strstr(name + 8, "--") : NULL;
    return owner && release_of(owner + 2, NULL) >= 0;
}

static void take_cached_file(struct search *s, const char *path, const char *name)
{
    report_file(s, MODEL_HUGGING_FACE, path, name);
}

static void take_snapshot(struct search *s, const char *path, const char *name)
{
    (void)name;
    walk(s, mem_strdup(path), is_gguf, take_cached_file);
    char *config = paths_join(path, "config.json"), *tokenizer = paths_join(path, "tokenizer.json");
    const char *repository = strstr(path, "/models--");
    if (access(config, F_OK) == 0 && access(tokenizer, F_OK) == 0 && repository) {
        const char *owner = strstr(repository + 9, "--");
        char *stem = mem_strdup(owner ? owner + 2 : "");
        stem[strcspn(stem, "/")] = '\0';
        s->found(s->ud, MODEL_HUGGING_FACE, path, stem);
        free(stem);
    }
    free(config);
    free(tokenizer);
}

static void take_repository(struct search *s, const char *path, const char *name)
{
    size_t len = 0;
    char *refs = paths_join(path, "refs/main"), *snapshots = paths_join(path, "snapshots");
    char *commit = smallfile_read(AT_FDCWD, refs, DIGEST_HEX, &len);
    (void)name;
    if (commit)
        commit[strspn(commit, "0123456789abcdef")] = '\0';
    if (commit && *commit) {
        char *snapshot = paths_join(snapshots, commit);
        take_snapshot(s, snapshot, commit);
        free(snapshot);
    }
    walk(s, snapshots, NULL, take_snapshot); /* files found twice are listed once */
    free(commit);
    free(refs);
}

static char *hugging_face(void)
{
    char *cache = first_of(under("HF_HOME", "hub"),
                           first_of(under("XDG_CACHE_HOME", "huggingface/hub"),
                                    under("HOME", ".cache/huggingface/hub")));
    const char *named = environment("HF_HUB_CACHE");
    named = named ? named : environment("HUGGINGFACE_HUB_CACHE");
    return first_of(mem_strdup(named), cache);
}

/* ollama: manifests/HOST/OWNER/NAME/TAG is JSON that names the digests of layers, which lie in
 * blobs/. */

static json_t *read_json(const char *path)
{
    size_t len;
    char *text = smallfile_read(AT_FDCWD, path, JSON_MOST, &len);
    json_t *value = text ? json_loadb(text, len, 0, NULL) : NULL;
    free(text);
    return value;
}

/* The path of the blob of a layer, if it is there and has the right size; the caller's, or NULL. */
static char *blob_of(const char *manifest, const json_t *layer)
{
    const char *digest = json_string_value(json_object_get(layer, "digest"));
    json_int_t size = json_integer_value(json_object_get(layer, "size"));
    const char *root = strstr(manifest, "/manifests/");
    struct str path = {0};
    struct stat st;

    if (!digest || strncmp(digest, "sha256:", 7) != 0 || !digest_is_hex(digest + 7) || !root)
        return NULL;
    str_addf(&path, "%.*s/blobs/sha256-%s", (int)(root - manifest), manifest, digest + 7);
    if (size > 0 && stat(path.data, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == size)
        return path.data;
    str_done(&path);
    return NULL;
}

static const json_t *model_layer(const json_t *manifest)
{
    const json_t *layers = json_object_get(manifest, "layers"), *layer;
    size_t i;
    json_array_foreach((json_t *)layers, i, layer)
    {
        const char *type = json_string_value(json_object_get(layer, "mediaType"));
        if (type && strcmp(type, "application/vnd.ollama.image.model") == 0)
            return layer;
    }
    return NULL;
}

/* "Q4_K_M", from the blob that describes the model. */
static void add_type(const char *path, const json_t *manifest, struct str *stem)
{
    char *blob = blob_of(path, json_object_get(manifest, "config"));
    json_t *config = blob ? read_json(blob) : NULL;
    const char *type = json_string_value(json_object_get(config, "file_type"));
    if (type && strlen(type) < 16)
        str_addf(stem, "-%s", type);
    json_decref(config);
    free(blob);
}

static void take_manifest(struct search *s, const char *path, const char *release)
{
    json_t *manifest = read_json(path);
    const json_t *layer = model_layer(manifest);
    char *blob = layer ? blob_of(path, layer) : NULL;
    struct str stem = {0};
    if (blob) {
        str_adds(&stem, release);
        add_type(path, manifest, &stem);
        s->found(s->ud, MODEL_OLLAMA, blob, stem.data);
    }
    str_done(&stem);
    free(blob);
    json_decref(manifest);
}

/* The tags in ollama's library of the one size we know; its "text" ones are base models. */
static bool is_deepseek_tag(const char *name)
{
    return strncmp(name, "1.5b", 4) == 0;
}

static bool is_llama_tag(const char *name)
{
    return strncmp(name, "1b", 2) == 0 && !strstr(name, "text");
}

static void take_deepseek(struct search *s, const char *path, const char *name)
{
    (void)name;
    take_manifest(s, path, releases[RELEASE_DEEPSEEK].full);
}

static void take_llama(struct search *s, const char *path, const char *name)
{
    (void)name;
    take_manifest(s, path, releases[RELEASE_LLAMA].full);
}

/* hf.co/OWNER/RELEASE-GGUF/TAG */
static void take_tag(struct search *s, const char *path, const char *name)
{
    (void)name;
    const char *end = strrchr(path, '/');
    const char *start = end;
    while (start > path && start[-1] != '/')
        start--;
    char *release = mem_strdup(start);
    release[end - start] = '\0';
    take_manifest(s, path, releases[release_of(release, NULL)].full);
    free(release);
}

static bool is_release(const char *name)
{
    return release_of(name, NULL) >= 0;
}

static void take_tags(struct search *s, const char *path, const char *name)
{
    (void)name;
    walk(s, mem_strdup(path), NULL, take_tag);
}

static void take_owner(struct search *s, const char *path, const char *name)
{
    (void)name;
    walk(s, mem_strdup(path), is_release, take_tags);
}

static void search_ollama(struct search *s, char *root)
{
    if (root) {
        walk(s, paths_join(root, "manifests/registry.ollama.ai/library/deepseek-r1"),
             is_deepseek_tag, take_deepseek);
        walk(s, paths_join(root, "manifests/registry.ollama.ai/library/llama3.2"), is_llama_tag,
             take_llama);
        walk(s, paths_join(root, "manifests/hf.co"), NULL, take_owner);
    }
    free(root);
}

/* llama.cpp: OWNER_NAME_FILE.gguf in one folder. LM Studio: OWNER/NAME/FILE.gguf. */

static void take_llama_cpp(struct search *s, const char *path, const char *name)
{
    report_file(s, MODEL_LLAMA_CPP, path, name);
}

static void take_lm_studio(struct search *s, const char *path, const char *name)
{
    report_file(s, MODEL_LM_STUDIO, path, name);
}

static void take_lm_repository(struct search *s, const char *path, const char *name)
{
    (void)name;
    walk(s, mem_strdup(path), is_gguf, take_lm_studio);
}

static void take_lm_owner(struct search *s, const char *path, const char *name)
{
    (void)name;
    walk(s, mem_strdup(path), is_release, take_lm_repository);
}

/* The folder that LM Studio's pointer file names, else its default. */
static char *lm_studio(void)
{
    size_t len;
    char *pointer = under("HOME", ".lmstudio-home-pointer"), *models = NULL;
    char *home = pointer ? smallfile_read(AT_FDCWD, pointer, JSON_MOST, &len) : NULL;
    if (home) {
        home[strcspn(home, "\r\n")] = '\0';
        models = home[0] == '/' ? paths_join(home, "models") : NULL;
    }
    free(home);
    free(pointer);
    return first_of(models, under("HOME", ".lmstudio/models"));
}

void caches_list(caches_found found, void *ud)
{
    struct search s = {found, ud};
    walk(&s, hugging_face(), is_cached_release, take_repository);
    if (environment("OLLAMA_MODELS")) {
        search_ollama(&s, mem_strdup(environment("OLLAMA_MODELS")));
    } else {
        search_ollama(&s, under("HOME", ".ollama/models"));
        search_ollama(&s,
                      mem_strdup("/usr/share/ollama/.ollama/models")); /* of the system service */
    }
    walk(
        &s,
        first_of(mem_strdup(environment("LLAMA_CACHE")),
                 first_of(under("XDG_CACHE_HOME", "llama.cpp"), under("HOME", ".cache/llama.cpp"))),
        is_gguf, take_llama_cpp);
    walk(&s, lm_studio(), NULL, take_lm_owner);
    walk(&s, under("HOME", ".cache/lm-studio/models"), NULL, take_lm_owner);
}
