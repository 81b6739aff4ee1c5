/* catalog.c - see catalog.h. */
#include "app/models/catalog.h"

#include <string.h>
#include <strings.h>

#include "app/models/release.h"
#include "app/numbers.h"

const struct catalog_entry *catalog_find(const char *name)
{
    const char *type;
    int release = release_named(name, &type);
    for (size_t i = 0; release >= 0 && i < catalog_size; i++)
        if (strcmp(catalog[i].name, releases[release].name) == 0 &&
            (!type || strcasecmp(type, catalog[i].type) == 0))
            return &catalog[i];
    return NULL;
}

bool catalog_has_digest(const char *sha256)
{
    for (size_t i = 0; i < catalog_size; i++)
        for (int k = 0; k < CATALOG_FILES && catalog[i].files[k].name; k++) {
            const char *known = catalog[i].files[k].sha256;
            if (known && strcmp(known, sha256) == 0)
                return true;
        }
    return false;
}

const char *catalog_path(const struct catalog_entry *e)
{
    return e->folder ? e->folder : e->files[0].name;
}

int64_t catalog_bytes(const struct catalog_entry *e)
{
    int64_t bytes = 0;
    for (int i = 0; i < CATALOG_FILES && e->files[i].name; i++)
        bytes += e->files[i].bytes;
    return bytes;
}

void catalog_add_size(struct str *out, const struct catalog_entry *e)
{
    numbers_add_bytes(out, (uint64_t)catalog_bytes(e));
}
