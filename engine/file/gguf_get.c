/* gguf_get.c - typed reading of keys that were parsed, and strings for messages.
 *
 * Uses only the public half of gguf.h. A wrong type is an error: nothing is cast. */
#include "file/gguf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *gguf_type_name(enum gguf_type type)
{
    static const char *const names[] = {
        [GGUF_U8] = "u8",         [GGUF_I8] = "i8",       [GGUF_U16] = "u16", [GGUF_I16] = "i16",
        [GGUF_U32] = "u32",       [GGUF_I32] = "i32",     [GGUF_F32] = "f32", [GGUF_BOOL] = "bool",
        [GGUF_STRING] = "string", [GGUF_ARRAY] = "array", [GGUF_U64] = "u64", [GGUF_I64] = "i64",
        [GGUF_F64] = "f64",
    };
    return names[type];
}

size_t gguf_type_bytes(enum gguf_type type)
{
    static const unsigned char bytes[] = {
        [GGUF_U8] = 1,  [GGUF_I8] = 1,     [GGUF_U16] = 2,   [GGUF_I16] = 2, [GGUF_U32] = 4,
        [GGUF_I32] = 4, [GGUF_F32] = 4,    [GGUF_BOOL] = 1,  [GGUF_U64] = 8, [GGUF_I64] = 8,
        [GGUF_F64] = 8, [GGUF_STRING] = 0, [GGUF_ARRAY] = 0,
    };
    return bytes[type];
}

const char *gguf_print(char *buf, size_t size, struct gguf_string s)
{
    size_t used = 0, cut = 0; /* cut: the last place where dots would fit */

    for (size_t i = 0; i < s.len; i++) {
        unsigned char byte = (unsigned char)s.data[i];
        bool plain = byte >= 0x20 && byte < 0x7f;
        size_t width = plain ? 1 : 4;
        if (used + sizeof "..." <= size)
            cut = used;
        if (used + width + 1 > size) {
            snprintf(buf + cut, size - cut, "...");
            return buf;
        }
        snprintf(buf + used, size - used, plain ? "%c" : "\\x%02x", byte);
        used += width;
    }
    buf[used] = '\0';
    return buf;
}

static int wrong_type(const struct gguf_key *key, const char *wanted, char *err, size_t errlen)
{
    char name[72];
    bool is_array = key->type == GGUF_ARRAY;
    snprintf(err, errlen, "%s: wrong type (got %s%s, limit %s)",
             gguf_print(name, sizeof name, key->name), is_array ? "array of " : "",
             gguf_type_name(is_array ? key->value.a.type : key->type), wanted);
    return -1;
}

int gguf_get_int(const struct gguf *g, const char *key, int64_t min, int64_t max, int64_t *out,
                 char *err, size_t errlen)
{
    const struct gguf_key *k = gguf_find_key(g, key);
    bool too_large = false;

    if (!k)
        return 0;
    switch (k->type) {
    case GGUF_I8:
    case GGUF_I16:
    case GGUF_I32:
    case GGUF_I64: break;
    case GGUF_U8:
    case GGUF_U16:
    case GGUF_U32:
    case GGUF_U64: too_large = k->value.u > INT64_MAX; break;
    default: return wrong_type(k, "an integer", err, errlen);
    }
    if (too_large) {
        snprintf(err, errlen,
                 "%s: out of range (got %" PRIu64 ", limit %" PRId64 " to %" PRId64 ")", key,
                 k->value.u, min, max);
        return -1;
    }
    if (k->value.i < min || k->value.i > max) {
        snprintf(err, errlen,
                 "%s: out of range (got %" PRId64 ", limit %" PRId64 " to %" PRId64 ")", key,
                 k->value.i, min, max);
        return -1;
    }
    *out = k->value.i;
    return 1;
}

int gguf_get_float(const struct gguf *g, const char *key, double *out, char *err, size_t errlen)
{
    const struct gguf_key *k = gguf_find_key(g, key);
    if (!k)
        return 0;
    if (k->type != GGUF_F32 && k->type != GGUF_F64)
        return wrong_type(k, "f32 or f64", err, errlen);
    *out = k->value.f;
    return 1;
}

int gguf_get_bool(const struct gguf *g, const char *key, bool *out, char *err, size_t errlen)
{
    const struct gguf_key *k = gguf_find_key(g, key);
    if (!k)
        return 0;
    if (k->type != GGUF_BOOL)
        return wrong_type(k, "bool", err, errlen);
    *out = k->value.u != 0;
    return 1;
}

int gguf_get_string(const struct gguf *g, const char *key, struct gguf_string *out, char *err,
                    size_t errlen)
{
    const struct gguf_key *k = gguf_find_key(g, key);
    if (!k)
        return 0;
    if (k->type != GGUF_STRING)
        return wrong_type(k, "string", err, errlen);
    *out = k->value.s;
    return 1;
}

int gguf_get_array(const struct gguf *g, const char *key, enum gguf_type type,
                   struct gguf_array *out, char *err, size_t errlen)
{
    const struct gguf_key *k = gguf_find_key(g, key);
    if (!k)
        return 0;
    if (k->type != GGUF_ARRAY || k->value.a.type != type) {
        char wanted[32];
        snprintf(wanted, sizeof wanted, "array of %s", gguf_type_name(type));
        return wrong_type(k, wanted, err, errlen);
    }
    *out = k->value.a;
    return 1;
}

union gguf_value gguf_next_element(enum gguf_type type, const void **at)
{
    union gguf_value value = {.u = 0};
    size_t n = gguf_type_bytes(type);
    float f;

    if (type == GGUF_STRING) {
        value.s = gguf_next_string(at);
        return value;
    }
    memcpy(&value, *at, n); /* little-endian: the low bytes; the narrow signed ones are extended */
    *at = (const char *)*at + n;
    switch (type) {
    case GGUF_I8: value.i = (int8_t)value.u; break;
    case GGUF_I16: value.i = (int16_t)value.u; break;
    case GGUF_I32: value.i = (int32_t)value.u; break;
    case GGUF_F32:
        memcpy(&f, &value, sizeof f);
        value.f = (double)f;
        break;
    default: break;
    }
    return value;
}

struct gguf_string gguf_next_string(const void **at)
{
    const char *bytes = *at;
    uint64_t len;

    memcpy(&len, bytes, sizeof len);
    *at = bytes + sizeof len + len;
    return (struct gguf_string){.data = bytes + sizeof len, .len = len};
}
