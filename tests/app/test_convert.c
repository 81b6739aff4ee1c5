/* test_convert.c - `duet convert`: a model file out of a model. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_line(const char *line, int status, const char *out, const char *err)
{
    struct run r;
    run_shell(&r, line);
    if (r.status != status)
        fail_msg("%s: exit %d: %s", line, r.status, r.err);
    assert_contains(r.out, out);
    if (*err) {
        assert_error_line(&r);
        assert_contains(r.err, err);
    } else {
        assert_string_equal(r.err, "");
    }
    run_done(&r);
}

/* Rows of 480 do not divide into blocks of 256, and that is said. */
static void what_is_written_answers(void **state)
{
    (void)state;
    setenv("M", some_model(), 1);
    assert_line("cd $HOME && $DUET convert $M a.gguf && $DUET inspect model ./a.gguf", 0,
                "a.gguf: 3.8 MB, 57 tensors, ", "");
    assert_line("cd $HOME && $DUET convert $M b.gguf --type Q4_K_M -t 1", 0, "b.gguf: ",
                "duet: 6 tensors, blk.0.ffn_down.weight to blk.5.ffn_down.weight, are in Q8_0: "
                "their rows do not divide into blocks of Q4_K or Q6_K");
    assert_line("cd $HOME && $DUET convert $M c.gguf -q --type f16", 0, "", "");
    assert_line("cd $HOME && for m in a b c; do $DUET -q --temp 0 -m ./$m.gguf '12 + 30'; done", 0,
                "42", "");
    assert_line("cd $HOME && $DUET inspect model ./b.gguf", 0, "Q4_K", "");
    assert_line("cd $HOME && ls -A | grep -v '^\\.[lc]' | tr '\\n' ' '", 0, "a.gguf b.gguf c.gguf ",
                "");
}

static void a_file_is_replaced_only_where_asked(void **state)
{
    (void)state;
    setenv("M", some_model(), 1);
    assert_line("cd $HOME && echo mine > a.gguf && $DUET convert $M a.gguf", 1, "",
                "duet: a.gguf: exists already; --force replaces it");
    assert_line("cat $HOME/a.gguf", 0, "mine", "");
    assert_line("cd $HOME && $DUET convert $M a.gguf --force", 0, "a.gguf: 3.8 MB", "");
    assert_line("cd $HOME && $DUET convert ./a.gguf ./a.gguf --force", 1, "",
                "duet: a.gguf: this is the model itself");
}

static void wrong_lines_are_refused(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *err;
    } rows[] = {
        {"$DUET convert", 2, "convert: needs a model and the file to write (got 0 words"},
        {"$DUET convert $M", 2, "(got 1 word)"},
        {"cd $HOME; $DUET convert $M -; S=$?; ls; exit $S", 2, "convert: -: needs a file"},
        {"$DUET convert $M a b", 2, "(got 3 words"},
        {"$DUET convert $M a --type q5_k", 2, "--type: unknown value (got q5_k"},
        {"$DUET convert /nowhere/x a", 3, "/nowhere/x: No such file"},
        {"$DUET convert $HOME/ a", 3, "a directory without config.json, so not a model"},
        {"$DUET convert $M $HOME/none/a", 1, "a: its folder cannot be used: No such file"},
        {"$DUET convert $M $HOME/ --force", 1, "this is no name for a file"},
        {"head -c 100000 $M >$HOME/m.gguf; $DUET convert $HOME/m.gguf a", 3, "truncated"},
        {"cd $HOME; ulimit -f 100; $DUET convert $M a", 1,
         "a: no space for its 4 MB: File too large"},
        {"$DUET convert $M $HOME/a >/dev/full", 1, "stdout: write failed"},
    };
    (void)state;
    setenv("M", some_model(), 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_line(rows[i].line, rows[i].status, "", rows[i].err);
}

/* The signal comes while it converts or, on a machine too quick for that, as it starts. */
static void an_interrupt_leaves_no_file(void **state)
{
    (void)state;
    setenv("M", some_model(), 1);
    assert_line("cd $HOME; for after in 0.2 0.1 0.05 0.02 0.01; do rm -f a.gguf;"
                " timeout --preserve-status -s INT $after $DUET convert $M a.gguf -t 1"
                " --type q4_k_m >/dev/null 2>said; status=$?; [ $status != 0 ] && break; done;"
                " echo $status; cat said; ls -A | grep -v '^\\.[lc]'",
                0, "130\nsaid\n", "");
}

static void the_bar_goes_at_the_end(void **state)
{
    char out[256];
    size_t len;
    (void)state;
    sandbox_path("a.gguf", out, sizeof out);
    struct term *t = term_start(10, 100, "convert", some_model(), out, "--type", "q4_k_m", NULL);
    assert_int_equal(term_end(t), 0);
    assert_contains(
        term_bytes(t, &len),
        "[........................]  1% \xc2\xb7 20 kB of 2.5 MB \xc2\xb7 token_embd.weight");
    term_read(t, 50);
    assert_contains(term_screen(t), "a.gguf: ");
    assert_null(strstr(term_screen(t), "[###"));
    term_free(t);
}

int test_convert(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_answers), TEST(a_file_is_replaced_only_where_asked),
        TEST(wrong_lines_are_refused), TEST(an_interrupt_leaves_no_file),
        TEST(the_bar_goes_at_the_end),
    };
    return cmocka_run_group_tests_name("convert", tests, NULL, NULL);
}
