/* test_memo.c - tokens that are remembered: the same as those that are made. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/text/memo.h"
#include "tests/engine/build_vocab.h"
#include "tests/engine/tests.h"

enum { LONGEST = 200000 };

static struct tokenizer *tokens;

static int open_tokens(void **state)
{
    (void)state;
    tokens = build_tokenizer("qwen2");
    return 0;
}

static int close_tokens(void **state)
{
    (void)state;
    tok_close(tokens);
    return 0;
}

/* Text number i: no two are equal. */
static size_t make_text(int i, char *out)
{
    size_t n = 0, len = (size_t)(i % 7 == 0 ? 3000 + i % 5000 : 60 + i % 90);
    while (n < len)
        n += (size_t)sprintf(out + n, "hello %d ", i);
    return len;
}

static void assert_remembered(struct memo *m, const char *text, size_t len)
{
    struct tok_ids made = {0}, remembered = {0};
    assert_int_equal(tok_push(&remembered, 7), 0); /* is added to */
    assert_int_equal(tok_encode(tokens, text, len, false, &made), 0);
    assert_int_equal(memo_encode(m, tokens, text, len, &remembered), 0);
    assert_int_equal(remembered.n, made.n + 1);
    assert_int_equal(remembered.ids[0], 7);
    if (made.n > 0)
        assert_memory_equal(remembered.ids + 1, made.ids, made.n * sizeof *made.ids);
    free(made.ids);
    free(remembered.ids);
}

static void what_was_made_comes_back(void **state)
{
    struct memo *m = memo_new();
    char text[8192];
    (void)state;
    assert_non_null(m);
    assert_remembered(m, "", 0);
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 500; i++)
            assert_remembered(m, text, make_text(i, text));
    memo_free(m);
    memo_free(NULL);
}

/* By number and by bytes. What is used all along stays right. */
static void too_much_is_forgotten(void **state)
{
    struct memo *m = memo_new();
    char *text = malloc(LONGEST);
    (void)state;
    for (int i = 0; i < 5000; i++) {
        assert_remembered(m, text, make_text(i, text));
        if (i % 100 == 0)
            assert_remembered(m, text, make_text(1, text));
    }
    for (int i = 0; i < 60; i++) {
        memset(text, 'a' + i % 26, LONGEST);
        assert_remembered(m, text, LONGEST - (size_t)i);
        assert_remembered(m, text, LONGEST - (size_t)i);
    }
    free(text);
    memo_free(m);
}

static size_t count(struct memo *m, const struct tokenizer *t, const char *text)
{
    struct tok_ids ids = {0};
    assert_int_equal(memo_encode(m, t, text, strlen(text), &ids), 0);
    free(ids.ids);
    return ids.n;
}

/* Shown by a tokenizer that would make other tokens of the text. */
static void what_was_asked_lately_is_remembered(void **state)
{
    struct tokenizer *other = build_tokenizer("llama-bpe"); /* knows the word xyz */
    struct memo *m = memo_new();
    char words[100] = "", text[8192];
    (void)state;
    for (int i = 0; i < 20; i++)
        strcat(words, i ? "\nxyz" : "xyz");
    assert_int_equal(count(m, other, "xyz"), 1);
    assert_int_equal(count(m, tokens, "xyz"), 3); /* is made sooner than looked for */
    assert_int_equal(count(m, other, words), 39);
    for (int i = 0; i < 5000; i++) {
        assert_remembered(m, text, make_text(i, text));
        if (i % 1000 == 0)
            assert_int_equal(count(m, tokens, words), 39);
    }
    for (int i = 0; i < 5000; i++)
        assert_remembered(m, text, make_text(i, text));
    assert_int_equal(count(m, tokens, words), 79);
    memo_free(m);
    tok_close(other);
}

static void *encode_many(void *arg)
{
    struct memo *m = arg;
    char text[8192];
    for (int i = 0; i < 4000; i++)
        assert_remembered(m, text, make_text(i % 2500, text));
    return NULL;
}

static void threads_share_it(void **state)
{
    struct memo *m = memo_new();
    pthread_t threads[3];
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, encode_many, m), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    memo_free(m);
}

int test_memo(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_made_comes_back),
        cmocka_unit_test(too_much_is_forgotten),
        cmocka_unit_test(what_was_asked_lately_is_remembered),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests_name("memo", tests, open_tokens, close_tokens);
}
