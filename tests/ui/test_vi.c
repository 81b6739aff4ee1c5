/*
 * test_vi.c: editing as in vi: a text and keys in, a text out. The rows hold in Vim as well.
 */
#include "tests.h"

#include "ui/composer/composer.h"
#include "ui/text/text.h"
#include "ui/text/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *before, *keys, *after; /* '|' is the cursor */
} rows[] = {
    /* motions */
    {"ab|c", "h", "a|bc"},
    {"|abc", "2l", "ab|c"},
    {"|abc", "9l", "ab|c"},
    {"one |two  three", "w", "one two  |three"},
    {"|foo.bar baz", "w", "foo|.bar baz"},
    {"|foo.bar baz", "W", "foo.bar |baz"},
    {"|a b c d", "3w", "a b c |d"},
    {"one two |three", "b", "one |two three"},
    {"foo.bar |baz", "2b", "foo|.bar baz"},
    {"foo.bar |baz", "B", "|foo.bar baz"},
    {"|one two", "e", "on|e two"},
    {"on|e two", "e", "one tw|o"},
    {"|foo.b c", "E", "foo.|b c"},
    {"one tw|o", "ge", "on|e two"},
    {"one tw|o", "\u0165", "one tw|o"}, /* 'e' + 256 */
    {"  ab|c", "0", "|  abc"},
    {"  ab|c", "^", "  |abc"},
    {"|abc", "$", "ab|c"},
    {"ab|cdef", "4|", "abc|def"},
    {"|a,b,c", "f,", "a|,b,c"},
    {"|a,b,c", "2f,", "a,b|,c"},
    {"|a,b,c", "t,;", "a,|b,c"},
    {"a,b,|c", "F,", "a,b|,c"},
    {"a,b,|c", "T,;", "a,|b,c"},
    {"|a,b,c", "f,;,", "a|,b,c"},
    {"|abc", "fx", "|abc"},
    {"a|(b(c)d)e", "%", "a(b(c)d|)e"},
    {"a(b(c)d|)e", "%", "a|(b(c)d)e"},
    {"one\ntwo\nth|ree", "gg", "|one\ntwo\nthree"},
    {"o|ne\ntwo\nthree", "G", "one\ntwo\n|three"},
    {"o|ne\ntwo\nthree", "2G", "one\n|two\nthree"},
    {"|a\nb\n\nc", "}", "a\nb\n|\nc"},
    {"a\n\nb\n|c", "{", "a\n|\nb\nc"},
    {"|a\n\nb", "w", "a\n|\nb"},
    {"|a\n\nb", "ww", "a\n\n|b"},
    {"|a\n  b", "+", "a\n  |b"},
    {"|caf\u00e9 x", "w", "caf\u00e9 |x"},
    /* operators */
    {"one |two three", "dw", "one |three"},
    {"one |two", "dw", "one| "},
    {"|a b c d", "d2w", "|c d"},
    {"|a b c d e", "2d2w", "|e"},
    {"one |two\nthree", "dw", "one| \nthree"},
    {"one two| three", "db", "one | three"},
    {"|one two", "de", "| two"},
    {"one |two three", "d$", "one| "},
    {"one |two three", "D", "one| "},
    {"one |two", "d0", "|two"},
    {"|a,b,c", "dt,", "|,b,c"},
    {"|a,b,c", "df,", "|b,c"},
    {"a,b,|c", "dF,", "a,b|c"},
    {"a\n|b\nc", "dd", "a\n|c"},
    {"a\nb\n|c", "dd", "a\n|b"},
    {"|a\nb\nc", "2dd", "|c"},
    {"|a\nb\nc", "dj", "|c"},
    {"a\n|b\nc", "dk", "|c"},
    {"a\n|b\nc", "dG", "|a"},
    {"a\n|b\nc", "dgg", "|c"},
    {"|abc", "dd", "|"},
    {"f|(a(b)c)d", "d%", "f|d"},
    {"|a\nb\n\nc", "d}", "|\nc"},
    {"one |two three", "cwx\033", "one |x three"},
    {"one |two three", "c2wx\033", "one |x"},
    {"one t|wo", "cwx\033", "one t|x"},
    {"|a b", "cwxy\033", "x|y b"},
    {"one |two three", "Cx\033", "one |x"},
    {"  one\ntw|o", "ccx\033", "  one\n|x"},
    {"tw|o three", "Sx\033", "|x"},
    {"|abc", "2sx\033", "|xc"},
    /* characters */
    {"|abc", "x", "|bc"},
    {"ab|c", "x", "a|b"},
    {"|abc", "2x", "|c"},
    {"ab|c", "X", "a|c"},
    {"|abc", "rx", "|xbc"},
    {"|abc", "2rx", "x|xc"},
    {"a|bc", "3rx", "a|bc"},
    {"|abc", "~", "A|bc"},
    {"|abc", "3~", "AB|C"},
    {"|abcd", "Rxy\033", "x|ycd"},
    {"ab|c", "Rxyz\033", "abxy|z"},
    {"|e\u0301a", "x", "|a"},
    /* inserting */
    {"a|b", "ix\033", "a|xb"},
    {"a|b", "ax\033", "ab|x"},
    {"  a|b", "Ix\033", "  |xab"},
    {"|ab", "Ax\033", "ab|x"},
    {"a|b\nc", "ox\033", "ab\n|x\nc"},
    {"ab\n|c", "Ox\033", "ab\n|x\nc"},
    {"|b", "3ix\033", "xx|xb"},
    {"|", "2oab\033", "\nab\na|b"},
    /* copying and putting */
    {"|one two", "ywP", "one| one two"},
    {"|one two", "yw$p", "one twoone| "},
    {"|a\nb", "yyp", "a\n|a\nb"},
    {"|a\nb", "yyjp", "a\nb\n|a"},
    {"|a\nb", "yyP", "|a\na\nb"},
    {"|a\nb", "Y2p", "a\n|a\na\nb"},
    {"|ab", "xp", "b|a"},
    {"a\n|b\nc", "ddp", "a\nc\n|b"},
    {"|abc", "x3p", "baa|ac"},
    {"a |b c", "yb", "|a b c"},
    /* lines */
    {"|a\n  b", "J", "a| b"},
    {"|a\nb\nc", "3J", "a b| c"},
    {"|a\n)b", "J", "a|)b"},
    {"|a\n b", "gJ", "a| b"},
    /* letters */
    {"one |two", "gUw", "one |TWO"},
    {"|One Two", "gu$", "|one two"},
    {"O|ne", "g~~", "|oNE"},
    {"on|e two", "gUiw", "|ONE two"},
    /* text objects */
    {"one t|wo three", "diw", "one | three"},
    {"one t|wo three", "daw", "one |three"},
    {"one two th|ree", "daw", "one tw|o"},
    {"one | two", "diw", "one|two"},
    {"a foo.b|ar c", "diW", "a | c"},
    {"x \"a |b\" y", "di\"", "x \"|\" y"},
    {"x \"a |b\" y", "da\"", "x |y"},
    {"f(a, |b)", "di(", "f(|)"},
    {"f(a, |b) c", "da(", "f| c"},
    {"f(a(b|), c)", "d2ib", "f(|)"},
    {"f{a |b}", "ci{x\033", "f{|x}"},
    {"a[|b]", "di[", "a[|]"},
    {"a\n|b\nc\n\nd", "dip", "|\nd"},
    {"|b\nc\n\nd", "dap", "|d"},
    {"one t|wo", "ciwx\033", "one |x"},
    /* undo, redo, repeat */
    {"|one two", "dwu", "|one two"},
    {"|one two", "dwu\022", "|two"},
    {"|one two", "dwdwuu", "|one two"},
    {"a|b", "ixyz\033u", "a|b"},
    {"|a b c d", "dw.", "|c d"},
    {"|a b c d e f", "dw2.", "|d e f"},
    {"|abc", "ix\033..", "|xxxabc"},
    {"|one two three", "cwx\033w.", "x |x three"},
    {"|abcd", "x.", "|cd"},
    {"|a\nb\nc", "dd.", "|c"},
    {"|a,b,c", "df,.", "|c"},
    {"|aa", "rxl.", "x|x"},
    {"|ab", "Ax\033.", "abx|x"},
    {"|a b", "99999d99999w", "|"},
    {"|", "3ia\033u", "|"},
    /* what is selected */
    {"|one two", "ved", "| two"},
    {"o|ne two", "vlcx\033", "o|x two"},
    {"|a\nb\nc", "Vjd", "|c"},
    {"|abc", "vlU", "|ABc"},
    {"one t|wo three", "viwd", "one | three"},
    {"abc|d", "vhhd", "|a"},
    {"|one two", "vey$p", "one twoon|e"},
    {"a|bcd", "vlohd", "|d"},
    {"|ab cd", "vl~", "|AB cd"},
    {"|one", "vv", "|one"},
    {"|a\nb\nc", "VjJ", "a| b\nc"},
};

/* The draft with '|' where the cursor is. */
static const char *shown(struct composer *c)
{
    static char out[512];
    size_t at = c->editor.cursor;
    const char *text = composer_text(c, NULL);
    snprintf(out, sizeof out, "%.*s|%s", (int)at, text, text + at);
    return out;
}

static void press(struct composer *c, uint32_t cp);

/* As the dispatcher does it. */
static void repeat(struct composer *c)
{
    struct vi_record record = c->vi.last;
    char count[16];
    int n = c->vi.times > 0 ? c->vi.times : record.count;

    c->vi.replaying = true;
    snprintf(count, sizeof count, "%d", n);
    for (const char *digit = n > 0 ? count : ""; *digit; digit++)
        press(c, (unsigned char)*digit);
    for (size_t i = 0; i < record.n; i++)
        press(c, record.keys[i].code == KEY_ESC ? '\033' : record.keys[i].code);
    c->vi.replaying = false;
}

static void press(struct composer *c, uint32_t cp)
{
    struct key key = key_of_character(cp, 0);
    enum vi_request request = composer_vi(c, key);

    if (request == VI_UP || request == VI_DOWN)
        composer_do(c, request == VI_UP ? ACT_UP : ACT_DOWN);
    if (request == VI_REPEAT)
        repeat(c);
    if (request == VI_PASS && key.code < KEY_ENTER)
        composer_type(c, key.code);
}

static void type(struct composer *c, const char *keys)
{
    uint32_t cp;

    for (const char *end = keys + strlen(keys); keys < end;) {
        keys += text_decode(keys, (size_t)(end - keys), &cp);
        press(c, cp);
    }
}

static int set_up(void **state)
{
    struct composer *c = malloc(sizeof *c);
    composer_init(c, NULL, 0);
    composer_use_vi(c);
    composer_rows(c, 80);
    *state = c;
    return 0;
}

static int tear_down(void **state)
{
    composer_done(*state);
    free(*state);
    return 0;
}

static void keys_edit_as_in_vim(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct composer c;
        size_t cursor = strcspn(rows[i].before, "|");
        composer_init(&c, NULL, 0);
        composer_use_vi(&c);
        composer_insert(&c, rows[i].before, cursor);
        composer_insert(&c, rows[i].before + cursor + 1, strlen(rows[i].before) - cursor - 1);
        type(&c, "\033");
        c.editor.cursor = cursor;
        type(&c, rows[i].keys);
        if (strcmp(shown(&c), rows[i].after) != 0)
            fail_msg("%s: %s: got %s, not %s", rows[i].before, rows[i].keys, shown(&c),
                     rows[i].after);
        assert_int_equal(c.vi.mode, VI_NORMAL);
        composer_done(&c);
    }
}

static void writing_begins_in_insert_mode(void **state)
{
    struct composer *c = *state;
    type(c, "hello");
    assert_string_equal(shown(c), "hello|");
    assert_string_equal(vi_sign(&c->vi), "›");
    type(c, "\033");
    assert_string_equal(shown(c), "hell|o");
    assert_string_equal(vi_sign(&c->vi), ":");
    type(c, "qz"); /* no commands: and no text */
    assert_string_equal(shown(c), "hell|o");
    type(c, "u"); /* all that was inserted is one step */
    assert_string_equal(shown(c), "|");
    composer_sent(c);
    type(c, "new");
    assert_string_equal(shown(c), "new|");
}

static void rows_above_the_draft_are_earlier_prompts(void **state)
{
    struct composer *c = *state;
    recall_add(&c->recall, "earlier");
    type(c, "one\033k");
    assert_string_equal(composer_text(c, NULL), "earlier");
    type(c, "j");
    assert_string_equal(composer_text(c, NULL), "one");
}

static void esc_with_nothing_open_is_not_vis(void **state)
{
    struct composer *c = *state;
    struct key esc = {KEY_ESC, 0};
    assert_int_equal(composer_vi(c, esc), VI_DONE); /* leaves inserting */
    assert_int_equal(composer_vi(c, esc), VI_PASS);
    type(c, "2d");
    assert_int_equal(composer_vi(c, esc), VI_DONE);
    assert_int_equal(composer_vi(c, esc), VI_PASS);
}

/* Whatever is typed, the cursor stays between clusters and inside the text, and undo leads to the
 * start. */
static void any_keys_leave_a_sound_draft(void **state)
{
    static const char keys[] =
        "hjklwbeWBE0^$fFtT;,gG{}%dcyiaoIAOxXsSrR~JpPuDCYvV.()[]\"'`123 ab\033\033"
        "\022.dpw";
    unsigned seed = 9;
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct composer c;
        composer_init(&c, NULL, 0);
        composer_use_vi(&c);
        composer_insert(&c, "f(a, \"b c\")\n\n  wo\u0301rd 你好\nend", 30);
        type(&c, "\033");
        for (int i = 0; i < 80; i++) {
            press(&c, keys[(unsigned)rand_r(&seed) % (sizeof keys - 1)]);
            composer_rows(&c, 20);
            const struct editor *e = &c.editor;
            assert_true(e->cursor <= e->text.len);
            assert_true(e->text.len == 0 || text_whole(e->text.data, e->text.len) == e->text.len);
            assert_true(e->cursor == e->text.len || (e->text.data[e->cursor] & 0xc0) != 0x80);
            assert_true(e->text.len < 100000);
        }
        composer_done(&c);
    }
}

int test_vi(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(keys_edit_as_in_vim),
        TEST(writing_begins_in_insert_mode),
        TEST(rows_above_the_draft_are_earlier_prompts),
        TEST(esc_with_nothing_open_is_not_vis),
        TEST(any_keys_leave_a_sound_draft),
    };
#undef TEST
    return cmocka_run_group_tests_name("vi", tests, NULL, NULL);
}
