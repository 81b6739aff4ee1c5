/* test_config.c - the configuration file: what is read, what is only warned of, what is refused;
 * and that a wrong one stops nothing else. */
#include "tests/app/tests.h"

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

#include "app/config.h"

struct read {
    struct config c;
    struct options o;
    char path[512];
};

static void write_config(const char *text, size_t len, char path[512])
{
    char dir[512];
    sandbox_path(".config", dir, sizeof dir);
    mkdir(dir, 0700);
    sandbox_path(".config/duet", dir, sizeof dir);
    mkdir(dir, 0700);
    sandbox_path(".config/duet/config", path, 512);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static struct read *read_bytes(const char *text, size_t len)
{
    static struct read r;
    write_config(text, len, r.path);
    options_init(&r.o);
    config_read(&r.c, r.path, &r.o);
    return &r;
}

static struct read *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

/* "LINE: KEY: reason" behind the file's name. */
static void assert_line(const struct read *r, const char *got, const char *expected)
{
    char line[1024];
    snprintf(line, sizeof line, "config: %s:%s", r->path, expected);
    assert_string_equal(got, line);
}

static void assert_fails(const char *text, const char *expected)
{
    struct read *r = read_text(text);
    assert_int_equal(r->c.status, 2);
    assert_line(r, r->c.error, expected);
    config_done(&r->c);
}

static void assert_warns(const char *text, const char *expected)
{
    struct read *r = read_text(text);
    assert_int_equal(r->c.status, 0);
    assert_int_equal(r->c.n_warnings, 1);
    assert_line(r, r->c.warnings[0], expected);
    config_done(&r->c);
}

static void values_are_read(void **state)
{
    (void)state;
    struct read *r = read_text(
        "\xef\xbb\xbf# comment\r\ntemp = 0.5\r\n  \r\nmodel=llama ; the small one\r\n"
        "top_k: 7\r\nquiet = on\nplain = yes\nverbose = off\ndevice = cpu\n"
        "system = one\n two\n\tthree\n[keys]\nfold-all = F5");
    assert_int_equal(r->c.status, 0);
    assert_int_equal(r->c.n_warnings, 0);
    assert_true(r->o.temperature == 0.5);
    assert_string_equal(r->o.model, "llama");
    assert_int_equal(r->o.top_k, 7);
    assert_true(r->o.quiet && r->o.plain && !r->o.verbose);
    assert_int_equal(r->o.device, 1);
    assert_string_equal(r->o.system, "one\ntwo\nthree");
    config_done(&r->c);
    setenv("HOME", "/home/of/somebody", 1);
    r = read_text("db = ~/chats.db");
    assert_string_equal(r->o.db, "/home/of/somebody/chats.db");
    config_done(&r->c);
}

static void every_setting_is_an_option(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_table.n_options; i++) {
        const struct args_option *o = &options_table.options[i];
        const char *spelt = o->names, *word, *value = o->type == ARGS_FLAG ? "on" : "1";
        char line[128] = "";
        for (size_t len; (word = args_next_word(&spelt, &len));)
            snprintf(line, sizeof line, "%.*s = %s\n", (int)len - 2, word + 2,
                     o->type == ARGS_CHOICE ? "auto" : value);
        if (o->section && !(o->where & IN_CONFIG))
            assert_int_equal(strncmp(line, "--", 2) != 0, 1);
        struct read *r = read_text(line);
        assert_int_equal(r->c.n_warnings > 0, !(o->where & IN_CONFIG));
        config_done(&r->c);
    }
}

static void unknown_keys_are_warned_of_wrong_values_refused(void **state)
{
    (void)state;
    assert_warns("temp = 1\nheat = 2\n", "2: heat: unknown key");
    assert_warns("quite = on\n", "1: quite: unknown key; did you mean quiet?");
    assert_warns("json = on\n", "1: json: an option of the command line only");
    assert_warns("[clouds]\ncolor = grey\nshape = round\n", "2: clouds: unknown section");
    assert_fails("quiet = on\ntemp = hot\n", "2: temp: not a number (got hot, limit 0 to 10)");
    assert_fails("top-k = 1.5\n", "1: top-k: not a whole number (got 1.5, limit 0 to 1000000)");
    assert_fails("ctx = 99999999999999999999\n",
                 "1: ctx: out of range (got 99999999999999999999, limit 16 to 1048576)");
    assert_fails("device = moon\n", "1: device: unknown value (got moon, limit auto cpu cuda)");
    assert_fails("quiet = perhaps\n", "1: quiet: neither on nor off (got perhaps)");
    assert_fails("\nnonsense\ntemp = hot\n", "2: neither KEY = VALUE nor [SECTION]");
    assert_fails("temp = hot\nnonsense\n", "1: temp: not a number (got hot, limit 0 to 10)");
    assert_fails("temp = 1\n 2\n",
                 "2: temp: a line that begins with a space continues the one before");
}

static void one_wrong_line_spoils_no_other(void **state)
{
    (void)state;
    struct read *r = read_text(
        "temp = hot\nheat = 1\nnonsense\ntop-k = 9\n[keys]\nhelp = F99\nnew = F6\n");
    assert_int_equal(r->c.status, 2);
    assert_int_equal(r->o.top_k, 9);
    config_done(&r->c);
}

static void the_last_of_repeated_keys_counts(void **state)
{
    (void)state;
    assert_warns("temp = 1\nquiet = on\ntemp = 2\n",
                 "3: temp: stands here again; the last one counts");
    assert_warns("[keys]\nhelp = F1\n[keys.reading]\nhelp = F1\n[keys]\nhelp = F3\n",
                 "6: help: stands here again; the last one counts");
    struct read *r = read_text("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[a]]]]]]]]\nb = 1\n");
    assert_int_equal(r->c.status, 0);
    assert_int_equal(r->c.n_warnings, 1);
    config_done(&r->c);
}

/* A way to quit always remains. */
static void bindings_are_checked(void **state)
{
    (void)state;
    assert_warns("[keys]\nquit = none\ninterrupt = none\n",
                 "3: interrupt: refused: no key would be left to quit with; it keeps what it has");
    assert_warns("[keys]\nfly = F5\n", "2: fly: no such action");
    assert_warns("[keys.moon]\nhelp = F5\n", "2: help: no such place");
    assert_fails("[keys]\nhelp = F99\n", "2: help: not a key (got F99)");
    assert_fails("[keys]\nhelp = F3, C-x C-y C-z\n", "2: help: not a key (got C-x C-y C-z)");
    assert_fails("[keys]\nhelp = h\n",
                 "2: help: a key that types a character is free for \"reading\" only (got h)");
}

static void colors_are_checked(void **state)
{
    (void)state;
    struct read *r = read_text(
        "theme = light\n[colors]\nheading = bold #5fafff\ncode = 208 ; orange\n");
    assert_int_equal(r->c.status + r->c.n_warnings, 0);
    assert_int_equal(r->o.theme, UI_THEME_LIGHT);
    config_done(&r->c);
    assert_warns("[colors]\nsky = blue\n", "2: sky: no such role");
    assert_fails("[colors]\ncode = blu\n", "2: code: not a colour (got blu)");
}

static void hostile_bytes_are_refused(void **state)
{
    static char big[CONFIG_MAX + 2];
    struct read *r;
    (void)state;
    memset(big, 'a', sizeof big);
    r = read_bytes(big, CONFIG_MAX + 1);
    assert_line(r, r->c.error, " too large (limit 65536 bytes)");
    config_done(&r->c);
    r = read_bytes(big, CONFIG_MAX);
    assert_line(r, r->c.error,
                "1: too long (limit 196 bytes; text continues in lines that begin with a space)");
    config_done(&r->c);
    r = read_bytes("a\0b = 1\n", 8);
    assert_line(r, r->c.error, "1: holds a NUL");
    config_done(&r->c);
    assert_fails("temp = 1\nmodel = \xff\xfe\n", "2: not UTF-8");
    assert_fails("temp = \033[31m\n", "1: temp: not a number (got \033[31m, limit 0 to 10)");
    memset(big, '[', sizeof big);
    memset(big + 150, '\n', sizeof big - 150);
    r = read_bytes(big, CONFIG_MAX);
    assert_line(r, r->c.error, "1: neither KEY = VALUE nor [SECTION]");
    config_done(&r->c);
}

static void warnings_end_in_a_count(void **state)
{
    struct str text = {0}, line = {0};
    (void)state;
    for (int i = 0; i < 100; i++)
        str_addf(&text, "k%d = 1\n", i);
    struct read *r = read_text(text.data);
    assert_int_equal(r->c.n_warnings, 100);
    assert_true(config_add_warning(&r->c, CONFIG_WARNINGS - 1, &line));
    str_clear(&line);
    assert_false(config_add_warning(&r->c, CONFIG_WARNINGS, &line));
    assert_line(r, line.data, " 95 more lines like these");
    config_done(&r->c);
    str_done(&text);
    str_done(&line);
}

static void what_is_no_readable_file_is_refused(void **state)
{
    char path[512], dir[512];
    struct config c;
    struct options o;
    (void)state;
    options_init(&o);
    sandbox_path("nothing/here", path, sizeof path);
    config_read(&c, path, &o);
    assert_int_equal(c.status, 0);
    assert_int_equal(c.n_warnings, 0);
    config_done(&c);
    sandbox_path("", dir, sizeof dir);
    config_read(&c, dir, &o);
    assert_int_equal(c.status, 2);
    assert_non_null(strstr(c.error, "not a regular file"));
    config_done(&c);
    sandbox_path("fifo", path, sizeof path);
    assert_int_equal(mkfifo(path, 0600), 0);
    config_read(&c, path, &o);
    assert_int_equal(c.status, 2);
    config_done(&c);
    write_config("temp = hot\n", 11, path);
    chmod(path, 0666);
    config_read(&c, path, &o);
    assert_int_equal(c.status, 0);
    assert_non_null(strstr(c.warnings[0], "left unread: another user may write it"));
    config_done(&c);
    chmod(path, 0);
    if (geteuid() != 0) { /* root may read it all the same */
        config_read(&c, path, &o);
        assert_int_equal(c.status, 0);
        assert_int_equal(c.n_warnings, 1);
        config_done(&c);
    }
    config_read(&c, NULL, &o);
    assert_int_equal(c.status + c.n_warnings, 0);
    config_done(&c);
}

static void a_change_is_noticed_and_not_applied(void **state)
{
    (void)state;
    struct read *r = read_text("temp = 1\n");
    assert_false(config_changed(&r->c));
    write_config("temp = 12\n", 10, r->path);
    assert_true(config_changed(&r->c));
    assert_false(config_changed(&r->c));
    assert_true(r->o.temperature == 1);
    unlink(r->path);
    assert_true(config_changed(&r->c));
    config_done(&r->c);
}

static void any_file_gives_one_line_of_error_at_most(void **state)
{
    static const char good[] = "# settings\ntemp = 0.5\nmodel = llama\nsystem = a\n b\n[keys]\n"
                               "fold-all = C-o, F5\nquit = C-x q\n[keys.reading]\nhelp = h, ?\n";
    unsigned random = 1;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        for (int i = 0; i < 1 + round % 4; i++) {
            random = random * 1664525 + 1013904223;
            text[random % (sizeof good - 1)] = (char)(random >> 16);
        }
        struct read *r = read_bytes(text, sizeof good - 1 - random % 8);
        assert_true(r->c.status == 0 || r->c.status == 2);
        assert_true(strlen(r->c.error) < SAY_MAX);
        if (r->c.status != 0)
            assert_non_null(strstr(r->c.error, r->path));
        config_done(&r->c);
    }
}

/* The program. */

static void the_command_line_beats_the_file(void **state)
{
    struct run r;
    char path[512];
    (void)state;
    write_config("model = demo-llama\nhide-reasoning = on\nseed = 7\n", 48, path);
    run_duet(&r, NULL, 0, "--json", "-n", "4", "hi", NULL);
    assert_contains(r.out, "\"model\": \"demo-llama\"");
    assert_contains(r.out, "\"seed\": 7");
    run_done(&r);
    setenv("DUET_MODEL", "demo-deepseek", 1);
    run_duet(&r, NULL, 0, "--json", "-n", "4", "hi", NULL);
    assert_contains(r.out, "\"model\": \"demo-deepseek\"");
    run_done(&r);
    run_duet(&r, NULL, 0, "--json", "-n", "4", "-m", "demo-llama", "--seed=8", "hi", NULL);
    assert_contains(r.out, "\"model\": \"demo-llama\"");
    assert_contains(r.out, "\"seed\": 8");
    run_done(&r);
    unsetenv("DUET_MODEL");
}

static void the_cache_type_is_kept_with_the_answer(void **state)
{
    static const char *const rows[][2] = {{"--quiet", "q8"}, {"--kv-type=f16", "f16"}};
    struct run r;
    char path[512], want[32];
    (void)state;
    write_config("model = demo-llama\nkv-type = q8\n", 32, path);
    for (size_t i = 0; i < 2; i++) {
        run_duet(&r, NULL, 0, "--temp", "0", "17 + 25?", rows[i][0], NULL);
        assert_int_equal(r.status, 0);
        assert_string_equal(r.err, "");
        assert_contains(r.out, "= 42");
        run_done(&r);
        run_duet(&r, NULL, 0, "log", "--json", i == 0 ? "1" : "2", NULL);
        snprintf(want, sizeof want, "\"kv_type\": \"%s\"", rows[i][1]);
        assert_contains(r.out, want);
        run_done(&r);
    }
}

static void a_wrong_file_does_not_stop_help(void **state)
{
    static const char *const still[] = {"--help", "--version", "--dirs", "--list-keys"};
    struct run r;
    char path[512];
    (void)state;
    write_config("temp = \033[31mhot\n", 16, path);
    run_duet(&r, NULL, 0, "hi", NULL);
    assert_int_equal(r.status, 2);
    assert_error_line(&r);
    assert_contains(r.err, "config:1: temp: not a number (got \\x1b[31mhot, limit 0 to 10)");
    run_done(&r);
    for (size_t i = 0; i < sizeof still / sizeof *still; i++) {
        run_duet(&r, NULL, 0, still[i], NULL);
        assert_int_equal(r.status, 0);
        assert_string_equal(r.err, "");
        run_done(&r);
    }
    run_duet(&r, NULL, 0, "--dirs", NULL);
    assert_contains(r.out, "settings\t");
    assert_contains(r.out, path);
    run_done(&r);
}

static void bindings_change_keys_and_hints(void **state)
{
    static const char text[] = "model = demo-llama\n[keys]\nhelp = F5\nfly = F6\n";
    char path[512];
    (void)state;
    write_config(text, sizeof text - 1, path);
    struct term *t = term_start(40, 80, NULL);
    term_expect(t, "F5 help");
    term_expect(t, "config:4: fly: no such action");
    term_type(t, "\033[15~");
    term_expect(t, "this help");
    term_type(t, "\033");
    term_expect(t, "F5 help"); /* the help covered it */
    write_config("temp = 1\n", 9, path);
    term_type(t, "/show\r");
    term_expect(t, "the configuration file has changed");
    term_leave(t);
}

static void every_hint_names_the_key_that_is_bound(void **state)
{
    static const char keys[] = "[keys]\ncancel = F7\ncontinue = F8\n[keys.writing]\nsend = Enter\n"
                               "[keys.fields]\nchoose = F9\nscope = F10\n";
    char path[512];
    (void)state;
    write_config(keys, sizeof keys - 1, path);
    struct term *t = term_start(24, 80, "-m", endless_model(), NULL);
    term_expect(t, "Ask anything");
    term_type(t, "\006");
    term_expect(t, "F9 opens \u00b7 F10 where \u00b7 F7 closes");
    term_type(t, "\033[18~hello\r");
    term_expect(t, "F7 stops");
    term_type(t, "\033[18~");
    term_expect(t, "F8 or /continue resumes it");
    term_type(t, "\t/");
    term_expect(t, "F9 keeps \u00b7 F7 goes back");
    term_type(t, "\033[18~\t/continue\r");
    term_expect(t, "F7 stops");
    term_signal(t, SIGKILL);
    term_end(t);
    term_free(t);
    t = term_start(24, 80, "-m", endless_model(), NULL);
    term_expect(t, "interrupted: hello \u00b7 F8 continues it \u00b7 F7 leaves it");
    term_free(t);
}

int test_config(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_are_read),
        TEST(every_setting_is_an_option),
        TEST(unknown_keys_are_warned_of_wrong_values_refused),
        TEST(one_wrong_line_spoils_no_other),
        TEST(the_last_of_repeated_keys_counts),
        TEST(bindings_are_checked),
        TEST(colors_are_checked),
        TEST(hostile_bytes_are_refused),
        TEST(warnings_end_in_a_count),
        TEST(what_is_no_readable_file_is_refused),
        TEST(a_change_is_noticed_and_not_applied),
        TEST(any_file_gives_one_line_of_error_at_most),
        TEST(the_cache_type_is_kept_with_the_answer),
        TEST(the_command_line_beats_the_file),
        TEST(a_wrong_file_does_not_stop_help),
        TEST(bindings_change_keys_and_hints),
        TEST(every_hint_names_the_key_that_is_bound),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
