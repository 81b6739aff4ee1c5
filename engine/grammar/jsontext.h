/* jsontext.h - how JSON writes characters, strings and white space, as expressions of a grammar.
 *
 * White space is bounded, so that a model cannot babble blanks: behind ":" at most one, and at the
 * other places also the end of a line and an indentation. */
#ifndef ENGINE_GRAMMAR_JSONTEXT_H
#define ENGINE_GRAMMAR_JSONTEXT_H

#include <jansson.h>

#include "grammar/charset.h"

struct grammar;

/* One character of the set, in its shortest spelling. */
int jsontext_char(struct grammar *g, const struct charset *set);

/* Any character, in any spelling. */
int jsontext_any_char(struct grammar *g);

int jsontext_space(struct grammar *g); /* between the parts of an object or array */
int jsontext_blank(struct grammar *g); /* behind a colon */

/* Exactly this value, in compact form except for the white space above. -1: out of memory, or
 * the value is nested too deep. */
int jsontext_value(struct grammar *g, const json_t *value);

/* The value as compact text; the caller's to free. NULL: out of memory. */
char *jsontext_dump(const json_t *value);

#endif
