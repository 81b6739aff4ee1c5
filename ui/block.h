/*
 * block.h: a text that grows, laid out as styled screen lines. The one place that knows what Markdown
 * looks like; transcript.c, its only user, sees lines.
 *
 * Each line is laid from a point: a place in the text and what holds there. Lines up to the last
 * settled point cannot change however the text goes on, so after an append only the rest is laid anew,
 * and the outcome is that of laying out the whole.
 */
#ifndef UI_BLOCK_H
#define UI_BLOCK_H

#include "bytes.h"
#include "grid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum block_kind {
    BLOCK_START, /* at the start of a source line: what it is, is still to be seen */
    BLOCK_PARAGRAPH,
    BLOCK_HEADING,
    BLOCK_QUOTE,
    BLOCK_CODE,
};

struct block_point {
    size_t pos;
    enum block_kind kind;
    int indent;     /* of the lines after the first: a list's text hangs */
    bool fenced;    /* between ``` and ``` */
    bool blank_due; /* blank lines were met, one is shown before the next line */
    size_t strong_end, code_end,
        result_end; /* where the open **, ` and \boxed{ close; 0: none is */
};

struct block_span {
    uint32_t end; /* in the line */
    uint8_t style;
};

struct block_line {
    size_t text, span; /* where its text and spans begin */
};

struct block {
    bool plain; /* no Markdown: what a user wrote */
    int width;
    size_t laid; /* bytes of the text */
    struct bytes text;
    struct block_span *spans;
    size_t n_spans, cap_spans;
    struct block_line *lines;
    size_t n_lines, cap_lines;
    struct block_point settled;
    size_t settled_lines;
};

void block_init(struct block *b, bool plain);
void block_done(struct block *b);

/*
 * Brings the lines up to date with the text: the one given before, longer by what was appended, or any
 * width. False: out of memory; the lines there are may be drawn.
 */
bool block_lay(struct block *b, const char *text, size_t len, int width);

/* Draws a line; `flags` is added to its styles (STYLE_MUTED). */
void block_draw(const struct block *b, size_t line, struct grid *g, int row, int col,
                uint8_t flags);

#endif
