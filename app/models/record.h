/* record.h - what is known of a pulled model, kept in FILE.json beside the FILE: its name, its
 * origin, and the digest it was found to have. */
#ifndef APP_MODELS_RECORD_H
#define APP_MODELS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "app/digest.h"

struct model_record {
    char *name; /* "llama:q8" */
    char *repository, *licence;
    char *url; /* its origin */
    char sha256[DIGEST_HEX];
    int64_t bytes;    /* -1: not known yet */
    char etag[128];   /* of the source of a part; "" */
    int64_t verified; /* seconds since 1970; 0: the file is not whole yet */
};

/* Reads the record of a file in a folder. False, with an empty record: there is none, or a damaged
 * one. */
bool model_record_read(int dir, const char *file, struct model_record *out);

/* The same of a file by its path. */
bool model_record_of(const char *path, struct model_record *out);

/* Writes it atomically. 0, or -1 with errno. */
int model_record_write(int dir, const char *file, const struct model_record *r);
void model_record_remove(int dir, const char *file);
void model_record_done(struct model_record *r);

#endif
