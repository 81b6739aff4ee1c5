/*
 * outline_line.h: a line of Markdown against what is open before it; of outline.c alone.
 */
#ifndef UI_OUTLINE_LINE_H
#define UI_OUTLINE_LINE_H

#include "outline.h"

#include <stdbool.h>
#include <stddef.h>

enum line_kind {
    LINE_EMPTY,
    LINE_GOES_ON, /* of the block before */
    LINE_STARTS,  /* a block */
};

/*
 * Reads the line [start, end) and brings the state behind it. `table`: the next line makes it a
 * table's header. *text_out: where what is in its containers begins, unless the line is empty.
 */
enum line_kind outline_line(struct outline *o, const char *s, size_t start, size_t end, bool table,
                            size_t *text_out);

/* Whether a line without its newline is the row of dashes under a table's header. */
bool outline_is_delimiter(const struct outline *o, const char *s, size_t start, size_t end);

#endif
