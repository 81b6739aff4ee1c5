/* partial.h - what an interrupted pull has left. */
#ifndef APP_MODELS_PARTIAL_H
#define APP_MODELS_PARTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "app/models/catalog.h"
#include "app/paths.h"
#include "app/str.h"

struct partial {
    int64_t bytes; /* that the next pull can continue from */
    int64_t total; /* of the complete model; -1: not known */
    int64_t bad;   /* bytes that were set aside as wrong */
};

/* Looks into the folder of models. False: nothing of it was pulled, or all of it. */
bool partial_find(const char *models, const struct catalog_entry *e, struct partial *out);

/* Adds "43% of llama:q8 is here; /pull llama:q8 continues it" for the first model that is here in
 * part; nothing if there is none. command: "/pull", "duet pull". */
void partial_add_hint(const struct paths *paths, const char *command, struct str *out);

#endif
