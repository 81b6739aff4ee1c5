/* pull_table.h - the models that `duet pull` knows: where they are, what they weigh, whose they are. */
#ifndef APP_PULL_TABLE_H
#define APP_PULL_TABLE_H

#include <stddef.h>

struct pull_entry {
    const char *name;       /* "llama" */
    const char *type;       /* "q8" */
    const char *repository; /* "owner/name" at Hugging Face */
    const char *file;       /* in it, and here */
    const char *size;       /* "1.3 GB": as it is told before the server says it to the byte */
    const char *sha256;     /* of the file; NULL: not known here, so the origin is asked for it */
    const char *licence;
};

extern const struct pull_entry pull_table[];
extern const size_t pull_table_size;

/* The entry of "llama", "r1:q4"; without a type the first of that name. NULL: there is none. */
const struct pull_entry *pull_table_find(const char *name);

#endif
