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
int test_tree(void);
int test_branch(void);
int test_compact(void);
int test_pipe(void);
int test_batch(void);
int test_grade(void);
int test_eval(void);
int test_records(void);
int test_forms(void);
int test_shape(void);
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
int test_hold(void);
int test_aside(void);
int test_pull_verb(void);
int test_pull_trust(void);
int test_pull_screen(void);
int test_models(void);

/* The program under test: the environment's DUET. */
const char *duet_path(void);

/* A home of its own, with nothing of the caller's environment that duet would read; for cmocka's
 * setup and teardown. sandbox_path: a file in it, in a buffer of the caller's. */
int sandbox_new(void **state);
int sandbox_remove(void **state);
void sandbox_path(const char *name, char *out, size_t outlen);

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

/* Runs duet with these arguments (NULL at the end) and this input; NULL: /dev/null. Fails the test
 * if that takes over 20 s. Free with run_done. */
void run_duet(struct run *r, const char *input, size_t len, ...);
void run_done(struct run *r);

/* The same by a line of the shell, in which $DUET is the program. */
void run_shell(struct run *r, const char *line);

/* One line, at most 240 bytes, that begins with "duet: " and holds no control character. */
void assert_error_line(const struct run *r);
void assert_contains(const char *text, const char *part);

/* On a terminal */

struct term;

/* Starts duet on a terminal of that size; arguments as above. */
struct term *term_start(int rows, int cols, ...);

/* Kills it if it still runs. */
void term_free(struct term *t);

void term_type(struct term *t, const char *keys);
void term_resize(struct term *t, int rows, int cols);

/* Tells the program a size that the screen does not have: libvterm does not survive every one. */
void term_claim_size(struct term *t, int rows, int cols);
pid_t term_pid(const struct term *t);
bool term_ended(struct term *t); /* looks whether it has */

/* Reads until the screen shows the text, or duet has ended; false after `ms`. */
bool term_wait(struct term *t, const char *text, int ms);

/* Waits, and fails the test with the screen where the text does not come in 10 s. */
void term_expect(struct term *t, const char *text);

/* Waits until the text is not, or no longer, on the screen; else fails the test in the same way. */
void term_expect_no(struct term *t, const char *text);

/* Reads whatever comes in the next `ms`. */
void term_read(struct term *t, int ms);

/* The screen's rows, a newline behind each; until the next call. */
const char *term_screen(struct term *t);

/* Everything that was written to the terminal, NUL-terminated. */
const char *term_bytes(const struct term *t, size_t *len);

/* Waits for the end: exit status or minus the signal; fails the test after 10 s. */
int term_end(struct term *t);

/* Closes the user's end, as a lost connection does. */
void term_hang_up(struct term *t);

/* Whether the terminal is as it was before duet: modes, main screen, cursor shown. */
void assert_restored(struct term *t);

#endif
