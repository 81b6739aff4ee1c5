/* cpu.c - the CPU backend: its memory, and each stage of a step in terms of the other files. */
#include "cpu/cpu.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/matmul.h"
#include "host/memory.h"
#include "host/pages.h"

enum { ALIGN = 64, MAX_THREADS = 256 };

/* Of a step, unless asked for otherwise: few enough to cancel and to interleave. */
enum { STEP_TOKENS = 256 };

/* With fewer multiplications than this an operation is over before another core could join in. */
static const double alone_below = 1.5e6;

void cpu_run(struct cpu *c, pool_fn fn, void *ud, int n_items, double work)
{
    if (work >= alone_below) {
        pool_run(c->pool, fn, ud, n_items);
    } else {
        for (int i = 0; i < n_items; i++)
            fn(ud, i, 0);
    }
}

/* Memory */

/* Sets *at to the next `n` elements of the scratch memory at base, or only counts where base is
 * NULL. Counting and handing out are the same code, so that they cannot differ. */
static size_t take(char *base, size_t offset, void *at, size_t n, size_t element)
{
    char *p = base ? base + offset : NULL;

    memcpy(at, &p, sizeof p);
    return offset + (n * element + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t lay_out(struct cpu *c, char *base, int n_threads)
{
    const struct model_config *cfg = &c->cfg;
    size_t t = (size_t)c->opt.max_tokens, threads = (size_t)n_threads;
    size_t embd = (size_t)cfg->n_embd, ff = (size_t)cfg->n_ff, d = (size_t)cfg->head_dim;
    size_t heads = (size_t)cfg->n_head, heads_kv = (size_t)cfg->n_head_kv, group = heads / heads_kv;
    size_t outputs = (size_t)c->opt.max_outputs, vocab = (size_t)cfg->n_vocab;
    size_t rows = t > outputs ? t : outputs;
    size_t widest = ff > embd ? ff : embd;
    widest = heads * d > widest ? heads * d : widest;
    size_t parts = SPLIT_TOKENS * heads_kv * (size_t)c->n_ranges;
    size_t at = 0;

    at = take(base, at, &c->x, t * embd, sizeof(float));
    at = take(base, at, &c->y, rows * embd, sizeof(float));
    at = take(base, at, &c->q, t * heads * d, sizeof(float));
    at = take(base, at, &c->k, t * heads_kv * d, sizeof(float));
    at = take(base, at, &c->v, t * heads_kv * d, sizeof(float));
    at = take(base, at, &c->a, t * heads * d, sizeof(float));
    at = take(base, at, &c->h, t * ff, sizeof(float));
    at = take(base, at, &c->cos, t * d / 2, sizeof(float));
    at = take(base, at, &c->sin, t * d / 2, sizeof(float));
    at = take(base, at, &c->act, rows * (widest / QUANT_BLOCK), sizeof *c->act);
    at = take(base, at, &c->spans, t, sizeof *c->spans);
    at = take(base, at, &c->part_out, parts * group * d, sizeof(float));
    at = take(base, at, &c->part_sums, parts * group, sizeof *c->part_sums);
    at = take(base, at, &c->thread_out, threads * group * d, sizeof(float));
    at = take(base, at, &c->thread_sums, threads * (SPAN_TOKENS + 1) * group,
              sizeof *c->thread_sums);
    at = take(base, at, &c->thread_score, threads * HEADS * RANGE, sizeof(float));
    at = take(base, at, &c->logits, outputs * vocab, sizeof(float));
    at = take(base, at, &c->candidate, threads * vocab, sizeof *c->candidate);
    return at;
}

static int threads_of(const struct backend_options *opt)
{
    int n = opt->n_threads > 0 ? opt->n_threads : cpu_count();
    return n < MAX_THREADS ? n : MAX_THREADS;
}

/* A backend's sizes without its memory. */
static void size_up(struct cpu *c, const struct model *m, const struct backend_options *opt)
{
    *c = (struct cpu){.cfg = m->cfg, .opt = *opt};
    if (opt->max_tokens == 0)
        c->opt.max_tokens = STEP_TOKENS;
    c->n_ranges = (opt->max_context + RANGE - 1) / RANGE;
    size_t block_bytes = KV_BLOCK * (size_t)backend_kv_row_bytes(&m->cfg, opt->kv_type);
    c->kv_bytes = (size_t)opt->n_blocks * block_bytes;
    c->piece_bytes = block_bytes / (2 * (size_t)m->cfg.n_layer * (size_t)m->cfg.n_head_kv);
    c->scratch_bytes = lay_out(c, NULL, threads_of(opt));
}

static struct backend_memory plan(const struct cpu *c, const struct model *m)
{
    uint64_t embed = (uint64_t)m->embed.rows * quant_row_bytes(m->embed.type, m->embed.cols);

    return (struct backend_memory){
        .weights = cpu_weights_bytes(m) + (m->tied ? 0 : embed),
        .kv = c->kv_bytes,
        .scratch = c->scratch_bytes,
    };
}

/* Stages */

static struct cpu *cpu_of(struct backend *b)
{
    return (struct cpu *)b;
}

static int load(struct backend *b, struct model *m)
{
    return cpu_load(cpu_of(b), m);
}

static void close_cpu(struct backend *b)
{
    struct cpu *c = cpu_of(b);

    pool_free(c->pool);
    pages_unmap(c->scratch, c->scratch_bytes);
    pages_unmap(c->kv, c->kv_bytes);
    pages_unmap(c->weights, c->weights_bytes);
    free(c);
}

static int begin(struct backend *b, const struct model *m, const struct batch *batch)
{
    struct cpu *c = cpu_of(b);

    assert(batch->n_tokens > 0 && batch->n_tokens <= c->opt.max_tokens);
    assert(batch->n_outputs <= c->opt.max_outputs);
    c->m = m;
    c->batch = batch;
    cpu_rotate_begin(c);
    cpu_attention_begin(c);
    return 0;
}

static void embed_token(void *ud, int t, int thread)
{
    struct cpu *c = ud;
    const struct matrix *embed = &c->m->embed;
    size_t row_bytes = quant_row_bytes(embed->type, embed->cols);
    const char *row = (const char *)embed->host + (size_t)c->batch->token[t] * row_bytes;
    (void)thread;

    quant_to_float(embed->type, row, embed->cols, c->x + (size_t)t * (size_t)embed->cols);
}

static int embed(struct backend *b)
{
    struct cpu *c = cpu_of(b);

    cpu_run(c, embed_token, c, c->batch->n_tokens, 8.0 * c->batch->n_tokens * c->cfg.n_embd);
    return 0;
}

static int qkv(struct backend *b, int layer)
{
    struct cpu *c = cpu_of(b);
    const struct layer *l = &c->m->layers[layer];

    matmul(
        c,
        &(struct matmul){
            .in = {.x = c->x, .norm = l->attn_norm, .cols = c->cfg.n_embd, .n = c->batch->n_tokens},
            .mode = MATMUL_STORE,
            .n_parts = 3,
            .part = {{&l->wq, l->bq, c->q}, {&l->wk, l->bk, c->k}, {&l->wv, l->bv, c->v}},
        });
    cpu_rotate_and_store(c, layer);
    return 0;
}

static int attention(struct backend *b, int layer)
{
    cpu_attention(cpu_of(b), layer);
    return 0;
}

static int attention_out(struct backend *b, int layer)
{
    struct cpu *c = cpu_of(b);

    matmul(c,
           &(struct matmul){
               .in = {.x = c->a, .cols = c->cfg.n_head * c->cfg.head_dim, .n = c->batch->n_tokens},
               .mode = MATMUL_ADD,
               .n_parts = 1,
               .part = {{&c->m->layers[layer].wo, NULL, c->x}},
           });
    return 0;
}

static int ffn_up(struct backend *b, int layer)
{
    struct cpu *c = cpu_of(b);
    const struct layer *l = &c->m->layers[layer];

    matmul(
        c,
        &(struct matmul){
            .in = {.x = c->x, .norm = l->ffn_norm, .cols = c->cfg.n_embd, .n = c->batch->n_tokens},
            .mode = MATMUL_GATED,
            .n_parts = 2,
            .part = {{&l->w_gate, NULL, c->h}, {&l->w_up, NULL, NULL}},
        });
    return 0;
}

static int ffn_down(struct backend *b, int layer)
{
    struct cpu *c = cpu_of(b);

    matmul(c, &(struct matmul){
                  .in = {.x = c->h, .cols = c->cfg.n_ff, .n = c->batch->n_tokens},
                  .mode = MATMUL_ADD,
                  .n_parts = 1,
                  .part = {{&c->m->layers[layer].w_down, NULL, c->x}},
              });
    return 0;
}

static int logits(struct backend *b)
{
    struct cpu *c = cpu_of(b);

    assert(c->batch->n_outputs <= c->opt.max_outputs);
    matmul(c, &(struct matmul){
                  .in = {.x = c->x,
                         .index = c->batch->output,
                         .norm = c->m->output_norm,
                         .cols = c->cfg.n_embd,
                         .n = c->batch->n_outputs},
                  .mode = MATMUL_STORE,
                  .n_parts = 1,
                  .part = {{&c->m->output, NULL, c->logits}},
              });
    return 0;
}

struct sampling {
    struct cpu *cpu;
    struct sampler *const *samplers;
    int32_t *ids;
};

static void sample_item(void *ud, int i, int thread)
{
    const struct sampling *s = ud;
    size_t n_vocab = (size_t)s->cpu->cfg.n_vocab;

    s->ids[i] = sampler_pick(s->samplers[i], s->cpu->logits + (size_t)i * n_vocab, (int)n_vocab,
                             s->cpu->candidate + (size_t)thread * n_vocab);
}

static int sample(struct backend *b, struct sampler *const *samplers, int32_t *ids_out)
{
    struct cpu *c = cpu_of(b);
    struct sampling s = {c, samplers, ids_out};

    cpu_run(c, sample_item, &s, c->batch->n_outputs, 20.0 * c->batch->n_outputs * c->cfg.n_vocab);
    return 0;
}

static int read_logits(struct backend *b, int i, float *out)
{
    struct cpu *c = cpu_of(b);
    size_t n_vocab = (size_t)c->cfg.n_vocab;

    assert(i >= 0 && i < c->opt.max_outputs);
    memcpy(out, c->logits + (size_t)i * n_vocab, n_vocab * sizeof *out);
    return 0;
}

static int bandwidth(struct backend *b, double *passes, int n)
{
    cpu_bandwidth(cpu_of(b), passes, n);
    return 0;
}

static const struct backend_ops ops = {
    .load = load,
    .close = close_cpu,
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

/* What the kernels' vectors need of a model's shape. */
static int check_shape(const struct model_config *cfg, const struct backend_options *opt, char *err,
                       size_t errlen)
{
    const struct {
        const char *name;
        int value;
    } of_16[] = {{"embedding", cfg->n_embd}, {"feed-forward", cfg->n_ff}, {"head", cfg->head_dim}};

    for (int i = 0; i < 3; i++) {
        if (of_16[i].value % PANEL != 0) {
            snprintf(err, errlen, "%s length: not a multiple of 16 (got %d)", of_16[i].name,
                     of_16[i].value);
            return -1;
        }
    }
    if (opt->kv_type == BACKEND_KV_Q8 && cfg->head_dim % QUANT_BLOCK != 0) {
        snprintf(err, errlen, "KV cache in q8: head length: not a multiple of 32 (got %d)",
                 cfg->head_dim);
        return -1;
    }
    if ((long)opt->max_tokens * cfg->n_head_kv > POOL_MAX_ITEMS) {
        snprintf(err, errlen, "tokens of a step: too many (got %d, limit %d)", opt->max_tokens,
                 POOL_MAX_ITEMS / cfg->n_head_kv);
        return -1;
    }
    return 0;
}

/* Refuses what does not fit before any weight is read: a system short of memory
 * kills, or crawls. */
static int check_memory(const struct cpu *c, const struct model *m, char *err, size_t errlen)
{
    uint64_t needed = cpu_weights_bytes(m) + c->kv_bytes + c->scratch_bytes;
    uint64_t available = cpu_memory_available();

    if (available != UINT64_MAX)
        available -= c->opt.reserved_memory < available ? c->opt.reserved_memory : available;
    if (c->opt.host_memory > 0 && c->opt.host_memory < available)
        available = c->opt.host_memory;
    if (needed <= available)
        return 0;
    if (c->opt.shortage)
        *c->opt.shortage = (struct backend_shortage){needed, available};
    snprintf(err, errlen,
             "memory: does not fit with a context of %d tokens (got %" PRIu64 " MiB, limit %" PRIu64
             " MiB free)",
             c->opt.max_context, needed >> 20, available >> 20);
    return -1;
}

int cpu_open(struct backend **out, enum cpu_level level, const struct model *m,
             const struct backend_options *opt, char *err, size_t errlen)
{
    if (check_shape(&m->cfg, opt, err, errlen) != 0)
        return -1;
    struct cpu *c = malloc(sizeof *c);
    if (!c)
        goto no_memory;
    size_up(c, m, opt);
    if (check_memory(c, m, err, errlen) != 0) {
        free(c);
        return -1;
    }
    c->base.ops = &ops;
    c->base.device = c->device;
    c->base.memory = plan(c, m);
    c->base.max_tokens = c->opt.max_tokens;
    c->kernels = kernels_of(level);
    c->attend = &c->kernels->attend[opt->kv_type];
    c->kv = pages_map(c->kv_bytes, true);
    c->scratch = pages_map(c->scratch_bytes, true);
    if (!c->kv || !c->scratch)
        goto no_memory;
    lay_out(c, c->scratch, threads_of(opt));
    if (pool_new(&c->pool, threads_of(opt)) != 0)
        goto no_memory;
    snprintf(c->device, sizeof c->device, "CPU, %d thread%s, %s", threads_of(opt),
             threads_of(opt) == 1 ? "" : "s", cpu_level_name(level));
    *out = &c->base;
    return 0;

no_memory:
    snprintf(err, errlen, "CPU: not enough memory or threads for a context of %d tokens",
             opt->max_context);
    if (c)
        close_cpu(&c->base);
    return -1;
}
