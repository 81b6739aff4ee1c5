/* utf8.h - as much of UTF-8 as the tokenizer and the detokenizer need.
 *
 * A bad part is what Unicode 3.9 (table 3-8) calls a maximal subpart: the longest beginning of a
 * character that cannot be completed. Python and browsers replace each by one U+FFFD. */
#ifndef ENGINE_TEXT_UTF8_H
#define ENGINE_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UTF8_BAD = -1, UTF8_SHORT = -2 };

/* The character at s (n > 0 bytes are there) and its length in bytes. UTF8_BAD: *len_out bytes are
 * no character, whatever follows. UTF8_SHORT: all n bytes are the beginning of one. */
int32_t utf8_decode(const char *s, size_t n, size_t *len_out);

/* Writes a character, 1 to 4 bytes; returns how many. */
size_t utf8_encode(int32_t c, char out[4]);

/* The White_Space property: what \s of a regular expression means. */
bool utf8_is_space(int32_t c);

/* The value of a hexadecimal digit, or -1. */
int utf8_hex_digit(char c);

/* Writes bytes for use in an error line: control characters and bad parts as \xNN, cut to fit,
 * always NUL-terminated. Returns out. */
const char *utf8_escape(char *out, size_t outlen, const char *s, size_t n);

#endif
