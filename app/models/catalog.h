/* catalog.h - the models that duet knows where to get: origin, files, digests, licence. */
#ifndef APP_MODELS_CATALOG_H
#define APP_MODELS_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/str.h"

enum { CATALOG_FILES = 5 };

struct catalog_file {
    const char *name;   /* in the repository, and here */
    int64_t bytes;      /* an estimate if the digest is not known */
    const char *sha256; /* NULL: the origin is asked for it */
};

struct catalog_entry {
    const char *name;       /* "llama" */
    const char *type;       /* "q8" */
    const char *repository; /* "owner/name" at Hugging Face */
    const char *revision;   /* the commit that has the files with these digests, or "main" */
    const char *licence;
    const char *folder; /* for a model of several files; NULL: one file, in the folder of models */
    struct catalog_file files[CATALOG_FILES]; /* the weights first; up to a NULL name */
};

extern const struct catalog_entry catalog[];
extern const size_t catalog_size;

/* The entry of "llama", "r1:q4"; without a type the first of that name. NULL: none. */
const struct catalog_entry *catalog_find(const char *name);

/* Whether one of the files has this digest. */
bool catalog_has_digest(const char *sha256);

/* Its path in the folder of models: the one file, or the folder. */
const char *catalog_path(const struct catalog_entry *e);

/* Of all its files. */
int64_t catalog_bytes(const struct catalog_entry *e);

/* "1.3 GB" */
void catalog_add_size(struct str *out, const struct catalog_entry *e);

#endif
