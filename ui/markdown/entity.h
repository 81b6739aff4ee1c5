/*
 * entity.h: HTML's character references, which Markdown allows in text.
 */
#ifndef UI_MARKDOWN_ENTITY_H
#define UI_MARKDOWN_ENTITY_H

#include <stddef.h>

enum { ENTITY_MAX = 4 };

/* Decodes "&amp;" or "&#38;" to UTF-8; returns its length, 0: unknown reference. */
size_t entity_decode(const char *s, size_t len, char out[ENTITY_MAX]);

#endif
