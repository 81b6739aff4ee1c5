/* measure.c - a model file on the device: how far its logits are from the CPU's, and its speed.
 *
 *     measure FILE [compare] [speed] [batch|batch4|batch16|batch64] [prompt] [q8]
 *
 * A step is all of it: token ids go in, the sampled token comes back and goes in again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/file/gguf.h"
#include "tests/cuda/drive.h"

enum { CONTEXT = 4096, WARM = 8, TIMED = 64, ROUNDS = 5, MAX_BATCH = 64 };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, by_value);
    return v[n / 2];
}

static void compare(struct model *m)
{
    enum { N = 40 };
    int32_t tokens[N];
    struct drive gpu, cpu;
    int n_vocab = m->cfg.n_vocab;
    struct drive_options opt = {.max_tokens = 64, .max_sequences = 1, .max_context = 64};

    random_tokens(1, n_vocab, tokens, N);
    opt.device = "cpu";
    drive_open(&cpu, m, &opt);
    opt.device = "cuda";
    drive_open(&gpu, m, &opt);
    for (int at = 0, n = 36; at < N; at += n, n = 1) {
        drive_add(&cpu, 0, tokens + at, n, true);
        drive_add(&gpu, 0, tokens + at, n, true);
        drive_run(&cpu);
        drive_run(&gpu);
        printf("  position %d: |cuda - cpu| / |cpu| = %.2e\n", at + n - 1,
               distance(gpu.logits, cpu.logits, n_vocab));
    }
    drive_close(&cpu);
    drive_close(&gpu);
}

/* n sequences at `context`; seconds of a step. */
static double step_time(struct drive *d, int n, int context, const struct engine_sampling *sampling)
{
    struct sampler samplers[MAX_BATCH], *all[MAX_BATCH];
    int32_t ids[MAX_BATCH];
    double times[ROUNDS];

    for (int i = 0; i < n; i++) {
        sampler_init(&samplers[i], sampling, NULL);
        all[i] = &samplers[i];
        ids[i] = 1000 + i;
    }
    for (int round = 0; round < ROUNDS; round++) {
        double begun = 0;
        for (int i = 0; i < n; i++)
            d->n_past[i] = context - WARM;
        for (int step = 0; step < WARM + TIMED; step++) {
            if (step == WARM)
                begun = seconds();
            for (int i = 0; i < n; i++)
                drive_add(d, i, &ids[i], 1, true);
            drive_step(d);
            expect(d->b->ops->sample(d->b, all, ids) == 0, "%s", d->b->error);
            d->batch.n_tokens = d->batch.n_outputs = 0;
        }
        times[round] = (seconds() - begun) / TIMED;
    }
    return median(times, ROUNDS);
}

static void measure_steps(struct model *m, enum backend_kv_type kv, int n, const int *contexts)
{
    const struct engine_sampling greedy = {.top_p = 1, .repeat_penalty = 1};
    const struct engine_sampling drawn = {.temperature = 0.6f, .top_p = 0.95f, .repeat_penalty = 1};
    struct drive d;

    drive_open(&d, m,
               &(struct drive_options){.device = "cuda",
                                       .max_sequences = n,
                                       .max_context = n == 1 ? CONTEXT : 512,
                                       .kv_type = kv});
    for (; *contexts > 0; contexts++) {
        double s = step_time(&d, n, *contexts, &greedy);
        printf("  batch %2d context %4d: %.3f ms/step, %.0f tokens/s; drawn %.3f ms/step\n", n,
               *contexts, s * 1e3, n / s, step_time(&d, n, *contexts, &drawn) * 1e3);
    }
    drive_close(&d);
}

static void measure_prompts(struct model *m, enum backend_kv_type kv)
{
    const int sizes[] = {128, 512, 2048};
    struct engine_sampling greedy = {.top_p = 1, .repeat_penalty = 1};
    static int32_t tokens[2048];
    struct sampler sampler, *all[] = {&sampler};
    struct drive d;

    random_tokens(3, m->cfg.n_vocab, tokens, 2048);
    sampler_init(&sampler, &greedy, NULL);
    double begun = seconds();
    drive_open(&d, m,
               &(struct drive_options){
                   .device = "cuda", .max_sequences = 1, .max_context = CONTEXT, .kv_type = kv});
    printf("  open and load %.2f s; weights %zu MiB, KV %zu MiB, scratch %zu MiB\n",
           seconds() - begun, (size_t)d.b->memory.weights >> 20, (size_t)d.b->memory.kv >> 20,
           (size_t)d.b->memory.scratch >> 20);
    for (int k = 0; k < 3; k++) {
        double times[ROUNDS + 2];
        for (int round = 0; round < ROUNDS + 2; round++) {
            int32_t id;
            drive_reset(&d);
            begun = seconds();
            for (int at = 0; at < sizes[k];) {
                int left = sizes[k] - at, n = left < d.b->max_tokens ? left : d.b->max_tokens;
                drive_add(&d, 0, tokens + at, n, at + n == sizes[k]);
                at += n;
                drive_step(&d);
                if (at < sizes[k])
                    d.batch.n_tokens = d.batch.n_outputs = 0;
            }
            expect(d.b->ops->sample(d.b, all, &id) == 0, "%s", d.b->error);
            d.batch.n_tokens = d.batch.n_outputs = 0;
            times[round] = seconds() - begun;
        }
        printf("  first token after %4d: %.2f ms\n", sizes[k], median(times + 2, ROUNDS) * 1e3);
    }
    drive_close(&d);
}

static bool asked(int argc, char **argv, const char *what)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], what) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    char err[256];
    struct gguf *g;
    struct model m;

    setvbuf(stdout, NULL, _IOLBF, 0);
    expect(argc > 1, "usage: measure FILE [compare] [speed] [batch|batch4|...] [prompt] [q8]");
    expect(gguf_open(&g, argv[1], err, sizeof err) == 0, "%s", err);
    expect(model_bind(&m, g, err, sizeof err) == 0, "%s", err);
    enum backend_kv_type kv = asked(argc, argv, "q8") ? BACKEND_KV_Q8 : BACKEND_KV_F16;
    printf("%s\n", argv[1]);
    if (asked(argc, argv, "compare"))
        compare(&m);
    if (asked(argc, argv, "prompt"))
        measure_prompts(&m, kv);
    if (asked(argc, argv, "speed"))
        measure_steps(&m, kv, 1, (const int[]){128, 2048, 0});
    for (int n = 4; n <= MAX_BATCH; n *= 4) {
        char one[32];
        snprintf(one, sizeof one, "batch%d", n);
        if (asked(argc, argv, "batch") || asked(argc, argv, one))
            measure_steps(&m, kv, n, (const int[]){128, 0});
    }
    model_done(&m);
    gguf_close(g);
    return 0;
}
