/* verify.h - the digest that a model must have, if known, and the one it has. */
#ifndef APP_MODELS_VERIFY_H
#define APP_MODELS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

#include "app/digest.h"
#include "app/models/models.h"

enum digest_verdict {
    DIGEST_RIGHT,
    DIGEST_UNKNOWN, /* no digest is known for it */
    DIGEST_DIFFERS,
    DIGEST_STOPPED,
    DIGEST_FAILED, /* it cannot be read; err says why */
};

struct digest_check {
    enum digest_verdict verdict;
    /* Of the file; of a folder, of the first file that differs, else of its weights. */
    char found[DIGEST_HEX], expected[DIGEST_HEX];
    char err[240];
};

/* The file of the model's weights: its own path or one in its folder; NULL: none, or several. The
 * caller's. */
char *models_weights(const struct model_file *file);

/* The digest that a file of a model must have: of a demo model the one it was made with, else from
 * its record or from its name among blobs. false: none is known. */
bool models_digest(const struct model_file *file, const char *path, char hex[DIGEST_HEX]);

/* Reads all of a model. go_on is told the bytes so far, some times a second; false stops. */
void models_check(const struct model_file *file, bool (*go_on)(void *ud, int64_t done), void *ud,
                  struct digest_check *out);

#endif
