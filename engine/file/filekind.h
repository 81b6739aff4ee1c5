/* filekind.h - what a file that is not a model is, by its first bytes: for a message that helps. */
#ifndef ENGINE_FILE_FILEKIND_H
#define ENGINE_FILE_FILEKIND_H

#include <stddef.h>

enum { FILEKIND_BYTES = 512 }; /* as many as it pays to hand over */

/* "an HTML page", "a ZIP archive", ... or NULL when the bytes say nothing. */
const char *filekind_name(const void *bytes, size_t n);

#endif
