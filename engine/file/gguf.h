/* gguf.h - the GGUF model file, versions 2 and 3, read through a bounds-checked cursor.
 *
 * Layout (all little-endian; https://github.com/ggml-org/ggml/blob/master/docs/gguf.md):
 *     "GGUF"  u32 version  u64 n_tensors  u64 n_keys
 *     n_keys    x  string key, u32 type, value          string = u64 length, bytes
 *     n_tensors x  string name, u32 n_dims, u64 dim[n_dims], u32 type, u64 offset
 *     padding to `general.alignment` (32), then the tensors' data; offsets count from here
 *
 * gguf_parse takes bytes, so it can be fuzzed without a file; gguf_open takes a file: the header is
 * read into memory, so that what was checked stays as it was, and the tensors' data is mapped
 * (safemap.h). Everything returned points into those bytes and lives as long as the struct. Names
 * are unique, not empty and without NUL. Knows nothing of models: what keys and shapes must be is
 * model.c's and tokenizer.c's business.
 *
 * Limits beyond the format's own, against files made to exhaust: 65,536 keys and as many tensors,
 * names of 65,535 bytes (keys) and 63 (tensors), strings of 16 MiB, arrays of 64 Mi elements, no
 * arrays of arrays, dimensions of 2^40, no holes between tensors. */
#ifndef ENGINE_FILE_GGUF_H
#define ENGINE_FILE_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quant.h"

struct gguf;

/* Bytes of the file: not NUL-terminated, any bytes at all. */
struct gguf_string {
    const char *data;
    size_t len;
};

enum gguf_type {
    GGUF_U8,
    GGUF_I8,
    GGUF_U16,
    GGUF_I16,
    GGUF_U32,
    GGUF_I32,
    GGUF_F32,
    GGUF_BOOL,
    GGUF_STRING,
    GGUF_ARRAY,
    GGUF_U64,
    GGUF_I64,
    GGUF_F64,
};

const char *gguf_type_name(enum gguf_type type); /* "u32", "string" */
size_t gguf_type_bytes(enum gguf_type type);     /* 0 for strings and arrays */

struct gguf_array {
    enum gguf_type type; /* never GGUF_ARRAY */
    uint64_t count;
    const void *data; /* packed, unaligned; of strings: u64 length, bytes, one after the other */
};

union gguf_value {
    uint64_t u; /* the unsigned types and bool */
    int64_t i;
    double f;
    struct gguf_string s;
    struct gguf_array a;
};

struct gguf_key {
    struct gguf_string name;
    enum gguf_type type;
    union gguf_value value;
};

struct gguf_tensor {
    struct gguf_string name;
    int n_dims;     /* 1..4 */
    int64_t dim[4]; /* dim[0] = elements of a row; unused ones are 1 */
    enum quant_type type;
    size_t bytes;
    const void *data; /* aligned to general.alignment within the file */
};

/* The bytes stay the caller's and must outlive *out. 0, or -1 with err set: one line, "FIELD:
 * reason (got G, limit L)", or "reason" where it concerns the whole file. */
int gguf_parse(struct gguf **out, const void *bytes, size_t size, char *err, size_t errlen);

/* The same for a regular file. */
int gguf_open(struct gguf **out, const char *path, char *err, size_t errlen);
void gguf_close(struct gguf *g); /* NULL is fine */

/* A model that is not one file: keys written down as a header, and tensors from elsewhere. */
struct gguf_origin {
    void *self; /* owns the tensors and their names */
    void (*close)(void *self);
    bool (*changed)(const void *self);
    const void *(*span)(const void *self, size_t i, size_t *size); /* its files' bytes, then NULL */
};

struct gguf_parts {
    unsigned char *header; /* with keys and no tensors; from malloc */
    size_t header_bytes;
    const struct gguf_tensor *tensors;
    size_t n_tensors;
    struct gguf_origin origin;
};

/* Takes header and origin over, also when it fails. 0, or -1 with err set. */
int gguf_assemble(struct gguf **out, const struct gguf_parts *parts, char *err, size_t errlen);

/* True once the file is no longer what was opened: written to, truncated, its disk gone. What was
 * computed from its tensors may then be wrong, so ask after a step and before its result is used;
 * costs one system call. Any thread. */
bool gguf_changed(const struct gguf *g);

/* The model's bytes, span by span: of the header and what follows it, then of further files;
 * NULL after the last. */
const void *gguf_span(const struct gguf *g, size_t i, size_t *size_out);
bool gguf_is_mapped(const struct gguf *g);    /* the tensors' data is a file's, not the caller's */
size_t gguf_data_start(const struct gguf *g); /* offset of the tensors' data */

size_t gguf_n_keys(const struct gguf *g);
const struct gguf_key *gguf_key_at(const struct gguf *g, size_t i);
const struct gguf_key *gguf_find_key(const struct gguf *g, const char *name); /* or NULL */

size_t gguf_n_tensors(const struct gguf *g);
const struct gguf_tensor *gguf_tensor_at(const struct gguf *g, size_t i);
const struct gguf_tensor *gguf_find_tensor(const struct gguf *g, const char *name); /* or NULL */

/* Typed reading. 1 = found and stored, 0 = no such key (out untouched), -1 = wrong type or out of
 * range, err set. Integers of any width are accepted where their value fits; nothing is cast. */
int gguf_get_int(const struct gguf *g, const char *key, int64_t min, int64_t max, int64_t *out,
                 char *err, size_t errlen);
int gguf_get_float(const struct gguf *g, const char *key, double *out, char *err, size_t errlen);
int gguf_get_bool(const struct gguf *g, const char *key, bool *out, char *err, size_t errlen);
int gguf_get_string(const struct gguf *g, const char *key, struct gguf_string *out, char *err,
                    size_t errlen);
int gguf_get_array(const struct gguf *g, const char *key, enum gguf_type type,
                   struct gguf_array *out, char *err, size_t errlen);

/* Steps through an array: *at starts as array.data and moves on by one element. The parser has
 * checked that all of them are there. */
union gguf_value gguf_next_element(enum gguf_type type, const void **at);
struct gguf_string gguf_next_string(const void **at);

/* The string for a message: what is not printable ASCII as \xNN, cut short to fit with "...".
 * size >= 4. Returns buf. */
const char *gguf_print(char *buf, size_t size, struct gguf_string s);

#endif
