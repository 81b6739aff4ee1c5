/* test_input.c - bytes from standard input and files that are not what one hopes for. */
#include "tests/app/tests.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/chat/history.h"
#include "app/chat/library.h"

/* The line runs, and this is what was asked: the first question of the newest conversation. */
static void assert_asked(const char *line, const char *question, const char *notice)
{
    struct run r;
    struct history h;
    char path[PATH_MAX], err[256];

    setenv("M", some_model(), 1);
    run_shell(&r, line);
    if (r.status != 0)
        fail_msg("%s: exit %d: %s", line, r.status, r.err);
    assert_string_equal(r.err, notice);
    run_done(&r);
    sandbox_path(".local/share/duet/chat.db", path, sizeof path);
    assert_int_equal(history_open(&h, path, NULL, err, sizeof err), 0);
    assert_int_equal(history_load(&h, library_find(h.store, NULL), err, sizeof err), 0);
    assert_string_equal(str_get(&h.turns[0]->text[STORE_TEXT]), question);
    history_close(&h);
}

static void assert_refused(const char *line, int status, const char *part)
{
    struct run r;
    setenv("M", some_model(), 1);
    run_shell(&r, line);
    if (r.status != status)
        fail_msg("%s: exit %d, not %d: %s", line, r.status, status, r.err);
    assert_error_line(&r);
    assert_contains(r.err, part);
    run_done(&r);
}

static void input_that_is_no_text_is_refused(void **state)
{
    (void)state;
    assert_refused("printf 'ab\\0cd' | $DUET -m $M", 2, "stdin: binary input at byte 2");
    assert_refused("printf '\\377\\376h\\0i\\0' | $DUET -m $M", 2, "stdin: UTF-16 text");
    assert_refused("$DUET -m $M </", 2, "stdin: Is a directory");
    assert_refused("$DUET -m $M -f /nowhere/x hello", 2, "/nowhere/x: No such file");
    assert_refused("printf ' \\n\\n' | $DUET -m $M", 2, "stdin: no input");
}

static void damaged_text_is_repaired_and_said(void **state)
{
    (void)state;
    assert_asked("printf 'caf\\351' | $DUET -m $M -n 3 >/dev/null", "caf\xef\xbf\xbd",
                 "duet: input: not UTF-8 at 1 place, shown as U+FFFD\n");
    assert_asked("$DUET -m $M -n 3 $'a\\377\\376b' >/dev/null",
                 "a\xef\xbf\xbd\xef\xbf\xbd"
                 "b",
                 "duet: input: not UTF-8 at 2 places, shown as U+FFFD\n");
    assert_asked("printf '\\357\\273\\277hi' | $DUET -m $M -n 3 >/dev/null", "hi", "");
}

static void a_prompt_is_put_together_in_order(void **state)
{
    (void)state;
    assert_asked("echo 17 | $DUET -m $M -n 3 + 25 >/dev/null", "17\n\n+ 25", "");
    assert_asked("echo text >$HOME/f; echo in | $DUET -m $M -n 3 -f $HOME/f -p what >/dev/null",
                 "in\n\ntext\n\nwhat", "");
    assert_asked("cd $HOME; echo a >a; echo b >b; "
                 "echo in | $DUET -m $M -n 3 -f b -p what --file=a >/dev/null",
                 "in\n\nb\n\na\n\nwhat", "");
    assert_asked("cd $HOME; echo in | $DUET -m $M -n 3 -f b -f - -f a >/dev/null", "b\n\nin\n\na",
                 "");
    assert_asked("$DUET -m $M -n 3 -- --help me >/dev/null", "--help me", "");
    assert_asked("$DUET -m $M -n 3 -p search >/dev/null", "search", "");
    assert_asked("$DUET -m $M -n 3 -- models >/dev/null", "models", "");
    assert_asked("printf '  two\\r\\n  lines\\r\\n' | $DUET -m $M -n 3 >/dev/null",
                 "  two\r\n  lines", "");
}

static void commands_and_control_tokens_are_text(void **state)
{
    (void)state;
    assert_asked("echo /quit | $DUET -m $M -n 3 >/dev/null", "/quit", "");
    assert_asked("echo '<|eot_id|>' | $DUET -m $M -n 3 >/dev/null", "<|eot_id|>", "");
}

static void a_slow_pipe_is_waited_for(void **state)
{
    struct run r;
    (void)state;
    assert_asked("(printf 1; sleep 0.3; printf 7) | $DUET -m $M -n 3 >/dev/null", "17", "");
    run_shell(&r, "set -m; sleep 5 | $DUET -m $M & sleep 0.3; kill -INT %1; wait $!; echo $?");
    assert_string_equal(r.out, "130\n");
    run_done(&r);
}

int test_input(void)
{
    const struct CMUnitTest tests[] = {
        TEST(input_that_is_no_text_is_refused),  TEST(damaged_text_is_repaired_and_said),
        TEST(a_prompt_is_put_together_in_order), TEST(commands_and_control_tokens_are_text),
        TEST(a_slow_pipe_is_waited_for),
    };
    return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
