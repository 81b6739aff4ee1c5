/*
 * utf8.h - just enough UTF-8 to judge stored text and to find a word in it.
 */
#ifndef STORAGE_UTF8_H
#define STORAGE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Decodes the character at text[*pos] and moves *pos behind it. What is not UTF-8 (overlong forms
 * and surrogates included) counts byte by byte, each as UTF8_INVALID.
 */
#define UTF8_INVALID UINT32_MAX
uint32_t utf8_next(const char *text, size_t len, size_t *pos);

bool utf8_valid(const char *text, size_t len);
size_t utf8_length(const char *text, size_t len); /* in characters */

/* The text as the index has it: without upper case. `out` has room for as many characters as there
 * are, of UTF8_LONGEST bytes each; returns the length in bytes. */
enum { UTF8_LONGEST = 4 };
size_t utf8_fold(const char *text, size_t len, char *out);

/*
 * Finds `word` in `text`, upper and lower case alike as far as the C locale in use knows them.
 * Returns whether it is there, then *at_out and *len_out are its place in bytes.
 */
bool utf8_find(const char *text, size_t len, const char *word, size_t word_len, size_t *at_out,
               size_t *len_out);

#endif
