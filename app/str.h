/* str.h - text that grows, and what makes bytes from outside valid and safe to show. */
#ifndef APP_STR_H
#define APP_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* {0} is an empty text. data is NULL while nothing was added, NUL-terminated after that. */
struct str {
    char *data;
    size_t len, cap;
};

void str_add(struct str *t, const char *bytes, size_t len);
void str_adds(struct str *t, const char *string);
__attribute__((format(printf, 2, 3))) void str_addf(struct str *t, const char *format, ...);
void str_addv(struct str *t, const char *format, va_list args);
void str_clear(struct str *t); /* keeps the memory */
void str_done(struct str *t);
const char *str_get(const struct str *t); /* "" for an empty text */

/* Length of the first character of s[0..len), len > 0. *code is -1 where the bytes are not UTF-8;
 * the length is then that of the longest part that could have begun a character, at least 1. */
size_t str_next(const char *s, size_t len, int32_t *code);

/* Adds the bytes as valid UTF-8: each bad part becomes U+FFFD. The number of those. */
size_t str_add_valid(struct str *t, const char *bytes, size_t len);

/* Adds the bytes with everything a terminal would obey rather than show written as \xNN: control,
 * bidirectional and invisible characters, and what is not UTF-8. Newline and tab stay as they are
 * where `lines`, and CR LF is a newline. */
void str_add_visible(struct str *t, const char *bytes, size_t len, bool lines);

/* How many columns of a terminal the text takes when it is visible, on one line; and adds it so,
 * with spaces after it up to so many columns. */
int str_columns(const char *text);
void str_add_padded(struct str *t, const char *text, int columns);

/* Length of the longest start of s[0..len) with at most `max` bytes that ends
 * between characters. */
size_t str_cut(const char *s, size_t len, size_t max);

/* s without the white space (ASCII) around it: the start, and its length in *len. */
const char *str_trim(const char *s, size_t *len);

#endif
