/* stages.c - the stages of a step as kernel launches, and whole steps as graphs.
 *
 * Few tokens go through the matrix-vector kernels with everything around them fused in; many go
 * through cuBLAS, with separate kernels before and after. Where bits must not depend on the batch,
 * or cuBLAS is missing, all tokens go the first way. */
#include <string.h>

#include "cuda/cuda.h"

/* Up to this many tokens cuBLAS is slower for halves. */
enum { FEW_FOR_HALVES = 4 };

/* True if cuBLAS is faster. Quantised weights are unpacked for it first. */
static bool by_blas(const struct cuda *c, const struct cuda_matrix *w, int n)
{
    int few = w->format == CUDA_F16 ? FEW_FOR_HALVES : MATVEC_TOKENS;
    return c->blas && n > few;
}

struct cuda_cache cuda_cache_of(const struct cuda *c)
{
    static const enum cuda_cache_kind kinds[] = {[BACKEND_KV_F16] = CUDA_CACHE_HALVES,
                                                 [BACKEND_KV_F32] = CUDA_CACHE_FLOATS,
                                                 [BACKEND_KV_Q8] = CUDA_CACHE_CODES};

    return (struct cuda_cache){
        .data = c->kv,
        .kind = kinds[c->opt.kv_type],
        .n_layer = c->cfg.n_layer,
        .n_head = c->cfg.n_head,
        .n_head_kv = c->cfg.n_head_kv,
        .head_dim = c->cfg.head_dim,
    };
}

/* Inputs */

static int32_t *host_of(const struct cuda *c, const int32_t *device)
{
    return c->host_inputs + (device - c->inputs);
}

static void copy(int32_t *to, const int32_t *from, int n)
{
    memcpy(to, from, (size_t)n * sizeof *to);
}

/* Spans of tokens of one sequence, for attention. */
static int fill_spans(const struct batch *b, int32_t *spans)
{
    int n = 0;

    for (int t = 0; t < b->n_tokens; t++) {
        int32_t *last = spans + 2 * (n - 1);
        if (n > 0 && last[1] < ATTENTION_ROWS && b->sequence[t] == b->sequence[last[0]]) {
            last[1]++;
        } else {
            spans[2 * n] = t;
            spans[2 * n + 1] = 1;
            n++;
        }
    }
    return n;
}

/* The first position that each token's sequence gets in this step. */
static void fill_fresh(const struct batch *b, int32_t *fresh)
{
    for (int t = 0; t < b->n_tokens; t++) {
        bool begins = t == 0 || b->sequence[t] != b->sequence[t - 1];
        fresh[t] = begins ? b->position[t] : fresh[t - 1];
    }
}

void cuda_set_inputs(struct cuda *c, int n_tokens)
{
    const struct batch *b = c->batch;
    int32_t *token = host_of(c, c->step.token), *position = host_of(c, c->step.position);
    int32_t *sequence = host_of(c, c->step.sequence), *output = host_of(c, c->step.output);
    int32_t *table = host_of(c, c->step.block_table);

    copy(token, b->token, b->n_tokens);
    copy(position, b->position, b->n_tokens);
    copy(sequence, b->sequence, b->n_tokens);
    copy(output, b->output, b->n_outputs);
    fill_fresh(b, host_of(c, c->step.fresh));
    for (int t = b->n_tokens; t < n_tokens; t++) {
        token[t] = sequence[t] = 0;
        position[t] = -1;
        output[t] = t;
    }
    for (int s = 0; s < b->n_sequences; s++)
        copy(table + s * c->step.max_blocks, b->block_table + s * b->max_blocks,
             b->max_blocks < c->step.max_blocks ? b->max_blocks : c->step.max_blocks);
    c->n_spans = fill_spans(b, host_of(c, c->spans));
}

int cuda_send_inputs(struct cuda *c)
{
    return cuda_check(c,
                      cudaMemcpyAsync(c->inputs, c->host_inputs, c->n_inputs * sizeof *c->inputs,
                                      cudaMemcpyHostToDevice, c->queue.stream),
                      "inputs");
}

/* Products */

struct product {
    const struct cuda_matrix *w, *w2; /* w2: more rows, or NULL */
    struct cuda_input in;
    struct cuda_finish finish;
    int n;
};

/* Rows of one matrix, from row `row` of the product on. */
static int multiply_rows(struct cuda *c, const struct product *p, const struct cuda_matrix *w,
                         int row, void *out, int out_pitch)
{
    bool halves = p->finish.kind == CUDA_GATE;
    int pitch = w->n_chunks * CHUNK;
    size_t tile_bytes = (size_t)TILE * (size_t)pitch * sizeof(uint16_t);
    int at_once = w->n_tiles, end = row + w->n_tiles * TILE;

    end = end < p->finish.n_rows ? end : p->finish.n_rows;
    if (w->format != CUDA_F16)
        at_once = (int)(c->unpacked_bytes / tile_bytes);
    for (int tile = 0; tile < w->n_tiles; tile += at_once, row += at_once * TILE) {
        int n_tiles = w->n_tiles - tile < at_once ? w->n_tiles - tile : at_once;
        struct blas_product product = {
            .w = (char *)w->data + (size_t)tile * tile_bytes,
            .x = p->in.y,
            .out = (char *)out + (size_t)row * (halves ? sizeof(uint16_t) : sizeof(float)),
            .n = p->n,
            .rows = end - row < n_tiles * TILE ? end - row : n_tiles * TILE,
            .cols = pitch,
            .pitch = pitch,
            .out_pitch = out_pitch,
            .halves = halves,
            .add = p->finish.kind == CUDA_ADD,
        };
        if (w->format != CUDA_F16) {
            product.w = c->unpacked;
            if (cuda_check(c, launch_unpack(&c->queue, w, tile, n_tiles, c->unpacked), "product"))
                return -1;
        }
        if (blas_multiply(c->blas, &product) != 0)
            return cuda_check(c, cudaErrorUnknown, "cuBLAS");
    }
    return 0;
}

static int multiply_by_blas(struct cuda *c, const struct product *p)
{
    bool direct = p->finish.kind == CUDA_ADD || p->finish.kind == CUDA_STORE;
    void *out = direct ? p->finish.out : c->product;
    int out_pitch = direct ? p->finish.pitch : p->finish.n_rows;

    if (p->in.kind != CUDA_READY &&
        cuda_check(c, launch_input(&c->queue, &p->in, p->n), "product") != 0)
        return -1;
    if (multiply_rows(c, p, p->w, 0, out, out_pitch) != 0)
        return -1;
    if (p->w2 && multiply_rows(c, p, p->w2, p->w->n_tiles * TILE, out, out_pitch) != 0)
        return -1;
    if (direct)
        return 0;
    return cuda_check(c, launch_finish(&c->queue, &p->finish, c->product, p->n), "product");
}

static int multiply(struct cuda *c, const struct product *p)
{
    if (by_blas(c, p->w, p->n))
        return multiply_by_blas(c, p);
    struct cuda_matvec m = {.w = *p->w, .in = p->in, .finish = p->finish, .n_tokens = p->n};
    if (p->w2)
        m.w2 = *p->w2;
    return cuda_check(c, launch_matvec(&c->queue, &m), "product");
}

/* Normed x as a product's input. */
static struct cuda_input normed(const struct cuda *c, const float *gain)
{
    return (struct cuda_input){
        .kind = CUDA_NORM,
        .x = c->x,
        .gain = gain,
        .eps = c->cfg.norm_eps,
        .cols = c->cfg.n_embd,
        .pitch = cuda_pitch(c->cfg.n_embd),
        .y = c->y,
    };
}

static struct cuda_finish add_to_x(const struct cuda *c)
{
    int n = c->cfg.n_embd;
    return (struct cuda_finish){.kind = CUDA_ADD, .out = c->x, .pitch = n, .n_rows = n};
}

/* Stages */

int cuda_stage_embed(struct cuda *c)
{
    const struct cuda_embed e = {
        .step = c->step,
        .embed = c->embed,
        .cols = c->cfg.n_embd,
        .half_dim = c->cfg.head_dim / 2,
        .inv_freq = c->inv_freq,
        .x = c->x,
    };

    return cuda_check(c, launch_embed(&c->queue, &e, c->n_tokens), "embedding");
}

int cuda_stage_qkv(struct cuda *c, int layer)
{
    const struct cuda_layer *l = &c->layers[layer];
    int n_q = c->cfg.n_head * c->cfg.head_dim, n_kv = c->cfg.n_head_kv * c->cfg.head_dim;
    const struct product p = {
        .w = &l->qkv,
        .w2 = l->v.n_tiles > 0 ? &l->v : NULL,
        .in = normed(c, l->attn_norm),
        .finish = {.kind = CUDA_QKV,
                   .out = c->q,
                   .pitch = n_q,
                   .n_rows = n_q + 2 * n_kv,
                   .bias = l->bias,
                   .step = c->step,
                   .cache = cuda_cache_of(c),
                   .layer = layer,
                   .staged = c->staged},
        .n = c->n_tokens,
    };

    if (multiply(c, &p) != 0)
        return -1;
    if (p.finish.cache.kind != CUDA_CACHE_CODES)
        return 0;
    return cuda_check(c, launch_codes(&c->queue, &p.finish, c->n_tokens), "KV cache");
}

static struct cuda_attention attention_of(const struct cuda *c, int layer)
{
    const struct cuda_cache cache = cuda_cache_of(c);

    return (struct cuda_attention){
        .step = c->step,
        .cache = cache,
        .layer = layer,
        .q = c->q,
        .out = c->a,
        .pitch = cuda_pitch(c->cfg.n_head * c->cfg.head_dim),
        .part = c->part,
        .part_sums = c->part_sums,
        .ticket = c->tickets,
        .spans = c->spans,
        .n_groups = cuda_head_groups(&cache),
    };
}

/* The most ranges to cut positions into: enough to fill the device once or twice. */
static int splits_for(const struct cuda *c, int n_tokens)
{
    int most = 2 * c->queue.n_processors / (n_tokens * c->cfg.n_head_kv);

    if (c->opt.reproducible || n_tokens <= CUDA_FUSED_TOKENS || most > HEADS_SPLITS)
        return HEADS_SPLITS;
    return most > 1 ? most : 1;
}

/* Attention's ranges of tokens [first, n), to be merged by the next product. */
static struct cuda_input merged(const struct cuda *c, int first, int n)
{
    int cols = c->cfg.n_head * c->cfg.head_dim, pitch = cuda_pitch(cols);

    return (struct cuda_input){
        .kind = CUDA_MERGE,
        .cols = cols,
        .pitch = pitch,
        .y = (uint16_t *)c->a + (size_t)first * (size_t)pitch,
        .part = c->part,
        .part_sums = c->part_sums,
        .position = c->step.position + first,
        .head_dim = c->cfg.head_dim,
        .n_splits = splits_for(c, n),
    };
}

/* For few tokens, the readers merge the ranges' results. */
static int attend_heads(struct cuda *c, int layer)
{
    struct cuda_attention a = attention_of(c, layer);
    cudaError_t rc = cudaSuccess;

    c->attended = merged(c, 0, c->n_tokens);
    a.n_splits = c->attended.n_splits;
    for (int n; rc == cudaSuccess && a.first_token < c->n_tokens; a.first_token += n) {
        n = c->n_tokens - a.first_token;
        n = n < ATTENTION_TOKENS ? n : ATTENTION_TOKENS;
        rc = launch_attention_heads(&c->queue, &a, n);
        if (rc == cudaSuccess && c->n_tokens > ATTENTION_TOKENS) {
            struct cuda_input in = merged(c, a.first_token, c->n_tokens);
            rc = launch_input(&c->queue, &in, n);
            c->attended.kind = CUDA_READY;
        }
    }
    return cuda_check(c, rc, "attention");
}

int cuda_stage_attention(struct cuda *c, int layer)
{
    struct cuda_attention a = attention_of(c, layer);
    bool spans = c->n_spans < c->n_tokens && !c->opt.reproducible;

    if (cuda_attention_tensor_usable(&a.cache) && !spans)
        return attend_heads(c, layer);
    c->attended = (struct cuda_input){
        .kind = CUDA_READY, .cols = c->cfg.n_head * c->cfg.head_dim, .pitch = a.pitch, .y = c->a};
    if (cuda_attention_tensor_usable(&a.cache))
        return cuda_check(c, launch_attention_spans(&c->queue, &a, c->n_spans), "attention");
    return cuda_check(c, launch_attention(&c->queue, &a, c->n_tokens), "attention");
}

int cuda_stage_attention_out(struct cuda *c, int layer)
{
    return multiply(c, &(struct product){
                           .w = &c->layers[layer].out,
                           .in = c->attended,
                           .finish = add_to_x(c),
                           .n = c->n_tokens,
                       });
}

int cuda_stage_ffn_up(struct cuda *c, int layer)
{
    const struct cuda_layer *l = &c->layers[layer];

    return multiply(c, &(struct product){
                           .w = &l->up,
                           .in = normed(c, l->ffn_norm),
                           .finish = {.kind = CUDA_GATE,
                                      .out = c->h,
                                      .pitch = cuda_pitch(c->cfg.n_ff),
                                      .n_rows = 2 * c->cfg.n_ff},
                           .n = c->n_tokens,
                       });
}

int cuda_stage_ffn_down(struct cuda *c, int layer)
{
    int n_ff = c->cfg.n_ff;

    return multiply(c, &(struct product){
                           .w = &c->layers[layer].down,
                           .in = {.cols = n_ff, .pitch = cuda_pitch(n_ff), .y = c->h},
                           .finish = add_to_x(c),
                           .n = c->n_tokens,
                       });
}

int cuda_stage_logits(struct cuda *c)
{
    struct product p = {
        .w = &c->output,
        .in = normed(c, c->output_norm),
        .finish = {.kind = CUDA_STORE,
                   .out = c->logits,
                   .pitch = c->cfg.n_vocab,
                   .n_rows = c->cfg.n_vocab},
        .n = c->n_outputs,
    };

    p.in.index = c->step.output;
    return multiply(c, &p);
}

/* At most n, and few enough that every block takes part in every product. */
static int fewest_tiles(const struct cuda_layer *l, int n)
{
    const int tiles[] = {l->qkv.n_tiles + l->v.n_tiles, l->out.n_tiles, l->up.n_tiles,
                         l->down.n_tiles};

    for (size_t i = 0; i < sizeof tiles / sizeof tiles[0]; i++)
        n = tiles[i] < n ? tiles[i] : n;
    return n;
}

/* Plans the whole-step kernel; false if the model does not fit it. */
static bool plan_whole_step(struct cuda *c, struct step_job *out)
{
    const struct model_config *cfg = &c->cfg;
    int heads = cuda_pitch(cfg->n_head * cfg->head_dim), ff = cuda_pitch(cfg->n_ff);
    int embd = cuda_pitch(cfg->n_embd), most = heads > ff ? heads : ff;
    *out = (struct step_job){
        .format = c->layers[0].up.format,
        .layers = c->step_layers,
        .n_layer = cfg->n_layer,
        .n_embd = cfg->n_embd,
        .n_ff = cfg->n_ff,
        .n_vocab = cfg->n_vocab,
        .y_pitch = most > embd ? most : embd,
        .embed = c->embed,
        .output = c->output,
        .output_norm = c->output_norm,
        .inv_freq = c->inv_freq,
        .eps = cfg->norm_eps,
        .step = c->step,
        .cache = cuda_cache_of(c),
        .attention = attention_of(c, 0),
        .merge = merged(c, 0, 1),
        .logits = c->logits,
        .exchange = c->exchange,
        .n_blocks = fewest_tiles(&c->layers[0], c->queue.n_processors),
    };

    int parts = cfg->n_head_kv * out->attention.n_groups, splits = out->n_blocks / parts;
    out->attention.n_splits = out->merge.n_splits = splits < HEADS_SPLITS ? splits : HEADS_SPLITS;
    out->n_slots = cuda_step_slots(out);
    return out->n_slots > 0;
}

int cuda_stage_all(struct cuda *c)
{
    struct step_job job;

    if (cuda_send_inputs(c) != 0)
        return -1;
    if (c->whole_steps && c->n_tokens == 1 && plan_whole_step(c, &job))
        return cuda_check(c, launch_step(&c->queue, &job), "step");
    if (cuda_stage_embed(c) != 0)
        return -1;
    for (int i = 0; i < c->cfg.n_layer; i++) {
        if (cuda_stage_qkv(c, i) != 0 || cuda_stage_attention(c, i) != 0 ||
            cuda_stage_attention_out(c, i) != 0 || cuda_stage_ffn_up(c, i) != 0 ||
            cuda_stage_ffn_down(c, i) != 0)
            return -1;
    }
    return cuda_stage_logits(c);
}

/* Graphs */

static int record(struct cuda *c, int n, cudaGraphExec_t *out)
{
    cudaGraph_t graph = NULL;

    c->n_tokens = c->n_outputs = c->n_spans = n;
    cuda_arrange_inputs(c, n, n);
    if (cuda_check(c, cudaStreamBeginCapture(c->queue.stream, cudaStreamCaptureModeThreadLocal),
                   "graph") != 0)
        return -1;
    int rc = cuda_stage_all(c);
    cudaError_t ended = cudaStreamEndCapture(c->queue.stream, &graph);
    if (rc == 0)
        rc = cuda_check(c, ended, "graph");
    if (rc == 0)
        rc = cuda_check(c, cudaGraphInstantiate(out, graph, 0), "graph");
    if (graph)
        cudaGraphDestroy(graph);
    return rc;
}

int cuda_record_graphs(struct cuda *c)
{
    int most = c->opt.max_tokens < c->opt.max_outputs ? c->opt.max_tokens : c->opt.max_outputs;

    for (int n = 1; n <= most && c->n_graphs < CUDA_MAX_GRAPHS; n *= 2) {
        if (record(c, n, &c->graphs[c->n_graphs]) != 0)
            return -1;
        c->graph_tokens[c->n_graphs++] = n;
    }
    for (int i = 0; i < c->n_graphs; i++)
        if (cuda_check(c, cudaGraphUpload(c->graphs[i], c->queue.stream), "graph") != 0)
            return -1;
    return cuda_check(c, cudaStreamSynchronize(c->queue.stream), "graph");
}
