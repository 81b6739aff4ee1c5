/*
 * text.h: UTF-8 from outside, as columns of a terminal.
 *
 * A cluster is what a reader takes for one character. text_next() is the only reader of text in
 * ui/: it decodes, finds the cluster, and says what is drawn for it, so that nothing that could
 * steer a terminal gets past it. Control characters come out as ^X, invisible and bidirectional
 * ones as <U+202E>, invalid bytes as U+FFFD.
 *
 * What is drawn differs from Unicode's ideal where terminals differ from one another: an emoji
 * joined of several is drawn as its first, its variation selector and skin tone are left out, and a
 * cell carries at most TEXT_MARKS combining marks. Every terminal then agrees on the columns.
 *
 * Newline is not text here: callers cut at it first. A tab is one cluster of one column; callers
 * that know their tab stops widen it.
 */
#ifndef UI_TEXT_H
#define UI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TEXT_MARKS = 4,        /* combining marks drawn on one cell */
    TEXT_CLUSTER_MAX = 16, /* code points drawn for one cluster */
    TEXT_REPLACEMENT = 0xfffd,
};

/* Code points with columns open a cell each; those without belong to the cell before them. */
struct text_cluster {
    size_t len; /* bytes of text, at least 1 */
    int width;  /* columns */
    int n;
    uint32_t cp[TEXT_CLUSTER_MAX];
};

/* One code point off the front of len > 0 bytes, U+FFFD if they are invalid; its length in
 * bytes. */
size_t text_decode(const char *s, size_t len, uint32_t *cp_out);

/* Writes a Unicode scalar value; the number of bytes. */
size_t text_encode(uint32_t cp, char out[4]);

/* The length of s without a character at its end that is cut short. */
size_t text_whole(const char *s, size_t len);

/* Columns of one code point that text_next() hands out: 0, 1 or 2. */
int text_columns(uint32_t cp);

/* The cluster at the front of len > 0 bytes. */
void text_next(const char *s, size_t len, struct text_cluster *out);

/* The start of the cluster before pos > 0. */
size_t text_prev(const char *s, size_t pos);

int text_width(const char *s, size_t len);

/* The longest front of s that fits in width columns, in bytes; the columns go to *used_out. */
size_t text_fit(const char *s, size_t len, int width, int *used_out);

bool text_is_space(const struct text_cluster *c); /* a space or tab */

/* Whether a line may break between two neighbours: after spaces, and around wide characters. */
bool text_breaks_before(const struct text_cluster *prev, const struct text_cluster *next);

/*
 * The first screen line of a text without newlines: the bytes it takes, at least one cluster. A
 * word is broken only when it is wider than the line; spaces at the break hang over the edge.
 */
size_t text_wrap(const char *s, size_t len, int width);

/* The code point in lower case. */
uint32_t text_lower(uint32_t cp);

/* Whether `part` occurs in s, letter case aside. */
bool text_contains(const char *s, const char *part);

#endif
