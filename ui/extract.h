/*
 * extract.h: what a text holds that is copied by itself: code blocks and formulas, as they were
 * written, without what marks them.
 */
#ifndef UI_EXTRACT_H
#define UI_EXTRACT_H

#include "bytes.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Appends code block number n, from 0, without its last line's end; false: there are not so many. One
 * that is still open counts.
 */
bool extract_code(const char *text, size_t len, size_t n, struct bytes *out);

/* Appends the TeX of formula number n, without its delimiters. */
bool extract_math(const char *text, size_t len, size_t n, struct bytes *out);

#endif
