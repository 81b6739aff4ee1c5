/*
 * test_writing.c: the composer on the screen: keys in, screen out. Folded pastes, the search
 * through earlier prompts, completion, vi's modes, and terminals that send what nobody asked for.
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

static struct term *open_term(int rows, int cols)
{
    struct term *t = calloc(1, sizeof *t);
    term_open(t, rows, cols, NULL);
    return t;
}

static void close_term(struct term *t)
{
    term_close(t);
    free(t);
}

static const char *draft(struct term *t)
{
    return ui_draft(t->ui, NULL);
}

static const char eight_lines[] = "\033[200~1\r2\r3\r4\r5\r6\r7\r8\033[201~";

static void a_long_paste_is_shown_as_one_sign(void **state)
{
    struct term *t = open_term(24, 80);
    (void)state;
    term_type(t, "sum ");
    term_type(t, eight_lines);
    assert_true(term_shows(t, "› sum [paste 1: 8 lines, 15 bytes]"));
    assert_int_equal(t->cursor.col, 2 + 4 + 28);
    term_type(t, "\033[D"); /* over it at once */
    assert_int_equal(t->cursor.col, 2 + 4);
    term_type(t, "\030o"); /* opened */
    assert_true(term_shows(t, "› sum 1"));
    assert_false(term_shows(t, "[paste"));
    term_type(t, "\037"); /* and folded again */
    assert_true(term_shows(t, "[paste 1"));
    term_type(t, "\005\177"); /* End, Backspace */
    assert_string_equal(draft(t), "sum ");
    term_type(t, "\037\r");
    assert_int_equal(term_last_action(t), UI_SEND);
    assert_string_equal(t->actions[t->n_actions - 1].text, "sum 1\n2\n3\n4\n5\n6\n7\n8");
    close_term(t);
}

/* A terminal that does not mark pastes sends a question with every line, until that is too much. */
static void a_flood_of_lines_is_kept_as_lines(void **state)
{
    struct term *t = open_term(24, 80);
    char lines[1024] = "";
    (void)state;
    for (int i = 1; i <= 100; i++)
        sprintf(lines + strlen(lines), "line %d\r", i);
    term_type(t, lines);
    assert_string_equal(t->actions[0].text, "line 1");
    sprintf(lines, "line %zu\nline %zu\n", t->n_actions + 1, t->n_actions + 2);
    assert_int_equal(strncmp(draft(t), lines, strlen(lines)), 0);
    assert_non_null(strstr(draft(t), "\nline 100\n"));
    close_term(t);
}

/* In a window narrower than its label a chip is cut, and the text around it wraps. */
static void a_sign_fits_into_any_window(void **state)
{
    (void)state;
    for (int cols = 20; cols < 60; cols += 3) {
        struct term *t = open_term(10, cols);
        term_type(t, "some words before ");
        term_type(t, eight_lines);
        term_type(t, " and some after it");
        assert_true(term_shows(t, "[paste"));
        assert_true(t->cursor.col < cols && t->cursor.row < 10);
        for (int i = 0; i < 40; i++) {
            term_type(t, "\033[D");
            assert_true(t->cursor.col >= 2 && t->cursor.col < cols);
        }
        close_term(t);
    }
}

static void earlier_prompts_are_searched(void **state)
{
    struct term *t = open_term(24, 80);
    (void)state;
    term_type(t, "what is two\rand three\rmy draft\022w");
    assert_true(term_shows(t, "? earlier: w"));
    assert_true(term_shows(t, "what is two"));
    term_type(t, "zzz");
    assert_true(term_shows(t, "no other"));
    term_type(t, "\033"); /* leaves the draft as it was */
    assert_string_equal(draft(t), "my draft");
    assert_false(term_shows(t, "earlier:"));
    term_type(t, "\022three\r");
    assert_string_equal(draft(t), "and three");
    term_type(t, "\022two\033[D!"); /* a key that edits takes it first */
    assert_string_equal(draft(t), "what is! two");
    term_type(t, "\022two\003");
    assert_string_equal(draft(t), "what is! two");
    close_term(t);
}

static void completion_never_covers_what_is_typed(void **state)
{
    (void)state;
    for (int rows = 5; rows < 14; rows++) {
        struct term *t = open_term(rows, 40);
        term_type(t, "/");
        assert_true(term_shows(t, "› /"));
        term_type(t, "\t\t");
        assert_true(term_shows(t, "› /"));
        assert_int_equal(t->cursor.row, rows - 2);
        close_term(t);
    }
}

static void a_key_can_be_quoted(void **state)
{
    struct term *t = open_term(24, 80);
    (void)state;
    term_type(t, "a\026\tb\026\033[A"); /* a tab; and Up, which is no text */
    assert_string_equal(draft(t), "a\tb");
    term_type(t, "\026\001");
    assert_string_equal(draft(t), "a\tb\001");
    assert_true(term_shows(t, "^A"));
    close_term(t);
}

/* What terminals send unasked, between the letters of a word: rows 75 and 76. */
static void reports_leave_no_letters(void **state)
{
    static const char *const reports[] = {
        "\033[?1;2c",
        "\033]11;rgb:0/0/0\033\\",
        "\033[I",
        "\033[O",
        "\033[<0;3;4M",
        "\033[M !!",
        "\033[57358u",
        "\033[97;1:3u",
        "\033[12;40R",
        "\033P1$r0m\033\\",
        "\033[?2026;2$y",
        "\x9b?62;4c",
        "\x9d"
        "0;title\a",
        "\033_Gi=1\033\\",
        "\033[8;24;80t",
    };
    struct term *t = open_term(24, 80);
    char expected[64] = "";
    (void)state;
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
        term_type(t, "x");
        term_type(t, reports[i]);
        strcat(expected, "x");
    }
    assert_string_equal(draft(t), expected);
    assert_int_equal(t->n_actions, 0);
    close_term(t);
}

/* Row 76: no single byte and no Alt with any key locks the keys up. */
static void every_byte_leaves_the_keys_alive(void **state)
{
    struct term *t = open_term(24, 80);
    (void)state;
    for (int alt = 0; alt < 2; alt++)
        for (int byte = 1; byte < 256; byte++) {
            char keys[3] = {'\033', (char)byte, '\0'};
            if (byte == 0x1b || byte == 0x03 || byte == 0x04 || byte == 0x1a)
                continue;
            term_type(t, alt ? keys : keys + 1);
            term_wait(2000);
            term_turn(t);
            ui_draft_set(t->ui, "", 0);
            ui_focus_composer(t->ui);
            term_forget(t);
            term_type(t, "\033");
            term_wait(100);
            term_turn(t);
            ui_focus_composer(t->ui);
            term_type(t, "alive");
            if (!strstr(draft(t), "alive"))
                fail_msg("byte %02x%s: the draft is \"%s\"", byte, alt ? " with Alt" : "",
                         draft(t));
            ui_draft_set(t->ui, "", 0);
        }
    close_term(t);
}

/* Row 74: whatever a paste holds or lacks, it is text, and nothing is sent. */
static void hostile_pastes_stay_in_the_draft(void **state)
{
    static const struct {
        const char *bytes, *draft;
    } rows[] = {
        {"\033[200~a\033[201~b\r\033[201~", "ab\n"},                /* a forged end */
        {"\033[200~a\033[200~b\033[201~\033[201~", "ab"},           /* nested */
        {"\033[201~a", "a"},                                        /* an end without a start */
        {"\033[200~/quit\r", "/quit\n"},                            /* a line cut in the middle */
        {"\033[200~\033]52;c;aGk=\a\033[201~", "\033]52;c;aGk=\a"}, /* a sequence */
        {"\033[200~\ufdd0\033[201~", "\ufffd"},                     /* a chip's own sign */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct term *t = open_term(10, 40);
        term_type(t, rows[i].bytes);
        term_wait(2000);
        term_turn(t);
        assert_string_equal(draft(t), rows[i].draft);
        assert_int_equal(t->n_actions, 0);
        close_term(t);
    }
}

static void vi_shows_its_mode_and_esc_is_quick(void **state)
{
    struct term t = {0};
    (void)state;
    term_open_vi(&t, 24, 80);
    term_type(&t, "one two");
    assert_true(term_shows(&t, "› one two"));
    term_type(&t, "\033");
    term_wait(60);
    term_turn(&t);
    assert_true(term_shows(&t, ": one two"));
    term_type(&t, "bv");
    assert_true(term_shows(&t, "v one two"));
    term_type(&t, "ed");
    assert_string_equal(ui_draft(t.ui, NULL), "one ");
    term_type(&t, "aa\033b"); /* Esc and b faster than a terminal can tell from Alt-b */
    assert_string_equal(ui_draft(t.ui, NULL), "one a");
    assert_true(term_shows(&t, ": one a"));
    term_type(&t, "dw.u");
    term_type(&t, "\r");
    assert_int_equal(term_last_action(&t), UI_SEND);
    assert_true(term_shows(&t, "› Ask"));
    ui_status_set(t.ui, &(struct ui_status){.model = "m", .state = UI_GENERATING});
    term_type(&t, "x\033");
    term_wait(60);
    term_turn(&t);
    assert_int_equal(term_last_action(&t), UI_SEND); /* it left inserting */
    term_type(&t, "ddi\033");
    term_wait(60);
    term_turn(&t);
    assert_int_equal(term_last_action(&t), UI_STOP);
    term_close(&t);
}

int test_writing(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_paste_is_shown_as_one_sign),
        cmocka_unit_test(a_flood_of_lines_is_kept_as_lines),
        cmocka_unit_test(a_sign_fits_into_any_window),
        cmocka_unit_test(earlier_prompts_are_searched),
        cmocka_unit_test(completion_never_covers_what_is_typed),
        cmocka_unit_test(a_key_can_be_quoted),
        cmocka_unit_test(reports_leave_no_letters),
        cmocka_unit_test(every_byte_leaves_the_keys_alive),
        cmocka_unit_test(hostile_pastes_stay_in_the_draft),
        cmocka_unit_test(vi_shows_its_mode_and_esc_is_quick),
    };
    return cmocka_run_group_tests_name("writing", tests, NULL, NULL);
}
