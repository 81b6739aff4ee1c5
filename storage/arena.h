/*
 * arena.h - memory that is freed all at once: a result list and everything that hangs from it.
 *
 * The first object is the arena: arena_new returns it, arena_alloc takes it, arena_free frees it
 * with all that came after. Memory is zeroed and suits any type. NULL means out of memory.
 */
#ifndef STORAGE_ARENA_H
#define STORAGE_ARENA_H

#include <stddef.h>

void *arena_new(size_t size);
void *arena_alloc(void *first, size_t size);
char *arena_copy(void *first, const char *text, size_t len); /* adds a NUL */
void arena_free(void *first);                                /* NULL is allowed */

/* An array inside the arena with room for one more than `count`; the old one when it has it. */
void *arena_grow(void *first, void *array, size_t count, size_t item_size);

#endif
