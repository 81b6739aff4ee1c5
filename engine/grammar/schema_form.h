/* schema_form.h - what the parts of the schema's reader share: schema.c (references, alternatives,
 * types), schema_object.c (objects, arrays), schema_number.c, schema_string.c and schema_merge.c
 * (two schemas at once). Private to them.
 *
 * Each reader returns an expression, or REFUSED after refuse(). */
#ifndef ENGINE_GRAMMAR_SCHEMA_FORM_H
#define ENGINE_GRAMMAR_SCHEMA_FORM_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct grammar;

enum { REFUSED = -1, SCHEMA_DEPTH = 150, SCHEMA_WORK = 300000 };

/* A subschema that is a rule, since something refers to it. */
struct schema_rule {
    const json_t *schema;
    int rule;
};

struct schema {
    struct grammar *g;
    const json_t *root;
    json_t *made; /* array: schemas that were merged here, kept until the end */
    struct schema_rule *rules;
    size_t n_rules, cap_rules;
    int any, any_string; /* rules, or -1 until they are needed */
    int space, blank;    /* expressions */
    int depth, work;     /* work: schemas that were looked at */
    char place[256];     /* of the schema that is read, for messages: "/properties/name" */
    bool failed;         /* err is written */
    char *err;
    size_t errlen;
};

/* keyword: what is refused; the line is "KEYWORD: REASON (in PLACE)". Always REFUSED. */
int schema_refuse(struct schema *s, const char *keyword, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A subschema of the one being read; step and name are its path in it. */
int schema_inner(struct schema *s, const json_t *schema, const char *step, const char *name);

int schema_any(struct schema *s);        /* any value */
int schema_any_string(struct schema *s); /* any string */

/* The expression for each type, by the keywords that apply to it. */
int schema_object(struct schema *s, const json_t *schema);
int schema_array(struct schema *s, const json_t *schema);
int schema_string(struct schema *s, const json_t *schema);
int schema_number(struct schema *s, const json_t *schema, bool integer);

/* A count from 0 up: 0, with *out as it was where there is no such keyword; or REFUSED. */
int schema_count(struct schema *s, const json_t *schema, const char *keyword, int32_t *out);

/* One schema equal to both together; owned by s. NULL after refuse(). */
const json_t *schema_merge(struct schema *s, const json_t *a, const json_t *b);

/* The schema with its reference followed and its allOf merged, if any. NULL after refuse(). */
const json_t *schema_resolve(struct schema *s, const json_t *schema);

/* What a reference points to. NULL after refuse(). */
const json_t *schema_find(struct schema *s, const json_t *ref);

/* Provably no value conforms to both. */
bool schema_disjoint(struct schema *s, const json_t *a, const json_t *b);

enum schema_type {
    TYPE_NULL = 1,
    TYPE_BOOLEAN = 2,
    TYPE_INTEGER = 4,
    TYPE_NUMBER = 8, /* that is no integer, or not known to be one */
    TYPE_STRING = 16,
    TYPE_ARRAY = 32,
    TYPE_OBJECT = 64,
    TYPE_ALL = 127,
};

/* Bits of schema_type that a schema's type, or else its keywords, allow; 0 after refuse(). */
unsigned schema_types(struct schema *s, const json_t *schema);
unsigned schema_type_of(const json_t *value);

/* Keeps a schema that was made; NULL (out of memory) is refused. */
const json_t *schema_keep(struct schema *s, json_t *made);

#endif
