/* pretok.h - splits text into pre-tokens, the pieces that merges never cross.
 *
 * By hand what both families' tokenizers give as a regular expression, D being 3 (Llama) or 1:
 *     (?i:'s|'t|'re|'ve|'m|'ll|'d) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,D} |
 *      ?[^\s\p{L}\p{N}]+[\r\n]* | \s*[\r\n]+ | \s+(?!\S) | \s+
 * The first alternative that matches wins. Each byte is looked at a bounded number of times, so the
 * whole split is linear. A byte that is not UTF-8 counts as a symbol. */
#ifndef ENGINE_TEXT_PRETOK_H
#define ENGINE_TEXT_PRETOK_H

#include <stddef.h>

/* Length of the pre-token at the beginning of s, n > 0 bytes; never 0. */
size_t pretok_next(const char *s, size_t n, int max_digits);

#endif
