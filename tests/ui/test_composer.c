/*
 * test_composer.c: writing: editing, rows, earlier prompts, completion.
 */
#include "tests.h"

#include "ui/composer/composer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ui_command commands[] = {
    {"/help", "", "help"},
    {"/model", "[NAME]", "switch"},
    {"/new", "", "new"},
};

static int set_up(void **state)
{
    struct composer *c = malloc(sizeof *c);
    composer_init(c, commands, 3);
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

/* The draft with '|' where the cursor is. */
static const char *shown(struct composer *c)
{
    static char out[512];
    size_t len, at = c->editor.cursor;
    const char *text = composer_text(c, &len);
    snprintf(out, sizeof out, "%.*s|%s", (int)at, text, text + at);
    return out;
}

static void type(struct composer *c, const char *text)
{
    for (; *text; text++)
        composer_type(c, (unsigned char)*text);
}

static void keys_edit_as_in_emacs(void **state)
{
    static const struct {
        const char *before; /* '|' is the cursor */
        enum keymap_action action;
        const char *after;
    } rows[] = {
        {"ab|c", ACT_LEFT, "a|bc"},
        {"|abc", ACT_LEFT, "|abc"},
        {"a|e\u0301b", ACT_RIGHT, "ae\u0301|b"},
        {"a👩\u200d👧|b", ACT_LEFT, "a|👩\u200d👧b"},
        {"a\n|b", ACT_LEFT, "a|\nb"},
        {"abc|", ACT_RIGHT, "abc|"},
        {"one two| three", ACT_WORD_LEFT, "one |two three"},
        {"one |two three", ACT_WORD_LEFT, "|one two three"},
        {"one| two three", ACT_WORD_RIGHT, "one two| three"},
        {"x\nab|c\ny", ACT_HOME, "x\n|abc\ny"},
        {"x\n|abc\ny", ACT_END, "x\nabc|\ny"},
        {"x\na|b", ACT_TEXT_START, "|x\nab"},
        {"x|\nab", ACT_TEXT_END, "x\nab|"},
        {"ae\u0301|", ACT_DELETE_LEFT, "a|"},
        {"|", ACT_DELETE_LEFT, "|"},
        {"a|bc", ACT_DELETE_RIGHT, "a|c"},
        {"a|", ACT_DELETE_RIGHT, "a|"},
        {"one, two|x", ACT_KILL_WORD_LEFT, "one, |x"},
        {"a foo.bar|", ACT_KILL_SPACE_LEFT, "a |"},
        {"a| foo.bar", ACT_KILL_WORD_RIGHT, "a|.bar"},
        {"x\nab|c", ACT_KILL_START, "x\n|c"},
        {"a|bc\nd", ACT_KILL_END, "a|\nd"},
        {"a|\nd", ACT_KILL_END, "a|d"},
        {"a|b", ACT_NEWLINE, "a\n|b"},
        {"a|bc", ACT_SWAP_CHARACTERS, "ba|c"},
        {"abc|", ACT_SWAP_CHARACTERS, "acb|"},
        {"|abc", ACT_SWAP_CHARACTERS, "|abc"},
        {"x\n|ab", ACT_SWAP_CHARACTERS, "x\n|ab"},
        {"one, t|wo three", ACT_SWAP_WORDS, "two, one| three"},
        {"one two|", ACT_SWAP_WORDS, "two one|"},
        {"one|", ACT_SWAP_WORDS, "one|"},
        {"o|ne two", ACT_UPPER, "oNE| two"},
        {"| élan", ACT_TITLE, " Élan|"},
        {"|ONE", ACT_LOWER, "one|"},
        {"a  | b", ACT_JOIN_SPACES, "a|b"},
    };
    struct composer *c = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t cursor = strcspn(rows[i].before, "|");
        composer_set(c, "", 0);
        composer_insert(c, rows[i].before, cursor);
        composer_insert(c, rows[i].before + cursor + 1, strlen(rows[i].before) - cursor - 1);
        c->editor.cursor = cursor;
        assert_true(composer_do(c, rows[i].action));
        assert_string_equal(shown(c), rows[i].after);
    }
    assert_false(composer_do(c, ACT_SUSPEND));
}

static void what_is_cut_in_a_row_comes_back_whole(void **state)
{
    struct composer *c = *state;
    type(c, "one two three");
    composer_do(c, ACT_KILL_WORD_LEFT);
    composer_do(c, ACT_KILL_WORD_LEFT);
    assert_string_equal(shown(c), "one |");
    composer_do(c, ACT_HOME);
    composer_do(c, ACT_YANK);
    assert_string_equal(shown(c), "two three|one ");
    composer_do(c, ACT_KILL_END); /* a new row of cuts */
    composer_do(c, ACT_KILL_START);
    composer_do(c, ACT_YANK);
    assert_string_equal(shown(c), "two threeone |");
}

static void older_cuts_come_back_in_turn(void **state)
{
    struct composer *c = *state;
    for (int i = 0; i < 3; i++) {
        type(c, (const char *const[]){"one", "two", "three"}[i]);
        composer_do(c, ACT_KILL_START);
        composer_do(c, ACT_LEFT); /* ends the row of cuts */
    }
    composer_do(c, ACT_YANK_OLDER); /* nothing was put back yet */
    assert_string_equal(shown(c), "|");
    composer_do(c, ACT_YANK);
    assert_string_equal(shown(c), "three|");
    composer_do(c, ACT_YANK_OLDER);
    assert_string_equal(shown(c), "two|");
    composer_do(c, ACT_YANK_OLDER);
    assert_string_equal(shown(c), "one|");
    composer_do(c, ACT_YANK_OLDER); /* around */
    assert_string_equal(shown(c), "three|");
    type(c, "!");
    composer_do(c, ACT_YANK_OLDER);
    assert_string_equal(shown(c), "three!|");
}

static void redo_takes_undo_back_until_something_changes(void **state)
{
    struct composer *c = *state;
    type(c, "one two");
    composer_do(c, ACT_KILL_SPACE_LEFT);
    composer_do(c, ACT_UNDO);
    composer_do(c, ACT_UNDO);
    assert_string_equal(shown(c), "one|");
    composer_do(c, ACT_REDO);
    composer_do(c, ACT_REDO);
    assert_string_equal(shown(c), "one |");
    composer_do(c, ACT_REDO);
    assert_string_equal(shown(c), "one |");
    composer_do(c, ACT_UNDO);
    type(c, "x");
    composer_do(c, ACT_REDO);
    assert_string_equal(shown(c), "one twox|");
}

/* Chips */

static const char lines8[] = "1\n2\n3\n4\n5\n6\n7\n8";

static void a_long_paste_is_one_sign(void **state)
{
    struct composer *c = *state;
    size_t len;
    composer_paste(c, lines8, 13); /* seven lines: not folded */
    assert_int_equal(c->editor.text.len, 13);
    composer_set(c, "", 0);
    type(c, "see ");
    assert_true(composer_paste(c, lines8, strlen(lines8)));
    type(c, "!");
    assert_int_equal(c->editor.text.len, 4 + CHIP_PLACEHOLDER + 1);
    assert_string_equal(composer_text(c, &len), "see 1\n2\n3\n4\n5\n6\n7\n8!");
    assert_int_equal(len, 4 + strlen(lines8) + 1);
    composer_do(c, ACT_LEFT);
    composer_do(c, ACT_DELETE_LEFT);
    assert_string_equal(composer_text(c, NULL), "see !");
    composer_do(c, ACT_UNDO);
    assert_int_equal(strlen(composer_text(c, NULL)), 4 + strlen(lines8) + 1);
    composer_do(c, ACT_LEFT);
    composer_do(c, ACT_OPEN_CHIP);
    assert_int_equal(c->editor.text.len, 4 + strlen(lines8) + 1);
    composer_do(c, ACT_UNDO);
    assert_int_equal(c->editor.text.len, 4 + CHIP_PLACEHOLDER + 1);
}

static void a_chip_says_what_it_holds(void **state)
{
    struct composer *c = *state;
    char text[1001];
    memset(text, 'x', 1000);
    text[999] = '\n';
    composer_paste(c, text, 999); /* a character too few */
    assert_int_equal(c->editor.text.len, 999);
    composer_set(c, "", 0);
    composer_paste(c, text, 1000);
    assert_string_equal(chips_find(&c->chips, c->editor.text.data, 3)->label,
                        "[paste 1: 1 line, 1.0 kB]");
    composer_attach(c, "a name that is rather too long.txt", "a\nb", 3);
    assert_string_equal(chips_find(&c->chips, c->editor.text.data + 3, 3)->label,
                        "[a name that is rather to…: 2 lines, 3 bytes]");
}

static void chips_are_sent_whole_and_come_back_as_chips(void **state)
{
    struct composer *c = *state;
    composer_paste(c, lines8, strlen(lines8));
    type(c, "?");
    char *whole = strdup(composer_text(c, NULL));
    composer_sent(c);
    assert_string_equal(composer_text(c, NULL), "");
    assert_false(composer_unsend(c, "other", 5));
    assert_string_equal(composer_text(c, NULL), "");
    assert_true(composer_unsend(c, whole, strlen(whole)));
    assert_int_equal(c->editor.text.len, CHIP_PLACEHOLDER + 1);
    composer_sent(c);
    composer_do(c, ACT_UP);
    assert_string_equal(composer_text(c, NULL), whole);
    free(whole);
}

static void no_text_can_pose_as_a_chip(void **state)
{
    struct composer *c = *state;
    composer_paste(c, lines8, strlen(lines8));
    composer_insert(c, "\ufdd0", 3);
    composer_type(c, 0xfdd0);
    composer_paste(c, "\ufdd0\ufdd1", 6);
    assert_string_equal(composer_text(c, NULL), "1\n2\n3\n4\n5\n6\n7\n8\ufffd\ufffd\ufffd\ufffd");
}

static void signs_are_used_again(void **state)
{
    struct composer *c = *state;
    for (int i = 0; i < EDITOR_CHANGES_MAX + 3 * CHIPS_MAX; i++) {
        composer_paste(c, lines8, strlen(lines8));
        assert_string_equal(composer_text(c, NULL), lines8);
        composer_set(c, "", 0);
    }
}

static void chips_together_keep_the_limit(void **state)
{
    struct composer *c = *state;
    size_t n = EDITOR_MAX / 2 + 1;
    char *text = malloc(n);
    memset(text, 'x', n);
    assert_true(composer_paste(c, text, n));
    assert_false(composer_paste(c, text, n));
    composer_do(c, ACT_KILL_START);
    composer_do(c, ACT_YANK);
    composer_do(c, ACT_YANK); /* twice is too much */
    assert_int_equal(c->editor.text.len, CHIP_PLACEHOLDER);
    free(text);
}

/* Searching */

static void earlier_prompts_are_searched_as_they_are_typed(void **state)
{
    struct composer *c = *state;
    recall_add(&c->recall, "the first prime");
    recall_add(&c->recall, "the second prime");
    recall_add(&c->recall, "something else");
    type(c, "draft");
    composer_do(c, ACT_SEARCH_PROMPTS);
    type(c, "PRIM");
    size_t pos;
    assert_string_equal(recall_found(&c->search, &c->recall, &pos), "the second prime");
    assert_int_equal(pos, 11);
    composer_do(c, ACT_SEARCH_PROMPTS);
    assert_string_equal(recall_found(&c->search, &c->recall, &pos), "the first prime");
    composer_do(c, ACT_SEARCH_PROMPTS);
    assert_true(c->search.failed);
    composer_do(c, ACT_SEARCH_NEWER);
    assert_string_equal(recall_found(&c->search, &c->recall, &pos), "the second prime");
    composer_do(c, ACT_CANCEL);
    assert_string_equal(shown(c), "draft|");
    composer_do(c, ACT_SEARCH_PROMPTS);
    composer_do(c, ACT_SEARCH_PROMPTS); /* what was looked for before */
    composer_do(c, ACT_TAKE_FOUND);
    assert_string_equal(shown(c), "the second |prime");
    composer_do(c, ACT_UNDO);
    assert_string_equal(composer_text(c, NULL), "draft");
}

static void a_search_that_finds_nothing_takes_nothing(void **state)
{
    struct composer *c = *state;
    type(c, "draft");
    composer_do(c, ACT_SEARCH_PROMPTS); /* there are no prompts at all */
    composer_do(c, ACT_SEARCH_PROMPTS);
    type(c, "x");
    composer_do(c, ACT_ERASE);
    composer_do(c, ACT_ERASE);
    composer_do(c, ACT_TAKE_FOUND);
    assert_string_equal(shown(c), "draft|");
}

static void undo_goes_back_by_words_and_to_the_start(void **state)
{
    struct composer *c = *state;
    type(c, "one two");
    composer_do(c, ACT_KILL_START);
    composer_insert(c, "pasted", 6);
    composer_do(c, ACT_UNDO);
    assert_string_equal(shown(c), "|");
    composer_do(c, ACT_UNDO);
    assert_string_equal(shown(c), "one two|");
    composer_do(c, ACT_UNDO);
    assert_string_equal(shown(c), "one|");
    for (int i = 0; i < 10; i++)
        composer_do(c, ACT_UNDO);
    assert_string_equal(shown(c), "|");
}

static void undo_of_random_editing_gives_every_state_back(void **state)
{
    enum { STEPS = 300 };
    static const enum keymap_action edits[] = {
        ACT_DELETE_LEFT, ACT_DELETE_RIGHT, ACT_KILL_WORD_LEFT, ACT_KILL_END,
        ACT_YANK,        ACT_NEWLINE,      ACT_KILL_START,     ACT_LEFT,
        ACT_WORD_LEFT,   ACT_UP,           ACT_TEXT_END,
    };
    struct composer *c = *state;
    char *states[STEPS + 1];
    size_t n = 0;
    unsigned seed = 4;
    states[n++] = strdup("");
    for (int i = 0; i < STEPS; i++) {
        unsigned r = (unsigned)rand_r(&seed);
        if (r % 3 == 0)
            composer_insert(c, "wörd 你\n" + (r / 3 % 2) * 6, 3);
        else if (edits[r % 11] != ACT_UP || c->recall.n == 0)
            composer_do(c, edits[r % 11]);
        if (strcmp(states[n - 1], composer_text(c, NULL)) != 0)
            states[n++] = strdup(composer_text(c, NULL));
    }
    while (n > 0) {
        assert_string_equal(composer_text(c, NULL), states[n - 1]);
        free(states[--n]);
        composer_do(c, ACT_UNDO);
    }
}

static void up_and_down_keep_the_column(void **state)
{
    struct composer *c = *state;
    composer_insert(c, "long line\nab\nlong line", 22);
    composer_do(c, ACT_UP);
    assert_string_equal(shown(c), "long line\nab|\nlong line");
    composer_do(c, ACT_UP);
    assert_string_equal(shown(c), "long line|\nab\nlong line");
    composer_do(c, ACT_DOWN);
    composer_do(c, ACT_DOWN);
    assert_string_equal(shown(c), "long line\nab\nlong line|");
}

static void up_and_down_go_through_wrapped_rows(void **state)
{
    struct composer *c = *state;
    assert_int_equal(composer_rows(c, 10), 1);
    composer_insert(c, "abcdefghij klm", 14); /* room for 7 */
    assert_int_equal(composer_rows(c, 10), 2);
    composer_do(c, ACT_UP);
    assert_string_equal(shown(c), "abcdef|ghij klm");
}

static void earlier_prompts_come_back_and_the_draft_waits(void **state)
{
    struct composer *c = *state;
    recall_add(&c->recall, "first");
    recall_add(&c->recall, "two\nrows");
    recall_add(&c->recall, "two\nrows"); /* once is enough */
    type(c, "draft");
    composer_do(c, ACT_UP);
    assert_string_equal(shown(c), "two\nrows|");
    composer_do(c, ACT_UP); /* within the prompt */
    assert_string_equal(shown(c), "two|\nrows");
    composer_do(c, ACT_UP);
    assert_string_equal(shown(c), "first|");
    composer_do(c, ACT_UP);
    assert_string_equal(shown(c), "first|");
    composer_do(c, ACT_DOWN);
    composer_do(c, ACT_DOWN);
    assert_string_equal(shown(c), "draft|");
    composer_sent(c);
    assert_string_equal(shown(c), "|");
    composer_do(c, ACT_UP);
    assert_string_equal(shown(c), "draft|");
}

static void the_history_is_bounded(void **state)
{
    struct composer *c = *state;
    char prompt[16];
    for (int i = 0; i < RECALL_MAX + 10; i++) {
        snprintf(prompt, sizeof prompt, "%d", i);
        recall_add(&c->recall, prompt);
    }
    assert_int_equal(c->recall.n, RECALL_MAX);
    assert_string_equal(c->recall.prompts[0], "10");
}

static void commands_complete(void **state)
{
    struct composer *c = *state;
    type(c, "/");
    assert_true(complete_is_open(&c->complete));
    assert_int_equal(complete_rows(&c->complete), 3);
    type(c, "m");
    assert_int_equal(complete_rows(&c->complete), 1);
    composer_complete(c, 1);
    assert_string_equal(shown(c), "/model |");
    assert_false(complete_is_open(&c->complete));
    composer_set(c, "/", 1);
    composer_do(c, ACT_DOWN);
    composer_do(c, ACT_DOWN);
    composer_do(c, ACT_DOWN); /* around */
    composer_do(c, ACT_UP);
    composer_complete(c, 1);
    assert_string_equal(shown(c), "/new|");
    composer_set(c, "a /m", 4);
    assert_false(complete_is_open(&c->complete));
    composer_set(c, "/zzz", 4);
    assert_false(complete_is_open(&c->complete));
}

static void offer_names(void *ud, const char *line, ui_offer offer, void *sink)
{
    (void)ud;
    if (strncmp(line, "/model ", 7) != 0)
        return;
    offer(sink, "demo-deepseek", "thinks");
    offer(sink, "demo-llama", NULL);
    offer(sink, "folder/", NULL);
    offer(sink, "a\nb", "never offered");
}

static void arguments_complete(void **state)
{
    struct composer *c = *state;
    c->complete.source = offer_names;
    type(c, "/model ");
    assert_int_equal(complete_rows(&c->complete), 3);
    type(c, "d");
    assert_int_equal(complete_rows(&c->complete), 2);
    composer_complete(c, 1); /* what they have in common */
    assert_string_equal(shown(c), "/model demo-|");
    composer_complete(c, 1); /* then one after the other */
    assert_string_equal(shown(c), "/model demo-deepseek|");
    composer_complete(c, 1);
    assert_string_equal(shown(c), "/model demo-llama|");
    composer_complete(c, 1);
    composer_complete(c, -1);
    assert_string_equal(shown(c), "/model demo-llama|");
    assert_int_equal(complete_rows(&c->complete), 2);
    assert_true(composer_choose(c));
    assert_string_equal(shown(c), "/model demo-llama|");
    composer_set(c, "/model f", 8);
    assert_true(composer_choose(c)); /* no selection: sent as typed */
    assert_string_equal(shown(c), "/model f|");
    composer_do(c, ACT_DOWN);
    assert_false(composer_choose(c)); /* a folder is not the end */
    assert_string_equal(shown(c), "/model folder/|");
}

static void any_bytes_become_a_valid_draft(void **state)
{
    struct composer *c = *state;
    composer_set(c, "a\r\nb\rc\0d\xff\xe2\x82", 11);
    assert_string_equal(composer_text(c, NULL), "a\nb\nc\ufffdd\ufffd\ufffd");
}

static void a_draft_has_a_limit(void **state)
{
    struct composer *c = *state;
    size_t n = EDITOR_MAX;
    char *text = malloc(n);
    memset(text, 'x', n);
    assert_true(composer_insert(c, text, n));
    uint64_t revision = c->editor.revision;
    assert_false(composer_type(c, 'y'));
    assert_int_equal(c->editor.revision, revision);
    assert_int_equal(c->editor.text.len, n);
    composer_rows(c, 80);
    assert_int_equal(c->rows.n, (n + 76) / 77);
    free(text);
}

/* Rows made as the text changes are those made of the whole at once. */
static void rows_do_not_depend_on_how_the_text_came(void **state)
{
    static const char *const pieces[] = {"word ", "longerword", "你好", "\n", " ", "e\u0301"};
    static const enum keymap_action moves[] = {ACT_LEFT,      ACT_TEXT_START,  ACT_TEXT_END,
                                               ACT_WORD_LEFT, ACT_DELETE_LEFT, ACT_KILL_WORD_RIGHT,
                                               ACT_UNDO};
    unsigned seed = 5;
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct composer grown, fresh;
        composer_init(&grown, commands, 3);
        for (int i = 0; i < 60; i++) {
            unsigned r = (unsigned)rand_r(&seed);
            const char *piece = pieces[r / 8 % 6];
            if (r % 3)
                composer_insert(&grown, piece, strlen(piece));
            else
                composer_do(&grown, moves[r / 8 % 7]);
            composer_rows(&grown, 20);
        }
        composer_init(&fresh, commands, 3);
        composer_set(&fresh, composer_text(&grown, NULL), grown.editor.text.len);
        composer_rows(&fresh, 20);
        assert_int_equal(grown.rows.n, fresh.rows.n);
        assert_memory_equal(grown.rows.start, fresh.rows.start,
                            fresh.rows.n * sizeof *fresh.rows.start);
        composer_done(&grown);
        composer_done(&fresh);
    }
}

int test_composer(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(keys_edit_as_in_emacs),
        TEST(what_is_cut_in_a_row_comes_back_whole),
        TEST(older_cuts_come_back_in_turn),
        TEST(redo_takes_undo_back_until_something_changes),
        TEST(a_long_paste_is_one_sign),
        TEST(a_chip_says_what_it_holds),
        TEST(chips_are_sent_whole_and_come_back_as_chips),
        TEST(no_text_can_pose_as_a_chip),
        TEST(signs_are_used_again),
        TEST(chips_together_keep_the_limit),
        TEST(earlier_prompts_are_searched_as_they_are_typed),
        TEST(a_search_that_finds_nothing_takes_nothing),
        TEST(undo_goes_back_by_words_and_to_the_start),
        TEST(undo_of_random_editing_gives_every_state_back),
        TEST(up_and_down_keep_the_column),
        TEST(up_and_down_go_through_wrapped_rows),
        TEST(earlier_prompts_come_back_and_the_draft_waits),
        TEST(the_history_is_bounded),
        TEST(commands_complete),
        TEST(arguments_complete),
        TEST(any_bytes_become_a_valid_draft),
        TEST(a_draft_has_a_limit),
        TEST(rows_do_not_depend_on_how_the_text_came),
    };
#undef TEST
    return cmocka_run_group_tests_name("composer", tests, NULL, NULL);
}
