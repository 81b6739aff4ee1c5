/*
 * highlight.h: syntax highlighting of comments, strings, numbers and keywords. One lexer with a
 * table per language; approximate by design.
 */
#ifndef UI_MARKDOWN_HIGHLIGHT_H
#define UI_MARKDOWN_HIGHLIGHT_H

#include <stddef.h>
#include <stdint.h>

struct language;

/* Looks up an info string ("c", "python", "sh" ...), ignoring case; NULL: unknown. */
const struct language *highlight_language(const char *name, size_t len);

/*
 * The end of the token at pos < len of a line, and its enum style. *state carries an open comment
 * or string to the next line; initially 0.
 */
size_t highlight_next(const struct language *language, uint8_t *state, const char *line, size_t len,
                      size_t pos, uint8_t *style_out);

#endif
