/* fake_model.c - see fake_model.h. */
#include "tests/engine/fake_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/text/detok.h"
#include "engine/text/tokenizer.h"
#include "tests/engine/build_vocab.h"

enum { N_VOCAB = 270, END_TOKEN = 269, N_LAYERS = 2 };

static uint64_t mix(uint64_t h, uint64_t x)
{
    h = (h ^ x) * 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

static void make_logits(uint64_t row, float *logits)
{
    for (int i = 0; i < N_VOCAB; i++)
        logits[i] = -50;
    for (int i = 'a'; i <= 'z'; i++)
        logits[i] = (float)(mix(row, (uint64_t)i) % 1000) / 200;
    logits[END_TOKEN] = 1;
}

static struct fake *fake_of(struct backend *b)
{
    return (struct fake *)b;
}

static int operate(struct fake *f)
{
    if (f->fail_after > 0 && --f->fail_after == 0) {
        snprintf(f->base.error, sizeof f->base.error, "fake: the device failed");
        f->fail_after = -1;
    }
    return f->fail_after < 0 ? -1 : 0;
}

static uint64_t *row(struct fake *f, int sequence, int position)
{
    const struct batch *b = f->batch;
    assert_in_range(sequence, 0, b->n_sequences - 1);
    assert_in_range(position, 0, b->max_blocks * KV_BLOCK - 1);
    int32_t block = b->block_table[sequence * b->max_blocks + position / KV_BLOCK];
    assert_in_range(block, 0, MAX_POOL - 1);
    return &f->rows[block][position % KV_BLOCK];
}

static int fake_begin(struct backend *b, const struct model *m, const struct batch *batch)
{
    struct fake *f = fake_of(b);
    (void)m;
    f->batch = batch;
    f->n_steps++;
    assert_true(batch->n_tokens > 0);
    if (batch->n_tokens > f->max_step_tokens)
        f->max_step_tokens = batch->n_tokens;
    for (int i = 0; i < batch->n_tokens; i++)
        *row(f, batch->sequence[i], batch->position[i]) = 0xdead; /* undefined until the end */
    return operate(f);
}

static int fake_nothing(struct backend *b)
{
    return operate(fake_of(b));
}

static int fake_layer(struct backend *b, int layer)
{
    (void)layer;
    return operate(fake_of(b));
}

static int fake_attention(struct backend *b, int layer)
{
    struct fake *f = fake_of(b);
    if (f->cancel_id && layer == 1) {
        queue_cancel(f->queue, f->cancel_id);
        f->cancel_id = 0;
    }
    return operate(f);
}

static int fake_ffn_down(struct backend *b, int layer)
{
    struct fake *f = fake_of(b);
    for (int i = 0; layer == N_LAYERS - 1 && i < f->batch->n_tokens; i++) {
        int sequence = f->batch->sequence[i], position = f->batch->position[i];
        uint64_t before = position > 0 ? *row(f, sequence, position - 1) : 1;
        *row(f, sequence, position) = mix(before, (uint64_t)f->batch->token[i]);
    }
    return operate(f);
}

static int fake_logits(struct backend *b)
{
    struct fake *f = fake_of(b);
    for (int i = 0; i < f->batch->n_outputs; i++) {
        int t = f->batch->output[i];
        f->last[i] = *row(f, f->batch->sequence[t], f->batch->position[t]);
    }
    return operate(f);
}

static int fake_sample(struct backend *b, struct sampler *const *samplers, int32_t *ids_out)
{
    struct fake *f = fake_of(b);
    for (int i = 0; i < f->batch->n_outputs; i++) {
        float logits[N_VOCAB];
        struct sampler_candidate scratch[N_VOCAB];
        make_logits(f->last[i], logits);
        if (f->produces_nan)
            logits['q'] = NAN;
        ids_out[i] = sampler_pick(samplers[i], logits, N_VOCAB, scratch);
    }
    return operate(f);
}

static const struct backend_ops fake_ops = {
    .begin = fake_begin,
    .embed = fake_nothing,
    .qkv = fake_layer,
    .attention = fake_attention,
    .attention_out = fake_layer,
    .ffn_up = fake_layer,
    .ffn_down = fake_ffn_down,
    .logits = fake_logits,
    .sample = fake_sample,
};

/* The world around the scheduler */

struct world *world_new(int n_blocks, int max_sequences, int max_tokens)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->tokenizer = build_tokenizer("qwen2");
    assert_true(tok_is_end(w->tokenizer, END_TOKEN));
    w->model.cfg.n_layer = N_LAYERS;
    w->model.cfg.n_vocab = N_VOCAB;
    w->fake.base.ops = &fake_ops;
    assert_int_equal(queue_open(&w->queue), 0);
    assert_int_equal(kv_new(&w->kv, n_blocks), 0);
    w->fake.queue = w->queue;
    const struct sched_options opt = {
        .backend = &w->fake.base,
        .model = &w->model,
        .tokenizer = w->tokenizer,
        .queue = w->queue,
        .kv = w->kv,
        .max_context = CONTEXT,
        .max_sequences = max_sequences,
        .max_tokens = max_tokens,
    };
    assert_int_equal(sched_new(&w->sched, &opt), 0);
    return w;
}

void world_free(struct world *w)
{
    sched_free(w->sched);
    kv_free(w->kv);
    queue_close(w->queue);
    tok_close(w->tokenizer);
    free(w);
}

uint64_t world_submit(struct world *w, const struct ask *a)
{
    struct sched_request *r = calloc(1, sizeof *r);
    assert_non_null(r);
    int n = (int)strlen(a->prompt);
    r->n_prompt = n;
    r->max_tokens = a->max_tokens ? n + a->max_tokens : CONTEXT;
    r->tokens = malloc((size_t)r->max_tokens * sizeof *r->tokens);
    for (int i = 0; i < n; i++)
        r->tokens[i] = (unsigned char)a->prompt[i];
    const char *const stop[] = {a->stop, NULL};
    assert_int_equal(detok_open(&r->detok, w->tokenizer, &(struct detok_options){.stop = stop}), 0);
    const struct engine_sampling set = {
        .temperature = a->temperature, .top_p = 0.9f, .repeat_penalty = 1, .seed = a->seed};
    sampler_init(&r->sampler, &set, NULL);
    r->submitted_ms = sched_clock_ms();

    uint64_t id;
    void *taken;
    struct queue_events *events;
    assert_int_equal(queue_submit(w->queue, r, &id), 0);
    assert_true(queue_take(w->queue, false, &taken, &events));
    assert_ptr_equal(taken, r);
    sched_add(w->sched, r, events);
    return id;
}

void fake_answer(const struct ask *a, struct answer *out)
{
    uint64_t h = 1;
    int n = (int)strlen(a->prompt), room = a->max_tokens ? a->max_tokens : CONTEXT - n, len = 0;
    for (int i = 0; i < n; i++)
        h = mix(h, (unsigned char)a->prompt[i]);
    const struct engine_sampling set = {
        .temperature = a->temperature, .top_p = 0.9f, .repeat_penalty = 1, .seed = a->seed};
    struct sampler s;
    sampler_init(&s, &set, NULL);
    memset(out, 0, sizeof *out);
    out->stop = ENGINE_STOP_LENGTH;
    for (int i = 0; i < room; i++) {
        float logits[N_VOCAB];
        struct sampler_candidate scratch[N_VOCAB];
        make_logits(h, logits);
        int32_t id = sampler_pick(&s, logits, N_VOCAB, scratch);
        out->usage.completion_tokens++;
        if (id == END_TOKEN) {
            out->stop = ENGINE_STOP_END;
            break;
        }
        out->text[len++] = (char)id;
        char *stop = a->stop ? strstr(out->text, a->stop) : NULL;
        if (stop) {
            *stop = '\0';
            out->stop = ENGINE_STOP_END;
            break;
        }
        h = mix(h, (uint64_t)id);
    }
}

void world_listen(struct world *w, struct answer *answers, int n)
{
    const struct engine_event *e;
    while ((e = queue_next(w->queue, 0))) {
        assert_in_range(e->request, 1, n);
        struct answer *a = &answers[e->request - 1];
        assert_false(a->done);
        a->usage = e->usage;
        if (e->type == ENGINE_TEXT) {
            strcat(a->text, e->text);
        } else if (e->type == ENGINE_PREFILL) {
            assert_true(e->prompt_done > a->last_prompt_done);
            a->last_prompt_done = e->prompt_done;
        } else {
            assert_int_equal(e->type, ENGINE_DONE);
            a->done = true;
            a->stop = e->stop;
            a->error = e->error;
            snprintf(a->error_text, sizeof a->error_text, "%s", e->error_text ? e->error_text : "");
        }
    }
}

void world_run(struct world *w, struct answer *answers, int n)
{
    while (sched_busy(w->sched)) {
        assert_int_equal(sched_step(w->sched), 0);
        world_listen(w, answers, n);
    }
    for (int i = 0; i < n; i++)
        assert_true(answers[i].done);
}
