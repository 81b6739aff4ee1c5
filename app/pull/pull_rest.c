/* pull_rest.c - see pull_rest.h. */
#include "app/pull/pull_rest.h"

#include <sys/stat.h>

#include "app/pull/pull_record.h"

/* Of the file of this path and ending; -1: there is none. */
static int64_t size_of(const char *path, const char *ending)
{
    struct str name = {0};
    struct stat st;
    str_addf(&name, "%s%s", path, ending);
    int64_t size = lstat(name.data, &st) == 0 ? st.st_size : -1;
    str_done(&name);
    return size;
}

/* Adds one file to what there is. False: nothing of it came by a pull. */
static bool add_file(const char *path, const struct pull_file *file, struct pull_rest *out,
                     bool *whole)
{
    struct pull_record record;
    bool ours = pull_record_of(path, &record);
    int64_t total = ours && record.bytes > 0 ? record.bytes : file->sha256 ? file->bytes : -1;
    int64_t here = size_of(path, ""), bad = -1;
    pull_record_done(&record);
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

bool pull_rest_of(const char *models, const struct pull_entry *e, struct pull_rest *out)
{
    bool ours = false, whole = true;
    *out = (struct pull_rest){0};
    for (int i = 0; i < PULL_FILES && e->files[i].name; i++) {
        struct str path = {0};
        str_addf(&path, "%s/%s%s%s", models, e->folder ? e->folder : "", e->folder ? "/" : "",
                 e->files[i].name);
        ours = add_file(path.data, &e->files[i], out, &whole) || ours;
        str_done(&path);
    }
    return ours && !whole;
}
