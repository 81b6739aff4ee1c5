/* partial.c - see partial.h. */
#include "app/models/partial.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "app/models/record.h"

/* The size of the file with this ending; -1: there is none. */
static int64_t size_of(const char *path, const char *ending)
{
    struct str name = {0};
    struct stat st;
    str_addf(&name, "%s%s", path, ending);
    int64_t size = lstat(name.data, &st) == 0 ? st.st_size : -1;
    str_done(&name);
    return size;
}

/* Adds one file to the sums. False: nothing of it was pulled. */
static bool add_file(const char *path, const struct catalog_file *file, struct partial *out,
                     bool *whole)
{
    struct model_record record;
    bool ours = model_record_of(path, &record);
    int64_t total = ours && record.bytes > 0 ? record.bytes : file->sha256 ? file->bytes : -1;
    int64_t here = size_of(path, ""), bad = -1;
    model_record_done(&record);
    if (here < 0) {
        *whole = false;
        here = size_of(path, ".part");
        bad = size_of(path, ".bad");
        ours = here >= 0 || bad >= 0;
    }
    out->bytes += here > 0 ? here : 0;
    out->bad += bad > 0 ? bad : 0;
    out->total = total < 0 || out->total < 0 ? -1 : out->total + total;
    return ours;
}

bool partial_find(const char *models, const struct catalog_entry *e, struct partial *out)
{
    bool ours = false, whole = true;
    *out = (struct partial){0};
    for (int i = 0; i < CATALOG_FILES && e->files[i].name; i++) {
        struct str path = {0};
        str_addf(&path, "%s/%s%s%s", models, e->folder ? e->folder : "", e->folder ? "/" : "",
                 e->files[i].name);
        ours = add_file(path.data, &e->files[i], out, &whole) || ours;
        str_done(&path);
    }
    return ours && !whole;
}

void partial_add_hint(const struct paths *paths, const char *command, struct str *out)
{
    char *models = paths->data ? paths_join(paths->data, "models") : NULL;
    for (size_t i = 0; models && i < catalog_size && out->len == 0; i++) {
        const struct catalog_entry *e = &catalog[i];
        struct partial p;
        if (partial_find(models, e, &p) && p.bytes > 0 && p.bytes <= p.total)
            str_addf(out, "%d%% of %s:%s is here; %s %s:%s continues it",
                     (int)((double)p.bytes * 100 / (double)p.total), e->name, e->type, command,
                     e->name, e->type);
    }
    free(models);
}
