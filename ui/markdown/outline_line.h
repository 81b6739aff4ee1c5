/*
 * outline_line.h: reads a line of Markdown in the context of the open blocks; private to outline.c.
 */
#ifndef UI_MARKDOWN_OUTLINE_LINE_H
#define UI_MARKDOWN_OUTLINE_LINE_H

#include "markdown/outline.h"

#include <stdbool.h>
#include <stddef.h>

enum line_kind {
    LINE_EMPTY,
    LINE_CONTINUES, /* the previous block */
    LINE_STARTS,    /* a block */
};

/*
 * Reads the line [start, end) and updates the state to after it. `table`: the next line is a
 * delimiter row. *text_out: start of the text inside the containers, unless the line is blank.
 */
enum line_kind outline_line(struct outline *o, const char *s, size_t start, size_t end, bool table,
                            size_t *text_out);

/* Whether a line without its newline is the delimiter row of a table. */
bool outline_is_delimiter(const struct outline *o, const char *s, size_t start, size_t end);

#endif
