/*
 * spoken.c: formulas in words, for who reads by ear.
 */
#include "maths.h"
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
