/* partial.h - what an interrupted pull has left. */
#ifndef APP_MODELS_PARTIAL_H
#define APP_MODELS_PARTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "app/models/catalog.h"
#include "app/paths.h"
#include "app/str.h"

struct partial {
    int64_t bytes; /* that the next pull finds */
    int64_t total; /* of what they are to be; -1: not known */
    int64_t bad;   /* bytes set aside */
};

/* Looks into the folder of models. False: nothing came by a pull, or the whole model did. */
bool partial_find(const char *models, const struct catalog_entry *e, struct partial *out);

/* "43% of llama:q8 is here; /pull llama:q8 continues it", of the first model that is here in
 * part; nothing where there is none. command: "/pull", "duet pull". */
void partial_add_hint(const struct paths *paths, const char *command, struct str *out);

#endif
