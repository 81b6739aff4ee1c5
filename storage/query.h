/*
 * query.h - what the user typed to search for, as words and phrases and nothing else.
 */
#ifndef STORAGE_QUERY_H
#define STORAGE_QUERY_H

#include <stdbool.h>
#include <stddef.h>

struct query_word {
    const char *text; /* in what the user typed */
    size_t len;
    bool is_long; /* for the index: three characters or more */
};

struct query {
    struct query_word *words;
    size_t count;
    char *match; /* for MATCH: the long words; NULL when there is none */
    char *like;  /* for LIKE: the first word, when none is long */
};

/* `text` is borrowed; `scope` as in store_search. False when out of memory. */
bool query_parse(struct query *q, const char *text, unsigned scope);
void query_done(struct query *q);

#endif
