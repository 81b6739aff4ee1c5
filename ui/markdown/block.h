/*
 * block.h: a growing text, laid out as styled screen lines. Keeps transcript.c and item.c free of
 * Markdown.
 *
 * Lines up to the last settled point cannot change whatever text follows, so an append lays out
 * only the rest again, with the same result as laying out the whole.
 */
#ifndef UI_MARKDOWN_BLOCK_H
#define UI_MARKDOWN_BLOCK_H

#include "markdown/lines.h"
#include "markdown/markdown.h"
#include "markdown/outline.h"
#include "terminal/grid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A position in the text, the layout state there, and the lines before it. */
struct block_point {
    size_t pos;
    struct outline outline;
    struct markdown_carry carry;
    struct lines_mark lines;
};

struct block {
    bool plain; /* plain text, not Markdown: a user's message */
    int width;
    size_t laid; /* length of the text in bytes */
    size_t n_lines;
    int shift; /* horizontal scroll of overlong lines, in columns */
    struct lines lines;
    struct block_point settled;
};

/* `strikes`: the terminal can strike text through. */
void block_init(struct block *b, bool plain, bool strikes);
void block_done(struct block *b);

/*
 * Updates the lines for the text, which must extend the one given before, and for any width. False:
 * out of memory; the existing lines can still be drawn.
 */
bool block_layout(struct block *b, const char *text, size_t len, int width);

/* Scrolls overlong lines sideways; false: already at the limit. */
bool block_scroll(struct block *b, int columns);

/* Draws a line; `flags` is OR-ed into its styles (STYLE_MUTED). */
void block_draw(const struct block *b, size_t line, struct grid *g, int row, int col,
                uint8_t flags);

#endif
