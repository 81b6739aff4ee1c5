/*
 * recall.h: the history of prompts, walked back from the newest. The draft that was being written
 * when the walk began waits at its end.
 */
#ifndef UI_RECALL_H
#define UI_RECALL_H

#include "bytes.h"

#include <stdbool.h>
#include <stddef.h>

enum { RECALL_MAX = 1000 };

struct recall {
    char **prompts; /* oldest first */
    size_t n, at;   /* at n: the draft */
    char *draft;
};

void recall_init(struct recall *r);
void recall_done(struct recall *r);

/* Adds a prompt, unless it is the newest already, and ends a walk. */
void recall_add(struct recall *r, const char *prompt);

/*
 * One step back or on; the text to show, or NULL at either end. `draft` is what is written now. The
 * text is valid until the next call.
 */
const char *recall_back(struct recall *r, const char *draft);
const char *recall_on(struct recall *r);

/* A search through the prompts for a part that is typed bit by bit. */
struct recall_search {
    bool active, failed; /* failed: nothing older, or newer, has it; `at` stays */
    struct bytes part;
    size_t at;  /* the prompt found; r->n: none yet */
    char *last; /* the part of the search before */
};

void recall_search_begin(struct recall_search *s, const struct recall *r);
void recall_search_type(struct recall_search *s, const struct recall *r, const char *text,
                        size_t len);
void recall_search_erase(struct recall_search *s, const struct recall *r);

/* The next prompt with the part in it: step -1 older, 1 newer. */
void recall_search_again(struct recall_search *s, const struct recall *r, int step);

/* What was found, and where in it the part stands; NULL: nothing. */
const char *recall_found(const struct recall_search *s, const struct recall *r, size_t *pos_out);

void recall_search_end(struct recall_search *s);
void recall_search_done(struct recall_search *s);

#endif
