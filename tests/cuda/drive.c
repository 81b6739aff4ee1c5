/* drive.c - see the header. */
#include "tests/cuda/drive.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/forward.h"
#include "tests/engine/random_model.h"

void expect(bool ok, const char *format, ...)
{
    va_list args;

    if (ok)
        return;
    va_start(args, format);
    fputs("FAILED: ", stdout);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    exit(1);
}

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n, size);
    expect(p != NULL, "memory is short");
    return p;
}

void drive_open(struct drive *d, struct model *m, const struct drive_options *opt)
{
    int blocks = (opt->max_context + KV_BLOCK - 1) / KV_BLOCK, all = blocks * opt->max_sequences;
    struct backend_options options = {
        .max_tokens = opt->max_tokens,
        .max_sequences = opt->max_sequences,
        .max_outputs = opt->max_sequences > 8 ? opt->max_sequences : 8,
        .max_context = opt->max_context,
        .n_blocks = all,
        .kv_type = opt->kv_type,
        .reproducible = opt->reproducible,
    };
    char err[256] = "";

    *d = (struct drive){.m = m, .max_outputs = options.max_outputs};
    expect(backend_open(&d->b, opt->device, m, &options, err, sizeof err) == 0, "%s", err);
    expect(d->b->ops->load(d->b, m) == 0, "%s", d->b->error);
    size_t tokens = (size_t)d->b->max_tokens;
    d->batch.token = zeroed(tokens, sizeof(int32_t));
    d->batch.position = zeroed(tokens, sizeof(int32_t));
    d->batch.sequence = zeroed(tokens, sizeof(int32_t));
    d->batch.output = zeroed((size_t)d->max_outputs, sizeof(int32_t));
    d->batch.block_table = zeroed((size_t)all, sizeof(int32_t));
    d->batch.n_sequences = opt->max_sequences;
    d->batch.max_blocks = blocks;
    for (int i = 0; i < all; i++) /* backwards within the sequence, and sequences by turns */
        d->batch.block_table[i] = opt->scattered ? all - 1 - i : i;
    d->logits = zeroed((size_t)d->max_outputs * (size_t)m->cfg.n_vocab, sizeof(float));
}

void drive_close(struct drive *d)
{
    backend_close(d->b);
    free(d->batch.token);
    free(d->batch.position);
    free(d->batch.sequence);
    free(d->batch.output);
    free(d->batch.block_table);
    free(d->logits);
}

void drive_reset(struct drive *d)
{
    memset(d->n_past, 0, sizeof d->n_past);
}

void drive_add(struct drive *d, int sequence, const int32_t *tokens, int n, bool output)
{
    struct batch *b = &d->batch;

    expect(b->n_tokens + n <= d->b->max_tokens, "a step of too many tokens");
    for (int i = 0; i < n; i++, b->n_tokens++) {
        b->token[b->n_tokens] = tokens[i];
        b->position[b->n_tokens] = d->n_past[sequence]++;
        b->sequence[b->n_tokens] = sequence;
    }
    if (output)
        b->output[b->n_outputs++] = b->n_tokens - 1;
}

void drive_step(struct drive *d)
{
    expect(forward(d->b, d->m, &d->batch, NULL) == 0, "%s", d->b->error);
}

void drive_run(struct drive *d)
{
    size_t n_vocab = (size_t)d->m->cfg.n_vocab;

    drive_step(d);
    for (int i = 0; i < d->batch.n_outputs; i++)
        expect(d->b->ops->read_logits(d->b, i, d->logits + (size_t)i * n_vocab) == 0, "%s",
               d->b->error);
    d->batch.n_tokens = d->batch.n_outputs = 0;
}

void random_tokens(uint64_t seed, int n_vocab, int32_t *out, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = (int32_t)(random_next(&seed) % (uint64_t)n_vocab);
}

double distance(const float *a, const float *b, int n)
{
    double difference = 0, norm = 0;

    for (int i = 0; i < n; i++) {
        difference += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
        norm += (double)b[i] * (double)b[i];
    }
    return difference >= 0 ? sqrt(difference / norm) : INFINITY;
}

double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}
