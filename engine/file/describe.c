/* describe.c - GGUF values to JSON values. */
#include "file/describe.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <utf8proc.h>

#include "file/gguf.h"
#include "quant.h"

enum { SHOWN_ELEMENTS = 16 };

/* The bytes as UTF-8, each invalid one replaced by U+FFFD; NULL: out of memory. */
static char *make_utf8(struct gguf_string s, size_t *len_out)
{
    static const char replacement[] = "\xef\xbf\xbd";
    char *out = malloc(3 * s.len + 1), *end = out;

    if (!out)
        return NULL;
    for (size_t i = 0; i < s.len;) {
        utf8proc_int32_t codepoint;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)s.data + i,
                                              (utf8proc_ssize_t)(s.len - i), &codepoint);
        bool valid = n > 0;
        size_t taken = valid ? (size_t)n : 1, written = valid ? taken : 3;
        memcpy(end, valid ? s.data + i : replacement, written);
        end += written;
        i += taken;
    }
    *end = '\0';
    *len_out = (size_t)(end - out);
    return out;
}

static json_t *string(struct gguf_string s)
{
    size_t len;
    char *text = make_utf8(s, &len);
    json_t *json = text ? json_stringn_nocheck(text, len) : NULL;
    free(text);
    return json;
}

static json_t *unsigned_number(uint64_t u)
{
    if (u <= INT64_MAX)
        return json_integer((json_int_t)u);
    return json_sprintf("%" PRIu64, u);
}

static json_t *real(double f)
{
    if (isfinite(f))
        return json_real(f);
    return json_string(isnan(f) ? "NaN" : f > 0 ? "Infinity" : "-Infinity");
}

/* The shortest decimal that is this float, so that 1e-6 shows as such and not as its double. */
static json_t *short_real(float f)
{
    char text[32];
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)f);
        if (strtof(text, NULL) == f)
            break;
    }
    return isfinite(f) ? json_real(strtod(text, NULL)) : real((double)f);
}

static json_t *scalar(enum gguf_type type, const union gguf_value *v)
{
    switch (type) {
    case GGUF_U8:
    case GGUF_U16:
    case GGUF_U32:
    case GGUF_U64: return unsigned_number(v->u);
    case GGUF_I8:
    case GGUF_I16:
    case GGUF_I32:
    case GGUF_I64: return json_integer(v->i);
    case GGUF_F32: return short_real((float)v->f);
    case GGUF_F64: return real(v->f);
    case GGUF_BOOL: return json_boolean(v->u != 0);
    case GGUF_STRING: return string(v->s);
    case GGUF_ARRAY: break;
    }
    return NULL;
}

static json_t *elements(const struct gguf_array *a, uint64_t n)
{
    json_t *list = json_array();
    const void *at = a->data;

    for (uint64_t i = 0; i < n; i++) {
        union gguf_value element = gguf_next_element(a->type, &at);
        if (json_array_append_new(list, scalar(a->type, &element)) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *array(const struct gguf_array *a)
{
    if (a->count <= SHOWN_ELEMENTS)
        return elements(a, a->count);
    return json_pack("{s:I, s:o}", "length", (json_int_t)a->count, "first",
                     elements(a, SHOWN_ELEMENTS));
}

static json_t *metadata(const struct gguf *g)
{
    json_t *object = json_object();

    for (size_t i = 0; i < gguf_n_keys(g); i++) {
        const struct gguf_key *k = gguf_key_at(g, i);
        size_t len;
        char *name = make_utf8(k->name, &len);
        json_t *value = k->type == GGUF_ARRAY ? array(&k->value.a) : scalar(k->type, &k->value);
        int failed = name ? json_object_set_new_nocheck(object, name, value) : -1;
        if (!name)
            json_decref(value);
        free(name);
        if (failed) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *tensor(const struct gguf_tensor *t)
{
    json_t *shape = json_array();
    for (int i = 0; i < t->n_dims; i++)
        json_array_append_new(shape, json_integer(t->dim[i]));
    return json_pack("{s:o, s:s, s:o, s:I}", "name", string(t->name), "type",
                     quant_info(t->type)->name, "shape", shape, "bytes", (json_int_t)t->bytes);
}

static json_t *tensors(const struct gguf *g)
{
    json_t *list = json_array();

    for (size_t i = 0; i < gguf_n_tensors(g); i++) {
        if (json_array_append_new(list, tensor(gguf_tensor_at(g, i))) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

char *describe_model(const struct gguf *g)
{
    json_t *json = json_pack("{s:o, s:o}", "metadata", metadata(g), "tensors", tensors(g));
    char *text = json ? json_dumps(json, JSON_REAL_PRECISION(15)) : NULL;
    json_decref(json);
    return text;
}
