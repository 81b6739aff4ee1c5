/* response_format.h - the form that answers must have, from the options: --schema, --grammar,
 * --tools. */
#ifndef APP_CHAT_RESPONSE_FORMAT_H
#define APP_CHAT_RESPONSE_FORMAT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "app/options.h"
#include "app/str.h"
#include "engine/engine.h"

struct response_format {
    bool read; /* the files were read */
    struct str schema, grammar, tools;
    const char *choice; /* --tool-choice */
};

/* Reads what the options name, once. 0, or an exit status with one line in err. */
int response_format_read(struct response_format *s, const struct options *o, char *err,
                         size_t errlen);
void response_format_done(struct response_format *s);

/* Applies it to a request, which keeps pointers to it. */
void response_format_apply(const struct response_format *s, struct engine_request *request);

/* Tool calls in outside conversations have their arguments as text or as an object; each family's
 * template expects one of them. Converts them in place. */
void response_format_fit_calls(json_t *messages, enum engine_family family);

#endif
