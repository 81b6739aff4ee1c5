/*
 * markdown.h: a piece of Markdown as lines. md4c says what the text is, this decides how it looks.
 */
#ifndef UI_MARKDOWN_H
#define UI_MARKDOWN_H

#include "lines.h"
#include "outline.h"
#include "table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one piece leaves to the next, besides what is open. */
struct markdown_carry {
    struct table_columns columns;
    uint8_t code_state; /* of the highlighting */
    bool roomy;         /* what was laid last wants room below it */
    bool indented;      /* and it was code by its indentation, each line a piece */
    bool open_text;     /* the last line may be gone on with where a line is cut */
};

/*
 * Appends the lines of the piece that the reader just gave. After a piece that ends
 * within a line, that line is left open. False: out of memory.
 */
bool markdown_lay(struct lines *l, const char *text, const struct outline_reader *reader,
                  const struct outline_piece *piece, int width, struct markdown_carry *carry);

#endif
