/* test_library.c - the stored conversations: their titles, the commands on them, the sidebar and
 * the search of the whole program, and what other programs do to the file meanwhile. */
#include "tests/app/tests.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "app/chat/library.h"
#include "app/chat/title.h"
#include "tests/app/talk.h"

static char db[PATH_MAX];

/* Titles */

static void titles_are_short_and_inert(void **state)
{
    static const struct {
        const char *question, *title;
    } rows[] = {
        {"What is 15% of 240?", "What is 15% of 240?"},
        {"Solve 3x + 5 = 20.", "Solve 3x + 5 = 20"},
        {"Take 3.5 and 2.25. Which one is the larger number of the two?", "Take 3.5 and 2.25"},
        {"Hi! I need help with fractions. Please.", "Hi! I need help with fractions"},
        {"Hello", "Hello"},
        {"  \n\n what\tis \r\n this?\n", "what is"},
        {"# Homework\n\nSolve it", "Homework"},
        {"```python\nprint(1)\n```", "print(1)"},
        {"> quoted\nmine", "quoted"},
        {"-5 + 3", "-5 + 3"},
        {"#include <stdio.h>", "#include <stdio.h>"},
        {"* one\n* two", "one"},
        {"**Prove** that 2 is prime", "Prove** that 2 is prime"},
        {"Please wait a bit... what?", "Please wait a bit..."},
        {"\u4eca\u5929\u661f\u671f\u51e0\u7684\u8ba1\u7b97\uff1f\u8bf7\u8bf4",
         "\u4eca\u5929\u661f\u671f\u51e0\u7684\u8ba1\u7b97\uff1f"},
        {"a\033[31mred\x07 thing", "a[31mred thing"},
        {"", ""},
        {"\n \n", ""},
        {"```\n```", "``` ```"},
        {"a question that is rather long, with many words that do not fit into a title of a list",
         "a question that is rather long, with many words that do not fit into a\u2026"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *title = title_make(rows[i].question, strlen(rows[i].question));
        assert_string_equal(title, rows[i].title);
        free(title);
    }
    char *title = title_clean(" two\n lines \033 ", 14);
    assert_string_equal(title, "two lines");
    free(title);
}

/* Commands */

static int place_new(void **state)
{
    static struct talk t;
    if (sandbox_new(state) != 0)
        return -1;
    sandbox_path("chat.db", db, sizeof db);
    talk_open(&t, db);
    *state = &t;
    return 0;
}

/* An exchange, saved. The conversation's number. */
static int64_t exchange(struct talk *p, const char *question, const char *answer)
{
    struct history *h = &p->chat.history;
    history_add(h, STORE_USER, STORE_COMPLETE, question, strlen(question));
    struct turn *turn = history_add(h, STORE_ASSISTANT, STORE_STREAMING, "", 0);
    history_append(h, turn, STORE_TEXT, answer, strlen(answer));
    history_end(h, turn, STORE_COMPLETE);
    assert_int_equal(history_save(h), 0);
    return h->conversation;
}

static void three_conversations(struct talk *p)
{
    exchange(p, "Apples and pears?", "red and green");
    history_new(&p->chat.history, "");
    exchange(p, "Plums?", "blue");
    history_new(&p->chat.history, "");
    exchange(p, "Pears alone?", "green");
}

static const char *list(struct talk *p, const char *words, bool archived)
{
    static char text[2000];
    struct str out = {0};
    assert_int_equal(library_add_list(&out, p->chat.history.store, words, archived), STORE_OK);
    snprintf(text, sizeof text, "%s", str_get(&out));
    str_done(&out);
    return text;
}

static void conversations_are_renamed(void **state)
{
    struct talk *p = *state;
    talk_says(p, "/rename Fruit", true, "nothing of this conversation is stored yet");
    three_conversations(p);
    talk_says(p, "/rename", true, "needs a title");
    talk_says(p, "/rename  Fruit \033 of all \n kinds ", false, "\u201cFruit of all kinds\u201d");
    assert_string_equal(p->chat.history.title, "Fruit of all kinds");
    assert_contains(list(p, "", false), "3  Fruit of all kinds  (");
    talk_says(p, "/rename \001", true, "cannot be empty");
    assert_contains(list(p, "fruit KINDS", false), "3  Fruit of all kinds");
    assert_string_equal(list(p, "cherries", false), "no title holds these words");
}

static void archived_ones_are_listed_apart(void **state)
{
    struct talk *p = *state;
    three_conversations(p);
    talk_says(p, "/archive 2", false, "\u201cPlums?\u201d is archived; /unarchive 2");
    assert_null(strstr(list(p, "", false), "Plums"));
    assert_contains(list(p, "", true), "2  Plums?");
    talk_says(p, "/unarchive plums", false, "listed again");
    assert_contains(list(p, "", false), "2  Plums?");
    talk_says(p, "/archive 99", true, "no conversation 99");
    talk_says(p, "/archive", false, "\u201cPears alone?\u201d is archived");
    assert_string_equal(p->chat.history.title, "Pears alone?"); /* it stays at hand */
}

static void a_deletion_can_be_undone(void **state)
{
    struct talk *p = *state;
    three_conversations(p);
    talk_says(p, "/undelete", true, "nothing was deleted");
    talk_says(p, "/delete nothing", true, "no conversation nothing");
    talk_says(p, "/delete Apples", false,
              "deleted \u201cApples and pears?\u201d; /undelete brings it back");
    assert_int_equal(p->chat.history.conversation, 3);
    talk_says(p, "/delete", false, "deleted \u201cPears alone?\u201d");
    assert_int_equal(p->chat.history.conversation, 0); /* it was at hand */
    assert_null(strstr(list(p, "", false), "ears"));
    talk_says(p, "/undelete", false, "brought back \u201cPears alone?\u201d");
    assert_int_equal(p->chat.history.conversation, 3); /* and is again */
    talk_says(p, "/undelete 1", false, "Apples");
    talk_says(p, "/undelete", true, "nothing was deleted");
    talk_says(p, "/undelete x", true, "not the number");
    talk_says(p, "/undelete 77", true, "there is none");
    assert_contains(list(p, "", false), "1  Apples");
}

/* The archived ones too. */
static void any_of_12000_can_be_found(void **state)
{
    struct talk *p = *state;
    struct store *s = p->chat.history.store;
    int64_t id;
    assert_int_equal(store_begin(s), STORE_OK);
    for (int i = 1; i <= 12000; i++) {
        char title[40];
        snprintf(title, sizeof title, "%s %d", i == 1 ? "first" : "one", i);
        assert_int_equal(store_conversation_create(s, title, "", &id), STORE_OK);
    }
    assert_int_equal(store_conversation_archive(s, 2, true), STORE_OK);
    assert_int_equal(store_commit(s), STORE_OK);
    assert_int_equal(library_find(p->chat.history.store, "1"), 1);
    assert_int_equal(library_find(p->chat.history.store, "first"), 1);
    assert_int_equal(library_find(p->chat.history.store, "2"), 2);
    assert_int_equal(library_find(p->chat.history.store, "One 12000"), 12000);
    assert_int_equal(library_find(p->chat.history.store, "one 3"), 3);
    assert_int_equal(library_find(p->chat.history.store, "one 99999"), 0);
    assert_contains(list(p, "", false), "and more: /list WORDS narrows");
}

static void the_numbers_of_a_list_line_up(void **state)
{
    struct talk *p = *state;
    int64_t id;
    for (int i = 1; i <= 10; i++)
        store_conversation_create(p->chat.history.store, "one", "", &id);
    const char *lines = list(p, "", false);
    assert_int_equal(strncmp(lines, "10  one  (", 10), 0);
    assert_contains(lines, "\n 9  one  (");
}

static void search_shows_where_words_were_found(void **state)
{
    struct talk *p = *state;
    struct str out = {0};
    three_conversations(p);
    assert_int_equal(library_add_hits(&out, p->chat.history.store, "green"), STORE_OK);
    assert_contains(out.data, "Pears alone?  (answer, ");
    assert_contains(out.data, "    red and [green]\n");
    assert_contains(out.data, "/switch NUMBER goes there");
    str_clear(&out);
    assert_int_equal(library_add_hits(&out, p->chat.history.store, "violet"), STORE_OK);
    assert_string_equal(out.data, "nothing found");
    str_done(&out);
}

/* The file is not what it was */

static void a_purged_conversation_is_stored_anew(void **state)
{
    struct talk *p = *state;
    struct history *h = &p->chat.history;
    exchange(p, "Apples?", "red");
    assert_int_equal(store_conversation_delete(h->store, 1), STORE_OK);
    assert_int_equal(store_purge(h->store), STORE_OK);
    history_detach(h);
    exchange(p, "And plums?", "blue");
    assert_int_equal(h->conversation, 2);
    assert_int_equal(h->n_turns, 4);
    char err[256];
    assert_int_equal(history_load(h, 2, err, sizeof err), 0);
    assert_int_equal(h->n_turns, 4);
    assert_string_equal(str_get(&h->turns[1]->text[STORE_TEXT]), "red");
}

static void a_moved_file_is_begun_anew(void **state)
{
    struct talk *p = *state;
    char moved[PATH_MAX + 8];
    exchange(p, "Apples?", "red");
    talk_says(p, "/reopen", true, "is where it was");
    snprintf(moved, sizeof moved, "%s.away", db);
    assert_int_equal(rename(db, moved), 0);
    assert_true(store_moved(p->chat.history.store));
    talk_says(p, "/reopen", false, "a new history file was begun");
    assert_int_equal(history_save(&p->chat.history), 0);
    assert_contains(list(p, "", false), "1  Apples?");
    assert_int_equal(access(db, F_OK), 0);
}

/* The whole program */

static struct term *start(void)
{
    struct term *t = term_start(24, 80, "-m", some_model(), "-n", "5", "--temp", "0", NULL);
    term_expect(t, "Ctrl");
    return t;
}

/* Conversations behind the program's back, in the usual place. */
static struct store *shared_store(void)
{
    struct store *s;
    char err[256];
    sandbox_path(".local/share/duet/chat.db", db, sizeof db);
    assert_int_equal(store_open(&s, db, err, sizeof err), STORE_OK);
    return s;
}

static int64_t add(struct store *s, const char *title, const char *question, const char *thought,
                   const char *answer)
{
    struct store_draft draft = {.parent = STORE_LEAF, .role = STORE_USER};
    int64_t id;
    assert_int_equal(store_conversation_create(s, title, "", &draft.conversation), STORE_OK);
    assert_int_equal(store_message_add(s, &draft, question, strlen(question), &id), STORE_OK);
    draft.role = STORE_ASSISTANT;
    assert_int_equal(store_message_begin(s, &draft, &id), STORE_OK);
    store_message_append(s, id, STORE_REASONING, thought, strlen(thought));
    store_message_append(s, id, STORE_TEXT, answer, strlen(answer));
    assert_int_equal(store_message_end(s, id, STORE_COMPLETE, NULL), STORE_OK);
    return draft.conversation;
}

static void search_goes_to_the_hit_on_the_screen(void **state)
{
    struct store *s = shared_store();
    (void)state;
    add(s, "Fruit", "What is red?", "The user wants an apple of a rare kind.", "Cherries are.");
    add(s, "Roots", "What is orange?", "Easy.", "A carrot is orange.");
    store_close(s);
    struct term *t = start();
    term_type(t, "\006");
    term_expect(t, "Finds words");
    term_type(t, "apple");
    term_expect(t, "1 found");
    term_expect(t, "reasoning \u00b7 "); /* it was found there */
    term_type(t, "\r");
    term_expect(t, "Tab writes"); /* in the transcript */
    term_lacks(t, "1 found");
    term_shows(t, "wants an apple of a rare"); /* unfolded, at the hit */
    term_type(t, "\t/search carrot is\r");
    term_expect(t, "A carrot is orange.");
    term_type(t, "\r");
    term_expect(t, "Tab writes");
    term_expect(t, "What is orange?");
    term_type(t, "\t\004");
    assert_int_equal(term_end(t), 0);
    term_free(t);
}

static void the_sidebar_renames_deletes_and_follows(void **state)
{
    struct store *s = shared_store();
    (void)state;
    add(s, "Fruit", "What is red?", "", "Cherries are.");
    add(s, "Roots", "What is orange?", "", "A carrot is.");
    struct term *t = start();
    term_type(t, "\033OQ");
    term_expect(t, "Fruit");
    term_type(t, "\033[B\033r\025Berries\r");
    term_expect(t, "Berries");
    term_type(t, "\033[3~");
    term_expect(t, "restores Berries");
    term_type(t, "\033u");
    term_expect_gone(t, "restores");
    term_shows(t, "Berries");
    add(s, "Leaves", "What is green?", "", "A leaf."); /* by another instance */
    term_expect(t, "Leaves");
    store_close(s);
    term_type(t, "leav\r");
    term_expect(t, "What is green?");
    term_leave(t);
}

static void what_is_deleted_elsewhere_comes_back_when_asked_on(void **state)
{
    struct store *s = shared_store();
    (void)state;
    int64_t id = add(s, "Fruit", "What is red?", "", "Cherries are.");
    struct term *t = term_start(24, 80, "-c", "-m", some_model(), "-n", "5", "--temp", "0", NULL);
    term_expect(t, "Cherries are.");
    assert_int_equal(store_conversation_delete(s, id), STORE_OK);
    term_expect(t, "deleted in another window");
    term_type(t, "and blue?\r");
    term_expect(t, "5 tokens");
    term_leave(t);
    struct store_messages *path;
    assert_int_equal(store_message_path(s, id, &path), STORE_OK);
    assert_int_equal(path->count, 4);
    store_messages_free(path);
    store_close(s);
}

static void a_file_moved_away_is_said_and_begun_anew(void **state)
{
    char moved[PATH_MAX + 8];
    (void)state;
    store_close(shared_store());
    struct term *t = start();
    term_type(t, "hello\r");
    term_expect(t, "5 tokens");
    snprintf(moved, sizeof moved, "%s.away", db);
    assert_int_equal(rename(db, moved), 0);
    term_expect(t, "the history file was moved");
    term_type(t, "/reopen\r");
    term_expect(t, "a new history file was begun");
    term_leave(t);
    struct store *s = shared_store();
    struct store_messages *path;
    assert_int_equal(store_message_path(s, 1, &path), STORE_OK);
    assert_string_equal(path->items[0].text[STORE_TEXT], "hello");
    store_messages_free(path);
    store_close(s);
}

/* What was to be listed comes once it is free. */
static void a_held_file_does_not_hold_the_keys(void **state)
{
    struct store *s = shared_store();
    sqlite3 *other;
    (void)state;
    add(s, "Fruit", "What is red?", "", "Cherries are.");
    store_close(s);
    struct term *t = start();
    assert_int_equal(sqlite3_open(db, &other), SQLITE_OK);
    sqlite3_busy_timeout(other, 10000); /* the program may be reading just now */
    assert_int_equal(sqlite3_exec(other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    term_type(t, "\033OQ");
    term_expect(t, "Conversations");
    term_type(t, "\006cherr");
    term_expect(t, "cherr");
    term_type(t, "ies");
    term_expect(t, "cherries");
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    term_expect(t, "1 found");
    term_type(t, "\033");
    term_expect_gone(t, "1 found");
    term_shows(t, "Fruit"); /* in the list */
    term_free(t);
}

/* It is refused before, and keeps every byte. */
static void recover_takes_a_damaged_file_out_of_the_way(void **state)
{
    struct store *s = shared_store();
    struct run r;
    (void)state;
    for (int i = 0; i < 50; i++)
        add(s, "Fruit", "What is red?", "", "Cherries are.");
    store_close(s);
    FILE *file = fopen(db, "r+b");
    for (long page = 1; page < 200; page += 2) { /* every other one is blank */
        static const char blank[4096];
        if (fseek(file, page * 4096, SEEK_SET) == 0 && page < 8)
            fwrite(blank, 1, sizeof blank, file);
    }
    fclose(file);
    run_duet(&r, NULL, 0, "log", NULL);
    assert_int_equal(r.status, 4);
    assert_error_line(&r);
    assert_contains(r.err, "duet --recover saves what can be read");
    run_done(&r);
    run_duet(&r, NULL, 0, "--recover", NULL);
    assert_int_equal(r.status, 0);
    assert_contains(r.out, "chat.db.damaged");
    run_done(&r);
    run_duet(&r, NULL, 0, "log", NULL);
    assert_int_equal(r.status, 0);
    run_done(&r);
    run_duet(&r, NULL, 0, "--recover", "--db", "/nonexistent/x.db", NULL);
    assert_int_equal(r.status, 4);
    assert_error_line(&r);
    run_done(&r);
}

static void a_list_that_cannot_be_read_is_not_empty(void **state)
{
    struct store *s = shared_store();
    struct run r;
    (void)state;
    add(s, "Fruit", "What is red?", "", "Cherries are.");
    store_close(s);
    run_duet(&r, NULL, 0, "--recover", NULL);
    assert_contains(r.out, "1 conversation, 2 messages; all could be read");
    run_done(&r);
    FILE *file = fopen(db, "r+b");
    for (int i = 0; i < 8192; i++)
        assert_true(fseek(file, 3 * 4096 + i, SEEK_SET) == 0 && fputc('x', file) == 'x');
    fclose(file);
    struct term *t = start();
    term_type(t, "\033OQ");
    term_expect(t, "cannot be listed");
    term_expect(t, "--recover");
    term_free(t);
}

/* Another program has the file until it commits. */
static struct term *say_hello_to_a_held_file(sqlite3 **other)
{
    store_close(shared_store());
    struct term *t = start();
    assert_int_equal(sqlite3_open(db, other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(*other, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    term_type(t, "hello\r");
    term_expect(t, "not saved: another program");
    return t;
}

static void what_is_said_while_the_file_is_held_is_saved_later(void **state)
{
    sqlite3 *other;
    (void)state;
    struct term *t = say_hello_to_a_held_file(&other);
    term_type(t, "\004");
    term_expect(t, "the conversation would be lost (/export writes a file); repeat to quit anyway");
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    term_expect(t, "\u25cf saved");
    term_leave(t);
    sqlite3_close(other);
    struct store *s = shared_store();
    struct store_messages *path;
    assert_int_equal(store_message_path(s, 1, &path), STORE_OK);
    assert_int_equal(path->count, 2);
    assert_string_equal(path->items[0].text[STORE_TEXT], "hello");
    store_messages_free(path);
    store_close(s);
}

static void what_can_be_saved_by_now_needs_no_warning(void **state)
{
    sqlite3 *other;
    (void)state;
    struct term *t = say_hello_to_a_held_file(&other);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    term_leave(t); /* before it is tried again */
}

static void line_mode_has_the_library_too(void **state)
{
    struct store *s = shared_store();
    (void)state;
    add(s, "Fruit", "What is red?", "Not the apple.", "Cherries are.");
    add(s, "Roots", "What is orange?", "", "A carrot is.");
    store_close(s);
    struct term *t = term_start(24, 80, "--plain", "-m", some_model(), NULL);
    term_expect(t, "Ctrl-D leaves");
    term_type(t, "/search apple\r");
    term_expect(t, "Not the [apple].");
    term_type(t, "/list roo\r");
    term_expect(t, "2  Roots");
    term_type(t, "/switch 2\r");
    term_expect(t, "A carrot is.");
    term_type(t, "/rename Carrots\r");
    term_expect(t, "now called \u201cCarrots\u201d");
    term_type(t, "/archive\r");
    term_expect(t, "is archived");
    term_type(t, "/list archived\r");
    term_expect(t, "2  Carrots");
    term_type(t, "/delete fruit\r");
    term_expect(t, "deleted \u201cFruit\u201d");
    term_type(t, "/list\r");
    term_expect(t, "no conversations yet");
    term_type(t, "/undelete\r");
    term_expect(t, "brought back \u201cFruit\u201d");
    term_leave(t);
}

int test_library(void)
{
#define PLACE(f) cmocka_unit_test_setup_teardown(f, place_new, talk_done)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(titles_are_short_and_inert),
        PLACE(conversations_are_renamed),
        PLACE(archived_ones_are_listed_apart),
        PLACE(a_deletion_can_be_undone),
        PLACE(any_of_12000_can_be_found),
        PLACE(the_numbers_of_a_list_line_up),
        PLACE(search_shows_where_words_were_found),
        PLACE(a_purged_conversation_is_stored_anew),
        PLACE(a_moved_file_is_begun_anew),
        TEST(search_goes_to_the_hit_on_the_screen),
        TEST(the_sidebar_renames_deletes_and_follows),
        TEST(what_is_deleted_elsewhere_comes_back_when_asked_on),
        TEST(a_file_moved_away_is_said_and_begun_anew),
        TEST(a_held_file_does_not_hold_the_keys),
        TEST(line_mode_has_the_library_too),
        TEST(recover_takes_a_damaged_file_out_of_the_way),
        TEST(what_is_said_while_the_file_is_held_is_saved_later),
        TEST(what_can_be_saved_by_now_needs_no_warning),
        TEST(a_list_that_cannot_be_read_is_not_empty),
    };
#undef PLACE
    return cmocka_run_group_tests_name("library", tests, NULL, NULL);
}
