/* test_tokenizer.c - encoding and its way back, on a small vocabulary, on hostile ones, and against
 * the outside vectors. */
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

#include "engine/nfc.h"
#include "engine/tokenizer.h"
#include "engine/utf8.h"
#include "tests/engine/build_gguf.h"
#include "tests/engine/build_vocab.h"
#include "tests/engine/jsonl.h"
#include "tests/engine/tests.h"

static struct tok_ids encode(const struct tokenizer *t, const char *s, size_t n, bool special)
{
    struct tok_ids ids = {0};
    assert_int_equal(tok_encode(t, s, n, special, &ids), 0);
    return ids;
}

static char *decode(const struct tokenizer *t, struct tok_ids ids, size_t *len_out)
{
    size_t used = 0, len;
    char *out = malloc(ids.n * tok_info(t)->max_bytes + 1);
    assert_non_null(out);
    for (size_t i = 0; i < ids.n; i++, used += len)
        memcpy(out + used, tok_bytes(t, ids.ids[i], &len),
               tok_bytes(t, ids.ids[i], &len) ? len : 0);
    *len_out = used;
    return out;
}

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

static bool is_marker(const struct tokenizer *t, int32_t id)
{
    enum tok_type type = tok_type(t, id);
    return type != TOK_NORMAL && type != TOK_BYTE;
}

static void assert_no_markers(const struct tokenizer *t, const char *s, size_t n)
{
    struct tok_ids ids = encode(t, s, n, false);
    for (size_t i = 0; i < ids.n; i++)
        assert_false(is_marker(t, ids.ids[i]));
    free(ids.ids);
}

/* Every marker of a vocabulary, typed: raw, twice, cut, with something in front. */
static void assert_markers_stay_text(const struct tokenizer *t)
{
    size_t n_markers = 0;
    for (int32_t id = 0; id < tok_info(t)->n_vocab; id++) {
        if (!is_marker(t, id))
            continue;
        size_t len;
        const char *text = tok_bytes(t, id, &len);
        char *typed = malloc(2 * len + 2);
        assert_non_null(typed);
        int n = sprintf(typed, " %.*s%.*s", (int)len, text, (int)len, text);
        for (int from = 0; from < 3; from++)
            for (int cut = 0; cut < 3 && from + cut < n; cut++)
                assert_no_markers(t, typed + from, (size_t)(n - from - cut));
        free(typed);
        n_markers++;
    }
    assert_true(n_markers > 0);
}

static void typed_markers_stay_text(void **state)
{
    (void)state;
    struct tokenizer *t = build_tokenizer("qwen2");
    assert_markers_stay_text(t);
    tok_close(t);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
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

/* decode(encode(s)) is s, or s composed. */
static void assert_lossless(const struct tokenizer *t, const char *s, size_t n, bool composes)
{
    char *composed = NULL;
    size_t len = n, back;
    if (composes)
        assert_int_equal(nfc_compose(s, n, &composed, &len), 0);
    struct tok_ids ids = encode(t, s, n, false);
    char *text = decode(t, ids, &back);
    assert_int_equal(back, composed ? len : n);
    assert_memory_equal(text, composed ? composed : s, back);
    free(text);
    free(ids.ids);
    free(composed);
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

struct models {
    struct tokenizer *llama, *deepseek;
    bool special;
    size_t failures;
};

static void compare(struct models *m, const struct tokenizer *t, const char *text, size_t len,
                    const json_t *expected)
{
    struct tok_ids ids = encode(t, text, len, m->special);
    if (!jsonl_same_ids(expected, ids.ids, ids.n)) {
        print_error("tokens differ: %s\n", text);
        m->failures++;
    }
    free(ids.ids);
}

static void encode_text(struct models *m, const char *text, size_t len, const json_t *row)
{
    compare(m, m->llama, text, len, json_object_get(row, "llama"));
    compare(m, m->deepseek, text, len, json_object_get(row, "deepseek"));
}

static void encode_row(const json_t *row, void *ud)
{
    const json_t *text = json_object_get(row, "text");
    encode_text(ud, json_string_value(text), json_string_length(text), row);
}

static void replaced_row(const json_t *row, void *ud)
{
    struct models *m = ud;
    size_t len, replaced_len;
    char *bytes = jsonl_hex(json_object_get(row, "hex"), &len);
    char *replaced = utf8_replace(bytes, len, &replaced_len);
    assert_string_equal(replaced, json_string_value(json_object_get(row, "text_replaced")));
    encode_text(m, replaced, replaced_len, row);
    assert_lossless(m->llama, bytes, len, false);
    assert_lossless(m->deepseek, bytes, len, true);
    free(replaced);
    free(bytes);
}

static void decode_row(const json_t *row, void *ud)
{
    struct models *m = ud;
    const char *model = json_string_value(json_object_get(row, "model"));
    const struct tokenizer *t = strcmp(model, "llama") == 0 ? m->llama : m->deepseek;
    const json_t *list = json_object_get(row, "ids");
    struct tok_ids ids = {0};
    for (size_t i = 0; i < json_array_size(list); i++)
        tok_push(&ids, (int32_t)json_integer_value(json_array_get(list, i)));
    size_t len, expected_len;
    char *text = decode(t, ids, &len);
    char *expected = jsonl_hex(json_object_get(row, "hex"), &expected_len);
    assert_int_equal(len, expected_len);
    assert_memory_equal(text, expected, len);
    free(expected);
    free(text);
    free(ids.ids);
}

static int open_models(void **state)
{
    static struct models models;
    models = (struct models){0};
    *state = &models;
    return 0;
}

/* Opened by the tests, since only they may skip. */
static struct models *need_models(void **state)
{
    struct models *m = *state;
    if (!m->llama) {
        m->llama = jsonl_tokenizer("llama");
        m->deepseek = jsonl_tokenizer("deepseek");
    }
    m->failures = 0;
    return m;
}

static int close_models(void **state)
{
    struct models *m = *state;
    tok_close(m->llama);
    tok_close(m->deepseek);
    return 0;
}

static void outside_plain_vectors_hold(void **state)
{
    struct models *m = need_models(state);
    m->special = false;
    assert_int_equal(jsonl_each("tokenizer/tokenize.plain.jsonl", encode_row, m), 359);
    assert_int_equal(m->failures, 0);
}

static void outside_special_vectors_hold(void **state)
{
    struct models *m = need_models(state);
    m->special = true;
    assert_int_equal(jsonl_each("tokenizer/tokenize.special.jsonl", encode_row, m), 359);
    assert_int_equal(m->failures, 0);
}

static void outside_invalid_vectors_hold(void **state)
{
    struct models *m = need_models(state);
    m->special = false;
    assert_int_equal(jsonl_each("tokenizer/invalid_utf8.jsonl", replaced_row, m), 17);
    assert_int_equal(m->failures, 0);
}

static void outside_decode_vectors_hold(void **state)
{
    assert_int_equal(jsonl_each("tokenizer/decode.jsonl", decode_row, need_models(state)), 76);
}

static void outside_vocabularies_are_understood(void **state)
{
    struct models *m = need_models(state);
    const struct tok_info *llama = tok_info(m->llama), *deepseek = tok_info(m->deepseek);
    assert_int_equal(llama->bos, 128000);
    assert_true(llama->add_bos);
    assert_int_equal(llama->n_ends, 3);
    assert_true(tok_is_end(m->llama, 128001) && tok_is_end(m->llama, 128008) &&
                tok_is_end(m->llama, 128009));
    assert_int_equal(deepseek->bos, 151646);
    assert_int_equal(deepseek->n_ends, 1);
    assert_true(tok_is_end(m->deepseek, 151643));
    assert_int_equal(deepseek->think_open, 151648);
    assert_int_equal(deepseek->think_close, 151649);
    assert_false(deepseek->banned[151664]);
    assert_true(deepseek->banned[151665] && deepseek->banned[151935]);
    assert_int_equal(llama->n_duplicates + deepseek->n_duplicates, 0);
    assert_int_equal(llama->n_merges_skipped + deepseek->n_merges_skipped, 0);
    assert_markers_stay_text(m->llama);
    assert_markers_stay_text(m->deepseek);
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
        cmocka_unit_test(hostile_vocabularies_are_refused_by_field),
        cmocka_unit_test(files_are_refused_by_key),
        cmocka_unit_test(outside_plain_vectors_hold),
        cmocka_unit_test(outside_special_vectors_hold),
        cmocka_unit_test(outside_invalid_vectors_hold),
        cmocka_unit_test(outside_decode_vectors_hold),
        cmocka_unit_test(outside_vocabularies_are_understood),
    };
    return cmocka_run_group_tests_name("tokenizer", tests, open_models, close_models);
}
