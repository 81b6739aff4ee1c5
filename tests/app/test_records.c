/* test_records.c - the history from the shell: log, search, export, import, rm. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>
#include <sqlite3.h>

static void shell(struct run *r, const char *line, int status)
{
    run_shell(r, line);
    if (r->status != status)
        fail_msg("%s: exit %d, not %d: %s%s", line, r->status, status, r->out, r->err);
}

/* The output of a line of the shell; the caller's. */
static char *output(const char *line)
{
    struct run r;
    shell(&r, line, 0);
    assert_string_equal(r.err, "");
    free(r.err);
    return r.out;
}

static void assert_output(const char *line, const char *expected)
{
    char *out = output(line);
    assert_string_equal(out, expected);
    free(out);
}

/* Two conversations: a sum, and one with hostile words in it. */
static int records_new(void **state)
{
    if (sandbox_new(state) != 0)
        return -1;
    free(output("$DUET -q -m demo-deepseek --temp 0 -R '17 + 25'"));
    free(output("$DUET -q -m demo-llama --temp 0 -n 4 "
                "\"$(printf '<b>a</b> & \\033[2J \\342\\200\\256 ```\\n\\n```c\\nint x;')\""));
    return 0;
}

static void without_a_history_nothing_is_made(void **state)
{
    struct run r;
    (void)state;
    assert_output("$DUET log; find $HOME -name '*.db'", "");
    shell(&r, "$DUET search x", 1);
    run_done(&r);
    shell(&r, "$DUET export 1", 2);
    assert_string_equal(r.err, "duet: no conversation 1\n");
    run_done(&r);
    shell(&r, "$DUET log -c", 2);
    assert_string_equal(r.err, "duet: no conversation yet\n");
    run_done(&r);
    const char *const verbs[] = {"log", "search x", "export 1", "rm 1 -y"};
    for (size_t i = 0; i < 4; i++) {
        char line[128];
        snprintf(line, sizeof line, "cd $HOME; $DUET --db typo.db %s", verbs[i]);
        shell(&r, line, i == 1 ? 2 : 4); /* search has statuses of its own */
        assert_string_equal(r.err, "duet: typo.db: no such history\n");
        run_done(&r);
        assert_output("find $HOME -name '*.db'", "");
    }
    shell(&r, "echo no database >$HOME/d; $DUET log --db $HOME/d", 4);
    assert_error_line(&r);
    run_done(&r);
}

/* The last conversation, and one by its title, need no look at the list first. */
static void one_is_named_as_it_is_continued(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        char line[128];
        snprintf(line, sizeof line, "$DUET %s 2 >$HOME/2; $DUET %s -c | cmp - $HOME/2; echo $?",
                 i ? "export" : "log", i ? "export" : "log");
        assert_output(line, "0\n");
        snprintf(line, sizeof line, "$DUET %s 1 >$HOME/1; $DUET %s '17 +' | cmp - $HOME/1; echo $?",
                 i ? "export" : "log", i ? "export" : "log");
        assert_output(line, "0\n");
    }
    struct run r;
    shell(&r, "$DUET log -c 1", 2);
    assert_error_line(&r);
    run_done(&r);
}

static void log_lists_and_shows(void **state)
{
    (void)state;
    assert_output("$DUET log -q", "2\n1\n");
    assert_output("$DUET log -q -n 1", "2\n");
    char *out = output("$DUET log; $DUET log --json; $DUET log 1; $DUET log 1 --json");
    assert_contains(out, "     1  ");
    assert_contains(out, "  17 + 25\n");
    assert_contains(out, "{\"id\": 1, \"title\": \"17 + 25\", ");
    assert_contains(out, "## You\n\n17 + 25\n");
    assert_contains(out, "> 17 + 25 = 42\n");
    assert_contains(out, "\\boxed{42}\n");
    assert_contains(out, "\"role\": \"assistant\", \"state\": \"complete\"");
    free(out);
}

/* n more copies of the first conversation. */
static void import_copies(int n)
{
    char line[200];
    snprintf(line, sizeof line,
             "X=$($DUET export 1 --format json); for i in $(seq %d); do echo \"$X\"; done | "
             "$DUET import - | wc -l",
             n);
    free(output(line));
}

/* What the limit that nobody asked for leaves out is not left out silently. */
static void a_listing_that_stops_says_so(void **state)
{
    static const char note[] = "duet: there are more; -n N prints up to N\n";
    struct run r;
    (void)state;
    import_copies(18);
    free(output("$DUET log; $DUET search carry"));
    import_copies(2);
    shell(&r, "$DUET log | wc -l", 0);
    assert_string_equal(r.out, "20\n");
    assert_string_equal(r.err, note);
    run_done(&r);
    shell(&r, "$DUET search carry | wc -l", 0);
    assert_string_equal(r.out, "20\n");
    assert_string_equal(r.err, note);
    run_done(&r);
    free(output("$DUET log -n 3; $DUET log -q; $DUET search carry -n 3"));
}

static void search_finds_and_says_where(void **state)
{
    struct run r;
    (void)state;
    assert_output("$DUET search boxed", "1:answer:17 + 25 = 42.  \\boxed{42}\n");
    assert_output("$DUET search carry --in reasoning -q 2>/dev/null || echo $?", "2\n");
    char *out = output("$DUET search carry --in reasoning; $DUET search --json 'carry 1'");
    assert_contains(out, "1:reasoning:");
    assert_contains(out, "\"conversation\": 1, \"message\": 2, \"kind\": \"reasoning\"");
    free(out);
    out = output("$DUET search --help; $DUET log --help");
    assert_contains(out,
                    "--json               a JSON object a line"); /* as above, not one in all */
    assert_contains(out, "of log numbers");
    free(out);
    shell(&r, "$DUET search carry --in question,answer", 1);
    assert_string_equal(r.out, "");
    assert_string_equal(r.err, "");
    run_done(&r);
    shell(&r, "$DUET search x --in question,nowhere", 2);
    assert_string_equal(r.err, "duet: --in: unknown value (got nowhere, limit question answer "
                               "reasoning)\n");
    run_done(&r);
    shell(&r, "$DUET search", 2);
    run_done(&r);
    assert_output("CLICOLOR_FORCE=1 $DUET search boxed",
                  "1:answer:17 + 25 = 42.  \\\033[1;31mboxed\033[0m{42}\n");
    shell(&r, "$DUET search boxed >/dev/full", 2);
    assert_error_line(&r);
    run_done(&r);
}

/* No text can be a tag, or leave a code block open behind it. */
static void exports_are_inert(void **state)
{
    (void)state;
    char *out = output("$DUET export 2 --format html");
    assert_contains(out, "&lt;b&gt;a&lt;/b&gt; &amp; \\x1b[2J");
    assert_null(strstr(out, "<b>"));
    assert_null(strchr(out, '\033'));
    free(out);
    out = output("$DUET export 2");
    assert_contains(out, "int x;\n```\n\n## demo-llama\n");
    free(out);
    out = output("$DUET export 1 2 --format jsonl | wc -l");
    assert_int_equal(atoi(out), 4);
    free(out);
}

/* But the ids. */
static void export_and_import_lose_nothing(void **state)
{
    static const char same[] =
        "norm() { grep -vE '\"(id|parent|leaf)\":' $1; }; $DUET export 1 --format json >$HOME/a; "
        "I=$($DUET import $HOME/a); $DUET export $I --format json >$HOME/b; "
        "diff <(norm $HOME/a) <(norm $HOME/b) && echo same";
    (void)state;
    assert_output(same, "same\n");
    assert_output("$DUET export 1 2 --format json | $DUET import - | wc -l", "2\n");
}

/* With branches, empty nodes, thoughts, and parts that are no text. */
static void chatgpts_exports_are_read(void **state)
{
    static const char file[] =
        "[{\"title\": \"Sums\", \"current_node\": \"d\", \"mapping\": {"
        "\"root\": {\"message\": null, \"parent\": null, \"children\": [\"s\"]},"
        "\"s\": {\"message\": {\"author\": {\"role\": \"system\"}, \"content\": {\"parts\": "
        "[\"\"]}}, \"parent\": \"root\", \"children\": [\"a\"]},"
        "\"a\": {\"message\": {\"author\": {\"role\": \"user\"}, \"create_time\": 1700000000.5,"
        " \"content\": {\"parts\": [\"1 + 1\", {\"asset\": 1}]}}, \"parent\": \"s\","
        " \"children\": [\"t\", \"c\"]},"
        "\"t\": {\"message\": {\"author\": {\"role\": \"assistant\"}, \"content\":"
        " {\"thoughts\": [{\"content\": \"one and one\"}]}}, \"parent\": \"a\", \"children\": "
        "[\"d\"]},\"d\": {\"message\": {\"author\": {\"role\": \"assistant\"}, \"metadata\":"
        " {\"model_slug\": \"gpt-9\"}, \"content\": {\"parts\": [\"It is 2.\"]}}, \"parent\": "
        "\"t\", \"children\": []},"
        "\"c\": {\"message\": {\"author\": {\"role\": \"assistant\"}, \"content\":"
        " {\"parts\": [\"Three?\"]}}, \"parent\": \"a\", \"children\": []}}}]";
    char line[4096];
    (void)state;
    snprintf(line, sizeof line, "cat >$HOME/in <<'END'\n%s\nEND\n$DUET import $HOME/in", file);
    assert_output(line, "1\n");
    char *out = output("$DUET log 1; $DUET export 1 --format json");
    assert_contains(out, "# Sums\n");
    assert_contains(out, "1 + 1\n\n[attachment]\n");
    assert_contains(out, "## gpt-9\n\n> one and one\n\nIt is 2.\n");
    assert_contains(out, "\"content\": \"Three?\"");
    free(out);
}

static void bad_imports_are_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"", "nothing in it"},
        {"{", "not JSON"},
        {"{}", "conversation 1: neither duet's JSON nor ChatGPT's export"},
        {"[1]", "conversation 1: neither"},
        {"{\"messages\": [1]}", "number 1: role: unknown"},
        {"{\"messages\": [{\"id\": 1, \"role\": \"user\"}]}", "content: no text"},
        {"{\"messages\": [{\"id\": 1, \"parent\": 5, \"role\": \"user\", \"content\": \"\"}]}",
         "parent: not one of the messages before"},
        {"{\"mapping\": {\"a\": {\"parent\": null, \"children\": [\"a\"]}}}", "a: reached twice"},
        {"{\"mapping\": {\"a\": {\"parent\": null, \"children\": [\"b\"]}}}", "b: missing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run r;
        setenv("TEXT", rows[i].text, 1);
        shell(&r, "printf %s \"$TEXT\" | $DUET import -", 2);
        assert_error_line(&r);
        assert_contains(r.err, rows[i].why);
        run_done(&r);
    }
    assert_output("$DUET log", ""); /* none came half */
}

static void rm_leaves_no_trace(void **state)
{
    struct run r;
    (void)state;
    assert_output(
        "$DUET rm 1; $DUET log -q; grep -c 'write 2, carry 1' -r $HOME | grep -v ':0'; true",
        "2\n");
    shell(&r, "$DUET rm 1", 2);
    assert_string_equal(r.err, "duet: no conversation 1\n");
    run_done(&r);
    shell(&r, "$DUET rm 2 99", 2); /* a mistyped one costs no other */
    assert_string_equal(r.err, "duet: no conversation 99\n");
    run_done(&r);
    assert_output("$DUET log -q", "2\n");
    struct term *t = term_start(24, 80, "rm", "2", NULL);
    term_expect(t, "for good? [y/N]");
    term_type(t, "n\n");
    assert_int_equal(term_end(t), 1);
    term_free(t);
    assert_output("$DUET log -q", "2\n");
}

static void what_is_not_wiped_is_not_said_to_be_gone(void **state)
{
    struct run r;
    sqlite3 *db;
    char path[256];
    (void)state;
    snprintf(path, sizeof path, "%s/.local/share/duet/chat.db", getenv("HOME"));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE search_idx", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    shell(&r, "$DUET rm -y 1", 4);
    assert_error_line(&r);
    assert_contains(r.err, "still in the file");
    run_done(&r);
    shell(&r, "$DUET --recover >/dev/full", 1); /* done, and not told */
    assert_error_line(&r);
    run_done(&r);
}

/* Not every system lets a user have one. */
static void a_read_only_disk_can_be_read(void **state)
{
    struct run r;
    (void)state;
    run_shell(&r, "D=$HOME/.local/share/duet; rm $D/*-lock; "
                  "unshare -r -m sh -c \"mount --bind $D $D && mount -o remount,ro,bind $D || "
                  "exit 99; for c in log 'search 25' 'export 1'; do $DUET \\$c || exit; done; "
                  "$DUET rm -y 1; echo \\$?; $DUET -m demo-llama -n 4 hi\"");
    bool ran = r.status != 99 && !strstr(r.err, "unshare");
    if (ran) {
        assert_int_equal(r.status, 0);
        assert_contains(r.out, "17 + 25\n");
        assert_contains(r.out, "\n4\n");
        assert_contains(r.err, "duet: history off: ");
    }
    run_done(&r);
    if (!ran)
        skip();
}

int test_records(void)
{
#define RECORDS(f) cmocka_unit_test_setup_teardown(f, records_new, sandbox_remove)
    const struct CMUnitTest tests[] = {
        TEST(without_a_history_nothing_is_made),
        RECORDS(log_lists_and_shows),
        RECORDS(one_is_named_as_it_is_continued),
        RECORDS(a_listing_that_stops_says_so),
        RECORDS(search_finds_and_says_where),
        RECORDS(exports_are_inert),
        RECORDS(export_and_import_lose_nothing),
        TEST(chatgpts_exports_are_read),
        TEST(bad_imports_are_refused),
        RECORDS(rm_leaves_no_trace),
        RECORDS(what_is_not_wiped_is_not_said_to_be_gone),
        RECORDS(a_read_only_disk_can_be_read),
    };
#undef RECORDS
    return cmocka_run_group_tests_name("records", tests, NULL, NULL);
}
