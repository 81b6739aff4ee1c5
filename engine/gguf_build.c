/* gguf_build.c - see gguf_build.h. */
#include "gguf_build.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 3, ALIGNMENT = 32, N_KEYS_AT = 16 };

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
    put_u64(b, 0); /* tensors: they come from elsewhere */
    put_u64(b, 0); /* keys: counted at the end */
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

int gguf_build_finish(struct gguf_build *b)
{
    static const unsigned char zeros[ALIGNMENT];
    put(b, zeros, (ALIGNMENT - b->size % ALIGNMENT) % ALIGNMENT);
    if (b->failed)
        return -1;
    memcpy(b->bytes + N_KEYS_AT, &b->n_keys, sizeof b->n_keys);
    return 0;
}
