/* test_pool.c - the models in memory: which stay, which give way, and what other processes are
 * told. */
#include "tests/app/tests.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/app/talk.h"

enum { MIB = 1024 * 1024 };

static uint64_t bytes_of(const struct pool_model *m)
{
    const struct engine_info *info = engine_info(m->engine);
    return info->weight_bytes + info->kv_bytes + info->scratch_bytes;
}

static bool is_held(const struct talk *p, const char *name)
{
    const struct model_pool *h = &p->chat.pool;
    for (size_t i = 0; i < h->n; i++)
        if (strcmp(h->models[i].file.name, name) == 0)
            return h->models[i].engine != NULL;
    return false;
}

static void assert_note(struct talk *p, const char *wanted)
{
    struct str note = {0};
    assert_int_equal(model_pool_take_note(&p->chat.pool, &note), wanted != NULL);
    if (wanted)
        assert_contains(note.data, wanted);
    str_done(&note);
}

/* A limit that the models in memory fill but for less than a MiB. */
static void limit_to_held(struct talk *p)
{
    const struct model_pool *h = &p->chat.pool;
    uint64_t bytes = 0;
    for (size_t i = 0; i < h->n; i++)
        bytes += h->models[i].engine ? bytes_of(&h->models[i]) : 0;
    p->options.memory_limit = (int64_t)((bytes + MIB - 1) / MIB);
}

static void the_model_unused_for_longest_gives_way(void **state)
{
    struct talk p;
    char llama[4096], deepseek[4096], small[4096];
    (void)state;
    snprintf(llama, sizeof llama, "%s", some_model());
    snprintf(deepseek, sizeof deepseek, "%s", thinking_model());
    snprintf(small, sizeof small, "%s", small_model());
    talk_open(&p, NULL);
    talk_use(&p, deepseek);
    talk_use(&p, llama);
    limit_to_held(&p);
    talk_ask(&p, "What is 17 + 25?");
    talk_use(&p, deepseek); /* used later than the other now */
    assert_note(&p, NULL);
    talk_use(&p, small);
    assert_note(&p, "demo-llama gave way to ");
    assert_true(is_held(&p, "demo-deepseek"));
    assert_false(is_held(&p, "demo-llama"));
    assert_int_equal(talk_n_in_memory(&p), 2);

    talk_use(&p, llama);
    assert_note(&p, "demo-deepseek gave way to demo-llama (needs ");
    talk_ask(&p, "now double it");
    assert_contains(str_get(&talk_last(&p)->text[STORE_TEXT]), "84");
    talk_close(&p);
}

/* The model at hand may give way to one that answers once; it comes back when it is asked. */
static void a_model_comes_back_when_it_is_asked(void **state)
{
    struct talk p;
    char line[5000];
    (void)state;
    snprintf(line, sizeof line, "/regen %s", thinking_model());
    talk_open(&p, NULL);
    talk_use(&p, some_model());
    talk_ask(&p, "What is 17 + 25?");
    limit_to_held(&p);
    p.options.memory_limit += 2; /* they differ by less */
    talk_run(&p, line);
    assert_note(&p, "demo-llama gave way to demo-deepseek");
    assert_null(p.chat.model->engine);
    assert_contains(talk_run(&p, "/show"), "seed");
    talk_ask(&p, "now double it");
    assert_note(&p, "demo-deepseek gave way to demo-llama");
    assert_string_equal(talk_last(&p)->generation.model, "demo-llama");
    talk_close(&p);
}

/* What does not fit beside it is refused, and changes nothing. */
static void a_model_that_answers_never_gives_way(void **state)
{
    struct talk p;
    char err[256];
    (void)state;
    talk_open(&p, NULL);
    talk_use(&p, endless_model());
    assert_int_equal(chat_ask(&p.chat, "hello", 5, err, sizeof err), 0);
    struct pool_model *busy = p.chat.model;
    limit_to_held(&p);
    assert_int_equal(chat_use(&p.chat, some_model(), err, sizeof err), 6);
    assert_contains(err, "memory: does not fit");
    assert_ptr_equal(p.chat.model, busy);
    assert_non_null(busy->engine);
    assert_note(&p, NULL);
    chat_stop(&p.chat);
    talk_wait(&p);
    talk_close(&p);

    talk_open(&p, NULL);
    talk_use(&p, small_model());
    limit_to_held(&p);
    assert_int_equal(chat_use(&p.chat, some_model(), err, sizeof err), 6);
    assert_non_null(p.chat.model->engine); /* it would not be enough */
    assert_note(&p, NULL);
    talk_close(&p);
}

static void a_model_that_cannot_move_stays_as_it_was(void **state)
{
    struct talk p;
    char err[256];
    (void)state;
    talk_open(&p, NULL);
    talk_use(&p, some_model());
    talk_ask(&p, "What is 17 + 25?");
    const struct engine *engine = p.chat.model->engine;
    assert_int_equal(chat_use_on(&p.chat, some_model(), POOL_CPU, err, sizeof err), 0);
    assert_ptr_equal(p.chat.model->engine, engine); /* it is there */
    if (chat_use_on(&p.chat, some_model(), POOL_GPU, err, sizeof err) != 0) {
        assert_ptr_equal(p.chat.model->engine, engine);
        assert_int_equal(p.chat.model->where, POOL_CPU);
        talk_ask(&p, "now double it");
        assert_true(p.chat.usage.cached_tokens > 0);
    }
    assert_int_equal(chat_ask(&p.chat, "and again", 9, err, sizeof err), 0);
    assert_int_equal(chat_use_on(&p.chat, some_model(), POOL_CPU, err, sizeof err), 2);
    assert_contains(err, "is answering");
    talk_wait(&p);
    talk_close(&p);
}

static void numbers_are_those_of_the_model_that_answered(void **state)
{
    struct talk p;
    (void)state;
    talk_open(&p, NULL);
    talk_use(&p, some_model());
    talk_ask(&p, "What is 17 + 25?");
    char *before = strdup(talk_run(&p, "/stats"));
    talk_use(&p, thinking_model());
    assert_string_equal(talk_run(&p, "/stats"), before);
    free(before);
    talk_close(&p);
}

/* Where more models are opened than there are places for. */
static void the_model_at_hand_keeps_its_place(void **state)
{
    struct talk p;
    char path[4096], line[9000];
    (void)state;
    talk_open(&p, NULL);
    talk_use(&p, some_model());
    const struct pool_model *first = p.chat.model;
    for (int i = 0; i < POOL_MODELS + 2; i++) {
        struct run r;
        snprintf(line, sizeof line, "cp %s $HOME/copy-%d.gguf", some_model(), i);
        run_shell(&r, line);
        run_done(&r);
        snprintf(path, sizeof path, "%s/copy-%d.gguf", getenv("HOME"), i);
        if (i == POOL_MODELS)
            assert_ptr_equal(p.chat.model, first); /* keeps its place, as it is at hand */
        struct pool_model *m;
        char err[256];
        assert_int_equal(model_pool_find(&p.chat.pool, path, p.chat.model, &m, err, sizeof err), 0);
        assert_int_equal(model_pool_open(&p.chat.pool, m, err, sizeof err), 0);
    }
    assert_int_equal(p.chat.pool.n, POOL_MODELS);
    assert_string_equal(first->file.name, "demo-llama");
    talk_ask(&p, "What is 17 + 25?");
    assert_string_equal(talk_last(&p)->generation.model, "demo-llama");
    talk_close(&p);
}

/* What other processes are told */

/* The screen says it once the model is open. */
static const char loaded[] = "0 / 2,048 tokens";

static void runtime_folder(char *out, size_t outlen)
{
    sandbox_path("run", out, outlen);
    mkdir(out, 0700);
    setenv("XDG_RUNTIME_DIR", out, 1);
    sandbox_path("run/duet", out, outlen);
}

static void ps(struct run *r, const char *option)
{
    run_duet(r, NULL, 0, "ps", option, NULL);
    assert_int_equal(r->status, 0);
}

static void ps_lists_models_in_memory(void **state)
{
    struct run r;
    struct stat st;
    char folder[4096], path[5000], pid[32];
    (void)state;
    runtime_folder(folder, sizeof folder);
    ps(&r, NULL);
    assert_string_equal(r.out, "");
    assert_contains(r.err, "no duet has a model in memory");
    run_done(&r);
    ps(&r, "--json");
    assert_string_equal(r.out, "[]\n");
    run_done(&r);

    struct term *t = term_start(24, 80, "-m", "demo-deepseek", NULL);
    term_expect(t, loaded);
    term_type(t, "/model demo-llama\r");
    term_expect(t, "beside demo-deepseek (CPU)");
    term_type(t, "What is 17 + 25?\r");
    term_expect(t, "17 + 25 = 42");
    term_type(t, "/model demo-deepseek\r");
    term_expect(t, "demo-deepseek answers from here on");
    snprintf(pid, sizeof pid, "%d", (int)term_pid(t));
    term_type(t, "\030m");
    term_expect(t, "in memory");
    term_expect(t, "answers now");
    term_type(t, "\033");
    term_expect_gone(t, "answers now");
    ps(&r, NULL);
    assert_contains(r.out, "PID");
    assert_contains(r.out, pid);
    assert_contains(r.out, "demo-llama ");
    assert_contains(r.out, "demo-deepseek ");
    assert_contains(r.out, " CPU ");
    run_done(&r);
    ps(&r, "--json");
    assert_contains(r.out, "\"as\": \"screen\"");
    assert_contains(r.out, "\"where\": \"cpu\"");
    assert_contains(r.out, "\"weight_bytes\": ");
    assert_null(strstr(r.out, "17 + 25"));
    run_done(&r);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    snprintf(path, sizeof path, "%s/%s.json", folder, pid);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    term_leave(t);
    assert_int_equal(access(path, F_OK), -1);
}

static void ps_lists_duets_without_a_screen_too(void **state)
{
    static const char *const lines[][2] = {
        {"exec $DUET -q -m $MODEL hello", "\"as\": \"prompt\""},
        {"exec $DUET batch -q -m $MODEL --parallel 1 <<<'{\"prompt\": \"hello\"}'",
         "\"as\": \"batch\""},
        {"echo '{\"problem\": \"1+1\", \"answer\": \"2\"}' >p.jsonl; exec $DUET eval -q "
         "--model $MODEL p.jsonl",
         "\"as\": \"eval\""},
        {"exec $DUET bench -q -m $MODEL --prompts 16 --contexts 16 --batch 1 --generate 2000 "
         "--runs 1",
         "\"as\": \"bench\""},
    };
    (void)state;
    setenv("MODEL", endless_model(), 1);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char line[768];
        struct run r;
        snprintf(
            line, sizeof line,
            "cd $HOME; (%s) >/dev/null 2>&1 & for i in $(seq 100); do $DUET ps --json | grep -q "
            "'\"state\": \"answering\"' && break; sleep 0.1; done; $DUET ps --json; kill $!; "
            "wait; $DUET ps -q",
            lines[i][0]);
        run_shell(&r, line);
        assert_contains(r.out, lines[i][1]);
        assert_contains(r.out, "\"name\": \"endless\"");
        assert_non_null(strchr(r.out, '\n'));
        assert_string_equal(strchr(r.out, '\n'), "\n"); /* once it has ended nothing runs */
        run_done(&r);
    }
    unsetenv("MODEL");
}

static void ps_forgets_what_was_killed(void **state)
{
    struct run r;
    char path[4096];
    (void)state;
    struct term *t = term_start(24, 80, "-m", "demo-llama", NULL); /* no runtime folder here */
    term_expect(t, loaded);
    ps(&r, NULL);
    assert_contains(r.out, "demo-llama");
    run_done(&r);
    char name[64];
    snprintf(name, sizeof name, ".local/state/duet/running/%d.json", (int)term_pid(t));
    sandbox_path(name, path, sizeof path);
    assert_int_equal(access(path, F_OK), 0);
    term_signal(t, SIGKILL);
    term_end(t);
    term_free(t);
    assert_int_equal(access(path, F_OK), 0);
    ps(&r, NULL);
    assert_string_equal(r.out, "");
    run_done(&r);
    assert_int_equal(access(path, F_OK), -1);
}

/* A file with this text, locked as that of a process that lives; its descriptor. */
static int plant(const char *name, const char *text)
{
    char path[4096];
    sandbox_path(name, path, sizeof path);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(flock(fd, LOCK_EX), 0);
    return fd;
}

#define MODEL(name, number)                                                                        \
    "{\"name\":\"" name "\",\"device\":\"d\",\"gpu\":false,\"state\":\"idle\",\"since_ms\":1,"     \
    "\"weight_bytes\":" number ",\"kv_bytes\":1,\"scratch_bytes\":1,\"cached_tokens\":1}"
#define PROCESS(pid, models)                                                                       \
    "{\"pid\":" pid ",\"as\":\"x\",\"terminal\":\"\",\"models\":[" models "]}"

static void ps_survives_hostile_files(void **state)
{
    static const char *const damaged[] = {
        "",
        "x",
        "[1,2",
        "{}",
        "[[[[[[[[[[[[[[[[[[[[",
        PROCESS("2", MODEL("m", "1")), /* another's */
        PROCESS("1", ""),
        PROCESS("1", "7"),
        PROCESS("1", MODEL("m", "-1")),
        PROCESS("1", MODEL("m", "1e300")),
        PROCESS("1", MODEL("m", "99999999999999999999999")),
        PROCESS("1", MODEL("m", "1") "," MODEL("m", "\"1\"")),
        "{\"pid\":1,\"as\":\"x\",\"terminal\":\"\",\"models\":[{\"name\":\"m\",\"device\":\"d\","
        "\"gpu\":false,\"state\":\"idle\",\"since_ms\":-1e308,\"weight_bytes\":1,\"kv_bytes\":1,"
        "\"scratch_bytes\":1,\"cached_tokens\":1}]}",
    };
    struct run r;
    char folder[4096], path[4096];
    (void)state;
    runtime_folder(folder, sizeof folder);
    mkdir(folder, 0700);
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        int fd = plant("run/duet/1.json", damaged[i]);
        ps(&r, NULL);
        assert_contains(r.out, "(its file is damaged)");
        run_done(&r);
        ps(&r, "--json");
        assert_contains(r.out, "\"damaged\": true, \"models\": []");
        run_done(&r);
        close(fd);
    }
    int fd = plant("run/duet/1.json", PROCESS("1", MODEL("\\u001b[2J\\u202e\\n", "1")));
    ps(&r, NULL);
    assert_contains(r.out, "\\x1b[2J");
    assert_null(strchr(r.out, '\033'));
    assert_null(strstr(r.out, "\u202e"));
    run_done(&r);
    close(fd);

    /* Left alone: what is no file, not ours by its name, or a link elsewhere. */
    sandbox_path("run/duet/3.json", path, sizeof path);
    assert_int_equal(mkfifo(path, 0600), 0);
    sandbox_path("run/duet/4.json", path, sizeof path);
    assert_int_equal(mkdir(path, 0700), 0);
    close(plant("kept", "kept"));
    close(plant("run/duet/notes", "kept"));
    close(plant("run/duet/-5.json", "kept"));
    sandbox_path("kept", folder, sizeof folder);
    sandbox_path("run/duet/6.json", path, sizeof path);
    assert_int_equal(symlink(folder, path), 0);
    ps(&r, NULL);
    assert_string_equal(r.out, "");
    run_done(&r);
    run_shell(&r, "ls $XDG_RUNTIME_DIR/duet; cat $HOME/kept");
    assert_string_equal(r.out, "-5.json\n3.json\n4.json\n6.json\nnotes\nkept");
    run_done(&r);
}

static void a_folder_others_can_write_to_is_avoided(void **state)
{
    struct run r;
    char folder[4096];
    (void)state;
    runtime_folder(folder, sizeof folder);
    mkdir(folder, 0700);
    chmod(folder, 0777);
    struct term *t = term_start(24, 80, "-m", "demo-llama", NULL);
    term_expect(t, loaded);
    run_shell(&r, "ls $HOME/.local/state/duet/running");
    assert_contains(r.out, ".json");
    run_done(&r);
    run_shell(&r, "ls $XDG_RUNTIME_DIR/duet");
    assert_string_equal(r.out, "");
    run_done(&r);
    term_leave(t);
}

static void the_screen_says_which_model_gave_way(void **state)
{
    struct talk p;
    char limit[32];
    (void)state;
    talk_open(&p, NULL);
    talk_use(&p, thinking_model());
    limit_to_held(&p);
    snprintf(limit, sizeof limit, "%d", (int)p.options.memory_limit + 2);
    talk_close(&p);
    struct term *t = term_start(24, 80, "-m", "demo-llama", "--memory-limit", limit, NULL);
    term_expect(t, "Ask anything");
    term_type(t, "/model demo-deepseek\r");
    term_expect(t, "demo-llama gave way to demo-deepseek (needs ");
    term_type(t, "/model demo-llama cpu\r");
    term_expect(t, "demo-deepseek gave way to demo-llama (needs ");
    term_type(t, "/model demo-llama gpu\r");
    term_expect(t, "CUDA");
    term_type(t, "/ps\r");
    term_expect(t, "demo-llama  CPU");
    term_type(t, "17 + 25\r");
    term_expect(t, "17 + 25 = 42");
    term_leave(t);
}

int test_pool(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_model_unused_for_longest_gives_way),
        TEST(a_model_comes_back_when_it_is_asked),
        TEST(a_model_that_answers_never_gives_way),
        TEST(a_model_that_cannot_move_stays_as_it_was),
        TEST(numbers_are_those_of_the_model_that_answered),
        TEST(the_model_at_hand_keeps_its_place),
        TEST(ps_lists_models_in_memory),
        TEST(ps_lists_duets_without_a_screen_too),
        TEST(ps_forgets_what_was_killed),
        TEST(ps_survives_hostile_files),
        TEST(a_folder_others_can_write_to_is_avoided),
        TEST(the_screen_says_which_model_gave_way),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
