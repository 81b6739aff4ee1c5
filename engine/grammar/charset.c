/* charset.c - see charset.h. */
#include "grammar/charset.h"

#include <stdlib.h>
#include <string.h>

enum { SURROGATE_FIRST = 0xD800, SURROGATE_LAST = 0xDFFF };

void charset_done(struct charset *s)
{
    free(s->range);
    *s = (struct charset){0};
}

static void push(struct charset *s, int32_t first, int32_t last)
{
    if (first > last || s->failed)
        return;
    if (s->n == s->cap) {
        size_t cap = 2 * s->cap + 8;
        struct charset_range *grown = realloc(s->range, cap * sizeof *grown);
        if (!grown) {
            s->failed = true;
            return;
        }
        s->range = grown;
        s->cap = cap;
    }
    s->range[s->n++] = (struct charset_range){first, last};
}

void charset_add(struct charset *s, int32_t first, int32_t last)
{
    last = last > CHARSET_LAST ? CHARSET_LAST : last;
    push(s, first, last < SURROGATE_FIRST ? last : SURROGATE_FIRST - 1);
    push(s, first > SURROGATE_LAST ? first : SURROGATE_LAST + 1, last);
}

void charset_add_set(struct charset *s, const struct charset *other)
{
    for (size_t i = 0; i < other->n; i++)
        push(s, other->range[i].first, other->range[i].last);
    s->failed = s->failed || other->failed;
}

static int by_first(const void *a, const void *b)
{
    const struct charset_range *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

void charset_finish(struct charset *s)
{
    size_t n = 0;
    if (s->n > 1)
        qsort(s->range, s->n, sizeof *s->range, by_first);
    for (size_t i = 0; i < s->n; i++) {
        struct charset_range *last = n > 0 ? &s->range[n - 1] : NULL;
        if (last && s->range[i].first <= last->last + 1)
            last->last = s->range[i].last > last->last ? s->range[i].last : last->last;
        else
            s->range[n++] = s->range[i];
    }
    s->n = n;
}

void charset_invert(struct charset *s)
{
    struct charset out = {.failed = s->failed};
    int32_t next = 0;
    for (size_t i = 0; i < s->n; i++) {
        charset_add(&out, next, s->range[i].first - 1);
        next = s->range[i].last + 1;
    }
    charset_add(&out, next, CHARSET_LAST);
    charset_done(s);
    *s = out;
    charset_finish(s);
}

bool charset_has(const struct charset *s, int32_t c)
{
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (c > s->range[mid].last)
            lo = mid + 1;
        else if (c < s->range[mid].first)
            hi = mid;
        else
            return true;
    }
    return false;
}

bool charset_equal(const struct charset *a, const struct charset *b)
{
    return a->n == b->n && (a->n == 0 || memcmp(a->range, b->range, a->n * sizeof *a->range) == 0);
}
