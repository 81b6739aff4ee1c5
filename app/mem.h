/* mem.h - allocation that succeeds, or ends the program.
 *
 * The app's own allocations are small: when one fails, nothing sensible can go on. These restore
 * the terminal, say so in one line and exit with EXIT_DEVICE. Free with free(). */
#ifndef APP_MEM_H
#define APP_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size); /* zeroed */
void *mem_realloc(void *old, size_t size);
char *mem_strdup(const char *text); /* NULL gives NULL */

/* Ends the program. For allocations that failed inside other libraries. */
_Noreturn void mem_fail(void);

#endif
