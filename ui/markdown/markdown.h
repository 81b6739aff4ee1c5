/*
 * markdown.h: lays out a piece of Markdown as lines. md4c parses, this decides on the presentation.
 */
#ifndef UI_MARKDOWN_MARKDOWN_H
#define UI_MARKDOWN_MARKDOWN_H

#include "markdown/lines.h"
#include "markdown/outline.h"
#include "markdown/table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* State carried from one piece to the next, apart from open blocks. */
struct markdown_carry {
    struct table_columns columns;
    uint8_t code_state; /* lexer state */
    bool roomy;         /* the last block wants a blank line after it */
    bool indented;      /* it was indented code, one piece per line */
    bool open_text;     /* the last line may continue, as a piece was cut inside it */
};

/*
 * Appends the lines of the piece just read. If the piece ends within a line, that line is left
 * open. False: out of memory.
 */
bool markdown_layout(struct lines *l, const char *text, const struct outline_reader *reader,
                     const struct outline_piece *piece, int width, struct markdown_carry *carry);

#endif
