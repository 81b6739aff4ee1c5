/*
 * lines.h: styled lines, and breaking text into them. Knows nothing of what the text means.
 *
 * Lines are appended and can be truncated to an earlier mark, so the end of a growing text is laid
 * out repeatedly while the rest stays.
 */
#ifndef UI_MARKDOWN_LINES_H
#define UI_MARKDOWN_LINES_H

#include "terminal/theme.h"
#include "text/bytes.h"
#include "text/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINES_MARGIN_MAX = 64, /* margin entries kept; deeper ones take no columns */
    LINES_LABEL_MAX = 16,
    LINES_TAB = 4,
};

struct line_span {
    uint32_t end; /* in the line */
    uint8_t style;
};

struct line {
    size_t text, span; /* where its text and spans begin */
    uint32_t width;    /* width of a line that is too wide and scrolls; 0: it fits */
    uint16_t fixed;    /* width of the margin, which does not scroll */
};

struct lines {
    struct bytes text;
    struct line_span *spans;
    size_t n_spans, cap_spans;
    struct line *lines;
    size_t n, cap;
    uint32_t widest; /* of those that scroll */
    bool failed;     /* out of memory */
    bool strikes;    /* STYLE_STRUCK can be seen */

    bool open; /* a line is open: */
    size_t line_text, line_span;
    int col, fixed;
};

/* The margin of a block: quote bars, list markers and the indentation that follows them. */
struct margin_entry {
    char label[LINES_LABEL_MAX]; /* shown once, on the next line, in place of the indentation */
    uint8_t label_style;
    int columns;
    bool bar;
    bool fresh; /* not shown on any line yet */
};

struct margin {
    struct margin_entry entries[LINES_MARGIN_MAX];
    int n; /* may exceed the entries kept */
};

void lines_free(struct lines *l);

/* Where the text and the spans of line n end. */
size_t lines_text_end(const struct lines *l, size_t n);
size_t lines_span_end(const struct lines *l, size_t n);

/* A position to return to, including the open line. */
struct lines_mark {
    size_t n, text, span;
    bool open;
    size_t line_text, line_span;
    int col, fixed;
};

struct lines_mark lines_mark(const struct lines *l);
void lines_rewind(struct lines *l, const struct lines_mark *mark);

/* Reopens the last line for appending. */
void lines_reopen(struct lines *l);

void lines_begin(struct lines *l, struct margin *margin); /* margin NULL: none */
void lines_put(struct lines *l, const char *s, size_t n, int columns, uint8_t style);
/* Appends one cluster; of excess combining marks only the drawn ones are kept. */
void lines_cluster(struct lines *l, const char *s, const struct text_cluster *c, uint8_t style);
void lines_label(struct lines *l, const char *label, uint8_t style);
void lines_spaces(struct lines *l, int n, uint8_t style);
void lines_end(struct lines *l);

/* Ends a line; it scrolls if it is wider than the window. */
void lines_end_wide(struct lines *l, int width);

/* A blank line between two blocks, with only the outer margin. */
void lines_gap(struct lines *l, struct margin *margin);

/* Adds an entry; one that would leave the text less than half of the width takes no columns. */
void margin_push(struct margin *margin, const struct margin_entry *entry, int width);
void margin_pop(struct margin *margin);
int margin_columns(const struct margin *margin);
bool margin_is_fresh(const struct margin *margin); /* the last entry has not been shown */

/* A run of text in one style. */
enum run_kind {
    RUN_TEXT,
    RUN_ATOM,  /* unbreakable: an inline formula */
    RUN_BREAK, /* a hard line break */
    RUN_BLOCK, /* a block inside a text: a display formula */
};

struct run {
    uint32_t end; /* in the text */
    uint8_t style;
    uint8_t kind;
    uint32_t arg; /* the caller's */
};

struct runs {
    struct bytes text;
    struct run *runs;
    size_t n, cap;
    uint8_t flags; /* of the style of what is added */
};

void runs_free(struct runs *r);
void runs_clear(struct runs *r);
bool runs_add(struct runs *r, const char *s, size_t n, uint8_t style, enum run_kind kind,
              uint32_t arg);

/*
 * Lays out runs from `first` up to a RUN_BLOCK or the end, and returns the index of the run that
 * stopped it. Continues an open line, if any. The last line is ended.
 */
size_t runs_layout(const struct runs *r, size_t first, struct lines *l, struct margin *margin,
                   int width);

#endif
