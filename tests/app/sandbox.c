/* sandbox.c - a home for each test, and models to talk to. */
#include "tests/app/tests.h"

#include <ftw.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/file/gguf.h"

static char home[256];

const char *duet_path(void)
{
    const char *path = getenv("DUET");
    if (!path)
        fail_msg("the environment's DUET names no program");
    return path;
}

int sandbox_new(void **state)
{
    static const char *const unset[] = {
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_RUNTIME_DIR",
        "NO_COLOR",
        "COLORTERM",
        "COLORFGBG",
        "TMUX",
        "STY",
        "CLICOLOR_FORCE",
        "DUET_MODEL",
        "LINES",
        "COLUMNS",
        "VISUAL",
        "EDITOR",
        "INPUTRC",
        "HF_ENDPOINT",
        "HF_TOKEN",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "OLLAMA_MODELS",
        "LLAMA_CACHE",
        "CURL_CA_BUNDLE",
        "SSL_CERT_FILE",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "HUGGINGFACE_HUB_CACHE",
    };
    const char *tmp = getenv("TMPDIR");
    (void)state;
    snprintf(home, sizeof home, "%s/duet-test-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(home))
        return -1;
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++)
        unsetenv(unset[i]);
    setenv("HOME", home, 1);
    setenv("OLLAMA_MODELS", "/nonexistent", 1); /* else the system's are found */
    setenv("TERM", "xterm-256color", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("DUET_DATE", "2026-11-27", 1); /* what a model says depends on it */
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    remove(path); /* what is left shows at the end */
    return 0;
}

int sandbox_remove(void **state)
{
    (void)state;
    for (int i = 0; i < 600; i++) { /* who was hung up may still be writing and tidying up */
        nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        if (access(home, F_OK) != 0)
            return 0;
        usleep(100000);
    }
    return -1;
}

void sandbox_path(const char *name, char *out, size_t outlen)
{
    snprintf(out, outlen, "%s/%s", home, name);
}

void sandbox_write(const char *name, const char *text)
{
    char path[PATH_MAX];
    sandbox_path(name, path, sizeof path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

/* Models */

/* The path of an installed model, or false. */
static bool installed(const char *name, char *out, size_t outlen)
{
    struct run r;
    bool found = false;
    run_duet(&r, NULL, 0, "models", NULL);
    for (char *line = r.out; *line && !found; line += strcspn(line, "\n"), line += *line == '\n') {
        char listed[64], path[PATH_MAX];
        found = sscanf(line, "%*[* ]%63s %*s %*s %4095[^\n]", listed, path) == 2 &&
                strcmp(listed, name) == 0;
        if (found)
            snprintf(out, outlen, "%s", path);
    }
    run_done(&r);
    return found;
}

const char *some_model(void)
{
    static char path[PATH_MAX];
    assert_true(installed("demo-llama", path, sizeof path));
    return path;
}

const char *thinking_model(void)
{
    static char path[PATH_MAX];
    assert_true(installed("demo-deepseek", path, sizeof path));
    return path;
}

static void set_context(char *bytes, size_t size, uint32_t tokens)
{
    static const char key[] = ".context_length";
    char *name = memmem(bytes, size, key, sizeof key - 1);
    assert_non_null(name);
    memcpy(name + sizeof key - 1 + 4, &tokens, sizeof tokens); /* behind the u32 that is its type */
}

/* A vocabulary's control tokens end answers, its user-defined ones are the tags of the reasoning:
 * without their rows in the output matrix their logits are 0, and the likeliest token is always
 * another one. The context is made long as well. */
static void make_endless(char *bytes, size_t size)
{
    enum { CONTROL = 3, USER_DEFINED = 4 };
    struct gguf *g;
    char err[256];
    if (gguf_parse(&g, bytes, size, err, sizeof err) != 0)
        fail_msg("%s", err);
    const struct gguf_tensor *rows = gguf_find_tensor(g, "output.weight");
    if (!rows)
        rows = gguf_find_tensor(g, "token_embd.weight");
    const struct gguf_key *types = gguf_find_key(g, "tokenizer.ggml.token_type");
    assert_non_null(rows);
    assert_non_null(types);
    size_t row = rows->bytes / (size_t)rows->dim[1];
    const void *at = types->value.a.data;
    for (size_t id = 0; id < types->value.a.count; id++) {
        int64_t type = gguf_next_element(types->value.a.type, &at).i;
        if (type == CONTROL || type == USER_DEFINED)
            memset((char *)rows->data + id * row, 0, row);
    }
    gguf_close(g);
    set_context(bytes, size, 131072);
}

static void make_small(char *bytes, size_t size)
{
    set_context(bytes, size, 96);
}

/* A changed copy of a model, at `path`. */
static void copy_model(const char *base, const char *path, void (*change)(char *bytes, size_t size))
{
    FILE *f = fopen(base, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(size);
    assert_int_equal(fread(bytes, 1, size, f), size);
    fclose(f);
    change(bytes, size);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
    free(bytes);
}

const char *endless_model(void)
{
    static char path[PATH_MAX];
    sandbox_path("endless.gguf", path, sizeof path);
    copy_model(some_model(), path, make_endless);
    return path;
}

const char *small_model(void)
{
    static char path[PATH_MAX];
    sandbox_path("small.gguf", path, sizeof path);
    copy_model(some_model(), path, make_small);
    return path;
}

const char *endless_thinker(void)
{
    static char path[PATH_MAX];
    sandbox_path("thinker.gguf", path, sizeof path);
    copy_model(thinking_model(), path, make_endless);
    return path;
}
