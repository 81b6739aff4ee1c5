/*
 * recall.c: the history of prompts of this session and those before.
 */
#include "recall.h"

#include <stdlib.h>
#include <string.h>

void recall_init(struct recall *r)
{
    *r = (struct recall){0};
}

void recall_done(struct recall *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->prompts[i]);
    free(r->prompts);
    free(r->draft);
    recall_init(r);
}

void recall_add(struct recall *r, const char *prompt)
{
    if (!r->prompts && !(r->prompts = calloc(RECALL_MAX, sizeof *r->prompts)))
        return;
    if (r->n == 0 || strcmp(r->prompts[r->n - 1], prompt) != 0) {
        char *copy = strdup(prompt);
        if (!copy)
            return;
        if (r->n == RECALL_MAX) {
            free(r->prompts[0]);
            memmove(r->prompts, r->prompts + 1, --r->n * sizeof *r->prompts);
        }
        r->prompts[r->n++] = copy;
    }
    r->at = r->n;
}

const char *recall_back(struct recall *r, const char *draft)
{
    if (r->at == 0)
        return NULL;
    if (r->at == r->n) {
        free(r->draft);
        r->draft = strdup(draft);
    }
    return r->prompts[--r->at];
}

const char *recall_on(struct recall *r)
{
    if (r->at == r->n)
        return NULL;
    r->at++;
    return r->at < r->n ? r->prompts[r->at] : r->draft ? r->draft : "";
}
