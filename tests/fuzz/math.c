/* math.c - any text as a formula, and as a text with formulas in it. What must hold: spans lie
 * in the text and go forward; rows are as wide as they say and have nothing in them that
 * steers a terminal. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ui/math/math.h"
#include "ui/text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_row(const char *row, size_t len, int width, bool ascii)
{
    require(strlen(row) == len && text_width(row, len) == width);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)row[i];
        require(c >= 0x20 && c != 0x7f && !(ascii && c >= 0x80));
    }
}

static void layout(const char *tex, size_t len)
{
    struct bytes spoken = {0};
    for (int way = 0; way < 4; way++) {
        struct math *m = math_layout(tex, len, way & 1 ? MATH_DISPLAY : MATH_INLINE, way & 2);
        if (!m)
            continue;
        require(math_rows(m) >= 1 && math_rows(m) <= MATH_ROWS_MAX);
        require(math_baseline(m) >= 0 && math_baseline(m) < math_rows(m));
        require(way & 1 || math_rows(m) == 1);
        for (int i = 0; i < math_rows(m); i++) {
            size_t n;
            const char *row = math_row(m, i, &n);
            check_row(row, n, math_width(m), way & 2);
        }
        math_free(m);
    }
    if (math_speak(&spoken, tex, len))
        check_row(spoken.data, spoken.len, text_width(spoken.data, spoken.len), false);
    bytes_free(&spoken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct math_span span;
    layout(text, size);
    for (size_t from = 0; math_find(text, size, from, &span); from = span.end) {
        require(span.start >= from && span.end > span.start && span.end <= size);
        require(span.tex >= span.start && span.tex + span.tex_len <= span.end);
        require(!span.open || span.end == size);
        layout(text + span.tex, span.tex_len);
    }
    return 0;
}
