/*
 * extract.h: finds the parts of a text that can be copied by themselves: code blocks and formulas,
 * as written, without their delimiters.
 */
#ifndef UI_MARKDOWN_EXTRACT_H
#define UI_MARKDOWN_EXTRACT_H

#include "text/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Appends code block n, from 0, without its final newline; false: no such block. A block that is
 * still open counts.
 */
bool extract_code(const char *text, size_t len, size_t n, struct bytes *out);

/* Appends the TeX of formula n, without its delimiters. */
bool extract_math(const char *text, size_t len, size_t n, struct bytes *out);

#endif
