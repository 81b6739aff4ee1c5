/* load.c - brings the weights from the mapped file to the device.
 *
 * Pieces of a few thousand rows cycle through pinned memory: while the host's cores copy one, the
 * one before it crosses the bus and the one before that is packed by the device. On the device the
 * pieces borrow the scratch memory, which no step uses yet. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/features.h"
#include "host/pool.h"
#include "cuda/cuda.h"

enum { COPY_THREADS = 8, COPY_BYTES = 1 << 20, MAX_ROWS = 32768 };

struct stage {
    char *host, *device;
    cudaEvent_t packed; /* its contents have been used */
};

struct loader {
    struct cuda *c;
    struct pool *pool;
    char *pinned;
    struct stage stages[CUDA_STAGES];
    int turn;
};

struct copy {
    char *to;
    const char *from;
    size_t bytes;
};

static void copy_item(void *ud, int item, int thread)
{
    const struct copy *c = ud;
    size_t at = (size_t)item * COPY_BYTES, left = c->bytes - at;
    (void)thread;

    memcpy(c->to + at, c->from + at, left < COPY_BYTES ? left : COPY_BYTES);
}

static int open_loader(struct loader *l)
{
    struct cuda *c = l->c;
    int n_threads = cpu_count() < COPY_THREADS ? cpu_count() : COPY_THREADS;
    void *pinned = NULL;

    if (pool_new(&l->pool, n_threads) != 0) {
        snprintf(c->base.error, sizeof c->base.error, "CUDA: loading: no threads");
        return -1;
    }
    if (cuda_check(c, cudaHostAlloc(&pinned, CUDA_STAGES * (size_t)CUDA_STAGE_BYTES, 0), "loading"))
        return -1;
    l->pinned = pinned;
    for (int i = 0; i < CUDA_STAGES; i++) {
        struct stage *s = &l->stages[i];
        s->host = l->pinned + i * (size_t)CUDA_STAGE_BYTES;
        s->device = (char *)c->scratch + i * (size_t)CUDA_STAGE_BYTES;
        if (cuda_check(c, cudaEventCreateWithFlags(&s->packed, cudaEventDisableTiming), "loading"))
            return -1;
    }
    return 0;
}

static void close_loader(struct loader *l)
{
    for (int i = 0; i < CUDA_STAGES; i++)
        if (l->stages[i].packed)
            cudaEventDestroy(l->stages[i].packed);
    if (l->pinned)
        cudaFreeHost(l->pinned);
    pool_free(l->pool);
}

/* Rows [first, first + n) of a placement. */
static int load_rows(struct loader *l, const struct cuda_placement *p, int first, int n)
{
    struct cuda *c = l->c;
    struct stage *s = &l->stages[l->turn++ % CUDA_STAGES];
    size_t row_bytes = quant_row_bytes(p->from->type, p->from->cols);
    struct copy copy = {s->host, (const char *)p->from->host + (size_t)first * row_bytes,
                        (size_t)n * row_bytes};
    const struct cuda_pack pack = {
        .type = p->from->type,
        .from = s->device,
        .first_row = first,
        .n_rows = n,
        .cols = p->from->cols,
        .row_bytes = row_bytes,
        .block_bytes = quant_info(p->from->type)->block_bytes,
        .block_elements = quant_info(p->from->type)->block_elements,
        .to = p->to,
        .to_row = p->to_row,
        .rows = p->rows,
        .head_dim = c->cfg.head_dim,
    };

    if (cuda_check(c, cudaEventSynchronize(s->packed), "loading"))
        return -1;
    pool_run(l->pool, copy_item, &copy, (int)((copy.bytes + COPY_BYTES - 1) / COPY_BYTES));
    cudaError_t rc = cudaMemcpyAsync(s->device, s->host, copy.bytes, cudaMemcpyHostToDevice,
                                     c->queue.stream);
    if (rc == cudaSuccess)
        rc = launch_pack(&c->queue, &pack);
    if (rc == cudaSuccess)
        rc = cudaEventRecord(s->packed, c->queue.stream);
    return cuda_check(c, rc, "loading");
}

static bool given_up(const struct cuda *c)
{
    return c->opt.abort_load && atomic_load_explicit(c->opt.abort_load, memory_order_relaxed);
}

static int load_matrix(struct loader *l, const struct cuda_placement *p)
{
    size_t row_bytes = quant_row_bytes(p->from->type, p->from->cols);
    int at_once = (int)(CUDA_STAGE_BYTES / row_bytes);

    at_once = at_once < MAX_ROWS ? at_once : MAX_ROWS;
    for (int first = 0; first < p->from->rows; first += at_once) {
        int left = p->from->rows - first;
        if (given_up(l->c)) {
            snprintf(l->c->base.error, sizeof l->c->base.error, "loading was given up");
            return -1;
        }
        if (load_rows(l, p, first, left < at_once ? left : at_once) != 0)
            return -1;
    }
    return 0;
}

static int load_vector(struct cuda *c, float *to, const float *from, int n)
{
    return cuda_check(c, cudaMemcpy(to, from, (size_t)n * sizeof *to, cudaMemcpyHostToDevice),
                      "loading");
}

/* Places a bias as its matrix's rows are placed: see enum cuda_rows. NULL is zeros. */
static void place_bias(const struct cuda *c, float *to, const float *from, int n, bool heads)
{
    int d = c->cfg.head_dim, half = d / 2;
    bool pairs = heads && !c->cfg.rope_neighbours;

    for (int r = 0; r < n; r++) {
        int i = r % d;
        int place = !pairs ? i : i < half ? 2 * i : 2 * (i - half) + 1;
        to[r - i + place] = from ? from[r] : 0;
    }
}

static int load_bias(struct cuda *c, const struct layer *from, float *to)
{
    int n_q = from->wq.rows, n_kv = from->wk.rows;
    float *bias = malloc((size_t)(n_q + 2 * n_kv) * sizeof *bias);

    if (!bias)
        return cuda_check(c, cudaErrorMemoryAllocation, "loading");
    place_bias(c, bias, from->bq, n_q, true);
    place_bias(c, bias + n_q, from->bk, n_kv, true);
    place_bias(c, bias + n_q + n_kv, from->bv, n_kv, false);
    int rc = load_vector(c, to, bias, n_q + 2 * n_kv);
    free(bias);
    return rc;
}

static int load_vectors(struct cuda *c, const struct model *m)
{
    for (int i = 0; i < m->cfg.n_layer; i++) {
        const struct layer *from = &m->layers[i];
        const struct cuda_layer *l = &c->layers[i];
        if (load_vector(c, l->attn_norm, from->attn_norm, m->cfg.n_embd) != 0 ||
            load_vector(c, l->ffn_norm, from->ffn_norm, m->cfg.n_embd) != 0 ||
            (l->bias && load_bias(c, from, l->bias) != 0))
            return -1;
    }
    if (load_vector(c, c->output_norm, m->output_norm, m->cfg.n_embd) != 0)
        return -1;
    return load_vector(c, c->inv_freq, m->inv_freq, m->cfg.head_dim / 2);
}

static bool step_can_read(const struct cuda *c, const struct cuda_matrix *w)
{
    return w->n_tiles == 0 || cuda_step_usable(c->layers[0].up.format, w->format);
}

/* Loads what the whole-step kernel needs to know of the layers, and decides whether it can be
 * used. It writes pairs of elements to the cache, so the cache cannot be one of codes, which are
 * quantised 32 at a time. */
static int load_step_layers(struct cuda *c)
{
    size_t bytes = (size_t)c->cfg.n_layer * sizeof *c->step_layers;
    struct step_layer *layers = calloc(1, bytes);
    const struct cuda_cache cache = cuda_cache_of(c);

    if (!layers)
        return cuda_check(c, cudaErrorMemoryAllocation, "loading");
    c->whole_steps = c->queue.whole_steps && !c->opt.reproducible &&
                     cache.kind == CUDA_CACHE_HALVES && cuda_attention_tensor_usable(&cache) &&
                     step_can_read(c, &c->embed) && step_can_read(c, &c->output);
    for (int i = 0; i < c->cfg.n_layer; i++) {
        const struct cuda_layer *l = &c->layers[i];
        layers[i] = (struct step_layer){.products = {l->qkv, l->out, l->up, l->down},
                                        .v = l->v,
                                        .attn_norm = l->attn_norm,
                                        .ffn_norm = l->ffn_norm,
                                        .bias = l->bias};
        for (int k = 0; k < 4; k++)
            c->whole_steps = c->whole_steps && step_can_read(c, &layers[i].products[k]);
        c->whole_steps = c->whole_steps && step_can_read(c, &l->v);
    }
    int rc = cuda_check(c, cudaMemcpy(c->step_layers, layers, bytes, cudaMemcpyHostToDevice),
                        "loading");
    free(layers);
    return rc;
}

static int load_matrices(struct cuda *c, const struct model *m)
{
    struct loader l = {.c = c};
    struct cuda_placement p;
    int rc = open_loader(&l);

    for (int i = 0; rc == 0 && cuda_placement_at(c, m, i, &p); i++)
        rc = load_matrix(&l, &p);
    if (cuda_check(c, cudaStreamSynchronize(c->queue.stream), "loading") != 0)
        rc = -1;
    close_loader(&l);
    return rc;
}

/* Steps expect zeros where pitches are wider than rows, and where tickets are taken. */
static int clear(struct cuda *c, void *memory, size_t bytes)
{
    return cuda_check(c, cudaMemsetAsync(memory, 0, bytes, c->queue.stream), "loading");
}

/* As if the last layer of a step before had left it. */
static int mark_added(struct cuda *c)
{
    size_t bytes = 2 * (size_t)c->cfg.n_embd * sizeof *c->exchange.added;
    return cuda_check(c, cudaMemsetAsync(c->exchange.added, 0xff, bytes, c->queue.stream),
                      "loading");
}

int cuda_load(struct cuda *c, struct model *m)
{
    c->weights_bytes = cuda_lay_out_weights(c, m, NULL);
    if (cuda_check(c, cudaMalloc(&c->weights, c->weights_bytes), "weights") != 0)
        return -1;
    cuda_lay_out_weights(c, m, c->weights);
    if (clear(c, c->weights, c->weights_bytes) != 0 || clear(c, c->kv, c->kv_bytes) != 0 ||
        load_matrices(c, m) != 0 || load_vectors(c, m) != 0 || load_step_layers(c) != 0 ||
        clear(c, c->scratch, c->scratch_bytes) != 0 || mark_added(c) != 0)
        return -1;
    if (c->blas && !blas_ready(c->blas)) {
        blas_close(c->blas);
        c->blas = NULL;
    }
    return cuda_record_graphs(c);
}
