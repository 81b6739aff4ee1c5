/*
 * spoken.c: formulas in words, for screen readers.
 */
#include "math/math.h"
#include "ui.h"

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
        m = math_lay(text + span.tex, span.tex_len, span.style, false);
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
