/*
 * bytes.c: a growable byte string.
 */
#include "text/bytes.h"

#include <stdlib.h>
#include <string.h>

bool bytes_reserve(struct bytes *b, size_t n)
{
    if (n < b->cap && b->len < b->cap - n)
        return true;
    if (n >= (size_t)-1 / 4 || b->len >= (size_t)-1 / 4)
        return false;
    size_t cap = (b->len + n + 1) * 3 / 2;
    if (cap < 64)
        cap = 64;
    char *data = realloc(b->data, cap);
    if (!data)
        return false;
    b->data = data;
    b->cap = cap;
    b->data[b->len] = '\0';
    return true;
}

bool bytes_add(struct bytes *b, const char *s, size_t n)
{
    return bytes_splice(b, b->len, 0, s, n);
}

bool bytes_splice(struct bytes *b, size_t pos, size_t del, const char *s, size_t n)
{
    if (!bytes_reserve(b, n))
        return false;
    memmove(b->data + pos + n, b->data + pos + del, b->len - pos - del);
    if (n > 0)
        memcpy(b->data + pos, s, n);
    b->len = b->len - del + n;
    b->data[b->len] = '\0';
    return true;
}

void bytes_cut(struct bytes *b, size_t len)
{
    if (len >= b->len)
        return;
    b->len = len;
    b->data[len] = '\0';
}

const char *bytes_string(const struct bytes *b)
{
    return b->data ? b->data : "";
}

void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}
