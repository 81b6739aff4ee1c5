/* a_pull_is_whole_and_right.c - `duet pull` from servers that are honest, broken or wrong. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/digest.h"
#include "app/models/catalog.h"
#include "app/str.h"
#include "tests/app/hub.h"
#include "tests/app/pulling.h"

/* Honest servers */

static void a_pull_is_whole_and_right(void **state)
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
    assert_pulled();
    run_shell(&r, "cat $HOME/.local/share/duet/models/*.json");
    assert_contains(r.out, hub_digest);
    assert_contains(r.out, "\"repository\": \"bartowski/Llama-3.2-1B-Instruct-GGUF\"");
    run_done(&r);
    run_duet(&r, NULL, 0, "pull", "LLAMA:Q8", NULL);
    assert_int_equal(r.status, 0);
    assert_contains(r.err, "is here already");
    run_done(&r);
    /* One whose record was lost has one again. */
    run_shell(&r, "cd $HOME/.local/share/duet/models; echo '{' >*.json; "
                  "$DUET models show llama | grep -c sha256; $DUET pull llama -q; "
                  "$DUET models show llama | grep -c sha256");
    assert_string_equal(r.out, "0\n1\n");
    run_done(&r);
}

static void a_pulled_model_answers_by_its_short_name(void **state)
{
    struct run r;
    (void)state;
    assert_pull("demo", 0, "");
    run_shell(&r, "$DUET models -q; $DUET -q -m llama --temp 0 -p '17 + 25'");
    assert_contains(r.out, "llama\n");
    assert_contains(r.out, "42");
    run_done(&r);
}

static void pull_speaks_json(void **state)
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

static void an_interrupted_pull_is_continued(void **state)
{
    (void)state;
    hub_use("hub", "drip");
    struct term *t = term_start(24, 80, "pull", "llama", NULL);
    term_expect(t, "0%  ");
    term_expect(t, "\u2591");
    term_expect(t, "of 100 kB");
    wait_for_part(); /* what is shown is there before the first byte */
    term_type(t, "\003");
    assert_int_equal(term_end(t), 130);
    term_expect(t, "stopped; the same command resumes it");
    term_free(t);
    assert_pulled_names(".json .part");
    hub_forget();
    assert_pull("good", 0, "");
    char *log = hub_log();
    assert_non_null(strstr(log, "| Range: bytes="));
    free(log);
    assert_pulled();
}

static void a_file_can_be_pulled_from_elsewhere(void **state)
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
    assert_string_equal(pulled_names(), "");
    for (int i = 0; i < 2; i++) { /* a file, a mirror */
        snprintf(line, sizeof line,
                 "F=https://127.0.0.1:%d/bare; $DUET pull llama -q --from $F%s --sha256 %s",
                 hub_port("cdn"), i == 0 ? "/a.gguf?b=c" : "", hub_digest);
        remove_pulled();
        run_shell(&r, line);
        assert_int_equal(r.status, 0);
        run_done(&r);
        assert_pulled();
    }
    run_shell(&r, "grep -r b=c $HOME");
    assert_string_equal(r.out, "");
    run_done(&r);
    char *log = hub_log();
    assert_non_null(strstr(log, "GET /bare/a.gguf?b=c "));
    assert_non_null(
        strstr(log, "GET /bare/bartowski/Llama-3.2-1B-Instruct-GGUF/resolve/main/Llama"));
    assert_null(strstr(log, "secret"));
    free(log);
    remove_pulled();
    memset(strstr(line, hub_digest), '0', 64);
    run_shell(&r, line);
    assert_int_equal(r.status, 5);
    assert_contains(r.err, "sha256 differs");
    run_done(&r);
    assert_pulled_names(".bad");
}

/* What the table knows */

static void assert_refuses(const char *kind, const char *name, const char *says)
{
    struct run r;
    hub_use("hub", kind);
    run_duet(&r, NULL, 0, "pull", "-q", name, NULL);
    assert_int_equal(r.status, 5);
    assert_contains(r.err, says);
    assert_error_line(&r);
    run_done(&r);
}

/* The file is asked for by the commit that it belongs to. */
static void a_known_digest_is_not_asked_for(void **state)
{
    static const char *const kinds[] = {"good", "hub", "bare", "moved", "closed"};
    struct run r;
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        remove_pulled();
        hub_forget();
        hub_use("hub", kinds[i]);
        run_duet(&r, NULL, 0, "pull", "llama:q4", NULL);
        assert_int_equal(r.status, 0);
        assert_contains(r.err, "100 kB, Llama");
        assert_contains(r.err, hub_digest);
        assert_contains(r.err, "as this version knows it");
        run_done(&r);
        assert_string_equal(pulled_names(), "Llama-3.2-1B-Instruct-Q4_K_M.gguf "
                                            "Llama-3.2-1B-Instruct-Q4_K_M.gguf.json ");
        char *log = hub_log();
        assert_null(strstr(log, "HEAD"));
        assert_non_null(strstr(log, "/resolve/00000000000000000000000000000000c0ffee00/"));
        assert_int_equal(strstr(log, "/resolve/main/") != NULL, i >= 3);
        free(log);
    }
    remove_pulled(); /* a mirror, of which nobody has to say what it has */
    setenv("FROM", getenv("HF_ENDPOINT"), 1);
    run_shell(&r, "HF_ENDPOINT= $DUET pull llama:q4 --from $FROM");
    assert_int_equal(r.status, 0);
    assert_contains(r.err, "as this version knows it");
    run_done(&r);
    unsetenv("FROM");
    /* Nor has it to have come by a pull. */
    run_shell(&r, "rm $HOME/.local/share/duet/models/*.json; $DUET models verify llama");
    assert_contains(r.out, "llama  right");
    run_done(&r);
}

/* Who wants it all the same names its digest. */
static void a_file_that_differs_gets_no_name(void **state)
{
    struct run r;
    (void)state;
    assert_refuses("good", "llama:f16",
                   "has another file (sha256 6ce7db45c8db..., not 0123456789ab...); --from gets "
                   "the known file elsewhere, --sha256 another one");
    assert_refuses("bare", "deepseek:q4", "size mismatch (got 100000, must be 200000); --from");
    assert_string_equal(pulled_names(), "");
    assert_refuses("bare", "llama:f16", "sha256 differs (got 6ce7db45c8db..., must be 0123456");
    assert_string_equal(pulled_names(), "Llama-3.2-1B-Instruct-f16.gguf.bad ");
    hub_forget();
    run_duet(&r, NULL, 0, "pull", "llama:f16", "--sha256", hub_digest, NULL);
    assert_int_equal(r.status, 0);
    assert_contains(r.err, "as given");
    run_done(&r);
    char *log = hub_log();
    assert_null(strstr(log, "c0ffee"));
    assert_non_null(strstr(log, "/resolve/main/"));
    free(log);
    assert_refuses("good", "llama:f16", "is there with other content");
}

/* Several files */

static void shell(struct run *r, const char *line, int status)
{
    run_shell(r, line);
    if (r->status != status)
        fail_msg("%s: %d, %s%s", line, r->status, r->out, r->err);
}

static void a_folder_is_whole_when_all_its_files_are(void **state)
{
    static const char *const kinds[] = {"good", "today", "bare", "moved"};
    struct run r;
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        remove_pulled();
        hub_use("hub", kinds[i]);
        shell(&r, "$DUET pull deepseek:f16", 0);
        assert_contains(r.err, "DeepSeek-R1-Distill-Qwen-1.5B-BF16 (105 kB, MIT)");
        assert_contains(r.err, hub_digest);
        run_done(&r);
        shell(&r, "ls $HOME/.local/share/duet/models/*-BF16", 0);
        assert_string_equal(r.out, "config.json\nconfig.json.json\nmodel.safetensors\n"
                                   "model.safetensors.json\ntokenizer.json\n"
                                   "tokenizer.json.json\n");
        run_done(&r);
    }
    shell(&r, "$DUET pull deepseek:f16 --json | tail -n 1", 0);
    assert_contains(r.out, "-BF16\",\"sha256\":\"6ce7db45c8db");
    assert_contains(r.out, "\"bytes\":105300,\"was_here\":true}");
    run_done(&r);
    shell(&r, "$DUET models -q; $DUET models show deepseek:f16; $DUET models verify r1:f16", 0);
    assert_contains(r.out, "deepseek\n");
    assert_contains(r.out, hub_digest);
    assert_contains(r.out, "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B");
    assert_contains(r.out, "deepseek  right    sha256 6ce7db45c8db");
    run_done(&r);
    shell(&r,
          "echo >>$HOME/.local/share/duet/models/*/tokenizer.json; $DUET models verify deepseek",
          5);
    assert_contains(r.out, "deepseek  differs");
    run_done(&r);
    shell(&r, "$DUET models rm -y deepseek:f16; ls $HOME/.local/share/duet/models", 0);
    assert_string_equal(r.out, "");
    run_done(&r);
}

static void a_folder_in_part_is_no_model(void **state)
{
    struct run r;
    (void)state;
    hub_use("hub", "only-weights");
    shell(&r, "$DUET pull deepseek:f16 -q", 5);
    assert_contains(r.err, "there is no such file");
    run_done(&r);
    shell(&r, "$DUET models", 0);
    assert_contains(r.err, "94% of deepseek:f16 is here; duet pull deepseek:f16 continues it");
    assert_null(strstr(r.out, "BF16"));
    run_done(&r);
    hub_forget();
    hub_use("hub", "good");
    shell(&r, "$DUET pull deepseek:f16 -q", 0);
    run_done(&r);
    char *log = hub_log();
    assert_null(strstr(log, "model.safetensors"));
    assert_non_null(strstr(log, "config.json"));
    free(log);
    shell(&r, "rm $HOME/.local/share/duet/models/*/config.json; $DUET models rm -y deepseek:f16",
          0);
    assert_contains(r.err, "deepseek:f16: deleted, 105 kB");
    assert_string_equal(pulled_names(), "");
    run_done(&r);
    shell(&r,
          "D=$HOME/.local/share/duet/models/DeepSeek-R1-Distill-Qwen-1.5B-BF16; mkdir -p $D; "
          "echo {} >$D/config.json; $DUET models",
          0); /* somebody's own */
    assert_null(strstr(r.err, "continues it"));
    run_done(&r);
    shell(&r, "$DUET pull deepseek:f16 --from https://localhost/a.gguf", 2);
    assert_contains(r.err, "--from FILE.gguf: for a model of one file");
    run_done(&r);
    setenv("SHA256", hub_digest, 1);
    shell(&r, "$DUET pull deepseek:f16 --sha256 $SHA256", 2);
    assert_contains(r.err, "--sha256: for a model of one file");
    run_done(&r);
}

static void the_table_equals_the_manuals(void **state)
{
    struct run r;
    (void)state;
    run_shell(&r, "cat man/duet-pull.1");
    for (size_t i = 0; i < catalog_size; i++) {
        const struct catalog_entry *e = &catalog[i];
        struct str row = {0};
        str_addf(&row, ".It %s:%s Ta %s Ta ", e->name, e->type, catalog_path(e));
        catalog_add_size(&row, e);
        assert_contains(r.out, row.data);
        str_done(&row);
        assert_contains(r.out, e->repository);
        assert_int_equal(strspn(e->revision, "0123456789abcdef"), 40);
        const struct catalog_file *file = e->files;
        for (; file < e->files + CATALOG_FILES && file->name; file++) {
            assert_true(file->sha256 && digest_is_hex(file->sha256));
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(catalog[k].files[0].sha256, file->sha256);
        }
        assert_int_equal(e->folder != NULL, file > e->files + 1);
        if (e->folder)
            assert_string_equal(file[-1].name, "config.json");
    }
    run_done(&r);
}

/* Lines that break */

/* Each at another byte, in five pulls side by side. */
static void two_hundred_cuts_are_survived(void **state)
{
    struct run r;
    (void)state;
    hub_use("hub", "cut");
    run_shell(
        &r,
        "cd $HOME; for i in 1 2 3 4 5; do XDG_DATA_HOME=$HOME/$i $DUET pull llama -q & done; wait; "
        "sha256sum [1-5]/duet/models/*.gguf; ls [1-5]/duet/models | grep -c 'part$'");
    int whole = 0;
    for (const char *at = r.out; (at = strstr(at, hub_digest)); at++)
        whole++;
    assert_int_equal(whole, 5);
    assert_contains(r.out, "\n0\n");
    assert_string_equal(r.err, "");
    run_done(&r);
    int cuts = 0;
    char *log = hub_log();
    for (const char *at = log; (at = strstr(at, "GET ")); at++)
        cuts++;
    free(log);
    assert_true(cuts > 150);
    assert_pull("stall", 0, "");
    assert_pulled();
}

/* And the next ones come to the whole. */
static void a_killed_pull_leaves_a_part_at_most(void **state)
{
    struct run r;
    (void)state;
    hub_use("hub", "slow");
    for (int i = 0; i < 12; i++) {
        char line[256];
        snprintf(line, sizeof line, "$DUET pull llama -q & sleep 0.0%d; kill -9 $!; wait $!",
                 15 + 7 * i);
        run_shell(&r, line);
        run_done(&r);
        if (strstr(pulled_names(), "gguf "))
            break;
        assert_null(strstr(pulled_names(), ".bad"));
    }
    assert_pull("good", 0, "");
    assert_pulled();
}

static void wrong_ranges_are_begun_anew(void **state)
{
    static const char *const kinds[] = {"no-range", "shifted",   "other-total", "no-total",
                                        "416",      "cut-range", "changed"};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        remove_pulled();
        assert_pull(kinds[i], 0, "");
        assert_pulled();
    }
}

static void silence_is_given_up(void **state)
{
    static const struct refusal rows[] = {{"silent", "nothing came for 0.1 s"}};
    struct run r;
    (void)state;
    ASSERT_REFUSED(rows);
    assert_pull("drip", 5, "nothing came for 1 s");
    assert_pulled_names(".json .part");
    assert_pull("good", 0, "");
    assert_pulled();
    remove_pulled();
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

/* It would be for ten seconds and more. Needs a network of its own, which not every system lets a
 * user have. */
static void a_deaf_name_server_is_not_waited_for(void **state)
{
    struct run r;
    (void)state;
    setenv("HF_ENDPOINT", "https://a.host.example", 1);
    run_shell(&r, "unshare -r -n -m python3 tests/hub/deaf.py "
                  "timeout --preserve-status -k 5 0.2 $DUET pull llama -q");
    bool ran = r.status == 128 + 15 || r.status == 128 + 9;
    if (ran)
        assert_int_equal(r.status, 128 + 15);
    run_done(&r);
    if (!ran)
        skip();
}

/* Lies */

static void lies_about_lengths_are_refused(void **state)
{
    static const struct refusal rows[] = {
        {"short", "size mismatch (got 99999, must be 100000)"},
        {"long", "size mismatch (got 100001, must be 100000)"},
        {"negative", "size mismatch: Content-Length is not a number of bytes"},
        {"2-63", "size mismatch: Content-Length is not a number of bytes"},
        {"twice", "size mismatch: Content-Length is given twice"},
        {"twice-same", "size mismatch: Content-Length is given twice"},
        {"chunks", "size mismatch: Content-Length, and chunks besides"},
        {"wrong-chunks", "size mismatch: more than the file's 100000 bytes"},
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
    static const char *const fine[] = {"only-chunks", "until-closed", "few-chunks", "lingers"};
    (void)state;
    ASSERT_REFUSED(rows);
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        remove_pulled();
        assert_pull(fine[i], 0, "");
        assert_pulled();
    }
}

/* What was promised may be right: then it is kept, and not asked for again. */
static void more_than_was_promised_is_refused(void **state)
{
    static const struct refusal rows[] = {
        {"more", "localhost: size mismatch: more than the 100000 bytes promised"},
        {"more-chunks", "size mismatch: more than the file's 100000 bytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        remove_pulled();
        assert_pull(rows[i].kind, 5, rows[i].says);
        assert_pulled_names(".json .part");
        hub_forget();
        assert_pull("good", 0, "");
        assert_pulled();
        char *log = hub_log();
        assert_null(strstr(log, "GET"));
        free(log);
    }
}

static void a_flipped_bit_is_found(void **state)
{
    (void)state;
    assert_pull("flipped", 5, "sha256 differs");
    assert_pulled_names(".bad");
    hub_forget();
    assert_pull("flipped", 0, "");
    assert_pulled();
    char *log = hub_log();
    assert_non_null(strstr(log, "GET"));
    assert_null(strstr(log, "Range:")); /* none of it is trusted */
    free(log);
}

/* The disk */

static void a_full_disk_keeps_what_there_is(void **state)
{
    struct run r;
    (void)state;
    assert_pull("huge", 5, "the disk is too full (needs 100000 TB, free");
    assert_string_equal(pulled_names(), "");
    hub_use("hub", "good");
    run_shell(&r, "ulimit -f 40; $DUET pull llama -q"); /* KiB */
    assert_int_equal(r.status, 5);
    assert_contains(r.err, "File too large after 41 kB, which are kept: make room");
    run_done(&r);
    assert_pulled_names(".json .part");
    hub_forget();
    assert_pull("good", 0, "");
    char *log = hub_log();
    assert_non_null(strstr(log, "| Range: bytes=40960-"));
    assert_non_null(strstr(log, "| If-Range: \"one\""));
    free(log);
    assert_pulled();
    run_shell(&r, "XDG_DATA_HOME=/proc/self $DUET pull llama -q");
    assert_int_equal(r.status, 5);
    assert_error_line(&r);
    run_done(&r);
}

static void the_second_of_two_waits_for_the_first(void **state)
{
    struct run r;
    (void)state;
    hub_use("hub", "slow");
    run_shell(
        &r,
        "$DUET pull llama -q & while [ ! -s $HOME/.local/share/duet/models/*.part ] && kill -0 $!; "
        "do sleep 0.005; done; $DUET pull llama; S=$?; wait $!; echo $? $S");
    assert_string_equal(r.out, "0 0\n");
    assert_contains(r.err, "is here already");
    run_done(&r);
    assert_pulled();
    char *log = hub_log();
    assert_null(strstr(strstr(log, "GET") + 1, "GET"));
    free(log);
}

int test_pull_verb(void)
{
    const struct CMUnitTest tests[] = {
        HUB_TEST(a_pull_is_whole_and_right),
        HUB_TEST(a_pulled_model_answers_by_its_short_name),
        HUB_TEST(pull_speaks_json),
        HUB_TEST(an_interrupted_pull_is_continued),
        HUB_TEST(a_file_can_be_pulled_from_elsewhere),
        HUB_TEST(a_known_digest_is_not_asked_for),
        HUB_TEST(a_file_that_differs_gets_no_name),
        HUB_TEST(a_folder_is_whole_when_all_its_files_are),
        HUB_TEST(a_folder_in_part_is_no_model),
        HUB_TEST(the_table_equals_the_manuals),
        HUB_TEST(two_hundred_cuts_are_survived),
        HUB_TEST(a_killed_pull_leaves_a_part_at_most),
        HUB_TEST(wrong_ranges_are_begun_anew),
        HUB_TEST(silence_is_given_up),
        HUB_TEST(a_deaf_name_server_is_not_waited_for),
        HUB_TEST(lies_about_lengths_are_refused),
        HUB_TEST(more_than_was_promised_is_refused),
        HUB_TEST(a_flipped_bit_is_found),
        HUB_TEST(a_full_disk_keeps_what_there_is),
        HUB_TEST(the_second_of_two_waits_for_the_first),
    };
    return cmocka_run_group_tests_name("pull", tests, hub_start, hub_stop);
}
