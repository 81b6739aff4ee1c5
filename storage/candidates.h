/*
 * candidates.h - the documents that may hold every word of a query, newest first. Where a word is
 * rare enough they come from the index, else from the texts themselves, where a common word is soon
 * met. Either way the caller still has to look at the text.
 */
#ifndef STORAGE_CANDIDATES_H
#define STORAGE_CANDIDATES_H

#include "query.h"
#include "stmt.h"

enum candidates_from { FROM_NOWHERE, FROM_MATCH, FROM_LIST, FROM_TEXTS };

struct candidates {
    enum candidates_from from;
    struct stmt rows;          /* FROM_MATCH, FROM_TEXTS */
    const struct query *query; /* FROM_TEXTS */
    int64_t *list;             /* FROM_LIST: documents, ascending */
    size_t n;                  /* how many of them are still to come */
    int64_t before;            /* only documents below this */
};

/* `before`: 0, or the document that ended an earlier search. To be closed whatever it returns. */
int candidates_open(struct candidates *c, struct store *s, const struct query *q, int64_t before);

/* The next document; false at the end or on an error, which closing returns. */
bool candidates_next(struct candidates *c, int64_t *document);
int candidates_close(struct candidates *c, int rc);

#endif
