/* memory.h - how much memory this process may still take. */
#ifndef ENGINE_HOST_MEMORY_H
#define ENGINE_HOST_MEMORY_H

#include <stdint.h>

/* Bytes the system reports as available, within the limits of the process's control group (version
 * 2) and of its address space. UINT64_MAX where neither is known. */
uint64_t cpu_memory_available(void);

#endif
