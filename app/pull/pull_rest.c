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

/* What the file is to weigh; -1: nobody has said so yet. */
static int64_t size_to_be(const char *path, const struct pull_file *file)
{
    struct pull_record record;
    bool known = pull_record_of(path, &record) && record.bytes > 0;
    int64_t size = known ? record.bytes : file->sha256 ? file->bytes : -1;
    pull_record_done(&record);
    return size;
}

bool pull_rest_of(const char *models, const struct pull_entry *e, struct pull_rest *out)
{
    bool some = false, whole = true;
    *out = (struct pull_rest){0};
    for (int i = 0; i < PULL_FILES && e->files[i].name; i++) {
        const struct pull_file *file = &e->files[i];
        struct str path = {0};
        str_addf(&path, "%s/%s%s%s", models, e->folder ? e->folder : "", e->folder ? "/" : "",
                 file->name);
        int64_t here = size_of(path.data, ""), bad = -1, total = size_to_be(path.data, file);
        if (here < 0) {
            whole = false;
            here = size_of(path.data, ".part");
            bad = size_of(path.data, ".bad");
        }
        some = some || here >= 0 || bad >= 0;
        out->bytes += here > 0 ? here : 0;
        out->bad += bad > 0 ? bad : 0;
        out->total = total < 0 || out->total < 0 ? -1 : out->total + total;
        str_done(&path);
    }
    return some && !whole;
}
