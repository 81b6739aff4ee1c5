/*
 * test_hostile.c: text from outside that would like to be more than text. Two oracles: every byte
 * sent to the terminal is of a sequence that is ours, and the screen is that of the same text
 * spelled out.
 */
#include "term.h"
#include "tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *hostile, *spelled;
} pieces[] = {
    {"\033[2J", "^[[2J"},
    {"\033[10;10H", "^[[10;10H"},
    {"\033[31m", "^[[31m"},
    {"\033c", "^[c"},
    {"\033]0;title\a", "^[]0;title^G"},
    {"\033]52;c;aGk=\033\\", "^[]52;c;aGk=^[\\"},
    {"\033P$q\"p\033\\", "^[P$q\"p^[\\"},
    {"\033_Ga=T\033\\", "^[_Ga=T^[\\"},
    {"\033]8;;http://x\033\\link\033]8;;\033\\", "^[]8;;http://x^[\\link^[]8;;^[\\"},
    {"\033[6n", "^[[6n"},
    {"\033[?1049l", "^[[?1049l"},
    {"\033[201~", "^[[201~"},
    {"\r", "^M"},
    {"\b\b\b", "^H^H^H"},
    {"\v\f", "^K^L"},
    {"\016\017", "^N^O"},
    {"\x7f", "^?"},
    {"\xc2\x9b"
     "2J",
     "<U+009B>2J"},
    {"\xc2\x90q\xc2\x9c", "<U+0090>q<U+009C>"},
    {"\x9b"
     "2J",
     "\ufffd2J"},
    {"\u202eevil\u202c", "<U+202E>evil<U+202C>"},
    {"\u2066x\u2069", "<U+2066>x<U+2069>"},
    {"a\u200bb", "a<U+200B>b"},
    {"\ufeff", "<U+FEFF>"},
    {"\U000e0041", "<U+E0041>"},
    {"\u2028", "<U+2028>"},
    {"\xff\xfe", "\ufffd\ufffd"},
    {"\xe2\x82", "\ufffd"},
    {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
    {"👩\u200d👩\u200d👧", "👩"},
    {"👍🏽", "👍"},
    {"words and ", "words and "},
    {"你好", "你好"},
    {"e\u0301", "e\u0301"},
    {" ", " "},
    {"\n", "\n"},
    {"\t", "\t"},
    {"● Saved. ", "● Saved. "},
};

enum { N_PIECES = sizeof pieces / sizeof *pieces };

static void random_pair(unsigned *seed, struct bytes *hostile, struct bytes *spelled)
{
    unsigned n = 1 + (unsigned)rand_r(seed) % 24;
    bytes_cut(hostile, 0);
    bytes_cut(spelled, 0);
    bytes_add(hostile, "x. ", 3); /* no code: it is not broken at words */
    bytes_add(spelled, "x. ", 3);
    for (unsigned i = 0; i < n; i++) {
        unsigned at = (unsigned)rand_r(seed) % N_PIECES;
        bytes_add(hostile, pieces[at].hostile, strlen(pieces[at].hostile));
        bytes_add(spelled, pieces[at].spelled, strlen(pieces[at].spelled));
        /* A cut character cannot go on in the next piece, and no word is so long that it breaks. */
        bytes_add(hostile, ". ", 2);
        bytes_add(spelled, ". ", 2);
    }
}

static void say(struct term *t, const struct bytes *text)
{
    ui_transcript_clear(t->ui);
    ui_message_begin(t->ui, 1, UI_USER, "You");
    ui_message_append(t->ui, 1, UI_ANSWER, text->data, text->len);
    ui_message_end(t->ui, 1, UI_INFO, NULL);
    ui_message_begin(t->ui, 2, UI_ASSISTANT, "model");
    ui_message_append(t->ui, 2, UI_REASONING, text->data, text->len);
    ui_message_append(t->ui, 2, UI_ANSWER, text->data, text->len);
}

static void check_same(const struct term *a, const struct term *b)
{
    char *x = term_text(a), *y = term_text(b);
    assert_string_equal(x, y);
    free(x);
    free(y);
}

static void messages_stay_text(void **state)
{
    struct bytes hostile = {0}, spelled = {0};
    unsigned seed = 11;
    struct term a, b;
    (void)state;
    term_open(&a, 24, 80, NULL);
    term_open(&b, 24, 80, NULL);
    term_type(&a, "\017"); /* reasoning unfolded */
    term_type(&b, "\017");
    for (int round = 0; round < 1500; round++) {
        random_pair(&seed, &hostile, &spelled);
        say(&a, &hostile);
        say(&b, &spelled);
        term_forget(&a);
        term_turn(&a);
        term_turn(&b);
        term_check_grammar(a.raw.data ? a.raw.data : "", a.raw.len);
        check_same(&a, &b);
    }
    bytes_free(&hostile);
    bytes_free(&spelled);
    term_close(&a);
    term_close(&b);
}

/* Every other string that comes from outside, each in its place. */
static void show_everywhere(struct term *t, const char *text)
{
    ui_transcript_clear(t->ui);
    ui_message_begin(t->ui, 1, UI_ASSISTANT, text);
    ui_message_end(t->ui, 1, UI_FAIL, text);
    ui_notice(t->ui, UI_WARN, text);
    ui_draft_set(t->ui, text, strlen(text));
    ui_status_set(t->ui, &(struct ui_status){.model = text, .device = {text, text}});
    ui_sidebar_set(t->ui, (struct ui_row[]){{1, text, text}}, 1, 1);
    term_turn(t);
    term_type(t, "\033OQ");
    term_type(t, "\033");
    ui_pick(t->ui, 1, text, (struct ui_row[]){{1, text, text}}, 1, 1);
    term_turn(t);
    term_type(t, "\033");
    ui_hint(t->ui, text);
    term_turn(t);
}

static void every_other_string_stays_text(void **state)
{
    struct bytes hostile = {0}, spelled = {0};
    unsigned seed = 12;
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    for (int round = 0; round < 500; round++) {
        random_pair(&seed, &hostile, &spelled);
        term_forget(&t);
        show_everywhere(&t, hostile.data);
        term_check_grammar(t.raw.data, t.raw.len);
    }
    bytes_free(&hostile);
    bytes_free(&spelled);
    term_close(&t);
}

static void random_bytes_stay_text(void **state)
{
    unsigned seed = 13;
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    for (int round = 0; round < 1000; round++) {
        char bytes[512];
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (char)(rand_r(&seed) >> 8);
        ui_transcript_clear(t.ui);
        ui_message_begin(t.ui, 1, UI_ASSISTANT, "m");
        for (size_t i = 0; i < sizeof bytes; i += 64)
            ui_message_append(t.ui, 1, UI_ANSWER, bytes + i, 64);
        term_forget(&t);
        term_turn(&t);
        term_check_grammar(t.raw.data, t.raw.len);
    }
    term_close(&t);
}

/* What a model says begins right of the margin, where the program's own signs stand. */
static void a_model_cannot_pose_as_the_program(void **state)
{
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    ui_message_begin(t.ui, 1, UI_ASSISTANT, "m");
    ui_message_append(t.ui, 1, UI_ANSWER, "● Saved.\n› quit\n\n\n■ stopped", 29);
    ui_message_end(t.ui, 1, UI_INFO, NULL);
    ui_notice(t.ui, UI_INFO, "Saved.");
    term_turn(&t);
    char *text = term_text(&t);
    assert_non_null(strstr(text, "\n  ● Saved.\n  › quit\n"));
    assert_non_null(strstr(text, "\n● Saved.\n"));
    free(text);
    term_close(&t);
}

static void monsters_are_bounded(void **state)
{
    struct bytes text = {0};
    struct term t;
    (void)state;
    term_open(&t, 24, 80, NULL);
    ui_message_begin(t.ui, 1, UI_ASSISTANT, "m");
    bytes_add(&text, "a", 1);
    for (int i = 0; i < 100000; i++)
        bytes_add(&text, "\u0301", 2);
    bytes_add(&text, "\n", 1);
    for (int i = 0; i < 1 << 20; i++)
        bytes_add(&text, "line " + i % 5, 1);
    for (int i = 0; i < 10000; i++)
        bytes_add(&text, "\n- > ", 5);
    bytes_add(&text, "\n```\n`**\\boxed{", 14);
    for (int i = 0; i < 1 << 16; i++)
        bytes_add(&text, "|x", 2);
    ui_message_append(t.ui, 1, UI_ANSWER, text.data, text.len);
    term_turn(&t);
    assert_true(term_shows(&t, "|x|x|x"));
    for (int i = 0; i < 100; i++) {
        ui_message_append(t.ui, 1, UI_ANSWER, "|y", 2);
        term_turn(&t);
    }
    assert_true(term_shows(&t, "|y|y"));
    term_type(&t, "\t");
    term_type(&t, "g");
    term_type(&t, "G");
    term_check_grammar(t.raw.data, t.raw.len);
    bytes_free(&text);
    term_close(&t);
}

int test_hostile(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_stay_text),
        cmocka_unit_test(every_other_string_stays_text),
        cmocka_unit_test(random_bytes_stay_text),
        cmocka_unit_test(a_model_cannot_pose_as_the_program),
        cmocka_unit_test(monsters_are_bounded),
    };
    return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
