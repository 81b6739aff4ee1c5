/* filekind.h - recognises a file that is not a model by its first bytes, so that the message
 * can say what it is. */
#ifndef ENGINE_FILE_FILEKIND_H
#define ENGINE_FILE_FILEKIND_H

#include <stddef.h>

enum { FILEKIND_BYTES = 512 }; /* more are not looked at */

/* "an HTML page", "a ZIP archive", ... or NULL when the bytes say nothing. */
const char *filekind_name(const void *bytes, size_t n);

#endif
