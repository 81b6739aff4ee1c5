/*
 * extract.h: finds the parts of a text that can be copied by themselves: code blocks and formulas,
 * as they were written, without their delimiters.
 */
#ifndef UI_EXTRACT_H
#define UI_EXTRACT_H

#include "bytes.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Appends code block number n, from 0, without its last line's end; false: there are not so many.
 * One that is still open counts.
 */
bool extract_code(const char *text, size_t len, size_t n, struct bytes *out);

/* Appends the TeX of formula number n, without its delimiters. */
bool extract_math(const char *text, size_t len, size_t n, struct bytes *out);

#endif
