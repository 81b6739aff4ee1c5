/* pull.h - downloads a model's files: complete and with the right digest, or not at all.
 *
 * The digest required is known before the first byte is kept: the caller's, the catalog's, or
 * what the origin says by HTTPS. When the connection breaks or the program ends, FILE.part
 * stays, and the next run continues it. Prints nothing; a watcher is told the progress. */
#ifndef APP_PULL_PULL_H
#define APP_PULL_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/digest.h"
#include "app/models/catalog.h"
#include "app/progress.h"

struct pull_request {
    const struct catalog_entry *entry;
    const char *folder;   /* for the file */
    const char *endpoint; /* of Hugging Face, or of a mirror */
    const char *from;     /* URL of the file, or of a site like the endpoint; NULL: the endpoint */
    const char *sha256;   /* NULL: the catalog's, else the origin's */
    const char *token;    /* sent to the endpoint only; NULL: none */
    const char *ca_file;  /* NULL: the system's */
    double patience_s;
    int tries; /* in vain, in a row, before it gives up */
};

struct pull_result {
    char sha256[DIGEST_HEX];
    char vouched[280]; /* who said so: "as huggingface.co says" */
    int64_t bytes;
    bool was_here; /* nothing had to be downloaded */
};

/* tell: called some times a second; false stops. */
struct pull_watcher {
    bool (*tell)(void *ud, const struct progress *progress);
    int wake_fd; /* tell is called at once when it is readable; -1: none */
    void *ud;
};

enum { PULL_STOPPED = -1 };

/* Downloads one file of the entry. 0; else PULL_STOPPED or an exit status, with a line in err. */
int pull_run(const struct pull_request *req, const struct catalog_file *file,
             const struct pull_watcher *watcher, struct pull_result *result, char *err,
             size_t errlen);

/* Downloads all its files. Progress and result are those of all together; the digest is that of the
 * weights. */
int pull_model(const struct pull_request *req, const struct pull_watcher *watcher,
               struct pull_result *result, char *err, size_t errlen);

#endif
