/* schema_merge.c - two schemas that must both hold (allOf), and two that exclude
 * each other (oneOf). */
#include <string.h>

#include "grammar/schema_form.h"

/* Merging */

static bool is_any(const json_t *schema)
{
    return json_is_true(schema) || (json_is_object(schema) && json_object_size(schema) == 0);
}

/* {"allOf": [a, b]}, to be merged when it is read. */
static json_t *both_of(json_t *a, json_t *b)
{
    if (is_any(b) || json_equal(a, b))
        return json_incref(a);
    if (is_any(a))
        return json_incref(b);
    if (json_is_false(a) || json_is_false(b))
        return json_false();
    return json_pack("{s:[O, O]}", "allOf", a, b);
}

static json_t *merge_types(struct schema *s, const json_t *a, const json_t *b)
{
    static const struct {
        const char *name;
        unsigned bits;
    } names[] = {{"null", TYPE_NULL},
                 {"boolean", TYPE_BOOLEAN},
                 {"number", TYPE_NUMBER | TYPE_INTEGER},
                 {"integer", TYPE_INTEGER},
                 {"string", TYPE_STRING},
                 {"array", TYPE_ARRAY},
                 {"object", TYPE_OBJECT}};
    unsigned bits = schema_types(s, a) & schema_types(s, b);
    json_t *types = json_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((bits & names[i].bits) == names[i].bits) {
            json_array_append_new(types, json_string(names[i].name));
            bits &= ~names[i].bits;
        }
    if (json_array_size(types) == 0)
        schema_refuse(s, "type", "two that exclude each other");
    return types;
}

static json_t *merge_values(struct schema *s, const json_t *a, const json_t *b)
{
    json_t *both = json_array();
    for (size_t i = 0; i < json_array_size(a); i++)
        for (size_t k = 0; k < json_array_size(b); k++)
            if (json_equal(json_array_get(a, i), json_array_get(b, k))) {
                json_array_append(both, json_array_get(a, i));
                break;
            }
    if (json_array_size(both) == 0)
        schema_refuse(s, "enum", "two without a common value");
    return both;
}

/* The schema's rule for a property that it does not list. */
static json_t *others_of(const json_t *schema)
{
    json_t *others = json_object_get(schema, "additionalProperties");
    return others ? others : json_true();
}

/* Adds the properties of one schema to out, merged with the other's. */
static void add_properties(json_t *out, const json_t *one, const json_t *other)
{
    const json_t *theirs = json_object_get(other, "properties");
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(one, "properties"), key, value)
    {
        json_t *also = json_object_get(theirs, key);
        if (!json_object_get(out, key))
            json_object_set_new(out, key, both_of(value, also ? also : others_of(other)));
    }
}

static json_t *merge_required(const json_t *a, const json_t *b)
{
    json_t *all = json_copy((json_t *)a);
    for (size_t i = 0; i < json_array_size(b); i++) {
        bool known = false;
        for (size_t k = 0; k < json_array_size(all); k++)
            known = known || json_equal(json_array_get(all, k), json_array_get(b, i));
        if (!known)
            json_array_append(all, json_array_get(b, i));
    }
    return all;
}

static bool is_one_of(const char *key, const char *const *keys)
{
    for (; *keys; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

/* Merges a keyword that both have; NULL after refuse(). */
static json_t *merge_keyword(struct schema *s, const char *key, const json_t *a, const json_t *b)
{
    static const char *const larger[] = {"minimum",  "exclusiveMinimum", "minLength",
                                         "minItems", "minProperties",    NULL};
    static const char *const smaller[] = {"maximum",  "exclusiveMaximum", "maxLength",
                                          "maxItems", "maxProperties",    NULL};
    json_t *x = json_object_get(a, key), *y = json_object_get(b, key);
    double m = json_number_value(x), n = json_number_value(y);
    if (json_equal(x, y))
        return json_incref(x);
    if (is_one_of(key, larger))
        return json_incref(m > n ? x : y);
    if (is_one_of(key, smaller))
        return json_incref(m < n ? x : y);
    if (strcmp(key, "enum") == 0)
        return merge_values(s, x, y);
    if (strcmp(key, "required") == 0)
        return merge_required(x, y);
    if (strcmp(key, "items") == 0 || strcmp(key, "additionalProperties") == 0)
        return both_of(x, y);
    if (strcmp(key, "uniqueItems") == 0 || strcmp(key, "nullable") == 0)
        return json_boolean(strcmp(key, "nullable") != 0);
    schema_refuse(s, key, "twice, in schemas that must both hold: not supported");
    return NULL;
}

/* Types and properties are merged as wholes: what is not written there counts too. */
static void merge_wholes(struct schema *s, json_t *out, const json_t *a, const json_t *b)
{
    if (json_object_get(a, "type") && json_object_get(b, "type")) {
        json_object_set_new(out, "type", merge_types(s, a, b));
        json_object_del(out, "nullable");
    }
    if (json_object_get(a, "properties") || json_object_get(b, "properties")) {
        json_t *properties = json_object();
        add_properties(properties, a, b);
        add_properties(properties, b, a);
        json_object_set_new(out, "properties", properties);
    }
}

const json_t *schema_merge(struct schema *s, const json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;
    if (!(a = schema_resolve(s, a)) || !(b = schema_resolve(s, b)))
        return NULL;
    if (is_any(a) || json_equal(a, b) || json_is_false(b))
        return b;
    if (is_any(b) || json_is_false(a))
        return a;
    json_t *out = json_copy((json_t *)a);
    json_object_foreach((json_t *)b, key, value)
    {
        if (s->failed)
            break;
        if (!json_object_get(a, key))
            json_object_set(out, key, value);
        else if (strcmp(key, "type") != 0 && strcmp(key, "properties") != 0 && key[0] != '$' &&
                 strcmp(key, "title") != 0 && strcmp(key, "description") != 0 &&
                 strcmp(key, "default") != 0 && strcmp(key, "examples") != 0)
            json_object_set_new(out, key, merge_keyword(s, key, a, b));
    }
    if (!s->failed)
        merge_wholes(s, out, a, b);
    const json_t *kept = schema_keep(s, out);
    return s->failed ? NULL : kept;
}

/* Merges each of allOf into what stands beside it. */
static const json_t *merge_all(struct schema *s, const json_t *schema)
{
    const json_t *all = json_object_get(schema, "allOf");
    json_t *rest = json_copy((json_t *)schema);
    json_object_del(rest, "allOf");
    const json_t *merged = schema_keep(s, rest);
    if (!json_is_array(all)) {
        schema_refuse(s, "allOf", "must be an array of schemas");
        return NULL;
    }
    for (size_t i = 0; i < json_array_size(all) && merged; i++)
        merged = schema_merge(s, merged, json_array_get(all, i));
    return merged;
}

const json_t *schema_resolve(struct schema *s, const json_t *schema)
{
    if (s->depth == SCHEMA_DEPTH) {
        schema_refuse(s, "$ref", "refers to itself, or nested too deep (limit %d)", SCHEMA_DEPTH);
        return NULL;
    }
    if (s->work++ > SCHEMA_WORK) {
        schema_refuse(s, "schema", "too large");
        return NULL;
    }
    s->depth++;
    const json_t *ref = json_object_get(schema, "$ref");
    if (!json_is_object(schema) && !json_is_boolean(schema)) {
        schema_refuse(s, "schema", "must be an object or true");
        schema = NULL;
    } else if (ref) {
        json_t *rest = json_copy((json_t *)schema);
        json_object_del(rest, "$ref");
        const json_t *kept = schema_keep(s, rest), *target = kept ? schema_find(s, ref) : NULL;
        schema = target ? schema_merge(s, kept, target) : NULL;
    } else if (json_object_get(schema, "allOf")) {
        schema = merge_all(s, schema);
    }
    s->depth--;
    return schema;
}

/* Telling apart */

/* The only values that a schema allows: an enum, or an array of the const; or NULL. New. */
static json_t *values_of(const json_t *schema)
{
    json_t *one = json_object_get(schema, "const"), *many = json_object_get(schema, "enum");
    return one ? json_pack("[O]", one) : json_incref(many);
}

static bool types_exclude(struct schema *s, const json_t *a, const json_t *b)
{
    bool typed = json_object_get(a, "type") && json_object_get(b, "type");
    return typed && !s->failed && (schema_types(s, a) & schema_types(s, b)) == 0;
}

/* No value of a's is one that b's type or list has. */
static bool values_exclude(struct schema *s, const json_t *a, const json_t *b)
{
    json_t *mine = values_of(a), *theirs = values_of(b);
    bool exclude = json_is_array(mine);
    unsigned types = json_object_get(b, "type") ? schema_types(s, b) : TYPE_ALL;
    for (size_t i = 0; exclude && i < json_array_size(mine); i++) {
        const json_t *value = json_array_get(mine, i);
        bool listed = !theirs;
        for (size_t k = 0; k < json_array_size(theirs); k++) {
            const json_t *other = json_array_get(theirs, k);
            listed = listed || json_equal(value, other) ||
                     (json_is_number(value) && json_is_number(other) &&
                      json_number_value(value) == json_number_value(other));
        }
        exclude = !listed || !(schema_type_of(value) & types);
        if (json_is_real(value) && types & TYPE_INTEGER && !theirs)
            exclude = false; /* 1.0 is an integer too */
    }
    json_decref(mine);
    json_decref(theirs);
    return exclude;
}

static bool requires(const json_t *schema, const char *name)
{
    const json_t *required = json_object_get(schema, "required");
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *one = json_string_value(json_array_get(required, i));
        if (one && strcmp(one, name) == 0)
            return true;
    }
    return false;
}

/* Both are objects only, and one requires a property that the other has
 * otherwise, or cannot have. */
static bool properties_exclude(struct schema *s, const json_t *a, const json_t *b)
{
    const json_t *theirs = json_object_get(b, "properties");
    const char *key;
    json_t *value;
    if (!json_object_get(a, "type") || !json_object_get(b, "type") ||
        schema_types(s, a) != TYPE_OBJECT || schema_types(s, b) != TYPE_OBJECT)
        return false;
    json_object_foreach(json_object_get(a, "properties"), key, value)
    {
        const json_t *other = json_object_get(theirs, key);
        if (requires(a, key) && !other && json_is_false(json_object_get(b, "additionalProperties")))
            return true;
        if (other && requires(a, key) && requires(b, key) && schema_disjoint(s, value, other))
            return true;
    }
    return false;
}

bool schema_disjoint(struct schema *s, const json_t *a, const json_t *b)
{
    if (!(a = schema_resolve(s, a)) || !(b = schema_resolve(s, b)))
        return false;
    if (json_is_false(a) || json_is_false(b))
        return true;
    if (!json_is_object(a) || !json_is_object(b) || s->depth == SCHEMA_DEPTH)
        return false;
    s->depth++;
    bool disjoint = types_exclude(s, a, b) || values_exclude(s, a, b) || values_exclude(s, b, a) ||
                    properties_exclude(s, a, b) || properties_exclude(s, b, a);
    s->depth--;
    return disjoint && !s->failed;
}
