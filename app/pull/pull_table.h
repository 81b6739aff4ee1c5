/* pull_table.h - the models that `duet pull` knows: their origin, size and licence. */
#ifndef APP_PULL_PULL_TABLE_H
#define APP_PULL_PULL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"

enum { PULL_FILES = 5 };

struct pull_file {
    const char *name;   /* in the repository, and here */
    int64_t bytes;      /* about so many where its digest is not known */
    const char *sha256; /* NULL: not known here, so the origin is asked for it */
};

struct pull_entry {
    const char *name;       /* "llama" */
    const char *type;       /* "q8" */
    const char *repository; /* "owner/name" at Hugging Face */
    const char *revision;   /* of it: the commit that has the files with these digests, or "main" */
    const char *licence;
    const char *folder; /* of a model of several files; NULL: one file, beside the others */
    struct pull_file files[PULL_FILES]; /* first the weights; a name that is NULL ends them */
};

extern const struct pull_entry pull_table[];
extern const size_t pull_table_size;

/* The entry of "llama", "r1:q4"; without a type the first of that name. NULL: there is none. */
const struct pull_entry *pull_entry_named(const char *name);

/* Whether one of the files has this digest. */
bool pull_table_has(const char *sha256);

/* What it is called here: the one file, or the folder. */
const char *pull_entry_place(const struct pull_entry *e);

/* Of all its files. */
int64_t pull_entry_bytes(const struct pull_entry *e);

/* "1.3 GB" */
void pull_entry_add_size(struct str *out, const struct pull_entry *e);

#endif
