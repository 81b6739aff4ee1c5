/* test_eval.c - `duet eval`: the table, what is kept and found again, and bad files. */
#include "tests/app/tests.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "app/eval/eval.h"

static const char problems[] =
    "{\"problem\": \"What is 17 + 25?\", \"answer\": \"42\", \"subject\": \"sums\"}\n"
    "\n"
    "{\"id\": \"b\", \"question\": \"What is 9 + 3?\", \"answer\": \"9 + 3 = 12\\n#### 12\","
    " \"kind\": \"sums\"}\r\n"
    "{\"problem\": \"What is 347 times 26?\", \"solution\": \"It is \\\\boxed{9022}.\","
    " \"type\": \"a | b\"}\n"
    "{\"problem\": \"now double it\", \"before\": [\"What is 17 + 25?\"], \"answer\": 84}\n"
    "{\"problem\": \"What is 2 + 2?\", \"answer\": \"5\"}";

/* A line of the shell in the sandbox, in which P is the file of problems above. */
static void run_in(struct run *r, const char *line)
{
    struct str whole = {0};
    char home[4096];
    sandbox_path("", home, sizeof home);
    sandbox_write("p.jsonl", problems);
    str_addf(&whole, "cd '%s'; %s", home, line);
    run_shell(r, whole.data);
    str_done(&whole);
}

static json_t *parse(const struct run *r)
{
    json_t *json = json_loads(r->out, 0, NULL);
    if (!json)
        fail_msg("not JSON: %s%s", r->out, r->err);
    return json;
}

/* The lines of a file of transcripts, without what a second run has otherwise; of a torn last one
 * nothing. */
static json_t *transcripts(const char *name)
{
    char path[4096], *line = NULL;
    size_t cap = 0;
    json_t *lines = json_array();
    sandbox_path(name, path, sizeof path);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (ssize_t n; (n = getline(&line, &cap, f)) > 0;) {
        json_t *read = json_loads(line, 0, NULL);
        if (!read && line[n - 1] == '\n')
            fail_msg("%s: %s", name, line);
        json_object_del(read, "usage");
        json_object_del(read, "wall_ms");
        if (read)
            json_array_append_new(lines, read);
    }
    free(line);
    fclose(f);
    return lines;
}

static const char *text_of(json_t *line, const char *key)
{
    return json_string_value(json_object_get(line, key));
}

static double number_at(json_t *json, size_t model, const char *a, const char *b)
{
    json_t *m = json_array_get(json_object_get(json, "models"), model);
    json_t *value = json_object_get(m, a);
    return json_number_value(b ? json_object_get(value, b) : value);
}

/* For both models and every way to write a problem. */
static void table_and_json_agree(void **state)
{
    struct run r;
    (void)state;
    run_in(&r, "$DUET eval p.jsonl --model demo-deepseek,demo-llama");
    assert_int_equal(r.status, 0);
    assert_contains(r.err, "duet: eval: transcripts: p.eval.jsonl\n");
    assert_contains(r.out, "| demo-deepseek |");
    assert_contains(r.out, "| **accuracy** ");
    assert_contains(r.out, "     **80.0%** |");
    assert_contains(r.out, "37.6 – 96.4% |");
    assert_contains(r.out, "| a \\| b ");
    size_t width = strcspn(r.out, "\n");
    for (const char *at = r.out; *at; at += strcspn(at, "\n") + 1) { /* in characters */
        size_t n = 0;
        for (size_t i = 0; i < strcspn(at, "\n"); i++)
            n += ((unsigned char)at[i] & 0xc0) != 0x80;
        assert_int_equal(n, width);
    }
    run_done(&r);

    run_in(&r, "$DUET eval -q p.jsonl --model demo-deepseek,demo-llama --json");
    assert_int_equal(r.status, 0);
    assert_string_equal(r.err, "");
    json_t *json = parse(&r);
    assert_true(fabs(number_at(json, 0, "accuracy", "share") - 0.8) < 1e-6);
    assert_true(number_at(json, 0, "chains", "complete") > 0.5);
    assert_true(number_at(json, 1, "chains", "complete") == 0);
    assert_true(number_at(json, 1, "completion_tokens", NULL) > 0);
    assert_int_equal((int)number_at(json, 0, "answers", NULL), 5);
    json_decref(json);
    run_done(&r);
}

static void transcripts_are_whole_and_private(void **state)
{
    struct run r;
    struct stat st;
    char path[4096];
    size_t i;
    json_t *line, *found = NULL;
    (void)state;
    run_in(&r, "$DUET eval -q p.jsonl -m demo-deepseek");
    assert_int_equal(r.status, 0);
    run_done(&r);
    sandbox_path("p.eval.jsonl", path, sizeof path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    json_t *lines = transcripts("p.eval.jsonl");
    assert_int_equal(json_array_size(lines), 5);
    json_array_foreach(lines, i, line) if (json_integer_value(json_object_get(line, "id")) == 5)
        found = line;
    assert_non_null(found); /* the follow-up is on the file's fifth line */
    json_t *said = json_array_get(json_object_get(found, "messages"), 1);
    assert_contains(text_of(said, "content"), "17 + 25 = 42.");
    assert_contains(text_of(found, "answer"), "\\boxed{84}");
    assert_string_equal(text_of(found, "final"), "84");
    assert_string_equal(text_of(found, "grade"), "equal");
    assert_true(json_is_true(json_object_get(found, "closed")));
    json_decref(lines);
}

/* Whether each line of `a` is one of `b`. */
static void assert_same_lines(json_t *a, json_t *b)
{
    size_t i, k;
    json_t *line, *other;
    assert_int_equal(json_array_size(a), json_array_size(b));
    json_array_foreach(a, i, line)
    {
        bool there = false;
        json_array_foreach(b, k, other) there = there || json_equal(line, other);
        assert_true(there);
    }
}

/* A torn last line is asked again, as it was asked before. */
static void resuming_asks_nothing_twice(void **state)
{
    struct run r;
    (void)state;
    run_in(&r, "E='eval p.jsonl -m demo-llama --samples 3'; $DUET $E -q >/dev/null;"
               "mv p.eval.jsonl all; (head -6 all; sed -n 7p all | head -c 60) >p.eval.jsonl;"
               "$DUET $E >table; $DUET $E | cmp - table");
    assert_int_equal(r.status, 0);
    assert_contains(r.err, "9 done, 6 there already");
    assert_contains(r.err, "demo-llama: all 15 answers are there already");
    run_done(&r);
    json_t *whole = transcripts("all"), *resumed = transcripts("p.eval.jsonl");
    assert_int_equal(json_array_size(whole), 15);
    assert_same_lines(whole, resumed);
    json_decref(whole);
    json_decref(resumed);
}

/* After Ctrl-C, and after kill -9. */
static void an_interrupted_eval_can_be_resumed(void **state)
{
    static const char *const signals[] = {"INT", "KILL"};
    struct run r;
    (void)state;
    for (int i = 0; i < 2; i++) {
        char line[512];
        snprintf(
            line, sizeof line,
            "rm -f o; set -m; $DUET eval p.jsonl --transcripts o -m demo-deepseek --parallel 1 "
            "--samples 500 2>err & P=$!; while ! test -s o; do sleep 0.01; done; kill -%s $P; "
            "wait $P 2>/dev/null; echo $?; tail -1 err",
            signals[i]);
        run_in(&r, line);
        assert_contains(r.out, i == 0 ? "130\n" : "137\n");
        if (i == 0)
            assert_contains(r.out, "eval: stopped; the same command resumes it");
        run_done(&r);
        json_t *before = transcripts("o");
        assert_in_range(json_array_size(before), 1, 2000);
        run_in(&r, "$DUET eval p.jsonl --transcripts o -m demo-deepseek");
        assert_int_equal(r.status, 0);
        assert_contains(r.err, " there already");
        run_done(&r);
        json_t *after = transcripts("o");
        assert_true(json_array_size(after) > json_array_size(before));
        assert_true(json_equal(json_array_get(before, 0), json_array_get(after, 0)));
        json_decref(before);
        json_decref(after);
    }
}

static void samples_differ_and_are_voted_on(void **state)
{
    struct run r;
    size_t i;
    json_t *line;
    bool different = false;
    (void)state;
    run_in(&r, "E='eval -q p.jsonl -m demo-llama --samples 5 --temp 1.5'; $DUET $E --json >json;"
               "$DUET $E");
    assert_int_equal(r.status, 0);
    assert_contains(r.out, "problems, 5 samples of each");
    assert_contains(r.out, "**pass@1**");
    assert_contains(r.out, "maj@5");
    run_done(&r);
    json_t *lines = transcripts("p.eval.jsonl");
    assert_int_equal(json_array_size(lines), 25);
    json_array_foreach(lines, i, line) for (size_t k = 0; k < i; k++)
    {
        json_t *other = json_array_get(lines, k);
        bool same_problem = json_equal(json_object_get(line, "id"), json_object_get(other, "id"));
        assert_false(json_equal(json_object_get(line, "seed"), json_object_get(other, "seed")));
        different = different || (same_problem &&
                                  strcmp(text_of(line, "answer"), text_of(other, "answer")) != 0);
    }
    assert_true(different);
    json_decref(lines);
    run_in(&r, "cat json");
    json_t *json = parse(&r);
    assert_int_equal((int)number_at(json, 0, "answers", NULL), 25);
    assert_true(number_at(json, 0, "majority", "share") >= number_at(json, 0, "accuracy", "share"));
    json_decref(json);
    run_done(&r);
}

/* Spellings of one answer are one; of two that are as frequent the earlier one wins. */
static void a_vote_counts_equal_answers_together(void **state)
{
    static const struct {
        const char *finals[4];
        int vote;
    } rows[] = {
        {{"7", "1/2", "0.5", "9"}, 1},
        {{"7", "8", "8", "7"}, 0},
        {{"", "", "", "3"}, 3},
        {{"", "", "", ""}, -1},
    };
    struct eval e = {.n_samples = 4, .problems.n = 1};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct eval_answer answers[4] = {0};
        struct eval_model m = {.answers = answers};
        for (int k = 0; k < 4; k++) {
            answers[k].there = true;
            answers[k].final = (char *)rows[i].finals[k];
        }
        assert_int_equal(eval_vote(&e, &m, 0), rows[i].vote);
    }
}

/* It loads nothing from anywhere. */
static void the_report_is_inert(void **state)
{
    struct run r;
    (void)state;
    sandbox_write(
        "h.jsonl",
        "{\"problem\": \"<script>alert(1)</script> \\u001b[31m 17 + 25 &amp; "
        "![x](http://x/y.png), find $x^2+1$\", \"answer\": \"\\\"><b>\", \"kind\": \"<i>\"}");
    run_in(&r, "mkdir far; ln -s far/r.html r.html;" /* which is followed */
               "$DUET eval -q h.jsonl -m demo-llama,demo-deepseek --html r.html >/dev/null;"
               "$DUET eval -q h.jsonl -m demo-llama,demo-deepseek --html r.html >/dev/null &&"
               "rm r.html && cat far/r.html");
    assert_int_equal(r.status, 0);
    assert_contains(r.out, "<!DOCTYPE html>");
    assert_contains(r.out, "default-src 'none'");
    assert_contains(r.out, "color-scheme: light dark");
    assert_contains(r.out, "&lt;script&gt;alert(1)&lt;/script&gt; \\x1b[31m");
    assert_contains(r.out, "&quot; &gt; &lt; b &gt;");
    assert_contains(r.out, "find <span class=\"math\">x² + 1</span>");
    assert_null(strstr(r.out, "<script"));
    assert_null(strstr(r.out, "src="));
    assert_null(strstr(r.out, "href="));
    assert_null(strstr(r.out, "<b>"));
    assert_null(strchr(r.out, '\033'));
    run_done(&r);
}

static void our_own_problems_are_understood(void **state)
{
    struct run r;
    struct eval_problems p;
    char err[256];
    (void)state;
    assert_int_equal(eval_problems_read(&p, "app/problems/school.jsonl", err, sizeof err), 0);
    assert_int_equal(p.n, 60);
    assert_in_range(p.n_kinds, 6, 12);
    for (size_t i = 0; i < p.n; i++)
        for (size_t k = 0; k < p.n; k++) {
            const char *a = p.at[i].truth, *b = p.at[k].truth;
            char spaced[256];
            snprintf(spaced, sizeof spaced, "\\displaystyle %s\\,", a);
            if (i == k)
                assert_int_equal(grade_compare(spaced, strlen(spaced), b, strlen(b)), GRADE_EQUAL);
            else if (grade_compare(a, strlen(a), b, strlen(b)) == GRADE_UNDECIDED)
                fail_msg("%s | %s", a, b);
        }
    eval_problems_done(&p);
    run_in(&r, "$DUET eval -q school -m demo-deepseek | grep -c '|';"
               "ls $HOME/.local/share/duet/eval");
    assert_int_equal(r.status, 0);
    assert_contains(r.out, "school.eval.jsonl");
    run_done(&r);
}

/* Against values worked out by hand. */
static void intervals_are_wilsons(void **state)
{
    (void)state;
    struct eval_share s = eval_wilson(8, 10);
    assert_true(fabs(s.low - 0.490162) < 1e-5 && fabs(s.high - 0.943318) < 1e-5);
    s = eval_wilson(0, 20);
    assert_true(s.low == 0 && fabs(s.high - 0.161125) < 1e-5);
    s = eval_wilson(5, 5);
    assert_true(fabs(s.low - 0.565518) < 1e-5 && s.high == 1);
}

static void eval_refuses_by_name(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *err;
    } rows[] = {
        {"$DUET eval", 2, "no file of problems named"},
        {"$DUET eval a b", 2, "more than one file (got b)"},
        {"$DUET eval /nonexistent.jsonl", 2, "/nonexistent.jsonl: No such file"},
        {"$DUET eval nonexistent", 2, "nonexistent: No such file"},
        {"$DUET eval /", 2, "/: Is a directory"},
        {"$DUET eval /dev/null", 2, "/dev/null: no problems in it"},
        {"echo 5 >q; $DUET eval q", 2, "q: line 1: not"},
        {"echo '[1]' >q; $DUET eval q", 2, "q: line 1: not an object"},
        {"echo '{}' >q; $DUET eval q", 2, "q: line 1: problem: missing"},
        {"echo '{\"problem\": \"x\"}' >q; $DUET eval q", 2, "line 1: answer: missing"},
        {"echo '{\"problem\": \"x\", \"answer\": \"y\", \"before\": 1}' >q; $DUET eval q", 2,
         "before: not an array"},
        {"head -c 20000000 /dev/zero | tr '\\0' a >q; $DUET eval q", 2, "line 1: too long"},
        {"$DUET eval p.jsonl -m demo-llama,nothing", 3, "nothing: no such model"},
        {"$DUET eval p.jsonl -m demo-llama,", 3, "model: empty name"},
        {"$DUET eval p.jsonl -m demo-llama,demo-llama", 2, "demo-llama: named twice"},
        {"$DUET eval p.jsonl --samples 0", 2, "--samples"},
        {"echo mine >o; $DUET eval p.jsonl --transcripts o; s=$?; grep -q mine o && exit $s", 2,
         "o: line 1: not a transcript of duet eval"},
        {"printf mine >o; $DUET eval p.jsonl --transcripts o; s=$?; grep -q mine o && exit $s", 2,
         "o: line 1: not a transcript of duet eval"},
        {"$DUET eval p.jsonl --transcripts /dev/null", 2, "/dev/null: not a regular file"},
        {"$DUET eval p.jsonl --transcripts nowhere/o", 2, "nowhere/o: No such file"},
        {"$DUET eval p.jsonl --html nowhere/r", 2, "nowhere/r: No such file"},
        {"ln -s /no/such/dir/r far; $DUET eval p.jsonl --html far", 2,
         "/no/such/dir/r: No such file"},
        {"$DUET eval p.jsonl --html .", 2, ".: exists and is no report"},
        {"echo mine >r; $DUET eval p.jsonl --html r; s=$?; grep -q mine r && exit $s", 2,
         "r: exists and is no report of duet eval"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run r;
        run_in(&r, rows[i].line);
        if (r.status != rows[i].status)
            fail_msg("%s: exit %d: %s", rows[i].line, r.status, r.err);
        assert_error_line(&r);
        assert_contains(r.err, rows[i].err);
        run_done(&r);
    }
}

static void problems_from_a_pipe_leave_transcripts_in_our_folder(void **state)
{
    struct run r;
    (void)state;
    run_in(&r,
           "$DUET eval - -m demo-llama <p.jsonl >a; cat p.jsonl | $DUET eval - -m demo-llama >b;"
           "cmp a b && ls .local/share/duet/eval");
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "stdin.eval.jsonl\n");
    assert_contains(r.err, "all 5 answers are there already");
    run_done(&r);
}

/* However narrow the terminal is. */
static void progress_stays_on_one_line(void **state)
{
    char path[4096];
    (void)state;
    sandbox_write("p.jsonl", problems);
    sandbox_path("p.jsonl", path, sizeof path);
    struct term *t = term_start(12, 40, "eval", path, "--transcripts", "/dev/null", NULL);
    assert_int_equal(term_end(t), 2);
    term_free(t);
    t = term_start(12, 40, "eval", path, "-m", "demo-deepseek", "--samples", "1000", NULL);
    size_t len, written = 0;
    for (int i = 0; i < 3000 && written < 3; i++) { /* it is written over */
        written = 0;
        term_read(t, 20);
        for (const char *at = term_bytes(t, &len); (at = strstr(at, "demo-deepseek: ")); at++)
            written++;
    }
    const char *first = strstr(term_screen(t), "demo-deepseek: ");
    assert_non_null(first);
    assert_null(strstr(first + 1, "demo-deepseek: "));
    assert_null(strstr(strchr(first, '\n'), "tokens"));
    term_type(t, "\003");
    assert_int_equal(term_end(t), 130);
    term_free(t);
}

/* An answer that was cut short counts only if it is in a box. */
static void a_chain_is_complete_when_nothing_is_missing(void **state)
{
    static const struct {
        const char *reasoning, *answer;
        bool closed, cut, complete;
        enum grade grade;
    } rows[] = {
        {"3 + 4 = 7\n7 * 6 = 42", "So \\boxed{42}.", true, false, true, GRADE_EQUAL},
        {"3 + 4 = 7\n7 * 6 = 41", "So \\boxed{41}.", true, false, true, GRADE_DIFFERENT},
        {"7 * 6 = 42", "So \\boxed{42}.", true, false, false, GRADE_EQUAL},
        {"3 + 4 = 7\n7 * 6 = 42", "So 42.", true, false, false, GRADE_EQUAL},
        {"3 + 4 = 7\n7 * 6 = 42", "", false, true, false, GRADE_DIFFERENT},
        {" \n\n ", "So \\boxed{42}.", true, false, false, GRADE_EQUAL},
        {"3 + 4 = 7\n7 * 6 = 42", "It is 42", true, true, false, GRADE_DIFFERENT},
        {"3 + 4 = 7\n7 * 6 = 42", "\\boxed{42} and", true, true, true, GRADE_EQUAL},
    };
    const struct eval_problem p = {.truth = "42"};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct eval_answer a = {.there = true, .closed = rows[i].closed};
        struct str reasoning = {0}, answer = {0};
        str_adds(&reasoning, rows[i].reasoning);
        str_adds(&answer, rows[i].answer);
        eval_judge(&a, &p, &reasoning, &answer, rows[i].cut);
        if (eval_is_complete(&a) != rows[i].complete || a.grade != rows[i].grade)
            fail_msg("row %zu: %d steps, %s, %s", i, a.steps, grade_name(a.grade), a.final);
        str_done(&reasoning);
        str_done(&answer);
        eval_answer_done(&a);
    }
}

static void endless_thinking_is_neither_right_nor_complete(void **state)
{
    struct run r;
    (void)state;
    setenv("E", endless_thinker(), 1);
    run_in(&r, "$DUET eval -q p.jsonl -m $E --instruction '' -n 30 --json");
    assert_int_equal(r.status, 0);
    json_t *json = parse(&r);
    assert_true(number_at(json, 0, "chains", "opened") == 1);
    assert_true(number_at(json, 0, "chains", "closed") == 0);
    assert_true(number_at(json, 0, "chains", "complete") == 0);
    assert_true(number_at(json, 0, "accuracy", "share") == 0);
    json_decref(json);
    run_done(&r);
}

static void the_later_of_two_lines_counts(void **state)
{
    struct eval_store s;
    const struct eval_key key = {1, 2, 3}, other = {1, 2, 4};
    char path[4096], err[256];
    off_t at = 0;
    (void)state;
    sandbox_write("o", "{\"eval\": 1, \"run\": \"1\", \"identity\": \"2\", \"sample\": 3}\n"
                       "{\"eval\": 1, \"run\": \"1\", \"identity\": \"2\", \"sample\": 3,"
                       " \"answer\": \"a\\u0000b\"}");
    sandbox_path("o", path, sizeof path);
    assert_int_equal(eval_store_open(&s, path, err, sizeof err), 0);
    json_t *line = eval_store_find(&s, &key, &at);
    assert_int_equal(json_string_length(json_object_get(line, "answer")), 3);
    assert_true(at > 0);
    assert_null(eval_store_find(&s, &other, &at));
    assert_int_equal(eval_store_add(&s, line, &at, err, sizeof err), 0);
    json_t *again = eval_store_read(&s, at);
    assert_true(json_equal(line, again));
    json_decref(line);
    json_decref(again);
    eval_store_close(&s);
}

static void two_runs_do_not_write_one_file(void **state)
{
    struct run r;
    char path[4096];
    (void)state;
    sandbox_write("o", "");
    sandbox_path("o", path, sizeof path);
    FILE *held = fopen(path, "r");
    assert_int_equal(flock(fileno(held), LOCK_EX), 0);
    run_in(&r, "$DUET eval p.jsonl --transcripts o");
    assert_int_equal(r.status, 2);
    assert_contains(r.err, "o: another duet eval is writing it");
    run_done(&r);
    fclose(held);
}

/* It is tried again the next time. */
static void a_problem_that_does_not_fit_fails_alone(void **state)
{
    struct run r;
    char line[512];
    (void)state;
    setenv("S", small_model(), 1);
    snprintf(
        line, sizeof line,
        "(cat p.jsonl; echo; echo \"{\\\"problem\\\": \\\"$(yes 17 | head -400 | tr '\\n' ' ')"
        "\\\", \\\"answer\\\": 1}\") >l.jsonl; $DUET eval l.jsonl -m $S --instruction '' "
        "--html r.html; s=$?; grep -o '\"code\": \"[a-z]*\"' l.eval.jsonl; grep -c failed r.html; "
        "exit $s");
    run_in(&r, line);
    assert_int_equal(r.status, 1);
    assert_contains(r.out, "| failed ");
    assert_contains(r.out, "\"code\": \"context\"\n");
    run_done(&r);
}

int test_eval(void)
{
    const struct CMUnitTest tests[] = {
        TEST(table_and_json_agree),
        TEST(transcripts_are_whole_and_private),
        TEST(resuming_asks_nothing_twice),
        TEST(samples_differ_and_are_voted_on),
        TEST(the_report_is_inert),
        TEST(our_own_problems_are_understood),
        TEST(intervals_are_wilsons),
        TEST(eval_refuses_by_name),
        TEST(a_problem_that_does_not_fit_fails_alone),
        TEST(an_interrupted_eval_can_be_resumed),
        TEST(a_vote_counts_equal_answers_together),
        TEST(two_runs_do_not_write_one_file),
        TEST(problems_from_a_pipe_leave_transcripts_in_our_folder),
        TEST(progress_stays_on_one_line),
        TEST(the_later_of_two_lines_counts),
        TEST(a_chain_is_complete_when_nothing_is_missing),
        TEST(endless_thinking_is_neither_right_nor_complete),
    };
    return cmocka_run_group_tests_name("eval", tests, NULL, NULL);
}
