/*
 * formula.c: see formula.h.
 */
#include "formula.h"

#include <string.h>

struct outline_span formula_find(const char *text, size_t len, size_t from)
{
    static const char boxed[] = "\\boxed{";
    const char *at = from < len ? memmem(text + from, len - from, boxed, strlen(boxed)) : NULL;
    struct outline_span span = {SIZE_MAX, SIZE_MAX};
    int depth = 1;

    if (!at)
        return span;
    span.start = (size_t)(at - text);
    for (span.end = span.start + strlen(boxed); span.end < len && depth > 0; span.end++)
        depth += (text[span.end] == '{') - (text[span.end] == '}');
    if (span.end - span.start > 4096)
        span.start = span.end = SIZE_MAX;
    return span;
}

bool formula_add(struct runs *runs, const char *text, size_t len, size_t start, bool inline_only)
{
    struct outline_span span = formula_find(text, len, start);
    (void)inline_only;
    return runs_add(runs, text + start, span.end - start, STYLE_RESULT, RUN_TEXT, 0);
}

void formula_lay(struct lines *l, struct margin *margin, int width, const char *text, size_t len,
                 size_t start)
{
    (void)width;
    (void)text;
    (void)len;
    (void)start;
    lines_begin(l, margin);
    lines_end(l);
}
