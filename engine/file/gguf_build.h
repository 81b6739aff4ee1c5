/* gguf_build.h - writes the header of a GGUF file; see gguf.h for the layout.
 *
 * Keys, then tensors, then gguf_build_finish, which fills in the counts and pads; the
 * tensors' data follows, each padded to GGUF_BUILD_ALIGN. A failed allocation sticks and is
 * reported at the end. */
#ifndef ENGINE_FILE_GGUF_BUILD_H
#define ENGINE_FILE_GGUF_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file/gguf.h"

enum { GGUF_BUILD_ALIGN = 32 };

struct gguf_build {
    unsigned char *bytes; /* the header so far; free() it, or take it after finish */
    size_t size;

    /* Private. */
    size_t cap;
    uint64_t n_keys, n_tensors;
    bool failed;
};

void gguf_build_init(struct gguf_build *b);

void gguf_build_u32(struct gguf_build *b, const char *key, uint32_t value);
void gguf_build_f32(struct gguf_build *b, const char *key, float value);
void gguf_build_bool(struct gguf_build *b, const char *key, bool value);
void gguf_build_string(struct gguf_build *b, const char *key, const char *text, size_t len);

/* An array: its head, then `count` elements, each by gguf_build_element_*. */
void gguf_build_array(struct gguf_build *b, const char *key, enum gguf_type type, uint64_t count);
void gguf_build_element_string(struct gguf_build *b, const char *text, size_t len);
void gguf_build_element_i32(struct gguf_build *b, int32_t value);

/* A key as another file has it. */
void gguf_build_key(struct gguf_build *b, const struct gguf_key *key);

/* Name, shape and type of a tensor whose data begins so many bytes into the data. */
void gguf_build_tensor(struct gguf_build *b, const struct gguf_tensor *t, enum quant_type type,
                       uint64_t offset);

/* 0, or -1: memory ran out. */
int gguf_build_finish(struct gguf_build *b);

#endif
