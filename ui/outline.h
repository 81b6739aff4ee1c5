/*
 * outline.h: cuts Markdown into pieces that can be parsed one by one, in order, as it streams.
 *
 * A piece is a paragraph, a heading, a fence, a table, an item's text. What is open where it begins
 * (the quotes and items around it, a fence or table that goes on) is written as Markdown again, so
 * that a parser given that and the piece sees what it would have seen in the whole. A block too
 * long for one piece is cut where it is least seen. Where cuts are depends on the text before them
 * and on the two lines behind them, never on the pace at which the text came.
 */
#ifndef UI_OUTLINE_H
#define UI_OUTLINE_H

#include "bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OUTLINE_DEPTH = 32,   /* quotes and items in one another; deeper ones are text */
    OUTLINE_PIECE = 8192, /* bytes from where on a piece is cut */
    OUTLINE_SPAN = 17000, /* more than the longest formula has */
};

/* A quote ('>') or an item of a list ('-', '+', '*', or what follows its number: '.', ')'). */
struct outline_open {
    char mark;
    uint8_t indent, content; /* columns before the marker, and up to the text */
    uint8_t digits;
    uint32_t number;
};

enum outline_leaf { LEAF_NONE, LEAF_TEXT, LEAF_FENCE, LEAF_TABLE };

/* What is open at a place. */
struct outline {
    struct outline_open open[OUTLINE_DEPTH];
    int depth;
    enum outline_leaf leaf;
    bool blank;   /* the line before is empty */
    bool bare;    /* the line before opens an item and holds nothing else */
    bool in_line; /* the place is within a line */
    char fence;   /* its character */
    uint8_t fence_indent;
    uint32_t fence_len;
    size_t fence_info, table; /* where the info, and the header's row, are in the text */
};

struct outline_piece {
    struct outline before, after;
    size_t start, end;
    size_t text;  /* where the text of a paragraph that begins here begins; or SIZE_MAX */
    bool certain; /* however the text goes on, it ends here */
};

/* A part of the text that is no Markdown and is not to be cut: a formula. */
struct outline_span {
    size_t start, end;
    size_t tex, tex_len; /* without its delimiters */
    bool display;
    bool open; /* it goes on at the end of the text */
};
/* The first at or after `from`; false: there is none. */
typedef bool outline_finder(const char *text, size_t len, size_t from, struct outline_span *out);

struct outline_reader {
    const char *text;
    size_t len;
    outline_finder *find;
    struct outline now;
    size_t pos;
    size_t searched;            /* where the search for spans stands, in the piece */
    size_t line, limit;         /* how far one can reach that begins before the end of a line */
    struct outline_span *spans; /* those in the piece */
    size_t n_spans, cap_spans;
    bool failed; /* out of memory */
};

/* The next piece; false: there is only emptiness left. */
bool outline_next(struct outline_reader *r, struct outline_piece *piece);
void outline_done(struct outline_reader *r);

/* Where a line that goes on behind `end` is best cut, after `start`. */
size_t outline_cut(const char *text, size_t start, size_t end);

/* Appends Markdown that leaves a parser in the state `o`; its text is one placeholder or none. */
bool outline_context(const struct outline *o, const char *text, size_t len, struct bytes *out);

#endif
