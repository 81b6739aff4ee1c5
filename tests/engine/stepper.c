/* stepper.c - a batch filled by hand. */
#include "tests/engine/stepper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/cpu/cpu.h"
#include "engine/forward.h"

enum { MAX_BLOCKS = STEPPER_TOKENS / KV_BLOCK, N_BLOCKS = STEPPER_SEQUENCES * MAX_BLOCKS };

static int32_t *numbers(int n)
{
    int32_t *p = calloc((size_t)n, sizeof *p);
    assert_non_null(p);
    return p;
}

void stepper_open(struct stepper *s, struct model *m, const struct stepper_options *opt)
{
    struct backend_options options = {
        .n_threads = opt->n_threads,
        .max_tokens = STEPPER_TOKENS,
        .max_sequences = STEPPER_SEQUENCES,
        .max_outputs = STEPPER_OUTPUTS,
        .max_context = STEPPER_TOKENS,
        .n_blocks = N_BLOCKS,
        .kv_type = opt->kv_type,
    };
    char err[256] = "";

    *s = (struct stepper){.m = m};
    if (cpu_open(&s->b, opt->level, m, &options, err, sizeof err) != 0)
        fail_msg("%s", err);
    if (s->b->ops->load(s->b, m) != 0)
        fail_msg("%s", s->b->error);
    s->batch.token = numbers(STEPPER_TOKENS);
    s->batch.position = numbers(STEPPER_TOKENS);
    s->batch.sequence = numbers(STEPPER_TOKENS);
    s->batch.output = numbers(STEPPER_OUTPUTS);
    s->batch.block_table = numbers(N_BLOCKS);
    s->batch.n_sequences = STEPPER_SEQUENCES;
    s->batch.max_blocks = MAX_BLOCKS;
    for (int i = 0; i < N_BLOCKS; i++) /* 37 has no factor in common with the count of blocks */
        s->batch.block_table[i] = opt->scattered ? i * 37 % N_BLOCKS : i;
    s->logits = calloc((size_t)STEPPER_OUTPUTS * (size_t)m->cfg.n_vocab, sizeof *s->logits);
    assert_non_null(s->logits);
}

void stepper_close(struct stepper *s)
{
    backend_close(s->b);
    free(s->batch.token);
    free(s->batch.position);
    free(s->batch.sequence);
    free(s->batch.output);
    free(s->batch.block_table);
    free(s->logits);
}

void stepper_add(struct stepper *s, int sequence, const int32_t *tokens, int n, bool output)
{
    struct batch *b = &s->batch;

    assert_true(b->n_tokens + n <= STEPPER_TOKENS && s->n_past[sequence] + n <= STEPPER_TOKENS);
    for (int i = 0; i < n; i++, b->n_tokens++) {
        b->token[b->n_tokens] = tokens[i];
        b->position[b->n_tokens] = s->n_past[sequence]++;
        b->sequence[b->n_tokens] = sequence;
    }
    if (output)
        b->output[b->n_outputs++] = b->n_tokens - 1;
}

void stepper_run(struct stepper *s)
{
    assert_int_equal(forward(s->b, s->m, &s->batch, NULL), 0);
    for (int i = 0; i < s->batch.n_outputs; i++)
        assert_int_equal(
            s->b->ops->read_logits(s->b, i, s->logits + (size_t)i * (size_t)s->m->cfg.n_vocab), 0);
    s->batch.n_tokens = s->batch.n_outputs = 0;
}

const float *stepper_feed(struct stepper *s, const int32_t *tokens, int n, int chunk)
{
    if (chunk == 0)
        chunk = n;
    for (int i = 0; i < n; i += chunk) {
        int now = n - i < chunk ? n - i : chunk;
        stepper_add(s, 0, tokens + i, now, i + now == n);
        stepper_run(s);
    }
    return s->logits;
}

void stepper_reset(struct stepper *s)
{
    memset(s->n_past, 0, sizeof s->n_past);
}
