/* schema_object.c - objects and arrays of a schema.
 *
 * An object is a row of rules, two for each property ("property i comes next, or a later one"):
 * one for when nothing was written yet, one for when something was, so that a comma is due. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grammar/grammar.h"
#include "grammar/jsontext.h"
#include "grammar/schema_form.h"
#include "text/utf8.h"

enum { MAX_UNIQUE = 8, MAX_NAME = 200 };

int schema_count(struct schema *s, const json_t *schema, const char *keyword, int32_t *out)
{
    const json_t *value = json_object_get(schema, keyword);
    if (!value)
        return 0;
    double n = json_number_value(value);
    if (!json_is_number(value) || n < 0 || n != (double)(int64_t)n)
        return schema_refuse(s, keyword, "must be a whole number from 0 up");
    *out = n < 1e9 ? (int32_t)n : 1000000000;
    return 0;
}

/* Objects */

struct object {
    struct schema *s;
    const json_t *schema, *properties;
    const json_t *others; /* what other properties must conform to; NULL: there are none */
    size_t n;             /* properties, required ones that are not listed included */
    const char **name;    /* [n] */
    const json_t **value; /* [n] */
    bool *required;       /* [n] */
};

static void object_done(struct object *o)
{
    free(o->name);
    free(o->value);
    free(o->required);
}

static int put_property(struct object *o, const char *name, const json_t *value)
{
    o->name[o->n] = name;
    o->value[o->n] = value;
    o->n++;
    return 0;
}

/* A required property that is not listed counts as an additional one. */
static int put_required(struct object *o, const char *name)
{
    char shown[64];
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->name[i], name) == 0) {
            o->required[i] = true;
            return 0;
        }
    if (json_is_false(json_object_get(o->schema, "additionalProperties")))
        return schema_refuse(o->s, "required", "%s is not a property, and no others may be",
                             utf8_escape(shown, sizeof shown, name, strlen(name)));
    const json_t *any = o->others ? o->others : schema_keep(o->s, json_true());
    o->required[o->n] = true;
    return any ? put_property(o, name, any) : REFUSED;
}

static int read_object(struct object *o)
{
    const json_t *properties = json_object_get(o->schema, "properties");
    const json_t *required = json_object_get(o->schema, "required");
    const json_t *others = json_object_get(o->schema, "additionalProperties");
    size_t most = json_object_size(properties) + json_array_size(required) + 1;
    const char *key;
    json_t *value;

    if (properties && !json_is_object(properties))
        return schema_refuse(o->s, "properties", "must be an object");
    if (required && !json_is_array(required))
        return schema_refuse(o->s, "required", "must be an array of names");
    if (others && !json_is_object(others) && !json_is_boolean(others))
        return schema_refuse(o->s, "additionalProperties", "must be a schema");
    if (!others && !properties)
        others = schema_keep(o->s, json_true());
    o->others = json_is_false(others) ? NULL : others;
    o->name = calloc(most, sizeof *o->name);
    o->value = calloc(most, sizeof *o->value);
    o->required = calloc(most, sizeof *o->required);
    if (!o->name || !o->value || !o->required)
        return schema_refuse(o->s, "properties", "out of memory");
    json_object_foreach((json_t *)properties, key, value)
    {
        put_property(o, key, value);
    }
    for (size_t i = 0; i < json_array_size(required); i++) {
        const char *name = json_string_value(json_array_get(required, i));
        if (!name)
            return schema_refuse(o->s, "required", "must be an array of names");
        if (put_required(o, name) != 0)
            return REFUSED;
    }
    return 0;
}

/* An expression used more than once becomes a rule, lest nesting doubles it each time. */
static int as_rule(struct grammar *g, int body)
{
    int rule = grammar_rule(g, NULL);
    grammar_define(g, rule, body);
    return gx_call(g, rule);
}

/* "name": value */
static int property(struct object *o, size_t i)
{
    struct grammar *g = o->s->g;
    json_t *name = json_string(o->name[i]);
    char *text = name ? jsontext_dump(name) : NULL;
    json_decref(name);
    if (!text)
        return schema_refuse(o->s, "properties", "out of memory");
    int value = schema_inner(o->s, o->value[i], "properties", o->name[i]);
    const int parts[] = {gx_string(g, text), gx_string(g, ":"), o->s->blank, value};
    free(text);
    return value == REFUSED ? REFUSED : as_rule(g, gx_seq(g, parts, 4));
}

/* Any name but those from first to last, which are in order and share their first `at` bytes; the
 * rest of it, with the closing quote. */
static int other_name(struct object *o, const struct gx_word *names, size_t n, size_t at)
{
    struct grammar *g = o->s->g;
    struct charset other = {0};
    size_t cap = n + 3, n_parts = 0, first = 0;
    int *parts = malloc(cap * sizeof *parts), id = REFUSED;
    bool is_name = n > 0 && names[0].len == at;
    if (!parts)
        return schema_refuse(o->s, "additionalProperties", "out of memory");
    for (first = is_name; first < n && !o->s->failed;) {
        size_t last = first, len;
        int32_t c = utf8_decode(names[first].text + at, names[first].len - at, &len);
        while (last + 1 < n && names[last + 1].len >= at + len &&
               memcmp(names[last + 1].text + at, names[first].text + at, len) == 0)
            last++;
        struct charset one = {0};
        charset_add(&one, c, c);
        charset_add(&other, c, c);
        int head = jsontext_char(g, &one);
        charset_done(&one);
        int rest = other_name(o, names + first, last - first + 1, at + len);
        parts[n_parts++] = gx_two(g, head, rest);
        first = last + 1;
    }
    charset_finish(&other);
    charset_invert(&other);
    struct charset all = {0};
    charset_add(&all, 0, CHARSET_LAST);
    const int free_name[] = {jsontext_char(g, &other),
                             gx_repeat(g, jsontext_char(g, &all), 0, GX_FOREVER),
                             gx_string(g, "\"")};
    charset_done(&all);
    charset_done(&other);
    parts[n_parts++] = gx_seq(g, free_name, 3);
    if (!is_name)
        parts[n_parts++] = gx_string(g, "\"");
    if (!o->s->failed)
        id = gx_alt(g, parts, n_parts);
    free(parts);
    return id;
}

static int by_name(const void *a, const void *b)
{
    const struct gx_word *x = a, *y = b;
    return strcmp(x->text, y->text);
}

/* A property that is not listed, once; -1 where there is none, and after a refusal. */
static int other_property(struct object *o)
{
    struct grammar *g = o->s->g;
    struct gx_word *names = calloc(o->n + 1, sizeof *names);
    if (!names)
        return schema_refuse(o->s, "additionalProperties", "out of memory");
    for (size_t i = 0; i < o->n; i++) {
        names[i] = (struct gx_word){o->name[i], strlen(o->name[i])};
        if (names[i].len > MAX_NAME)
            schema_refuse(o->s, "additionalProperties", "beside a name of over %d bytes", MAX_NAME);
    }
    qsort(names, o->n, sizeof *names, by_name);
    int name = o->n > 0 && !o->s->failed
                   ? gx_two(g, gx_string(g, "\""), other_name(o, names, o->n, 0))
                   : schema_any_string(o->s);
    free(names);
    int value = schema_inner(o->s, o->others, "additionalProperties", NULL);
    const int parts[] = {name, gx_string(g, ":"), o->s->blank, value};
    return value == REFUSED ? REFUSED : as_rule(g, gx_seq(g, parts, 4));
}

/* minProperties and maxProperties are supported only where all properties are of one kind. */
static int check_counts(struct object *o, int32_t *min, int32_t *max)
{
    size_t n_required = 0;
    if (schema_count(o->s, o->schema, "minProperties", min) != 0 ||
        schema_count(o->s, o->schema, "maxProperties", max) != 0)
        return REFUSED;
    for (size_t i = 0; i < o->n; i++)
        n_required += o->required[i];
    if ((size_t)*min > n_required)
        return schema_refuse(o->s, "minProperties", "more than are required: not supported");
    if (*max < GX_FOREVER && (o->n > 0 ? o->others || (size_t)*max < o->n : !o->others))
        return schema_refuse(o->s, "maxProperties", "not together with these properties");
    return 0;
}

/* The end of an object; behind the listed properties come others. */
static int object_end(struct object *o, bool begun, int32_t max)
{
    struct grammar *g = o->s->g;
    int close = gx_string(g, "}");
    int end = begun ? gx_two(g, o->s->space, close) : close;
    if (!o->others || max == 0)
        return end;
    int one = other_property(o);
    if (one == REFUSED)
        return REFUSED;
    const int more[] = {gx_string(g, ","), o->s->space, one};
    int rest = gx_repeat(g, gx_seq(g, more, 3), 0, max == GX_FOREVER || begun ? max : max - 1);
    if (begun)
        return gx_two(g, rest, end);
    const int some[] = {o->s->space, one, rest, o->s->space, close};
    return gx_or(g, close, gx_seq(g, some, 5));
}

int schema_object(struct schema *s, const json_t *schema)
{
    struct object o = {.s = s, .schema = schema};
    struct grammar *g = s->g;
    int32_t min = 0, max = GX_FOREVER;
    int fresh = REFUSED, begun = REFUSED;
    if (read_object(&o) == 0 && check_counts(&o, &min, &max) == 0) {
        fresh = object_end(&o, false, max);
        begun = o.n > 0 ? object_end(&o, true, max) : fresh;
    }
    for (size_t i = o.n; i-- > 0 && !s->failed;) {
        if (json_is_false(o.value[i]) && !o.required[i])
            continue; /* nothing may stand in it */
        int one = property(&o, i), next = as_rule(g, begun);
        const int first[] = {s->space, one, next};
        const int later[] = {gx_string(g, ","), s->space, one, next};
        int now = gx_seq(g, first, 3), after = gx_seq(g, later, 4);
        fresh = o.required[i] ? now : gx_or(g, now, fresh);
        begun = o.required[i] ? after : gx_or(g, after, next);
    }
    object_done(&o);
    return s->failed ? REFUSED : gx_two(g, gx_string(g, "{"), fresh);
}

/* Arrays */

struct array {
    int32_t min, max;
    size_t n_prefix;
    int *prefix; /* [n_prefix] */
    int item;    /* behind them; -1: none */
};

/* The items from `from` on, the first of them without a comma where nothing came before. */
static int array_rest(struct schema *s, const struct array *a, size_t from)
{
    struct grammar *g = s->g;
    int end = gx_two(g, from > 0 ? s->space : gx_empty(g), gx_string(g, "]"));
    int32_t done = (int32_t)from;
    if (a->item < 0 || done >= a->max)
        return end;
    const int more[] = {gx_string(g, ","), s->space, a->item};
    int comma_item = gx_seq(g, more, 3);
    if (from > 0)
        return gx_two(g,
                      gx_repeat(g, comma_item, a->min > done ? a->min - done : 0,
                                a->max == GX_FOREVER ? GX_FOREVER : a->max - done),
                      end);
    const int some[] = {s->space, a->item,
                        gx_repeat(g, comma_item, a->min > 1 ? a->min - 1 : 0,
                                  a->max == GX_FOREVER ? GX_FOREVER : a->max - 1),
                        s->space, gx_string(g, "]")};
    int filled = gx_seq(g, some, 5);
    return a->min > 0 ? filled : gx_or(g, filled, end);
}

/* Prefix items may be left out from the end, as far as minItems allows. */
static int array_of(struct schema *s, const struct array *a)
{
    struct grammar *g = s->g;
    size_t n = a->n_prefix < (size_t)a->max ? a->n_prefix : (size_t)a->max;
    int rest = array_rest(s, a, n);
    for (size_t i = n; i-- > 0;) {
        const int parts[] = {gx_string(g, i > 0 ? "," : ""), s->space, a->prefix[i], rest};
        rest = gx_seq(g, parts, 4);
        if ((int32_t)i >= a->min) {
            int end = gx_two(g, i > 0 ? s->space : gx_empty(g), gx_string(g, "]"));
            rest = gx_or(g, rest, end);
        }
        rest = as_rule(g, rest);
    }
    return gx_two(g, gx_string(g, "["), rest);
}

static bool same_value(const json_t *a, const json_t *b)
{
    return json_equal(a, b) ||
           (json_is_number(a) && json_is_number(b) && json_number_value(a) == json_number_value(b));
}

/* The enum's values that the items' type allows; NULL where there is no enum. */
static const json_t *values_of(struct schema *s, const json_t *items)
{
    items = items ? schema_resolve(s, items) : NULL;
    const json_t *values = json_object_get(items, "enum");
    unsigned types = json_object_get(items, "type") ? schema_types(s, items) : TYPE_ALL;
    json_t *allowed = json_array();
    for (size_t i = 0; i < json_array_size(values); i++)
        if (schema_type_of(json_array_get(values, i)) & types)
            json_array_append(allowed, json_array_get(values, i));
    schema_keep(s, allowed);
    return values && !s->failed ? allowed : NULL;
}

/* Different values of an enum: a rule for each set of those that are left. */
static int unique_array(struct schema *s, const json_t *values, struct array *a)
{
    struct grammar *g = s->g;
    int n = (int)json_array_size(values), rules[1 << MAX_UNIQUE], value[MAX_UNIQUE];
    for (int i = 0; i < n; i++) {
        value[i] = jsontext_value(g, json_array_get(values, (size_t)i));
        for (int k = 0; k < i; k++)
            if (same_value(json_array_get(values, (size_t)i), json_array_get(values, (size_t)k)))
                return schema_refuse(s, "uniqueItems", "an enum with a value twice");
    }
    if (a->min > n)
        return schema_refuse(s, "minItems", "more than there are different values");
    for (int left = 0; left < 1 << n; left++)
        rules[left] = grammar_rule(g, NULL);
    for (int left = 0; left < 1 << n; left++) {
        int parts[MAX_UNIQUE + 1], done = n, n_parts = 0;
        for (int i = 0; i < n; i++)
            done -= left >> i & 1;
        for (int i = 0; i < n && done < a->max; i++) {
            const int one[] = {gx_string(g, done > 0 ? "," : ""), s->space, value[i],
                               gx_call(g, rules[left & ~(1 << i)])};
            if (left >> i & 1)
                parts[n_parts++] = gx_seq(g, one, 4);
        }
        if (done >= a->min)
            parts[n_parts++] = gx_two(g, done > 0 ? s->space : gx_empty(g), gx_string(g, "]"));
        grammar_define(g, rules[left], gx_alt(g, parts, (size_t)n_parts));
    }
    return gx_two(g, gx_string(g, "["), gx_call(g, rules[(1 << n) - 1]));
}

static int read_unique(struct schema *s, const json_t *schema, struct array *a)
{
    const json_t *items = json_object_get(schema, "items");
    const json_t *values = values_of(s, items);
    if (s->failed)
        return REFUSED;
    if (!values || json_object_get(schema, "prefixItems"))
        return schema_refuse(s, "uniqueItems", "only for items of an enum");
    if (json_array_size(values) == 0 || json_array_size(values) > MAX_UNIQUE)
        return schema_refuse(s, "uniqueItems", "only for an enum of at most %d values", MAX_UNIQUE);
    if (schema_inner(s, items, "items", NULL) == REFUSED)
        return REFUSED;
    return unique_array(s, values, a);
}

static int read_prefix(struct schema *s, const json_t *prefix, struct array *a)
{
    char number[24];
    a->n_prefix = json_array_size(prefix);
    if (prefix && !json_is_array(prefix))
        return schema_refuse(s, "prefixItems", "must be an array of schemas");
    a->prefix = calloc(a->n_prefix + 1, sizeof *a->prefix);
    if (!a->prefix)
        return schema_refuse(s, "prefixItems", "out of memory");
    for (size_t i = 0; i < a->n_prefix && !s->failed; i++) {
        snprintf(number, sizeof number, "%zu", i);
        a->prefix[i] = schema_inner(s, json_array_get(prefix, i), "prefixItems", number);
    }
    return s->failed ? REFUSED : 0;
}

int schema_array(struct schema *s, const json_t *schema)
{
    const json_t *items = json_object_get(schema, "items");
    const json_t *prefix = json_object_get(schema, "prefixItems");
    struct array a = {.max = GX_FOREVER, .item = -1};
    int id = REFUSED;
    if (schema_count(s, schema, "minItems", &a.min) != 0 ||
        schema_count(s, schema, "maxItems", &a.max) != 0)
        return REFUSED;
    if (a.max < a.min)
        return schema_refuse(s, "maxItems", "less than minItems");
    if (json_is_true(json_object_get(schema, "uniqueItems")) && a.max > 1)
        return read_unique(s, schema, &a);
    bool closed = json_is_false(items) || (prefix && !items);
    bool wanted = a.max > (int32_t)json_array_size(prefix);
    if (read_prefix(s, prefix, &a) == 0 && !closed && wanted)
        a.item = as_rule(s->g, items ? schema_inner(s, items, "items", NULL) : schema_any(s));
    if (!s->failed && a.item < 0 && a.min > (int32_t)a.n_prefix)
        schema_refuse(s, "minItems", "more than there can be");
    if (!s->failed)
        id = array_of(s, &a);
    free(a.prefix);
    return id;
}
