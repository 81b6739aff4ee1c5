/*
 * offscreen.c: what the door tells of a text to a caller that may have no screen: pipes, line mode,
 * a page of HTML.
 */
#include "markdown/extract.h"
#include "math/math.h"
#include "text/ascii.h"
#include "transcript/steps.h"
#include "ui.h"

static char *piece_in(bool (*find)(const char *text, size_t len, size_t n, struct bytes *out),
                      const char *text, size_t len, size_t n, size_t *len_out)
{
    struct bytes out = {0};
    if (!find(text, len, n, &out)) {
        bytes_free(&out);
        return NULL;
    }
    *len_out = out.len;
    return out.data;
}

char *ui_code_in(const char *text, size_t len, size_t n, size_t *len_out)
{
    return piece_in(extract_code, text, len, n, len_out);
}

char *ui_math_in(const char *text, size_t len, size_t n, size_t *len_out)
{
    return piece_in(extract_math, text, len, n, len_out);
}

size_t ui_steps_in(const char *text, size_t len)
{
    struct steps steps = {0};
    steps_scan(&steps, text, len, true);
    size_t n = steps.n;
    steps_done(&steps);
    return n;
}

bool ui_formula_in(const char *text, size_t len, size_t from, struct ui_formula *out)
{
    struct math_span span;
    struct bytes words = {0};

    if (!math_find(text, len, from, &span))
        return false;
    if (!span.open && !math_speak(&words, text + span.tex, span.tex_len))
        bytes_free(&words);
    *out = (struct ui_formula){span.start, span.end, span.open, words.data};
    return true;
}

char *ui_formula_rows(const char *text, size_t len, bool *display_out)
{
    struct math_span span;
    struct bytes rows = {0};
    struct math *m = NULL;

    if (math_find(text, len, 0, &span) && !span.open)
        m = math_layout(text + span.tex, span.tex_len, span.style, false);
    for (int i = 0; m && i < math_rows(m); i++) {
        size_t n;
        const char *row = math_row(m, i, &n);
        if (!bytes_add(&rows, row, n) || !bytes_add(&rows, "\n", 1)) {
            bytes_free(&rows);
            break;
        }
    }
    *display_out = m && span.style == MATH_DISPLAY;
    math_free(m);
    return rows.data;
}

char ui_ascii_form(uint32_t cp)
{
    return ascii_form(cp);
}
