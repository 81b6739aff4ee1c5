/* text.h - text that grows, and what makes bytes from outside valid and safe to show. */
#ifndef APP_TEXT_H
#define APP_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* {0} is an empty text. data is NULL while nothing was added, NUL-terminated after that. */
struct text {
    char *data;
    size_t len, cap;
};

void text_add(struct text *t, const char *bytes, size_t len);
void text_adds(struct text *t, const char *string);
__attribute__((format(printf, 2, 3))) void text_addf(struct text *t, const char *format, ...);
void text_addv(struct text *t, const char *format, va_list args);
void text_clear(struct text *t); /* keeps the memory */
void text_done(struct text *t);
const char *text_str(const struct text *t); /* "" for an empty text */

/* Length of the first character of s[0..len), len > 0. *code is -1 where the bytes are not UTF-8;
 * the length is then that of the longest part that could have begun a character, at least 1. */
size_t text_next(const char *s, size_t len, int32_t *code);

/* Adds the bytes as valid UTF-8: each bad part becomes U+FFFD. The number of those. */
size_t text_add_valid(struct text *t, const char *bytes, size_t len);

/* Adds the bytes with everything a terminal would obey rather than show written as \xNN: control,
 * bidirectional and invisible characters, and what is not UTF-8. Newline and tab stay as they are
 * where `lines`. */
void text_add_visible(struct text *t, const char *bytes, size_t len, bool lines);

/* Length of the longest start of s[0..len) with at most `max` bytes that ends between characters. */
size_t text_cut(const char *s, size_t len, size_t max);

/* s without the white space (ASCII) around it: the start, and its length in *len. */
const char *text_trim(const char *s, size_t *len);

#endif
