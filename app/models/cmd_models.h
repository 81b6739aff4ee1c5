/* cmd_models.h - the parts of `duet models`. */
#ifndef APP_MODELS_CMD_MODELS_H
#define APP_MODELS_CMD_MODELS_H

#include <stddef.h>

#include "app/cmd.h"
#include "app/models/models.h"
#include "app/models/record.h"
#include "app/str.h"

/* What else is known of a file: its origin, and the digest it must have. */
struct model_facts {
    struct model_record record; /* empty if it was not pulled */
    const char *licence;        /* the record's, else its release's; or NULL */
    char sha256[DIGEST_HEX];    /* or "" */
};

void model_facts_read(const struct model_file *file,
                      struct model_facts *out); /* then model_record_done */

/* When it was verified; "" if never. */
void model_facts_date(const struct model_facts *facts, char *out, size_t outlen);

/* What is printed for several models, one after the other. */
struct models_output {
    struct str text;
    int width; /* columns of the longest name */
};

/* Each works on one name: adds its output to out, reports errors, and returns an exit status. */
int models_rm_one(struct app *app, const char *name, struct models_output *out);
int models_verify_one(struct app *app, const char *name, struct models_output *out);

#endif
