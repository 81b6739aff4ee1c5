/*
 * test_door.c: typed input and the resulting actions, through the public interface.
 */
#include "term.h"
#include "tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int set_up(void **state)
{
    struct term *t = malloc(sizeof *t);
    term_open(t, 24, 80, NULL);
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
    ui_status_set(t->ui, &(struct ui_status){
                             .model = "demo",
                             .state = busy ? UI_GENERATING : UI_IDLE,
                             .tokens_per_second = -1,
                             .time_to_first_token_ms = -1,
                             .context_used = -1,
                             .draft_tokens = -1,
                         });
    term_turn(t);
}

static void check_action(struct term *t, int kind, const char *text, int64_t id)
{
    assert_int_equal(term_last_action(t), kind);
    const struct ui_action *a = &t->actions[t->n_actions - 1];
    if (text)
        assert_string_equal(a->text, text);
    assert_int_equal(a->id, id);
    term_forget(t);
}

static void enter_sends_and_empties_the_draft(void **state)
{
    struct term *t = *state;
    term_type(t, "17 + 25\r");
    check_action(t, UI_SEND, "17 + 25", 0);
    assert_string_equal(ui_draft(t->ui, NULL), "");
    term_type(t, "  \r\r");
    assert_int_equal(term_last_action(t), -1);
}

static void newlines_are_typed_by_their_own_keys(void **state)
{
    struct term *t = *state;
    term_type(t, "a\nb\033\rc\033[13;2ud\r");
    check_action(t, UI_SEND, "a\nb\nc\nd", 0);
}

static void a_paste_never_sends(void **state)
{
    struct term *t = *state;
    term_type(t, "\033[200~/quit\r\ny\r\003\004\033[201~\r/quit\r");
    assert_int_equal(t->n_actions, 0);
    assert_string_equal(ui_draft(t->ui, NULL), "/quit\ny\n\003\004\n/quit\n");
    assert_true(term_shows(t, "^C^D"));
    term_type(t, "\033[200~ without an end\r");
    assert_int_equal(t->n_actions, 0);
    term_wait(2000);
    term_turn(t);
    assert_non_null(strstr(ui_draft(t->ui, NULL), "without an end\n"));
    term_type(t, "\r");
    assert_int_equal(term_last_action(t), UI_SEND);
}

static void a_paste_does_not_answer_a_dialog(void **state)
{
    struct term *t = *state;
    ui_pick(t->ui, 1, "Model", (struct ui_row[]){{1, "one", NULL}, {2, "two", NULL}}, 2, 1);
    term_turn(t);
    term_type(t, "\033[200~two\r\033[201~");
    assert_int_equal(t->n_actions, 0);
    assert_string_equal(ui_draft(t->ui, NULL), "two\n");
    assert_true(term_shows(t, "Model"));
}

static void a_paste_of_10_mib_ends_in_the_draft(void **state)
{
    struct term *t = *state;
    size_t n = 10 << 20;
    char *text = malloc(n + 12);
    memcpy(text, "\033[200~", 6);
    for (size_t i = 0; i < n; i++)
        text[6 + i] = i % 100 == 99 ? '\r' : "word "[i % 5];
    memcpy(text + 6 + n, "\033[201~", 6);
    term_type_bytes(t, text, n + 12);
    size_t len;
    ui_draft(t->ui, &len);
    assert_int_equal(len, n);
    term_type(t, "!");
    assert_true(term_shows(t, "!"));
    free(text);
}

static void ctrl_c_stops_then_clears_then_quits(void **state)
{
    struct term *t = *state;
    term_type(t, "draft");
    set_busy(t, true);
    term_type(t, "\003");
    check_action(t, UI_STOP, NULL, 0);
    assert_string_equal(ui_draft(t->ui, NULL), "draft");
    set_busy(t, false);
    term_type(t, "\003");
    assert_string_equal(ui_draft(t->ui, NULL), "");
    assert_int_equal(t->n_actions, 0);
    term_type(t, "\003");
    assert_int_equal(t->n_actions, 0);
    assert_true(term_shows(t, "Ctrl-C again quits"));
    term_type(t, "\003");
    check_action(t, UI_QUIT, NULL, 130);
}

static void another_key_disarms_quitting(void **state)
{
    struct term *t = *state;
    term_type(t, "\003x\003");
    assert_int_equal(t->n_actions, 0);
    assert_false(term_shows(t, "again"));
    term_type(t, "\003");
    assert_int_equal(t->n_actions, 0);
}

static void a_second_ctrl_c_quits_when_nothing_stops(void **state)
{
    struct term *t = *state;
    set_busy(t, true);
    term_type(t, "\003\003");
    assert_int_equal(t->n_actions, 2);
    check_action(t, UI_STOP, NULL, 0); /* the newer goes first: it is urgent */
}

static void escape_stops_at_once(void **state)
{
    struct term *t = *state;
    term_type(t, "\033");
    assert_int_equal(t->n_actions, 0);
    set_busy(t, true);
    term_type(t, "\033");
    check_action(t, UI_STOP, NULL, 0);
}

/* What the status line promises holds while reading, too; only then does the key go back. */
static void escape_stops_at_once_while_reading(void **state)
{
    struct term *t = *state;
    set_busy(t, true);
    term_type(t, "\t\033");
    check_action(t, UI_STOP, NULL, 0);
    term_type(t, "j");
    set_busy(t, false);
    term_type(t, "\033");
    term_type(t, "j");
    assert_int_equal(t->n_actions, 0);
    assert_string_equal(ui_draft(t->ui, NULL), "j");
}

static void ctrl_d_quits_on_an_empty_draft(void **state)
{
    struct term *t = *state;
    term_type(t, "ab\001\004\004");
    assert_string_equal(ui_draft(t->ui, NULL), "");
    assert_int_equal(t->n_actions, 0);
    term_type(t, "\004");
    check_action(t, UI_QUIT, NULL, 0);
}

static void keys_of_one_action(void **state)
{
    static const struct {
        const char *keys;
        int kind;
    } rows[] = {
        {"\030m", UI_MODELS}, {"\030n", UI_NEW},     {"\032", UI_SUSPEND},
        {"\007", UI_EDIT},    {"\030\005", UI_EDIT},
    };
    struct term *t = *state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        term_type(t, rows[i].keys);
        assert_int_equal(t->n_actions, 1);
        check_action(t, rows[i].kind, NULL, 0);
    }
}

static void commands_complete_and_run(void **state)
{
    struct term *t = *state;
    term_type(t, "/");
    assert_true(term_shows(t, "/model [NAME]  switch the model"));
    term_type(t, "mo\t");
    assert_string_equal(ui_draft(t->ui, NULL), "/model ");
    term_type(t, "x\r");
    check_action(t, UI_SEND, "/model x", 0);
    term_type(t, "/q\r");
    check_action(t, UI_SEND, "/quit", 0);
    term_type(t, "/\033");
    assert_false(term_shows(t, "/model"));
}

static void history_is_walked(void **state)
{
    struct term *t = *state;
    term_type(t, "new\033[A");
    assert_string_equal(ui_draft(t->ui, NULL), "second\nprompt");
    term_type(t, "\020\020"); /* Ctrl-P */
    assert_string_equal(ui_draft(t->ui, NULL), "first prompt");
    term_type(t, "\016\016\016");
    assert_string_equal(ui_draft(t->ui, NULL), "new");
}

static void the_sidebar_opens_filters_and_chooses(void **state)
{
    static const struct ui_row rows[] = {
        {7, "Apples", "now"}, {8, "Pears", NULL}, {9, "Plums", NULL}};
    struct term *t = *state;
    ui_sidebar_set(t->ui, rows, 3, 8);
    term_type(t, "\033OQ");
    check_action(t, UI_LIST, "", 200);
    assert_true(term_shows(t, "● Pears"));
    term_type(t, "plu");
    assert_int_equal(t->n_actions, 3);
    check_action(t, UI_LIST, "plu", 200);
    ui_sidebar_set(t->ui, rows + 2, 1, 8);
    term_type(t, "\r");
    check_action(t, UI_OPEN, NULL, 9);
    ui_sidebar_set(t->ui, rows, 3, 8);
    assert_false(term_shows(t, "Conversations"));
    term_type(t, "\033[12~\033[12~"); /* open, close */
    assert_false(term_shows(t, "Conversations"));
    term_type(t, "\033[12~\033[B\r");
    check_action(t, UI_OPEN, NULL, 9);
}

static void a_dialog_gives_the_row_that_was_chosen(void **state)
{
    static const struct ui_row rows[] = {{1, "demo-deepseek", NULL}, {2, "demo-llama", NULL}};
    struct term *t = *state;
    ui_pick(t->ui, 5, "Model", rows, 2, 1);
    term_type(t, "\033[B\r");
    assert_int_equal(t->actions[0].tag, 5);
    check_action(t, UI_PICK, NULL, 2);
    ui_pick(t->ui, 5, "Model", rows, 2, 2);
    term_type(t, "deep\r");
    check_action(t, UI_PICK, NULL, 1);
    ui_pick(t->ui, 5, "Model", rows, 2, 2);
    term_type(t, "\033");
    assert_int_equal(t->n_actions, 0);
    assert_false(term_shows(t, "Model"));
}

static void help_shows_the_keys(void **state)
{
    struct term *t = *state;
    term_type(t, "\033OP");
    assert_true(term_shows(t, "fold or unfold all reasoning"));
    assert_true(term_shows(t, "Ctrl-F, Ctrl-X f ")); /* as the hints name them */
    assert_true(term_shows(t, "/model [NAME]"));
    term_type(t, "\033[F");
    assert_true(term_shows(t, "cut to the end"));
    term_type(t, "x\033");
    assert_string_equal(ui_draft(t->ui, NULL), "");
    assert_false(term_shows(t, "cut to the end"));
    ui_help(t->ui);
    term_turn(t);
    assert_true(term_shows(t, "Help"));
}

/* Of a hundred keys, those that are sought, and first those of the place where one is. */
static void help_is_found_by_typing(void **state)
{
    struct term *t = *state;
    term_type(t, "\033OP");
    assert_true(term_shows(t, "type to filter · Up Down scroll · Esc closes"));
    term_type(t, "\033[6~CoPy");
    assert_true(term_shows(t, "Help: CoPy"));
    assert_true(term_shows(t, "y, c                      copy the marked message"));
    assert_true(term_shows(t, "Reading the transcript"));
    assert_false(term_shows(t, "cut to the end"));
    assert_false(term_shows(t, "Commands"));
    term_type(t, "\177\177\177\177ctrl-f");
    assert_true(term_shows(t, "search all conversations")); /* by its key */
    term_type(t, "zz");
    assert_true(term_shows(t, "nothing matches"));
    term_type(t, "\025");
    assert_true(term_shows(t, "fold or unfold all reasoning"));
    term_type(t, "\033");
    term_type(t, "\t?");
    assert_true(term_shows(t, "Help ─"));
    assert_true(term_shows(t, "copy the marked message"));
    assert_false(term_shows(t, "fold or unfold all reasoning"));
    term_type(t, "\033");
    assert_string_equal(ui_draft(t->ui, NULL), "");
}

/* In a small window, too, and with something to say, the first screen names the keys; none by
 * half. */
static void the_first_screen_names_the_keys(void **state)
{
    struct term *t = *state;
    ui_notice(t->ui, UI_INFO, "this model is a small one");
    term_resize(t, 10, 40);
    term_turn(t);
    assert_true(term_shows(t, "this model is a small one"));
    assert_true(term_shows(t, "F1 help · F2 conversations"));
    assert_false(term_shows(t, "Ctrl-D"));
    assert_false(term_shows(t, "…"));
    term_resize(t, 5, 20);
    term_turn(t);
    assert_true(term_shows(t, "small one"));
}

/* Nothing of it is cut off, however small the window: what is too wide goes on below. */
static void help_is_whole(void **state)
{
    struct term *t = *state;
    static const int sizes[][2] = {{24, 80}, {10, 40}, {6, 24}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        term_resize(t, sizes[i][0], sizes[i][1]);
        term_type(t, "\033OP");
        assert_true(term_shows(t, "Help"));
        for (int page = 0; page < 150; page++) {
            assert_false(term_shows(t, "…"));
            term_type(t, "\033[6~");
        }
        term_type(t, "\033");
    }
}

static void the_transcript_takes_the_focus(void **state)
{
    struct term *t = *state;
    ui_message_begin(t->ui, 1, UI_ASSISTANT, "m");
    ui_message_append(t->ui, 1, UI_REASONING, "because", 7);
    ui_message_append(t->ui, 1, UI_ANSWER, "yes", 3);
    ui_message_end(t->ui, 1, UI_INFO, NULL);
    term_type(t, "\t");
    assert_false(t->cursor_shown);
    assert_false(term_shows(t, "│ because"));
    term_type(t, " ");
    assert_true(term_shows(t, "│ because"));
    term_type(t, "j\r");
    assert_false(term_shows(t, "│ because"));
    assert_string_equal(ui_draft(t->ui, NULL), "");
    term_type(t, "\tj");
    assert_true(t->cursor_shown);
    assert_string_equal(ui_draft(t->ui, NULL), "j");
    term_type(t, "\017"); /* Ctrl-O from the composer */
    assert_true(term_shows(t, "│ because"));
}

static void the_draft_can_be_replaced(void **state)
{
    struct term *t = *state;
    uint64_t revision = ui_draft_revision(t->ui);
    ui_draft_set(t->ui, "from an\neditor", 14);
    assert_true(ui_draft_revision(t->ui) > revision);
    revision = ui_draft_revision(t->ui);
    term_turn(t);
    assert_true(term_shows(t, "› from an"));
    assert_int_equal(ui_draft_revision(t->ui), revision);
}

static void a_flood_of_commands_is_bounded_and_ctrl_c_goes_first(void **state)
{
    struct term *t = *state;
    struct ui_action action;
    struct pollfd fd;
    size_t n = 0;
    set_busy(t, true);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(write(t->master, "x\r", 2), 2);
    assert_int_equal(write(t->master, "\003", 1), 1);
    ui_poll(t->ui, &fd);
    while (poll(&fd, 1, 50) > 0)
        ui_feed(t->ui);
    assert_true(ui_next_action(t->ui, &action));
    assert_int_equal(action.kind, UI_STOP);
    while (ui_next_action(t->ui, &action))
        n++;
    assert_true(n > 0 && n < 100);
    assert_true(strlen(ui_draft(t->ui, NULL)) > 0); /* the rest is not lost */
}

static void a_dropped_line_is_told_once(void **state)
{
    struct term *t = *state;
    struct ui_action action;
    struct pollfd fd;
    close(t->master);
    ui_feed(t->ui);
    assert_true(ui_next_action(t->ui, &action));
    assert_int_equal(action.kind, UI_HANGUP);
    for (int i = 0; i < 3; i++) {
        ui_feed(t->ui);
        ui_draw(t->ui);
        assert_false(ui_next_action(t->ui, &action));
    }
    ui_poll(t->ui, &fd);
    assert_int_equal(fd.fd, -1);
    assert_int_equal(ui_timeout_ms(t->ui), -1);
    t->master = dup(t->slave); /* for the tear-down */
}

int test_door(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(enter_sends_and_empties_the_draft),
        TEST(newlines_are_typed_by_their_own_keys),
        TEST(a_paste_never_sends),
        TEST(a_paste_does_not_answer_a_dialog),
        TEST(a_paste_of_10_mib_ends_in_the_draft),
        TEST(ctrl_c_stops_then_clears_then_quits),
        TEST(another_key_disarms_quitting),
        TEST(a_second_ctrl_c_quits_when_nothing_stops),
        TEST(escape_stops_at_once),
        TEST(escape_stops_at_once_while_reading),
        TEST(ctrl_d_quits_on_an_empty_draft),
        TEST(keys_of_one_action),
        TEST(commands_complete_and_run),
        TEST(history_is_walked),
        TEST(the_sidebar_opens_filters_and_chooses),
        TEST(a_dialog_gives_the_row_that_was_chosen),
        TEST(help_shows_the_keys),
        TEST(help_is_whole),
        TEST(help_is_found_by_typing),
        TEST(the_first_screen_names_the_keys),
        TEST(the_transcript_takes_the_focus),
        TEST(the_draft_can_be_replaced),
        TEST(a_flood_of_commands_is_bounded_and_ctrl_c_goes_first),
        TEST(a_dropped_line_is_told_once),
    };
#undef TEST
    return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}
