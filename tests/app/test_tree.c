/* test_tree.c - a conversation as a tree: the path through it, its versions, and its copy in the
 * store, also when two instances write to the same conversation. */
#include "tests/app/tests.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "app/chat/history.h"

static char path[PATH_MAX];

static void open_history(struct history *h)
{
    char err[256];
    sandbox_path("chat.db", path, sizeof path);
    assert_int_equal(history_open(h, path, NULL, err, sizeof err), 0);
    history_new(h, "be brief");
}

static void load(struct history *h, int64_t id)
{
    char err[256];
    assert_int_equal(history_load(h, id, err, sizeof err), 0);
}

static struct turn *ask(struct history *h, const char *question, const char *answer)
{
    history_add(h, STORE_USER, STORE_COMPLETE, question, strlen(question));
    struct turn *turn = history_add(h, STORE_ASSISTANT, STORE_STREAMING, answer, strlen(answer));
    history_end(h, turn, STORE_COMPLETE);
    return turn;
}

/* Another answer to the same question. */
static struct turn *answer_again(struct history *h, struct turn *answer, const char *text)
{
    history_set_leaf(h, answer->parent);
    struct turn *turn = history_add(h, STORE_ASSISTANT, STORE_STREAMING, text, strlen(text));
    history_end(h, turn, STORE_COMPLETE);
    return turn;
}

/* The path as "q|a|q|a|". */
static const char *said(const struct history *h)
{
    static char text[512];
    text[0] = '\0';
    for (size_t i = 0; i < h->n_turns; i++) {
        strcat(text, str_get(&h->turns[i]->text[STORE_TEXT]));
        strcat(text, "|");
    }
    return text;
}

/* What another program finds. */
static void assert_stored(int64_t id, const char *expected)
{
    struct history other;
    char err[256];
    assert_int_equal(history_open(&other, path, NULL, err, sizeof err), 0);
    load(&other, id);
    assert_string_equal(said(&other), expected);
    history_close(&other);
}

static void assert_version(const struct turn *turn, size_t at, size_t of)
{
    size_t which;
    assert_int_equal(turn_versions(turn, &which), of);
    assert_int_equal(which, at);
}

static void versions_are_counted_and_walked(void **state)
{
    struct history h;
    (void)state;
    open_history(&h);
    struct turn *first = ask(&h, "q1", "a1");
    ask(&h, "q2", "a2");
    assert_version(first, 1, 1);
    struct turn *second = answer_again(&h, first, "b1");
    assert_string_equal(said(&h), "q1|b1|");
    assert_version(second, 2, 2);
    ask(&h, "q3", "a3");
    history_checkout(&h, first); /* on the way that it went from there */
    assert_string_equal(said(&h), "q1|a1|q2|a2|");
    assert_true(history_is_on_path(&h, first));
    assert_false(history_is_on_path(&h, second));
    history_checkout(&h, turn_version(first, 2));
    assert_string_equal(said(&h), "q1|b1|q3|a3|");
    assert_null(turn_version(first, 0));
    assert_null(turn_version(first, 3));

    history_set_leaf(&h, NULL); /* the very first question anew */
    struct turn *other = ask(&h, "Q1", "A1")->parent;
    assert_version(other, 2, 2);
    assert_string_equal(said(&h), "Q1|A1|");
    history_checkout(&h, turn_version(other, 1));
    assert_string_equal(said(&h), "q1|b1|q3|a3|");

    assert_int_equal(history_save(&h), 0);
    assert_string_equal(h.title, "q1");
    assert_stored(h.conversation, "q1|b1|q3|a3|");
    history_checkout(&h, first);
    assert_int_equal(history_due_ms(&h), 0);
    assert_int_equal(history_save(&h), 0);
    assert_stored(h.conversation, "q1|a1|q2|a2|");
    history_close(&h);
}

static void branches_are_there_after_a_restart(void **state)
{
    struct history h;
    (void)state;
    open_history(&h);
    struct turn *first = ask(&h, "q1", "a1");
    ask(&h, "q2", "a2");
    answer_again(&h, first, "b1");
    assert_int_equal(history_save(&h), 0);
    load(&h, h.conversation);
    assert_int_equal(history_due_ms(&h), -1);
    assert_string_equal(h.system, "be brief");
    assert_string_equal(said(&h), "q1|b1|");
    assert_version(h.turns[1], 2, 2);
    history_checkout(&h, turn_version(h.turns[1], 1));
    assert_string_equal(said(&h), "q1|a1|q2|a2|");
    ask(&h, "q3", "a3"); /* and it grows on from there */
    assert_int_equal(history_save(&h), 0);
    assert_stored(h.conversation, "q1|a1|q2|a2|q3|a3|");
    history_close(&h);
}

static void taking_back_and_bringing_back(void **state)
{
    struct history h;
    (void)state;
    open_history(&h);
    assert_false(history_undo(&h));
    assert_false(history_redo(&h));
    ask(&h, "q1", "a1");
    ask(&h, "q2", "a2");
    assert_int_equal(history_n_undone(&h), 0);
    assert_true(history_undo(&h));
    assert_string_equal(said(&h), "q1|a1|");
    assert_true(history_undo(&h));
    assert_string_equal(said(&h), "");
    assert_int_equal(history_n_undone(&h), 2);
    assert_false(history_undo(&h));
    assert_int_equal(history_save(&h), 0);
    assert_int_equal(history_due_ms(&h), -1);
    assert_stored(h.conversation, "");

    load(&h, h.conversation);
    assert_int_equal(history_n_undone(&h), 2);
    assert_true(history_redo(&h));
    assert_string_equal(said(&h), "q1|a1|");
    assert_true(history_redo(&h));
    assert_string_equal(said(&h), "q1|a1|q2|a2|");
    assert_false(history_redo(&h));
    assert_true(history_undo(&h));
    struct turn *turn = ask(&h, "other", "answer");
    assert_version(turn->parent, 2, 2); /* what was taken back is a version of it */
    assert_int_equal(history_save(&h), 0);
    assert_stored(h.conversation, "q1|a1|other|answer|");
    history_close(&h);
}

static void a_fork_is_a_copy(void **state)
{
    struct history h;
    (void)state;
    open_history(&h);
    struct turn *first = ask(&h, "q1", "a1");
    first->generated = true;
    first->generation = (struct store_generation){
        .model = turn_keep(first, "llama"), .settings = "{}", .seed = 7, .completion_tokens = 3};
    struct turn *again = answer_again(&h, first, "b1");
    again->state = STORE_STOPPED;
    ask(&h, "q2", "a2");
    assert_int_equal(history_save(&h), 0);
    int64_t original = h.conversation;
    history_checkout(&h, first);
    history_fork(&h, first);
    assert_string_equal(said(&h), "q1|a1|");
    assert_int_equal(h.conversation, 0);
    ask(&h, "elsewhere", "answer");
    assert_int_equal(history_save(&h), 0);
    assert_true(h.conversation > original);
    assert_string_equal(h.title, "q1 (fork)");
    assert_stored(original, "q1|b1|q2|a2|");
    assert_stored(h.conversation, "q1|a1|elsewhere|answer|");
    load(&h, h.conversation);
    assert_string_equal(h.system, "be brief");
    assert_string_equal(h.turns[1]->generation.model, "llama");
    assert_string_equal(h.turns[1]->generation.settings, "{}");
    assert_int_equal(h.turns[1]->generation.completion_tokens, 3);
    assert_false(h.turns[3]->generated);
    load(&h, original);
    assert_int_equal(h.turns[1]->state, STORE_STOPPED);
    history_close(&h);
}

static void the_window_follows_the_path(void **state)
{
    struct history h;
    (void)state;
    open_history(&h);
    ask(&h, "q1", "a1");
    struct turn *second = ask(&h, "q2", "a2")->parent;
    ask(&h, "q3", "a3");
    assert_int_equal(history_window(&h, h.n_turns), 0);
    assert_int_equal(history_save(&h), 0);
    history_set_window(&h, second);
    assert_int_equal(history_window(&h, h.n_turns), 2);
    assert_int_equal(history_window(&h, 2), 0); /* a branch above it is whole */
    assert_int_equal(history_due_ms(&h), 0);
    assert_int_equal(history_save(&h), 0);

    load(&h, h.conversation);
    assert_int_equal(history_window(&h, h.n_turns), 2);
    history_fork(&h, h.turns[5]);
    assert_int_equal(history_window(&h, h.n_turns), 2);
    assert_int_equal(history_save(&h), 0);
    load(&h, h.conversation);
    assert_int_equal(history_window(&h, h.n_turns), 2);
    history_set_window(&h, h.turns[4]);
    assert_int_equal(history_window(&h, h.n_turns), 4);
    history_set_window(&h, NULL);
    assert_int_equal(history_window(&h, h.n_turns), 0);
    assert_int_equal(history_save(&h), 0);
    load(&h, h.conversation);
    assert_int_equal(history_window(&h, h.n_turns), 0);
    history_close(&h);
}

static void two_instances_keep_each_others_branches(void **state)
{
    struct history a, b;
    (void)state;
    open_history(&a);
    open_history(&b);
    ask(&a, "q1", "a1");
    assert_int_equal(history_save(&a), 0);
    load(&b, a.conversation);
    ask(&a, "from a", "to a");
    ask(&b, "from b", "to b");
    assert_int_equal(history_save(&a), 0);
    assert_int_equal(history_save(&b), 0);
    assert_stored(a.conversation, "q1|a1|from b|to b|");

    assert_version(a.turns[2], 1, 1);
    assert_int_equal(history_refresh(&a), 0);
    assert_int_equal(history_refresh(&a), 0);
    assert_string_equal(said(&a), "q1|a1|from a|to a|");
    assert_version(a.turns[2], 1, 2);
    history_checkout(&a, turn_version(a.turns[2], 2));
    assert_string_equal(said(&a), "q1|a1|from b|to b|");
    ask(&a, "on b's branch", "yes");
    assert_int_equal(history_save(&a), 0);
    assert_int_equal(history_refresh(&b), 0);
    assert_string_equal(said(&b), "q1|a1|from b|to b|");
    assert_int_equal(history_n_undone(&b), 1);
    assert_true(history_redo(&b));
    assert_string_equal(said(&b), "q1|a1|from b|to b|on b's branch|yes|");
    history_close(&a);
    history_close(&b);
    assert_stored(1, "q1|a1|from b|to b|on b's branch|yes|");
}

/* As far as it is, and again when it is whole. */
static void an_answer_growing_elsewhere_is_followed(void **state)
{
    struct history a, b;
    (void)state;
    open_history(&a);
    open_history(&b);
    history_add(&a, STORE_USER, STORE_COMPLETE, "q", 1);
    struct turn *turn = history_add(&a, STORE_ASSISTANT, STORE_STREAMING, "half", 4);
    assert_int_equal(history_save(&a), 0);
    load(&b, a.conversation);
    assert_string_equal(said(&b), "q|half|");
    assert_int_equal(b.turns[1]->state, STORE_STREAMING);
    history_append(&a, turn, STORE_TEXT, " and half", 9);
    history_end(&a, turn, STORE_COMPLETE);
    assert_int_equal(history_save(&a), 0);
    assert_int_equal(history_refresh(&b), 0);
    assert_string_equal(said(&b), "q|half and half|");
    assert_int_equal(b.turns[1]->state, STORE_COMPLETE);
    history_set_leaf(&b, b.turns[0]);
    assert_int_equal(history_save(&b), 0);
    assert_stored(a.conversation, "q|");
    history_close(&a);
    history_close(&b);
}

static void branches_made_while_locked_are_saved_later(void **state)
{
    struct history h;
    sqlite3 *other;
    (void)state;
    open_history(&h);
    store_set_patience(h.store, 10);
    struct turn *first = ask(&h, "q1", "a1");
    assert_int_equal(history_save(&h), 0);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    answer_again(&h, first, "b1");
    ask(&h, "q2", "a2");
    assert_int_equal(history_save(&h), -1);
    history_checkout(&h, first);
    history_set_window(&h, first->parent);
    assert_int_equal(history_save(&h), -1);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_int_equal(history_save(&h), 0);
    assert_int_equal(history_due_ms(&h), -1);
    assert_stored(h.conversation, "q1|a1|");
    load(&h, h.conversation);
    assert_true(h.turns[0]->window_start);
    history_checkout(&h, turn_version(h.turns[1], 2));
    assert_string_equal(said(&h), "q1|b1|q2|a2|");
    history_close(&h);
}

int test_tree(void)
{
    const struct CMUnitTest tests[] = {
        TEST(versions_are_counted_and_walked),
        TEST(branches_are_there_after_a_restart),
        TEST(taking_back_and_bringing_back),
        TEST(a_fork_is_a_copy),
        TEST(the_window_follows_the_path),
        TEST(two_instances_keep_each_others_branches),
        TEST(branches_made_while_locked_are_saved_later),
        TEST(an_answer_growing_elsewhere_is_followed),
    };
    return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
