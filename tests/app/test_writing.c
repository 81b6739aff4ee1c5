/* test_writing.c - the question that is being written: files put into it, its count, a draft that
 * outlives a crash, completion of what commands take. */
#include "tests/app/tests.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/chat/chat.h"
#include "app/chat/count.h"
#include "app/chat/draft.h"

static struct term *start(const char *option)
{
    struct term *t = term_start(24, 80, "-m", some_model(), "--temp", "0", "-n", "20", option,
                                NULL);
    term_expect(t, "F2 conversations");
    return t;
}

static void leave(struct term *t)
{
    term_type(t, "\003\003\003");
    term_end(t);
    term_free(t);
}

static bool draft_is_kept(void)
{
    char path[512];
    sandbox_path(".local/state/duet/draft-0", path, sizeof path);
    struct stat st;
    if (stat(path, &st) != 0)
        return false;
    assert_int_equal(st.st_mode & 0777, 0600);
    return st.st_size > 0;
}

/* Drafts */

static void a_draft_survives_a_kill(void **state)
{
    static const int signals[] = {SIGKILL, SIGHUP};
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct term *t = start(NULL);
        term_type(t, "half a thought");
        term_expect(t, "half a thought");
        for (int k = 0; k < 100 && signals[i] == SIGKILL && !draft_is_kept(); k++)
            term_read(t, 100);
        term_signal(t, signals[i]);
        term_end(t);
        term_free(t);
        t = start(NULL);
        term_expect(t, "half a thought");
        term_expect(t, "draft restored");
        term_type(t, "\r");
        term_expect(t, "demo model");
        for (int k = 0; k < 100 && draft_is_kept(); k++)
            term_read(t, 100);
        assert_false(draft_is_kept());
        leave(t);
    }
}

static void no_log_keeps_no_draft(void **state)
{
    (void)state;
    struct term *t = start("--no-log");
    term_type(t, "a secret");
    term_expect(t, "a secret");
    term_signal(t, SIGHUP);
    term_end(t);
    term_free(t);
    assert_false(draft_is_kept());
}

static void a_draft_that_cannot_be_read_is_kept(void **state)
{
    char folder[4096], path[5000];
    struct draft draft;
    struct str left = {0};
    (void)state;
    sandbox_path("drafts", folder, sizeof folder);
    snprintf(path, sizeof path, "%s/draft-0", folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(close(open(path, O_WRONLY | O_CREAT, 0600)), 0);
    assert_int_equal(truncate(path, (off_t)1 << 30), 0);
    draft_open(&draft, folder, &left);
    assert_int_equal(left.len, 0);
    assert_true(draft_save(&draft, "another", 7));
    draft_close(&draft);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, (off_t)1 << 30);
    draft_open(&draft, folder, &left);
    assert_string_equal(str_get(&left), "another");
    draft_close(&draft);
    str_done(&left);
}

/* What one left is found by the next. */
static void two_instances_have_a_draft_each(void **state)
{
    char folder[512];
    struct draft one, two;
    struct str left = {0};
    (void)state;
    sandbox_path("a/b", folder, sizeof folder);
    draft_open(&one, folder, &left);
    draft_open(&two, folder, &left);
    assert_int_equal(left.len, 0);
    assert_string_not_equal(one.path, two.path);
    assert_true(draft_due(&one, 1, true, 0));
    assert_true(draft_save(&one, "first", 5));
    assert_false(draft_due(&two, 1, false, 0));
    assert_int_equal(draft_timeout_ms(&two, 0), DRAFT_MS);
    assert_true(draft_due(&two, 2, false, DRAFT_MS));
    assert_true(draft_save(&two, "second\xff", 7));
    close(two.fd); /* as a crash does */
    free(two.path);
    draft_open(&two, folder, &left);
    assert_string_equal(left.data, "second\xef\xbf\xbd");
    assert_true(draft_save(&two, "", 0));
    draft_close(&two);
    draft_close(&one);
    str_done(&left);
    draft_open(&one, folder, &left);
    assert_string_equal(left.data, "first");
    str_done(&left);
    draft_close(&one);
}

/* Files */

static void read_puts_a_file_into_the_question(void **state)
{
    char line[600], path[512];
    (void)state;
    sandbox_write("two words.txt", "alpha\nbeta\n");
    struct term *t = start(NULL);
    term_type(t, "/read ~/two words.txt\r");
    term_expect(t, "[two words.txt: 2 lines, 11 bytes]");
    term_type(t, "what is it?\r");
    term_expect(t, "beta"); /* sent whole */
    leave(t);

    sandbox_path("pipe", path, sizeof path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(system("printf 'ab\\0c' >$HOME/binary"), 0);
    sandbox_write("latin", "caf\xe9\n");
    sandbox_write("empty", "");
    t = start(NULL);
    const char *const rows[][2] = {
        {"pipe", "not a regular file"},
        {"binary", "binary input at byte 2"},
        {"empty", "is empty"},
        {"absent", "No such file"},
        {"", "is a folder"},
        {"latin", "not UTF-8 at 1 place"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(line, sizeof line, "/read ~/%s\r", rows[i][0]);
        term_type(t, line);
        term_expect(t, rows[i][1]);
    }
    term_expect(t, "[latin: 1 line, 7 bytes]");
    leave(t);
}

static void line_mode_reads_files_too(void **state)
{
    (void)state;
    sandbox_write("notes", "alpha\nbeta\n");
    struct term *t = term_start(24, 80, "--plain", "-m", some_model(), "--temp", "0", "-n", "20",
                                NULL);
    term_expect(t, "\n> ");
    term_type(t, "/read ~/no\t\r");
    term_expect(t, "goes with the next question");
    term_type(t, "well?\r");
    term_expect(t, " 20 tokens");
    term_type(t, "/switch 1\r");
    term_expect(t, "you: alpha");
    term_type(t, "/mod\t\t\t\t");
    term_expect(t, "demo-deepseek");
    term_type(t, "\003");
    term_expect(t, "\n> ");
    term_leave(t);
}

/* Completion */

static void arguments_of_commands_are_completed(void **state)
{
    (void)state;
    struct term *t = start(NULL);
    term_type(t, "/model ");
    term_expect(t, "demo-deepseek");
    term_type(t, "demo-l\t");
    term_expect(t, "/model demo-llama");
    term_type(t, "\003/set top_");
    term_expect(t, "top_k");
    term_expect(t, "top_p");
    term_type(t, "\003/export ");
    term_expect(t, "html");
    leave(t);
}

/* Counting */

static void counting_in_pieces_is_exact(void **state)
{
    static const char *const words[] = {"word ",   "\n",     "\n\nNew ",   "12345 ",
                                        "it's ",   "  two ", "caf\u00e9 ", "你好",
                                        "x = y; ", "\t",     "...\n",      "\u00a0\n"};
    (void)state;
    for (int m = 0; m < 2; m++) {
        struct options options;
        struct paths paths;
        struct chat chat;
        struct count count = {0};
        struct str text = {0};
        char err[256];
        unsigned seed = 3;
        options_init(&options);
        options.no_log = true;
        options.model = m ? thinking_model() : some_model();
        paths_init(&paths);
        chat_init(&chat, &options, &paths);
        assert_int_equal(chat_open_history(&chat, err, sizeof err), 0);
        assert_int_equal(chat_use(&chat, NULL, err, sizeof err), 0);
        while (text.len < 200000)
            str_adds(&text, words[(unsigned)rand_r(&seed) % 12]);
        for (int i = 0; i < 4; i++) {
            int turns = 1;
            count_set(&count, &chat, text.data, text.len);
            while (count_step(&count, &chat))
                turns++;
            assert_int_equal(count_tokens(&count), chat_count_tokens(&chat, text.data, text.len));
            assert_true(i == 0 || i == 3 ? turns > 5 : turns < 3); /* the end alone was changed */
            str_adds(&text, "more");
            if (i == 2)
                text.data[10] = '#';
        }
        count_done(&count);
        str_done(&text);
        chat_done(&chat);
        paths_done(&paths);
    }
}

static void a_command_is_not_counted(void **state)
{
    (void)state;
    struct term *t = start(NULL);
    term_type(t, "words");
    term_expect(t, "draft ");
    term_type(t, "\025/model");
    term_expect(t, "switch the model");
    term_expect_gone(t, "draft ");
    term_type(t, "\025//etc"); /* this is one that begins with a slash */
    term_expect(t, "draft ");
    leave(t);
}

static void a_refusal_keeps_the_draft(void **state)
{
    (void)state;
    struct term *t = term_start(24, 80, "-m", small_model(), NULL);
    term_expect(t, "tokens (");
    term_type(t, "\033[200~1 + 1\n2 + 2\n3 + 3\n4 + 4\n5 + 5\n6 + 6\n7 + 7\n8 + 8\n9 + 9\n10 + 10\n"
                 "11 + 11\n12 + 12\n13 + 13\n14 + 14\n15 + 15\n16 + 16\n17 + 17\n\033[201~");
    term_expect(t, "[paste 1: 17 lines");
    term_expect(t, "139 / 96 tokens"); /* as much as it is when it is sent */
    term_type(t, "\r");
    term_expect(t, "prompt: 139 tokens do not fit (limit 95)");
    term_shows(t, "[paste 1: 17 lines");
    leave(t);
}

/* As a shell would run it, options and quotes included. */
static void the_editor_gets_the_draft(void **state)
{
    (void)state;
    setenv("EDITOR", "sh -c 'printf \"%s and more\" \"$(cat \"$0\")\" >\"$0\"'", 1);
    struct term *t = term_start(24, 80, "-m", "demo-llama", NULL);
    term_expect(t, "Ask anything");
    term_type(t, "some words");
    term_expect(t, "some words");
    term_type(t, "\007");
    term_expect(t, "some words and more");
    term_type(t, "\025\004");
    term_end(t);
    term_free(t);
    setenv("VISUAL", "no-such-editor --wait", 1);
    t = term_start(24, 80, "-m", "demo-llama", NULL);
    term_expect(t, "Ask anything");
    term_type(t, "kept\007");
    term_expect(t, "editor: no-such-editor --wait: not found; $VISUAL or $EDITOR names another");
    term_expect(t, "\u203a kept");
    term_type(t, "\025\004");
    term_end(t);
    term_free(t);
    unsetenv("VISUAL");
    unsetenv("EDITOR");
}

int test_writing(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_draft_survives_a_kill),
        TEST(the_editor_gets_the_draft),
        TEST(no_log_keeps_no_draft),
        TEST(two_instances_have_a_draft_each),
        TEST(a_draft_that_cannot_be_read_is_kept),
        TEST(read_puts_a_file_into_the_question),
        TEST(line_mode_reads_files_too),
        TEST(arguments_of_commands_are_completed),
        TEST(counting_in_pieces_is_exact),
        TEST(a_command_is_not_counted),
        TEST(a_refusal_keeps_the_draft),
    };
    return cmocka_run_group_tests_name("writing", tests, NULL, NULL);
}
