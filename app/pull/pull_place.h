/* pull_place.h - where the file of a pull may be: at the URL that is given for it, or at a place laid out
 * as Hugging Face is. There the commit that the table knows comes first, and then the newest one: what
 * the file must be is known, wherever it lies. */
#ifndef APP_PULL_PULL_PLACE_H
#define APP_PULL_PULL_PLACE_H

#include <stddef.h>

#include "app/pull/pull.h"

struct pull_places {
    char *urls[2];
    int n;
};

/* 0, or EXIT_USAGE with a line in err; in any case pull_places_done. */
int pull_places_find(const struct pull_request *req, const struct pull_file *file,
                     struct pull_places *out, char *err, size_t errlen);
void pull_places_done(struct pull_places *places);

/* The digest that is demanded before anybody is asked: the caller's, or else the table's; NULL: neither. */
const char *pull_known_digest(const struct pull_request *req, const struct pull_file *file);

#endif
