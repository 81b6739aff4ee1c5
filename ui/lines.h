/*
 * lines.h: styled lines, and how text is broken into them. Knows nothing of what the text means.
 *
 * Lines are written one after another and can be cut back to an earlier mark, so that the end of a
 * growing text is laid out again and again while the rest stays.
 */
#ifndef UI_LINES_H
#define UI_LINES_H

#include "bytes.h"
#include "text.h"
#include "theme.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LINES_MARGIN_MAX = 64, /* entries of a margin that are kept; deeper ones take no room */
    LINES_LABEL_MAX = 16,
    LINES_TAB = 4,
};

struct line_span {
    uint32_t end; /* in the line */
    uint8_t style;
};

struct line {
    size_t text, span; /* where its text and spans begin */
    uint32_t width;    /* columns of one that is wider than the window and scrolls; 0: it fits */
    uint16_t fixed;    /* columns of the margin, which does not scroll */
};

struct lines {
    struct bytes text;
    struct line_span *spans;
    size_t n_spans, cap_spans;
    struct line *lines;
    size_t n, cap;
    uint32_t widest; /* of those that scroll */
    bool failed;     /* out of memory */

    bool open; /* a line is being written: */
    size_t line_text, line_span;
    int col, fixed;
};

/* What stands left of a block: bars of quotes, the marker of a list's item and then its
 * indentation. */
struct margin_entry {
    char label[LINES_LABEL_MAX]; /* shown on the next line in place of the indentation */
    uint8_t label_style;
    int columns;
    bool bar;
    bool fresh; /* no line has shown it yet */
};

struct margin {
    struct margin_entry entries[LINES_MARGIN_MAX];
    int n; /* may be more than are kept */
};

void lines_free(struct lines *l);

/* A place to come back to; the line being written there is part of it. */
struct lines_mark {
    size_t n, text, span;
    bool open;
    size_t line_text, line_span;
    int col, fixed;
};

struct lines_mark lines_mark(const struct lines *l);
void lines_rewind(struct lines *l, const struct lines_mark *mark);

/* Opens the last line again, to go on in it. */
void lines_reopen(struct lines *l);

void lines_begin(struct lines *l, struct margin *margin); /* margin NULL: none */
void lines_put(struct lines *l, const char *s, size_t n, int columns, uint8_t style);
/* One cluster of a text; of one with marks without end, only what is drawn is kept. */
void lines_cluster(struct lines *l, const char *s, const struct text_cluster *c, uint8_t style);
void lines_label(struct lines *l, const char *label, uint8_t style);
void lines_spaces(struct lines *l, int n, uint8_t style);
void lines_end(struct lines *l);

/* Ends a line that may be wider than the window: it scrolls then. */
void lines_end_wide(struct lines *l, int width);

/* An empty line between two blocks: of the margin, only what was there before. */
void lines_gap(struct lines *l, struct margin *margin);

/* Adds an entry; one that would leave less than half of the width to the text takes no room. */
void margin_push(struct margin *margin, const struct margin_entry *entry, int width);
void margin_pop(struct margin *margin);
int margin_columns(const struct margin *margin);
bool margin_is_fresh(const struct margin *margin); /* the last entry has not been shown */

/* A stretch of text in one style. */
enum run_kind {
    RUN_TEXT,
    RUN_ATOM,  /* stays in one piece: an inline formula */
    RUN_BREAK, /* the line ends here */
    RUN_BLOCK, /* a block of its own in the middle of a text: a display formula */
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
};

void runs_free(struct runs *r);
void runs_clear(struct runs *r);
bool runs_add(struct runs *r, const char *s, size_t n, uint8_t style, enum run_kind kind,
              uint32_t arg);

/*
 * Lays the runs from number `first` up to a RUN_BLOCK or the end and returns the number of the run
 * that ended it. Goes on in the open line, if there is one. The last line is ended.
 */
size_t runs_lay(const struct runs *r, size_t first, struct lines *l, struct margin *margin,
                int width);

#endif
