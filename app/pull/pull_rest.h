/* pull_rest.h - what an interrupted pull has left. */
#ifndef APP_PULL_PULL_REST_H
#define APP_PULL_PULL_REST_H

#include <stdbool.h>
#include <stdint.h>

#include "app/pull/pull_table.h"

struct pull_rest {
    int64_t bytes; /* that the next pull finds */
    int64_t total; /* of what they are to be; -1: not known */
    int64_t bad;   /* bytes set aside */
};

/* Looks into the folder of models. False: nothing came by a pull, or the whole model did. */
bool pull_rest_of(const char *models, const struct pull_entry *e, struct pull_rest *out);

#endif
