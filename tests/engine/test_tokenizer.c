/* test_tokenizer.c - encoding and its way back, on a small vocabulary, on
 * hostile ones, from files. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/text/tokenizer.h"
#include "tests/engine/build_gguf.h"
#include "tests/engine/build_vocab.h"
#include "tests/engine/tests.h"
#include "tests/engine/token_checks.h"

/* Checks the tokens of a text by their own texts, joined by '|'. */
static void assert_tokens(const struct tokenizer *t, const char *text, bool special,
                          const char *expected)
{
    struct tok_ids ids = encode(t, text, strlen(text), special);
    char joined[256] = "";
    size_t used = 0, len;
    for (size_t i = 0; i < ids.n; i++) {
        const char *bytes = tok_bytes(t, ids.ids[i], &len);
        used += (size_t)snprintf(joined + used, sizeof joined - used, "%s%.*s", i ? "|" : "",
                                 (int)len, bytes);
    }
    assert_string_equal(joined, expected);
    free(ids.ids);
}

static void merges_go_by_rank_then_from_the_left(void **state)
{
    (void)state;
    struct tokenizer *t = build_tokenizer("llama-bpe");
    assert_tokens(t, "hello", false, "hello");
    assert_tokens(t, "hell", false, "hell");
    assert_tokens(t, "helol", false, "he|l|ol");
    assert_tokens(t, "heol", false, "he|ol");
    assert_tokens(t, "lll", false, "ll|l");
    assert_tokens(t, "a aaaaaaa", false, "a| |aaaa|aa|a");
    assert_tokens(t, "a hello", false, "a| hello");
    assert_tokens(t, "", false, "");
    tok_close(t);
}

static void whole_words_go_before_merges_for_llama_only(void **state)
{
    (void)state;
    struct tokenizer *llama = build_tokenizer("llama-bpe"), *qwen = build_tokenizer("qwen2");
    assert_tokens(llama, "xyz", false, "xyz");
    assert_tokens(qwen, "xyz", false, "x|y|z");
    assert_tokens(llama, "wxyz", false, "w|x|y|z");
    tok_close(llama);
    tok_close(qwen);
}

static void decomposed_text_is_composed_for_deepseek_only(void **state)
{
    (void)state;
    struct tokenizer *llama = build_tokenizer("llama-bpe");
    struct tokenizer *deepseek = build_tokenizer("deepseek-r1-qwen");
    assert_tokens(deepseek, "e\u0301", false, "\u00E9");
    assert_tokens(deepseek, "<think>e\u0301", true, "<think>|\u00E9");
    assert_tokens(llama, "e\u0301", false, "e|\xCC|\x81");
    tok_close(llama);
    tok_close(deepseek);
}

static void markers_are_found_only_where_asked(void **state)
{
    (void)state;
    struct build_vocab b;
    struct tokenizer *t;
    char err[256];
    build_vocab(&b, "llama-bpe");
    build_vocab_add(&b, "<|eot_id|>!", TOK_CONTROL);
    assert_int_equal(tok_open(&t, &b.vocab, err, sizeof err), 0);
    assert_tokens(t, "a<|eot_id|>hello", true, "a|<|eot_id|>|hello");
    assert_tokens(t, "<|eot_id|>!<|eot_id|>", true, "<|eot_id|>!|<|eot_id|>");
    assert_tokens(t, "<<think>>", true, "<|<think>|>");
    assert_tokens(t, "[PAD0]", true, "[|P|A|D|0|]");
    assert_tokens(t, "<think>", false, "<|t|h|i|n|k|>");
    assert_int_equal(tok_type(t, tok_find(t, "<think>")), TOK_USER_DEFINED);
    assert_int_equal(tok_find(t, "<thin"), -1);
    assert_int_equal(tok_find(t, "hello"), -1);
    tok_close(t);
}

static void typed_markers_stay_text(void **state)
{
    (void)state;
    struct tokenizer *t = build_tokenizer("qwen2");
    assert_markers_stay_text(t);
    tok_close(t);
}

/* Pieces that meet the merges, the split and normalisation, good and bad UTF-8, and any bytes. */
static size_t random_text(uint32_t *seed, char *out, size_t room)
{
    static const char *const pool[] = {
        "hello",  " ", "  ",   "\n",   "aa",         "l",       "'s", "1",      "\u00E9", "e\u0301",
        "\u4E2D", "<", "\x80", "\xE2", "\U0001F600", "<think>", "\t", "\u0323", "?!",     "\r\n",
    };
    size_t n = 0;
    for (uint32_t i = next_random(seed) % 12; i > 0 && n + 8 < room; i--) {
        uint32_t pick = next_random(seed) % 24;
        if (pick < 20)
            n += (size_t)sprintf(out + n, "%s", pool[pick]);
        else
            out[n++] = (char)next_random(seed);
    }
    return n;
}

static void any_bytes_come_back(void **state)
{
    (void)state;
    struct tokenizer *llama = build_tokenizer("llama-bpe"), *qwen = build_tokenizer("qwen2");
    uint32_t seed = 11;
    for (int round = 0; round < 60000; round++) {
        char text[128];
        size_t n = random_text(&seed, text, sizeof text);
        assert_lossless(llama, text, n, false);
        assert_lossless(qwen, text, n, true);
    }
    tok_close(llama);
    tok_close(qwen);
}

enum { LONG = 1 << 20 };

static void *encode_long_runs(void *ud)
{
    static const char *const units[] = {"A",      "a",  " ",      "\n",         ".",
                                        "\u4E2D", "9",  "\u200D", "\U0001F600", "<",
                                        "\u0301", "'s", " \n",    "\x80",       "\u0301\u0323"};
    struct tokenizer *const *t = ud;
    char *text = malloc(LONG);
    for (size_t u = 0; text && u < sizeof units / sizeof *units; u++) {
        size_t len = strlen(units[u]);
        for (size_t i = 0; i < LONG; i++)
            text[i] = units[u][i % len];
        for (int k = 0; k < 2; k++) {
            struct tok_ids ids = {0};
            if (tok_encode(t[k], text, LONG, true, &ids) != 0 || ids.n == 0)
                return NULL;
            free(ids.ids);
        }
    }
    free(text);
    return ud;
}

/* A megabyte without a break: a merge loop that is quadratic would run for hours, one that recurses
 * would not survive the small stack. */
static void long_runs_need_neither_time_nor_stack(void **state)
{
    (void)state;
    struct tokenizer *t[2] = {build_tokenizer("llama-bpe"), build_tokenizer("qwen2")};
    pthread_attr_t attr;
    pthread_t thread;
    void *result;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    assert_int_equal(pthread_create(&thread, &attr, encode_long_runs, t), 0);
    pthread_join(thread, &result);
    pthread_attr_destroy(&attr);
    assert_non_null(result);
    tok_close(t[0]);
    tok_close(t[1]);
}

static void facts_follow_from_the_vocabulary(void **state)
{
    (void)state;
    struct build_vocab b;
    struct tokenizer *t;
    char err[256];
    build_vocab(&b, "llama-bpe");
    b.vocab.bos = 5;
    b.vocab.eos = 6;
    assert_int_equal(tok_open(&t, &b.vocab, err, sizeof err), 0);
    const struct tok_info *info = tok_info(t);
    assert_int_equal(info->n_vocab, b.vocab.n_tokens);
    assert_int_equal(info->bos, 5);
    assert_true(info->add_bos);
    assert_true(tok_is_end(t, 6));
    assert_true(tok_is_end(t, tok_find(t, "<|eot_id|>")));
    assert_true(tok_is_end(t, tok_find(t, "<|eom_id|>")));
    assert_true(tok_is_end(t, tok_find(t, "<|end_of_text|>")));
    assert_false(tok_is_end(t, tok_find(t, "<think>")));
    assert_false(tok_is_end(t, -1));
    assert_int_equal(info->think_open, tok_find(t, "<think>"));
    for (int32_t id = 0; id < info->n_vocab; id++)
        assert_int_equal(info->banned[id], tok_type(t, id) == TOK_UNUSED);
    assert_true(info->banned[info->n_vocab - 1]);
    size_t len;
    assert_null(tok_bytes(t, -1, &len));
    assert_null(tok_bytes(t, info->n_vocab, &len));
    tok_close(t);
}

static void odd_vocabularies_load(void **state)
{
    (void)state;
    struct build_vocab b;
    struct tokenizer *t;
    char err[256];
    size_t len;
    build_vocab(&b, "llama-bpe");
    int32_t again = build_vocab_add(&b, "hello", TOK_NORMAL);
    int32_t marker = build_vocab_add(&b, "<think>", TOK_CONTROL);
    int32_t empty = build_vocab_add(&b, "", TOK_NORMAL);
    int32_t sign = build_vocab_add(&b, "<0x-1>", TOK_BYTE);
    int32_t longer = build_vocab_add(&b, "<0x0A>0", TOK_BYTE);
    int32_t newline = build_vocab_add(&b, "<0x0A>", TOK_BYTE);
    int32_t blank = build_vocab_add(&b, "not in the alphabet", TOK_NORMAL);
    b.merges[b.vocab.n_merges++] = (struct tok_string){"no such", 7};
    b.merges[b.vocab.n_merges++] = (struct tok_string){"nogap", 5};
    b.merges[b.vocab.n_merges++] = (struct tok_string){" ", 1};
    b.merges[b.vocab.n_merges++] = (struct tok_string){"l l", 3};
    assert_int_equal(tok_open(&t, &b.vocab, err, sizeof err), 0);
    assert_int_equal(tok_info(t)->n_duplicates, 3); /* hello, <think>, the newline */
    assert_int_equal(tok_info(t)->n_merges_skipped, 4);
    struct tok_ids ids = encode(t, "hello", 5, false);
    assert_int_equal(ids.n, 1);
    assert_true(ids.ids[0] < again);
    assert_true(tok_find(t, "<think>") < marker);
    assert_memory_equal(tok_bytes(t, sign, &len), "<0x-1>", 6);
    assert_int_equal(len, 6);
    assert_memory_equal(tok_bytes(t, longer, &len), "<0x0A>0", 7);
    assert_int_equal(len, 7);
    assert_memory_equal(tok_bytes(t, newline, &len), "\n", 1);
    assert_int_equal(len, 1);
    assert_memory_equal(tok_bytes(t, blank, &len), "not in the alphabet", 19);
    tok_bytes(t, empty, &len);
    assert_int_equal(len, 0);
    free(ids.ids);
    tok_close(t);
}

static void no_tokens(struct build_vocab *b)
{
    b->vocab.n_tokens = 0;
}
static void too_many_merges(struct build_vocab *b)
{
    b->vocab.n_merges = SIZE_MAX;
}
static void no_letter_a(struct build_vocab *b)
{
    b->types['A'] = TOK_CONTROL;
}
static void wrong_type(struct build_vocab *b)
{
    b->types[7] = 9;
}
static void long_token(struct build_vocab *b)
{
    b->tokens[300 % b->vocab.n_tokens].len = SIZE_MAX;
}
static void bos_outside(struct build_vocab *b)
{
    b->vocab.bos = (int64_t)b->vocab.n_tokens;
}
static void eos_below(struct build_vocab *b)
{
    b->vocab.eos = -2;
}
static void unknown_pre(struct build_vocab *b)
{
    b->vocab.pre = (struct tok_string){"gpt\x1b[2J", 7};
}

static void hostile_vocabularies_are_refused_by_field(void **state)
{
    (void)state;
    static const struct {
        void (*damage)(struct build_vocab *b);
        const char *says;
    } rows[] = {
        {no_tokens, "tokens: the vocabulary is empty"},
        {too_many_merges, "merges: too many"},
        {no_letter_a, "tokens: no token for byte \\x41"},
        {wrong_type, "token_type: no such type (got 9 for token 7"},
        {long_token, "tokens: token "},
        {bos_outside, "bos_token_id: outside the vocabulary"},
        {eos_below, "eos_token_id: outside the vocabulary (got -2"},
        {unknown_pre, "pre: not supported (got \"gpt\\x1B[2J\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct build_vocab b;
        struct tokenizer *t;
        char err[256] = "";
        build_vocab(&b, "llama-bpe");
        rows[i].damage(&b);
        assert_int_equal(tok_open(&t, &b.vocab, err, sizeof err), -1);
        assert_memory_equal(err, rows[i].says, strlen(rows[i].says));
    }
}

/* A file with a vocabulary of bytes. */
static void build_tokenizer_keys(struct build *f, const char *model, uint32_t bos, size_t n_types)
{
    char letters[256][3];
    const char *tokens[256];
    int32_t types[256];
    for (int byte = 0; byte < 256; byte++) {
        build_vocab_letter((unsigned char)byte, letters[byte]);
        tokens[byte] = letters[byte];
        types[byte] = TOK_NORMAL;
    }
    build_string(f, "tokenizer.ggml.model", model);
    build_string(f, "tokenizer.ggml.pre", "qwen2");
    build_strings(f, "tokenizer.ggml.tokens", tokens, 256);
    build_array(f, "tokenizer.ggml.token_type", GGUF_I32, types, n_types);
    build_strings(f, "tokenizer.ggml.merges", NULL, 0);
    build_u32(f, "tokenizer.ggml.bos_token_id", bos);
}

/* Merges of runs of 'a' up to 4096 letters, each among lines that are of no use; the tokens in the
 * order of the merges, or against it, and some of them twice. */
enum { RUNS = 12, USELESS = 50, LONG_LINE = 20000 };

static struct tokenizer *open_runs(bool backwards, char *text, size_t *n_useless)
{
    struct build_vocab b;
    struct tokenizer *t;
    struct tok_string tokens[256 + 2 * RUNS], lines[RUNS * (USELESS + 2)];
    char err[256], *line = text;

    build_vocab(&b, "qwen2");
    memcpy(tokens, b.vocab.tokens, 256 * sizeof *tokens);
    b.vocab.types = NULL;
    b.vocab.n_tokens = 256;
    b.vocab.n_merges = *n_useless = 0;
    memset(text, 'a', LONG_LINE);
    for (int i = 0; i < RUNS; i++) {
        size_t run = (size_t)2 << (backwards ? RUNS - 1 - i : i);
        tokens[b.vocab.n_tokens++] = (struct tok_string){text, run};
        if (i > 0) /* where the next would be looked for first: the one before once more */
            tokens[b.vocab.n_tokens++] = (struct tok_string){text, backwards ? 2 * run : run / 2};
    }
    for (int i = 0; i < RUNS; i++) {
        for (int k = 0; k < USELESS; k++, ++*n_useless)
            lines[b.vocab.n_merges++] = (struct tok_string){"no such", 7};
        lines[b.vocab.n_merges++] = (struct tok_string){text, LONG_LINE};
        ++*n_useless;
        size_t run = (size_t)1 << i;
        line += i == 0 ? LONG_LINE : 0;
        memset(line, 'a', 2 * run + 1);
        line[run] = ' ';
        lines[b.vocab.n_merges++] = (struct tok_string){line, 2 * run + 1};
        line += 2 * run + 1;
    }
    b.vocab.tokens = tokens;
    b.vocab.merges = lines;
    b.vocab.bos = b.vocab.eos = -1;
    assert_int_equal(tok_open(&t, &b.vocab, err, sizeof err), 0);
    return t;
}

static void merges_are_read_in_whatever_order_tokens_have(void **state)
{
    char *text = malloc(2 * LONG_LINE);
    size_t n_useless, len;
    (void)state;
    for (int backwards = 0; backwards < 2; backwards++) {
        struct tokenizer *t = open_runs(backwards, text, &n_useless);
        assert_int_equal(tok_info(t)->n_merges_skipped, n_useless);
        assert_int_equal(tok_info(t)->n_duplicates, RUNS - 1);
        memset(text, 'a', 8191);
        struct tok_ids ids = encode(t, text, 8191, false);
        assert_int_equal(ids.n, RUNS + 1);
        for (int i = 0; i <= RUNS; i++) {
            tok_bytes(t, ids.ids[i], &len);
            assert_int_equal(len, 4096 >> i);
            for (int32_t id = 256; i < RUNS && id < ids.ids[i]; id++) { /* the first of equals */
                size_t other;
                tok_bytes(t, id, &other);
                assert_int_not_equal(other, len);
            }
        }
        free(ids.ids);
        tok_close(t);
    }
    free(text);
}

static int open_built(const char *without, const char *model, uint32_t bos, size_t n_types,
                      char *err, size_t errlen)
{
    struct build f;
    struct gguf *g;
    struct tokenizer *t = NULL;
    build_init(&f);
    f.without = without;
    build_tokenizer_keys(&f, model, bos, n_types);
    build_finish(&f);
    assert_int_equal(gguf_parse(&g, f.bytes, f.size, err, errlen), 0);
    int status = tok_open_gguf(&t, g, err, errlen);
    gguf_close(g);
    build_done(&f);
    if (status == 0)
        assert_tokens(t, "ab", false, "a|b");
    tok_close(t);
    return status;
}

static void files_are_refused_by_key(void **state)
{
    (void)state;
    static const struct {
        const char *without, *model;
        uint32_t bos;
        size_t n_types;
        const char *says;
    } rows[] = {
        {NULL, "llama", 1, 256, "tokenizer.ggml.model: not supported (got \"llama\""},
        {NULL, "gpt2", 256, 256, "tokenizer.ggml.bos_token_id"},
        {NULL, "gpt2", UINT32_MAX, 256, "tokenizer.ggml.bos_token_id"},
        {NULL, "gpt2", 1, 255, "tokenizer.ggml.token_type: not one for each token"},
        {"tokenizer.ggml.model", "gpt2", 1, 256, "tokenizer.ggml.model: missing"},
        {"tokenizer.ggml.pre", "gpt2", 1, 256, "tokenizer.ggml.pre: missing"},
        {"tokenizer.ggml.tokens", "gpt2", 1, 256, "tokenizer.ggml.tokens: missing"},
        {"tokenizer.ggml.merges", "gpt2", 1, 256, "tokenizer.ggml.merges: missing"},
    };
    char err[256];
    assert_int_equal(open_built(NULL, "gpt2", 1, 256, err, sizeof err), 0);
    assert_int_equal(open_built("tokenizer.ggml.token_type", "gpt2", 1, 256, err, sizeof err), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(open_built(rows[i].without, rows[i].model, rows[i].bos, rows[i].n_types,
                                    err, sizeof err),
                         -1);
        assert_memory_equal(err, rows[i].says, strlen(rows[i].says));
    }
}

int test_tokenizer(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merges_go_by_rank_then_from_the_left),
        cmocka_unit_test(whole_words_go_before_merges_for_llama_only),
        cmocka_unit_test(decomposed_text_is_composed_for_deepseek_only),
        cmocka_unit_test(markers_are_found_only_where_asked),
        cmocka_unit_test(typed_markers_stay_text),
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(long_runs_need_neither_time_nor_stack),
        cmocka_unit_test(facts_follow_from_the_vocabulary),
        cmocka_unit_test(odd_vocabularies_load),
        cmocka_unit_test(merges_are_read_in_whatever_order_tokens_have),
        cmocka_unit_test(hostile_vocabularies_are_refused_by_field),
        cmocka_unit_test(files_are_refused_by_key),
    };
    return cmocka_run_group_tests_name("tokenizer", tests, NULL, NULL);
}
