/* token_checks.h - what must hold for any text, checked wherever a test has a tokenizer. */
#ifndef TESTS_ENGINE_TOKEN_CHECKS_H
#define TESTS_ENGINE_TOKEN_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/text/tokenizer.h"

/* The ids are the caller's to free. */
struct tok_ids encode(const struct tokenizer *t, const char *s, size_t n, bool special);

/* All tokens' bytes, the caller's to free. */
char *decode(const struct tokenizer *t, struct tok_ids ids, size_t *len_out);

/* A copy of s with every bad part (utf8.h) replaced by U+FFFD, NUL-terminated;
 * the caller's to free. */
char *replace_bad_parts(const char *s, size_t n, size_t *len_out);

/* decode(encode(s)) is s; where the dialect composes, s composed. */
void assert_lossless(const struct tokenizer *t, const char *s, size_t n, bool composes);

/* Every marker of the vocabulary, typed: raw, twice, cut, with something in front. */
void assert_markers_stay_text(const struct tokenizer *t);

/* The next of numbers that look random, of 24 bits, and are the same everywhere. */
uint32_t next_random(uint32_t *seed);

#endif
