/* test_detok.c - a stream of tokens as a reader sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/text/detok.h"
#include "engine/text/tokenizer.h"
#include "engine/text/utf8.h"
#include "tests/engine/build_vocab.h"
#include "tests/engine/jsonl.h"
#include "tests/engine/tests.h"
#include "tests/engine/token_checks.h"

/* What came out so far, per kind; `pieces` joins all of it in order, each marked by its kind. */
struct reader {
    struct detok *d;
    char text[2][512];
    char pieces[1024];
    bool stopped;
};

static void assert_whole_characters(const char *s, size_t n)
{
    for (size_t at = 0, len; at < n; at += len)
        assert_true(utf8_decode(s + at, n - at, &len) >= 0);
}

static void take(struct reader *r, const struct detok_out *out)
{
    for (int i = 0; i < out->n; i++) {
        const struct detok_piece *p = &out->piece[i];
        assert_true(p->len > 0);
        assert_whole_characters(p->text, p->len);
        strncat(r->text[p->kind], p->text, p->len);
        strcat(r->pieces, p->kind == ENGINE_REASONING ? "r:" : "a:");
        strncat(r->pieces, p->text, p->len);
        strcat(r->pieces, "|");
    }
    r->stopped = out->stopped;
}

static void feed(struct reader *r, int32_t id)
{
    struct detok_out out;
    detok_feed(r->d, id, &out);
    take(r, &out);
}

static void end(struct reader *r)
{
    struct detok_out out;
    detok_end(r->d, &out);
    take(r, &out);
    detok_close(r->d);
}

static void start(struct reader *r, const struct tokenizer *t, const struct detok_options *opt)
{
    *r = (struct reader){0};
    assert_int_equal(detok_open(&r->d, t, opt), 0);
}

/* Feeds a text: marker tokens where it has them, else a token for each byte. */
static void feed_text(struct reader *r, const struct tokenizer *t, const char *text)
{
    size_t n = strlen(text);
    for (size_t at = 0, place, len; at < n; at += len) {
        int32_t id = tok_find_first(t, text + at, n - at, &place, &len);
        if (id < 0 || place > 0) {
            id = (unsigned char)text[at];
            len = 1;
        }
        feed(r, id);
    }
}

static void assert_read(const struct tokenizer *t, const struct detok_options *opt,
                        const char *text, const char *reasoning, const char *answer)
{
    struct reader r;
    start(&r, t, opt);
    feed_text(&r, t, text);
    end(&r);
    assert_string_equal(r.text[ENGINE_REASONING], reasoning);
    assert_string_equal(r.text[ENGINE_ANSWER], answer);
}

static void characters_are_never_cut(void **state)
{
    (void)state;
    struct tokenizer *t = build_tokenizer("llama-bpe");
    const struct detok_options opt = {0};
    struct reader r;
    start(&r, t, &opt);
    feed_text(&r, t, "\xE4\xB8");
    assert_string_equal(r.pieces, "");
    feed_text(&r, t, "\xAD\xF0\x9F");
    assert_string_equal(r.pieces, "a:\u4E2D|");
    feed_text(&r, t, "x");
    assert_string_equal(r.pieces, "a:\u4E2D|a:\uFFFDx|");
    feed_text(&r, t, "\xC3");
    end(&r);
    assert_string_equal(r.text[ENGINE_ANSWER], "\u4E2D\uFFFDx\uFFFD");
    tok_close(t);
}

static void control_tokens_are_not_text(void **state)
{
    (void)state;
    struct tokenizer *t = build_tokenizer("llama-bpe");
    const struct detok_options opt = {0};
    assert_read(t, &opt,
                "<|eot_id|>a\xC3<｜User｜>\xA9"
                "b[PAD0]",
                "", "a\u00E9b[PAD0]");
    struct reader r;
    start(&r, t, &opt);
    for (int32_t id = -2; id < tok_info(t)->n_vocab + 2; id++)
        if (id < 0 || tok_type(t, id) == TOK_UNUSED || tok_type(t, id) == TOK_CONTROL)
            feed(&r, id);
    end(&r);
    assert_string_equal(r.pieces, "");
    assert_read(t, &opt, "<think>x</think>", "", "<think>x</think>"); /* no meaning here */
    tok_close(t);
}

static void reasoning_is_told_from_the_answer(void **state)
{
    (void)state;
    struct tokenizer *t = build_tokenizer("qwen2");
    const struct detok_options opened = {.thinks = true, .stage = DETOK_REASONING_START};
    const struct detok_options not_opened = {.thinks = true};
    static const struct {
        const char *text, *reasoning, *answer;
    } rows[] = {
        {"hm.\n</think>\n\n4", "hm.\n", "4"},
        {"\nhm</think>4", "hm", "4"},
        {"</think>\n\n4", "", "4"},
        {"no end", "no end", ""},
        {"<think>\nagain</think>4", "again", "4"},
        {"a</think>b</think>c", "a", "b</think>c"},
        {"a</think> \n", "a", ""},
        {"a</think>\n</think>b", "a", "b"},
        {"a</think>\n\n<think>\nb</think>c", "ab", "c"},
        {"a</think>b<think>c", "a", "b<think>c"},
        {"1 < 2 </ think> </thin</think>4", "1 < 2 </ think> </thin", "4"},
        {"\xC3</think>\xA9", "\uFFFD", "\uFFFD"},
        {"", "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_read(t, &opened, rows[i].text, rows[i].reasoning, rows[i].answer);
    static const struct {
        const char *text, *reasoning, *answer;
    } own[] = {
        {"<think>\nhm</think>\n\n4", "hm", "4"},
        {"\n <think>hm</think>4", "hm", "4"},
        {"4", "", "4"},
        {" 4 <think>", "", " 4 <think>"},
        {"\n", "", "\n"},
        {"</think>4", "", "4"},
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        assert_read(t, &not_opened, own[i].text, own[i].reasoning, own[i].answer);
    tok_close(t);
}

/* A vocabulary without the tags' tokens: the model spells them. */
static void spelt_out_tags_count(void **state)
{
    (void)state;
    struct build_vocab b;
    struct tokenizer *t;
    char err[256];
    build_vocab(&b, "qwen2");
    for (size_t id = 256; id < b.vocab.n_tokens; id++)
        if (b.types[id] == TOK_USER_DEFINED)
            b.types[id] = TOK_UNUSED;
    assert_int_equal(tok_open(&t, &b.vocab, err, sizeof err), 0);
    const struct detok_options opened = {.thinks = true, .stage = DETOK_REASONING_START};
    const struct detok_options not_opened = {.thinks = true};
    assert_read(t, &opened, "a<</think>\nb", "a<", "b");
    assert_read(t, &opened, "</</think>b", "</", "b");
    assert_read(t, &not_opened, "<think>\na</think>b", "a", "b");
    assert_read(t, &not_opened, "\n\n<thin ice", "", "\n\n<thin ice");
    assert_read(t, &not_opened, "<think", "", "<think");
    assert_read(t, &opened, "a</think", "a</think", "");

    struct reader r;
    start(&r, t, &opened);
    feed_text(&r, t, "ab</thi");
    assert_string_equal(r.pieces, "r:a|r:b|");
    assert_int_equal(detok_kind(r.d), ENGINE_REASONING);
    feed_text(&r, t, "nk>");
    assert_int_equal(detok_kind(r.d), ENGINE_ANSWER);
    end(&r);
    tok_close(t);
}

static void stop_texts_end_the_answer(void **state)
{
    (void)state;
    struct tokenizer *t = build_tokenizer("qwen2");
    static const char *const stop[] = {"", "stop", "\n\nQ:", "\u4E2D\u6587", "aab", NULL};
    const struct detok_options plain = {.stop = stop};
    const struct detok_options thinks = {
        .stop = stop, .thinks = true, .stage = DETOK_REASONING_START};
    static const struct {
        const char *text, *answer;
    } rows[] = {
        {"a stop b", "a "},
        {"a stostop b", "a sto"},
        {"stop", ""},
        {"x\n\nQ: y", "x"},
        {"x\n\nA", "x\n\nA"},
        {"\u4E2D\u6570", "\u4E2D\u6570"},
        {"1\u4E2D\u6587"
         "2",
         "1"},
        {"aaab", "a"},
        {"sto", "sto"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_read(t, &plain, rows[i].text, "", rows[i].answer);
    assert_read(t, &thinks, "a stop b</think>c stop", "a stop b", "c ");

    struct reader r;
    start(&r, t, &plain);
    feed_text(&r, t, "ab st");
    assert_string_equal(r.text[ENGINE_ANSWER], "ab ");
    feed_text(&r, t, "op");
    assert_true(r.stopped);
    feed_text(&r, t, "more");
    assert_true(r.stopped);
    end(&r);
    assert_string_equal(r.text[ENGINE_ANSWER], "ab ");
    tok_close(t);
}

/* A stop text that begins inside a character takes the whole of it. */
static void odd_stop_texts_do_no_harm(void **state)
{
    (void)state;
    struct tokenizer *t = build_tokenizer("qwen2");
    static const char *const stop[] = {"\xA9", "\xB8\xADx", NULL};
    const struct detok_options opt = {.stop = stop};
    assert_read(t, &opt, "a\u00E9", "", "a");
    assert_read(t, &opt, "a\u00A9b", "", "a");
    assert_read(t, &opt, "a\u4E2Dy", "", "a\u4E2Dy");
    tok_close(t);
}

/* The plain rule for what must come out: everything before the first stop text. */
static void expect(const char *text, const char *const *stop, char *out)
{
    size_t cut = strlen(text), best_end = cut + 1;
    for (; *stop; stop++) {
        const char *at = strstr(text, *stop);
        size_t stop_end = at ? (size_t)(at - text) + strlen(*stop) : best_end;
        if (stop_end < best_end) {
            best_end = stop_end;
            cut = (size_t)(at - text);
        }
    }
    sprintf(out, "%.*s", (int)cut, text);
}

static void random_answers_stop_where_they_should(void **state)
{
    (void)state;
    struct tokenizer *t = build_tokenizer("qwen2");
    static const char *const stop[] = {"abab", "bb", "aac", "cabca", NULL};
    const struct detok_options opt = {.stop = stop};
    uint32_t seed = 5;
    for (int round = 0; round < 5000; round++) {
        char text[64], expected[64];
        size_t n = next_random(&seed) % 40;
        for (size_t i = 0; i < n; i++)
            text[i] = (char)('a' + next_random(&seed) % 3);
        text[n] = '\0';
        expect(text, stop, expected);
        assert_read(t, &opt, text, "", expected);
    }
    tok_close(t);
}

struct models {
    struct tokenizer *llama, *deepseek;
};

static void stream_row(const json_t *row, void *ud)
{
    const struct models *m = ud;
    const char *model = json_string_value(json_object_get(row, "model"));
    const struct tokenizer *t = strcmp(model, "llama") == 0 ? m->llama : m->deepseek;
    const json_t *ids = json_object_get(row, "ids");
    const struct detok_options opt = {0};
    struct reader r;
    char plain[512];
    size_t n = 0, len;
    start(&r, t, &opt);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        int32_t id = (int32_t)json_integer_value(json_array_get(ids, i));
        feed(&r, id);
        if (tok_type(t, id) == TOK_CONTROL)
            continue;
        const char *bytes = tok_bytes(t, id, &len);
        assert_true(n + len <= sizeof plain);
        memcpy(plain + n, bytes, len);
        n += len;
    }
    end(&r);
    char *expected = replace_bad_parts(plain, n, &len);
    if (!memchr(plain, '\0', n)) /* the reader here takes text only */
        assert_string_equal(r.text[ENGINE_ANSWER], expected);
    free(expected);
}

static void outside_streams_are_never_cut(void **state)
{
    (void)state;
    struct models m = {jsonl_tokenizer("llama"), jsonl_tokenizer("deepseek")};
    assert_int_equal(jsonl_each("tokenizer/decode.jsonl", stream_row, &m), 76);
    tok_close(m.llama);
    tok_close(m.deepseek);
}

int test_detok(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_never_cut),
        cmocka_unit_test(control_tokens_are_not_text),
        cmocka_unit_test(reasoning_is_told_from_the_answer),
        cmocka_unit_test(spelt_out_tags_count),
        cmocka_unit_test(stop_texts_end_the_answer),
        cmocka_unit_test(odd_stop_texts_do_no_harm),
        cmocka_unit_test(random_answers_stop_where_they_should),
        cmocka_unit_test(outside_streams_are_never_cut),
    };
    return cmocka_run_group_tests_name("detok", tests, NULL, NULL);
}
