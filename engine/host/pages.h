/* pages.h - large memory straight from the system: zeroed, aligned, not
 * touched until it is used. */
#ifndef ENGINE_HOST_PAGES_H
#define ENGINE_HOST_PAGES_H

#include <stdbool.h>
#include <stddef.h>

/* `huge` asks for large pages, which long streaming reads benefit from. NULL: out of memory. */
void *pages_map(size_t bytes, bool huge);
void pages_unmap(void *p, size_t bytes); /* NULL is fine */

/* Lets the bytes of a mapped file leave this process's memory; they are read again when touched.
 * Never for anonymous memory: it would be cleared. */
void pages_drop_file(const void *p, size_t bytes);

#endif
