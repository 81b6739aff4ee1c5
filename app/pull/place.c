/* place.c - see place.h. */
#include "app/pull/place.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/exit.h"
#include "app/mem.h"
#include "app/pull/http.h"
#include "app/say.h"
#include "app/str.h"

static const char newest[] = "main";

const char *pull_known_digest(const struct pull_request *req, const struct catalog_file *file)
{
    return req->sha256 ? req->sha256 : file->sha256;
}

static char *file_at(const char *place, const char *repository, const char *revision,
                     const char *file)
{
    struct str url = {0};
    size_t len = strlen(place);
    while (len > 0 && place[len - 1] == '/')
        len--;
    str_addf(&url, "%.*s/%s/resolve/%s/%s", (int)len, place, repository, revision, file);
    return url.data;
}

static bool names_a_file(const char *url)
{
    size_t len = strcspn(url, "?#");
    return len > 5 && strncasecmp(url + len - 5, ".gguf", 5) == 0;
}

/* Whether the file wanted is the one at the catalog's commit. */
static bool wants_the_known(const struct pull_request *req, const struct catalog_file *file)
{
    return file->sha256 && strcmp(pull_known_digest(req, file), file->sha256) == 0;
}

int pull_places_find(const struct pull_request *req, const struct catalog_file *file,
                     struct pull_places *out, char *err, size_t errlen)
{
    const struct catalog_entry *e = req->entry;
    const char *place = req->from ? req->from : req->endpoint;
    *out = (struct pull_places){0};
    if (!http_may_ask(place))
        return say_to(err, errlen, EXIT_USAGE, "%s: not a URL that begins with https:// (got %s)",
                      req->from ? "--from" : "HF_ENDPOINT", place);
    bool one = req->from && names_a_file(place);
    if (e->folder && (one || req->sha256))
        return say_to(err, errlen, EXIT_USAGE,
                      "%s: for a model of one file, which this is not; --from can name a mirror",
                      one ? "--from FILE.gguf" : "--sha256");
    if (one) {
        out->urls[out->n++] = mem_strdup(place);
        return 0;
    }
    if (wants_the_known(req, file) && strcmp(e->revision, newest) != 0)
        out->urls[out->n++] = file_at(place, e->repository, e->revision, file->name);
    out->urls[out->n++] = file_at(place, e->repository, newest, file->name);
    return 0;
}

void pull_places_done(struct pull_places *places)
{
    for (int i = 0; i < places->n; i++)
        free(places->urls[i]);
    *places = (struct pull_places){0};
}
