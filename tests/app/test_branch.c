/* test_branch.c - branches in the whole program: regenerate, edit, walk, take back, fork; questions
 * that wait; another model in mid-conversation. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/app/talk.h"

/* Two models in one conversation */

static int prompt_rest(const struct chat *c)
{
    return c->usage.prompt_tokens - c->usage.cached_tokens;
}

/* What is cached is whole blocks of this many tokens. */
enum { BLOCK = 32 };

/* Both models stay in memory, and each finds in its cache what it has read. */
static void switching_back_computes_nothing_again(void **state)
{
    struct talk p;
    (void)state;
    char llama[4096], deepseek[4096];
    snprintf(llama, sizeof llama, "%s", some_model());
    snprintf(deepseek, sizeof deepseek, "%s", thinking_model());
    talk_open(&p, NULL);
    talk_use(&p, llama);
    talk_run(
        &p,
        "/system A long text that all have to read before the first word is said, so that what is "
        "found in the cache is more than a block or two, and so that the numbers of this test say "
        "more than that something was found there.");
    talk_ask(&p, "What is 17 + 25?");
    assert_string_equal(talk_last(&p)->generation.model, "demo-llama");
    assert_int_equal(p.chat.usage.cached_tokens, 0);
    assert_true(p.chat.usage.prompt_tokens > 3 * BLOCK);
    int first = p.chat.usage.prompt_tokens + p.chat.usage.completion_tokens;
    talk_use(&p, deepseek);
    talk_ask(&p, "now double it");
    assert_string_equal(talk_last(&p)->generation.model, "demo-deepseek");
    int second = p.chat.usage.prompt_tokens;

    talk_use(&p, llama);
    assert_int_equal(talk_n_in_memory(&p), 2);
    assert_true(p.chat.model->ready); /* nothing is loaded again */
    talk_ask(&p, "and add 1");
    assert_in_range(p.chat.usage.cached_tokens, first - BLOCK, first); /* all it has seen */
    talk_use(&p, deepseek);
    assert_true(p.chat.model->ready);
    talk_ask(&p, "and add 2");
    assert_in_range(p.chat.usage.cached_tokens, second - BLOCK, second);
    assert_int_equal(talk_n_in_memory(&p), 2);
    assert_int_equal(p.chat.history.n_turns, 8);
    talk_close(&p);
}

static void versions_can_be_made_and_walked(void **state)
{
    struct talk p;
    size_t at;
    (void)state;
    char deepseek[4096], line[5000];
    snprintf(deepseek, sizeof deepseek, "%s", thinking_model());
    snprintf(line, sizeof line, "/regen %s", deepseek);
    talk_open(&p, NULL);
    talk_refused(&p, "/regen", "nothing was asked yet");
    talk_refused(&p, "/undo", "nothing was asked yet");
    talk_refused(&p, "/redo", "nothing was taken back");
    talk_refused(&p, "/fork", "nothing was asked yet");
    talk_use(&p, some_model());
    talk_ask(&p, "What is 17 + 25?");
    talk_refused(&p, "/version", "only one version");
    talk_run(&p, "/regen");
    assert_int_equal(turn_versions(talk_last(&p), &at), 2);
    assert_int_equal(at, 2);
    assert_in_range(prompt_rest(&p.chat), 1, BLOCK); /* the prompt was read already */
    talk_run(&p, line);                              /* by the other model, this once */
    assert_string_equal(talk_last(&p)->generation.model, "demo-deepseek");
    assert_contains(str_get(&talk_last(&p)->text[STORE_TEXT]), "42");
    assert_string_equal(p.chat.model->file.name, "demo-llama");
    assert_int_equal(turn_versions(talk_last(&p), &at), 3);
    talk_ask(&p, "now double it");
    assert_string_equal(talk_last(&p)->generation.model, "demo-llama");

    talk_run(&p, "/version 1"); /* the newest message with several is the first answer */
    assert_int_equal(p.chat.history.n_turns, 2);
    talk_run(&p, "/version >");
    talk_run(&p, "/version > 1");
    assert_int_equal(p.chat.history.n_turns, 4);
    talk_refused(&p, "/version >", "newest version");
    talk_refused(&p, "/version 4", "no such version");
    talk_refused(&p, "/version 0", "not a number");
    talk_refused(&p, "/version 1 2", "only one version");
    talk_refused(&p, "/version 1 9", "no such question (got 9, there are 2)");
    talk_refused(&p, "/regen nowhere", "no such model");
    talk_refused(&p, "/edit x", "not a number from 1 on: x");
    talk_run(&p, "/undo");
    talk_run(&p, "/redo");
    assert_int_equal(p.chat.history.n_turns, 4);
    talk_run(&p, "/fork 1");
    assert_int_equal(p.chat.history.n_turns, 2);
    talk_close(&p);
}

static void bad_bytes_become_text_on_a_branch_too(void **state)
{
    struct talk p;
    char err[256];
    (void)state;
    talk_open(&p, NULL);
    talk_use(&p, some_model());
    talk_ask(&p, "What is \xff 17 + 25?");
    struct turn *question = p.chat.history.turns[0];
    assert_int_equal(chat_edit(&p.chat, question, "\xfe\xff", 2, err, sizeof err), 0);
    talk_wait(&p);
    assert_string_equal(str_get(&p.chat.history.turns[0]->text[STORE_TEXT]),
                        "\xef\xbf\xbd\xef\xbf\xbd");
    talk_run(&p, "/regen");
    talk_close(&p);
}

static void the_path_is_fixed_while_an_answer_comes(void **state)
{
    static const char *const lines[] = {"/regen", "/edit", "/undo", "/redo", "/fork", "/version <"};
    struct talk p;
    char err[256];
    (void)state;
    talk_open(&p, NULL);
    talk_use(&p, endless_model());
    assert_int_equal(chat_ask(&p.chat, "go", 2, err, sizeof err), 0);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        talk_refused(&p, lines[i],
                     "an answer is being written; stop it first, /continue resumes it");
    chat_stop(&p.chat);
    talk_wait(&p);
    assert_int_equal(talk_last(&p)->state, STORE_STOPPED);
    talk_close(&p);
}

/* On the screen */

static struct term *start(void)
{
    struct term *t = term_start(24, 80, "-m", some_model(), "--temp", "0", NULL);
    term_expect(t, "Ctrl");
    return t;
}

static void versions_can_be_walked_on_the_screen(void **state)
{
    (void)state;
    struct term *t = start();
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "17 + 25 = 42");
    term_expect(t, "tokens/s");
    term_type(t, "\tr");
    term_expect(t, "demo-llama  \xe2\x80\xb9 2 of 2 \xe2\x80\xba");
    term_shows(t, "17 + 25 = 42");
    term_type(t, "<");
    term_expect(t, "1 of 2");
    term_type(t, "<");
    term_expect(t, "this is the oldest version");
    term_type(t, "Ke");
    term_expect(t, "editing question 1");
    term_type(t, "\0250\b1 + 1\r");
    term_expect(t, "1 + 1 = 2");
    term_expect(t, "2 of 2");
    term_expect_gone(t, "= 42");
    term_expect_gone(t, "editing question");
    term_type(t, "/undo\r");
    term_expect(t, "took back");
    term_type(t, "/redo\r");
    term_expect(t, "1 + 1 = 2");
    term_type(t, "\tK<");
    term_expect(t, "17 + 25 = 42");
    term_type(t, "\t");
    term_leave(t);

    t = term_start(24, 80, "-c", "-m", some_model(), NULL); /* as it was left */
    term_expect(t, "17 + 25 = 42");
    term_expect(t, "1 of 2");
    term_type(t, "/fork\r");
    term_expect(t, "a copy of 1 exchange; the original is conversation 1");
    term_leave(t);
}

static void editing_keeps_the_draft(void **state)
{
    (void)state;
    struct term *t = start();
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "tokens/s");
    term_type(t, "half a thought\tKKe");
    term_expect(t, "\xe2\x80\xba What is 17 + 25?\n  demo-llama");
    term_type(t, "\033");
    term_expect(t, "\xe2\x80\xba half a thought");
    term_expect_gone(t, "editing question");
    term_type(t, "\tKKe");
    term_expect(t, "editing question");
    term_type(t, "\0252 + 2\r");
    term_expect(t, "2 + 2 = 4");
    term_expect(t, "\xe2\x80\xba half a thought");
    term_type(t, "\003");
    term_leave(t);
}

static void questions_wait_while_an_answer_comes(void **state)
{
    (void)state;
    struct term *t = term_start_answer();
    term_type(t, "one\rtwo\rthree\r");
    term_expect(t, "next: one");
    term_expect(t, "then: two");
    term_expect(t, "then: three");
    term_type(t, "\033[A");
    term_expect(t, "\xe2\x80\xba three");
    term_expect_gone(t, "then: three");
    term_type(t, "\030k"); /* drops `two` */
    term_expect(t, "next: one \xc2\xb7 Ctrl-X q takes it back");
    term_type(t, "\003"); /* the draft stays, and what waits is held */
    term_expect(t, "stopped");
    term_expect(t, "kept: one");
    term_shows(t, "\xe2\x80\xba three");
    term_type(t, "\003"); /* clears the draft */
    term_expect(t, "Ask anything");
    term_type(t, "\r"); /* asks what is held */
    term_expect(t, "\xe2\x80\xba one");
    term_expect(t, "answering");
    term_expect_gone(t, "kept:");
    term_type(t, "last\r");
    term_expect(t, "next: last");
    term_type(t, "\033"); /* with an empty draft it goes there */
    term_expect(t, "\xe2\x80\xba last\n");
    term_expect_gone(t, "next:");
    term_expect_gone(t, "answering"); /* the next Ctrl-C is for the draft */
    term_type(t, "\003");
    term_expect(t, "Ask anything");
    term_leave(t);
}

static void leaving_asks_once_about_waiting_questions(void **state)
{
    (void)state;
    struct term *t = term_start_answer();
    term_type(t, "one\r");
    term_expect(t, "next: one");
    term_type(t, "\004");
    term_expect(t, "queued questions would be lost");
    term_type(t, "two\r/quit"); /* one more, of which nothing was said yet */
    term_expect(t, "then: two");
    term_expect(t, "\xe2\x80\xba /quit");
    term_type(t, "\r");
    term_expect_gone(t, "\xe2\x80\xba /quit");
    term_shows(t, "queued questions would be lost");
    term_type(t, "/quit\r");
    assert_int_equal(term_end(t), 0);
    assert_restored(t);
    term_free(t);
}

/* A lost connection too. The next start has them and the draft, and asks nothing by itself. */
static void waiting_questions_survive_a_kill(void **state)
{
    static const int signals[] = {SIGHUP, SIGKILL};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct term *t = term_start_answer();
        struct run r;
        term_type(t, "one\rtwo\nlines\rhalf a thought");
        term_expect(t, "then: two");
        term_expect(t, "half a thought");
        run_shell(&r,
                  "for i in $(seq 100); do grep -qa thought ~/.local/state/duet/draft-0 && exit; "
                  "sleep 0.1; done; exit 1"); /* a second later it is on the disk */
        assert_int_equal(r.status, 0);
        run_done(&r);
        if (signals[i] == SIGHUP)
            term_hang_up(t);
        else
            term_signal(t, SIGKILL);
        assert_int_equal(term_end(t), signals[i] == SIGHUP ? 128 + SIGHUP : -SIGKILL);
        term_free(t);

        t = term_start(24, 80, "-m", some_model(), "--temp", "0", NULL);
        term_expect(t, "kept: one");
        term_expect(t, "kept: two");
        term_expect(t, "\xe2\x80\xba half a thought");
        term_type(t, "\025\r");
        term_expect(t, "\xe2\x80\xba one\n");
        term_expect(t, "\xe2\x80\xba two\n");
        term_expect(t, "lines\n");
        term_lacks(t, "next:");
        term_leave(t);
        run_shell(&r, "ls ~/.local/state/duet/draft-0");
        assert_string_equal(r.out, "");
        run_done(&r);
    }
}

/* Messages of this text in the history. */
static int count_messages(const char *text)
{
    char path[4096];
    sqlite3 *db;
    sqlite3_stmt *st;
    sandbox_path(".local/share/duet/chat.db", path, sizeof path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT count(*) FROM text WHERE body = ?", -1, &st, NULL),
        SQLITE_OK);
    sqlite3_bind_text(st, 1, text, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    int n = sqlite3_column_int(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

/* Even before the stopped answer has ended. What waited is not asked. */
static void a_question_sent_after_a_stop_is_asked(void **state)
{
    (void)state;
    struct term *t = term_start_answer();
    term_type(t, "one\rtwo\r");
    term_expect(t, "then: two");
    term_type(t, "\003");
    term_expect(t, "\xe2\x80\xba one\n");
    term_expect(t, "kept: two");
    term_type(t, "\003go on\r"); /* a stop that finds nothing to stop clears the draft */
    term_expect(t, "\xe2\x80\xba go on\n\n"); /* in the transcript a blank line follows it */
    term_type(t, "at once\003\r");
    term_expect(t, "\xe2\x80\xba at once\n\n");
    term_shows(t, "answering");
    term_lacks(t, "next:");
    term_shows(t, " two"); /* kept, or in the empty composer */
    term_type(t, "\003");
    term_expect_gone(t, "answering");
    term_shows(t, "\xe2\x80\xba two");
    term_type(t, "\025\004");
    assert_int_equal(term_end(t), 0);
    term_free(t);
    assert_int_equal(count_messages("at once"), 1);
    assert_int_equal(count_messages("two"), 0);
}

static void assert_file_contains(const char *path, const char *part)
{
    char text[4096] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    assert_contains(text, part);
}

/* Leaving it would lose what was said. */
static void an_unsaved_conversation_is_not_left(void **state)
{
    static const char *const lines[] = {"/new", "/fork", "/switch 1"};
    struct talk p;
    char db[512], kept[512], line[600];
    sqlite3 *other;
    (void)state;
    sandbox_path("chat.db", db, sizeof db);
    talk_open(&p, db);
    store_set_patience(p.chat.history.store, 10);
    talk_use(&p, some_model());
    talk_ask(&p, "What is 17 + 25?");
    assert_int_equal(history_save(&p.chat.history), 0);
    assert_int_equal(sqlite3_open(db, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    talk_ask(&p, "now double it");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        talk_refused(&p, lines[i], i < 2 ? "not saved yet (another program" : "");
    assert_int_equal(p.chat.history.n_turns, 4);
    sandbox_path("kept.md", kept, sizeof kept);
    snprintf(line, sizeof line, "/export md %s", kept);
    assert_contains(talk_run(&p, line), "the conversation written to");
    assert_file_contains(kept, "\n17 + 25 = 42.\n");
    assert_file_contains(kept, "\nnow double it\n");
    snprintf(line, sizeof line, "/copy all > %s.too", kept);
    assert_contains(talk_run(&p, line), "the conversation written to");
    assert_int_equal(history_due_ms(&p.chat.history) >= 0, 1); /* still to be saved */
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    talk_run(&p, "/new");
    talk_run(&p, "/switch 1");
    assert_int_equal(p.chat.history.n_turns, 4);
    talk_close(&p);
}

/* What followed stays with the other version. */
static void a_new_answer_in_the_middle_ends_the_path(void **state)
{
    (void)state;
    struct term *t = start();
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "= 42.");
    term_type(t, "What is 30 + 3?\r");
    term_expect(t, "= 33.");
    term_type(t, "\tgr");
    term_expect(t, "demo-llama  \xe2\x80\xb9 2 of 2 \xe2\x80\xba");
    term_expect_gone(t, "= 33.");
    term_expect(t, "later messages are kept with the previous version");
    term_shows(t, "tokens/s");
    term_type(t, "<");
    term_expect(t, "= 33.");
    term_type(t, "\t");
    term_leave(t);
}

/* What comes after an edited question is not sent with it. */
static void an_edited_question_is_counted_as_it_is_asked(void **state)
{
    struct run r;
    char counted[64];
    int tokens;
    (void)state;
    run_duet(&r, NULL, 0, "-m", some_model(), "--dry-run", "What is 17 + 25?", NULL);
    assert_int_equal(sscanf(r.err, "duet: prompt: %d tokens", &tokens), 1);
    run_done(&r);
    snprintf(counted, sizeof counted, " %d / 2,048 tokens", tokens);
    struct term *t = start();
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "= 42.");
    term_type(t, "What is 30 + 3?\r");
    term_expect(t, "= 33.");
    term_expect(t, "tokens/s");
    term_type(t, "\tge");
    term_expect(t, "editing question 1");
    term_shows(t, counted);
    term_type(t, "\033");
    term_expect_gone(t, counted);
    term_type(t, "What is 17 + 25?");
    term_shows(t, "What is 17 + 25?\n  demo-llama");
    term_lacks(t, counted);
    term_type(t, "\025");
    term_leave(t);
}

static void waiting_questions_are_asked_in_order(void **state)
{
    (void)state;
    struct term *t = start();
    term_type(t, "What is 17 + 25?\rWhat is 30 + 3?\rWhat is 2 + 2?\r");
    term_expect(t, "17 + 25 = 42");
    term_expect(t, "30 + 3 = 33");
    term_expect(t, "2 + 2 = 4");
    term_leave(t);
}

static void a_key_has_another_model_answer_again(void **state)
{
    (void)state;
    struct term *t = start();
    thinking_model();
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "tokens/s");
    term_type(t, "\tR");
    term_expect(t, "Models");
    term_type(t, "deepseek\r");
    term_expect(t, "demo-deepseek  \xe2\x80\xb9 2 of 2 \xe2\x80\xba");
    term_expect(t, "│ 42 │");
    term_type(t, "\t");
    term_leave(t);
}

static void the_transcript_says_which_model_answered(void **state)
{
    (void)state;
    thinking_model();
    struct term *t = term_start(40, 80, "-m", some_model(), "--temp", "0", NULL);
    term_expect(t, "Ctrl");
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "17 + 25 = 42.");
    term_type(t, "\030m");
    term_expect(t, "Models");
    term_type(t, "deepseek\r");
    term_expect(t, "demo-deepseek answers from here on");
    term_type(t, "What is 30 + 3?\r");
    term_expect(t, "│ 33 │");
    term_type(t, "/model demo-llama\r");
    term_expect(t, "demo-llama answers from here on");
    term_type(t, "What is 2 + 2?\r");
    term_expect(t, "2 + 2 = 4.");
    const char *screen = term_screen(t), *at = strstr(screen, "  demo-llama");
    assert_non_null(at);
    assert_non_null(at = strstr(at, "  demo-deepseek\n"));
    assert_non_null(at = strstr(at, "│ 33 │"));
    assert_non_null(at = strstr(at, "  demo-llama\n"));
    assert_non_null(strstr(at, "2 + 2 = 4."));
    term_leave(t);
}

/* Line by line */

static void versions_can_be_walked_in_line_mode(void **state)
{
    (void)state;
    struct term *t = term_start(40, 80, "--plain", "-m", some_model(), "--temp", "0", NULL);
    term_expect(t, "Ctrl-D leaves");
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "= 42.");
    term_type(t, "/edit\r");
    term_expect(t, "edit> What is 17 + 25?");
    term_type(t, "\b\b\b33?\r");
    term_expect(t, "= 50.");
    term_type(t, "/version\r");
    term_expect(t, "* 2  \xe2\x80\x9cWhat is 17 + 33?\xe2\x80\x9d");
    term_type(t, "/version <\r");
    term_expect(t, "you (1 of 2): What is 17 + 25?");
    term_type(t, "/regen\r");
    term_expect(t, "= 42.");
    term_expect(t, "\n> ");
    term_type(t, "/undo\r");
    term_expect(t, "took back \xe2\x80\x9cWhat is 17 + 25?");
    term_type(t, "/redo\r");
    term_expect(t, "demo-llama (2 of 2): ");
    term_type(t, "/edit 1\r");
    term_expect(t, "edit> What is 17 + 25?");
    term_type(t, "\025\r");
    term_expect(t, "left unchanged");
    term_leave(t);
}

static void a_kill_keeps_both_versions(void **state)
{
    (void)state;
    struct term *t = start();
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "tokens/s");
    term_leave(t);
    t = term_start(24, 80, "-c", "-m", endless_model(), "--temp", "0", "--ctx", "100000", NULL);
    term_expect(t, "= 42.");
    term_type(t, "/regen\r");
    term_expect(t, "answering");
    term_expect(t, "tok/s");
    term_signal(t, SIGKILL);
    assert_int_equal(term_end(t), -SIGKILL);
    term_free(t);
    t = term_start(24, 80, "-c", "-m", some_model(), NULL);
    term_expect(t, "interrupted");
    term_shows(t, "2 of 2");
    term_type(t, "/version <\r");
    term_expect(t, "1 of 2");
    term_shows(t, "= 42.");
    term_leave(t);
}

int test_branch(void)
{
    const struct CMUnitTest tests[] = {
        TEST(switching_back_computes_nothing_again),
        TEST(versions_can_be_made_and_walked),
        TEST(the_path_is_fixed_while_an_answer_comes),
        TEST(bad_bytes_become_text_on_a_branch_too),
        TEST(versions_can_be_walked_on_the_screen),
        TEST(editing_keeps_the_draft),
        TEST(questions_wait_while_an_answer_comes),
        TEST(an_edited_question_is_counted_as_it_is_asked),
        TEST(waiting_questions_are_asked_in_order),
        TEST(leaving_asks_once_about_waiting_questions),
        TEST(waiting_questions_survive_a_kill),
        TEST(a_question_sent_after_a_stop_is_asked),
        TEST(an_unsaved_conversation_is_not_left),
        TEST(a_new_answer_in_the_middle_ends_the_path),
        TEST(a_key_has_another_model_answer_again),
        TEST(the_transcript_says_which_model_answered),
        TEST(versions_can_be_walked_in_line_mode),
        TEST(a_kill_keeps_both_versions),
    };
    return cmocka_run_group_tests_name("branch", tests, NULL, NULL);
}
