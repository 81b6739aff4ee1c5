/* limits.c - see limits.h. */
#include "tests/cuda/limits.h"

#include <stdio.h>
#include <string.h>

#include <cuda_runtime_api.h>

#include "engine/forward.h"
#include "tests/cuda/drive.h"
#include "tests/cuda/trap.h"
#include "tests/engine/random_model.h"

static const size_t gib = (size_t)1 << 30, mib = (size_t)1 << 20;

static const struct random_options shape = {.type = QUANT_F16,
                                            .n_layer = 2,
                                            .n_embd = 512,
                                            .n_head = 8,
                                            .n_head_kv = 2,
                                            .head_dim = 64,
                                            .n_ff = 768,
                                            .n_vocab = 100000,
                                            .neighbours = true,
                                            .tied = true};

/* All of the device's memory but so much, in pieces. */
struct hog {
    void *pieces[64];
    int n;
};

static void take_all_but(struct hog *h, size_t leave)
{
    size_t free_bytes, total;

    h->n = 0;
    expect(cudaMemGetInfo(&free_bytes, &total) == cudaSuccess, "no memory can be asked for");
    for (size_t piece = free_bytes; piece >= mib && h->n < 64;) {
        expect(cudaMemGetInfo(&free_bytes, &total) == cudaSuccess, "no memory can be asked for");
        if (free_bytes < leave + piece || cudaMalloc(&h->pieces[h->n], piece) != cudaSuccess)
            piece /= 2;
        else
            h->n++;
    }
    (void)cudaGetLastError();
}

static void give_all(struct hog *h)
{
    while (h->n > 0)
        cudaFree(h->pieces[--h->n]);
}

/* 0, or -1 and a line that says why not. */
static int try_to_open(struct model *m, char *err, size_t errlen)
{
    const struct backend_options opt = {
        .max_sequences = 1, .max_outputs = 8, .max_context = 4096, .n_blocks = 4096 / KV_BLOCK};
    struct backend *b;

    if (backend_open(&b, "cuda", m, &opt, err, errlen) != 0)
        return -1;
    int rc = b->ops->load(b, m);
    if (rc != 0)
        snprintf(err, errlen, "%s", b->error);
    backend_close(b);
    return rc;
}

void short_memory_is_said(void)
{
    const size_t leave[] = {100 * mib, gib, 4 * gib};
    struct model m;
    char err[256];

    random_model(&m, &shape, 21);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 3; i++) {
            struct hog hog;
            take_all_but(&hog, leave[i]);
            err[0] = '\0';
            int rc = try_to_open(&m, err, sizeof err);
            give_all(&hog);
            expect((rc == 0) == (i > 0), "round %d, %zu MiB: got %d %s", round, leave[i] / mib, rc,
                   err);
            expect(rc == 0 || strstr(err, "memory is short (got "), "got %s", err);
        }
    }
    expect(try_to_open(&m, err, sizeof err) == 0, "afterwards: %s", err);
    random_model_done(&m);
}

static size_t free_memory(void)
{
    size_t free_bytes = 0, total;
    expect(cudaMemGetInfo(&free_bytes, &total) == cudaSuccess, "no memory can be asked for");
    return free_bytes;
}

/* Prompts of all sizes, and answers up to a full context, while another process has the rest. */
void nothing_is_taken_once_open(void)
{
    enum { CONTEXT = 2048, PROMPT = 700 };
    static int32_t tokens[CONTEXT];
    struct model m;
    struct drive d;
    struct hog hog;

    random_model(&m, &shape, 22);
    random_tokens(23, shape.n_vocab, tokens, CONTEXT);
    drive_open(
        &d, &m,
        &(struct drive_options){.device = "cuda", .max_sequences = 4, .max_context = CONTEXT});
    take_all_but(&hog, 0);
    size_t before = free_memory();
    for (int s = 0, n = 1; s < 4; s++, n = n * 8 + 3) {
        drive_add(&d, s, tokens, n < PROMPT ? n : PROMPT, true);
        drive_run(&d);
    }
    while (d.n_past[3] < CONTEXT) {
        for (int s = 0; s < 4; s++)
            if (s == 3 || d.n_past[s] < 200)
                drive_add(&d, s, tokens + d.n_past[s], 1, true);
        drive_run(&d);
    }
    size_t after = free_memory();
    expect(after == before, "%zu bytes were taken", before - after);
    give_all(&hog);
    drive_close(&d);
    random_model_done(&m);
}

void a_lost_device_is_said(void)
{
    struct model m;
    struct drive d;
    int32_t token = 1;

    random_model(&m, &shape, 24);
    drive_open(&d, &m,
               &(struct drive_options){.device = "cuda", .max_sequences = 1, .max_context = 64});
    drive_add(&d, 0, &token, 1, true);
    drive_run(&d);
    trap_device();
    for (int i = 0; i < 3; i++) {
        drive_add(&d, 0, &token, 1, true);
        bool failed = forward(d.b, &m, &d.batch, NULL) != 0 ||
                      d.b->ops->read_logits(d.b, 0, d.logits) != 0;
        expect(failed && d.b->error[0] != '\0', "try %d: a device that is lost goes on", i);
        d.batch.n_tokens = d.batch.n_outputs = 0;
    }
    printf("  %s\n", d.b->error);
    drive_close(&d);
    random_model_done(&m);
}
