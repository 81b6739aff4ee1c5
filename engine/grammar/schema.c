/* schema.c - references, alternatives, values and types of a schema; see schema.h. */
#include "grammar/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/grammar.h"
#include "grammar/jsontext.h"
#include "grammar/schema_form.h"
#include "text/utf8.h"

enum {
    MAX_VALUES = 100000, /* of an enum */
    MAX_EXCLUSIVE = 300, /* of oneOf */
};

int schema_refuse(struct schema *s, const char *keyword, const char *format, ...)
{
    char name[64], place[160];
    va_list args;
    if (s->failed)
        return REFUSED;
    s->failed = true;
    int n = snprintf(s->err, s->errlen,
                     "%s: ", utf8_escape(name, sizeof name, keyword, strlen(keyword)));
    va_start(args, format);
    if (n > 0 && (size_t)n < s->errlen)
        n += vsnprintf(s->err + n, s->errlen - (size_t)n, format, args);
    va_end(args);
    if (s->place[0] && n > 0 && (size_t)n < s->errlen)
        snprintf(s->err + n, s->errlen - (size_t)n, " (in %s)",
                 utf8_escape(place, sizeof place, s->place, strlen(s->place)));
    return REFUSED;
}

const json_t *schema_keep(struct schema *s, json_t *made)
{
    if (made && json_array_append_new(s->made, made) == 0)
        return made;
    schema_refuse(s, "schema", "out of memory");
    return NULL;
}

/* References */

/* One step of a JSON pointer, with ~0 ~1 and %XX undone. */
static void read_step(const char *from, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        unsigned code;
        char pair[3] = {0};
        if (from[i] == '%' && i + 2 < len + 0 && memcpy(pair, from + i + 1, 2) &&
            sscanf(pair, "%2x", &code) == 1 && code > 0) {
            *out++ = (char)code;
            i += 2;
        } else if (from[i] == '~' && i + 1 < len && (from[i + 1] == '0' || from[i + 1] == '1')) {
            *out++ = from[++i] == '0' ? '~' : '/';
        } else {
            *out++ = from[i];
        }
    }
    *out = '\0';
}

static const json_t *follow(const json_t *at, const char *pointer)
{
    char step[256];
    while (at && *pointer == '/') {
        size_t len = strcspn(++pointer, "/");
        if (len >= sizeof step)
            return NULL;
        read_step(pointer, len, step);
        pointer += len;
        at = json_is_array(at) ? json_array_get(at, strtoul(step, NULL, 10))
                               : json_object_get(at, step);
    }
    return *pointer ? NULL : at;
}

const json_t *schema_find(struct schema *s, const json_t *ref)
{
    const char *text = json_string_value(ref);
    const json_t *found = text && text[0] == '#' ? follow(s->root, text + 1) : NULL;
    char shown[80];
    if (found)
        return found;
    if (text)
        schema_refuse(s, "$ref", "nothing is at %s",
                      utf8_escape(shown, sizeof shown, text, strlen(text)));
    else
        schema_refuse(s, "$ref", "must be a string");
    return NULL;
}

/* The rule of a referenced schema, which is read at its first use. */
static int read_reference(struct schema *s, const json_t *ref)
{
    const json_t *target = schema_find(s, ref);
    if (!target)
        return REFUSED;
    for (size_t i = 0; i < s->n_rules; i++)
        if (s->rules[i].schema == target)
            return gx_call(s->g, s->rules[i].rule);
    if (s->n_rules == s->cap_rules) {
        size_t cap = 2 * s->cap_rules + 8;
        struct schema_rule *grown = realloc(s->rules, cap * sizeof *grown);
        if (!grown)
            return schema_refuse(s, "$ref", "out of memory");
        s->rules = grown;
        s->cap_rules = cap;
    }
    char name[80];
    const char *text = json_string_value(ref);
    char shown[64];
    snprintf(name, sizeof name, "$ref %s", utf8_escape(shown, sizeof shown, text, strlen(text)));
    int rule = grammar_rule(s->g, name);
    s->rules[s->n_rules++] = (struct schema_rule){target, rule};
    int body = schema_inner(s, target, text, NULL);
    if (body == REFUSED)
        return REFUSED;
    grammar_define(s->g, rule, body);
    return gx_call(s->g, rule);
}

/* Keywords */

/* Keywords that do not affect the text, and keywords handled elsewhere. */
static bool is_annotation(const char *key)
{
    static const char *const keys[] = {
        "$schema",     "$id",     "$comment",         "$defs",           "definitions",  "title",
        "description", "default", "examples",         "example",         "deprecated",   "readOnly",
        "writeOnly",   "$anchor", "contentMediaType", "contentEncoding", "discriminator"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static const struct keyword {
    const char *name;
    unsigned types; /* types that the keyword applies to; 0: all */
} keywords[] = {
    {"type", 0},
    {"nullable", 0},
    {"enum", 0},
    {"const", 0},
    {"$ref", 0},
    {"anyOf", 0},
    {"oneOf", 0},
    {"allOf", 0},
    {"properties", TYPE_OBJECT},
    {"required", TYPE_OBJECT},
    {"additionalProperties", TYPE_OBJECT},
    {"minProperties", TYPE_OBJECT},
    {"maxProperties", TYPE_OBJECT},
    {"items", TYPE_ARRAY},
    {"prefixItems", TYPE_ARRAY},
    {"minItems", TYPE_ARRAY},
    {"maxItems", TYPE_ARRAY},
    {"uniqueItems", TYPE_ARRAY},
    {"minLength", TYPE_STRING},
    {"maxLength", TYPE_STRING},
    {"pattern", TYPE_STRING},
    {"format", TYPE_STRING},
    {"minimum", TYPE_NUMBER | TYPE_INTEGER},
    {"maximum", TYPE_NUMBER | TYPE_INTEGER},
    {"exclusiveMinimum", TYPE_NUMBER | TYPE_INTEGER},
    {"exclusiveMaximum", TYPE_NUMBER | TYPE_INTEGER},
    {"multipleOf", TYPE_NUMBER | TYPE_INTEGER},
};

static const struct keyword *find_keyword(const char *name)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (strcmp(keywords[i].name, name) == 0)
            return &keywords[i];
    return NULL;
}

static int check_keywords(struct schema *s, const json_t *schema)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)schema, key, value)
    {
        if (!is_annotation(key) && !find_keyword(key))
            return schema_refuse(s, key, "not supported");
    }
    return 0;
}

/* The schema without the given keywords and without annotations; owned by s. */
static const json_t *without(struct schema *s, const json_t *schema, const char *left_out)
{
    json_t *rest = json_object();
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)schema, key, value)
    {
        if (strcmp(key, left_out) != 0 && !is_annotation(key))
            json_object_set(rest, key, value);
    }
    return schema_keep(s, rest);
}

/* Types */

static const struct {
    const char *name;
    unsigned bits;
} type_names[] = {
    {"null", TYPE_NULL},       {"boolean", TYPE_BOOLEAN},
    {"integer", TYPE_INTEGER}, {"number", TYPE_NUMBER | TYPE_INTEGER},
    {"string", TYPE_STRING},   {"array", TYPE_ARRAY},
    {"object", TYPE_OBJECT},
};

static unsigned type_bits(struct schema *s, const json_t *name)
{
    const char *text = json_string_value(name);
    char shown[64];
    for (size_t i = 0; text && i < sizeof type_names / sizeof *type_names; i++)
        if (strcmp(type_names[i].name, text) == 0)
            return type_names[i].bits;
    schema_refuse(s, "type", "no such type as %s",
                  text ? utf8_escape(shown, sizeof shown, text, strlen(text)) : "this");
    return 0;
}

unsigned schema_types(struct schema *s, const json_t *schema)
{
    const json_t *type = json_object_get(schema, "type");
    unsigned bits = 0;
    if (json_is_array(type)) {
        for (size_t i = 0; i < json_array_size(type) && !s->failed; i++)
            bits |= type_bits(s, json_array_get(type, i));
    } else if (type) {
        bits = type_bits(s, type);
    } else {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)schema, key, value)
        {
            const struct keyword *k = find_keyword(key);
            bits |= k ? k->types : 0;
        }
        bits = bits ? bits : TYPE_ALL;
    }
    if (json_is_true(json_object_get(schema, "nullable")))
        bits |= TYPE_NULL;
    if (bits == 0)
        schema_refuse(s, "type", "allows nothing");
    return bits;
}

unsigned schema_type_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL: return TYPE_NULL;
    case JSON_TRUE:
    case JSON_FALSE: return TYPE_BOOLEAN;
    case JSON_INTEGER: return TYPE_INTEGER;
    case JSON_REAL: return TYPE_NUMBER;
    case JSON_STRING: return TYPE_STRING;
    case JSON_ARRAY: return TYPE_ARRAY;
    case JSON_OBJECT: return TYPE_OBJECT;
    }
    return 0;
}

static bool has_keyword_of(const json_t *schema, unsigned types)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)schema, key, value)
    {
        const struct keyword *k = find_keyword(key);
        if (k && k->types & types)
            return true;
    }
    return false;
}

int schema_any_string(struct schema *s)
{
    if (s->any_string < 0) {
        struct grammar *g = s->g;
        s->any_string = grammar_rule(g, NULL);
        const int parts[] = {gx_string(g, "\""), gx_repeat(g, jsontext_any_char(g), 0, GX_FOREVER),
                             gx_string(g, "\"")};
        grammar_define(g, s->any_string, gx_seq(g, parts, 3));
    }
    return gx_call(s->g, s->any_string);
}

static int read_types(struct schema *s, const json_t *schema, unsigned types)
{
    int parts[8];
    size_t n = 0;
    if (types & TYPE_NULL)
        parts[n++] = gx_string(s->g, "null");
    if (types & TYPE_BOOLEAN)
        parts[n++] = gx_or(s->g, gx_string(s->g, "true"), gx_string(s->g, "false"));
    if (types & (TYPE_NUMBER | TYPE_INTEGER))
        parts[n++] = schema_number(s, schema, !(types & TYPE_NUMBER));
    if (types & TYPE_STRING)
        parts[n++] = schema_string(s, schema);
    if (types & TYPE_ARRAY)
        parts[n++] = schema_array(s, schema);
    if (types & TYPE_OBJECT)
        parts[n++] = schema_object(s, schema);
    return s->failed ? REFUSED : gx_alt(s->g, parts, n);
}

int schema_any(struct schema *s)
{
    if (s->any < 0) {
        json_t *all = json_object();
        s->any = grammar_rule(s->g, NULL);
        int body = schema_keep(s, all) ? read_types(s, all, TYPE_ALL) : REFUSED;
        if (body == REFUSED)
            return REFUSED;
        grammar_define(s->g, s->any, body);
    }
    return gx_call(s->g, s->any);
}

/* Values */

/* One of the values that the schema's type allows. Further keywords about them are refused. */
static int read_values(struct schema *s, const json_t *schema, const char *keyword,
                       const json_t *values)
{
    size_t n = json_array_size(values), n_words = 0, n_parts = 0;
    unsigned types = json_object_get(schema, "type") ? schema_types(s, schema) : TYPE_ALL;
    if (s->failed)
        return REFUSED;
    if (n == 0 || n > MAX_VALUES)
        return schema_refuse(s, keyword, n ? "too many values" : "must be an array of values");
    if (has_keyword_of(schema, TYPE_ALL))
        return schema_refuse(s, keyword, "not together with other keywords than type");
    struct gx_word *words = calloc(n, sizeof *words);
    int *parts = calloc(n + 1, sizeof *parts), id = REFUSED;
    for (size_t i = 0; words && parts && i < n && !s->failed; i++) {
        const json_t *value = json_array_get(values, i);
        if (!(schema_type_of(value) & types))
            continue;
        if (json_is_object(value) || json_is_array(value)) {
            parts[n_parts] = jsontext_value(s->g, value);
            if (parts[n_parts++] < 0)
                schema_refuse(s, keyword, "a value that is too large");
            continue;
        }
        char *text = jsontext_dump(value);
        words[n_words++] = (struct gx_word){text, text ? strlen(text) : 0};
        if (!text)
            schema_refuse(s, keyword, "out of memory");
    }
    if (n_words > 0 && !s->failed)
        parts[n_parts++] = gx_words(s->g, words, n_words);
    if (!words || !parts)
        schema_refuse(s, keyword, "out of memory");
    else if (n_parts == 0)
        schema_refuse(s, keyword, "no value has the type");
    if (!s->failed)
        id = gx_alt(s->g, parts, n_parts);
    for (size_t i = 0; i < n_words; i++)
        free((char *)words[i].text);
    free(words);
    free(parts);
    return id;
}

static int read_const(struct schema *s, const json_t *schema, const json_t *value)
{
    json_t *one = json_array();
    if (!schema_keep(s, one) || json_array_append(one, (json_t *)value) != 0)
        return schema_refuse(s, "const", "out of memory");
    const json_t *both = json_object_get(schema, "enum");
    for (size_t i = 0; i < json_array_size(both); i++)
        if (json_equal(json_array_get(both, i), value))
            both = NULL;
    if (both)
        return schema_refuse(s, "const", "not among the enum");
    return read_values(s, schema, "const", one);
}

/* Alternatives */

/* The alternatives of oneOf must provably exclude each other. */
static int check_exclusive(struct schema *s, const json_t *list)
{
    size_t n = json_array_size(list);
    if (n > MAX_EXCLUSIVE)
        return schema_refuse(s, "oneOf", "too many (limit %d); use anyOf", MAX_EXCLUSIVE);
    json_t *resolved = json_array();
    if (!schema_keep(s, resolved))
        return REFUSED;
    for (size_t i = 0; i < n; i++) {
        const json_t *one = schema_resolve(s, json_array_get(list, i));
        if (!one || json_array_append(resolved, (json_t *)one) != 0)
            return schema_refuse(s, "oneOf", "out of memory");
        for (size_t k = 0; k < i; k++)
            if (!schema_disjoint(s, one, json_array_get(resolved, k)))
                return schema_refuse(s, "oneOf", "%zu and %zu may both hold; use anyOf", k, i);
    }
    return 0;
}

static int read_alternatives(struct schema *s, const json_t *schema, const char *keyword)
{
    const json_t *list = json_object_get(schema, keyword);
    const json_t *rest = without(s, schema, keyword);
    size_t n = json_array_size(list);
    if (n == 0)
        return schema_refuse(s, keyword, "must be an array of schemas");
    if (strcmp(keyword, "oneOf") == 0 && check_exclusive(s, list) != 0)
        return REFUSED;
    int *parts = malloc(n * sizeof *parts), id = REFUSED;
    for (size_t i = 0; parts && rest && i < n && !s->failed; i++) {
        const json_t *one = json_array_get(list, i);
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        if (json_object_size(rest) > 0)
            one = schema_merge(s, rest, one);
        parts[i] = one ? schema_inner(s, one, keyword, number) : REFUSED;
    }
    if (!parts)
        schema_refuse(s, keyword, "out of memory");
    if (!s->failed)
        id = gx_alt(s->g, parts, n);
    free(parts);
    return id;
}

static int read_schema(struct schema *s, const json_t *schema)
{
    if (json_is_true(schema))
        return schema_any(s);
    if (json_is_false(schema))
        return schema_refuse(s, "false", "a schema that nothing conforms to");
    if (!json_is_object(schema))
        return schema_refuse(s, "schema", "must be an object or true");
    if (check_keywords(s, schema) != 0)
        return REFUSED;
    const json_t *ref = json_object_get(schema, "$ref");
    const json_t *rest = ref ? without(s, schema, "$ref") : NULL;
    if (ref && (!rest || json_object_size(rest) == 0))
        return rest ? read_reference(s, ref) : REFUSED;
    if (ref || json_object_get(schema, "allOf"))
        return (schema = schema_resolve(s, schema)) ? read_schema(s, schema) : REFUSED;
    if (json_object_get(schema, "anyOf"))
        return read_alternatives(s, schema, "anyOf");
    if (json_object_get(schema, "oneOf"))
        return read_alternatives(s, schema, "oneOf");
    if (json_object_get(schema, "const"))
        return read_const(s, schema, json_object_get(schema, "const"));
    if (json_object_get(schema, "enum"))
        return read_values(s, schema, "enum", json_object_get(schema, "enum"));
    unsigned types = schema_types(s, schema);
    if (types == TYPE_ALL && !has_keyword_of(schema, TYPE_ALL))
        return schema_any(s);
    return types ? read_types(s, schema, types) : REFUSED;
}

int schema_inner(struct schema *s, const json_t *schema, const char *step, const char *name)
{
    size_t len = strlen(s->place);
    if (s->failed)
        return REFUSED;
    if (s->depth == SCHEMA_DEPTH)
        return schema_refuse(s, "schema", "nested too deep (limit %d)", SCHEMA_DEPTH);
    if (s->work++ > SCHEMA_WORK)
        return schema_refuse(s, "schema", "too large");
    if (step)
        snprintf(s->place + len, sizeof s->place - len, "/%s%s%s", step, name ? "/" : "",
                 name ? name : "");
    s->depth++;
    int id = read_schema(s, schema);
    s->depth--;
    s->place[len] = '\0';
    return id;
}

int schema_read(struct grammar *g, const json_t *schema, int *id_out, char *err, size_t errlen)
{
    struct schema s = {.g = g,
                       .root = schema,
                       .made = json_array(),
                       .any = -1,
                       .any_string = -1,
                       .space = jsontext_space(g),
                       .blank = jsontext_blank(g),
                       .err = err,
                       .errlen = errlen};
    *id_out = s.made ? schema_inner(&s, schema, NULL, NULL)
                     : schema_refuse(&s, "schema", "out of memory");
    json_decref(s.made);
    free(s.rules);
    return s.failed ? -1 : 0;
}
