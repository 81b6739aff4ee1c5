/*
 * test_lookup.c: conversations in the sidebar, the dialog that searches them, finding in one of
 * them.
 */
#include "term.h"
#include "tests.h"

#include "ui/transcript/find.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define F2     "\033OQ"
#define CTRL_F "\006"
#define DOWN   "\033[B"
#define UP     "\033[A"
#define ALT(k) "\033" k

static int set_up(void **state)
{
    struct term *t = calloc(1, sizeof *t);
    term_open(t, 24, 80, NULL);
    term_turn(t);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    term_close(*state);
    free(*state);
    return 0;
}

/* The latest action since the last check. */
static void assert_acts(struct term *t, enum ui_action_kind kind, const char *text, int64_t id,
                        int tag)
{
    assert_true(t->n_actions > 0);
    const struct ui_action *a = &t->actions[t->n_actions - 1];
    assert_int_equal(a->kind, kind);
    assert_int_equal(a->id, id);
    assert_int_equal(a->tag, tag);
    if (text) {
        assert_string_equal(a->text, text);
        assert_int_equal(a->len, strlen(text));
    }
    term_forget(t);
}

/* The sidebar */

static const struct ui_row rows[] = {{9, "Apples", "now"}, {8, "Pears", NULL}, {7, "Plums", NULL}};

static void open_sidebar(struct term *t)
{
    term_type(t, F2);
    ui_sidebar_set(t->ui, rows, 3, 9);
    term_turn(t);
    term_forget(t);
}

static void a_title_is_written_anew(void **state)
{
    struct term *t = *state;
    open_sidebar(t);
    term_type(t, DOWN ALT("r"));
    assert_true(term_shows(t, "Enter renames"));
    term_type(t, "\x7f\x7f and \001Two \005figs\r");
    assert_acts(t, UI_RENAME, "Two Pea and figs", 8, 0);
    term_type(t, ALT("r") "no\033");
    assert_int_equal(t->n_actions, 0);
    assert_true(term_shows(t, "Conversations"));
    term_type(t, "\030r\025\r"); /* what an empty title means is for the caller to say */
    assert_acts(t, UI_RENAME, "", 8, 0);
}

static void rows_are_archived_deleted_and_restored(void **state)
{
    struct term *t = *state;
    open_sidebar(t);
    term_type(t, DOWN ALT("a"));
    assert_acts(t, UI_ARCHIVE, NULL, 8, 1);
    term_type(t, "\033[3~");
    assert_acts(t, UI_DELETE, NULL, 8, 1);
    ui_sidebar_set(t->ui, (struct ui_row[]){rows[0], rows[2]}, 2, 9);
    ui_sidebar_deleted(t->ui, "Pears");
    term_turn(t);
    assert_true(term_shows(t, "Alt-u restores Pears"));
    term_type(t, "\033[3~"); /* the next one has taken its place */
    assert_acts(t, UI_DELETE, NULL, 7, 1);
    term_type(t, ALT("u"));
    assert_acts(t, UI_RESTORE, NULL, 0, 0);
    ui_sidebar_deleted(t->ui, NULL);
    term_turn(t);
    assert_false(term_shows(t, "restores"));
}

static void the_archived_are_a_list_of_their_own(void **state)
{
    struct term *t = *state;
    open_sidebar(t);
    term_type(t, "x\t");
    assert_acts(t, UI_LIST, "", 200, 1);
    ui_sidebar_set(t->ui, rows + 1, 1, 9);
    term_turn(t);
    assert_true(term_shows(t, "Archived conversations"));
    term_type(t, ALT("a"));
    assert_acts(t, UI_ARCHIVE, NULL, 8, 0);
    ui_sidebar_set(t->ui, NULL, 0, 9);
    term_type(t, ALT("a") ALT("r") ALT("d"));
    assert_int_equal(t->n_actions, 0);
    term_type(t, "\t");
    assert_acts(t, UI_LIST, "", 200, 0);
}

/* What narrows the list is typed, pasted, and taken back at once; and the list says why it is
 * empty. */
static void the_filter_is_a_line_of_text(void **state)
{
    struct term *t = *state;
    open_sidebar(t);
    term_type(t, "\033[200~big\npears\033[201~");
    assert_acts(t, UI_LIST, "big pears", 200, 0);
    assert_string_equal(ui_draft(t->ui, NULL), "");
    ui_sidebar_set(t->ui, NULL, 0, 9);
    term_turn(t);
    assert_true(term_shows(t, "nothing matches"));
    term_type(t, "\025");
    assert_acts(t, UI_LIST, "", 200, 0);
    term_turn(t);
    assert_true(term_shows(t, "nothing yet"));
}

/* In a small window the way out is named, too, and nothing runs over a frame. */
static void a_small_window_has_room_for_the_keys(void **state)
{
    struct term *t = *state;
    open_sidebar(t);
    term_resize(t, 10, 40);
    term_turn(t);
    assert_true(term_shows(t, "Enter opens  F2 closes"));
    term_type(t, F2 CTRL_F);
    assert_true(term_shows(t, "answers and"));
    assert_true(term_shows(t, "Enter opens · Esc closes"));
    assert_false(term_shows(t, "…"));
    term_resize(t, 5, 20);
    term_turn(t);
    assert_true(term_shows(t, "╰──────────────────╯"));
}

/* Only what is near is asked for, and more when one comes near its end. */
static void rows_come_as_they_are_needed(void **state)
{
    struct term *t = *state;
    static struct ui_row many[400];
    for (int i = 0; i < 400; i++)
        many[i] = (struct ui_row){400 - i, "a row", NULL};
    term_type(t, F2);
    assert_acts(t, UI_LIST, "", 200, 0);
    ui_sidebar_set(t->ui, many, 200, 400);
    for (int i = 0; i < 7; i++)
        term_type(t, "\033[6~");
    assert_int_equal(t->n_actions, 0);
    term_type(t, "\033[F");
    assert_acts(t, UI_LIST, "", 400, 0);
    ui_sidebar_set(t->ui, many, 400, 400);
    term_type(t, DOWN "\r");
    assert_acts(t, UI_OPEN, NULL, 200, 0); /* the selection stayed where it was */
    term_type(t, F2);
    ui_sidebar_set(t->ui, many, 300, 400);
    term_type(t, "\033[F");
    assert_acts(t, UI_LIST, "", 400, 0);
    term_type(t, "\033[F"); /* there are no more than 300 */
    assert_int_equal(t->n_actions, 0);
}

/* Searching */

static const struct ui_hit hits[] = {
    {1, "Apples", "answer", "one\nred apple a day", 8, 5},
    {2, "Pears", "question", "is an apple a pear?", 6, 5},
    {3, "Plums", "reasoning", "no apple here", 3, 5},
};

static void what_is_typed_is_searched_at_once(void **state)
{
    struct term *t = *state;
    term_type(t, CTRL_F);
    assert_acts(t, UI_SEARCH, "", 0, UI_EVERYWHERE);
    assert_true(term_shows(t, "Finds words and parts of words"));
    term_type(t, "ap");
    assert_int_equal(t->n_actions, 2);
    assert_acts(t, UI_SEARCH, "ap", 0, UI_EVERYWHERE);
    ui_search_set(t->ui, hits, 3, false, "3 found");
    term_turn(t);
    assert_true(term_shows(t, "one red apple a day"));
    assert_true(term_shows(t, "3 found"));
    term_type(t, "\t");
    assert_acts(t, UI_SEARCH, "ap", 0, UI_IN_QUESTIONS);
    assert_true(term_shows(t, "in questions"));
    term_type(t, DOWN DOWN DOWN UP);
    assert_int_equal(t->n_actions, 0);
    ui_search_set(t->ui, hits, 3, true, "3 found"); /* more was looked for, the choice stays */
    term_type(t, "\r");
    assert_acts(t, UI_OPEN_HIT, NULL, 2, 0);
    assert_false(term_shows(t, "in questions"));
}

static void a_larger_window_shows_more_hits_not_blank_rows(void **state)
{
    struct term *t = *state;
    term_resize(t, 9, 80); /* room for two */
    term_type(t, CTRL_F);
    ui_search_set(t->ui, hits, 3, false, NULL);
    term_type(t, DOWN DOWN);
    assert_false(term_shows(t, "Apples"));
    assert_true(term_shows(t, "Plums"));
    term_resize(t, 24, 80);
    term_turn(t);
    assert_true(term_shows(t, "Apples"));
}

static void a_search_is_taken_up_or_written_over(void **state)
{
    struct term *t = *state;
    term_type(t, CTRL_F "apple\033");
    assert_false(term_shows(t, "Search"));
    term_forget(t);
    term_type(t, CTRL_F);
    assert_acts(t, UI_SEARCH, "apple", 0, UI_EVERYWHERE);
    term_type(t, "p");
    assert_acts(t, UI_SEARCH, "p", 0, UI_EVERYWHERE);
    term_type(t, "\033" CTRL_F "\x7f");
    assert_acts(t, UI_SEARCH, "", 0, UI_EVERYWHERE);
    term_type(t, "\r"); /* nothing to open */
    assert_int_equal(t->n_actions, 0);
    assert_true(term_shows(t, "Search"));
    term_type(t, "\033");
    ui_search(t->ui, "two words");
    term_turn(t);
    assert_acts(t, UI_SEARCH, "two words", 0, UI_EVERYWHERE);
    term_type(t, "\033[200~a\nb\033[201~"); /* a paste, on one line */
    assert_acts(t, UI_SEARCH, "a b", 0, UI_EVERYWHERE);
    assert_string_equal(ui_draft(t->ui, NULL), "");
}

/* Finding */

static void say(struct term *t, int64_t id, const char *thought, const char *text)
{
    ui_message_begin(t->ui, id, thought ? UI_ASSISTANT : UI_USER, "model");
    if (thought)
        ui_message_append(t->ui, id, UI_REASONING, thought, strlen(thought));
    ui_message_append(t->ui, id, UI_ANSWER, text, strlen(text));
    ui_message_end(t->ui, id, UI_INFO, NULL);
}

/* The style of the cell where a text of the screen begins; ' ' when it is not there. */
static char style_of(const struct term *t, const char *part)
{
    char *text = term_text(t), *styles = term_styles(t), style = ' ';
    const char *at = strstr(text, part);
    int row = 0, col = 0;
    for (const char *p = text; at && p < at; p++) {
        col = *p == '\n' ? 0 : col + ((*p & 0xc0) != 0x80);
        row += *p == '\n';
    }
    const char *line = styles;
    for (int i = 0; at && i < row; i++)
        line = strchr(line, '\n') + 1;
    if (at)
        style = line[col];
    free(text);
    free(styles);
    return style;
}

static void matches_are_marked_and_walked(void **state)
{
    struct term *t = *state;
    say(t, 1, NULL, "An apple, please.");
    for (int i = 2; i < 40; i++)
        say(t, i, "", i == 20 ? "The APPLE of the middle" : "pears only");
    say(t, 40, "", "the last apple");
    term_type(t, "\t/ap");
    assert_true(term_shows(t, "the last apple")); /* the next one from what is in sight */
    char here = style_of(t, "apple");
    assert_true(here != style_of(t, "last"));
    term_type(t, "ple");
    assert_true(term_shows(t, "/ apple"));
    term_type(t, "\r");
    assert_false(term_shows(t, "/ apple"));
    term_type(t, "n"); /* around the end */
    assert_true(term_shows(t, "An apple, please."));
    assert_true(term_shows(t, "search wrapped"));
    term_type(t, "n");
    assert_true(term_shows(t, "The APPLE of"));
    term_type(t, "nNN");
    assert_true(term_shows(t, "An apple, please."));
    term_type(t, "N");
    assert_true(term_shows(t, "the last apple"));
    assert_int_equal(style_of(t, "apple"), here);
    term_type(t, "\t"); /* no marks where one writes */
    assert_int_equal(style_of(t, "apple"), style_of(t, "last"));
}

static void esc_goes_back_to_where_it_began(void **state)
{
    struct term *t = *state;
    say(t, 1, NULL, "An apple, please.");
    for (int i = 2; i < 40; i++)
        say(t, i, NULL, "pears only");
    say(t, 40, NULL, "the end");
    term_type(t, "\t/apple");
    assert_true(term_shows(t, "An apple"));
    term_type(t, "\033");
    assert_true(term_shows(t, "the end"));
    term_type(t, "/grape");
    assert_true(term_shows(t, "not found"));
    assert_true(term_shows(t, "the end"));
    term_type(t, "\r");
    term_type(t, "n");
    assert_true(term_shows(t, "not found"));
    term_type(t, "\t");
    term_type(t, "n/"); /* in the composer they are text */
    assert_string_equal(ui_draft(t->ui, NULL), "n/");
}

static void a_match_in_folded_reasoning_unfolds_it(void **state)
{
    struct term *t = *state;
    say(t, 1, "an apple in thought", "done");
    say(t, 2, "only pears", "done");
    term_turn(t);
    assert_false(term_shows(t, "in thought"));
    term_type(t, "\t/apple");
    assert_true(term_shows(t, "an apple in thought"));
    assert_false(term_shows(t, "only pears"));
    term_type(t, "s"); /* no more a match: as it was */
    assert_false(term_shows(t, "in thought"));
    term_type(t, "\x7f\rn");
    assert_true(term_shows(t, "an apple in thought"));
}

static void lines_that_wrap_hide_no_match(void **state)
{
    struct term *t = *state;
    static char text[400];
    memset(text, 'x', 300);
    text[60] = text[70] = text[140] = ' ';
    memcpy(text + 62, "zebra", 5);
    memcpy(text + 150, "quagga", 6); /* inside a word longer than a line */
    say(t, 1, NULL, text);
    say(t, 2, NULL,
        "数学数学数学数学数学数学数学数学数学数学数学数学数学数学数学数学数学数学数学天地人");
    term_type(t, "\t/zebraxxx x");
    assert_false(term_shows(t, "not found"));
    term_type(t, "\025天地人");
    assert_false(term_shows(t, "not found"));
    term_type(t, "\025学天地");
    assert_false(term_shows(t, "not found"));
    term_type(t, "\025地天");
    assert_true(term_shows(t, "not found"));
}

static void a_message_is_shown_at_a_match(void **state)
{
    struct term *t = *state;
    for (int i = 1; i < 30; i++)
        say(t, i, "the apple that was thought of", i == 9 ? "an apple that was said" : "pears");
    ui_find(t->ui, 9, UI_ANSWER, "apple");
    term_turn(t);
    assert_true(term_shows(t, "an apple that was said"));
    assert_false(term_shows(t, "thought of"));
    ui_find(t->ui, 5, UI_REASONING, "apple");
    term_turn(t);
    assert_true(term_shows(t, "the apple that was thought of"));
    ui_find(t->ui, 3, UI_ANSWER, "not there");
    term_turn(t);
    ui_find(t->ui, 99, UI_ANSWER, "no such message");
    term_turn(t);
    ui_transcript_clear(t->ui);
    term_type(t, "nN/x\rn");
}

/* However long the conversation is, keys are answered between two steps of the search. */
static void a_long_conversation_is_searched_in_steps(void **state)
{
    struct transcript tr;
    struct find f;
    (void)state;
    transcript_init(&tr, UI_FOLD_SHUT);
    find_init(&f, &tr, NULL);
    transcript_begin(&tr, 1, UI_USER, NULL);
    for (int i = 0; i < 20000; i++)
        transcript_append(&tr, 1, UI_ANSWER, i == 15000 ? "needle\n" : "a line of hay\n",
                          i == 15000 ? 7 : 14);
    transcript_end(&tr, 1, UI_INFO, NULL);
    transcript_top(&tr);
    find_begin(&f);
    field_set(&f.field, "needle");
    find_changed(&f);
    assert_true(f.seeking);
    int steps = 0;
    for (; f.seeking; steps++)
        find_step(&f);
    assert_in_range(steps, 3, 50);
    assert_true(f.found);
    assert_int_equal(f.match.row, 15001); /* behind the gap */
    find_next(&f, -1);
    while (f.seeking)
        find_step(&f);
    assert_true(f.found && f.wrapped);
    find_done(&f);
    transcript_clear(&tr);
}

int test_lookup(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_title_is_written_anew),
        TEST(rows_are_archived_deleted_and_restored),
        TEST(the_archived_are_a_list_of_their_own),
        TEST(rows_come_as_they_are_needed),
        TEST(the_filter_is_a_line_of_text),
        TEST(a_small_window_has_room_for_the_keys),
        TEST(what_is_typed_is_searched_at_once),
        TEST(a_larger_window_shows_more_hits_not_blank_rows),
        TEST(a_search_is_taken_up_or_written_over),
        TEST(matches_are_marked_and_walked),
        TEST(esc_goes_back_to_where_it_began),
        TEST(a_match_in_folded_reasoning_unfolds_it),
        TEST(lines_that_wrap_hide_no_match),
        TEST(a_message_is_shown_at_a_match),
        cmocka_unit_test(a_long_conversation_is_searched_in_steps),
    };
#undef TEST
    return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
