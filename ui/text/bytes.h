/*
 * bytes.h: a growable byte string, NUL-terminated once it holds anything.
 */
#ifndef UI_TEXT_BYTES_H
#define UI_TEXT_BYTES_H

#include <stdbool.h>
#include <stddef.h>

struct bytes {
    char *data;
    size_t len, cap;
};

/* Reserves room for n more bytes and the NUL; false: out of memory, nothing changed. */
bool bytes_reserve(struct bytes *b, size_t n);

bool bytes_add(struct bytes *b, const char *s, size_t n);

/* Replaces del bytes at pos with n bytes of s. */
bool bytes_splice(struct bytes *b, size_t pos, size_t del, const char *s, size_t n);

/* Truncates to len bytes. */
void bytes_cut(struct bytes *b, size_t len);

/* The bytes as a string; "": none were added. */
const char *bytes_string(const struct bytes *b);

void bytes_free(struct bytes *b);

#endif
