/* test_compact.c - a conversation that has become too long for its model: refused with the numbers,
 * never cut in silence; what is left out is shown before, and can be had again. */
#include "tests/app/tests.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/commands/compact.h"
#include "app/exit.h"
#include "tests/app/talk.h"

/* Four exchanges, of which the small model's context holds the newest. */
static void talk_long(struct talk *t, const char *db)
{
    talk_open(t, db);
    talk_use(t, some_model());
    talk_run(t, "/system Be brief.");
    talk_ask(t, "What is 17 + 25?");
    talk_ask(t, "now double it");
    talk_ask(t, "What is 30 + 3?");
    talk_ask(t, "What is 2 + 2?");
}

/* With a part left out too. */
static void the_meter_shows_what_the_engine_counts(void **state)
{
    struct talk t;
    (void)state;
    talk_long(&t, NULL);
    int64_t expected = talk_count(&t, 0, "What is 1 + 1?");
    talk_ask(&t, "What is 1 + 1?");
    assert_int_equal(t.chat.usage.prompt_tokens, expected);
    assert_int_equal(talk_used(&t), talk_count(&t, 0, NULL));
    talk_run(&t, "/compact 2");
    talk_run(&t, "/compact yes");
    assert_int_equal(talk_used(&t), talk_count(&t, 6, NULL));
    assert_true(talk_used(&t) < talk_count(&t, 0, NULL));
    expected = talk_count(&t, 6, "What is 1 + 2?");
    talk_ask(&t, "What is 1 + 2?");
    assert_int_equal(t.chat.usage.prompt_tokens, expected);

    /* And what remains without some exchanges. */
    size_t n;
    struct token_count *remains = compact_remains(&t.chat, &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i + 1 < n; i++)
        assert_int_equal(remains[i].n, talk_count(&t, 6 + 2 * (i + 1), NULL));
    free(remains);
    talk_close(&t);
}

static void compact_shows_before_it_does(void **state)
{
    struct talk t;
    (void)state;
    talk_open(&t, NULL);
    talk_refused(&t, "/compact", "no model is open");
    talk_close(&t);
    talk_long(&t, NULL);
    assert_contains(talk_run(&t, "/compact"), "everything fits");
    talk_refused(&t, "/compact yes", "run /compact first");
    talk_refused(&t, "/compact 4", "nothing would be left out (got 4 exchanges, there are 4)");
    talk_refused(&t, "/compact all", "not a number");
    const char *said = talk_run(&t, "/compact 2");
    assert_contains(said, "no longer be given the oldest 2 exchanges");
    assert_contains(said, "   1  \xe2\x80\x9cWhat is 17 + 25?\xe2\x80\x9d");
    assert_contains(said, "   2  \xe2\x80\x9cnow double it\xe2\x80\x9d");
    assert_contains(said, "kept are the system prompt and the newest 2 exchanges");
    assert_int_equal(history_window(&t.chat.history, 8), 0); /* only shown */
    assert_contains(talk_run(&t, "/compact yes"), "the model is given the newest part");
    assert_int_equal(history_window(&t.chat.history, 8), 4);
    said = talk_run(&t, "/compact 1");
    assert_contains(said, "given the oldest exchange");
    assert_contains(said, "   3  \xe2\x80\x9cWhat is 30 + 3?\xe2\x80\x9d");
    talk_run(&t, "/undo");
    talk_refused(&t, "/compact yes", "run /compact first"); /* it is on the path no more */
    talk_run(&t, "/redo");
    talk_run(&t, "/compact 1");
    talk_run(&t, "/fork"); /* of another conversation nothing was shown */
    talk_refused(&t, "/compact yes", "run /compact first");
    assert_contains(talk_run(&t, "/compact off"), "the model is given all");
    assert_int_equal(history_window(&t.chat.history, 8), 0);
    talk_close(&t);
}

/* It warns at once, and goes on once the user has left something out. */
static void a_smaller_model_refuses_with_numbers(void **state)
{
    struct talk t;
    char err[256], line[PATH_MAX + 16], db[PATH_MAX];
    struct compact_plan plan;
    (void)state;
    sandbox_path("chat.db", db, sizeof db);
    talk_long(&t, db);
    int64_t before = talk_used(&t);
    snprintf(line, sizeof line, "/model %s", small_model());
    assert_contains(talk_run(&t, line), "do not fit its context (limit 95)");
    assert_int_equal(chat_ask(&t.chat, "now triple it", 13, err, sizeof err), EXIT_FIT);
    assert_contains(err, "tokens do not fit (limit 95)");
    assert_int_equal(t.chat.history.n_turns, 8);
    assert_true(compact_plan(&t.chat, 8, NULL, &plan));
    assert_int_equal(plan.before.n, before);
    assert_int_equal(plan.after.n, talk_count(&t, plan.from, NULL));
    assert_true(plan.after.n <= plan.limit);
    assert_contains(talk_run(&t, "/compact"), "no longer be given");
    talk_run(&t, "/compact yes");
    assert_int_equal(history_window(&t.chat.history, 8), plan.from);
    talk_ask(&t, "now triple it");
    assert_contains(str_get(&talk_last(&t)->text[STORE_TEXT]), "12");
    assert_int_equal(history_save(&t.chat.history), 0);
    int64_t id = t.chat.history.conversation;
    talk_close(&t);

    talk_open(&t, db); /* it is kept with the conversation */
    assert_int_equal(history_load(&t.chat.history, id, err, sizeof err), 0);
    assert_int_equal(t.chat.history.n_turns, 10);
    assert_int_equal(history_window(&t.chat.history, 10), plan.from);
    talk_use(&t, some_model());
    talk_run(&t, "/compact off"); /* the larger model can have it all again */
    assert_contains(talk_run(&t, "/compact"), "everything fits");
    talk_close(&t);
}

static void an_edited_question_still_opens_the_window(void **state)
{
    struct talk t;
    char err[256];
    (void)state;
    talk_long(&t, NULL);
    talk_run(&t, "/compact 1");
    talk_run(&t, "/compact yes");
    struct turn *question = t.chat.history.turns[6];
    assert_true(question->window_start);
    assert_int_equal(chat_edit(&t.chat, question, "What is 2 + 3?", 14, err, sizeof err), 0);
    talk_wait(&t);
    assert_int_equal(history_window(&t.chat.history, 8), 6);
    assert_true(t.chat.usage.prompt_tokens < 60);
    history_checkout(&t.chat.history, question);
    assert_true(question->window_start);
    talk_close(&t);
}

static void the_screen_asks_what_to_leave_out(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "-m", some_model(), "--temp", "0", "--ctx", "128", NULL);
    term_expect(t, "Ctrl");
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "= 42.");
    term_type(t, "What is 30 + 3?\r");
    term_expect(t, "= 33.");
    term_type(t, "What is 2 + 2?\r");
    term_expect(t, "= 4.");
    term_type(t, "What do I get when I take ten things and add twenty more things to them?\r");
    term_expect(t, "do not fit (limit 127)");
    term_expect(t, "leave out the oldest");
    term_type(t, "\033"); /* nothing happens, nothing is lost */
    term_expect_gone(t, "leave out the oldest");
    term_shows(t, "\xe2\x80\xba What do I get");
    term_type(t, "\r");
    term_expect(t, "leave out the oldest");
    term_type(t, "\r");
    term_expect(t, "the model is given the newest part");
    term_expect(t, "27 tokens"); /* the answer has ended */
    term_expect(t, "Ask anything");
    term_type(t, "\033[5~\033[5~");
    term_shows(t, "\xe2\x94\x80 the model is given what follows; /compact off gives it all");
    term_leave(t);

    t = term_start(40, 80, "-c", "-m", some_model(), "--ctx", "128", NULL);
    term_expect(t, "\xe2\x94\x80 the model is given what follows; /compact off gives it all");
    term_type(t, "/compact off\r");
    term_expect(t, "only from here on it fits demo-llama: /compact, /fork or /new");
    term_type(t, "/compact\r");
    term_expect(t, "Leave out up to");
    term_expect(t, "tokens remain");
    term_type(t, "\033[H\r"); /* the first row: nothing */
    term_expect_gone(t, "Leave out up to");
    term_shows(t, "only from here on it fits");
    term_type(t, "/compact\r");
    term_expect(t, "Leave out up to");
    term_type(t, "\r");
    term_expect(t, "\xe2\x94\x80 the model is given what follows; /compact off gives it all");
    term_leave(t);
}

static void a_fork_or_a_new_chat_loses_nothing(void **state)
{
    (void)state;
    struct term *t = term_start(30, 80, "-m", some_model(), "--temp", "0", "--ctx", "128", NULL);
    const char *question = "What do I get when I take ten and add twenty to it?\r";
    term_expect(t, "Ctrl");
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "= 42.");
    term_type(t, "What is 30 + 3?\r");
    term_expect(t, "= 33.");
    term_type(t, "What is 2 + 2?\r");
    term_expect(t, "= 4.");
    term_type(t, question);
    term_expect(t, "the same in a fork");
    term_type(t, "fork\r"); /* typing narrows the list */
    term_expect(t, "the original is conversation 1");
    term_shows(t, "\xe2\x80\xba What do I get");
    term_expect(t, "\xe2\x94\x80 the model is given what follows");
    term_expect(t, "27 tokens");
    term_type(t, "/switch 1\r");
    term_expect(t, "What is 17 + 25?");
    term_expect_gone(t, "What do I get");
    term_expect_gone(t, "is given what follows");
    term_type(t, question);
    term_expect(t, "ask it in a new conversation");
    term_type(t, "new conv\r");
    term_expect(t, "27 tokens");
    term_expect_gone(t, "17 + 25");
    term_leave(t);
}

static void no_way_out_is_offered_that_would_not_help(void **state)
{
    (void)state;
    char question[512] = "";
    for (int i = 0; i < 60; i++)
        strcat(question, "word ");
    strcat(question, "\r");
    struct term *t = term_start(24, 80, "-m", some_model(), "--temp", "0", "--ctx", "96", NULL);
    term_expect(t, "Ctrl");
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "= 42.");
    term_type(t, question);
    term_expect(t, "do not fit (limit 95)");
    term_expect(t, "the question alone is too long; a shorter one fits");
    term_lacks(t, "ask it in a new conversation");
    term_shows(t, "\xe2\x80\xba word word");
    term_free(t);
}

/* No dialog opens over what is being typed. */
static void a_waiting_question_that_does_not_fit_comes_back(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "-m", some_model(), "--temp", "0", "--ctx", "96", NULL);
    term_expect(t, "Ctrl");
    term_type(t, "What is 17 + 25?\rWhat is 30 + 3?\r"
                 "What do I get when I take ten things and add twenty more things to them?\rdraft");
    term_expect(t, "do not fit (limit 95)");
    term_expect(t, "/compact would leave out the oldest");
    term_expect(t, "\xe2\x80\xba What do I get");
    term_expect(t, "draft");
    term_lacks(t, "It does not fit");
    term_free(t);
}

static void line_mode_compacts_too(void **state)
{
    (void)state;
    struct term *t = term_start(50, 80, "--plain", "-m", some_model(), "--temp", "0", "--ctx",
                                "128", NULL);
    term_expect(t, "Ctrl-D leaves");
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "= 42.");
    term_type(t, "What is 30 + 3?\r");
    term_expect(t, "= 33.");
    term_type(t, "What is 2 + 2?\r");
    term_expect(t, "= 4.");
    term_type(t, "What do I get when I take ten things and add twenty more things to them?\r");
    term_expect(t, "tokens do not fit (limit 127)");
    term_expect(t, "/compact would leave out the oldest");
    term_type(t, "/compact 1\r");
    term_expect(t, "   1  \xe2\x80\x9cWhat is 17 + 25?\xe2\x80\x9d");
    term_expect(t, "/compact yes does it");
    term_type(t, "/compact yes\r");
    term_expect(t, "the model is given the newest part");
    term_type(t, "/compact off\r");
    term_expect(t, "the model is given all");
    term_leave(t);
}

static void the_oldest_of_far_too_much_is_never_counted(void **state)
{
    enum { EXCHANGES = 400, WORDS = 300 };
    struct talk t;
    struct str words = {0};
    char err[256];
    size_t n;
    (void)state;
    talk_open(&t, NULL);
    talk_use(&t, some_model());
    for (int i = 0; i < WORDS; i++)
        str_adds(&words, "word ");
    for (int i = 0; i < EXCHANGES; i++) {
        history_add(&t.chat.history, STORE_USER, STORE_COMPLETE, "hello", 5);
        history_add(&t.chat.history, STORE_ASSISTANT, STORE_COMPLETE, words.data, words.len);
    }
    assert_int_equal(chat_ask(&t.chat, "hi", 2, err, sizeof err), EXIT_FIT);
    assert_string_equal(err, "prompt: more than 67584 tokens do not fit (limit 2047)");
    assert_true(chat_context_used(&t.chat).more);
    assert_contains(talk_run(&t, "/compact"), "exchanges, more than 66");
    const char *said = talk_run(&t, "/compact 399"); /* of which too much is kept, too */
    assert_contains(said, "no longer be given the oldest exchange:\n");
    assert_contains(said, "the newest 399 exchanges, more than 67584 tokens\n");
    struct token_count *remains = compact_remains(&t.chat, &n);
    assert_int_equal(n, EXCHANGES);
    assert_true(remains[0].more);
    assert_false(remains[EXCHANGES - 2].more);
    assert_int_equal(remains[EXCHANGES - 2].n, talk_count(&t, 2 * EXCHANGES - 2, NULL));
    assert_true(t.chat.history.turns[0]->tokens.engine == 0);
    free(remains);
    str_done(&words);
    talk_close(&t);
}

/* Counting all of it would hold up the screen. */
static void what_is_far_too_long_is_not_counted_whole(void **state)
{
    enum { EXCHANGES = 300, WORDS = 1000 };
    struct run r;
    char path[512];
    (void)state;
    sandbox_path("long.json", path, sizeof path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("{\"duet\": 1, \"title\": \"long\", \"leaf\": 600, \"messages\": [", f);
    for (int i = 1; i <= 2 * EXCHANGES; i++) {
        fprintf(f, "%s{\"id\": %d, \"parent\": %d, \"role\": \"%s\", \"content\": \"",
                i > 1 ? "," : "", i, i - 1, i % 2 ? "user" : "assistant");
        for (int word = 0; word < (i % 2 ? 1 : WORDS); word++)
            fputs("word ", f);
        fputs("\"}", f);
    }
    fputs("]}", f);
    assert_int_equal(fclose(f), 0);
    run_duet(&r, NULL, 0, "import", path, NULL);
    assert_int_equal(r.status, 0);
    run_done(&r);
    struct term *t = term_start(24, 80, "-c", "-m", some_model(), NULL);
    term_expect(t, "over ");
    term_expect(t, " tokens\n");
    term_type(t, "hi\r"); /* refused before all of it is counted, also by the question what to do */
    term_expect(t, "prompt: more than ");
    term_expect(t, "ask it in a new conversation");
    term_type(t, "\033");
    term_expect_gone(t, "ask it in a new conversation");
    term_type(t, "\025");
    term_resize(t, 24, 50);
    term_expect(t, "  >");
    term_leave(t);
}

int test_compact(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_meter_shows_what_the_engine_counts),
        TEST(compact_shows_before_it_does),
        TEST(a_smaller_model_refuses_with_numbers),
        TEST(the_screen_asks_what_to_leave_out),
        TEST(a_fork_or_a_new_chat_loses_nothing),
        TEST(an_edited_question_still_opens_the_window),
        TEST(line_mode_compacts_too),
        TEST(a_waiting_question_that_does_not_fit_comes_back),
        TEST(no_way_out_is_offered_that_would_not_help),
        TEST(the_oldest_of_far_too_much_is_never_counted),
        TEST(what_is_far_too_long_is_not_counted_whole),
    };
    return cmocka_run_group_tests_name("compact", tests, NULL, NULL);
}
