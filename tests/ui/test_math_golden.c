/*
 * test_math_golden.c: formulas and how they look and sound, in the files of math/, each layout
 * approved by somebody who looked at it. A file is what is written for its formulas, so after a
 * change that is meant: `ui.run math` from the top of the tree, and read the difference. A new
 * formula is a line that begins with `tex`; a line `ascii2d` below it asks for that layout too.
 */
#include "tests.h"

#include "ui/math/math.h"
#include "ui/text/bytes.h"
#include "ui/text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const fields[] = {
    "arithmetic",  "algebra",    "geometry",      "trigonometry", "calculus", "linear_algebra",
    "probability", "sets_logic", "number_theory", "complex",      "physics",  "typography",
};
enum { N_FIELDS = sizeof fields / sizeof *fields, FORMULAS_LEAST = 300 };

static void add(struct bytes *out, const char *s)
{
    assert_true(bytes_add(out, s, strlen(s)));
}

/* A row under its key, without the blanks at its end. */
static void add_row(struct bytes *out, const char *key, char mark, const char *row)
{
    char head[16];
    size_t len = strlen(row);
    snprintf(head, sizeof head, "%-7s%c ", key, mark);
    add(out, head);
    assert_true(bytes_add(out, row, len));
    while (out->data[out->len - 1] == ' ')
        bytes_cut(out, out->len - 1);
    add(out, "\n");
}

static void add_rows(struct bytes *out, const char *key, const struct math *m)
{
    for (int i = 0; i < math_rows(m); i++) {
        size_t len;
        const char *row = math_row(m, i, &len);
        bool marked = math_rows(m) > 1 && i == math_baseline(m);
        assert_int_equal(text_width(row, len), math_width(m));
        add_row(out, i == 0 ? key : "", marked ? '>' : ' ', row);
    }
}

static bool same_row(const struct math *a, const struct math *b)
{
    size_t n;
    return math_rows(a) == 1 && math_rows(b) == 1 &&
           strcmp(math_row(a, 0, &n), math_row(b, 0, &n)) == 0;
}

static void add_layouts(struct bytes *out, const char *tex, size_t len, bool ascii2d)
{
    struct bytes spoken = {0};
    struct math *line = math_layout(tex, len, MATH_INLINE, false);
    struct math *display = math_layout(tex, len, MATH_DISPLAY, false);
    struct math *ascii = math_layout(tex, len, MATH_INLINE, true);
    struct math *ascii_display = math_layout(tex, len, MATH_DISPLAY, true);

    if (!line || !display || !ascii || !ascii_display || !math_speak(&spoken, tex, len))
        fail_msg("not taken for a formula: %.*s", (int)len, tex);
    add_row(out, "spoken", ' ', spoken.data);
    add_rows(out, same_row(line, display) ? "both" : "inline", line);
    if (!same_row(line, display))
        add_rows(out, "display", display);
    if (!same_row(line, ascii))
        add_rows(out, "ascii", ascii);
    if (ascii2d)
        add_rows(out, "ascii2d", ascii_display);
    bytes_free(&spoken);
    math_free(line);
    math_free(display);
    math_free(ascii);
    math_free(ascii_display);
}

/* The next line of a text, without its newline. */
static const char *next_line(const char **at, size_t *len_out)
{
    const char *line = *at;
    *len_out = strcspn(line, "\n");
    *at = line + *len_out + (line[*len_out] == '\n');
    return *line ? line : NULL;
}

/* Writes a file anew: its comments, its formulas, and what there is to say of them. */
static struct bytes renewed(const char *old, size_t *count)
{
    struct bytes out = {0};
    size_t len, next_len;
    for (const char *line; (line = next_line(&old, &len));) {
        if (line[0] == '#')
            bytes_add(&out, line, len), add(&out, "\n");
        if (strncmp(line, "tex", 3) != 0)
            continue;
        bool ascii2d = false;
        const char *ahead = old;
        for (const char *next; (next = next_line(&ahead, &next_len));) {
            if (strncmp(next, "tex", 3) == 0)
                break;
            ascii2d = ascii2d || strncmp(next, "ascii2d", 7) == 0;
        }
        add(&out, out.len > 0 ? "\n" : "");
        bytes_add(&out, line, len);
        add(&out, "\n");
        assert_true(len > 9);
        char *tex = malloc(len - 9); /* to its end and not a byte further */
        assert_non_null(tex);
        memcpy(tex, line + 9, len - 9);
        add_layouts(&out, tex, len - 9, ascii2d);
        free(tex);
        ++*count;
    }
    return out;
}

static struct bytes read_file(const char *path)
{
    struct bytes out = {0};
    char buf[4096];
    FILE *file = fopen(path, "r");
    if (!file)
        fail_msg("%s: cannot read it; run this from the top of the tree", path);
    for (size_t n; (n = fread(buf, 1, sizeof buf, file)) > 0;)
        bytes_add(&out, buf, n);
    fclose(file);
    return out;
}

/* Where two texts part, with what comes before it and after. */
static void show_difference(const char *path, const char *expected, const char *got)
{
    size_t same = 0, start = 0;
    for (; expected[same] && expected[same] == got[same]; same++)
        if (strncmp(expected + same, "\ntex", 4) == 0)
            start = same + 1;
    fail_msg("%s differs: expected\n%.600s\ngot\n%.600s", path, expected + start, got + start);
}

static void formulas_look_and_sound_as_they_were_approved(void **state)
{
    char path[128];
    size_t count = 0;
    (void)state;
    for (size_t i = 0; i < N_FIELDS; i++) {
        snprintf(path, sizeof path, "tests/ui/math/%s.txt", fields[i]);
        struct bytes expected = read_file(path), got = renewed(expected.data, &count);
        if (strcmp(expected.data, got.data) != 0)
            show_difference(path, expected.data, got.data);
        bytes_free(&expected);
        bytes_free(&got);
    }
    assert_in_range(count, FORMULAS_LEAST, 100000);
}

int math_golden_write(void)
{
    char path[128];
    size_t count = 0;
    for (size_t i = 0; i < N_FIELDS; i++) {
        snprintf(path, sizeof path, "tests/ui/math/%s.txt", fields[i]);
        struct bytes old = read_file(path), new = renewed(old.data, &count);
        FILE *file = fopen(path, "w");
        if (!file || fputs(new.data, file) < 0 || fclose(file) != 0) {
            perror(path);
            return 1;
        }
        bytes_free(&old);
        bytes_free(&new);
    }
    printf("%zu formulas\n", count);
    return 0;
}

int test_math_golden(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_look_and_sound_as_they_were_approved),
    };
    return cmocka_run_group_tests_name("math_golden", tests, NULL, NULL);
}
