/*
 * recall.h: earlier prompts, walked through from the newest back. The draft that was being written
 * when the walk began waits at its end.
 */
#ifndef UI_RECALL_H
#define UI_RECALL_H

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

#endif
