/* test_pull_trust.c - `duet pull` from servers that want more than they get: by redirects,
 * certificates, names and links. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/app/hub.h"
#include "tests/app/pulling.h"

static void bad_redirects_are_not_followed(void **state)
{
    static const struct refusal rows[] = {
        {"loop", "after 10 times"},      {"hop", "after 10 times"},
        {"to-http", "http://localhost"}, {"to-file", "file:///etc/passwd"},
        {"to-password", "not followed"}, {"to-nothing", "to nowhere"},
        {"to-bad-tls", "certificate"},
    };
    (void)state;
    ASSERT_REFUSED(rows);
    remove_pulled();
    assert_pull("relative", 0, "");
    assert_pulled();
}

/* Before anything is made here. */
static void bad_metadata_is_refused(void **state)
{
    static const struct refusal rows[] = {
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

static void bad_certificates_are_refused(void **state)
{
    static const struct refusal rows[] = {
        {"expired", "certificate: "},
        {"early", "certificate: "},
        {"other", "certificate: "},
        {"self", "certificate: "},
        {"unknown", "certificate: "},
        {"old", "localhost: certificate: none came, without TLS 1.2 or later: "},
        {"plain", "localhost: "},
    };
    struct run r;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        hub_use(rows[i].kind, "good");
        const char *patience = strcmp(rows[i].kind, "plain") == 0 ? "0.2" : "10";
        run_duet(&r, NULL, 0, "pull", "llama", "-q", "--timeout", patience, NULL);
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
    assert_string_equal(pulled_names(), "");
}

/* And a dead one is named. */
static void a_proxy_sees_only_a_tunnel(void **state)
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

static void the_token_goes_to_its_host_alone(void **state)
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
        remove_pulled();
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

static void names_cannot_leave_the_folder(void **state)
{
    static const char *const names[] = {
        "../llama",
        "/etc/passwd",
        "llama/..",
        "llama:../x",
        "llama:",
        "llama:q8/..",
        "%2e%2e/llama",
        "..\\llama",
        "llama:q5",
        "-rf",
        "--",
        "con",
        "llama\n",
        "lla\x1b[2Jma",
        "llama:q8 ",
        " llama",
        "llama::q8",
        "llama:q8:q4",
        "/dev/null",
        "~/llama",
        "*",
        "llama\xff",
        "llama;id",
        "$(id)",
        "llama.gguf",
        "r2",
        "llama:q",
        "llama:q88",
        "demo-llama",
        "|id",
        "LLAMA/",
        "llama/q8",
        "./llama",
        "models",
        "stop",
        "llama.",
        ".llama",
        "llama-q8",
        "llama_q8",
        "llama q8",
        "llama:q8\n",
        "llama:Q9",
        "llama:f32",
        "llama:bf16",
        "r1:",
        "r1::",
        ":q8",
        ":",
        "deepseek:",
        "deepseek/q8",
        "https://huggingface.co/x",
        "hf.co/x",
        "llama\\",
        "%00",
        "\x7f",
        "\xe2\x80\xae"
        "llama",
        "llama\t",
        "-",
        "NUL",
        "aux",
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
    assert_pulled();
    run_shell(&r, "find $HOME / -maxdepth 4 -name '*evil*' -not -path '/proc/*' 2>/dev/null");
    assert_string_equal(r.out, "");
    run_done(&r);
}

/* In the place of the part, of the file or of its record. */
static void links_are_not_written_through(void **state)
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
                 pulled_file, rows[i].make);
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
    assert_pulled();
}

static void a_replaced_part_gets_no_name(void **state)
{
    struct run r;
    (void)state;
    hub_use("hub", "waits");
    run_shell(&r, "cd $HOME; echo mine >victim; D=.local/share/duet/models; $DUET pull llama -q & "
                  "while [ ! -s $D/*.part ]; do sleep 0.005; done; mv $D/*.part kept; "
                  "ln -s $HOME/victim $D/Llama-3.2-1B-Instruct-Q8_0.gguf.part; "
                  "touch $(dirname $CURL_CA_BUNDLE)/go; wait $!; S=$?; "
                  "cat victim; ls $D/*.gguf; exit $S");
    assert_int_equal(r.status, 5);
    assert_string_equal(r.out, "mine\n");
    assert_contains(r.err, "was replaced meanwhile");
    run_done(&r);
}

/* Where anybody could see it who lists processes. */
static void the_token_is_not_in_the_command_line(void **state)
{
    struct run r;
    (void)state;
    hub_use("hub", "drip");
    setenv("HF_TOKEN", "hf_secretsecret", 1);
    run_shell(&r, "$DUET pull llama -q & while [ ! -s $HOME/.local/share/duet/models/*.part ]; do "
                  "sleep 0.005; done; tr '\\0' ' ' </proc/$!/cmdline; kill $!; wait $!");
    assert_int_equal(r.status, 128 + 15);
    assert_contains(r.out, "pull llama");
    assert_null(strstr(r.out, "secret"));
    run_done(&r);
}

int test_pull_trust(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(bad_redirects_are_not_followed),       HUB_TEST(bad_metadata_is_refused),
        HUB_TEST(bad_certificates_are_refused),         HUB_TEST(a_proxy_sees_only_a_tunnel),
        HUB_TEST(the_token_goes_to_its_host_alone),     HUB_TEST(names_cannot_leave_the_folder),
        HUB_TEST(links_are_not_written_through),        HUB_TEST(a_replaced_part_gets_no_name),
        HUB_TEST(the_token_is_not_in_the_command_line),
    };
    return cmocka_run_group_tests_name("pull-trust", tests, hub_start, hub_stop);
}
