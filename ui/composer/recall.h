/*
 * recall.h: the prompt history, browsed back from the newest. The draft is kept at its end.
 */
#ifndef UI_COMPOSER_RECALL_H
#define UI_COMPOSER_RECALL_H

#include "text/bytes.h"

#include <stdbool.h>
#include <stddef.h>

enum { RECALL_MAX = 1000 };

struct recall {
    char **prompts; /* oldest first */
    size_t n, at;   /* position; n: the draft */
    char *draft;
};

void recall_init(struct recall *r);
void recall_done(struct recall *r);

/* Adds a prompt unless it equals the newest, and stops browsing. */
void recall_add(struct recall *r, const char *prompt);

/*
 * A step back or forward; returns the text to show, or NULL at either end. `draft` is the current
 * draft. The text is valid until the next call.
 */
const char *recall_older(struct recall *r, const char *draft);
const char *recall_newer(struct recall *r);

/* An incremental search through the prompts. */
struct recall_search {
    bool active, failed; /* failed: no older, or newer, match; `at` stays */
    struct bytes query;
    size_t at;  /* the match; r->n: none yet */
    char *last; /* the query of the previous search */
};

void recall_search_begin(struct recall_search *s, const struct recall *r);
void recall_search_type(struct recall_search *s, const struct recall *r, const char *text,
                        size_t len);
void recall_search_erase(struct recall_search *s, const struct recall *r);

/* The next prompt that contains the query: step -1 older, 1 newer. */
void recall_search_again(struct recall_search *s, const struct recall *r, int step);

/* The match and the position of the query in it; NULL: none. */
const char *recall_found(const struct recall_search *s, const struct recall *r, size_t *pos_out);

void recall_search_end(struct recall_search *s);
void recall_search_done(struct recall_search *s);

#endif
