/* test_kv.c - the KV pool against a model of it that is too simple to be wrong: a shadow of every
 * row, written the way a backend would write it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/kv.h"
#include "tests/engine/tests.h"

enum { N_BLOCKS = 24, MAX_TOKENS = 8 * KV_BLOCK, N_SEQUENCES = 6 };

struct sequence {
    bool open;
    int n, n_computed, max;
    int32_t tokens[MAX_TOKENS];
    int32_t blocks[MAX_TOKENS / KV_BLOCK];
    struct kv_sequence kv;
};

/* What stands in a row: a number that depends on its token and all before, as
 * keys and values do. */
static uint64_t next_row(uint64_t row_before, int32_t token)
{
    return (row_before ^ (uint64_t)token) * 0x100000001b3u + 1;
}

struct world {
    struct kv *kv;
    uint64_t rows[N_BLOCKS][KV_BLOCK];
    struct sequence seq[N_SEQUENCES];
};

static uint64_t *row_at(struct world *w, const struct sequence *s, int position)
{
    int32_t block = s->kv.blocks[position / KV_BLOCK];
    assert_in_range(block, 0, N_BLOCKS - 1);
    return &w->rows[block][position % KV_BLOCK];
}

static void assert_rows(struct world *w, const struct sequence *s)
{
    uint64_t row = 1;
    for (int i = 0; i < s->n_computed; i++) {
        row = next_row(row, s->tokens[i]);
        assert_true(*row_at(w, s, i) == row);
    }
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_int_equal(kv_new(&w->kv, N_BLOCKS), 0);
    for (int i = 0; i < N_SEQUENCES; i++)
        w->seq[i].kv.blocks = w->seq[i].blocks;
    return w;
}

static void world_free(struct world *w)
{
    kv_free(w->kv);
    free(w);
}

/* Opens; the prompt's tokens are set already. */
static int open_sequence(struct world *w, struct sequence *s, int n, int max)
{
    s->n = n;
    s->max = max;
    int cached = kv_open(w->kv, &s->kv, s->tokens, n, max);
    if (cached >= 0) {
        s->open = true;
        s->n_computed = cached;
        assert_in_range(cached, 0, n - 1);
        assert_rows(w, s);
    }
    return cached;
}

/* A step over n tokens of s: its rows are written; `done` says it was not given up. */
static void compute(struct world *w, struct sequence *s, int n, bool done)
{
    kv_grow(w->kv, &s->kv, s->n_computed + n);
    uint64_t row = s->n_computed > 0 ? *row_at(w, s, s->n_computed - 1) : 1;
    for (int i = s->n_computed; i < s->n_computed + n; i++) {
        row = next_row(row, s->tokens[i]);
        *row_at(w, s, i) = done ? row : 0;
    }
    if (done) {
        s->n_computed += n;
        kv_commit(w->kv, &s->kv, s->tokens, s->n_computed);
    }
}

static void close_sequence(struct world *w, struct sequence *s)
{
    kv_close(w->kv, &s->kv, s->tokens, s->n_computed);
    s->open = false;
}

static void fill(int32_t *tokens, int from, int to, int32_t seed)
{
    for (int i = from; i < to; i++)
        tokens[i] = seed + i;
}

static void reuses_full_blocks(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct sequence *a = &w->seq[0], *b = &w->seq[1];

    fill(a->tokens, 0, 100, 1000);
    assert_int_equal(open_sequence(w, a, 100, 128), 0);
    assert_int_equal(kv_cached(w->kv), 0);
    compute(w, a, 100, true);
    assert_int_equal(kv_cached(w->kv), 96); /* full blocks */

    /* Beside the living one: 96 tokens are full blocks, then the texts part. */
    memcpy(b->tokens, a->tokens, sizeof a->tokens);
    fill(b->tokens, 97, 120, 5000);
    assert_int_equal(open_sequence(w, b, 120, 128), 96);
    assert_memory_equal(b->blocks, a->blocks, 3 * sizeof b->blocks[0]);
    assert_int_not_equal(b->blocks[3], a->blocks[3]);
    compute(w, b, 24, true);
    assert_rows(w, a);
    close_sequence(w, a);
    close_sequence(w, b);

    /* The 96 that both share, 4 more, and 24 others. */
    assert_int_equal(kv_cached(w->kv), 96 + 4 + 24);

    /* The same prompt again: one position is left to compute, in a block that is taken over. */
    assert_int_equal(open_sequence(w, a, 100, 128), 99);
    close_sequence(w, a);
    world_free(w);
}

static void never_reuses_the_whole_prompt(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct sequence *s = &w->seq[0];
    fill(s->tokens, 0, MAX_TOKENS, 7);
    for (int n = 1; n <= 3 * KV_BLOCK; n++) {
        open_sequence(w, s, n, n + 1);
        compute(w, s, n - s->n_computed, true);
        close_sequence(w, s);
        assert_int_equal(open_sequence(w, s, n, n + 1), n - 1);
        compute(w, s, n - s->n_computed, true);
        close_sequence(w, s);
    }
    world_free(w);
}

static void continues_a_partial_block(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct sequence *s = &w->seq[0];
    fill(s->tokens, 0, 60, 0);
    assert_int_equal(open_sequence(w, s, 20, 60), 0);
    compute(w, s, 20, true);
    close_sequence(w, s);
    assert_int_equal(open_sequence(w, s, 50, 60), 20);
    compute(w, s, 30, true);
    close_sequence(w, s);
    assert_int_equal(open_sequence(w, s, 55, 60), 50);
    close_sequence(w, s);
    world_free(w);
}

/* A text of which only the first word is shared must not cost another one its rows. */
static void leaves_other_texts_alone(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct sequence *a = &w->seq[0], *b = &w->seq[1];
    fill(a->tokens, 0, 30, 0);
    fill(b->tokens, 0, 5, 0);
    fill(b->tokens, 5, 30, 500);
    open_sequence(w, a, 30, 40);
    compute(w, a, 30, true);
    close_sequence(w, a);
    assert_int_equal(open_sequence(w, b, 30, 40), 0);
    compute(w, b, 30, true);
    close_sequence(w, b);
    assert_int_equal(open_sequence(w, a, 30, 40), 29);
    close_sequence(w, a);
    world_free(w);
}

static void takes_all_or_nothing(void **state)
{
    (void)state;
    struct world *w = world_new();
    for (int i = 0; i < 3; i++) {
        fill(w->seq[i].tokens, 0, MAX_TOKENS, 1000 * i);
        assert_int_equal(open_sequence(w, &w->seq[i], 10, MAX_TOKENS), 0);
    }
    assert_int_equal(kv_available(w->kv), 0);
    assert_int_equal(open_sequence(w, &w->seq[3], 1, 1), -1);
    for (int i = 0; i < 3; i++)
        compute(w, &w->seq[i], MAX_TOKENS, true); /* what was reserved is there */
    close_sequence(w, &w->seq[1]);
    assert_int_equal(kv_available(w->kv), MAX_TOKENS / KV_BLOCK);
    assert_int_equal(open_sequence(w, &w->seq[3], 1, MAX_TOKENS), 0);
    assert_rows(w, &w->seq[0]);
    assert_rows(w, &w->seq[2]);
    world_free(w);
}

static void loses_the_oldest_text_first(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct sequence *s = &w->seq[0];
    enum { N = 8 * KV_BLOCK };
    for (int text = 0; text < 3; text++) { /* three fill the pool */
        fill(s->tokens, 0, N, 1000 * text);
        open_sequence(w, s, N, N);
        compute(w, s, N, true);
        close_sequence(w, s);
    }
    fill(s->tokens, 0, N, 9000);
    open_sequence(w, s, 2 * KV_BLOCK, 2 * KV_BLOCK);
    compute(w, s, 2 * KV_BLOCK, true);
    close_sequence(w, s);

    fill(s->tokens, 0, N, 0); /* lost its end, not its beginning */
    assert_int_equal(open_sequence(w, s, N, N), 6 * KV_BLOCK);
    close_sequence(w, s);
    fill(s->tokens, 0, N, 1000);
    assert_in_range(open_sequence(w, s, N, N), 7 * KV_BLOCK, N - 1);
    close_sequence(w, s);
    world_free(w);
}

/* Two that compute the same text at once end up with the same blocks. */
static void merges_equal_blocks(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct sequence *a = &w->seq[0], *b = &w->seq[1];
    fill(a->tokens, 0, 100, 3);
    fill(b->tokens, 0, 100, 3);
    open_sequence(w, a, 100, 128);
    open_sequence(w, b, 100, 128);
    compute(w, a, 100, true);
    compute(w, b, 100, true);
    assert_memory_equal(b->blocks, a->blocks, 3 * sizeof b->blocks[0]);
    assert_int_not_equal(b->blocks[3], a->blocks[3]);
    assert_rows(w, b);
    close_sequence(w, a);
    assert_rows(w, b);
    close_sequence(w, b);
    assert_int_equal(kv_available(w->kv), N_BLOCKS);
    world_free(w);
}

/* Texts from a small alphabet of pieces, so that they share beginnings of all lengths. */
static void invent(struct sequence *s, int n)
{
    for (int i = 0; i < n;) {
        int32_t piece = rand() % 3;
        int len = 1 + rand() % 20;
        if (i == 0)
            len = KV_BLOCK + 5; /* a system prompt */
        for (int k = 0; k < len && i < n; k++)
            s->tokens[i++] = 100 * piece + k;
    }
}

static void random_step(struct world *w, struct sequence *s)
{
    if (!s->open) {
        int n = 1 + rand() % (MAX_TOKENS - 1);
        invent(s, MAX_TOKENS);
        int before = kv_available(w->kv), max = n + rand() % (MAX_TOKENS - n + 1);
        if (open_sequence(w, s, n, max) < 0)
            assert_int_equal(kv_available(w->kv), before);
    } else if (s->n_computed == s->n && (s->n == s->max || rand() % 8 == 0)) {
        close_sequence(w, s);
    } else if (s->n_computed == s->n) {
        s->n++; /* a sampled token */
    } else {
        compute(w, s, 1 + rand() % (s->n - s->n_computed), rand() % 5 > 0);
        if (rand() % 50 == 0)
            close_sequence(w, s);
    }
}

static void random_operations(void **state)
{
    (void)state;
    struct world *w = world_new();
    srand(1);
    long reused = 0;
    for (int i = 0; i < 60000; i++) {
        struct sequence *s = &w->seq[rand() % N_SEQUENCES];
        bool was_open = s->open;
        random_step(w, s);
        assert_true(kv_available(w->kv) >= 0);
        assert_in_range(kv_cached(w->kv), 0, N_BLOCKS * KV_BLOCK);
        if (!was_open && s->open)
            reused += s->n_computed;
        if (s->open)
            assert_rows(w, s);
    }
    assert_true(reused > 0);
    for (int i = 0; i < N_SEQUENCES; i++) {
        if (w->seq[i].open)
            close_sequence(w, &w->seq[i]);
    }
    assert_int_equal(kv_available(w->kv), N_BLOCKS);
    world_free(w);
}

int test_kv(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reuses_full_blocks),
        cmocka_unit_test(never_reuses_the_whole_prompt),
        cmocka_unit_test(continues_a_partial_block),
        cmocka_unit_test(leaves_other_texts_alone),
        cmocka_unit_test(takes_all_or_nothing),
        cmocka_unit_test(loses_the_oldest_text_first),
        cmocka_unit_test(merges_equal_blocks),
        cmocka_unit_test(random_operations),
    };
    return cmocka_run_group_tests_name("kv", tests, NULL, NULL);
}
