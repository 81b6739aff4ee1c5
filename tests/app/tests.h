/* tests.h - the groups of this program, and what they drive the real binary with. */
#ifndef TESTS_APP_TESTS_H
#define TESTS_APP_TESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Each runs one group and returns the number of its failures. */
int test_args(void);
int test_str(void);
int test_config(void);
int test_copy(void);
int test_terminals(void);
int test_speech(void);
int test_wrap(void);
int test_commands(void);
int test_history(void);
int test_tokens(void);
int test_tree(void);
int test_branch(void);
int test_compact(void);
int test_pipe(void);
int test_rewrite(void);
int test_batch(void);
int test_grade(void);
int test_eval(void);
int test_records(void);
int test_forms(void);
int test_response_format(void);
int test_completion(void);
int test_manual(void);
int test_input(void);
int test_inspect(void);
int test_bench(void);
int test_convert(void);
int test_sums(void);
int test_screen(void);
int test_plain(void);
int test_library(void);
int test_think(void);
int test_writing(void);
int test_pool(void);
int test_background(void);
int test_pull_verb(void);
int test_pull_trust(void);
int test_pull_screen(void);
int test_models(void);

/* How long anything is waited for, and then fails: more than the slowest test takes in a build with
 * sanitizers on a busy machine. */
enum { PATIENCE_MS = 300000 };

/* The program under test: the environment's DUET. */
const char *duet_path(void);

/* A home of its own, with nothing of the caller's environment that duet would read; for cmocka's
 * setup and teardown. sandbox_path: a file in it, in a buffer of the caller's. */
int sandbox_new(void **state);
int sandbox_remove(void **state);
void sandbox_path(const char *name, char *out, size_t outlen);

/* A test with a sandbox of its own. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, sandbox_new, sandbox_remove)

/* Writes this text to a file in it. */
void sandbox_write(const char *name, const char *text);

/* A model that answers anything. */
const char *some_model(void);

/* some_model() with a context of 96 tokens. */
const char *small_model(void);

/* A model that never ends an answer by itself, for interrupting it; one that never ends its
 * thinking. */
const char *endless_model(void);
const char *endless_thinker(void);

/* One that thinks, and ends that and its answer. */
const char *thinking_model(void);

/* Without a terminal */

struct run {
    int status; /* exit status, or minus the signal that ended it */
    char *out;  /* NUL-terminated */
    char *err;
    size_t out_len, err_len;
};

/* Runs duet with these arguments (NULL at the end) and this input; NULL: /dev/null. Free with
 * run_done. */
void run_duet(struct run *r, const char *input, size_t len, ...);
void run_done(struct run *r);

/* The same by a line of the shell, in which $DUET is the program. */
void run_shell(struct run *r, const char *line);

/* One line, at most 240 bytes, that begins with "duet: " and holds no control character. */
void assert_error_line(const struct run *r);
void assert_contains(const char *text, const char *part);

/* The same with a server of tmux in the sandbox, $T: `await TEXT` waits until its pane shows the
 * text. */
void run_tmux(struct run *r, const char *line);

/* On a terminal */

struct term;

/* Starts duet on a terminal of that size; arguments as above. */
struct term *term_start(int rows, int cols, ...);

/* The same on the screen, with an answer of endless_model() that is being written. */
struct term *term_start_answer(void);

/* Kills it if it still runs. */
void term_free(struct term *t);

/* What a user does: types, drags the window, sends a signal. */
void term_type(struct term *t, const char *keys);
void term_resize(struct term *t, int rows, int cols);
void term_signal(struct term *t, int signal);

/* What comes of the latest of these. Text has come when there is more of it than on a screen
 * before, so what stood there already, and stands there still, is not taken for it. What does not
 * come in time, or before duet ends, fails the test. */
void term_expect(struct term *t, const char *text);
void term_expect_gone(struct term *t, const char *text); /* was there, and goes */
void term_expect_bytes(struct term *t, const char *bytes);

/* Waits until the text is there, or not there, and fails in the same way. It may have been so
 * before: to be sure that it still is, wait first for something that comes. */
void term_shows(struct term *t, const char *text);
void term_lacks(struct term *t, const char *text);

/* As term_shows; false after `ms`. */
bool term_wait(struct term *t, const char *text, int ms);

/* Tells the program a size that the screen does not have: libvterm does not survive every one. */
void term_claim_size(struct term *t, int rows, int cols);
pid_t term_pid(const struct term *t);
bool term_ended(struct term *t); /* looks whether it has */

/* Reads whatever comes in the next `ms`. */
void term_read(struct term *t, int ms);

/* The screen's rows, a newline behind each; until the next call. */
const char *term_screen(struct term *t);

/* Everything that was written to the terminal, NUL-terminated. */
const char *term_bytes(const struct term *t, size_t *len);

/* Waits for the end: exit status or minus the signal. */
int term_end(struct term *t);

/* Leaves by Ctrl-D, as users do: with 0, the terminal given back. Frees it. */
void term_leave(struct term *t);

/* Closes the user's end, as a lost connection does. */
void term_hang_up(struct term *t);

/* Whether the terminal is as it was before duet: modes, main screen, cursor shown. */
void assert_restored(struct term *t);

#endif
