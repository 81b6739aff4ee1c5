/*
 * test_transcript.c: messages on a grid: content, folds, scrolling.
 */
#include "tests.h"

#include "ui/transcript/transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct view {
    struct transcript t;
    struct grid g;
    bool more;
    char text[1 << 15];
};

static int set_up(void **state)
{
    struct view *v = calloc(1, sizeof *v);
    transcript_init(&v->t, UI_FOLD_SHUT);
    grid_resize(&v->g, 12, 40);
    *state = v;
    return 0;
}

static int tear_down(void **state)
{
    struct view *v = *state;
    transcript_clear(&v->t);
    grid_free(&v->g);
    free(v);
    return 0;
}

/* Draws, and gives the rows as text, blank ones at the end left out. */
static const char *look(struct view *v)
{
    size_t n = 0, end = 0;
    grid_clear(&v->g);
    v->more = transcript_draw(&v->t, &v->g, (struct area){0, 0, v->g.rows, v->g.cols});
    for (int row = 0; row < v->g.rows; row++) {
        size_t last = n;
        for (int col = 0; col < v->g.cols; col++) {
            const struct cell *cell = grid_at(&v->g, row, col);
            for (int i = 0; i <= TEXT_MARKS && cell->cp[i]; i++)
                n += text_encode(cell->cp[i], v->text + n);
            if (cell->cp[0] != ' ' && cell->cp[0] != 0)
                last = n;
        }
        n = last;
        v->text[n++] = '\n';
        if (n > 1 && v->text[n - 2] != '\n')
            end = n;
    }
    v->text[end] = '\0';
    return v->text;
}

static void say(struct view *v, int64_t id, enum ui_role role, const char *text)
{
    transcript_begin(&v->t, id, role, role == UI_USER ? "You" : "deepseek");
    transcript_append(&v->t, id, UI_ANSWER, text, strlen(text));
    transcript_end(&v->t, id, UI_INFO, NULL);
}

/* Other systems end lines with CR LF. */
static void lines_of_other_systems_end_too(void **state)
{
    struct view *v = *state;
    say(v, 1, UI_USER, "one\r\n\r\ntwo\rthree\r\n");
    assert_string_equal(look(v), "\n› one\n\n  two^Mthree\n");
}

static void think(struct view *v, int64_t id, const char *reasoning, const char *answer)
{
    transcript_begin(&v->t, id, UI_ASSISTANT, "deepseek");
    transcript_append(&v->t, id, UI_REASONING, reasoning, strlen(reasoning));
    if (answer)
        transcript_append(&v->t, id, UI_ANSWER, answer, strlen(answer));
}

static void a_conversation_looks_so(void **state)
{
    struct view *v = *state;
    say(v, 1, UI_USER, "What is 2 + 2?\n**Really**");
    think(v, 2, "two and two", NULL);
    assert_string_equal(look(v),
                        "\n› What is 2 + 2?\n  **Really**\n\n  deepseek\n  ▾ thinking… 1 step\n"
                        "  │ two and two\n");
    transcript_thought(&v->t, 2, 812, 6100);
    transcript_append(&v->t, 2, UI_ANSWER, "It is 4.", 8);
    assert_string_equal(look(v), "\n› What is 2 + 2?\n  **Really**\n\n  deepseek\n"
                                 "  ▸ 1 step · 812 tokens · 6.1 s\n\n  It is 4.\n");
    transcript_end(&v->t, 2, UI_WARN, "stopped");
    transcript_notice(&v->t, UI_INFO, "saved");
    transcript_notice(&v->t, UI_FAIL, "not saved");
    assert_string_equal(look(v), "\n› What is 2 + 2?\n  **Really**\n\n  deepseek\n"
                                 "  ▸ 1 step · 812 tokens · 6.1 s\n\n"
                                 "  It is 4.\n  ■ stopped\n\n● saved\n■ not saved\n");
}

static void unknown_ids_do_nothing(void **state)
{
    struct view *v = *state;
    transcript_append(&v->t, 9, UI_ANSWER, "x", 1);
    transcript_thought(&v->t, 9, 1, 1);
    transcript_end(&v->t, 9, UI_INFO, "x");
    assert_string_equal(look(v), "");
}

static void long_thoughts_are_told_in_minutes(void **state)
{
    struct view *v = *state;
    think(v, 1, "x", "y");
    transcript_thought(&v->t, 1, 1, 125000);
    look(v);
    assert_non_null(strstr(v->text, "1 step · 1 token · 2 min 5 s\n"));
}

static void pieces_may_end_inside_a_character(void **state)
{
    struct view *v = *state;
    static const char text[] = "ä你👍";
    transcript_begin(&v->t, 1, UI_ASSISTANT, "m");
    for (size_t i = 0; i < strlen(text); i++) {
        transcript_append(&v->t, 1, UI_ANSWER, text + i, 1);
        assert_null(strstr(look(v), "\ufffd"));
    }
    assert_non_null(strstr(v->text, text));
    transcript_append(&v->t, 1, UI_ANSWER, "\xe4", 1);
    assert_null(strstr(look(v), "\ufffd"));
    transcript_end(&v->t, 1, UI_INFO, NULL); /* nothing comes any more */
    assert_non_null(strstr(look(v), "\ufffd"));
}

static void reasoning_folds_and_unfolds(void **state)
{
    struct view *v = *state;
    think(v, 1, "one", "first");
    think(v, 2, "two", "second");
    assert_null(strstr(look(v), "│ one"));
    transcript_fold_all(&v->t);
    look(v);
    assert_non_null(strstr(v->text, "│ one"));
    assert_non_null(strstr(v->text, "│ two"));
    think(v, 3, "three", "third"); /* stays open as the others do */
    assert_non_null(strstr(look(v), "│ three"));
    transcript_fold_all(&v->t);
    assert_null(strstr(look(v), "│"));
    transcript_focus(&v->t, true);
    transcript_move_selection(&v->t, -1);
    transcript_fold(&v->t);
    look(v);
    assert_non_null(strstr(v->text, "│ two"));
    assert_null(strstr(v->text, "│ three"));
    assert_non_null(
        strstr(v->text, "▌ deepseek\n▌ ▾ 1 step\n▌ │ two\n▌\n▌ second\n\n  deepseek\n"));
}

static const char long_thought[] =
    "Add both.\n12 + 12:\nones: 4\n\nIt is 25.\n\nWait, that's wrong. "
    "It is 24.\nand a second line.\n\nSo \\boxed{24}.";

static void steps_are_gone_through(void **state)
{
    struct view *v = *state;
    grid_resize(&v->g, 20, 40);
    think(v, 1, long_thought, "It is 24.");
    think(v, 2, "One.\n\nTwo.", "Yes.");
    assert_string_equal(look(v), "\n  deepseek\n  ▸ 5 steps · 1 back-track → 24\n\n  It is 24.\n"
                                 "\n  deepseek\n  ▸ 2 steps\n\n  Yes.\n");
    transcript_focus(&v->t, true);
    transcript_top(&v->t);
    transcript_move_step(&v->t, 1); /* opens it */
    assert_string_equal(look(v),
                        "\n  deepseek\n  ▾ 5 steps · 1 back-track\n▌ │ Add both.\n  │ 12 + 12:\n"
                        "  │ ones: 4\n  │\n  │ It is 25.\n  │\n  ↩ Wait, that's wrong. It is 24.\n"
                        "  │ and a second line.\n  │\n  │ So [24].\n\n  It is 24.\n"
                        "\n  deepseek\n  ▸ 2 steps\n\n  Yes.\n");
    transcript_move_step(&v->t, 1);
    transcript_fold(&v->t);
    look(v);
    assert_non_null(strstr(v->text, "▌ ▸ 12 + 12: …\n  │\n  │ It"));
    transcript_move_step(&v->t, 1);
    transcript_fold(&v->t);
    transcript_move_step(&v->t, 1);
    transcript_fold(&v->t);
    look(v); /* between two that are folded no room is left */
    assert_non_null(strstr(v->text, "  ▸ 12 + 12: …\n  ▸ It is 25.\n▌ ▸ Wait, that's"));
    transcript_fold(&v->t);
    assert_non_null(strstr(look(v), "▌ ↩ Wait"));
    transcript_move_step(&v->t, 1);
    transcript_move_step(&v->t, 1);
    transcript_move_step(&v->t, 1); /* continues in the next message */
    assert_non_null(strstr(look(v), "▌ │ Two."));
    transcript_move_step(&v->t, 1); /* and stays at the end */
    assert_non_null(strstr(look(v), "▌ │ Two."));
    transcript_move_step(&v->t, -1);
    transcript_move_step(&v->t, -1);
    assert_non_null(strstr(look(v), "▌ │ So"));
    transcript_move_selection(&v->t, 1); /* the message as a whole again */
    assert_non_null(strstr(look(v), "▌ deepseek\n▌ ▾ 2 steps"));
}

/* Wherever it is in a long message, the marked step comes into sight. */
static void steps_come_into_sight(void **state)
{
    struct view *v = *state;
    char text[4000] = "";
    for (int i = 0; i < 60; i++)
        sprintf(text + strlen(text), "Step %d has words to wrap the line with.\n\n", i);
    think(v, 1, text, "Done.");
    look(v);
    transcript_focus(&v->t, true);
    for (int i = 0; i < 60; i++) {
        char marked[32];
        transcript_move_step(&v->t, 1);
        snprintf(marked, sizeof marked, "▌ │ Step %d has", i);
        assert_non_null(strstr(look(v), marked));
    }
    for (int i = 58; i >= 0; i--) {
        char marked[32];
        transcript_move_step(&v->t, -1);
        snprintf(marked, sizeof marked, "▌ │ Step %d has", i);
        assert_non_null(strstr(look(v), marked));
    }
}

static void only_the_last_step_may_be_shown(void **state)
{
    struct view *v = *state;
    transcript_clear(&v->t);
    transcript_init(&v->t, UI_FOLD_LAST);
    think(v, 1, "One.\n\nTwo.\n\nThree.", NULL);
    assert_string_equal(look(v), "\n  deepseek\n  ▾ thinking… 3 steps\n  │ Three.\n");
    transcript_append(&v->t, 1, UI_REASONING, "\n\nFour", 6);
    assert_non_null(strstr(look(v), "4 steps\n  │ Four\n"));
    transcript_append(&v->t, 1, UI_ANSWER, "Yes \\boxed{x = 1}", 17);
    assert_string_equal(look(v), "\n  deepseek\n  ▾ 4 steps → x = 1\n  │ Four\n\n"
                                 "  Yes [x = 1]\n");
    transcript_fold_all(&v->t);
    assert_non_null(strstr(look(v), "▸ 4 steps → x = 1\n\n"));
    transcript_fold_all(&v->t);
    assert_non_null(strstr(look(v), "▾ 4 steps\n  │ One.\n  │\n  │ Two."));

    /* The result is a formula, and drawn as one. */
    transcript_clear(&v->t);
    think(v, 2, "One.", "\\boxed{\\frac{\\sqrt{3}}{2}}");
    transcript_fold_all(&v->t);
    assert_non_null(strstr(look(v), "▸ 1 step → √3/2\n"));
}

static void reasoning_may_stay_open(void **state)
{
    struct view *v = *state;
    transcript_clear(&v->t);
    transcript_init(&v->t, UI_FOLD_OPEN);
    think(v, 1, "One.", "Yes.");
    assert_non_null(strstr(look(v), "▾ 1 step\n  │ One.\n\n  Yes.\n"));
}

/* A model that ended in the middle of its thoughts has said no more than them. */
static void what_was_never_closed_stays_open(void **state)
{
    struct view *v = *state;
    think(v, 1, "So it is 4", NULL);
    transcript_end(&v->t, 1, UI_INFO, "8 tokens");
    assert_string_equal(look(v), "\n  deepseek\n  ▾ 1 step\n  │ So it is 4\n  8 tokens\n");
}

/* Of the facts, as many as there is room for. */
static void facts_give_way_on_a_narrow_screen(void **state)
{
    struct view *v = *state;
    think(v, 1, long_thought, "It is 24.");
    transcript_thought(&v->t, 1, 812, 6100);
    static const struct {
        int cols;
        const char *shown;
    } rows[] = {
        {60, "  ▸ 5 steps · 1 back-track · 812 tokens · 6.1 s → 24\n"},
        {44, "  ▸ 5 steps · 1 back-track · 6.1 s → 24\n"},
        {36, "  ▸ 5 steps · 1 back-track → 24\n"},
        {24, "  ▸ 5 steps → 24\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        grid_resize(&v->g, 12, rows[i].cols);
        assert_non_null(strstr(look(v), rows[i].shown));
    }
}

static void the_view_follows_until_it_is_moved(void **state)
{
    struct view *v = *state;
    char text[32];
    transcript_begin(&v->t, 1, UI_ASSISTANT, "m");
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "line %d\n", i);
        transcript_append(&v->t, 1, UI_ANSWER, text, strlen(text));
        look(v);
        assert_false(v->more);
    }
    assert_non_null(strstr(v->text, "line 49"));
    transcript_scroll(&v->t, -3);
    look(v);
    assert_true(v->more);
    assert_non_null(strstr(v->text, "line 46"));
    assert_null(strstr(v->text, "line 47"));
    transcript_append(&v->t, 1, UI_ANSWER, "line 50\n", 8); /* does not move it */
    assert_null(strstr(look(v), "line 47"));
    transcript_scroll(&v->t, 4);
    assert_false((look(v), v->more));
    transcript_append(&v->t, 1, UI_ANSWER, "line 51\n", 8); /* at the end it follows again */
    assert_non_null(strstr(look(v), "line 51"));
    transcript_top(&v->t);
    assert_non_null(strstr(look(v), "line 0\n"));
    transcript_bottom(&v->t);
    assert_non_null(strstr(look(v), "line 51"));
    transcript_page(&v->t, -1);
    assert_non_null(strstr(look(v), "line 41"));
}

static void scrolling_meets_every_row_once(void **state)
{
    struct view *v = *state;
    char top[64], seen[4096] = "", all[1 << 15];
    for (int i = 0; i < 10; i++) {
        snprintf(top, sizeof top, "question %d with words to wrap around the line", i);
        say(v, 2 * i + 1, UI_USER, top);
        think(v, 2 * i + 2, "hm", "answer\n\nin two");
    }
    grid_resize(&v->g, 200, 40);
    strcpy(all, look(v));
    grid_resize(&v->g, 1, 40);
    look(v);
    transcript_top(&v->t);
    for (int i = 0; i < 200; i++) {
        look(v);
        strcat(seen, v->text[0] ? v->text : "\n");
        if (v->t.follow)
            break;
        transcript_scroll(&v->t, 1);
    }
    assert_string_equal(seen, all);
}

static void a_new_width_keeps_the_place(void **state)
{
    struct view *v = *state;
    char text[64];
    for (int i = 0; i < 30; i++) {
        snprintf(text, sizeof text, "message %d and some words behind it to wrap", i);
        say(v, i, UI_USER, text);
    }
    look(v);
    transcript_top(&v->t);
    transcript_scroll(&v->t, 20);
    look(v);
    size_t top = v->t.top_item;
    for (int cols = 20; cols <= 100; cols += 20) {
        grid_resize(&v->g, 12, cols);
        look(v);
        assert_int_equal(v->t.top_item, top);
    }
}

static void any_size_and_any_move_is_safe(void **state)
{
    struct view *v = *state;
    unsigned seed = 9;
    for (int i = 0; i < 20; i++)
        think(v, i, "some\nreasoning", i % 3 ? "an answer\n\nwith `code`" : NULL);
    for (int round = 0; round < 5000; round++) {
        unsigned r = (unsigned)rand_r(&seed);
        switch (r % 11) {
        case 0: transcript_scroll(&v->t, (int)(r / 9 % 41) - 20); break;
        case 1: transcript_page(&v->t, r & 64 ? 1 : -1); break;
        case 2: transcript_top(&v->t); break;
        case 3: transcript_bottom(&v->t); break;
        case 4: transcript_fold_all(&v->t); break;
        case 5: transcript_move_selection(&v->t, r & 64 ? 1 : -1); break;
        case 6: transcript_fold(&v->t); break;
        case 7: grid_resize(&v->g, 1 + (int)(r / 9 % 30), 1 + (int)(r / 300 % 90)); break;
        case 8: transcript_focus(&v->t, r & 64); break;
        case 9: transcript_move_step(&v->t, r & 64 ? 1 : -1); break;
        case 10: transcript_append(&v->t, 19, UI_REASONING, "\n\nMore. Wait, no", 16); break;
        }
        look(v);
        if (r / 9 % 500 == 0)
            transcript_clear(&v->t);
        if (r / 9 % 7 == 0)
            think(v, 100 + round, "more", "text");
    }
}

/* A message that streamed in looks like a stored one. */
static void streaming_ends_as_loading_begins(void **state)
{
    struct view *v = *state;
    static const char reasoning[] =
        "First **this**,\n\nthen `that` and more words to wrap. Wait, no: 5 < "
        "6.\nSo\n\n\\[\n1\n\\]";
    static const char answer[] = "# So\n\n- one\n- two\n\n```\ncode\n```\n\\boxed{1}";
    char streamed[1 << 15];
    transcript_begin(&v->t, 1, UI_ASSISTANT, "m");
    for (size_t i = 0; i < strlen(reasoning); i++) {
        transcript_append(&v->t, 1, UI_REASONING, reasoning + i, 1);
        look(v);
    }
    for (size_t i = 0; i < strlen(answer); i++) {
        transcript_append(&v->t, 1, UI_ANSWER, answer + i, 1);
        look(v);
    }
    transcript_end(&v->t, 1, UI_INFO, "note");
    transcript_fold_all(&v->t);
    grid_resize(&v->g, 40, 40);
    strcpy(streamed, look(v));
    transcript_clear(&v->t);
    transcript_begin(&v->t, 1, UI_ASSISTANT, "m");
    transcript_append(&v->t, 1, UI_REASONING, reasoning, strlen(reasoning));
    transcript_append(&v->t, 1, UI_ANSWER, answer, strlen(answer));
    transcript_end(&v->t, 1, UI_INFO, "note");
    assert_string_equal(look(v), streamed);
}

/* What is wider than the window is cut with a mark, and can be reached. */
static void wide_tables_scroll_sideways(void **state)
{
    struct view *v = *state;
    say(v, 1, UI_ASSISTANT,
        "| aaaaaaaaaaaa | bbbbbbbbbbbb | cccccccccccc | dddddddddddd | eeeeeeeeeeee |\n"
        "|---|---|---|---|---|\n| 1 | 2 | 3 | 4 | the end |");
    assert_non_null(strstr(look(v), "aaaaaaaaaaaa │ bbbbbbbbbbbb │ cccccc▸\n"));
    assert_null(strstr(v->text, "the end"));
    transcript_focus(&v->t, true);
    for (int i = 0; i < 20; i++)
        transcript_shift(&v->t, 8);
    look(v);
    assert_non_null(strstr(v->text, "◂"));
    assert_non_null(strstr(v->text, "eeeeeeeeeeee"));
    assert_non_null(strstr(v->text, "the end"));
    assert_null(strstr(v->text, "▸"));
    for (int i = 0; i < 20; i++)
        transcript_shift(&v->t, -8);
    assert_non_null(strstr(look(v), "aaaaaaaaaaaa"));
}

int test_transcript(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_conversation_looks_so),
        TEST(lines_of_other_systems_end_too),
        TEST(unknown_ids_do_nothing),
        TEST(long_thoughts_are_told_in_minutes),
        TEST(pieces_may_end_inside_a_character),
        TEST(reasoning_folds_and_unfolds),
        TEST(the_view_follows_until_it_is_moved),
        TEST(scrolling_meets_every_row_once),
        TEST(a_new_width_keeps_the_place),
        TEST(any_size_and_any_move_is_safe),
        TEST(streaming_ends_as_loading_begins),
        TEST(steps_are_gone_through),
        TEST(steps_come_into_sight),
        TEST(only_the_last_step_may_be_shown),
        TEST(reasoning_may_stay_open),
        TEST(what_was_never_closed_stays_open),
        TEST(facts_give_way_on_a_narrow_screen),
        TEST(wide_tables_scroll_sideways),
    };
#undef TEST
    return cmocka_run_group_tests_name("transcript", tests, NULL, NULL);
}
