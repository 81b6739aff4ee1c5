/* mem.c - see mem.h. */
#include "app/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/exit.h"
#include "app/signals.h"

void mem_fail(void)
{
    static const char line[] = "duet: memory: exhausted\n";
    signals_restore_screen();
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    _exit(EXIT_DEVICE);
}

void *mem_alloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p)
        mem_fail();
    return p;
}

void *mem_realloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);
    if (!p)
        mem_fail();
    return p;
}

char *mem_strdup(const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(mem_alloc(size), text, size);
}
