/* shape.h - the grammar of a request: its schema, its grammar, its tools.
 * Private to constrain.c. */
#ifndef ENGINE_GRAMMAR_SHAPE_H
#define ENGINE_GRAMMAR_SHAPE_H

#include <stddef.h>

#include "engine.h"

struct grammar;

/* *out: finished. 0, or an enum engine_error with one line in err. */
int shape_grammar(struct grammar **out, const struct engine_request *req, enum engine_family family,
                  char *err, size_t errlen);

#endif
