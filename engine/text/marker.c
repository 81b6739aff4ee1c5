/* marker.c - the markers in the order of their bytes: those that begin with the same bytes are
 * neighbours, so reading one more byte of the text narrows a range. */
#include "text/marker.h"

#include <stdlib.h>
#include <string.h>

static int compare_text(const struct marker *a, const struct marker *b)
{
    int order = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static int compare(const void *left, const void *right)
{
    const struct marker *a = left, *b = right;
    int order = compare_text(a, b);
    return order != 0 ? order : (a->id > b->id) - (a->id < b->id);
}

void markers_init(struct markers *m, struct marker *list, size_t n)
{
    *m = (struct markers){.list = list};
    qsort(list, n, sizeof *list, compare);
    for (size_t i = 0; i < n; i++) {
        if (list[i].len == 0 || (m->n > 0 && compare_text(&list[m->n - 1], &list[i]) == 0))
            continue;
        m->first[(unsigned char)list[i].text[0]] = true;
        list[m->n++] = list[i];
    }
}

void markers_done(struct markers *m)
{
    free(m->list);
    *m = (struct markers){0};
}

/* First of list[low..high) whose byte `at` is not below c; all have more than `at` bytes. */
static size_t lower_bound(const struct marker *list, size_t low, size_t high, size_t at, int c)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((unsigned char)list[middle].text[at] < c)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct marker *markers_match(const struct markers *m, const char *s, size_t n)
{
    if (n == 0 || !m->first[(unsigned char)s[0]])
        return NULL;
    const struct marker *longest = NULL;
    size_t low = 0, high = m->n; /* the markers that begin with s[0..at) */
    for (size_t at = 0; at < n && low < high; at++) {
        int c = (unsigned char)s[at];
        low = lower_bound(m->list, low, high, at, c);
        high = lower_bound(m->list, low, high, at, c + 1);
        if (low < high && m->list[low].len == at + 1)
            longest = &m->list[low++]; /* it ends here, so it is the first of its range */
    }
    return longest;
}
