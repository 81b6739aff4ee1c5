/* pull.h - brings a model's files here, whole and right, or not at all.
 *
 * What a file must be is known before its first byte is kept: the digest is the caller's, the
 * table's, or what the origin says by HTTPS. What came stays as FILE.part when a line breaks or
 * the program ends, and the next run goes on behind it. Prints nothing; a watcher hears how far
 * it is. */
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
    const char *folder;   /* it goes into */
    const char *endpoint; /* where Hugging Face, or what stands for it, is */
    const char *from;   /* a URL of the file, or of a place like the endpoint; NULL: the endpoint */
    const char *sha256; /* NULL: the table's, or the origin's */
    const char *token;  /* for the endpoint alone; NULL: none */
    const char *ca_file; /* NULL: the system's */
    double patience_s;
    int tries; /* in vain, one after the other, before it gives up */
};

struct pull_result {
    char sha256[DIGEST_HEX];
    char vouched[280]; /* who said so: "as huggingface.co says" */
    int64_t bytes;
    bool was_here; /* nothing had to be loaded */
};

/* tell: some times a second; false stops. */
struct pull_watcher {
    bool (*tell)(void *ud, const struct progress *progress);
    int wake_fd; /* tell is called at once when it is readable; -1: none */
    void *ud;
};

enum { PULL_STOPPED = -1 };

/* Brings one file of the entry. 0, PULL_STOPPED, or an exit status; with a line in err where it is
 * not 0. */
int pull_run(const struct pull_request *req, const struct catalog_file *file,
             const struct pull_watcher *watcher, struct pull_result *result, char *err,
             size_t errlen);

/* The same of all its files: the watcher and the result are told of them together, of the digest of
 * the weights. */
int pull_model(const struct pull_request *req, const struct pull_watcher *watcher,
               struct pull_result *result, char *err, size_t errlen);

#endif
