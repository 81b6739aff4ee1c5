/*
 * outline.h: splits streamed Markdown into pieces that can be parsed one by one, in order.
 *
 * A piece is a paragraph, a heading, a fence, a table, or the text of a list item. Blocks that are
 * open at its start (quotes and list items around it, a fence or table that continues) are written
 * out as Markdown again, so that a parser given these and the piece sees what it would have seen in
 * the whole. A block too long for one piece is cut where it shows least. Cuts depend only on the
 * text before them and the two lines after, never on how the text was chunked as it arrived.
 */
#ifndef UI_MARKDOWN_OUTLINE_H
#define UI_MARKDOWN_OUTLINE_H

#include "text/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OUTLINE_DEPTH = 32,   /* nesting of quotes and items; deeper ones are plain text */
    OUTLINE_PIECE = 8192, /* size in bytes above which a piece is cut */
    OUTLINE_SPAN = 17000, /* more than the longest formula */
};

/* A quote ('>') or a list item ('-', '+', '*', or the delimiter after its number: '.', ')'). */
struct outline_open {
    char mark;
    uint8_t indent, content; /* columns before the marker, and before the text */
    uint8_t digits;
    uint32_t number;
};

enum outline_leaf { LEAF_NONE, LEAF_TEXT, LEAF_FENCE, LEAF_TABLE };

/* The blocks open at a position. */
struct outline {
    struct outline_open open[OUTLINE_DEPTH];
    int depth;
    enum outline_leaf leaf;
    bool blank;   /* the previous line is blank */
    bool bare;    /* the previous line opens an item and is otherwise empty */
    bool in_line; /* the position is inside a line */
    char fence;   /* fence character */
    uint8_t fence_indent;
    uint32_t fence_len;
    size_t fence_info, table; /* positions in the text: the info string, and the header row */
};

struct outline_piece {
    struct outline before, after;
    size_t start, end;
    size_t text;  /* start of the text of a paragraph that begins here; or SIZE_MAX */
    bool certain; /* ends here whatever text follows */
};

/* A part of the text that is not Markdown and must not be cut: a formula. */
struct outline_span {
    size_t start, end;
    size_t tex, tex_len; /* without its delimiters */
    bool display;
    bool open; /* unclosed at the end of the text */
};
/* The first at or after `from`; false: none. */
typedef bool outline_finder(const char *text, size_t len, size_t from, struct outline_span *out);

struct outline_reader {
    const char *text;
    size_t len;
    outline_finder *find;
    struct outline now;
    size_t pos;
    size_t searched;            /* progress of the search for spans in the piece */
    size_t line, limit;         /* furthest end of a span that begins before the end of a line */
    struct outline_span *spans; /* those in the piece */
    size_t n_spans, cap_spans;
    bool failed; /* out of memory */
};

/* The next piece; false: only white space is left. */
bool outline_next(struct outline_reader *r, struct outline_piece *piece);
void outline_done(struct outline_reader *r);

/* The best place after `start` to cut a line that extends past `end`. */
size_t outline_cut(const char *text, size_t start, size_t end);

/* Appends Markdown that puts a parser into the state `o`; its text is at most one placeholder. */
bool outline_context(const struct outline *o, const char *text, size_t len, struct bytes *out);

#endif
