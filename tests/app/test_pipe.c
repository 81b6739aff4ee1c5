/* test_pipe.c - one prompt, one answer: streams, exit statuses, what is kept. */
#include "tests/app/tests.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "app/chat/history.h"
#include "app/chat/library.h"

static json_t *parse(const struct run *r)
{
    json_error_t error;
    json_t *json = json_loads(r->out, 0, &error);
    if (!json)
        fail_msg("%s in %s (and %s)", error.text, r->out, r->err);
    return json;
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    assert_non_null(text);
    return text;
}

/* A line of the shell with the model's path in $M. */
static void shell_with_model(struct run *r, const char *line)
{
    setenv("M", some_model(), 1);
    run_shell(r, line);
}

static void stdout_has_the_answer_alone(void **state)
{
    struct run r, json;
    const char *model = some_model();
    (void)state;
    run_duet(&json, NULL, 0, "-m", model, "--temp", "0", "-n", "30", "--json", "17 + 25", NULL);
    assert_int_equal(json.status, 0);
    assert_string_equal(json.err, "");
    json_t *object = parse(&json);

    run_duet(&r, "17 + 25\n", 8, "-m", model, "--temp", "0", "-n", "30", NULL);
    assert_int_equal(r.status, 0);
    const char *answer = text_of(object, "answer");
    assert_int_equal(strncmp(r.out, answer, strlen(answer)), 0); /* byte for byte */
    assert_int_equal(r.out[r.out_len - 1], '\n');
    assert_null(strchr(r.out, '\033'));
    json_decref(object);
    run_done(&r);
    run_done(&json);
}

static void the_envelope_has_every_number(void **state)
{
    static const char *const numbers[] = {
        "prompt_tokens",          "completion_tokens",  "reasoning_tokens", "load_ms",
        "time_to_first_token_ms", "generation_time_ms", "mean_itl_ms",      "tokens_per_second"};
    struct run r;
    (void)state;
    run_duet(&r, NULL, 0, "-m", some_model(), "-n", "9", "--seed", "5", "--temp", "2", "--json",
             "hello", NULL);
    json_t *object = parse(&r), *usage = json_object_get(object, "usage");
    assert_int_equal(json_integer_value(json_object_get(object, "seed")), 5);
    assert_true(json_integer_value(json_object_get(object, "conversation")) > 0);
    assert_true(json_integer_value(json_object_get(object, "message")) > 0);
    assert_true(strlen(text_of(object, "model")) > 0);
    assert_non_null(text_of(object, "finish_reason"));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        assert_true(json_is_number(json_object_get(usage, numbers[i])));
    json_decref(object);
    run_done(&r);
}

static void the_seed_decides_whatever_the_threads(void **state)
{
    struct run r[2];
    const char *model = some_model();
    (void)state;
    for (int i = 0; i < 2; i++)
        run_duet(&r[i], NULL, 0, "-m", model, "--seed", "42", "--temp", "1.5", "-n", "40", "-t",
                 i ? "2" : "1", "hello", NULL);
    assert_string_equal(r[0].out, r[1].out);
    run_done(&r[0]);
    run_done(&r[1]);
}

static void conversations_are_continued(void **state)
{
    struct run r;
    (void)state;
    shell_with_model(&r, "$DUET -m $M -n 5 --temp 0 --json first >/dev/null;"
                         "$DUET -m $M -n 5 --temp 0 --json -c second;"
                         "$DUET -m $M -n 5 --temp 0 --json --session FIRST third;"
                         "$DUET -m $M -n 5 --temp 0 --json --no-log fourth;"
                         "$DUET -m $M -n 5 --temp 0 --json fifth");
    char *line = strtok(r.out, "\n");
    /* What is not kept has no number, which would be another conversation's. */
    static const int conversations[] = {1, 1, 0, 2};
    int last = 0;
    for (int i = 0; i < 4; i++, line = strtok(NULL, "\n")) {
        assert_non_null(line);
        json_t *object = json_loads(line, 0, NULL);
        assert_int_equal(json_integer_value(json_object_get(object, "conversation")),
                         conversations[i]);
        assert_int_equal(json_object_get(object, "message") != NULL, conversations[i] != 0);
        json_t *usage = json_object_get(object, "usage");
        int prompt = (int)json_integer_value(json_object_get(usage, "prompt_tokens"));
        if (i == 1)
            assert_true(prompt > last); /* two exchanges and a question, then three */
        last = prompt;
        json_decref(object);
    }
    run_done(&r);
}

/* -q keeps it quiet. */
static void continuing_nothing_is_said(void **state)
{
    struct run r;
    (void)state;
    shell_with_model(&r, "$DUET -m $M -n 3 -c -q one; rm -r $HOME/.local; $DUET -m $M -n 3 -c one;"
                         "$DUET -m $M -n 3 -c two");
    assert_string_equal(r.err, "duet: no conversation to continue; starting a new one\n");
    run_done(&r);
}

static void assert_status(const char *line, int status, const char *part)
{
    struct run r;
    shell_with_model(&r, line);
    if (r.status != status)
        fail_msg("%s: exit %d, not %d: %s", line, r.status, status, r.err);
    if (part) {
        assert_error_line(&r);
        assert_contains(r.err, part);
    }
    run_done(&r);
}

static void each_failure_has_its_status(void **state)
{
    (void)state;
    assert_status("$DUET -m $M -p ''", 2, "prompt: empty");
    assert_status("$DUET -m $M '   '", 2, "prompt: empty");
    assert_status("$DUET -m $M </dev/null", 2, "stdin: no input");
    assert_status("$DUET --temp x hi", 2, "--temp: not a number");
    assert_status("$DUET --session 99 -m $M hi", 2, "no conversation 99");
    assert_status("$DUET --session '' -m $M hi", 2, "--session: empty (");
    assert_status("cd $HOME; ln -s loop loop; $DUET -m loop hi", 3, "loop: Too many levels");
    assert_status("cd $HOME; ln -s nothing dead; $DUET -m dead hi", 3, "dead: No such file");
    assert_status("$DUET --no-log -c -m $M hi", 2, "--no-log: contradicts");
    assert_status("$DUET -m no-such-model hi", 3, "no-such-model");
    assert_status("$DUET -m '' hi", 3, "model: empty name");
    assert_status("$DUET -m /dev/zero hi", 3, "not a model");
    assert_status("$DUET -m $HOME/ hi", 3, "directory");
    assert_status("mkfifo $HOME/f; $DUET -m $HOME/f hi", 3, "not a model");
    assert_status(": >$HOME/e.gguf; $DUET -m $HOME/e.gguf hi", 3, "empty");
    assert_status("ln -s a $HOME/a; $DUET -m $HOME/a hi", 3, "symbolic links");
    assert_status("$DUET -m /$(head -c 5000 /dev/zero | tr '\\0' x) hi", 3, "File name too long");
    assert_status("echo not a database >$HOME/d; $DUET --db $HOME/d -m $M hi", 4, NULL);
    assert_status("$DUET --db $HOME/no/such/d -m $M hi", 4, "/no/such: no such folder");
    assert_status("$DUET search --db $HOME/no/such/d word", 2, "/no/such: no such folder");
    assert_status("$DUET log --db ''", 2, "--db: empty (a file is wanted)");
    assert_status("$DUET log --db $HOME/d/d", 4, "/d: Not a directory");
    assert_status("$DUET --device cuda -m $M hi", 6, NULL);
    assert_status("yes word | head -c 100000 | $DUET -m $M --ctx 512", 7, "limit 511");
    assert_status("yes word | head -c 20000000 | $DUET -m $M", 7, "too large");
}

static void long_input_is_refused_whole(void **state)
{
    struct run r;
    (void)state;
    shell_with_model(&r,
                     "yes word | head -c 100000 | $DUET -m $M --ctx 512; echo $?; $DUET log -q");
    assert_string_equal(r.out, "7\n"); /* and nothing is kept */
    assert_error_line(&r);
    assert_contains(r.err, "tokens do not fit (limit 511)");
    run_done(&r);
}

static void a_length_limit_before_an_answer_is_an_error(void **state)
{
    (void)state;
    assert_status("$DUET -m demo-deepseek -n 3 -R '17 + 25'", 9, "no answer yet (got 3 tokens");
    assert_status("$DUET -m demo-llama -n 2 '17 + 25'", 0, NULL);
}

/* What duet opens would get their numbers, and its output would land in a file. An answer that
 * nobody gets is still kept, but not a success. */
static void closed_descriptors_do_no_harm(void **state)
{
    (void)state;
    for (int set = 1; set < 8; set++) {
        struct run r;
        char line[512];
        snprintf(line, sizeof line,
                 "$DUET -m $M -n 5 --temp 0 hello %s %s %s; test $? = %d && "
                 "! grep -rl 'small demo' $HOME --exclude='chat.db*' && $DUET log -q | wc -l",
                 set & 1 ? "<&-" : "</dev/null", set & 2 ? ">&-" : ">/dev/null",
                 set & 4 ? "2>&-" : "", set & 2 ? 1 : 0);
        shell_with_model(&r, line);
        assert_int_equal(r.status, 0);
        assert_int_equal(strtol(r.out, NULL, 10), set); /* the history can be read, and has them */
        assert_null(strchr(r.out, '/'));
        run_done(&r);
    }
}

static void a_full_device_is_an_error(void **state)
{
    (void)state;
    assert_status("$DUET -m $M -n 5 hello >/dev/full", 1,
                  "stdout: write failed: No space left on device");
    assert_status("$DUET -m $M -n 5 hello >&-", 1, "stdout: write failed: Bad file descriptor");
    assert_status("$DUET -m $M -n 5 --json hello >/dev/full", 1, "No space left");
    assert_status("$DUET --version >/dev/full", 1, "No space left");
    assert_status("$DUET -m $M -n 5 hello 2>/dev/full", 0, NULL);
}

/* With 141, and what there was is kept. */
static void a_reader_that_leaves_ends_it_quietly(void **state)
{
    struct run r;
    setenv("M", endless_model(), 1);
    (void)state;
    run_shell(&r, "$DUET -m $M --temp 0 hello | head -c 10 >/dev/null; echo ${PIPESTATUS[0]}");
    assert_string_equal(r.out, "141\n");
    assert_string_equal(r.err, "");
    run_done(&r);
    run_shell(&r, "$DUET -m $M -n 5 --temp 0 --json -c again");
    json_t *object = parse(&r);
    json_t *usage = json_object_get(object, "usage");
    assert_true(json_integer_value(json_object_get(usage, "prompt_tokens")) > 60);
    json_decref(object);
    run_done(&r);
}

/* The state of the answer in the newest conversation. */
static enum store_state newest_state(void)
{
    struct history h;
    char path[PATH_MAX], err[256];
    sandbox_path(".local/share/duet/chat.db", path, sizeof path);
    assert_int_equal(history_open(&h, path, NULL, err, sizeof err), 0);
    assert_int_equal(history_load(&h, library_find(h.store, NULL), err, sizeof err), 0);
    assert_int_equal(h.n_turns, 2);
    enum store_state state = h.turns[1]->state;
    history_close(&h);
    return state;
}

static void an_interrupt_is_stored_as_what_it_was(void **state)
{
    static const struct {
        const char *signal;
        int status;
        enum store_state stored;
    } rows[] = {
        {"INT", 130, STORE_STOPPED},
        {"TERM", 143, STORE_INTERRUPTED},
        {"HUP", 129, STORE_INTERRUPTED},
    };
    setenv("M", endless_model(), 1);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run r;
        char line[512];
        snprintf(line, sizeof line,
                 "set -m; $DUET -m $M --ctx 100000 --temp 0 hello >$HOME/out & P=$!; "
                 "while ! test -s $HOME/out; do sleep 0.01; done; kill -%s $P; wait $P; echo $?; "
                 "rm $HOME/out",
                 rows[i].signal);
        run_shell(&r, line);
        char expected[16];
        snprintf(expected, sizeof expected, "%d\n", rows[i].status);
        assert_string_equal(r.out, expected);
        run_done(&r);
        assert_int_equal(newest_state(), rows[i].stored);
    }
}

static void verbose_says_more_and_quiet_less(void **state)
{
    struct run r;
    (void)state;
    run_duet(&r, NULL, 0, "-m", some_model(), "-n", "5", "--verbose", "hello", NULL);
    assert_contains(r.err, "\ntokens_per_second");
    assert_contains(r.err, "time_to_first_token_ms");
    run_done(&r);
    shell_with_model(&r, "HOME= $DUET -m $M -n 5 hello >/dev/null");
    assert_contains(r.err, "duet: history off: HOME is not set\n");
    run_done(&r);
    run_shell(&r, "HOME= $DUET -q -m $M -n 5 hello >/dev/null");
    assert_null(strstr(r.err, "duet:"));
    run_done(&r);
}

static void a_bad_home_costs_the_history_not_the_answer(void **state)
{
    static const char *const homes[] = {"", "relative", "/proc/nonexistent/deep", "/dev/null",
                                        "/proc"};
    (void)state;
    setenv("M", some_model(), 1);
    for (size_t i = 0; i < sizeof homes / sizeof *homes; i++) {
        struct run r;
        char line[256];
        snprintf(line, sizeof line, "HOME=%s $DUET -m $M -n 5 hello >/dev/null", homes[i]);
        run_shell(&r, line);
        assert_int_equal(r.status, 0);
        run_done(&r);
    }
    assert_status("unset HOME; $DUET -m $M -n 5 -c hello", 4, "HOME is not set");
}

static void habits_of_other_programs_are_hinted_at(void **state)
{
    static const struct {
        const char *words, *here;
    } rows[] = {
        {"run llama", "run: taken as a prompt; did you mean duet -m MODEL?"},
        {"run llama3.2 why", "run: taken as a prompt; did you mean duet -m MODEL?"},
        {"help pull", "help: taken as a prompt; did you mean duet --help?"},
        {"help me with sums", NULL},
        {"deepseek", "deepseek: taken as a prompt; did you mean duet -m deepseek?"},
        {"ls", "ls: taken as a prompt; did you mean duet models?"},
        {"serch", "serch: taken as a prompt; did you mean duet search?"},
        {"run to the hills and back", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct run r;
        char line[256];
        snprintf(line, sizeof line, "$DUET -m $M -n 3 %s >/dev/null", rows[i].words);
        shell_with_model(&r, line);
        if (rows[i].here)
            assert_contains(r.err, rows[i].here);
        else
            assert_null(strstr(r.err, "taken as"));
        run_done(&r);
    }
}

static void eight_at_once_store_eight_conversations(void **state)
{
    struct run r;
    (void)state;
    shell_with_model(
        &r, "for i in 1 2 3 4 5 6 7 8; do $DUET -m $M -n 5 hello $i >/dev/null & done; wait;"
            "for i in 1 2 3 4 5 6 7 8; do $DUET -m $M -n 3 --json --session $i x | "
            "grep -o 'conversation\": [0-9]*'; done | sort -u | wc -l");
    assert_string_equal(r.err, "");
    assert_int_equal(atoi(r.out), 8);
    run_done(&r);
}

int test_pipe(void)
{
    const struct CMUnitTest tests[] = {
        TEST(stdout_has_the_answer_alone),
        TEST(the_envelope_has_every_number),
        TEST(the_seed_decides_whatever_the_threads),
        TEST(conversations_are_continued),
        TEST(continuing_nothing_is_said),
        TEST(each_failure_has_its_status),
        TEST(long_input_is_refused_whole),
        TEST(a_length_limit_before_an_answer_is_an_error),
        TEST(closed_descriptors_do_no_harm),
        TEST(a_full_device_is_an_error),
        TEST(a_reader_that_leaves_ends_it_quietly),
        TEST(an_interrupt_is_stored_as_what_it_was),
        TEST(verbose_says_more_and_quiet_less),
        TEST(a_bad_home_costs_the_history_not_the_answer),
        TEST(eight_at_once_store_eight_conversations),
        TEST(habits_of_other_programs_are_hinted_at),
    };
    return cmocka_run_group_tests_name("pipe", tests, NULL, NULL);
}
