/* charset.h - a set of characters, as a grammar or a regular expression writes one.
 *
 * Ranges are added in any order and sorted and joined by charset_finish; the other calls take
 * finished sets. Surrogates are not characters and are dropped. */
#ifndef ENGINE_GRAMMAR_CHARSET_H
#define ENGINE_GRAMMAR_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct charset_range {
    int32_t first, last;
};

struct charset {
    struct charset_range *range;
    size_t n, cap;
    bool failed; /* memory ran out */
};

enum { CHARSET_LAST = 0x10FFFF };

void charset_done(struct charset *s);
void charset_add(struct charset *s, int32_t first, int32_t last);
void charset_add_set(struct charset *s, const struct charset *other);
void charset_finish(struct charset *s);
void charset_invert(struct charset *s);

bool charset_has(const struct charset *s, int32_t c);
bool charset_equal(const struct charset *a, const struct charset *b);

#endif
