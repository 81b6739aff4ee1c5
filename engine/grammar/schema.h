/* schema.h - a JSON Schema as a grammar of the JSON texts that conform to it.
 *
 * What is generated always conforms; some conforming texts are excluded: properties come in the
 * schema's order, each once; unlisted properties only where additionalProperties asks for them;
 * numbers have at most 15 digits. A keyword that cannot be honoured is refused by name, and so is
 * an unknown one; annotations (title, description and the like) are ignored. Where the schema
 * gives no type, its keywords do ("properties" means an object).
 *
 * Private to the engine; constrain.h is how it is used. */
#ifndef ENGINE_GRAMMAR_SCHEMA_H
#define ENGINE_GRAMMAR_SCHEMA_H

#include <jansson.h>

struct grammar;

/* *id_out: an expression of g. 0, or -1 with one line in err that names the
 * keyword and its place. */
int schema_read(struct grammar *g, const json_t *schema, int *id_out, char *err, size_t errlen);

#endif
