/*
 * block.h: a growing text, laid out as styled screen lines. transcript.c and item.c see lines and
 * nothing of Markdown.
 *
 * Lines up to the last settled point cannot change however the text goes on, so after an append
 * only the rest is laid out again, with the same result as laying out the whole.
 */
#ifndef UI_BLOCK_H
#define UI_BLOCK_H

#include "grid.h"
#include "lines.h"
#include "markdown.h"
#include "outline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A place in the text, what holds there, and the lines before it. */
struct block_point {
    size_t pos;
    struct outline outline;
    struct markdown_carry carry;
    struct lines_mark lines;
};

struct block {
    bool plain; /* no Markdown: what a user wrote */
    int width;
    size_t laid; /* bytes of the text */
    size_t n_lines;
    int shift; /* columns that lines wider than the window are scrolled by */
    struct lines lines;
    struct block_point settled;
};

void block_init(struct block *b, bool plain);
void block_done(struct block *b);

/*
 * Brings the lines up to date with the text: the one given before, longer by what was appended, or
 * any width. False: out of memory; the lines there are may be drawn.
 */
bool block_lay(struct block *b, const char *text, size_t len, int width);

/* Scrolls the lines that are wider than the window; false: that is as far as it goes. */
bool block_scroll(struct block *b, int columns);

/* Draws a line; `flags` is added to its styles (STYLE_MUTED). */
void block_draw(const struct block *b, size_t line, struct grid *g, int row, int col,
                uint8_t flags);

#endif
