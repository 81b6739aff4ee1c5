/* test_pull.c - `duet pull` against servers that are honest, broken, or worse. */
#include "tests/app/tests.h"

#include <fcntl.h>
#include <limits.h>
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

#include "tests/app/hub.h"

static const char file[] = "Llama-3.2-1B-Instruct-Q8_0.gguf";

/* What is in the models folder, names in order with a space behind each; "" where there is none. */
static const char *models(void)
{
    static char names[1024];
    struct run r;
    run_shell(&r, "cd $HOME/.local/share/duet/models 2>/dev/null && ls -A | tr '\\n' ' '");
    snprintf(names, sizeof names, "%s", r.out);
    run_done(&r);
    return names;
}

static void assert_models(const char *endings)
{
    char expected[512] = "", all[128];
    snprintf(all, sizeof all, "%s", endings);
    for (char *e = strtok(all, " "); e; e = strtok(NULL, " "))
        snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s%s ", file,
                 strcmp(e, "=") == 0 ? "" : e);
    assert_string_equal(models(), expected);
}

/* The file is whole, right, and the owner's alone; nothing else is there but its record. */
static void assert_whole(void)
{
    struct run r;
    assert_models("= .json");
    run_shell(&r, "cd $HOME/.local/share/duet/models && sha256sum < *.gguf && stat -c %a . *");
    if (strncmp(r.out, hub_digest, 64) != 0)
        fail_msg("another file: %s", r.out);
    assert_contains(r.out, "\n700\n600\n600\n");
    run_done(&r);
}

static void remove_models(void)
{
    assert_int_equal(system("rm -rf $HOME/.local/share/duet"), 0);
}

/* Pulls from this kind of server: the status, and in the last line what it must say. */
static void assert_pull(const char *kind, int status, const char *says)
{
    static const char *const silent[] = {"silent", "drip", "stall"};
    const char *patience = "10";
    struct run r;
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
        if (strcmp(kind, silent[i]) == 0)
            patience = "0.3";
    hub_use("hub", kind);
    run_duet(&r, NULL, 0, "pull", "llama", "-q", "--timeout", patience, NULL);
    if (r.status != status || (status != 0 && (!strstr(r.err, says) || r.err_len > 240)))
        fail_msg("%s: %d, %s", kind, r.status, r.err);
    if (status != 0)
        assert_error_line(&r);
    run_done(&r);
}

struct row {
    const char *kind, *says;
};

/* Each fails as it must, and no file gets its name. */
static void assert_refused(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        remove_models();
        assert_pull(rows[i].kind, 5, rows[i].says);
        if (*models())
            fail_msg("%s leaves %s", rows[i].kind, models());
    }
}
#define ASSERT_REFUSED(rows) assert_refused(rows, sizeof rows / sizeof *rows)

/* Honest servers */

static void test_pull(void **state)
{
    struct run r;
    (void)state;
    hub_use("hub", "hub");
    run_duet(&r, NULL, 0, "pull", "llama", NULL);
    assert_int_equal(r.status, 0);
    assert_contains(r.err, "1.3 GB, Llama 3.2 Community License");
    assert_contains(r.err, hub_digest);
    assert_contains(r.err, "as localhost says");
    run_done(&r);
    assert_whole();
    run_shell(&r, "cat $HOME/.local/share/duet/models/*.json");
    assert_contains(r.out, hub_digest);
    assert_contains(r.out, "\"repository\": \"bartowski/Llama-3.2-1B-Instruct-GGUF\"");
    run_done(&r);
    run_duet(&r, NULL, 0, "pull", "LLAMA:Q8", NULL);
    assert_int_equal(r.status, 0);
    assert_contains(r.err, "is here already");
    run_done(&r);
}

/* What was pulled answers under its short name. */
static void test_pulled_model_answers(void **state)
{
    struct run r;
    (void)state;
    assert_pull("demo", 0, "");
    run_shell(&r, "$DUET models -q; $DUET -q -m llama --temp 0 -p '17 + 25'");
    assert_contains(r.out, "llama\n");
    assert_contains(r.out, "42");
    run_done(&r);
}

static void test_json(void **state)
{
    struct run r;
    (void)state;
    run_shell(&r, "$DUET pull llama --json | tail -n 1");
    assert_contains(r.out, "{\"event\":\"done\",\"model\":\"llama:q8\",\"path\":\"/");
    assert_contains(r.out, "\"bytes\":100000,\"was_here\":false}");
    run_done(&r);
    hub_use("hub", "404");
    run_shell(&r, "$DUET pull r1 --json 2>/dev/null | tail -n 1");
    assert_contains(r.out,
                    "\"event\":\"error\",\"model\":\"deepseek:q8\",\"status\":5,\"error\":\"");
    run_done(&r);
    hub_use("hub", "drip"); /* a reader that has left */
    run_shell(&r, "rm -rf $HOME/.local; $DUET pull llama --json 2>/dev/null | head -c 1; "
                  "echo $? ${PIPESTATUS[0]}");
    assert_contains(r.out, "141");
    run_done(&r);
}

/* A bar, which Ctrl-C ends; the next run goes on where it was. */
static void test_bar(void **state)
{
    (void)state;
    hub_use("hub", "drip");
    struct term *t = term_start(24, 80, "pull", "llama", NULL);
    term_expect(t, "0%  ");
    term_expect(t, "\u2591");
    term_expect(t, "of 100 kB");
    term_type(t, "\003");
    assert_int_equal(term_end(t), 130);
    assert_non_null(strstr(term_screen(t), "stopped; the same again goes on from here"));
    term_free(t);
    assert_models(".json .part");
    hub_forget();
    assert_pull("good", 0, "");
    char *log = hub_log();
    assert_non_null(strstr(log, "| Range: bytes="));
    free(log);
    assert_whole();
}

static void test_from(void **state)
{
    struct run r;
    char line[512];
    (void)state;
    setenv("HF_TOKEN", "hf_secretsecret", 1);
    snprintf(line, sizeof line, "F=https://127.0.0.1:%d/bare; $DUET pull llama -q --from $F/a.gguf",
             hub_port("cdn"));
    run_shell(&r, line);
    assert_int_equal(r.status, 2);
    assert_contains(r.err, "give it with --sha256");
    run_done(&r);
    assert_string_equal(models(), "");
    for (int i = 0; i < 2; i++) { /* a file, a mirror */
        snprintf(line, sizeof line,
                 "F=https://127.0.0.1:%d/bare; $DUET pull llama -q --from $F%s --sha256 %s",
                 hub_port("cdn"), i == 0 ? "/a.gguf?b=c" : "", hub_digest);
        remove_models();
        run_shell(&r, line);
        assert_int_equal(r.status, 0);
        run_done(&r);
        assert_whole();
    }
    char *log = hub_log();
    assert_non_null(strstr(log, "GET /bare/a.gguf?b=c "));
    assert_non_null(
        strstr(log, "GET /bare/bartowski/Llama-3.2-1B-Instruct-GGUF/resolve/main/Llama"));
    assert_null(strstr(log, "secret"));
    free(log);
    remove_models();
    memset(strstr(line, hub_digest), '0', 64);
    run_shell(&r, line);
    assert_int_equal(r.status, 5);
    assert_contains(r.err, "sha256 differs");
    run_done(&r);
    assert_models(".bad");
}

/* Lines that break */

/* Two hundred of them, each at another byte. */
static void test_cuts(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        remove_models();
        assert_pull("cut", 0, "");
        assert_whole();
    }
    remove_models();
    assert_pull("stall", 0, "");
    assert_whole();
}

/* Killed at any moment, it leaves a part at most, and in the end comes to the whole. */
static void test_kills(void **state)
{
    struct run r;
    (void)state;
    hub_use("hub", "slow");
    for (int i = 0; i < 12 && access("done", F_OK) != 0; i++) {
        char line[256];
        snprintf(line, sizeof line, "$DUET pull llama -q & sleep 0.0%d; kill -9 $!; wait $!",
                 15 + 7 * i);
        run_shell(&r, line);
        run_done(&r);
        if (strstr(models(), "gguf "))
            break;
        assert_null(strstr(models(), ".bad"));
    }
    assert_pull("good", 0, "");
    assert_whole();
}

static void test_wrong_ranges(void **state)
{
    static const char *const kinds[] = {"no-range", "shifted",   "other-total", "no-total",
                                        "416",      "cut-range", "changed"};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        remove_models();
        assert_pull(kinds[i], 0, "");
        assert_whole();
    }
}

static void test_silence(void **state)
{
    static const struct row rows[] = {{"silent", "nothing came for 0.3 s"}};
    struct run r;
    (void)state;
    ASSERT_REFUSED(rows);
    assert_pull("drip", 5, "nothing came for 0.3 s");
    assert_models(".json .part");
    assert_pull("good", 0, "");
    assert_whole();
    remove_models();
    setenv("HF_ENDPOINT", "https://localhost:1", 1);
    run_duet(&r, NULL, 0, "pull", "llama", "-q", NULL);
    assert_int_equal(r.status, 5);
    assert_contains(r.err, "connect");
    run_done(&r);
    setenv("HF_ENDPOINT",
           "https://no-host-has-a-label-of-more-than-sixty-three-letters-as-this-one-has.a", 1);
    run_duet(&r, NULL, 0, "pull", "llama", "-q", NULL);
    assert_int_equal(r.status, 5);
    assert_contains(r.err, "resolve host");
    run_done(&r);
}

/* Lies */

static void test_lengths(void **state)
{
    static const struct row rows[] = {
        {"short", "size mismatch (got 99999, must be 100000)"},
        {"long", "size mismatch (got 100001, must be 100000)"},
        {"negative", "Content-Length"},
        {"2-63", "Content-Length: not a number"},
        {"twice", "given twice"},
        {"chunks", "and chunks besides"},
        {"only-chunks", "how large"},
        {"always-206", "nobody asked for"},
        {"204", "HTTP 204"},
        {"404", "there is no such file"},
        {"500", "HTTP 500"},
        {"page", "text/html"},
        {"bomb", "compressed"},
        {"no-end", "no end"},
        {"many", "no end"},
        {"announce", "no end"},
        {"noise", "localhost: "},
        {"liar", "has another file"},
    };
    (void)state;
    ASSERT_REFUSED(rows);
    remove_models();
    assert_pull("more", 0, ""); /* what follows the end is not part of it */
    assert_whole();
}

static void test_flipped(void **state)
{
    (void)state;
    assert_pull("flipped", 5, "sha256 differs");
    assert_models(".bad");
    assert_pull("flipped", 0, "");
    assert_whole();
}

static void test_redirects(void **state)
{
    static const struct row rows[] = {
        {"loop", "after 10 times"},      {"hop", "after 10 times"},
        {"to-http", "http://localhost"}, {"to-file", "file:///etc/passwd"},
        {"to-password", "not followed"}, {"to-nothing", "to nowhere"},
        {"to-bad-tls", "certificate"},
    };
    (void)state;
    ASSERT_REFUSED(rows);
    remove_models();
    assert_pull("relative", 0, "");
    assert_whole();
}

/* What it says the file is: refused before anything is made here. */
static void test_metadata(void **state)
{
    static const struct row rows[] = {
        {"no-digest", "--sha256 can"},  {"upper", "not a sha256"},
        {"prefixed", "not a sha256"},   {"path", "not a sha256"},
        {"cut-digest", "not a sha256"}, {"long-digest", "not a sha256"},
        {"weak", "not a sha256"},       {"size-0", "not a number"},
        {"size-minus", "not a number"}, {"size-2-63", "not a number"},
    };
    (void)state;
    ASSERT_REFUSED(rows);
    assert_int_not_equal(system("test -e $HOME/.local"), 0);
}

/* Certificates */

static void test_tls(void **state)
{
    static const struct row rows[] = {
        {"expired", "certificate: "}, {"early", "certificate: "},   {"other", "certificate: "},
        {"self", "certificate: "},    {"unknown", "certificate: "}, {"old", "localhost: "},
        {"plain", "localhost: "},
    };
    struct run r;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hub_use(rows[i].kind, "good");
        run_duet(&r, NULL, 0, "pull", "llama", "-q", "--timeout", "0.5", NULL);
        if (r.status != 5 || !strstr(r.err, rows[i].says))
            fail_msg("%s: %d, %s", rows[i].kind, r.status, r.err);
        assert_error_line(&r);
        run_done(&r);
    }
    char *log = hub_log();
    assert_null(strstr(log, "GET"));
    assert_null(strstr(log, "HEAD"));
    free(log);
    hub_use("hub", "good");
    setenv("CURL_CA_BUNDLE", "/nowhere", 1);
    run_duet(&r, NULL, 0, "pull", "llama", "-q", NULL);
    assert_int_equal(r.status, 5);
    assert_contains(r.err, "cannot read the CA file /nowhere");
    run_done(&r);
    run_duet(&r, NULL, 0, "pull", "llama", "-q", "--from", "http://localhost/a.gguf", NULL);
    assert_int_equal(r.status, 2);
    assert_contains(r.err, "https://");
    run_done(&r);
    unsetenv("CURL_CA_BUNDLE"); /* the system's authorities do not know ours */
    run_duet(&r, NULL, 0, "pull", "llama", "-q", NULL);
    assert_int_equal(r.status, 5);
    run_done(&r);
    assert_string_equal(models(), "");
}

/* A proxy sees nothing but a request for a tunnel; a dead one is told of. */
static void test_proxy(void **state)
{
    struct run r;
    char proxy[64];
    (void)state;
    setenv("HF_TOKEN", "hf_secretsecret", 1);
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    run_duet(&r, NULL, 0, "pull", "llama", "-q", NULL);
    assert_int_equal(r.status, 5);
    run_done(&r);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", hub_port("plain"));
    setenv("https_proxy", proxy, 1);
    run_duet(&r, NULL, 0, "pull", "llama", "-q", NULL);
    assert_int_equal(r.status, 5);
    run_done(&r);
    char *log = hub_log();
    assert_null(strstr(log, "secret"));
    free(log);
}

/* The token */

static void test_token(void **state)
{
    static const char *const kinds[] = {"good",    "hub",  "to-port", "to-host",   "and-back",
                                        "to-http", "asks", "loop",    "to-bad-tls"};
    char host[64];
    struct run r;
    int sent = 0;
    (void)state;
    setenv("HF_TOKEN", "hf_secretsecret", 1);
    snprintf(host, sizeof host, "| Host: localhost:%d ", hub_port("hub"));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        remove_models();
        hub_use("hub", kinds[i]);
        run_duet(&r, NULL, 0, "pull", "llama", NULL);
        assert_null(strstr(r.err, "secret"));
        run_done(&r);
        run_shell(&r, "grep -rl secret $HOME");
        assert_string_equal(r.out, "");
        run_done(&r);
    }
    char *log = hub_log(), *save = NULL;
    for (char *line = strtok_r(log, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (!strstr(line, "hf_secretsecret"))
            continue;
        sent++;
        if (strncmp(line, "hub ", 4) != 0 || !strstr(line, host) || strstr(line, "/bare/"))
            fail_msg("the token went along: %s", line);
    }
    assert_true(sent > 9);
    free(log);
    run_shell(&r, "HF_TOKEN=$'hf_secret\\nX-Evil: 1' $DUET pull llama; "
                  "HF_TOKEN=$(head -c 100000 /dev/zero | tr '\\0' s) $DUET pull llama");
    assert_int_equal(r.status, 2);
    assert_null(strstr(r.err, "secret"));
    assert_contains(r.err, "HF_TOKEN: a character");
    assert_contains(r.err, "HF_TOKEN: too long");
    run_done(&r);
}

/* Names and links */

static void test_names(void **state)
{
    static const char *const names[] = {
        "../llama",     "/etc/passwd",  "llama/..",  "llama:../x", "llama:",     "llama:q8/..",
        "%2e%2e/llama", "..\\llama",    "llama:q5",  "-rf",        "--",         "con",
        "llama\n",      "lla\x1b[2Jma", "llama:q8 ", " llama",     "llama::q8",  "llama:q8:q4",
        "/dev/null",    "~/llama",      "*",         "llama\xff",  "llama;id",   "$(id)",
        "llama.gguf",   "r2",           "llama:q",   "llama:q88",  "demo-llama", "|id",
    };
    char longest[4000];
    struct run r;
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        run_duet(&r, NULL, 0, "pull", "--", names[i], NULL);
        if (r.status != 2)
            fail_msg("%s: %d, %s", names[i], r.status, r.err);
        assert_error_line(&r);
        run_done(&r);
    }
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    run_duet(&r, NULL, 0, "pull", longest, NULL);
    assert_int_equal(r.status, 2);
    assert_error_line(&r);
    run_done(&r);
    run_shell(&r, "ls -A $HOME");
    assert_string_equal(r.out, "");
    run_done(&r);
    assert_pull("named", 0, "");
    assert_whole();
    run_shell(&r, "find $HOME / -maxdepth 4 -name '*evil*' -not -path '/proc/*' 2>/dev/null");
    assert_string_equal(r.out, "");
    run_done(&r);
}

/* What stands in the place of the part, the file or the record, by whatever kind of name. */
static void test_links(void **state)
{
    static const struct {
        const char *make, *says;
    } rows[] = {
        {"ln -s $HOME/victim $F.part", "is a link"},
        {"ln -s $HOME/nowhere $F.part", "is a link"},
        {"ln $HOME/victim $F.part", "a hard link"},
        {"mkfifo $F.part", "not a plain file"},
        {"mkdir $F.part", "directory"},
        {"ln -s $HOME/victim $F", "as a link"},
        {"ln -s $HOME/nowhere $F", "as a link"},
        {"mkfifo $F", "not a plain file"},
        {"mkdir $F", "not a plain file"},
        {"echo other >$F", "is there with other content"},
        {"ln -s /dev/zero $F.part", "is a link"},
    };
    struct run r;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[512];
        snprintf(line, sizeof line,
                 "cd $HOME; rm -rf .local victim; D=.local/share/duet/models; mkdir -p $D; "
                 "F=$D/%s; echo mine >victim; chmod 644 victim; %s; $DUET pull llama -q; S=$?; "
                 "cat victim; stat -c %%a victim; ls; exit $S",
                 file, rows[i].make);
        run_shell(&r, line);
        if (r.status != 5 || !strstr(r.err, rows[i].says) ||
            strcmp(r.out, "mine\n644\nvictim\n") != 0)
            fail_msg("%s: %d, %s%s", rows[i].make, r.status, r.out, r.err);
        assert_error_line(&r);
        run_done(&r);
    }
    run_shell(&r, "cd $HOME; rm -rf .local; D=.local/share/duet/models; mkdir -p $D; "
                  "chmod 700 $D; ln -s $HOME/victim $D/Llama-3.2-1B-Instruct-Q8_0.gguf.json; "
                  "$DUET pull llama -q; cat victim");
    assert_int_equal(r.status, 0);
    assert_string_equal(r.out, "mine\n"); /* the link gave way to the record */
    run_done(&r);
    assert_whole();
}

/* The disk */

static void test_disk(void **state)
{
    struct run r;
    (void)state;
    assert_pull("huge", 5, "the disk is too full (needs 100000 TB, free");
    assert_string_equal(models(), "");
    hub_use("hub", "good");
    run_shell(&r, "ulimit -f 40; $DUET pull llama -q"); /* KiB */
    assert_int_equal(r.status, 5);
    assert_contains(r.err, "File too large after 41 kB, which are kept: make room");
    run_done(&r);
    assert_models(".json .part");
    hub_forget();
    assert_pull("good", 0, "");
    char *log = hub_log();
    assert_non_null(strstr(log, "| Range: bytes=40960-"));
    assert_non_null(strstr(log, "| If-Range: \"one\""));
    free(log);
    assert_whole();
    run_shell(&r, "XDG_DATA_HOME=/proc/self $DUET pull llama -q");
    assert_int_equal(r.status, 5);
    assert_error_line(&r);
    run_done(&r);
}

/* Of two at a time one waits, and finds what the other has brought. */
static void test_two(void **state)
{
    struct run r;
    (void)state;
    hub_use("hub", "slow");
    run_shell(&r, "$DUET pull llama -q & sleep 0.05; $DUET pull llama; S=$?; wait $!; echo $? $S");
    assert_string_equal(r.out, "0 0\n");
    assert_contains(r.err, "is here already");
    run_done(&r);
    assert_whole();
    char *log = hub_log();
    assert_null(strstr(strstr(log, "GET") + 1, "GET"));
    free(log);
}

int test_pull_verb(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, hub_sandbox, sandbox_remove)
    const struct CMUnitTest tests[] = {
        TEST(test_pull),     TEST(test_pulled_model_answers),
        TEST(test_json),     TEST(test_bar),
        TEST(test_from),     TEST(test_cuts),
        TEST(test_kills),    TEST(test_wrong_ranges),
        TEST(test_silence),  TEST(test_lengths),
        TEST(test_flipped),  TEST(test_redirects),
        TEST(test_metadata), TEST(test_tls),
        TEST(test_proxy),    TEST(test_token),
        TEST(test_names),    TEST(test_links),
        TEST(test_disk),     TEST(test_two),
    };
#undef TEST
    return cmocka_run_group_tests_name("pull", tests, hub_start, hub_stop);
}
