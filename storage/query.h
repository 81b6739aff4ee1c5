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

enum { QUERY_PIECES = 32 }; /* what of a long query is looked up; the rest is looked at */

struct query {
    struct query_word *words;
    size_t count;
    char *match; /* for MATCH: pieces of the long words; NULL when there is none */
};

/* `text` is borrowed. False when out of memory. */
bool query_parse(struct query *q, const char *text);
void query_done(struct query *q);

/* Whether the text holds every word. */
bool query_matches(const struct query *q, const char *text, size_t len);

#endif
