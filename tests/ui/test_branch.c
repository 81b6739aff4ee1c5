/*
 * test_branch.c: versions of a message, the rule where the context window begins, queued questions:
 * what is shown, and the actions of the keys.
 */
#include "term.h"
#include "tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void say(struct term *t, int64_t id, enum ui_role role, const char *text)
{
    ui_message_begin(t->ui, id, role, role == UI_USER ? "You" : "demo-llama");
    ui_message_append(t->ui, id, UI_ANSWER, text, strlen(text));
    ui_message_end(t->ui, id, UI_INFO, NULL);
}

/* A conversation of two exchanges. */
static int set_up(void **state)
{
    struct term *t = malloc(sizeof *t);
    term_open(t, 24, 80, NULL);
    say(t, 1, UI_USER, "first question");
    say(t, 2, UI_ASSISTANT, "first answer");
    say(t, 3, UI_USER, "second question");
    say(t, 4, UI_ASSISTANT, "second answer");
    term_turn(t);
    term_forget(t);
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    term_close(*state);
    free(*state);
    return 0;
}

static void set_busy(struct term *t, bool busy)
{
    ui_status_set(t->ui, &(struct ui_status){.model = "demo",
                                             .state = busy ? UI_GENERATING : UI_IDLE,
                                             .tokens_per_second = -1,
                                             .time_to_first_token_ms = -1,
                                             .context_used = -1,
                                             .draft_tokens = -1});
    term_turn(t);
}

static void check_action(struct term *t, int kind, int64_t id)
{
    assert_int_equal(term_last_action(t), kind);
    assert_int_equal(t->n_actions, 1);
    assert_int_equal(t->actions[0].id, id);
    term_forget(t);
}

static void versions_are_shown(void **state)
{
    struct term *t = *state;
    assert_false(term_shows(t, " of "));
    ui_message_version(t->ui, 3, 1, 2);
    ui_message_version(t->ui, 4, 2, 3);
    ui_message_version(t->ui, 99, 2, 3);
    term_turn(t);
    assert_true(term_shows(t, "  ‹ 1 of 2 ›"));
    assert_true(term_shows(t, "  demo-llama  ‹ 2 of 3 ›"));
}

/* Only what can be done to the marked message is offered. */
static void hints_speak_of_the_marked_message(void **state)
{
    struct term *t = *state;
    ui_message_version(t->ui, 3, 1, 2);
    ui_message_append(t->ui, 4, UI_REASONING, "because", 7);
    term_type(t, "\t");
    assert_true(term_shows(t, "Space folds"));
    assert_true(term_shows(t, "y copy"));
    assert_false(term_shows(t, "versions"));
    term_type(t, "K");
    assert_true(term_shows(t, "< > versions"));
    assert_false(term_shows(t, "folds"));
    term_type(t, "K");
    assert_false(term_shows(t, "versions"));
}

static void keys_speak_of_the_marked_message(void **state)
{
    static const struct {
        const char *keys;
        int kind;
    } rows[] = {
        {"e", UI_REASK},          {"r", UI_REGEN},         {"R", UI_REGEN_WITH},
        {"<", UI_VERSION_BEFORE}, {">", UI_VERSION_AFTER}, {"b", UI_FORK},
    };
    struct term *t = *state;
    term_type(t, "er<>b"); /* in the composer: text */
    assert_int_equal(t->n_actions, 0);
    assert_string_equal(ui_draft(t->ui, NULL), "er<>b");
    term_type(t, "\t");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        term_type(t, rows[i].keys);
        check_action(t, rows[i].kind, 4);
    }
    term_type(t, "KKr");
    check_action(t, UI_REGEN, 2);
    ui_notice(t->ui, UI_INFO, "a line of the program's own");
    term_type(t, "JJJr");
    assert_int_equal(t->n_actions, 0);
    assert_true(term_shows(t, "mark a question or an answer"));
}

static void what_is_said_again_at_once_is_counted(void **state)
{
    struct term *t = *state;
    for (int i = 0; i < 3; i++)
        ui_notice(t->ui, UI_FAIL, "not now");
    term_turn(t);
    assert_true(term_shows(t, "\u25a0 not now \u00b7 3 times"));
    assert_false(term_shows(t, "not now\n"));
    ui_notice(t->ui, UI_FAIL, "not");
    ui_notice(t->ui, UI_INFO, "not");
    ui_notice(t->ui, UI_FAIL, "not now");
    term_turn(t);
    assert_true(term_shows(t, "not now \u00b7 3 times\n\u25a0 not\n\u25cf not\n\u25a0 not now\n"));
}

static void a_path_is_replaced_from_a_message_on(void **state)
{
    struct term *t = *state;
    ui_notice(t->ui, UI_INFO, "said at its end");
    ui_transcript_cut(t->ui, 2);
    term_turn(t);
    assert_true(term_shows(t, "first answer"));
    assert_false(term_shows(t, "second"));
    assert_false(term_shows(t, "said at its end"));
    say(t, 5, UI_USER, "another question");
    term_type(t, "\t");
    ui_message_select(t->ui, 1);
    term_turn(t);
    assert_true(term_shows(t, "▌ first question"));
    ui_message_select(t->ui, 99);
    term_type(t, "r");
    check_action(t, UI_REGEN, 1);
    ui_transcript_cut(t->ui, 0);
    term_turn(t);
    assert_false(term_shows(t, "question"));
    term_type(t, "r<");
    assert_int_equal(t->n_actions, 0);
}

/* A mark out of sight is brought into it. */
static void a_mark_is_brought_into_view(void **state)
{
    struct term *t = *state;
    char *lines = calloc(1, 201);
    memset(lines, '\n', 200);
    for (int i = 0; i < 200; i += 2)
        lines[i] = 'x';
    say(t, 5, UI_ASSISTANT, lines);
    free(lines);
    term_turn(t);
    assert_false(term_shows(t, "first question"));
    term_type(t, "\t");
    ui_message_select(t->ui, 1);
    term_turn(t);
    assert_true(term_shows(t, "first question"));
}

static void a_rule_shows_where_the_window_begins(void **state)
{
    struct term *t = *state;
    ui_context_begin(t->ui, 3, UI_INFO, "the model is given what follows");
    term_turn(t);
    char *text = term_text(t), *styles = term_styles(t);
    const char *rule = strstr(text, "── the model is given what follows ──");
    assert_non_null(rule);
    assert_true(strstr(text, "first answer") < rule && rule < strstr(text, "second question"));
    assert_non_null(strstr(styles, "ddddd dddddd")); /* above it all is dimmed */
    free(text);
    free(styles);
    ui_context_begin(t->ui, 3, UI_WARN, "it no longer fits"); /* another takes its place */
    term_turn(t);
    assert_false(term_shows(t, "is given"));
    assert_true(term_shows(t, "it no longer fits"));
    term_type(t, "\tKKr"); /* the rule is no message, but can be passed */
    assert_int_equal(t->n_actions, 0);
    term_type(t, "Kr");
    check_action(t, UI_REGEN, 2);
    ui_transcript_cut(t->ui, 2);
    term_turn(t);
    assert_false(term_shows(t, "fits"));
    ui_context_begin(t->ui, 99, UI_INFO, "nowhere");
    ui_context_begin(t->ui, 0, UI_INFO, NULL);
    term_turn(t);
    assert_false(term_shows(t, "nowhere"));
}

static void questions_wait_above_the_composer(void **state)
{
    static const char *const texts[] = {"what next?\nand more of it", "and then?", "at last?"};
    struct term *t = *state;
    set_busy(t, true);
    ui_queue_set(t->ui, texts, 1, 1);
    term_turn(t);
    assert_true(term_shows(t, "next: what next? …"));
    ui_queue_set(t->ui, texts + 1, 1, 1);
    term_turn(t);
    assert_true(term_shows(t, "next: and then? · Up takes it back"));
    ui_queue_set(t->ui, texts, 3, 2);
    term_turn(t);
    assert_true(term_shows(t, "then: and then?"));
    assert_true(term_shows(t, "kept: at last? · Up takes it back"));
    term_resize(t, 8, 40);
    term_turn(t);
    assert_true(term_shows(t, "(and 1 more)"));
    assert_true(term_shows(t, "Ask anything"));
    ui_queue_set(t->ui, NULL, 0, 0);
    term_turn(t);
    assert_false(term_shows(t, "next:"));
}

static void what_waits_can_be_taken_back_or_dropped(void **state)
{
    static const char *const texts[] = {"one"};
    struct term *t = *state;
    set_busy(t, true);
    term_type(t, "\033[A"); /* nothing waits: Up is the history's */
    assert_int_equal(t->n_actions, 0);
    ui_draft_set(t->ui, "", 0);
    ui_queue_set(t->ui, texts, 1, 1);
    term_type(t, "\033[A");
    check_action(t, UI_TAKE_BACK, 0);
    term_type(t, "draft\033[A"); /* with a draft it is the history's as well */
    assert_int_equal(t->n_actions, 0);
    term_type(t, "\030q");
    check_action(t, UI_TAKE_BACK, 0);
    term_type(t, "\030k");
    check_action(t, UI_DROP, 0);
}

static void enter_asks_what_is_held(void **state)
{
    static const char *const texts[] = {"one"};
    struct term *t = *state;
    ui_queue_set(t->ui, texts, 1, 1);
    term_type(t, "\r");
    assert_int_equal(t->n_actions, 0);
    ui_queue_set(t->ui, texts, 1, 0);
    term_turn(t);
    assert_true(term_shows(t, "kept: one · Enter asks it · Up takes it back"));
    term_type(t, "\r");
    check_action(t, UI_ASK_NEXT, 0);
    term_type(t, "draft"); /* now Enter sends that, and Up is the history's */
    assert_true(term_shows(t, "kept: one · Ctrl-X q takes it back"));
}

static void a_banner_stands_until_it_is_left(void **state)
{
    struct term *t = *state;
    term_type(t, "\t");
    ui_banner(t->ui, "in other words", UI_SEND);
    ui_focus_composer(t->ui);
    term_turn(t);
    assert_true(t->cursor_shown);
    assert_true(term_shows(t, "in other words · Enter asks it · Esc leaves it"));
    term_type(t, "x");
    assert_string_equal(ui_draft(t->ui, NULL), "x");
    term_type(t, "\033");
    check_action(t, UI_DECLINE, 0);
    term_type(t, "\003");
    check_action(t, UI_DECLINE, 0);
    set_busy(t, true); /* what runs is stopped first */
    term_type(t, "\003");
    check_action(t, UI_STOP, 0);
    ui_banner(t->ui, "an answer that was about a great many things", UI_CONTINUE);
    term_turn(t);
    assert_true(term_shows(t, "an answer that was about a great man… · "
                              "Ctrl-X c continues it · Esc leaves it"));
    ui_banner(t->ui, NULL, UI_SEND);
    term_turn(t);
    assert_false(term_shows(t, "in other words"));
}

static void a_task_shows_how_far_it_is(void **state)
{
    static const char *const texts[] = {"one"};
    struct term *t = *state;
    ui_task(t->ui, "pull llama", 0.5, "50% · 0:12 left");
    ui_queue_set(t->ui, texts, 1, 1);
    term_turn(t);
    assert_true(term_shows(t, "pull llama \u2588\u2588\u2588"));
    assert_true(term_shows(t, "\u2588\u2591\u2591"));
    assert_true(term_shows(t, "\u2591\u2591 50% \u00b7 0:12 left"));
    assert_true(term_shows(t, "next: one"));
    size_t written = t->raw.len;
    ui_task(t->ui, "pull llama", 0.5, "50% · 0:12 left");
    term_turn(t);
    assert_int_equal(t->raw.len, written);
    ui_task(t->ui, "pull \033[2Jllama", -1, "asks\nwhat");
    term_turn(t);
    assert_true(term_shows(t, "pull ^[[2Jllama asks"));
    assert_false(term_shows(t, "░"));
    term_check_grammar(t->raw.data, t->raw.len);
    ui_task(t->ui, NULL, 0, NULL);
    term_turn(t);
    assert_false(term_shows(t, "asks"));
    assert_true(term_shows(t, "next: one"));
}

/* A second Ctrl-C leaves only what cannot be stopped: after a question that was sent in between it
 * stops again, though the screen was never idle. */
static void a_stop_after_another_question_only_stops(void **state)
{
    struct term *t = *state;
    set_busy(t, true);
    term_type(t, "\003");
    check_action(t, UI_STOP, 0);
    term_type(t, "next\r");
    check_action(t, UI_SEND, 0);
    term_type(t, "\003");
    check_action(t, UI_STOP, 0);
    term_type(t, "\003");
    assert_int_equal(term_last_action(t), UI_QUIT);
}

/* None of it can move the cursor. */
static void what_waits_is_text(void **state)
{
    static const char *const texts[] = {"\033[2J\033[H\aboo"};
    struct term *t = *state;
    ui_queue_set(t->ui, texts, 1, 1);
    ui_banner(t->ui, "\033]0;x\a", UI_SEND);
    term_turn(t);
    assert_true(term_shows(t, "next: ^[[2J^[[H^Gboo"));
    assert_true(term_shows(t, "first question"));
    term_check_grammar(t->raw.data, t->raw.len);
}

int test_branch(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(versions_are_shown),
        TEST(hints_speak_of_the_marked_message),
        TEST(keys_speak_of_the_marked_message),
        TEST(what_is_said_again_at_once_is_counted),
        TEST(a_path_is_replaced_from_a_message_on),
        TEST(a_mark_is_brought_into_view),
        TEST(a_rule_shows_where_the_window_begins),
        TEST(questions_wait_above_the_composer),
        TEST(what_waits_can_be_taken_back_or_dropped),
        TEST(enter_asks_what_is_held),
        TEST(a_banner_stands_until_it_is_left),
        TEST(what_waits_is_text),
        TEST(a_task_shows_how_far_it_is),
        TEST(a_stop_after_another_question_only_stops),
    };
#undef TEST
    return cmocka_run_group_tests_name("branch", tests, NULL, NULL);
}
