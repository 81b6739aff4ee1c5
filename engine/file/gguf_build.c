/* gguf_build.c - see gguf_build.h. */
#include "file/gguf_build.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 3, N_TENSORS_AT = 8, N_KEYS_AT = 16 };

static void put(struct gguf_build *b, const void *bytes, size_t n)
{
    if (b->failed)
        return;
    if (b->cap - b->size < n) {
        size_t cap = b->cap + b->cap / 2 + n + 4096;
        unsigned char *grown = realloc(b->bytes, cap);
        if (!grown) {
            b->failed = true;
            return;
        }
        b->bytes = grown;
        b->cap = cap;
    }
    if (n > 0)
        memcpy(b->bytes + b->size, bytes, n);
    b->size += n;
}

static void put_u32(struct gguf_build *b, uint32_t value)
{
    put(b, &value, sizeof value);
}

static void put_u64(struct gguf_build *b, uint64_t value)
{
    put(b, &value, sizeof value);
}

void gguf_build_init(struct gguf_build *b)
{
    *b = (struct gguf_build){.n_keys = 0};
    put(b, "GGUF", 4);
    put_u32(b, VERSION);
    put_u64(b, 0); /* tensors and keys: counted at the end */
    put_u64(b, 0);
}

static void put_key(struct gguf_build *b, const char *key, enum gguf_type type)
{
    gguf_build_element_string(b, key, strlen(key));
    put_u32(b, type);
    b->n_keys++;
}

void gguf_build_u32(struct gguf_build *b, const char *key, uint32_t value)
{
    put_key(b, key, GGUF_U32);
    put_u32(b, value);
}

void gguf_build_f32(struct gguf_build *b, const char *key, float value)
{
    put_key(b, key, GGUF_F32);
    put(b, &value, sizeof value);
}

void gguf_build_bool(struct gguf_build *b, const char *key, bool value)
{
    put_key(b, key, GGUF_BOOL);
    put(b, value ? "\1" : "\0", 1);
}

void gguf_build_string(struct gguf_build *b, const char *key, const char *text, size_t len)
{
    put_key(b, key, GGUF_STRING);
    gguf_build_element_string(b, text, len);
}

void gguf_build_array(struct gguf_build *b, const char *key, enum gguf_type type, uint64_t count)
{
    put_key(b, key, GGUF_ARRAY);
    put_u32(b, type);
    put_u64(b, count);
}

void gguf_build_element_string(struct gguf_build *b, const char *text, size_t len)
{
    put_u64(b, len);
    put(b, text, len);
}

void gguf_build_element_i32(struct gguf_build *b, int32_t value)
{
    put(b, &value, sizeof value);
}

/* The bytes from the first element to behind the last. */
static size_t array_bytes(const struct gguf_array *a)
{
    const void *at = a->data;
    if (a->type != GGUF_STRING)
        return (size_t)a->count * gguf_type_bytes(a->type);
    for (uint64_t i = 0; i < a->count; i++)
        gguf_next_string(&at);
    return (size_t)((const char *)at - (const char *)a->data);
}

void gguf_build_key(struct gguf_build *b, const struct gguf_key *key)
{
    const union gguf_value *v = &key->value;
    float narrow = key->type == GGUF_F32 ? (float)v->f : 0;

    gguf_build_element_string(b, key->name.data, key->name.len);
    put_u32(b, key->type);
    b->n_keys++;
    switch (key->type) {
    case GGUF_STRING: gguf_build_element_string(b, v->s.data, v->s.len); break;
    case GGUF_ARRAY:
        put_u32(b, v->a.type);
        put_u64(b, v->a.count);
        put(b, v->a.data, array_bytes(&v->a));
        break;
    case GGUF_F32: put(b, &narrow, sizeof narrow); break;
    default: put(b, v, gguf_type_bytes(key->type)); /* little-endian: the low bytes */
    }
}

void gguf_build_tensor(struct gguf_build *b, const struct gguf_tensor *t, enum quant_type type,
                       uint64_t offset)
{
    gguf_build_element_string(b, t->name.data, t->name.len);
    put_u32(b, (uint32_t)t->n_dims);
    for (int i = 0; i < t->n_dims; i++)
        put_u64(b, (uint64_t)t->dim[i]);
    put_u32(b, type);
    put_u64(b, offset);
    b->n_tensors++;
}

int gguf_build_finish(struct gguf_build *b)
{
    static const unsigned char zeros[GGUF_BUILD_ALIGN];
    put(b, zeros, (GGUF_BUILD_ALIGN - b->size % GGUF_BUILD_ALIGN) % GGUF_BUILD_ALIGN);
    if (b->failed)
        return -1;
    memcpy(b->bytes + N_TENSORS_AT, &b->n_tensors, sizeof b->n_tensors);
    memcpy(b->bytes + N_KEYS_AT, &b->n_keys, sizeof b->n_keys);
    return 0;
}
