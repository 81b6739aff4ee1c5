/*
 * array.h: arrays that grow by an element at a time.
 */
#ifndef UI_TEXT_ARRAY_H
#define UI_TEXT_ARRAY_H

#include <stddef.h>

/*
 * The array of n elements, `size` bytes each, with room for another: itself, or moved and with a
 * larger *cap. NULL: out of memory; the array is as it was.
 */
void *array_grow(void *array, size_t n, size_t *cap, size_t size);

#endif
