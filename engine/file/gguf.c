/* gguf.c - the header's outline, the index of names, and opening.
 *
 * Every byte is reached through a cursor (cursor.h); the entries themselves are read by entry.h.
 * Names are indexed by sorting, not hashing: the worst file is then no slower than any other. */
#include "file/gguf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/cursor.h"
#include "file/entry.h"
#include "file/filekind.h"
#include "file/safemap.h"

enum {
    MAX_ENTRIES = 65536,
    MIN_ALIGNMENT = 8,
    MAX_ALIGNMENT = 65536,
    DEFAULT_ALIGNMENT = 32,
};

struct gguf {
    const unsigned char *bytes;
    size_t size, data_start;

    struct gguf_key *keys;
    struct gguf_tensor *tensors;
    size_t n_keys, n_tensors;
    const struct gguf_string **key_names; /* the first members of keys, sorted */
    const struct gguf_string **tensor_names;

    bool is_file;
    struct safemap file;
    struct gguf_origin origin; /* of an assembled model, which owns its bytes too */
};

/* Names */

static int compare_names(const void *one, const void *other)
{
    const struct gguf_string *a = *(const struct gguf_string *const *)one;
    const struct gguf_string *b = *(const struct gguf_string *const *)other;
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

/* The entry that begins with this name, or NULL. */
static const void *find_name(const struct gguf_string **names, size_t n, const char *name)
{
    const struct gguf_string wanted = {.data = name, .len = strlen(name)};
    const struct gguf_string *key = &wanted;
    const struct gguf_string **found = bsearch(&key, names, n, sizeof *names, compare_names);
    return found ? *found : NULL;
}

static int check_magic(struct cursor *c)
{
    size_t n = c->size < FILEKIND_BYTES ? c->size : FILEKIND_BYTES;
    const unsigned char *bytes = cursor_take(c, n);
    char magic[24];

    if (!bytes)
        return -1;
    c->pos = 4;
    if (n >= 4 && memcmp(bytes, "GGUF", 4) == 0)
        return 0;
    const char *kind = filekind_name(bytes, n);
    if (kind)
        return cursor_refuse(c, "this is %s, not a model", kind);
    struct gguf_string got = {.data = (const char *)bytes, .len = n < 4 ? n : 4};
    return cursor_refuse(c, "this is not a GGUF model (got %s, limit GGUF)",
                         gguf_print(magic, sizeof magic, got));
}

static int check_version(struct cursor *c)
{
    uint32_t version;

    c->place.part = "version";
    if (cursor_take_u32(c, &version) != 0)
        return -1;
    if (version != 0 && (version & 0xffff) == 0)
        return cursor_refuse(
            c, "big-endian files are not supported (got %" PRIu32 ", limit 2 to 3)", version);
    if (version < 2 || version > 3)
        return cursor_refuse(c, "not supported (got %" PRIu32 ", limit 2 to 3)", version);
    return 0;
}

static int take_count(struct cursor *c, const char *part, size_t entry_bytes, size_t *out)
{
    uint64_t count;

    c->place.part = part;
    if (cursor_take_u64(c, &count) != 0)
        return -1;
    uint64_t room = (c->size - c->pos) / entry_bytes;
    uint64_t limit = room < MAX_ENTRIES ? room : MAX_ENTRIES;
    if (count > limit)
        return cursor_refuse(c, "too many for this file (got %" PRIu64 ", limit %" PRIu64 ")",
                             count, limit);
    *out = count;
    return 0;
}

/* Sorts n names and refuses one that is there twice. */
static int index_names(struct cursor *c, const char *kind, const struct gguf_string **names,
                       size_t n)
{
    qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 1; i < n; i++) {
        if (compare_names(&names[i - 1], &names[i]) == 0) {
            c->place = (struct place){.kind = kind, .name = *names[i]};
            return cursor_refuse(c, "%s stands in the file twice", kind);
        }
    }
    return 0;
}

static int take_keys(struct cursor *c, struct gguf *g)
{
    for (size_t i = 0; i < g->n_keys; i++) {
        c->place = (struct place){.kind = "key", .index = i};
        if (entry_take_key(c, &g->keys[i]) != 0)
            return -1;
        g->key_names[i] = &g->keys[i].name;
    }
    return index_names(c, "key", g->key_names, g->n_keys);
}

static int take_tensors(struct cursor *c, struct gguf *g, size_t alignment)
{
    uint64_t end = 0;

    for (size_t i = 0; i < g->n_tensors; i++) {
        c->place = (struct place){.kind = "tensor", .index = i};
        if (entry_take_tensor(c, &g->tensors[i], alignment, &end) != 0)
            return -1;
        g->tensor_names[i] = &g->tensors[i].name;
    }
    return index_names(c, "tensor", g->tensor_names, g->n_tensors);
}

static int find_alignment(struct cursor *c, const struct gguf *g, size_t *out)
{
    const struct gguf_key *key = gguf_find_key(g, "general.alignment");

    *out = DEFAULT_ALIGNMENT;
    if (!key)
        return 0;
    c->place = (struct place){.kind = "key", .name = key->name};
    if (key->type != GGUF_U32)
        return cursor_refuse(c, "wrong type (got %s, limit u32)", gguf_type_name(key->type));
    uint64_t n = key->value.u;
    if (n < MIN_ALIGNMENT || n > MAX_ALIGNMENT || (n & (n - 1)) != 0)
        return cursor_refuse(c, "not a power of two in range (got %" PRIu64 ", limit %d to %d)", n,
                             MIN_ALIGNMENT, MAX_ALIGNMENT);
    *out = n;
    return 0;
}

/* Places the tensors' data, now that its start is known: one after the other, padded. */
static int place_tensors(struct cursor *c, struct gguf *g, size_t alignment)
{
    size_t start = entry_padded(c->pos, alignment), offset = 0;

    g->data_start = start < g->size ? start : g->size;
    size_t room = g->size - g->data_start;
    for (size_t i = 0; i < g->n_tensors; i++) {
        struct gguf_tensor *t = &g->tensors[i];
        c->place = (struct place){.kind = "tensor", .name = t->name, .part = "data"};
        if (offset > room || t->bytes > room - offset)
            return cursor_refuse(c,
                                 "truncated at byte %zu (got %zu bytes at offset %zu, limit %zu)",
                                 g->size, t->bytes, offset, room);
        t->data = g->bytes + g->data_start + offset;
        offset += entry_padded(t->bytes, alignment);
    }
    return 0;
}

static int alloc_entries(struct cursor *c, struct gguf *g)
{
    /* One more than needed: an empty array is no lack of memory. */
    g->keys = calloc(g->n_keys + 1, sizeof *g->keys);
    g->key_names = calloc(g->n_keys + 1, sizeof *g->key_names);
    g->tensors = calloc(g->n_tensors + 1, sizeof *g->tensors);
    g->tensor_names = calloc(g->n_tensors + 1, sizeof *g->tensor_names);
    if (!g->keys || !g->key_names || !g->tensors || !g->tensor_names)
        return cursor_refuse(c, "out of memory for the entries");
    return 0;
}

static int take_header(struct cursor *c, struct gguf *g)
{
    size_t alignment;

    g->bytes = c->bytes;
    g->size = c->size;
    if (check_magic(c) != 0 || check_version(c) != 0 ||
        take_count(c, "n_tensors", ENTRY_TENSOR_MIN, &g->n_tensors) != 0 ||
        take_count(c, "n_keys", ENTRY_KEY_MIN, &g->n_keys) != 0 || alloc_entries(c, g) != 0)
        return -1;
    if (take_keys(c, g) != 0 || find_alignment(c, g, &alignment) != 0 ||
        take_tensors(c, g, alignment) != 0)
        return -1;
    return place_tensors(c, g, alignment);
}

/* Opening */

static struct gguf *new_gguf(char *err, size_t errlen)
{
    struct gguf *g = calloc(1, sizeof *g);
    if (!g)
        snprintf(err, errlen, "out of memory for the header");
    return g;
}

int gguf_parse(struct gguf **out, const void *bytes, size_t size, char *err, size_t errlen)
{
    struct cursor c = {.bytes = bytes, .size = size, .err = err, .errlen = errlen};

    *out = new_gguf(err, errlen);
    if (!*out)
        return -1;
    if (take_header(&c, *out) != 0) {
        gguf_close(*out);
        *out = NULL;
        return -1;
    }
    return 0;
}

static int open_file(struct gguf *g, const char *path, char *err, size_t errlen)
{
    if (safemap_open(&g->file, path, err, errlen) != 0)
        return -1;
    g->is_file = true;
    struct cursor c = {.bytes = g->file.bytes,
                       .size = g->file.size,
                       .file = &g->file,
                       .err = err,
                       .errlen = errlen};
    return take_header(&c, g) == 0 ? safemap_map(&g->file, g->data_start, err, errlen) : -1;
}

int gguf_open(struct gguf **out, const char *path, char *err, size_t errlen)
{
    *out = new_gguf(err, errlen);
    if (!*out)
        return -1;
    if (open_file(*out, path, err, errlen) != 0) {
        gguf_close(*out);
        *out = NULL;
        return -1;
    }
    return 0;
}

/* Replaces the header's tensors, of which there are none, by those given. */
static int adopt_tensors(struct gguf *g, const struct gguf_parts *parts, char *err, size_t errlen)
{
    struct cursor c = {.err = err, .errlen = errlen};
    free(g->tensors);
    free(g->tensor_names);
    g->n_tensors = parts->n_tensors;
    g->tensors = calloc(g->n_tensors + 1, sizeof *g->tensors);
    g->tensor_names = calloc(g->n_tensors + 1, sizeof *g->tensor_names);
    if (!g->tensors || !g->tensor_names)
        return cursor_refuse(&c, "out of memory for the entries");
    for (size_t i = 0; i < g->n_tensors; i++) {
        g->tensors[i] = parts->tensors[i];
        g->tensor_names[i] = &g->tensors[i].name;
    }
    return index_names(&c, "tensor", g->tensor_names, g->n_tensors);
}

int gguf_assemble(struct gguf **out, const struct gguf_parts *parts, char *err, size_t errlen)
{
    if (gguf_parse(out, parts->header, parts->header_bytes, err, errlen) != 0) {
        free(parts->header);
        parts->origin.close(parts->origin.self);
        return -1;
    }
    (*out)->origin = parts->origin;
    if (adopt_tensors(*out, parts, err, errlen) == 0)
        return 0;
    gguf_close(*out);
    *out = NULL;
    return -1;
}

void gguf_close(struct gguf *g)
{
    if (!g)
        return;
    free(g->keys);
    free(g->key_names);
    free(g->tensors);
    free(g->tensor_names);
    if (g->is_file)
        safemap_close(&g->file);
    if (g->origin.close) {
        g->origin.close(g->origin.self);
        free((void *)g->bytes);
    }
    free(g);
}

bool gguf_changed(const struct gguf *g)
{
    if (g->origin.changed)
        return g->origin.changed(g->origin.self);
    return g->is_file && safemap_changed(&g->file);
}

const void *gguf_span(const struct gguf *g, size_t i, size_t *size_out)
{
    if (i > 0)
        return g->origin.span ? g->origin.span(g->origin.self, i - 1, size_out) : NULL;
    *size_out = g->size;
    return g->bytes;
}

bool gguf_is_mapped(const struct gguf *g)
{
    return g->is_file || g->origin.span;
}

size_t gguf_data_start(const struct gguf *g)
{
    return g->data_start;
}

size_t gguf_n_keys(const struct gguf *g)
{
    return g->n_keys;
}

const struct gguf_key *gguf_key_at(const struct gguf *g, size_t i)
{
    return &g->keys[i];
}

const struct gguf_key *gguf_find_key(const struct gguf *g, const char *name)
{
    return find_name(g->key_names, g->n_keys, name);
}

size_t gguf_n_tensors(const struct gguf *g)
{
    return g->n_tensors;
}

const struct gguf_tensor *gguf_tensor_at(const struct gguf *g, size_t i)
{
    return &g->tensors[i];
}

const struct gguf_tensor *gguf_find_tensor(const struct gguf *g, const char *name)
{
    return find_name(g->tensor_names, g->n_tensors, name);
}
