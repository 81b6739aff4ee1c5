/*
 * highlight.h: syntax highlighting: comments, strings, numbers and keywords. One lexer function
 * with a table for each language; good enough to read by, no more.
 */
#ifndef UI_HIGHLIGHT_H
#define UI_HIGHLIGHT_H

#include <stddef.h>
#include <stdint.h>

struct language;

/* By what follows ``` ("c", "python", "sh" ...), letter case aside; NULL: none of ours. */
const struct language *highlight_language(const char *name, size_t len);

/*
 * The end of the token at pos < len of a line, and its enum style. *state carries what is open from
 * line to line (a comment, a string of several lines); 0 at the start.
 */
size_t highlight_next(const struct language *language, uint8_t *state, const char *line, size_t len,
                      size_t pos, uint8_t *style_out);

#endif
