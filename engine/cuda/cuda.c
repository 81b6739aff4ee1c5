/* cuda.c - the CUDA backend: opening a device, the op table, the host side of sampling.
 *
 * A step of one token per sequence is a recorded graph: its stages do nothing, and the last of
 * them launches the whole graph. Other steps are launched stage by stage. Only sample and
 * read_logits wait for the device. */
#include "cuda/cuda.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda/door.h"

enum { LEAST_MAJOR = 7, LEAST_MINOR = 5, HOPPER = 90, NO_GRAPH = -1 };

/* Tokens per step by default: enough to keep the tensor cores busy. */
enum { STEP_TOKENS = 2048 };

int cuda_check(struct cuda *c, cudaError_t rc, const char *what)
{
    if (rc == cudaSuccess)
        return 0;
    if (!c->failed)
        snprintf(c->base.error, sizeof c->base.error, "CUDA: %s: %s", what, cudaGetErrorString(rc));
    c->failed = true;
    return -1;
}

static struct cuda *cuda_of(struct backend *b)
{
    return (struct cuda *)b;
}

/* Stages */

static int load(struct backend *b, struct model *m)
{
    return cuda_load(cuda_of(b), m);
}

static void close_cuda(struct backend *b)
{
    struct cuda *c = cuda_of(b);

    if (c->queue.stream)
        cudaStreamSynchronize(c->queue.stream);
    for (int i = 0; i < c->n_graphs; i++)
        cudaGraphExecDestroy(c->graphs[i]);
    blas_close(c->blas);
    if (c->inputs_sent)
        cudaEventDestroy(c->inputs_sent);
    cudaFreeHost(c->recent);
    cudaFreeHost(c->host_ids);
    cudaFreeHost(c->host_inputs);
    cudaFree(c->scratch);
    cudaFree(c->kv);
    cudaFree(c->weights);
    if (c->queue.stream)
        cudaStreamDestroy(c->queue.stream);
    free(c->layers);
    free(c);
}

/* The logits of every token are wanted, in order. */
static bool all_put_out(const struct batch *b)
{
    if (b->n_outputs != b->n_tokens)
        return false;
    for (int i = 0; i < b->n_outputs; i++)
        if (b->output[i] != i)
            return false;
    return true;
}

/* The smallest graph that the batch fits in, or NO_GRAPH. */
static int graph_for(const struct cuda *c, const struct batch *b)
{
    if (!all_put_out(b))
        return NO_GRAPH;
    for (int i = 0; i < c->n_graphs; i++)
        if (b->n_tokens <= c->graph_tokens[i])
            return i;
    return NO_GRAPH;
}

static int begin(struct backend *b, const struct model *m, const struct batch *batch)
{
    struct cuda *c = cuda_of(b);
    (void)m;

    assert(batch->n_tokens > 0 && batch->n_tokens <= c->opt.max_tokens);
    assert(batch->n_outputs <= c->opt.max_outputs);
    if (c->failed || cuda_check(c, cudaEventSynchronize(c->inputs_sent), "step") != 0)
        return -1;
    c->batch = batch;
    c->graph = graph_for(c, batch);
    c->n_tokens = batch->n_tokens;
    c->n_outputs = batch->n_outputs;
    if (c->graph != NO_GRAPH) {
        int n = c->graph_tokens[c->graph];
        cuda_arrange_inputs(c, n, n);
        cuda_set_inputs(c, n);
        return 0;
    }
    cuda_arrange_inputs(c, c->opt.max_tokens, c->opt.max_outputs);
    cuda_set_inputs(c, c->n_tokens);
    if (cuda_send_inputs(c) != 0)
        return -1;
    return cuda_check(c, cudaEventRecord(c->inputs_sent, c->queue.stream), "step");
}

static int embed(struct backend *b)
{
    struct cuda *c = cuda_of(b);
    return c->graph == NO_GRAPH ? cuda_stage_embed(c) : 0;
}

static int qkv(struct backend *b, int layer)
{
    struct cuda *c = cuda_of(b);
    return c->graph == NO_GRAPH ? cuda_stage_qkv(c, layer) : 0;
}

static int attention(struct backend *b, int layer)
{
    struct cuda *c = cuda_of(b);
    return c->graph == NO_GRAPH ? cuda_stage_attention(c, layer) : 0;
}

static int attention_out(struct backend *b, int layer)
{
    struct cuda *c = cuda_of(b);
    return c->graph == NO_GRAPH ? cuda_stage_attention_out(c, layer) : 0;
}

static int ffn_up(struct backend *b, int layer)
{
    struct cuda *c = cuda_of(b);
    return c->graph == NO_GRAPH ? cuda_stage_ffn_up(c, layer) : 0;
}

static int ffn_down(struct backend *b, int layer)
{
    struct cuda *c = cuda_of(b);
    return c->graph == NO_GRAPH ? cuda_stage_ffn_down(c, layer) : 0;
}

/* The outputs have changed since begin. */
static int send_outputs(struct cuda *c)
{
    const struct batch *b = c->batch;
    size_t bytes = (size_t)b->n_outputs * sizeof *b->output;

    assert(b->n_outputs <= c->opt.max_outputs);
    c->n_outputs = b->n_outputs;
    if (cuda_check(c, cudaEventSynchronize(c->inputs_sent), "outputs") != 0)
        return -1;
    int32_t *host = c->host_inputs + (c->step.output - c->inputs);
    memcpy(host, b->output, bytes);
    cudaError_t rc = cudaMemcpyAsync((void *)c->step.output, host, bytes, cudaMemcpyHostToDevice,
                                     c->queue.stream);
    if (rc == cudaSuccess)
        rc = cudaEventRecord(c->inputs_sent, c->queue.stream);
    return cuda_check(c, rc, "outputs");
}

static int logits(struct backend *b)
{
    struct cuda *c = cuda_of(b);
    int graph = c->graph;

    c->graph = NO_GRAPH;
    if (graph == NO_GRAPH)
        return send_outputs(c) == 0 ? cuda_stage_logits(c) : -1;
    cudaError_t rc = cudaGraphLaunch(c->graphs[graph], c->queue.stream);
    if (rc == cudaSuccess)
        rc = cudaEventRecord(c->inputs_sent, c->queue.stream);
    if (cuda_check(c, rc, "step") != 0)
        return -1;
    if (all_put_out(c->batch))
        return 0;
    return send_outputs(c) == 0 ? cuda_stage_logits(c) : -1;
}

/* Sampling */

/* The tokens of the sampler's window, each once. */
static int recent_tokens(const struct sampler *s, int n_vocab, int32_t *out)
{
    int in_window = s->n_recent < SAMPLER_WINDOW ? s->n_recent : SAMPLER_WINDOW, n = 0;

    for (int i = 0; i < in_window; i++) {
        bool seen = s->recent[i] < 0 || s->recent[i] >= n_vocab;
        for (int j = 0; j < n && !seen; j++)
            seen = out[j] == s->recent[i];
        if (!seen)
            out[n++] = s->recent[i];
    }
    return n;
}

/* recent: [SAMPLE_RECENT] */
static struct cuda_pick pick_of(struct sampler *s, int n_vocab, int32_t *recent)
{
    static_assert((int)SAMPLE_RECENT == (int)SAMPLER_WINDOW, "one for each token of the window");
    return (struct cuda_pick){
        .temperature = s->set.temperature,
        .top_p = s->set.top_p,
        .min_p = s->set.min_p,
        .repeat_penalty = s->set.repeat_penalty,
        .top_k = s->set.top_k,
        .n_recent = s->set.repeat_penalty != 1 ? recent_tokens(s, n_vocab, recent) : 0,
        .masked = s->mask != NULL,
        .uniform = s->set.temperature != 0 ? sampler_uniform(s) : 0,
    };
}

/* Makes c->banned a copy of what is banned now. It is the same for all of a model's requests. */
static int send_banned(struct cuda *c, const bool *banned)
{
    if (!banned || banned == c->banned_host)
        return 0;
    c->banned_host = banned;
    return cuda_check(c,
                      cudaMemcpyAsync(c->banned, banned, (size_t)c->cfg.n_vocab * sizeof *banned,
                                      cudaMemcpyHostToDevice, c->queue.stream),
                      "sampling");
}

static int send_mask(struct cuda *c, const uint32_t *mask, int output)
{
    size_t words = ((size_t)c->cfg.n_vocab + 31) / 32;
    if (!mask)
        return 0;
    return cuda_check(c,
                      cudaMemcpyAsync(c->masks + (size_t)output * words, mask, words * sizeof *mask,
                                      cudaMemcpyHostToDevice, c->queue.stream),
                      "sampling");
}

/* Outputs [first, first + n), SAMPLE_OUTPUTS at most, which have the same banned tokens. */
static int sample_run(struct cuda *c, struct sampler *const *samplers, int first, int n)
{
    bool drawn = false;
    size_t at = (size_t)first, words = ((size_t)c->cfg.n_vocab + 31) / 32;
    struct cuda_sample s = {
        .logits = c->logits + at * (size_t)c->cfg.n_vocab,
        .n_vocab = c->cfg.n_vocab,
        .banned = samplers[first]->banned ? c->banned : NULL,
        .masks = c->masks + at * words,
        .mask_words = (int)words,
        .recent = c->recent + at * SAMPLE_RECENT,
        .best = c->best + at * SAMPLE_BLOCKS,
        .ticket = c->sample_tickets + at,
        .draws = c->draws + at,
        .most = c->most + at,
        .ids = c->host_ids + at,
    };

    if (send_banned(c, samplers[first]->banned) != 0)
        return -1;
    for (int i = 0; i < n; i++) {
        struct sampler *sampler = samplers[first + i];
        int32_t *recent = c->recent + (at + (size_t)i) * SAMPLE_RECENT;
        if (send_mask(c, sampler->mask, first + i) != 0)
            return -1;
        s.picks[i] = pick_of(sampler, c->cfg.n_vocab, recent);
        drawn = drawn || sampler->set.temperature != 0;
    }
    cudaError_t rc = launch_sample_best(&c->queue, &s, n);
    if (rc == cudaSuccess && drawn)
        rc = launch_sample_draw(&c->queue, &s, n);
    return cuda_check(c, rc, "sampling");
}

static int sample(struct backend *b, struct sampler *const *samplers, int32_t *ids_out)
{
    struct cuda *c = cuda_of(b);
    int n = c->batch->n_outputs;

    for (int first = 0, end; first < n; first = end) {
        for (end = first + 1; end < n && end - first < SAMPLE_OUTPUTS &&
                              samplers[end]->banned == samplers[first]->banned;)
            end++;
        if (sample_run(c, samplers, first, end - first) != 0)
            return -1;
    }
    if (cuda_check(c, cudaStreamSynchronize(c->queue.stream), "step") != 0)
        return -1;
    memcpy(ids_out, c->host_ids, (size_t)n * sizeof *ids_out);
    return 0;
}

static int read_logits(struct backend *b, int i, float *out)
{
    struct cuda *c = cuda_of(b);
    size_t n = (size_t)c->cfg.n_vocab;

    assert(i >= 0 && i < c->opt.max_outputs);
    cudaError_t rc = cudaMemcpyAsync(out, c->logits + (size_t)i * n, n * sizeof *out,
                                     cudaMemcpyDeviceToHost, c->queue.stream);
    if (rc == cudaSuccess)
        rc = cudaStreamSynchronize(c->queue.stream);
    return cuda_check(c, rc, "logits");
}

static int bandwidth(struct backend *b, double *passes, int n)
{
    return cuda_bandwidth(cuda_of(b), passes, n);
}

static const struct backend_ops ops = {
    .load = load,
    .close = close_cuda,
    .begin = begin,
    .embed = embed,
    .qkv = qkv,
    .attention = attention,
    .attention_out = attention_out,
    .ffn_up = ffn_up,
    .ffn_down = ffn_down,
    .logits = logits,
    .sample = sample,
    .read_logits = read_logits,
    .bandwidth = bandwidth,
};

/* Opening */

/* Clamps the sizes to what the model can use. */
static int step_tokens(const struct backend_options *opt)
{
    long long all = (long long)opt->max_context * opt->max_sequences;
    return all < STEP_TOKENS ? (int)all : STEP_TOKENS;
}

/* A backend without memory, to compute sizes with. */
static struct cuda *new_cuda(const struct model *m, const struct backend_options *opt)
{
    struct cuda *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->cfg = m->cfg;
    c->opt = *opt;
    if (opt->max_tokens == 0)
        c->opt.max_tokens = step_tokens(opt);
    c->layers = calloc((size_t)m->cfg.n_layer, sizeof *c->layers);
    if (!c->layers) {
        free(c);
        return NULL;
    }
    c->weights_bytes = cuda_lay_out_weights(c, m, NULL);
    c->kv_bytes = cuda_kv_bytes(c);
    c->scratch_bytes = cuda_lay_out_scratch(c, NULL);
    c->base.memory = (struct backend_memory){c->weights_bytes, c->kv_bytes, c->scratch_bytes};
    c->base.max_tokens = c->opt.max_tokens;
    return c;
}

static int check_shape(const struct model_config *cfg, const struct backend_options *opt, char *err,
                       size_t errlen)
{
    const struct {
        const char *name;
        int value, multiple, most;
    } limits[] = {{"embedding", cfg->n_embd, 8, 65536},
                  {"feed-forward", cfg->n_ff, 8, 65536},
                  {"head", cfg->head_dim, 8, 256}};

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (limits[i].value % limits[i].multiple != 0 || limits[i].value > limits[i].most) {
            snprintf(err, errlen, "CUDA: %s length: not a multiple of %d up to %d (got %d)",
                     limits[i].name, limits[i].multiple, limits[i].most, limits[i].value);
            return -1;
        }
    }
    if (opt->kv_type == BACKEND_KV_Q8 && cfg->head_dim % CACHE_GROUP != 0) {
        snprintf(err, errlen, "CUDA: KV cache in q8: head length: not a multiple of %d (got %d)",
                 CACHE_GROUP, cfg->head_dim);
        return -1;
    }
    return 0;
}

static int check_device(struct cuda *c, char *err, size_t errlen)
{
    int n = 0, driver = 0, capability;
    struct cudaDeviceProp device;
    cudaError_t rc = cudaGetDeviceCount(&n);

    cudaDriverGetVersion(&driver);
    if (driver == 0)
        snprintf(err, errlen, "CUDA: there is no driver");
    else if (rc == cudaErrorInsufficientDriver)
        snprintf(err, errlen, "CUDA: the driver is too old (got %d.%d, limit %d.%d)", driver / 1000,
                 driver % 1000 / 10, CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    else if (rc == cudaErrorNoDevice || (rc == cudaSuccess && n == 0))
        snprintf(err, errlen, "CUDA: there is no device");
    else if (rc != cudaSuccess || (rc = cudaGetDeviceProperties(&device, 0)) != cudaSuccess)
        snprintf(err, errlen, "CUDA: %s", cudaGetErrorString(rc));
    else if (device.major < LEAST_MAJOR ||
             (device.major == LEAST_MAJOR && device.minor < LEAST_MINOR))
        snprintf(err, errlen, "CUDA: %s: compute capability is too old (got %d.%d, limit %d.%d)",
                 device.name, device.major, device.minor, LEAST_MAJOR, LEAST_MINOR);
    else if ((rc = cuda_probe(&capability)) != cudaSuccess)
        snprintf(err, errlen, "CUDA: %s: %s", device.name, cudaGetErrorString(rc));
    else {
        snprintf(c->device, sizeof c->device, "%.100s", device.name);
        snprintf(c->bus_address, sizeof c->bus_address, "%08x:%02x:%02x.0",
                 (unsigned)device.pciDomainID, (unsigned)device.pciBusID & 0xff,
                 (unsigned)device.pciDeviceID & 0xff);
        c->queue.dependent = capability >= HOPPER;
        c->queue.whole_steps = capability >= HOPPER && device.cooperativeLaunch &&
                               device.sharedMemPerBlockOptin >= STEP_SHARED;
        c->queue.n_processors = device.multiProcessorCount;
        c->queue.block_shared = device.sharedMemPerBlockOptin;
        return 0;
    }
    return -1;
}

bool cuda_usable(void)
{
    struct cuda *c = calloc(1, sizeof *c);
    char why[256];
    bool usable = c && check_device(c, why, sizeof why) == 0;

    free(c);
    return usable;
}

/* Refuses a model that does not fit, before anything is allocated. */
static int check_memory(const struct cuda *c, char *err, size_t errlen)
{
    size_t need = c->weights_bytes + c->kv_bytes + c->scratch_bytes, free_bytes, total;
    cudaError_t rc = cudaMemGetInfo(&free_bytes, &total);

    if (rc != cudaSuccess) {
        snprintf(err, errlen, "CUDA: %s: %s", c->device, cudaGetErrorString(rc));
        return -1;
    }
    free_bytes -= c->opt.reserved_memory < free_bytes ? (size_t)c->opt.reserved_memory : free_bytes;
    if (c->opt.device_memory > 0 && c->opt.device_memory < free_bytes)
        free_bytes = (size_t)c->opt.device_memory;
    if (need <= free_bytes)
        return 0;
    if (c->opt.shortage)
        *c->opt.shortage = (struct backend_shortage){need, free_bytes};
    snprintf(err, errlen,
             "CUDA: %s: memory is short (got %zu MiB, limit %zu MiB); a shorter context or a more "
             "quantised model takes less",
             c->device, need >> 20, free_bytes >> 20);
    return -1;
}

static cudaError_t take_memory(struct cuda *c)
{
    size_t outputs = (size_t)c->opt.max_outputs;
    void *inputs = NULL, *ids = NULL, *recent = NULL;
    cudaError_t rc = cudaStreamCreateWithFlags(&c->queue.stream, cudaStreamNonBlocking);

    if (rc == cudaSuccess)
        rc = cudaEventCreateWithFlags(&c->inputs_sent, cudaEventDisableTiming);
    if (rc == cudaSuccess)
        rc = cudaMalloc(&c->kv, c->kv_bytes);
    if (rc == cudaSuccess)
        rc = cudaMalloc(&c->scratch, c->scratch_bytes);
    if (rc == cudaSuccess)
        rc = cudaHostAlloc(&inputs, c->n_inputs * sizeof *c->host_inputs, 0);
    c->host_inputs = inputs;
    if (rc == cudaSuccess)
        rc = cudaHostAlloc(&ids, outputs * sizeof *c->host_ids, 0);
    c->host_ids = ids;
    if (rc == cudaSuccess)
        rc = cudaHostAlloc(&recent, outputs * SAMPLE_RECENT * sizeof *c->recent, 0);
    c->recent = recent;
    if (rc == cudaSuccess) {
        memset(c->host_inputs, 0, c->n_inputs * sizeof *c->host_inputs);
        cuda_lay_out_scratch(c, c->scratch);
        if (!c->opt.reproducible) /* whose products are ours */
            c->blas = blas_open(c->queue.stream, c->workspace);
    }
    return rc;
}

int cuda_open(struct backend **out, const struct model *m, const struct backend_options *opt,
              char *err, size_t errlen)
{
    if (check_shape(&m->cfg, opt, err, errlen) != 0)
        return -1;
    struct cuda *c = new_cuda(m, opt);
    if (!c) {
        snprintf(err, errlen, "CUDA: no memory");
        return -1;
    }
    c->base.ops = &ops;
    c->base.device = c->device;
    c->base.bus_address = c->bus_address;
    c->graph = NO_GRAPH;
    if (check_device(c, err, errlen) != 0 || check_memory(c, err, errlen) != 0)
        goto fail;
    cudaError_t rc = take_memory(c);
    if (rc != cudaSuccess) {
        snprintf(err, errlen, "CUDA: %s: %s", c->device, cudaGetErrorString(rc));
        goto fail;
    }
    *out = &c->base;
    return 0;

fail:
    close_cuda(&c->base);
    return -1;
}
