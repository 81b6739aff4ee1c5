/*
 * maths.h: TeX formulas as rows of characters. (A math.h here would hide the C library's.)
 *
 * math_find() says where formulas are in a text, math_lay() draws one as rows, math_speak() says it
 * in words. All three are bounded: what is too long, too deep or too large is no formula, and the
 * caller shows the source. Rows hold only what text_next() would draw; nothing here can steer a
 * terminal.
 */
#ifndef UI_MATH_MATHS_H
#define UI_MATH_MATHS_H

#include "bytes.h"

#include <stdbool.h>
#include <stddef.h>

enum math_style {
    MATH_INLINE,  /* one row, to stand among words */
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
struct math *math_lay(const char *tex, size_t len, enum math_style style, bool ascii);
void math_free(struct math *m);

int math_rows(const struct math *m);     /* at least 1 */
int math_width(const struct math *m);    /* columns, the same for each row */
int math_baseline(const struct math *m); /* the row that text beside it stands on */

/* A row, blanks at its end included; UTF-8, NUL-terminated, there until math_free(). */
const char *math_row(const struct math *m, int row, size_t *len_out);

/* Appends the formula as it is read aloud, one line of ASCII where the source is. False: see
 * math_lay(); nothing was appended. */
bool math_speak(struct bytes *out, const char *tex, size_t len);

/* A formula in a text. The source of `\boxed{}` and `\begin{}` spans is the whole span. */
struct math_span {
    size_t start, end;   /* with its delimiters */
    size_t tex, tex_len; /* the source, for math_lay() */
    enum math_style style;
    bool open; /* it goes on at the end of the text: show its last good layout */
};

/*
 * The first formula at or after `from`, which is outside of code and formulas: in $..$, $$..$$,
 * \(..\), \[..\], or bare: \boxed{..} and environments such as \begin{align}..\end{align}. Never in
 * backticks or fenced code, never where `$` is money. False: there is none.
 */
bool math_find(const char *text, size_t len, size_t from, struct math_span *out);

#endif
