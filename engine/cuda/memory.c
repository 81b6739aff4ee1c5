/* memory.c - the plan of the device's memory: what goes where, and how large it is.
 *
 * The same code, run twice, first counts and then hands out, so that the two cannot differ. */
#include "cuda/cuda.h"

#include <assert.h>
#include <string.h>

enum { ALIGN = 256, LAYER_MATRICES = 7 };

/* Memory that is handed out from base on, or only counted where base is NULL. */
struct arena {
    char *base;
    size_t used;
};

/* Sets *at to the next n elements. */
static void take(struct arena *a, void *at, size_t n, size_t element)
{
    char *p = a->base ? a->base + a->used : NULL;

    memcpy(at, &p, sizeof p);
    a->used += (n * element + ALIGN - 1) / ALIGN * ALIGN;
}

int cuda_pitch(int n)
{
    return (n + CHUNK - 1) / CHUNK * CHUNK;
}

static struct cuda_matrix take_matrix(struct arena *a, enum cuda_format format, int rows, int cols)
{
    struct cuda_matrix w = {.format = format,
                            .n_tiles = (rows + TILE - 1) / TILE,
                            .n_chunks = cuda_pitch(cols) / CHUNK};

    take(a, &w.data, (size_t)w.n_tiles, cuda_tile_bytes(format, w.n_chunks));
    return w;
}

/* q, k and v become one matrix if they can: if all have one format, or if v has the one that
 * K-quants give it in half of the layers. Other mixtures are unknown in practice and are kept as
 * halves. */
static void take_qkv(struct arena *a, const struct layer *from, struct cuda_layer *l)
{
    enum cuda_format q = cuda_format_of(from->wq.type), k = cuda_format_of(from->wk.type);
    enum cuda_format v = cuda_format_of(from->wv.type);
    int rows = from->wq.rows + from->wk.rows, cols = from->wq.cols;
    bool pair = (q == CUDA_K4 || q == CUDA_K5) && v == CUDA_K6 && rows % (TILE * TILE) == 0;

    l->v = (struct cuda_matrix){.n_tiles = 0};
    if (q == k && pair) {
        l->qkv = take_matrix(a, q, rows, cols);
        l->v = take_matrix(a, v, from->wv.rows, cols);
    } else {
        bool equal = q == k && k == v;
        l->qkv = take_matrix(a, equal ? q : CUDA_F16, rows + from->wv.rows, cols);
    }
}

static void take_layer(struct arena *a, const struct layer *from, struct cuda_layer *l)
{
    enum cuda_format gate = cuda_format_of(from->w_gate.type), up = cuda_format_of(from->w_up.type);
    size_t embd = (size_t)from->wq.cols;

    take_qkv(a, from, l);
    l->out = take_matrix(a, cuda_format_of(from->wo.type), from->wo.rows, from->wo.cols);
    l->up = take_matrix(a, gate == up ? gate : CUDA_F16, 2 * from->w_up.rows, from->w_up.cols);
    l->down = take_matrix(a, cuda_format_of(from->w_down.type), from->w_down.rows,
                          from->w_down.cols);
    take(a, &l->attn_norm, embd, sizeof(float));
    take(a, &l->ffn_norm, embd, sizeof(float));
    if (from->bq || from->bk || from->bv)
        take(a, &l->bias, (size_t)(from->wq.rows + 2 * from->wk.rows), sizeof(float));
    else
        l->bias = NULL;
}

size_t cuda_lay_out_weights(struct cuda *c, const struct model *m, char *base)
{
    struct arena a = {base, 0};

    for (int i = 0; i < m->cfg.n_layer; i++)
        take_layer(&a, &m->layers[i], &c->layers[i]);
    c->output = take_matrix(&a, cuda_format_of(m->output.type), m->output.rows, m->output.cols);
    c->embed = c->output;
    if (!m->tied)
        c->embed = take_matrix(&a, cuda_format_of(m->embed.type), m->embed.rows, m->embed.cols);
    take(&a, &c->output_norm, (size_t)m->cfg.n_embd, sizeof(float));
    take(&a, &c->inv_freq, (size_t)m->cfg.head_dim / 2, sizeof(float));
    take(&a, &c->step_layers, (size_t)m->cfg.n_layer, sizeof *c->step_layers);
    return a.used;
}

static bool layer_placement(const struct cuda *c, const struct model *m, int layer, int i,
                            struct cuda_placement *out)
{
    const struct layer *from = &m->layers[layer];
    const struct cuda_layer *l = &c->layers[layer];
    enum cuda_rows heads = m->cfg.rope_neighbours ? CUDA_ROWS_PLAIN : CUDA_ROWS_PAIRS;
    int k_row = from->wq.rows, v_row = k_row + from->wk.rows;
    bool v_alone = l->v.n_tiles > 0;
    const struct cuda_placement of_layer[LAYER_MATRICES] = {
        {&from->wq, l->qkv, 0, heads},
        {&from->wk, l->qkv, k_row, heads},
        {&from->wv, v_alone ? l->v : l->qkv, v_alone ? 0 : v_row, CUDA_ROWS_PLAIN},
        {&from->wo, l->out, 0, CUDA_ROWS_PLAIN},
        {&from->w_gate, l->up, 0, CUDA_ROWS_EVEN},
        {&from->w_up, l->up, 0, CUDA_ROWS_ODD},
        {&from->w_down, l->down, 0, CUDA_ROWS_PLAIN},
    };

    *out = of_layer[i];
    return true;
}

bool cuda_placement_at(const struct cuda *c, const struct model *m, int i,
                       struct cuda_placement *out)
{
    int n = m->cfg.n_layer * LAYER_MATRICES;

    if (i < n)
        return layer_placement(c, m, i / LAYER_MATRICES, i % LAYER_MATRICES, out);
    if (i == n)
        *out = (struct cuda_placement){&m->output, c->output, 0, CUDA_ROWS_PLAIN};
    else if (i == n + 1 && !m->tied)
        *out = (struct cuda_placement){&m->embed, c->embed, 0, CUDA_ROWS_PLAIN};
    else
        return false;
    return true;
}

size_t cuda_kv_bytes(const struct cuda *c)
{
    return (size_t)c->opt.n_blocks * KV_BLOCK *
           (size_t)backend_kv_row_bytes(&c->cfg, c->opt.kv_type);
}

/* Lays out the inputs of a step of up to n_tokens, to be copied in one piece: small steps copy
 * little. */
void cuda_arrange_inputs(struct cuda *c, int n_tokens, int n_outputs)
{
    int32_t *at = c->inputs;
    size_t blocks = ((size_t)c->opt.max_context + KV_BLOCK - 1) / KV_BLOCK, t = (size_t)n_tokens;

    c->step.max_blocks = (int)blocks;
    c->n_inputs = 6 * t + (size_t)n_outputs + blocks * (size_t)c->opt.max_sequences;
    if (!at)
        return;
    c->step.output = at;
    c->step.token = at + n_outputs;
    c->step.position = c->step.token + t;
    c->step.sequence = c->step.position + t;
    c->step.fresh = c->step.sequence + t;
    c->spans = at + (size_t)n_outputs + 4 * t;
    c->step.block_table = c->spans + 2 * t;
}

/* The largest of a layer's matrices as halves; of the output matrix, only as much as fits. */
static size_t largest_unpacked(const struct model_config *cfg)
{
    size_t embd = (size_t)cuda_pitch(cfg->n_embd), ff = (size_t)cuda_pitch(cfg->n_ff);
    size_t heads = (size_t)cuda_pitch(cfg->n_head * cfg->head_dim);
    size_t up = 2 * (size_t)cfg->n_ff * embd, down = (size_t)cfg->n_embd * ff;
    size_t out = (size_t)cfg->n_embd * heads, qkv = 3 * heads * embd, most = up;

    most = down > most ? down : most;
    most = out > most ? out : most;
    return (qkv > most ? qkv : most) * sizeof(uint16_t);
}

static void take_exchange(struct arena *a, const struct model_config *cfg, struct step_exchange *e)
{
    take(a, &e->before, 1, sizeof *e->before);
    take(a, &e->counters, 1, sizeof *e->counters);
    take(a, &e->q, (size_t)(cfg->n_head * cfg->head_dim), sizeof *e->q);
    take(a, &e->kv, (size_t)(cfg->n_head_kv * cfg->head_dim), sizeof *e->kv);
    take(a, &e->added, 2 * (size_t)cfg->n_embd, sizeof *e->added);
    take(a, &e->h, (size_t)cfg->n_ff, sizeof(uint16_t));
}

/* What is never needed at the same time shares memory: a product before its epilogue, attention's
 * ranges, and logits. */
static void take_by_turns(struct arena *a, struct cuda *c)
{
    const struct model_config *cfg = &c->cfg;
    size_t t = (size_t)c->opt.max_tokens, heads = (size_t)cfg->n_head, dim = (size_t)cfg->head_dim;
    size_t qkv = t * (heads + 2 * (size_t)cfg->n_head_kv) * dim * sizeof(float);
    size_t up = t * 2 * (size_t)cfg->n_ff * sizeof(uint16_t);
    size_t logits = (size_t)c->opt.max_outputs * (size_t)cfg->n_vocab * sizeof(float);
    size_t parts = ATTENTION_TOKENS * heads * ATTENTION_SPLITS;
    size_t most = qkv > up ? qkv : up, used;
    struct arena ranges = {a->base ? a->base + a->used : NULL, 0};

    take(&ranges, &c->part, parts * dim, sizeof(float));
    take(&ranges, &c->part_sums, parts * 2, sizeof(float));
    used = ranges.used > logits ? ranges.used : logits;
    take(a, &c->product, most > used ? most : used, 1);
    c->logits = c->product;
}

size_t cuda_lay_out_scratch(struct cuda *c, char *base)
{
    const struct model_config *cfg = &c->cfg;
    size_t t = (size_t)c->opt.max_tokens, o = (size_t)c->opt.max_outputs;
    size_t embd = (size_t)cfg->n_embd, vocab = (size_t)cfg->n_vocab;
    size_t heads = (size_t)(cfg->n_head * cfg->head_dim), half = sizeof(uint16_t);
    struct arena a = {base, 0};

    cuda_arrange_inputs(c, c->opt.max_tokens, c->opt.max_outputs);
    take(&a, &c->inputs, c->n_inputs, sizeof(int32_t));
    cuda_arrange_inputs(c, c->opt.max_tokens, c->opt.max_outputs);
    take(&a, &c->step.turn, t * (size_t)cfg->head_dim, sizeof(float));
    take(&a, &c->x, t * embd, sizeof(float));
    take(&a, &c->q, t * heads, sizeof(float));
    if (c->opt.kv_type == BACKEND_KV_Q8)
        take(&a, &c->staged, t * 2 * (size_t)(cfg->n_head_kv * cfg->head_dim), sizeof(float));
    take(&a, &c->a, t * (size_t)cuda_pitch((int)heads), half);
    take(&a, &c->y, (t > o ? t : o) * (size_t)cuda_pitch(cfg->n_embd), half);
    take(&a, &c->h, t * (size_t)cuda_pitch(cfg->n_ff), half);
    take(&a, &c->tickets, ATTENTION_TOKENS * (size_t)cfg->n_head, sizeof *c->tickets);
    take_exchange(&a, cfg, &c->exchange);
    take(&a, &c->best, o * SAMPLE_BLOCKS, sizeof *c->best);
    take(&a, &c->sample_tickets, o, sizeof *c->sample_tickets);
    take(&a, &c->draws, o, sizeof *c->draws);
    take(&a, &c->most, o, sizeof *c->most);
    take(&a, &c->banned, vocab, sizeof *c->banned);
    take(&a, &c->masks, o * ((vocab + 31) / 32), sizeof *c->masks);
    take_by_turns(&a, c);
    c->unpacked_bytes = largest_unpacked(cfg);
    take(&a, &c->unpacked, c->unpacked_bytes, 1);
    take(&a, &c->workspace, BLAS_WORKSPACE, 1);

    /* While weights are loaded the same memory holds the pieces that come. */
    size_t stages = CUDA_STAGES * (size_t)CUDA_STAGE_BYTES;
    return a.used > stages ? a.used : stages;
}
