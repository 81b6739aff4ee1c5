/* pull_table.h - the models that `duet pull` knows: where they are, what they weigh, whose they are. */
#ifndef APP_PULL_PULL_TABLE_H
#define APP_PULL_PULL_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "app/str.h"

struct pull_entry {
    const char *name;       /* "llama" */
    const char *type;       /* "q8" */
    const char *repository; /* "owner/name" at Hugging Face */
    const char *revision;   /* of it: the commit that has the file with this digest, or "main" */
    const char *file;       /* in it, and here */
    int64_t bytes;          /* of the file; about so many where its digest is not known */
    const char *sha256;     /* of the file; NULL: not known here, so the origin is asked for it */
    const char *licence;
};

extern const struct pull_entry pull_table[];
extern const size_t pull_table_size;

/* The entry of "llama", "r1:q4"; without a type the first of that name. NULL: there is none. */
const struct pull_entry *pull_entry_named(const char *name);

/* "1.3 GB" */
void pull_entry_add_size(struct str *out, const struct pull_entry *e);

#endif
