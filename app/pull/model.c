/* model.c - pulls all files of a model; most have one (pull.h). */
#include <stdlib.h>
#include <string.h>

#include "app/paths.h"
#include "app/pull/pull.h"

struct whole {
    const struct pull_watcher *watcher;
    int64_t before; /* bytes of the files before this one */
    int64_t total;  /* of all files; -1: there is one, and it says */
};

static bool tell(void *ud, const struct progress *of_file)
{
    const struct whole *w = ud;
    struct progress progress = *of_file;
    progress.done += w->before;
    if (w->total >= 0)
        progress.total = w->total;
    return w->watcher->tell(w->watcher->ud, &progress);
}

int pull_model(const struct pull_request *req, const struct pull_watcher *watcher,
               struct pull_result *result, char *err, size_t errlen)
{
    const struct catalog_entry *e = req->entry;
    struct whole whole = {watcher, 0, e->folder ? catalog_bytes(e) : -1};
    const struct pull_watcher of_file = {tell, watcher->wake_fd, &whole};
    char *folder = e->folder ? paths_join(req->folder, e->folder) : NULL;
    struct pull_request one = *req;
    int status = 0;

    if (folder)
        one.folder = folder;
    *result = (struct pull_result){.was_here = true};
    for (int i = 0; status == 0 && i < CATALOG_FILES && e->files[i].name; i++) {
        struct pull_result r;
        status = pull_run(&one, &e->files[i], &of_file, &r, err, errlen);
        whole.before += r.bytes;
        r.bytes = whole.before;
        r.was_here = r.was_here && result->was_here;
        if (i > 0) {
            memcpy(r.sha256, result->sha256, sizeof r.sha256);
            memcpy(r.vouched, result->vouched, sizeof r.vouched);
        }
        *result = r;
    }
    free(folder);
    return status;
}
