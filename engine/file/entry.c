/* entry.c - the grammar of keys and tensors.
 *
 * `c->place` is kept at what is being read, so that every refusal names it. */
#include "file/entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "GGUF files are read in place, which needs a little-endian machine"
#endif

#define MAX_DIM (UINT64_C(1) << 40)

enum {
    MAX_KEY_NAME = 65535,
    MAX_TENSOR_NAME = 63,
    MAX_STRING = 16 << 20,
    MAX_ELEMENTS = 64 << 20,
};

static int take_name(struct cursor *c, uint64_t max)
{
    struct gguf_string name;

    c->place.part = "name";
    if (cursor_take_string(c, max, &name) != 0)
        return -1;
    if (name.len == 0)
        return cursor_refuse(c, "empty (got 0 bytes, limit 1 to %" PRIu64 ")", max);
    if (memchr(name.data, '\0', name.len))
        return cursor_refuse(c, "holds a NUL byte");
    c->place.name = name;
    c->place.part = NULL;
    return 0;
}

/* Keys */

static int take_scalar(struct cursor *c, struct gguf_key *key)
{
    const void *at = cursor_take(c, gguf_type_bytes(key->type));

    if (!at)
        return -1;
    key->value = gguf_next_element(key->type, &at);
    if (key->type == GGUF_BOOL && key->value.u > 1)
        return cursor_refuse(c, "not a bool (got %" PRIu64 ", limit 0 to 1)", key->value.u);
    return 0;
}

static int take_array(struct cursor *c, struct gguf_array *out)
{
    uint32_t type;
    uint64_t count;

    if (cursor_take_u32(c, &type) != 0)
        return -1;
    if (type == GGUF_ARRAY)
        return cursor_refuse(c, "array of arrays (got type %" PRIu32 ", limit other types)", type);
    if (type > GGUF_F64)
        return cursor_refuse(c, "unknown type of elements (got %" PRIu32 ", limit %d)", type,
                             GGUF_F64);
    if (cursor_take_u64(c, &count) != 0)
        return -1;
    if (count > MAX_ELEMENTS)
        return cursor_refuse(c, "too many elements (got %" PRIu64 ", limit %d)", count,
                             MAX_ELEMENTS);

    *out = (struct gguf_array){.type = type, .count = count, .data = c->bytes + c->pos};
    if (type != GGUF_STRING)
        return cursor_take(c, count * gguf_type_bytes(type)) ? 0 : -1;
    for (uint64_t i = 0; i < count; i++) {
        struct gguf_string element;
        if (cursor_take_string(c, MAX_STRING, &element) != 0)
            return -1;
    }
    return 0;
}

int entry_take_key(struct cursor *c, struct gguf_key *key)
{
    uint32_t type;

    if (take_name(c, MAX_KEY_NAME) != 0)
        return -1;
    key->name = c->place.name;
    c->place.part = "type";
    if (cursor_take_u32(c, &type) != 0)
        return -1;
    if (type > GGUF_F64)
        return cursor_refuse(c, "unknown (got %" PRIu32 ", limit %d)", type, GGUF_F64);
    key->type = type;

    c->place.part = NULL;
    switch (key->type) {
    case GGUF_STRING: return cursor_take_string(c, MAX_STRING, &key->value.s);
    case GGUF_ARRAY: return take_array(c, &key->value.a);
    default: return take_scalar(c, key);
    }
}

/* Tensors */

static int refuse_type(struct cursor *c, uint32_t type)
{
    char supported[128] = "";
    const char *name = quant_type_name(type);

    for (uint32_t i = 0; i <= QUANT_BF16; i++) {
        const struct quant_info *info = quant_info(i);
        size_t len = strlen(supported);
        if (info)
            snprintf(supported + len, sizeof supported - len, "%s%s", len ? " " : "", info->name);
    }
    if (!name)
        return cursor_refuse(c, "unknown type (got %" PRIu32 ", limit %s)", type, supported);
    return cursor_refuse(c, "type %s is not supported (supported: %s)", name, supported);
}

static int take_shape(struct cursor *c, struct gguf_tensor *t)
{
    uint32_t n_dims;

    c->place.part = "n_dims";
    if (cursor_take_u32(c, &n_dims) != 0)
        return -1;
    if (n_dims < 1 || n_dims > 4)
        return cursor_refuse(c, "out of range (got %" PRIu32 ", limit 1 to 4)", n_dims);
    t->n_dims = (int)n_dims;

    for (int i = 0; i < 4; i++) {
        static const char *const parts[] = {"dim 0", "dim 1", "dim 2", "dim 3"};
        uint64_t dim = 1;
        c->place.part = parts[i];
        if (i < t->n_dims && cursor_take_u64(c, &dim) != 0)
            return -1;
        if (dim < 1 || dim > MAX_DIM)
            return cursor_refuse(c, "out of range (got %" PRIu64 ", limit 1 to %" PRIu64 ")", dim,
                                 MAX_DIM);
        t->dim[i] = (int64_t)dim;
    }
    return 0;
}

/* The type, and with it the size. */
static int take_type(struct cursor *c, struct gguf_tensor *t)
{
    uint32_t type;

    c->place.part = NULL;
    if (cursor_take_u32(c, &type) != 0)
        return -1;
    const struct quant_info *info = quant_info(type);
    if (!info)
        return refuse_type(c, type);
    if (t->dim[0] % info->block_elements != 0)
        return cursor_refuse(c,
                             "row is not in blocks of %s (got %" PRId64 ", limit multiples of %d)",
                             info->name, t->dim[0], info->block_elements);
    t->type = type;
    t->bytes = (size_t)(t->dim[0] / info->block_elements) * (size_t)info->block_bytes;
    for (int i = 1; i < t->n_dims; i++) {
        if (__builtin_mul_overflow(t->bytes, (size_t)t->dim[i], &t->bytes))
            return cursor_refuse(c, "size overflows (dim %d is %" PRId64 ")", i, t->dim[i]);
    }
    return 0;
}

int entry_take_tensor(struct cursor *c, struct gguf_tensor *t, size_t alignment, uint64_t *end)
{
    uint64_t offset;

    if (take_name(c, MAX_TENSOR_NAME) != 0)
        return -1;
    t->name = c->place.name;
    if (take_shape(c, t) != 0 || take_type(c, t) != 0)
        return -1;

    c->place.part = "offset";
    if (cursor_take_u64(c, &offset) != 0)
        return -1;
    if (offset % alignment != 0)
        return cursor_refuse(c, "not aligned (got %" PRIu64 ", limit multiples of %zu)", offset,
                             alignment);
    if (offset != *end)
        return cursor_refuse(
            c, "not where the tensor before ends (got %" PRIu64 ", limit %" PRIu64 ")", offset,
            *end);
    if (t->bytes > SIZE_MAX - alignment ||
        __builtin_add_overflow(offset, entry_padded(t->bytes, alignment), end))
        return cursor_refuse(c, "sum of sizes overflows (got %" PRIu64 " + %zu)", offset, t->bytes);
    return 0;
}

size_t entry_padded(size_t n, size_t alignment)
{
    return (n + alignment - 1) / alignment * alignment;
}
