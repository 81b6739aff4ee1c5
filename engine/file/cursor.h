/* cursor.h - reading little-endian values from bytes that may be anything.
 *
 * The position moves only through cursor_take, which compares lengths before it adds anything. A
 * refusal names the place that was being read, which the reader of a format keeps up to date as it
 * goes. A cursor over a file asks safemap.h for the bytes it comes to. */
#ifndef ENGINE_FILE_CURSOR_H
#define ENGINE_FILE_CURSOR_H

#include <stddef.h>
#include <stdint.h>

#include "file/gguf.h"
#include "file/safemap.h"

/* What is being read, for messages: "key 7: name" until the name is known, then "NAME: part"; all
 * empty is the file as a whole. */
struct place {
    const char *kind; /* "key", "tensor", or NULL where there are parts only */
    uint64_t index;
    struct gguf_string name; /* empty until it is known */
    const char *part;        /* or NULL */
};

struct cursor {
    const unsigned char *bytes;
    size_t size, pos;
    struct safemap *file; /* or NULL: all the bytes are there */
    struct place place;
    char *err;
    size_t errlen;
};

/* Writes "PLACE: message" to err. Always -1, for return. */
__attribute__((format(printf, 2, 3))) int cursor_refuse(struct cursor *c, const char *format, ...);

/* The next n bytes, or NULL with err set. */
const unsigned char *cursor_take(struct cursor *c, uint64_t n);

/* 0, or -1 with err set and *out untouched. */
int cursor_take_u32(struct cursor *c, uint32_t *out);
int cursor_take_u64(struct cursor *c, uint64_t *out);
int cursor_take_string(struct cursor *c, uint64_t max, struct gguf_string *out); /* u64 length */

#endif
