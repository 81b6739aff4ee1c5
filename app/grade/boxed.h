/* boxed.h - the boxed result of an answer. */
#ifndef APP_GRADE_BOXED_H
#define APP_GRADE_BOXED_H

#include <stdbool.h>
#include <stddef.h>

/* The contents of the text's last \boxed{...} with balanced braces; false: there is none. */
bool boxed_find(const char *text, size_t len, const char **out, size_t *out_len);

#endif
