/*
 * array.c: see array.h.
 */
#include "text/array.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST_CAP = 16 };

void *array_grow(void *array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return array;
    if (*cap > SIZE_MAX / 2 / size)
        return NULL;
    size_t more = *cap ? 2 * *cap : FIRST_CAP;
    void *grown = realloc(array, more * size);
    if (grown)
        *cap = more;
    return grown;
}
