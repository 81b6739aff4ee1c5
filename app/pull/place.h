/* place.h - where a pull looks for its file: at the given URL, or on a site laid out like Hugging
 * Face. There it tries the catalog's commit, then the newest one; the digest that is required is
 * the same. */
#ifndef APP_PULL_PLACE_H
#define APP_PULL_PLACE_H

#include <stddef.h>

#include "app/pull/pull.h"

struct pull_places {
    char *urls[2];
    int n;
};

/* 0, or EXIT_USAGE with a line in err; in any case pull_places_done. */
int pull_places_find(const struct pull_request *req, const struct catalog_file *file,
                     struct pull_places *out, char *err, size_t errlen);
void pull_places_done(struct pull_places *places);

/* The digest that is required: the caller's, or else the catalog's; NULL: neither is known. */
const char *pull_known_digest(const struct pull_request *req, const struct catalog_file *file);

#endif
