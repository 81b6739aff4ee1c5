/* mem.h - memory that is there, or the program ends.
 *
 * The app's own allocations are small: when one fails nothing sensible can go on. These put the
 * terminal back, say so in one line and end with EXIT_DEVICE. Free with free(). */
#ifndef APP_MEM_H
#define APP_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size); /* zeroed */
void *mem_realloc(void *old, size_t size);
char *mem_strdup(const char *text); /* NULL gives NULL */

/* Memory is out: does not return. For what other libraries fail to allocate. */
_Noreturn void mem_fail(void);

#endif
