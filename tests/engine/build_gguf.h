/* build_gguf.h - GGUF files in memory, whole or damaged, for tests.
 *
 * Keys first, then tensors, then build_finish; after that any field can be found by its name and
 * set to any value. Fields of the file: "magic", "version", "n_tensors", "n_keys"; of a key or
 * tensor X:
 *     X:name_len  X:type  X:value                           value = that of a number, bool
 *     X:len  X:data                                         of a string
 *     X:element_type  X:count  X:data                       of an array; data = its first element
 *     X:n_dims  X:dim0 ... X:dim3  X:tensor_type  X:offset  X:data
 * Anything wrong here is a bug of the test: it fails at once. */
#ifndef TESTS_ENGINE_BUILD_GGUF_H
#define TESTS_ENGINE_BUILD_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/file/gguf.h"

struct build_field {
    char name[96];
    size_t offset, width; /* width 0: bytes without a number, as of data */
    bool in_data;
};

struct build {
    unsigned char *bytes; /* the file, once finished */
    size_t size;
    uint32_t alignment;  /* of the data; 32 unless set before the first tensor */
    const char *without; /* a key or tensor that is left out, or NULL; set before it comes */

    /* Private. */
    size_t capacity;
    uint64_t n_keys, n_tensors, data_bytes;
    struct build_field *fields;
    size_t n_fields;
};

void build_init(struct build *b);
void build_done(struct build *b);

/* A scalar's value is in the member of its type: u (also bool), i or f. */
void build_scalar(struct build *b, const char *key, enum gguf_type type, union gguf_value value);
void build_u32(struct build *b, const char *key, uint32_t value);
void build_f32(struct build *b, const char *key, float value);
void build_string(struct build *b, const char *key, const char *value);
void build_bytes(struct build *b, const char *key, const void *value, size_t len); /* a string */
void build_strings(struct build *b, const char *key, const char *const *values, size_t n);
void build_array(struct build *b, const char *key, enum gguf_type type, const void *values,
                 size_t n);

/* Places the tensor after the one before. Its data is 1.0f, over and over. */
void build_tensor(struct build *b, const char *name, enum quant_type type, int n_dims,
                  const int64_t *dims);

/* Writes counts, padding and data. */
void build_finish(struct build *b);

/* After build_finish. */
const struct build_field *build_field(const struct build *b, const char *name);
void build_set(struct build *b, const char *field, uint64_t value);
void build_truncate(struct build *b, size_t size);

/* The keys and tensors of a model that binds: 2 layers, 16 wide, 2 heads of 8 over 1
 * key/value head, FFN of 32, 8 tokens, F32. qwen2 has biases and an output matrix; llama
 * is tied and scaled. */
void build_model_keys(struct build *b, const char *architecture);
void build_model_tensors(struct build *b, const char *architecture);
void build_model(struct build *b, const char *architecture); /* from build_init to build_finish */

/* Parses the file where it is; the test fails when it is refused. */
struct gguf *build_parse(const struct build *b);

#endif
