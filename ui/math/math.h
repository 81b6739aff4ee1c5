/*
 * math.h: TeX formulas as rows of characters.
 *
 * math_find() says where formulas are in a text, math_layout() draws one as rows, math_speak() says
 * it in words. All three are bounded: what is too long, too deep or too large is no formula, and
 * the caller shows the source. Rows hold only what text_next() would draw; nothing here can steer a
 * terminal.
 */
#ifndef UI_MATH_MATH_H
#define UI_MATH_MATH_H

#include "text/bytes.h"

#include <stdbool.h>
#include <stddef.h>

enum math_style {
    MATH_INLINE,  /* a single row, inline */
    MATH_DISPLAY, /* two dimensions */
};

enum {
    MATH_SOURCE_MAX = 16384, /* bytes of one formula */
    MATH_ROWS_MAX = 200,
    MATH_CELLS_MAX = 100000, /* rows times columns */
};

struct math; /* a formula that is laid out */

/*
 * Lays out a formula given without its delimiters. NULL: it is not one (unbalanced, a command that
 * is not known, too large) or memory ran out; the reader is shown the source. `ascii`: rows of
 * ASCII only.
 */
struct math *math_layout(const char *tex, size_t len, enum math_style style, bool ascii);
void math_free(struct math *m);

int math_rows(const struct math *m);     /* at least 1 */
int math_width(const struct math *m);    /* columns, the same for each row */
int math_baseline(const struct math *m); /* the row aligned with surrounding text */

/* A row, blanks at its end included; UTF-8, NUL-terminated, there until math_free(). */
const char *math_row(const struct math *m, int row, size_t *len_out);

/*
 * Appends the formula in words, one line, ASCII if the source is. False: as for math_layout();
 * nothing was appended.
 */
bool math_speak(struct bytes *out, const char *tex, size_t len);

/* A formula in a text. The source of a `\boxed{}` or `\begin{}` span is the whole span. */
struct math_span {
    size_t start, end;   /* including delimiters */
    size_t tex, tex_len; /* the source, for math_layout() */
    enum math_style style;
    bool open; /* unclosed at the end of the text: show its last good layout */
};

/*
 * The first formula at or after `from`, which must be outside code and formulas: in $..$, $$..$$,
 * \(..\), \[..\], or bare: \boxed{..} and environments such as \begin{align}..\end{align}. Never
 * inside backticks or fenced code, nor where `$` means money. False: none.
 */
bool math_find(const char *text, size_t len, size_t from, struct math_span *out);

#endif
