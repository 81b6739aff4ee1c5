/* test_models.c - `duet models`: names, files of other programs, their digests, and rm. */
#include "tests/app/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* $L and $D are the demo models, $M the folder for ours. */
static int place(void **state)
{
    char path[4096];
    if (sandbox_new(state) != 0)
        return -1;
    unsetenv("OLLAMA_MODELS");
    setenv("L", some_model(), 1);
    setenv("D", thinking_model(), 1);
    sandbox_path(".local/share/duet/models", path, sizeof path);
    setenv("M", path, 1);
    return system("mkdir -p $M");
}

/* Runs a line of the shell in the home, and expects this of it. */
static void assert_shell(const char *line, int status, const char *out, const char *err)
{
    struct run r;
    char whole[4096];
    snprintf(whole, sizeof whole, "cd $HOME; %s", line);
    run_shell(&r, whole);
    if (r.status != status || !strstr(r.out, out) || !strstr(r.err, err))
        fail_msg("%s: %d\n%s%s", line, r.status, r.out, r.err);
    run_done(&r);
}

static void assert_names(const char *names)
{
    struct run r;
    run_shell(&r, "$DUET models -q | grep -v demo | tr '\\n' ' '");
    assert_string_equal(r.out, names);
    run_done(&r);
}

/* Names */

static void names_follow_the_files(void **state)
{
    (void)state;
    assert_shell("for t in f16 Q4_K_M Q4_K_S Q8_0 Q6_K IQ4_XS Q3_K_M abliterated-Q8_0; do "
                 "cp $L $M/Llama-3.2-1B-Instruct-$t.gguf; done; cp $L $M/mine.gguf",
                 0, "", "");
    assert_shell("$DUET models | grep -E ' llama '", 0, "/Llama-3.2-1B-Instruct-Q8_0.gguf", "");
    assert_shell("$DUET models | grep -E ' llama:q4 '", 0, "/Llama-3.2-1B-Instruct-Q4_K_M.gguf",
                 "");
    assert_shell("$DUET models -q | sort", 0, "llama:q4_k_s\nllama:q6\n", "");
    assert_shell("$DUET models -q", 0, "Llama-3.2-1B-Instruct-abliterated-Q8_0\n", "");
    assert_shell("$DUET models -q", 0, "Llama-3.2-1B-Instruct-IQ4_XS\n", "");
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"llama:q8", "LLAMA:F16", "llama:q4_k_m"};
        char line[128];
        snprintf(line, sizeof line, "$DUET models show %s", names[i]);
        assert_shell(line, 0, "Llama 3.2 Community License", "");
    }
    assert_shell("$DUET -m llama:q5 hi", 3, "",
                 "llama:q5: not installed; `duet pull llama:q5` gets it");
    assert_shell("$DUET -m r1 hi", 3, "", "`duet pull deepseek` gets it");
    assert_shell("$DUET -m lama hi", 3, "", "did you mean llama?");
    assert_shell("cp $D $M/llama.gguf; $DUET models | grep -E ' llama '", 0, "/llama.gguf", "");
}

/* A model of every other program, where that keeps it: it is found, answers, and is not pulled. */

static void make_ollama(const char *root, const char *path, const char *type)
{
    char line[2048];
    snprintf(
        line, sizeof line,
        "R=%s; mkdir -p $R/blobs $R/manifests/%s; rmdir $R/manifests/%s; "
        "echo '{\"model_format\":\"gguf\",\"file_type\":\"%s\"}' >c; "
        "H=$(sha256sum <$L | cut -c-64); C=$(sha256sum <c | cut -c-64); "
        "cp $L $R/blobs/sha256-$H; cp c $R/blobs/sha256-$C; "
        "echo '{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:'$C'\",\"size\":'$(stat -c %%s "
        "c)'},\"layers\":[{\"mediaType\":\"application/vnd.ollama.image.license\","
        "\"digest\":\"x\"},{\"mediaType\":\"application/vnd.ollama.image.model\","
        "\"digest\":\"sha256:'$H'\",\"size\":'"
        "$(stat -c %%s $L)'}]}' >$R/manifests/%s",
        root, path, path, type, path);
    assert_shell(line, 0, "", "");
}

static void assert_found(const char *keeper)
{
    char line[256];
    assert_names("llama ");
    snprintf(line, sizeof line, "$DUET models | grep ' llama ' | grep '(%s)'", keeper);
    assert_shell(line, 0, "* llama", "");
}

/* The same, and what that means for everything else. */
static void assert_used(const char *keeper)
{
    char says[128];
    snprintf(says, sizeof says, "kept by %s: /", keeper);
    assert_found(keeper);
    assert_shell("$DUET -q --temp 0 -n 3 '17 + 25' | wc -c", 0, "", "");
    assert_shell("$DUET pull llama", 0, "", says);
    assert_shell("$DUET pull llama:q8 --json", 0, "\"was_here\":true", "");
    assert_shell("HF_ENDPOINT=https://localhost:1 $DUET pull llama:q4 -q", 5, "", "");
    assert_shell("$DUET models rm llama", 2, "", "belongs to ");
    assert_shell("$DUET models rm -y llama", 2, "", keeper);
    assert_names("llama ");
}

static void hugging_faces_caches_are_found(void **state)
{
    static const char *const homes[] = {"", "HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"};
    static const char *const folders[] = {".cache/huggingface/hub", "a/hub", "b",
                                          "c/huggingface/hub"};
    char line[1024], value[4096];
    (void)state;
    for (int i = 0; i < 4; i++) {
        snprintf(line, sizeof line,
                 "R=%s/models--some--Llama-3.2-1B-Instruct-GGUF; S=$R/snapshots/c0ffee; "
                 "mkdir -p $R/refs $R/blobs $S; echo -n c0ffee >$R/refs/main; "
                 "H=$(sha256sum <$L | cut -c-64); cp $L $R/blobs/$H; "
                 "ln -s ../../blobs/$H $S/Llama-3.2-1B-Instruct-Q8_0.gguf; "
                 "ln -s ../../blobs/0 $S/Llama-3.2-1B-Instruct-Q4_K_M.gguf; "
                 "mkdir -p %s/models--some--other-GGUF/snapshots/1; "
                 "cp $L %s/models--some--other-GGUF/snapshots/1/Llama-3.2-1B-Instruct-f16.gguf",
                 folders[i], folders[i], folders[i]);
        assert_shell(line, 0, "", "");
        sandbox_path(i == 1 ? "a" : i == 2 ? "b" : "c", value, sizeof value);
        if (i > 0)
            setenv(homes[i], value, 1);
        if (i == 0)
            assert_used("huggingface");
        else
            assert_found("huggingface");
        assert_shell("$DUET models verify llama", 0, "llama  right    sha256 ", "");
        if (i > 0)
            unsetenv(homes[i]);
        assert_shell("rm -rf .cache a b c", 0, "", "");
    }
}

static void hugging_faces_folders_are_models(void **state)
{
    const char *fixtures = getenv("DUET_FIXTURES");
    (void)state;
    if (!fixtures || !*fixtures)
        skip();
    assert_shell(
        "S=.cache/huggingface/hub/models--deepseek-ai--DeepSeek-R1-Distill-Qwen-1.5B/snapshots/1;"
        "mkdir -p $S; cp $DUET_FIXTURES/tiny/qwen2-a/hf/* $S; "
        "echo '{\"tokens\": [1, 2]}' | $DUET inspect logits -m deepseek",
        0, "{\"logits\": [", "");
    assert_shell("$DUET models", 0, "snapshots/1  (huggingface)", "");
    assert_shell("$DUET pull r1:f16", 0, "", "is on this machine already, kept by huggingface");
    assert_shell(
        "rm .cache/huggingface/hub/*/*/*/*.safetensors; $DUET models -m deepseek; $DUET models -q",
        0, "demo-llama", "");
    assert_names("");
}

static void ollamas_models_are_found(void **state)
{
    char value[4096];
    (void)state;
    make_ollama(".ollama/models", "registry.ollama.ai/library/llama3.2/1b", "Q8_0");
    assert_used("ollama");
    assert_shell("$DUET models verify llama", 0, "llama  right    sha256 ", "");
    assert_shell("mv .ollama/models o", 0, "", "");
    assert_names("");
    sandbox_path("o", value, sizeof value);
    setenv("OLLAMA_MODELS", value, 1);
    assert_found("ollama");
    assert_shell("truncate -s -1 $(ls -S o/blobs/* | head -1)", 0, "", ""); /* not whole */
    assert_names("");
    unsetenv("OLLAMA_MODELS");
    make_ollama("p", "hf.co/some/DeepSeek-R1-Distill-Qwen-1.5B-GGUF/Q4_K_M", "Q4_K_M");
    make_ollama("p", "registry.ollama.ai/library/llama3.2/1b-text-q8_0", "Q8_0");
    make_ollama("p", "registry.ollama.ai/library/llama3.2/3b", "Q8_0");
    sandbox_path("p", value, sizeof value);
    setenv("OLLAMA_MODELS", value, 1);
    assert_names("deepseek ");
    assert_shell("$DUET models show deepseek:q4", 0, "q4_k_m", "");
}

static void a_manifest_cannot_name_a_file_elsewhere(void **state)
{
    static const char *const digests[] = {
        "sha256:../../../../etc/passwd",
        "sha256:/etc/passwd",
        "../../x",
        "sha256:",
        "sha256:0",
        "sha512:H",
        "H",
        "sha256-H",
        "sha256:HH",
        "sha256:H/",
    };
    static const char *const rests[] = {
        "{}",
        "[]",
        "{\"layers\":{}}",
        "{\"layers\":[1,null,[]]}",
        "\\x00",
        "[[[[[[[[[[[[[[[[",
        "{\"layers",
        "\"text\"",
        "{\"layers\":null}",
    };
    char line[1024];
    (void)state;
    make_ollama(".ollama/models", "registry.ollama.ai/library/llama3.2/1b", "Q8_0");
    assert_names("llama ");
    assert_shell("cd .ollama/models/manifests/registry.ollama.ai/library/llama3.2; cp 1b ~/good", 0,
                 "", "");
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
        snprintf(line, sizeof line,
                 "H=$(sha256sum <$L | cut -c-64); D=$(echo %s | sed s/H/$H/g); "
                 "sed \"s|sha256:$H|$D|\" good >.ollama/models/manifests/*/library/llama3.2/1b",
                 digests[i]);
        assert_shell(line, 0, "", "");
        assert_names("");
    }
    assert_shell("H=$(sha256sum <$L | cut -c-64); sed \"s/$H/${H^^}/\" good "
                 ">.ollama/models/manifests/*/library/llama3.2/1b",
                 0, "", "");
    assert_names("");
    assert_shell("sed 's/\"size\":3811200/\"size\":-1/' good "
                 ">.ollama/models/manifests/*/library/llama3.2/1b",
                 0, "", "");
    assert_names("");
    for (size_t i = 0; i < sizeof rests / sizeof *rests; i++) {
        snprintf(line, sizeof line, "printf '%s' >.ollama/models/manifests/*/library/llama3.2/1b",
                 rests[i]);
        assert_shell(line, 0, "", "");
        assert_names("");
    }
    assert_shell("cd .ollama/models/manifests/*/library/llama3.2; rm 1b; mkfifo 1b 1b-a; ln -s "
                 "/dev/zero 1b-b; mkdir 1b-c; truncate -s 3G 1b-d; ln -s 1b-e 1b-e",
                 0, "", "");
    assert_names("");
}

static void llama_cpp_and_lm_studio_are_found(void **state)
{
    char value[4096];
    (void)state;
    assert_shell(
        "mkdir -p .cache/llama.cpp; cp $L "
        ".cache/llama.cpp/some_Llama-3.2-1B-Instruct-GGUF_Llama-3.2-1B-Instruct-Q8_0.gguf; "
        "cp $L .cache/llama.cpp/Llama-3.2-1B-Instruct-Q4_K_M.gguf.downloadInProgress",
        0, "", "");
    assert_used("llama.cpp");
    assert_shell("mv .cache/llama.cpp here", 0, "", "");
    assert_names("");
    sandbox_path("here", value, sizeof value);
    setenv("LLAMA_CACHE", value, 1);
    assert_found("llama.cpp");
    unsetenv("LLAMA_CACHE");
    assert_shell("D=.lmstudio/models/some/Llama-3.2-1B-Instruct-GGUF; mkdir -p $D; "
                 "mv here/*.gguf $D/Llama-3.2-1B-Instruct-Q8_0.gguf; touch $D/downloading_x.part",
                 0, "", "");
    assert_used("lmstudio");
    assert_shell("mv .lmstudio lm; echo $HOME/lm >.lmstudio-home-pointer", 0, "", "");
    assert_found("lmstudio");
}

/* In the configuration too, where no shell puts it in. */
static void a_tilde_is_the_home(void **state)
{
    (void)state;
    assert_shell(
        "cp $L mine.gguf; mkdir -p .config/duet; echo 'model = ~/mine.gguf' >.config/duet/config; "
        "$DUET models show '~/mine.gguf'; $DUET -q '17 + 25'",
        0, "17 + 25 = 42", "");
}

/* What to do where there is nothing to answer, or nothing that answers by itself. */
static void without_a_default_the_next_step_is_named(void **state)
{
    (void)state;
    assert_shell("cp $DUET duet && ./duet hi", 3, "",
                 "duet: model: none installed; `duet pull llama` gets one\n");
    assert_shell("./duet -m demo-llama hi", 3, "",
                 "duet: demo-llama: comes with duet, but is not beside this program\n");
    assert_shell("cp $L $M/mine.gguf; ./duet hi", 3, "",
                 "duet: model: none is the default; -m NAME takes one of `duet models`");
    assert_shell("./duet -qm mine 2 + 3", 0, "5", "");
}

/* One file that is in two places is one model. */
static void our_own_place_goes_first(void **state)
{
    (void)state;
    make_ollama(".ollama/models", "registry.ollama.ai/library/llama3.2/1b", "Q8_0");
    assert_shell("cp $L $M/Llama-3.2-1B-Instruct-Q8_0.gguf", 0, "", "");
    assert_names("llama llama:q8_0@ollama ");
    assert_shell("$DUET models show llama:q8", 0, "kept by     duet\n", "");
    assert_shell("$DUET models rm -y llama@ollama", 3, "", "no such model");
    assert_shell("$DUET models rm -y llama:q8_0@ollama", 2, "", "belongs to ollama");
    assert_shell("ln -sf $PWD/.ollama/models/blobs/$(ls -S .ollama/models/blobs | head -1) "
                 "$M/Llama-3.2-1B-Instruct-Q8_0.gguf",
                 0, "", "");
    assert_names("llama ");
    assert_shell("$DUET models verify -q llama", 0, "", "");
    assert_shell("$DUET models rm llama; ls -S .ollama/models/blobs | wc -l", 0, "2\n", "the link");
    assert_names("llama "); /* ollama's */
}

/* On a terminal, and in JSON. */
static void names_are_inert(void **state)
{
    (void)state;
    assert_shell("cp $L $M/$'a\\e[2J\\xff.gguf'; $DUET models --json | python3 -m json.tool", 0,
                 "a\\u001b[2J\\ufffd", "");
    assert_shell("$DUET models; $DUET models show $'a\\e[2J\\xff'; $DUET models verify", 0,
                 "a\\x1b[2J\\xff   unknown", "");
    struct term *t = term_start(24, 80, "models", "-q", NULL);
    term_expect(t, "a\\x1b[2J\\xff");
    term_free(t);
}

/* rm and verify */

static void rm_asks_first(void **state)
{
    (void)state;
    assert_shell("cp $L $M/mine.gguf; cp $L $M/other.gguf; touch $M/mine.gguf.json", 0, "", "");
    struct term *t = term_start(24, 80, "models", "rm", "mine", NULL);
    term_expect(t, "delete mine, 3.8 MB, for good?");
    term_expect(t, "[y/N]");
    term_type(t, "\r");
    assert_int_equal(term_end(t), 1);
    term_expect(t, "mine: kept");
    term_free(t);
    assert_names("mine other ");
    t = term_start(24, 80, "models", "rm", "mine", NULL);
    term_expect(t, "[y/N]");
    term_type(t, "y\r");
    assert_int_equal(term_end(t), 0);
    term_free(t);
    assert_names("other ");
    assert_shell("ls $M | tr '\\n' ' '", 0, "other.gguf ", "");
    assert_shell("$DUET models rm nothing other", 3, "", "nothing: no such model");
    assert_names("");
    assert_shell("$DUET models rm demo-llama", 2, "", "comes with duet");
    assert_shell("$DUET models rm", 2, "", "no model named");
    assert_shell("cp $L x.gguf; $DUET models rm -y ./x.gguf; ls x.gguf", 0, "x.gguf",
                 "no such model");
    assert_shell("$DUET models rm -y ../../../../x; $DUET models rm -y \"$HOME/x.gguf\"; ls x.gguf",
                 0, "x.gguf", "no such model");
    assert_shell(
        "P=$M/Llama-3.2-1B-Instruct-Q4_K_M.gguf; head -c 5000 $L >$P.part; echo {} >$P.json; "
        "$DUET models rm llama:q4; ls $M",
        0, "", "llama:q4: deleted, 5.0 kB");
    assert_shell("ls -A $M | wc -l", 0, "0\n", "");
    /* A folder of a release goes with all that is in it, but not with what links in it lead to. */
    assert_shell(
        "mkdir -p $M/rel keep; touch keep/me; echo {} >$M/rel/config.json; ln -s $PWD/keep "
        "$M/rel/l; $DUET models -q; $DUET models rm -y rel; ls $M; ls keep",
        0, "me\n", "rel: deleted");
    assert_names("");
}

static void verify_tells_right_from_wrong(void **state)
{
    (void)state;
    assert_shell("cp $L $M/mine.gguf; $DUET models verify mine", 0, "mine  unknown  sha256 ", "");
    assert_shell("H=$(sha256sum <$L | cut -c-64); echo "
                 "'{\"sha256\":\"'$H'\",\"verified\":1,\"licence\":\"MI\\"
                 "u001bT\"}' >$M/mine.gguf.json; $DUET models verify mine",
                 0, "mine  right    sha256 ", "");
    assert_shell("$DUET models show mine", 0, "licence     MI\\x1bT", "");
    assert_shell(
        "printf x | dd of=$M/mine.gguf conv=notrunc bs=1 seek=9999 status=none; $DUET models "
        "verify",
        5, "mine           differs  sha256 ", "duet models rm mine, then pull it again");
    assert_shell("$DUET models verify mine --json", 5, "\"verdict\": \"differs\"", "");
    assert_shell("$DUET models verify nothing", 3, "", "no such model");
    assert_shell("$DUET models verify /dev/zero", 3, "", "not a plain file");
    assert_shell("mkfifo f; $DUET models verify ./f", 3, "", "not a plain file");
    assert_shell("$DUET models sing", 2, "", "limit ls, show, rm, verify");
}

static void demo_models_are_known(void **state)
{
    (void)state;
    assert_shell(
        "$DUET models verify", 0,
        "demo-deepseek  right    sha256 e6ecd400afcdd1c6ccfb444820b724b0a3d717ad32eddddf493"
        "e88c9a57bf808\n"
        "demo-llama     right    sha256 1a10be74e23f96b7ad853b249c48dc09da06453e41cb627d80f"
        "b315ab5c5d169\n",
        "");
    assert_shell("$DUET models show demo-llama", 0, "sha256      1a10be74e23f", "");
    /* Only where duet keeps it. */
    assert_shell("cp $L $M/own.gguf; $DUET models verify own", 0, "own  unknown  ", "");
    assert_shell(
        "mkdir -p bin share/duet/models; cp $DUET bin; head -c 9999 $L "
        ">share/duet/models/demo-llama.gguf; bin/duet models verify demo-llama",
        5, "demo-llama  differs  sha256 ",
        "demo-llama: sha256 differs (must be 1a10be74e23f...); it comes with duet: install "
        "that again");
}

/* Whatever the names are made of. */
static void columns_line_up(void **state)
{
    (void)state;
    assert_shell(
        "cp $L $M/\xe4\xbd\xa0\xe5\xa5\xbd.gguf; cp $L $M/na\xc3\xafve.gguf; "
        "$DUET models verify na\xc3\xafve \xe4\xbd\xa0\xe5\xa5\xbd demo-llama | cut -d's' -f1",
        0,
        "na\xc3\xafve       unknown  \n\xe4\xbd\xa0\xe5\xa5\xbd        unknown  \n"
        "demo-llama  right    \n",
        "");
    assert_shell("$DUET models | sed 's/MB.*/MB/'", 0,
                 "  na\xc3\xafve            3.8 MB\n  \xe4\xbd\xa0\xe5\xa5\xbd             3.8 MB\n"
                 "* demo-deepseek",
                 "");
}

int test_models(void)
{
#define PLACE(f) cmocka_unit_test_setup_teardown(f, place, sandbox_remove)
    const struct CMUnitTest tests[] = {
        PLACE(names_follow_the_files),
        PLACE(hugging_faces_caches_are_found),
        PLACE(hugging_faces_folders_are_models),
        PLACE(ollamas_models_are_found),
        PLACE(a_manifest_cannot_name_a_file_elsewhere),
        PLACE(llama_cpp_and_lm_studio_are_found),
        PLACE(without_a_default_the_next_step_is_named),
        PLACE(our_own_place_goes_first),
        PLACE(a_tilde_is_the_home),
        PLACE(names_are_inert),
        PLACE(rm_asks_first),
        PLACE(verify_tells_right_from_wrong),
        PLACE(demo_models_are_known),
        PLACE(columns_line_up),
    };
#undef PLACE
    return cmocka_run_group_tests_name("models", tests, NULL, NULL);
}
