/* regex.h - regular expressions of JSON Schema (ECMA-262) as expressions over the text of a JSON
 * string, between its quotes.
 *
 * Known: characters and their escapes, . \d \w \s and their opposites (of ASCII), classes, groups,
 * alternatives, * + ? {m,n} (lazy ones too, which allow the same), and ^ and $ at the ends. What
 * looks ahead or back (\b, (?=, \1 ...) is refused by name. A pattern without ^ or $ may stand
 * anywhere in the string. */
#ifndef ENGINE_GRAMMAR_REGEX_H
#define ENGINE_GRAMMAR_REGEX_H

#include <stddef.h>
#include <stdint.h>

struct grammar;

/* The whole text must have min to max characters (GX_FOREVER: any number). *id_out is an expression
 * of g. 0, or -1 with one line in err: what is not known, or a length that cannot be counted. */
struct regex_length {
    int32_t min, max;
};
int regex_read(struct grammar *g, const char *pattern, struct regex_length length, int *id_out,
               char *err, size_t errlen);

#endif
