/* pull_entry.c - finds rows of the table of models that can be pulled. */
#include <string.h>
#include <strings.h>

#include "app/models/release.h"
#include "app/numbers.h"
#include "app/pull/pull_table.h"

const struct pull_entry *pull_entry_named(const char *name)
{
    const char *type;
    int release = release_named(name, &type);
    for (size_t i = 0; release >= 0 && i < pull_table_size; i++)
        if (strcmp(pull_table[i].name, releases[release].name) == 0 &&
            (!type || strcasecmp(type, pull_table[i].type) == 0))
            return &pull_table[i];
    return NULL;
}

bool pull_table_has(const char *sha256)
{
    for (size_t i = 0; i < pull_table_size; i++)
        for (int k = 0; k < PULL_FILES && pull_table[i].files[k].name; k++) {
            const char *known = pull_table[i].files[k].sha256;
            if (known && strcmp(known, sha256) == 0)
                return true;
        }
    return false;
}

const char *pull_entry_place(const struct pull_entry *e)
{
    return e->folder ? e->folder : e->files[0].name;
}

int64_t pull_entry_bytes(const struct pull_entry *e)
{
    int64_t bytes = 0;
    for (int i = 0; i < PULL_FILES && e->files[i].name; i++)
        bytes += e->files[i].bytes;
    return bytes;
}

void pull_entry_add_size(struct str *out, const struct pull_entry *e)
{
    numbers_add_bytes(out, (uint64_t)pull_entry_bytes(e));
}
