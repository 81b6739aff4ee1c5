/* safetensors.c - see safetensors.h. */
#include "file/safetensors.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/filekind.h"

enum { LENGTH_BYTES = 8, MAX_HEADER = 100000000, MAX_TENSORS = 65536, MAX_NAME = 256 };

struct reader {
    struct safetensors *s;
    size_t room; /* bytes of data in the file */
    char *err;
    size_t errlen;
};

static int refuse(const struct reader *r, const char *name, const char *reason)
{
    char shown[80];
    snprintf(r->err, r->errlen, "%s: %s",
             gguf_print(shown, sizeof shown, (struct gguf_string){name, strlen(name)}), reason);
    return -1;
}

/* The header as JSON, or NULL with err set. */
static json_t *read_header(const struct reader *r, size_t *n_out)
{
    struct safemap *file = &r->s->file;
    uint64_t n;
    json_error_t error;

    if (file->size < LENGTH_BYTES) {
        snprintf(r->err, r->errlen, "truncated at byte %zu", file->size);
        return NULL;
    }
    if (safemap_read(file, LENGTH_BYTES, r->err, r->errlen) != 0)
        return NULL;
    memcpy(&n, file->bytes, sizeof n);
    if (n > MAX_HEADER || n > file->size - LENGTH_BYTES) {
        size_t seen = file->size < FILEKIND_BYTES ? file->size : FILEKIND_BYTES;
        const char *kind = safemap_read(file, seen, r->err, r->errlen) == 0
                               ? filekind_name(file->bytes, seen)
                               : NULL;
        if (kind)
            snprintf(r->err, r->errlen, "this is %s, not a model", kind);
        else
            snprintf(r->err, r->errlen, "header: too long (got %" PRIu64 ", limit %zu bytes)", n,
                     file->size - LENGTH_BYTES < MAX_HEADER ? file->size - LENGTH_BYTES
                                                            : (size_t)MAX_HEADER);
        return NULL;
    }
    if (safemap_read(file, LENGTH_BYTES + n, r->err, r->errlen) != 0)
        return NULL;
    const char *text = (const char *)file->bytes + LENGTH_BYTES;
    json_t *json = n > 0 && text[0] == '{' ? json_loadb(text, n, JSON_REJECT_DUPLICATES, &error)
                                           : NULL;
    if (!json)
        snprintf(r->err, r->errlen, "header: not a JSON object");
    *n_out = n;
    return json;
}

/* The bytes of an element; 0: not a type for weights. */
static size_t read_type(const char *name, enum quant_type *out)
{
    static const struct {
        const char *name;
        enum quant_type type;
        size_t bytes;
    } known[] = {{"F32", QUANT_F32, 4}, {"F16", QUANT_F16, 2}, {"BF16", QUANT_BF16, 2}};
    for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0) {
            *out = known[i].type;
            return known[i].bytes;
        }
    return 0;
}

static int read_shape(const struct reader *r, const char *name, const json_t *shape,
                      struct gguf_tensor *t)
{
    size_t n = json_array_size(shape);
    if (!json_is_array(shape) || n < 1 || n > 2)
        return refuse(r, name, "shape: not of one or two dimensions");
    t->n_dims = (int)n;
    for (int i = 0; i < 4; i++)
        t->dim[i] = 1;
    for (size_t i = 0; i < n; i++) {
        const json_t *dim = json_array_get(shape, n - 1 - i);
        json_int_t value = json_integer_value(dim);
        if (!json_is_integer(dim) || value < 1 || value > INT32_MAX)
            return refuse(r, name, "shape: out of range");
        t->dim[i] = value;
    }
    return 0;
}

/* begin and end against the shape; *begin tells where it lies. */
static int read_place(const struct reader *r, const char *name, const json_t *offsets,
                      size_t element, struct gguf_tensor *t, size_t *begin)
{
    const json_t *first = json_array_get(offsets, 0), *second = json_array_get(offsets, 1);
    json_int_t from = json_integer_value(first), to = json_integer_value(second);

    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(second) ||
        from < 0 || to < from || (uint64_t)to > r->room)
        return refuse(r, name, "data_offsets: not a stretch of the file");
    t->bytes = (size_t)(to - from);
    /* Dimensions are below 2^31, so that their product fits. */
    if ((uint64_t)t->dim[0] * (uint64_t)t->dim[1] > SIZE_MAX / element ||
        (uint64_t)t->dim[0] * (uint64_t)t->dim[1] * element != t->bytes)
        return refuse(r, name, "data_offsets: not what the shape takes");
    *begin = (size_t)from;
    return 0;
}

static int read_tensor(const struct reader *r, const char *name, const json_t *from,
                       struct gguf_tensor *t, size_t *begin)
{
    size_t element = read_type(json_string_value(json_object_get(from, "dtype")), &t->type);

    if (strlen(name) == 0 || strlen(name) > MAX_NAME)
        return refuse(r, name, "not a possible name");
    if (element == 0)
        return refuse(r, name, "dtype: not supported (supported: F32 F16 BF16)");
    if (read_shape(r, name, json_object_get(from, "shape"), t) != 0)
        return -1;
    return read_place(r, name, json_object_get(from, "data_offsets"), element, t, begin);
}

/* A tensor and where it begins, for putting them in order. */
struct placed {
    size_t begin, end;
    const char *name;
};

static int by_begin(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* The data is covered by the tensors, one after the other, to its end. */
static int check_cover(const struct reader *r, struct placed *placed, size_t n)
{
    size_t end = 0;
    qsort(placed, n, sizeof *placed, by_begin);
    for (size_t i = 0; i < n; i++) {
        if (placed[i].begin != end)
            return refuse(r, placed[i].name, "data_offsets: a hole or an overlap before it");
        end = placed[i].end;
    }
    if (end == r->room)
        return 0;
    snprintf(r->err, r->errlen, "data: not what the header describes (got %zu bytes, limit %zu)",
             r->room, end);
    return -1;
}

static int check_metadata(const struct reader *r, json_t *metadata)
{
    const char *key;
    json_t *value;
    if (metadata && !json_is_object(metadata))
        return refuse(r, "__metadata__", "not an object");
    json_object_foreach(metadata, key, value) if (!json_is_string(value)) return refuse(
        r, "__metadata__", "something in it is no string");
    return 0;
}

static int read_tensors(const struct reader *r, json_t *header, size_t data_start,
                        struct placed *placed)
{
    struct safetensors *s = r->s;
    char *at = s->names;
    const char *name;
    json_t *from;

    json_object_foreach(header, name, from)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        struct gguf_tensor *t = &s->tensors[s->n_tensors];
        struct placed *p = &placed[s->n_tensors];
        if (read_tensor(r, name, from, t, &p->begin) != 0)
            return -1;
        if ((data_start + p->begin) % quant_row_bytes(t->type, 1) != 0)
            return refuse(r, name, "data_offsets: not aligned to its numbers");
        size_t len = strlen(name);
        t->name = (struct gguf_string){memcpy(at, name, len + 1), len};
        t->data = s->file.bytes + data_start + p->begin;
        p->end = p->begin + t->bytes;
        p->name = at;
        at += len + 1;
        s->n_tensors++;
    }
    return check_cover(r, placed, s->n_tensors);
}

/* Room for as many tensors, and their names, as the header can hold. */
static int read_all(struct reader *r, json_t *header, size_t n)
{
    size_t count = json_object_size(header), data_start = LENGTH_BYTES + n;
    struct placed *placed = calloc(count + 1, sizeof *placed);
    int result = -1;

    r->s->tensors = calloc(count + 1, sizeof *r->s->tensors);
    r->s->names = malloc(n + count + 1);
    r->room = r->s->file.size - data_start;
    if (count > MAX_TENSORS)
        snprintf(r->err, r->errlen, "header: too many tensors (got %zu, limit %d)", count,
                 MAX_TENSORS);
    else if (!placed || !r->s->tensors || !r->s->names)
        snprintf(r->err, r->errlen, "out of memory for the header");
    else if (check_metadata(r, json_object_get(header, "__metadata__")) == 0 &&
             read_tensors(r, header, data_start, placed) == 0)
        result = safemap_map(&r->s->file, data_start, r->err, r->errlen);
    free(placed);
    return result;
}

int safetensors_open(struct safetensors *s, const char *path, char *err, size_t errlen)
{
    struct reader r = {.s = s, .err = err, .errlen = errlen};
    size_t n;

    *s = (struct safetensors){.file.fd = -1};
    if (safemap_open(&s->file, path, err, errlen) != 0)
        return -1;
    json_t *header = read_header(&r, &n);
    int result = header ? read_all(&r, header, n) : -1;
    json_decref(header);
    if (result != 0)
        safetensors_close(s);
    return result;
}

void safetensors_close(struct safetensors *s)
{
    free(s->tensors);
    free(s->names);
    safemap_close(&s->file);
    *s = (struct safetensors){.file.fd = -1};
}
