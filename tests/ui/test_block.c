/*
 * test_block.c: text to styled lines; grown a piece at a time or at once.
 */
#include "tests.h"

#include "ui/markdown/block.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The lines, each ended by '$', with <letter>...<> around what has a style, a '-' before that of
 * struck text. */
static char *lines_of(const struct lines *l)
{
    static const char letters[STYLE_COUNT] = {
        [STYLE_STRONG] = 'b',   [STYLE_HEADING] = 'h',    [STYLE_CODE] = 'c',
        [STYLE_RESULT] = 'r',   [STYLE_RULE] = 'l',       [STYLE_DIM] = 'd',
        [STYLE_EMPHASIS] = 'i', [STYLE_SUBHEADING] = 's', [STYLE_LINK] = 'u',
        [STYLE_COMMENT] = '#',  [STYLE_STRING] = '"',     [STYLE_NUMBER] = '0',
        [STYLE_KEYWORD] = 'k',  [STYLE_MATH] = 'm',
    };
    struct bytes out = {0};
    for (size_t i = 0; i < l->n; i++) {
        size_t last = lines_span_end(l, i);
        uint32_t begin = 0;
        for (size_t j = l->lines[i].span; j < last; j++) {
            uint8_t style = l->spans[j].style;
            char mark[6], letter[] = {letters[style & ~STYLE_FLAGS], '\0'};
            snprintf(mark, sizeof mark, "<%s%s>", style & STYLE_STRUCK ? "-" : "", letter);
            bool marked = strcmp(mark, "<>") != 0;
            if (marked)
                bytes_add(&out, mark, strlen(mark));
            bytes_add(&out, l->text.data + l->lines[i].text + begin, l->spans[j].end - begin);
            if (marked)
                bytes_add(&out, "<>", 2);
            begin = l->spans[j].end;
        }
        bytes_add(&out, "$", 1);
    }
    bytes_add(&out, "", 0);
    return out.data;
}

static char *laid(const char *text, int width, bool plain, bool strikes)
{
    struct block b;
    block_init(&b, plain, strikes);
    assert_true(block_layout(&b, text, strlen(text), width));
    char *lines = lines_of(&b.lines);
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
        {"a  \nb\\\nc", 10, "a$b$c$"},
        {"a\n\n\n\nb\n\n", 10, "a$$b$"},
        {"\n\na", 10, "a$"},
        {"# Title", 20, "<h>Title<>$"},
        {"# *T* `c`\ntext", 20, "<h>T <><c>c<>$text$"},
        {"text\n### Sub ###", 20, "text$$<s>Sub<>$"},
        {"Title\n===\ntext", 20, "<h>Title<>$text$"},
        {"####### no", 20, "####### no$"},
        {"#no", 20, "#no$"},
        {"**bold** text", 20, "<b>bold<> text$"},
        {"**bold that wraps** on", 10, "<b>bold that<>$<b>wraps<> on$"},
        {"*i* _j_ ***b*** a_b_c", 30, "<i>i<> <i>j<> <b>b<> a_b_c$"},
        {"~~old~~ new", 30, "<d>~~old~~<> new$"},
        {"2**3 and **open", 30, "2**3 and **open$"},
        {"2 ** 3 ** 4", 30, "2 ** 3 ** 4$"},
        {"use `x * y` now", 30, "use <c>x * y<> now$"},
        {"a ` b", 30, "a ` b$"},
        {"\\*no\\* &lt;b&gt; &#33; &nope; <b>x</b>", 60, "*no* <b> ! &nope; <b>x</b>$"},
        {"[text](http://a.b/c \"t\") on", 60, "<u>text<><d> (http://a.b/c)<> on$"},
        {"<http://a.b/> http://c.d", 60, "<u>http://a.b/<> <u>http://c.d<>$"},
        {"![pic](p.png)", 60, "<u>pic<><d> (p.png)<>$"},
        {"[a]: http://b\n\n[x][a]", 60, "[a]: http://b$$[x][a]$"},
        {"- one two\n- b", 8, "<d>• <>one$  two$<d>• <>b$"},
        {"- a\n  - b\n    - c\n- d", 20, "<d>• <>a$  <d>◦ <>b$    <d>▪ <>c$<d>• <>d$"},
        {"- a\n\n- b", 20, "<d>• <>a$$<d>• <>b$"},
        {"- [ ] a\n- [x] b", 20, "<d>☐ <>a$<d>☑ <>b$"},
        {"12. one two", 8, "12. one$    two$"},
        {"1. a\n1. b\n7. c", 8, "1. a$2. b$3. c$"},
        {"1. a\n\n   b\n\nc\n\n2. d", 8, "1. a$$   b$$c$$2. d$"},
        {"a\n2. b", 8, "a$2. b$"},
        {"-\n- x", 8, "<d>• <>$<d>• <>x$"},
        {"-no", 20, "-no$"},
        {"> one two", 7, "<l>│ <>one$<l>│ <>two$"},
        {"> a\nlazy\n>\n> - b\n>   c", 20,
         "<l>│ <>a$<l>│ <>lazy$<l>│ <>$<l>│ <><d>• <>b$<l>│ <>  c$"},
        {"> > a\n\nb", 20, "<l>│ │ <>a$$b$"},
        {"a\n\n---", 5, "a$$<l>─────<>$"},
        {"```\n  y **z**\n```\nafter", 20, "  <c>  y **z**<>$$after$"},
        {"a\n```c\nint  x = 1; // y\n\n\treturn \"s\\\"\";", 24,
         "a$$<l>── <><d>c<>$  <k>int<>  x = <0>1<>; <#>// y<>$  $      <k>return<> "
         "<\">\"s\\\"\"<>;$"},
        {"- a\n  ```\n  b\n    c\n  ```\n- d", 20, "<d>• <>a$    <c>b<>$    <c>  c<>$<d>• <>d$"},
        {"```\n  abcdefgh\n```", 9, "  <c>  abcde<>$<l>↪ <>  <c>fgh<>$"},
        {"```\n  aa bb cc\n```", 9, "  <c>  aa bb<>$<l>↪ <>  <c>cc<>$"},
        {"```\na\n```\n> b", 20, "  <c>a<>$$<l>│ <>b$"},
        {"1. a\n   \\[x\\]\n2. b", 20, "1. a$$   <m>x<>$$2. b$"},
        {"text\n\n    code\n      more\n\ntext", 20, "text$$  <c>code<>$  <c>  more<>$$text$"},
        {"| a | b |\n|---|--:|\n| long | 1 |\n| x | 22 |", 40,
         "<b>a<>   <l> │ <> <b>b<>$<l>─────┼───<>$long<l> │ <> 1$x   <l> │ <>22$"},
        {"text\n| a | b |\n|---|---|\n| `c|` |\nend", 40,
         "text$$<b>a<>  <l> │ <><b>b<>$<l>────┼──<>$<c>c|<> <l> │ <>$end<l> │ <>$"},
        {"| a | bb |\n|---|---|\n| one two three four | five six seven |", 25,
         "<b>a<>         <l> │ <><b>bb<>$<l>───────────┼─────────<>$one two   <l> │ <>five "
         "six$three four<l> │ <>seven$"},
        {"so \\boxed{42}.", 30, "so <r>[42]<>.$"},
        {"\\boxed{\\frac{1}{2}} x", 30, "<r>[1/2]<> x$"},
        {"a \\(x^2\\)_b_ $y$", 30, "a <m>x²<>_b_ <m>y<>$"},
        {"$5 and $10, `$x$`, \\$a", 40, "$5 and $10, <c>$x$<>, $a$"},
        {"so\n\\[\nx = 1\n\\]\nthen", 40, "so$$    <m>x = 1<>$$then$"},
        {"- $$x$$\n- b", 20, "<d>• <><m>x<>$<d>• <>b$"},
        {"> \\[\n> x = 1\n> \\]", 20, "<l>│ <><m>x = 1<>$"},
        {"# On $x^2$", 20, "<h>On <><m>x²<>$"},
        {"| $|x|$ | b |\n|---|---|\n", 40, "<m>|x|<><l> │ <><b>b<>$<l>────┼──<>$"},
        {"**a $x$ b**", 20, "<b>a <><m>x<><b> b<>$"},
        {"\\(\\nosuch{\\)", 30, "\\(\\nosuch{\\)$"},
        {"```\n$x$\n```", 20, "  <c>$x$<>$"},
        {"we get \\(x^{2", 30, "we get <m>x²<>$"},
        {"we get \\(", 30, "we get <d>…<>$"},
        {"we get \\(x + \\fra", 30, "we get <m>x+<>$"},
        {"we get \\(\\left( x + \\frac{1}{2", 30, "we get <m>(x + 1/2<>$"},
        {"we get \\(\\begin{matrix} a & b", 30, "we get <m>a, b<>$"},
        {"a\tb", 20, "a\tb$"},
        {"你好世界", 5, "你好$世界$"},
        {"trailing   \nx", 20, "trailing$x$"},
        {"a\033[31mb", 20, "a\033[31mb$"}, /* still raw: the grid draws it */
    };
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *got = laid(rows[i].text, rows[i].width, false, false);
        if (strcmp(got, rows[i].lines) != 0)
            print_error("row %zu:\n got %s\nwant %s\n", i, got, rows[i].lines);
        wrong += strcmp(got, rows[i].lines) != 0;
        free(got);
    }
    assert_int_equal(wrong, 0);
}

/* Formulas and code too: what no line goes through is meant. */
static void struck_text_is_all_struck(void **state)
{
    static const struct {
        const char *text, *lines;
    } rows[] = {
        {"~~old~~ new", "<-d>old<> new$"},
        {"~~**a** `b` $x^2$ [c](http://d)~~",
         "<-d>a <><-c>b<><-d> <><-m>x²<><-d> <><-u>c<><-d> (http://d)<>$"},
        {"# a ~~b~~", "<h>a <><-h>b<>$"},
        {"so ~~\\[x = 1\\]~~ no", "so <-m>x = 1<> no$"},
        {"| ~~a~~ | b |\n|---|---|\n", "<-d>a<><l> │ <><b>b<>$<l>──┼──<>$"},
        {"~a ~~b~~ c~ d", "<-d>a b c<> d$"},
        {"~~no", "~~no$"},
        {"`~~no~~`", "<c>~~no~~<>$"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *got = laid(rows[i].text, 60, false, true);
        assert_string_equal(got, rows[i].lines);
        free(got);
    }
}

static void code_is_highlighted(void **state)
{
    static const struct {
        const char *text, *lines;
    } rows[] = {
        {"```py\ndef f(x): # two\n    \"\"\"Doc\n    on\"\"\" + 'a\\'b'",
         "<k>def<> f(x): <#># two<>$      <\">\"\"\"Doc<>$  <\">    on\"\"\"<> + <\">'a\\'b'<>$"},
        {"```sh\nif [ $X = 1 ]; then echo a#b \"q $Y\" # c",
         "<k>if<> [ <k>$X<> = <0>1<> ]; <k>then<> <k>echo<> a#b <\">\"q $Y\"<> <#># c<>$"},
        {"```json\n{\"k\": [1.5, true, \"v\"]}",
         "{<k>\"k\"<>: [<0>1.5<>, <k>true<>, <\">\"v\"<>]}$"},
        {"```JavaScript\nconst f = `a\nb` // c", "<k>const<> f = <\">`a<>$  <\">b`<> <#>// c<>$"},
        {"```c\n#include <a.h>\n/* on\nand */ return 0x1F;",
         "<k>#include<> <a.h>$  <#>/* on<>$  <#>and */<> <k>return<> <0>0x1F<>;$"},
        {"```brainf\n+-<>", "<c>+-<><>$"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *got = laid(rows[i].text, 60, false, false);
        const char *code = strstr(got, "$  ") + 3;
        if (strcmp(code, rows[i].lines) != 0)
            fail_msg("row %zu:\n got %s\nwant %s", i, code, rows[i].lines);
        free(got);
    }
}

static void plain_text_stays_as_it_is(void **state)
{
    (void)state;
    char *got = laid("# a\n\n\n**b** `c`\n- d\n```\n", 20, true, false);
    assert_string_equal(got, "# a$$$**b** `c`$- d$```$");
    free(got);
}

/* Text of pieces that mean something at their place, and some that do not. */
static size_t random_markdown(char *out, size_t size, unsigned *seed)
{
    static const char *const pieces[] = {
        "word",
        " ",
        "\n",
        "\n\n",
        "**",
        "`",
        "```",
        "\n```c\n",
        "- ",
        "# ",
        "> ",
        "1. ",
        "\n2) ",
        "\\boxed{",
        "}",
        "你好",
        "e\u0301",
        "👩\u200d👧",
        "\t",
        "---",
        "\n---\n",
        "\n===\n",
        "\r",
        "longlonglonglonglonglongword",
        "\xff",
        "*",
        "_",
        "~~",
        "| a | b",
        "\n|---|:-:|\n",
        " | ",
        "\n    ",
        "\n  ",
        "\n   - ",
        "- [x] ",
        "\n> ",
        "\n> - ",
        "\n~~~\n",
        "[t](u)",
        "[t]: u",
        "<b>",
        "&amp;",
        "$",
        "$$",
        "\\(",
        "\\)",
        "\n\\[\n",
        "\n\\]\n",
        "x^2",
        "\\frac{1}{2}",
        "$5 ",
        "\\begin{cases}",
        "\\end{cases}",
        "\\",
        "http://x.yz",
        "/* ",
        " \"s",
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

/* `most`: bytes that come at a time. */
static void check_growth(const char *text, size_t n, int width, unsigned most, unsigned *seed)
{
    struct block grown, whole;
    block_init(&grown, false, true);
    for (size_t at = 0; at < n;) {
        at += 1 + (unsigned)rand_r(seed) % most;
        assert_true(block_layout(&grown, text, at < n ? at : n, width));
    }
    block_init(&whole, false, true);
    assert_true(block_layout(&whole, text, n, width));
    char *a = lines_of(&grown.lines), *b = lines_of(&whole.lines);
    assert_string_equal(a, b);
    free(a);
    free(b);
    assert_true(block_layout(&grown, text, n, width + 3)); /* another width, and back */
    assert_true(block_layout(&grown, text, n, width));
    a = lines_of(&grown.lines), b = lines_of(&whole.lines);
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
        check_growth(text, n, 4 + (int)((unsigned)rand_r(&seed) % 60), round % 10 ? 40 : 1, &seed);
    }
}

/* Without the lines that only set blocks apart. */
static char *without_gaps(const struct lines *l)
{
    char *all = lines_of(l), *to = all;
    for (char *at = all, *end; *at; at = end) {
        end = strchr(at, '$') + 1;
        if (strspn(at, " <l>│") == (size_t)(end - 1 - at))
            continue;
        memmove(to, at, (size_t)(end - at));
        to += end - at;
    }
    *to = '\0';
    return all;
}

/* Lines that nest, interrupt and continue in every way. */
static size_t random_lines(char *out, unsigned *seed)
{
    static const char *const lines[] = {
        "text",
        "more *text*",
        "- item",
        "  - nested",
        "    deep",
        "   three",
        "1. one",
        "2. two",
        "1) other",
        "   - in one",
        "> quote",
        "> - item",
        ">   under",
        "> > twice",
        "# Head",
        "---",
        "===",
        "\n| a | b |\n|---|---|\n| 1 | `2` |\n",
        "",
        "",
        "* * *",
        "10. ten",
        "    - four",
        "\ttab",
        "  1. in item",
        "+ plus\n\n  loose",
    };
    size_t n = 0, count = 1 + (unsigned)rand_r(seed) % 12;
    for (size_t i = 0; i < count; i++) {
        const char *line = lines[(unsigned)rand_r(seed) % (sizeof lines / sizeof *lines)];
        bool empty = n > 1 && out[n - 2] == '\n'; /* two of them end an item in md4c alone */
        n += (size_t)sprintf(out + n, "%s\n", line + (empty && *line == '\n'));
        n -= empty && *line == '\0';
    }
    out[n] = '\0';
    return n;
}

/* Where blocks are does not depend on the text's being cut into pieces. */
static void pieces_give_what_the_whole_gives(void **state)
{
    char text[4096];
    unsigned seed = 10;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t n = random_lines(text, &seed);
        struct block b;
        struct lines l = {.n = 0};
        struct markdown_carry carry = {.roomy = false};
        struct outline_reader reader = {.text = text, .len = n};
        struct outline_piece all = {.start = 0, .end = n, .text = SIZE_MAX};
        block_init(&b, false, false);
        assert_true(block_layout(&b, text, n, 60));
        assert_true(markdown_layout(&l, text, &reader, &all, 60, &carry));
        char *got = without_gaps(&b.lines), *want = without_gaps(&l);
        if (strcmp(got, want) != 0)
            fail_msg("%s\n got %s\nwant %s", text, got, want);
        free(got);
        free(want);
        block_done(&b);
        lines_free(&l);
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
        check_growth(text, n, 40, 40, &seed);
    }
}

/* Whatever is open, for however long, an append lays out a bounded part of it. */
static void an_append_lays_out_only_the_tail(void **state)
{
    static const struct {
        const char *begin, *again;
    } texts[] = {
        {"", "some words "},
        {"", "unbroken"},
        {"", "你好世界"},
        {"e", "\u0301"},
        {"", "a line\n"},
        {"", "a line\n\n"},
        {"```c\n", "int x = 1; /* a line of code */\n"},
        {"```\n", "one line of code without an end "},
        {"- out\n  ```py\n", "  x = '''a line of code\n"},
        {"> ```\n", "> quoted code\n"},
        {"", "- item\n"},
        {"- out\n", "  - nested item\n"},
        {"1. out\n", "   1. nested\n\n      and more\n\n"},
        {"> ", "- > "},
        {"", "> > > quoted\n"},
        {"| a | b |\n|---|---|\n", "| cell | another cell |\n"},
        {"> | a | b |\n> |---|---|\n", "> | cell | another cell |\n"},
        {"", "| "},
        {"", "**"},
        {"", "["},
        {"", "\\boxed{"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct block b;
        struct bytes text = {0};
        block_init(&b, false, false);
        bytes_add(&text, texts[i].begin, strlen(texts[i].begin));
        while (text.len < 300000)
            bytes_add(&text, texts[i].again, strlen(texts[i].again));
        assert_true(block_layout(&b, text.data, text.len, 40));
        if (text.len - b.settled.pos > 3 * OUTLINE_PIECE)
            fail_msg("%s: %zu bytes are not settled", texts[i].again, text.len - b.settled.pos);
        block_done(&b);
        bytes_free(&text);
    }
}

static void check_begins(const char **at, const char *expected)
{
    if (strncmp(*at, expected, strlen(expected)) != 0)
        fail_msg("got %.200s\nwant %s", *at, expected);
    *at += strlen(expected);
}

/* A block that is cut looks as if it were not. */
static void a_long_block_shows_no_cuts(void **state)
{
    static const char head[] = "1. out\n   - in\n     ```c\n", code[] = "     int x; /* a */\n\n";
    struct bytes text = {0};
    struct block b;
    (void)state;
    block_init(&b, false, false);
    bytes_add(&text, head, strlen(head));
    for (int i = 0; i < 2000; i++)
        bytes_add(&text, code, strlen(code));
    bytes_add(&text, "     ```\n2. end\n\n", 17);
    for (int i = 0; i < 5000; i++)
        bytes_add(&text, "words ", 6);
    assert_true(block_layout(&b, text.data, text.len, 46));
    char *lines = lines_of(&b.lines);
    const char *at = lines;
    check_begins(&at, "1. out$   <d>• <>in$     <l>── <><d>c<>$");
    for (int i = 0; i < 2000; i++)
        check_begins(&at, "       <k>int<> x; <#>/* a */<>$       $");
    check_begins(&at, "2. end$$");
    for (int i = 0; i < 5000 / 7; i++)
        check_begins(&at, "words words words words words words words$");
    free(lines);
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
        block_init(&b, false, false);
        assert_true(block_layout(&b, text, n, width));
        for (size_t i = 0; i < b.n_lines; i++) {
            const struct lines *l = &b.lines;
            size_t end = i + 1 < l->n ? l->lines[i + 1].text : l->text.len;
            assert_true(l->lines[i].width > 0 || text_width(l->text.data + l->lines[i].text,
                                                            end - l->lines[i].text) <= width);
        }
        block_done(&b);
    }
}

int test_block(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markdown_becomes_lines),
        cmocka_unit_test(struck_text_is_all_struck),
        cmocka_unit_test(code_is_highlighted),
        cmocka_unit_test(plain_text_stays_as_it_is),
        cmocka_unit_test(growing_gives_the_lines_of_the_whole),
        cmocka_unit_test(pieces_give_what_the_whole_gives),
        cmocka_unit_test(growing_a_long_line_settles_and_is_right),
        cmocka_unit_test(an_append_lays_out_only_the_tail),
        cmocka_unit_test(a_long_block_shows_no_cuts),
        cmocka_unit_test(no_line_is_wider_than_asked),
    };
    return cmocka_run_group_tests_name("block", tests, NULL, NULL);
}
