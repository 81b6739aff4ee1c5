/* html.h - self-contained pages: their style is in them, and their own policy forbids loading or
 * running anything. Every byte of text is escaped here. */
#ifndef APP_HTML_H
#define APP_HTML_H

#include <stddef.h>

#include "app/str.h"

/* Up to and with <body>. meta and style are our own: they go in as they are. */
void html_begin(struct str *out, const char *title, const char *meta, const char *style);

void html_add(struct str *out, const char *text);
void html_add_text(struct str *out, const char *text, size_t len);

/* A text in Markdown; a text with formulas among its words; a formula without delimiters. They are
 * drawn as on the screen. */
void html_add_markdown(struct str *out, const char *text, size_t len);
void html_add_mixed(struct str *out, const char *text, size_t len);
void html_add_formula(struct str *out, const char *tex);

#endif
