/*
 * recall.c: the prompt history of this session and earlier ones.
 */
#include "composer/recall.h"
#include "text/text.h"

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

const char *recall_older(struct recall *r, const char *draft)
{
    if (r->at == 0)
        return NULL;
    if (r->at == r->n) {
        free(r->draft);
        r->draft = strdup(draft);
    }
    return r->prompts[--r->at];
}

const char *recall_newer(struct recall *r)
{
    if (r->at == r->n)
        return NULL;
    r->at++;
    return r->at < r->n ? r->prompts[r->at] : r->draft ? r->draft : "";
}

/* Searching */

/* ASCII only is compared without case. */
static const char *find_in(const char *prompt, const struct bytes *query)
{
    return query->len > 0 ? strcasestr(prompt, query->data) : NULL;
}

/*
 * Searches from `from` on, step by step, for a prompt that contains the text and differs from the
 * one shown.
 */
static void look(struct recall_search *s, const struct recall *r, size_t from, int step)
{
    const char *shown = s->at < r->n ? r->prompts[s->at] : "";

    for (size_t i = from; i < r->n; i += (size_t)step)
        if (find_in(r->prompts[i], &s->query) &&
            (i == s->at || strcmp(r->prompts[i], shown) != 0)) {
            s->at = i;
            s->failed = false;
            return;
        }
    s->failed = s->query.len > 0;
}

void recall_search_begin(struct recall_search *s, const struct recall *r)
{
    bytes_cut(&s->query, 0);
    s->at = r->n;
    s->active = true;
    s->failed = false;
}

static size_t start_of(const struct recall_search *s, const struct recall *r)
{
    return s->at < r->n ? s->at : r->n - 1;
}

void recall_search_type(struct recall_search *s, const struct recall *r, const char *text,
                        size_t len)
{
    if (bytes_add(&s->query, text, len))
        look(s, r, start_of(s, r), -1);
}

void recall_search_erase(struct recall_search *s, const struct recall *r)
{
    if (s->query.len == 0)
        return;
    bytes_cut(&s->query, text_prev(s->query.data, s->query.len));
    s->at = r->n;
    s->failed = false;
    look(s, r, r->n - 1, -1);
}

void recall_search_again(struct recall_search *s, const struct recall *r, int step)
{
    if (s->query.len == 0 && s->last)
        recall_search_type(s, r, s->last, strlen(s->last));
    else
        look(s, r, s->at < r->n ? s->at + (size_t)step : start_of(s, r), step);
}

const char *recall_found(const struct recall_search *s, const struct recall *r, size_t *pos_out)
{
    const char *prompt = s->at < r->n ? r->prompts[s->at] : NULL;
    const char *at = prompt ? find_in(prompt, &s->query) : NULL;
    *pos_out = at ? (size_t)(at - prompt) : 0;
    return prompt;
}

void recall_search_end(struct recall_search *s)
{
    s->active = false;
    if (s->query.len > 0) {
        free(s->last);
        s->last = strdup(s->query.data);
    }
}

void recall_search_done(struct recall_search *s)
{
    bytes_free(&s->query);
    free(s->last);
}
