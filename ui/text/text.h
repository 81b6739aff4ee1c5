/*
 * text.h: UTF-8 from outside, as terminal columns.
 *
 * A cluster is what a reader perceives as one character. All text in ui/ is read through
 * text_next(): it decodes, finds the cluster, and returns what to draw for it, so that nothing that
 * could control a terminal gets through. Control characters are drawn as ^X, invisible and
 * bidirectional ones as <U+202E>, invalid bytes as U+FFFD.
 *
 * Where terminals disagree, the result is simplified: a joined emoji is drawn as its first part,
 * variation selectors and skin tones are dropped, and a cell holds at most TEXT_MARKS combining
 * marks. All terminals then agree on the columns.
 *
 * Newlines are not handled here: callers split at them first. A tab is one cluster of one column;
 * callers with tab stops widen it.
 */
#ifndef UI_TEXT_TEXT_H
#define UI_TEXT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TEXT_MARKS = 4,        /* combining marks drawn on one cell */
    TEXT_CLUSTER_MAX = 16, /* code points drawn for one cluster */
    TEXT_REPLACEMENT = 0xfffd,
};

/* A code point with a width starts a cell; one without belongs to the cell before it. */
struct text_cluster {
    size_t len; /* bytes of text, at least 1 */
    int width;  /* columns */
    int n;
    uint32_t cp[TEXT_CLUSTER_MAX];
};

/* Decodes one code point from len > 0 bytes, U+FFFD if invalid; returns its length in bytes. */
size_t text_decode(const char *s, size_t len, uint32_t *cp_out);

/* Encodes a Unicode scalar value; returns the number of bytes. */
size_t text_encode(uint32_t cp, char out[4]);

/* The length of s without an incomplete character at its end. */
size_t text_whole(const char *s, size_t len);

/* Width of a code point returned by text_next(): 0, 1 or 2. */
int text_columns(uint32_t cp);

/* The cluster at the front of len > 0 bytes. */
void text_next(const char *s, size_t len, struct text_cluster *out);

/* The start of the cluster before pos > 0. */
size_t text_prev(const char *s, size_t pos);

int text_width(const char *s, size_t len);

/* The longest prefix of s that fits in width columns, in bytes; its width goes to *used_out. */
size_t text_fit(const char *s, size_t len, int width, int *used_out);

bool text_is_space(const struct text_cluster *c); /* a space or tab */

/* Whether a line may break between two clusters: after spaces, and around wide characters. */
bool text_breaks_before(const struct text_cluster *prev, const struct text_cluster *next);

/*
 * The first screen line of a text without newlines; returns its length in bytes, at least one
 * cluster. A word is broken only if it is wider than the line; spaces at the break overhang.
 */
size_t text_wrap(const char *s, size_t len, int width);

/* The code point in lower case. */
uint32_t text_lower(uint32_t cp);

/* Whether `part` occurs in s, ignoring case. */
bool text_contains(const char *s, const char *part);

#endif
