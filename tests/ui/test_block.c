/*
 * test_block.c: text to styled lines; grown a piece at a time or at once.
 */
#include "tests.h"

#include "ui/block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The lines, each ended by '$', with <letter>...<> around what has a style. */
static char *lines_of(const struct block *b)
{
    static const char letters[STYLE_COUNT] = {
        [STYLE_STRONG] = 'b', [STYLE_HEADING] = 'h', [STYLE_CODE] = 'c',
        [STYLE_RESULT] = 'r', [STYLE_RULE] = 'l',    [STYLE_DIM] = 'd',
    };
    struct bytes out = {0};
    for (size_t i = 0; i < b->n_lines; i++) {
        size_t last = i + 1 < b->n_lines ? b->lines[i + 1].span : b->n_spans;
        uint32_t begin = 0;
        for (size_t j = b->lines[i].span; j < last; j++) {
            char mark[3] = {'<', letters[b->spans[j].style], '>'};
            if (mark[1])
                bytes_add(&out, mark, 3);
            bytes_add(&out, b->text.data + b->lines[i].text + begin, b->spans[j].end - begin);
            if (mark[1])
                bytes_add(&out, "<>", 2);
            begin = b->spans[j].end;
        }
        bytes_add(&out, "$", 1);
    }
    bytes_add(&out, "", 0);
    return out.data;
}

static char *laid(const char *text, int width, bool plain)
{
    struct block b;
    block_init(&b, plain);
    assert_true(block_lay(&b, text, strlen(text), width));
    char *lines = lines_of(&b);
    block_done(&b);
    return lines;
}

static void markdown_becomes_lines(void **state)
{
    static const struct {
        const char *text;
        int width;
        const char *lines;
    } rows[] = {
        {"one two three", 8, "one two$three$"},
        {"a\nb", 10, "a$b$"},
        {"a\n\n\n\nb\n\n", 10, "a$$b$"},
        {"\n\na", 10, "a$"},
        {"# Title", 20, "<h>Title<>$"},
        {"####### no", 20, "####### no$"},
        {"#no", 20, "#no$"},
        {"**bold** text", 20, "<b>bold<> text$"},
        {"**bold that wraps** on", 10, "<b>bold that<>$<b>wraps<> on$"},
        {"2**3 and **open", 30, "2**3 and **open$"},
        {"2**3 and 3**2", 30, "2**3 and 3**2$"},
        {"**a ** b**", 30, "<b>a ** b<>$"},
        {"2 ** 3 ** 4", 30, "2 ** 3 ** 4$"},
        {"use `x * y` now", 30, "use <c>x * y<> now$"},
        {"a ` b", 30, "a ` b$"},
        {"`` a", 30, "`` a$"},
        {"so \\boxed{42}.", 30, "so <r>\\boxed{42}<>.$"},
        {"\\boxed{\\frac{1}{2}} x", 30, "<r>\\boxed{\\frac{1}{2}}<> x$"},
        {"\\boxed{4", 30, "\\boxed{4$"},
        {"- one two\n- b", 8, "<d>• <>one$  two$<d>• <>b$"},
        {"12. one two", 8, "12. one$    two$"},
        {"  - in", 20, "  <d>• <>in$"},
        {"-no", 20, "-no$"},
        {"> one two", 7, "<l>│ <>one$<l>│ <>two$"},
        {"---", 5, "<l>─────<>$"},
        {"```c\nint  x;\n\n  y **z**\n```\nafter", 20,
         "<l>── <><d>c<>$  <c>int  x;<>$  $  <c>  y **z**<>$after$"},
        {"```\nabcdefgh\n```", 6, "  <c>abcd<>$  <c>efgh<>$"},
        {"a\tb", 20, "a   b$"},
        {"你好世界", 5, "你好$世界$"},
        {"trailing   \nx", 20, "trailing$x$"},
        {"a\033[31mb", 20, "a\033[31mb$"}, /* still raw: the grid draws it */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *got = laid(rows[i].text, rows[i].width, false);
        if (strcmp(got, rows[i].lines) != 0)
            fail_msg("row %zu:\n got %s\nwant %s", i, got, rows[i].lines);
        free(got);
    }
}

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    char *got = laid("# a\n\n\n**b** `c`\n- d\n```\n", 20, true);
    assert_string_equal(got, "# a$$$**b** `c`$- d$```$");
    free(got);
}

/* Text of pieces that mean something at their place, and some that do not. */
static size_t random_markdown(char *out, size_t size, unsigned *seed)
{
    static const char *const pieces[] = {
        "word",     " ",        "\n",
        "\n\n",     "**",       "`",
        "```",      "\n```c\n", "- ",
        "# ",       "> ",       "1. ",
        "\\boxed{", "}",        "你好",
        "e\u0301",  "👩\u200d👧", "\t",
        "---",      "\n---\n",  "longlonglonglonglonglongword",
        "\r",       "\xff",     "*",
    };
    size_t n = 0, count = 1 + (unsigned)rand_r(seed) % 120;
    for (size_t i = 0; i < count; i++) {
        const char *piece = pieces[(unsigned)rand_r(seed) % (sizeof pieces / sizeof *pieces)];
        size_t len = strlen(piece);
        if (n + len > size)
            break;
        memcpy(out + n, piece, len);
        n += len;
    }
    return n;
}

static void check_growth(const char *text, size_t n, int width, unsigned *seed)
{
    struct block grown, whole;
    block_init(&grown, false);
    for (size_t at = 0; at < n;) {
        at += 1 + (unsigned)rand_r(seed) % 40;
        assert_true(block_lay(&grown, text, at < n ? at : n, width));
    }
    block_init(&whole, false);
    assert_true(block_lay(&whole, text, n, width));
    char *a = lines_of(&grown), *b = lines_of(&whole);
    assert_string_equal(a, b);
    free(a);
    free(b);
    assert_true(block_lay(&grown, text, n, width + 3)); /* another width, and back */
    assert_true(block_lay(&grown, text, n, width));
    a = lines_of(&grown), b = lines_of(&whole);
    assert_string_equal(a, b);
    free(a);
    free(b);
    block_done(&grown);
    block_done(&whole);
}

static void growing_gives_the_lines_of_the_whole(void **state)
{
    char text[4096];
    unsigned seed = 6;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t n = random_markdown(text, sizeof text, &seed);
        check_growth(text, n, 4 + (int)((unsigned)rand_r(&seed) % 60), &seed);
    }
}

static void growing_a_long_line_settles_and_is_right(void **state)
{
    enum { SIZE = 20000 };
    static char text[SIZE];
    unsigned seed = 7;
    (void)state;
    for (int round = 0; round < 5; round++) {
        size_t n = 0;
        while (n + 4096 < SIZE)
            n += random_markdown(text + n, 4096, &seed);
        for (size_t i = 0; i < n; i++) /* one source line: only inlines are left */
            if (text[i] == '\n')
                text[i] = ' ';
        check_growth(text, n, 40, &seed);
    }
}

static void an_append_lays_out_only_the_tail(void **state)
{
    struct block b;
    struct bytes text = {0};
    (void)state;
    block_init(&b, false);
    for (int i = 0; i < 20000; i++)
        bytes_add(&text, "some words ", 11);
    assert_true(block_lay(&b, text.data, text.len, 40));
    assert_true(b.n_lines - b.settled_lines < 60);
    block_done(&b);
    bytes_free(&text);
}

static void no_line_is_wider_than_asked(void **state)
{
    char text[4096];
    unsigned seed = 8;
    (void)state;
    for (int round = 0; round < 1000; round++) {
        size_t n = random_markdown(text, sizeof text, &seed);
        int width = 12 + (int)((unsigned)rand_r(&seed) % 60);
        struct block b;
        block_init(&b, false);
        assert_true(block_lay(&b, text, n, width));
        for (size_t i = 0; i < b.n_lines; i++) {
            size_t end = i + 1 < b.n_lines ? b.lines[i + 1].text : b.text.len;
            assert_true(text_width(b.text.data + b.lines[i].text, end - b.lines[i].text) <= width);
        }
        block_done(&b);
    }
}

int test_block(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markdown_becomes_lines),
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(growing_gives_the_lines_of_the_whole),
        cmocka_unit_test(growing_a_long_line_settles_and_is_right),
        cmocka_unit_test(an_append_lays_out_only_the_tail),
        cmocka_unit_test(no_line_is_wider_than_asked),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
