/* grade.c - two answers, with a newline between them, compared. What must hold: every text is equal
 * to itself, the order does not matter, the final answer found lies in the text, and nothing takes
 * long or much memory, whatever the bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "app/grade/grade.h"

struct ui;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void ui_restore(const struct ui *u);

/* For app/mem.c, which puts the screen back before it gives up. */
void ui_restore(const struct ui *u)
{
    (void)u;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *found;
    const char *line = size > 0 ? memchr(text, '\n', size) : NULL;
    size_t a_len = line ? (size_t)(line - text) : size, n;
    const char *b = line ? line + 1 : text;
    size_t b_len = line ? size - a_len - 1 : size;

    require(grade_compare(text, a_len, text, a_len) == GRADE_EQUAL);
    enum grade forth = grade_compare(text, a_len, b, b_len);
    enum grade back = grade_compare(b, b_len, text, a_len);
    require(forth == back || forth == GRADE_UNDECIDED || back == GRADE_UNDECIDED);
    enum grade_place place = grade_find(text, size, &found, &n);
    require(found >= text && found + n <= text + size);
    require(place == GRADE_NOWHERE || place == GRADE_BOXED || n > 0);
    return 0;
}
