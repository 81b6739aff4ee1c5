/* test_history.c - the conversation in memory and its copy in the store, when all goes well and
 * when it does not. */
#include "tests/app/tests.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "app/chat/history.h"
#include "app/chat/library.h"

static char path[PATH_MAX];

static void open_history(struct history *h)
{
    char err[256];
    sandbox_path("chat.db", path, sizeof path);
    assert_int_equal(history_open(h, path, NULL, err, sizeof err), 0);
    history_new(h, "");
}

static struct turn *exchange(struct history *h, const char *question)
{
    history_add(h, STORE_USER, STORE_COMPLETE, question, strlen(question));
    return history_add(h, STORE_ASSISTANT, STORE_STREAMING, "", 0);
}

/* What another program finds in the file. */
static void assert_stored(int64_t id, size_t n, enum store_state last, const char *text)
{
    struct history other;
    char err[256];
    assert_int_equal(history_open(&other, path, NULL, err, sizeof err), 0);
    assert_int_equal(history_load(&other, id, err, sizeof err), 0);
    assert_int_equal(other.n_turns, n);
    assert_int_equal(other.turns[n - 1]->state, last);
    assert_string_equal(str_get(&other.turns[n - 1]->text[STORE_TEXT]), text);
    history_close(&other);
}

static void a_growing_answer_is_saved_as_it_comes(void **state)
{
    struct history h;
    (void)state;
    open_history(&h);
    assert_int_equal(history_due_ms(&h), -1);
    struct turn *answer = exchange(&h, "  17 + 25\nplease");
    assert_int_equal(history_due_ms(&h), 0); /* a question is saved at once */
    assert_int_equal(history_save(&h), 0);
    assert_string_equal(h.title, "17 + 25");

    history_append(&h, answer, STORE_REASONING, "17 + 25 is", 10);
    history_append(&h, answer, STORE_TEXT, "4", 1);
    assert_in_range(history_due_ms(&h), 1, 250);
    assert_int_equal(history_save(&h), 0);
    assert_stored(h.conversation, 2, STORE_STREAMING, "4");
    history_append(&h, answer, STORE_TEXT, "2", 1);
    history_end(&h, answer, STORE_COMPLETE);
    assert_int_equal(history_save(&h), 0);
    assert_int_equal(history_due_ms(&h), -1);
    assert_stored(h.conversation, 2, STORE_COMPLETE, "42");
    history_close(&h);
}

static void an_answer_without_an_end_is_interrupted(void **state)
{
    struct history h;
    (void)state;
    open_history(&h);
    struct turn *answer = exchange(&h, "17 + 25");
    history_append(&h, answer, STORE_TEXT, "almost", 6);
    assert_int_equal(history_save(&h), 0);
    int64_t id = h.conversation;
    history_close(&h); /* as the end of a process does: without an end of the message */
    assert_stored(id, 2, STORE_INTERRUPTED, "almost");
}

/* The chat goes on meanwhile, and all is there later, in order. */
static void a_locked_file_is_caught_up_with(void **state)
{
    struct history h;
    sqlite3 *other;
    (void)state;
    open_history(&h);
    store_set_patience(h.store, 10);
    struct turn *answer = exchange(&h, "first");
    history_append(&h, answer, STORE_TEXT, "one", 3);
    assert_int_equal(history_save(&h), 0);

    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    history_append(&h, answer, STORE_TEXT, " two", 4);
    history_end(&h, answer, STORE_COMPLETE);
    assert_int_equal(history_save(&h), -1);
    assert_true(h.problem[0] != '\0');
    assert_false(h.again);                 /* a moment that is not worth a word */
    assert_true(history_due_ms(&h) > 100); /* later, not at once */
    answer = exchange(&h, "second");
    history_append(&h, answer, STORE_TEXT, "three", 5);
    assert_int_equal(history_save(&h), -1);
    assert_true(h.again);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);

    history_end(&h, answer, STORE_STOPPED);
    assert_int_equal(history_save(&h), 0);
    assert_string_equal(h.problem, "");
    assert_false(h.again);
    assert_stored(h.conversation, 4, STORE_STOPPED, "three");
    history_close(&h);
}

/* The only change there is. */
static void a_system_prompt_waits_for_a_locked_file(void **state)
{
    struct history h, reader;
    char err[256];
    sqlite3 *other;
    (void)state;
    open_history(&h);
    store_set_patience(h.store, 10);
    history_end(&h, exchange(&h, "first"), STORE_COMPLETE);
    assert_int_equal(history_save(&h), 0);

    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    history_set_system(&h, "Be brief.");
    assert_int_equal(history_due_ms(&h), 0);
    assert_int_equal(history_save(&h), -1);
    assert_false(h.again);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);

    assert_int_equal(history_save(&h), 0);
    assert_int_equal(history_due_ms(&h), -1);
    assert_int_equal(history_open(&reader, path, NULL, err, sizeof err), 0);
    assert_int_equal(history_load(&reader, h.conversation, err, sizeof err), 0);
    assert_string_equal(reader.system, "Be brief.");
    history_close(&reader);
    history_close(&h);
}

static void conversations_are_found_by_number_or_title(void **state)
{
    struct history h;
    (void)state;
    open_history(&h);
    assert_int_equal(library_find(h.store, NULL), 0);
    exchange(&h, "Solve 3x + 5 = 20");
    history_save(&h);
    int64_t first = h.conversation;
    history_new(&h, "");
    exchange(&h, "17");
    history_save(&h);
    int64_t second = h.conversation;
    assert_int_equal(library_find(h.store, NULL), second);
    assert_int_equal(library_find(h.store, "solve 3X + 5 = 20"), first);
    assert_int_equal(library_find(h.store, "solve"), first);
    assert_int_equal(library_find(h.store, "nothing"), 0);
    assert_int_equal(library_find(h.store, "999"), 0);
    assert_int_equal(library_find(h.store, ""), 0);
    history_close(&h);
}

/* Damaged text too. */
static void titles_come_from_the_question(void **state)
{
    struct history h;
    (void)state;
    open_history(&h);
    exchange(
        &h,
        "a question that is rather long, with many words that do not fit into a title of a list");
    history_save(&h);
    assert_string_equal(
        h.title, "a question that is rather long, with many words that do not fit into a\u2026");
    history_new(&h, "");
    exchange(&h, "\xff\xfe"
                 "binary");
    history_save(&h);
    assert_string_equal(h.title, "��binary");
    history_close(&h);
}

static void without_a_file_the_chat_goes_on(void **state)
{
    struct history h;
    char err[256];
    (void)state;
    assert_int_equal(history_open(&h, "/proc/nowhere/chat.db", NULL, err, sizeof err), -1);
    assert_string_equal(h.off, err);
    history_new(&h, "");
    exchange(&h, "17 + 25");
    assert_int_equal(history_save(&h), 0);
    assert_true(h.conversation > 0);
    history_close(&h);
}

static void the_history_is_the_owners_alone(void **state)
{
    struct history h;
    struct stat st;
    (void)state;
    umask(0);
    open_history(&h);
    exchange(&h, "secret");
    history_save(&h);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    history_close(&h);
    umask(022);
}

int test_history(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_growing_answer_is_saved_as_it_comes),
        TEST(an_answer_without_an_end_is_interrupted),
        TEST(a_locked_file_is_caught_up_with),
        TEST(a_system_prompt_waits_for_a_locked_file),
        TEST(conversations_are_found_by_number_or_title),
        TEST(titles_come_from_the_question),
        TEST(without_a_file_the_chat_goes_on),
        TEST(the_history_is_the_owners_alone),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
