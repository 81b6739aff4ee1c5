/* failures.c - what becomes of a backend whose CUDA runtime fails, at any of its calls, or is not
 * there. Runs on any machine, on the stub. */
#include <stdio.h>
#include <string.h>

#include "engine/forward.h"
#include "tests/cuda/drive.h"
#include "tests/cuda/stub.h"
#include "tests/engine/random_model.h"

static const struct random_options shape = {.type = QUANT_Q4_K,
                                            .n_layer = 2,
                                            .n_embd = 256,
                                            .n_head = 4,
                                            .n_head_kv = 2,
                                            .head_dim = 64,
                                            .n_ff = 256,
                                            .n_vocab = 100,
                                            .key_bias = 1};
static const struct backend_options options = {.n_threads = 1,
                                               .max_tokens = 64,
                                               .max_sequences = 2,
                                               .max_outputs = 4,
                                               .max_context = 96,
                                               .n_blocks = 6};

static void expect_one_line(const char *text)
{
    expect(text[0] != '\0' && !strchr(text, '\n'), "not one line: \"%s\"", text);
}

/* Refusals */

static void is_refused(struct model *m, const char *why)
{
    char err[256] = "";
    struct backend *b;

    expect(backend_open(&b, "cuda", m, &options, err, sizeof err) == -1, "%s: opened", why);
    expect_one_line(err);
    expect(strstr(err, why) != NULL, "got \"%s\", want \"%s\"", err, why);
    expect(stub.n_live == 0, "%s: %ld things not given back", why, stub.n_live);

    expect(backend_open(&b, NULL, m, &options, err, sizeof err) == 0, "%s: and no CPU", why);
    expect(strncmp(b->device, "CPU", 3) == 0, "got %s", b->device);
    backend_close(b);
}

static void what_is_not_there_is_told(struct model *m)
{
    stub_reset();
    stub.driver = 0;
    is_refused(m, "no driver");
    stub_reset();
    stub.driver = 11020;
    is_refused(m, "driver is too old (got 11.2");
    stub_reset();
    stub.n_devices = 0;
    is_refused(m, "no device");
    stub_reset();
    stub.major = 6;
    stub.minor = 1;
    is_refused(m, "compute capability is too old (got 6.1, limit 7.5)");
    stub_reset();
    stub.free_bytes = 1 << 20;
    is_refused(m, "memory is short");
}

/* Failures */

static int use(struct backend *b, struct model *m, int n_steps)
{
    int32_t token[40] = {1, 2, 3}, position[40], sequence[40] = {0}, output[1] = {39};
    int32_t table[6] = {0, 1, 2, 3, 4, 5}, id;
    struct batch batch = {.n_tokens = 40,
                          .token = token,
                          .position = position,
                          .sequence = sequence,
                          .n_sequences = 2,
                          .max_blocks = 3,
                          .block_table = table,
                          .n_outputs = 1,
                          .output = output};
    struct engine_sampling set = {.temperature = 1, .top_p = 0.9f, .repeat_penalty = 1.1f};
    struct sampler sampler, *samplers[] = {&sampler};
    float logits[100];
    const uint32_t mask[] = {~0u, 0xF0F0F0F0, ~0u, ~0u};

    sampler_init(&sampler, &set, NULL);
    sampler.mask = mask;
    for (int i = 0; i < 40; i++)
        position[i] = i;
    for (int step = 0; step < n_steps; step++) {
        if (forward(b, m, &batch, NULL) != 0 || b->ops->sample(b, samplers, &id) != 0 ||
            b->ops->read_logits(b, 0, logits) != 0)
            return -1;
        batch.n_tokens = 1;
        output[0] = 0;
        position[0] = 40 + step;
    }
    return 0;
}

/* Memory that is short is no failure of the device, as others are: then *forgiven is set. */
static int measure(struct backend *b, bool *forgiven)
{
    double pass = -1;

    int rc = b->ops->bandwidth(b, &pass, 1);
    expect(pass >= 0, "a pass of %g", pass);
    *forgiven = rc == 0 && pass == 0;
    return rc;
}

/* Opens, loads and uses a backend whose n-th call fails. True when it never came to that call. */
static bool survives(struct model *m, const struct backend_options *opt, long n, bool once,
                     cudaError_t failure)
{
    char err[256] = "";
    struct backend *b;

    stub_reset();
    stub.fail_at = n;
    stub.once = once;
    stub.failure = failure;
    if (backend_open(&b, "cuda", m, opt, err, sizeof err) != 0) {
        expect_one_line(err);
    } else {
        bool forgiven = false;
        int rc = b->ops->load(b, m);
        if (rc == 0 && failure == cudaErrorMemoryAllocation)
            rc = measure(b, &forgiven);
        if (rc == 0)
            rc = use(b, m, 3);
        bool met = stub.n_calls >= n, fails = met && !(forgiven && once);
        expect((rc != 0) == fails, "call %ld fails: got %d", n, rc);
        if (fails) {
            expect_one_line(b->error);
            expect(use(b, m, 1) != 0, "call %ld fails: and works again", n);
        }
        backend_close(b);
        if (!met)
            return true;
    }
    expect(stub.n_live == 0, "call %ld fails: %ld things not given back", n, stub.n_live);
    return false;
}

static void every_failure_is_told(struct model *m)
{
    const cudaError_t failures[] = {cudaErrorLaunchFailure, cudaErrorMemoryAllocation,
                                    cudaErrorIllegalAddress, cudaErrorECCUncorrectable};

    for (int i = 0; i < 4; i++) {
        for (int once = 0; once < 2; once++) {
            struct backend_options opt = options;
            long n = 1;
            opt.kv_type = once ? BACKEND_KV_Q8 : BACKEND_KV_F16;
            while (!survives(m, &opt, n, once, failures[i]))
                n++;
            printf("  error %d%s: at each of %ld calls\n", (int)failures[i], once ? " once" : "",
                   n - 1);
        }
    }
}

static void nothing_is_allocated_after_load(struct model *m)
{
    char err[256];
    struct backend *b;

    stub_reset();
    expect(backend_open(&b, "cuda", m, &options, err, sizeof err) == 0, "%s", err);
    expect(b->ops->load(b, m) == 0, "%s", b->error);
    long before = stub.n_allocations;
    expect(use(b, m, 50) == 0, "%s", b->error);
    expect(stub.n_allocations == before, "%ld allocations", stub.n_allocations - before);
    backend_close(b);
    expect(stub.n_live == 0, "%ld things not given back", stub.n_live);
}

/* Kernels launched as only code for 9.0 may be. */
static long special_launches(struct model *m, int code)
{
    char err[256];
    struct backend *b;

    stub_reset();
    stub.code = code;
    expect(backend_open(&b, "cuda", m, &options, err, sizeof err) == 0, "%s", err);
    expect(b->ops->load(b, m) == 0 && use(b, m, 3) == 0, "%s", b->error);
    backend_close(b);
    return stub.n_special;
}

/* A build for older devices runs on a newer one. */
static void old_code_is_launched_as_such(struct model *m)
{
    expect(special_launches(m, 90) > 0, "nothing is launched as 9.0 can");
    expect(special_launches(m, 80) == 0, "code for 8.0 is launched as if it were for 9.0");
}

static size_t kv_planned(struct model *m, enum backend_kv_type type)
{
    struct backend_options opt = options;
    char err[256] = "";
    struct backend *b;

    stub_reset();
    opt.kv_type = type;
    expect(backend_open(&b, "cuda", m, &opt, err, sizeof err) == 0, "%s", err);
    size_t bytes = b->memory.kv;
    expect(bytes == (size_t)opt.n_blocks * KV_BLOCK * (size_t)backend_kv_row_bytes(&m->cfg, type),
           "KV cache: %zu bytes", bytes);
    backend_close(b);
    return bytes;
}

/* Of 32 numbers 34 bytes, where halves take 64. */
static void a_cache_of_integers_is_small(struct model *m)
{
    size_t q8 = kv_planned(m, BACKEND_KV_Q8), f16 = kv_planned(m, BACKEND_KV_F16);
    struct backend_options opt = options;
    char err[256] = "";
    struct backend *b;

    expect(q8 * 64 == f16 * 34, "KV cache: %zu and %zu bytes", q8, f16);
    opt.kv_type = BACKEND_KV_Q8;
    m->cfg.head_dim = 80;
    expect(backend_open(&b, "cuda", m, &opt, err, sizeof err) == -1, "heads of 80: opened");
    expect(strstr(err, "not a multiple of 32 (got 80)") != NULL, "got \"%s\"", err);
    m->cfg.head_dim = shape.head_dim;
}

int main(void)
{
    struct model m;

    random_model(&m, &shape, 1);
    what_is_not_there_is_told(&m);
    every_failure_is_told(&m);
    nothing_is_allocated_after_load(&m);
    old_code_is_launched_as_such(&m);
    a_cache_of_integers_is_small(&m);
    random_model_done(&m);
    puts("all passed");
    return 0;
}
