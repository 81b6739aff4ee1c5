/* merges.c - see merges.h. This is on the way of every start, and a vocabulary has hundreds of
 * thousands of lines, each looked up in tables larger than any cache: so lines are read in groups,
 * whose waits for memory overlap. */
#include "text/merges.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "text/alphabet.h"

struct line {
    const char *bytes; /* of both sides, one after the other; NULL: the line is useless */
    size_t n_left, n_right;
    int32_t left, right, merged; /* -1: there is no such token */
};

enum { LINES = 32, LONGEST = 2 * MERGES_MAX_BYTES };

struct lines {
    struct line line[LINES];
    size_t n;
    char bytes[4 * LONGEST];
};

/* Splits and decodes a line into bytes, which has room for s.len. */
static struct line split(struct tok_string s, char *bytes)
{
    const char *gap = s.len <= LONGEST ? memchr(s.data, ' ', s.len) : NULL;
    if (!gap)
        return (struct line){0};
    size_t gap_at = (size_t)(gap - s.data);
    ptrdiff_t n_left = alphabet_decode(s.data, gap_at, bytes);
    if (n_left < 0)
        return (struct line){0};
    ptrdiff_t n_right = alphabet_decode(gap + 1, s.len - gap_at - 1, bytes + n_left);
    if (n_right < 0)
        return (struct line){0};
    return (struct line){.bytes = bytes, .n_left = (size_t)n_left, .n_right = (size_t)n_right};
}

/* The first of n lines: one at least, and as many as there is room for. */
static void take(struct lines *l, const struct vocab *v, const struct tok_string *s, size_t n)
{
    size_t used = 0;
    for (l->n = 0; l->n < n && l->n < LINES && sizeof l->bytes - used >= LONGEST; l->n++) {
        struct line *m = &l->line[l->n];
        *m = split(s[l->n], l->bytes + used);
        used += m->n_left + m->n_right;
        if (m->bytes) {
            vocab_expect(v, m->bytes, m->n_left);
            vocab_expect(v, m->bytes + m->n_left, m->n_right);
        }
    }
}

/* Merges usually come in the order of the ids they make: *near is the last one. */
static void find(struct line *m, const struct vocab *v, int32_t *near)
{
    m->left = vocab_find(v, m->bytes, m->n_left);
    m->right = vocab_find(v, m->bytes + m->n_left, m->n_right);
    m->merged = vocab_find_near(v, *near, m->bytes, m->n_left + m->n_right);
    if (m->merged >= 0)
        *near = m->merged;
}

static int add(struct bpe *b, const struct line *m, size_t rank)
{
    if (!m->bytes || m->left < 0 || m->right < 0 || m->merged < 0)
        return 0;
    return bpe_add(b, m->left, m->right, (uint32_t)rank, m->merged);
}

int merges_read(struct bpe *out, const struct vocab *v, const struct tok_string *s, size_t n,
                size_t *n_skipped)
{
    struct lines *l = malloc(sizeof *l);
    int32_t near = 0;
    int status = l && bpe_init(out, n) == 0 ? 0 : MERGES_SHORT;
    for (size_t at = 0; at < n && status == 0; at += l->n) {
        take(l, v, s + at, n - at);
        for (size_t i = 0; i < l->n; i++) {
            struct line *m = &l->line[i];
            if (m->bytes) {
                find(m, v, &near);
                bpe_expect(out, m->left, m->right);
            }
        }
        for (size_t i = 0; i < l->n && status == 0; i++) {
            int added = add(out, &l->line[i], at + i);
            *n_skipped += added == 0;
            status = added < 0 ? MERGES_COLLIDE : 0;
        }
    }
    free(l);
    return status;
}
