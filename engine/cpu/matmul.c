/* matmul.c - shares panels out among threads and puts their results where they belong.
 *
 * All columns of a step pass over a few panels, which stay in the core's own cache meanwhile; then
 * come the next panels. An item of the pool is such a handful of panels. */
#include "cpu/matmul.h"

#include <string.h>

/* A handful of panels takes at most about so many bytes: it fits the second level cache beside the
 * activations, and is long enough to be read at full speed, which starts anew with each. Each
 * thread gets a few of them at least, so that nobody waits long for the last one. */
enum { ITEM_BYTES = 256 << 10, ITEMS_A_THREAD = 4 };

/* A job with what its items need, worked out once. */
struct run {
    struct cpu *cpu;
    const struct matmul *job;
    const float *x;                /* the columns as floats */
    int panels[MATMUL_PARTS];      /* of each part that is shared out by itself */
    int n_panels, panels_per_item; /* of all those parts */
    bool quantized;                /* some part wants integers */
};

static int tile_width(int n_left)
{
    int width = TILE;

    while (width > n_left)
        width /= 2;
    return width;
}

static bool is_float(enum quant_type type)
{
    return quant_info(type)->block_elements == 1;
}

/* Columns TILE i .. of the input: norms and makes integers of them. */
static void prepare_item(void *ud, int item, int thread)
{
    const struct run *run = ud;
    const struct matmul_input *in = &run->job->in;
    struct cpu *c = run->cpu;
    size_t cols = (size_t)in->cols, blocks = cols / QUANT_BLOCK;
    int end = (item + 1) * TILE < in->n ? (item + 1) * TILE : in->n;
    int width;
    (void)thread;

    for (int first = item * TILE; first < end; first += width) {
        width = tile_width(end - first);
        for (int i = first; i < first + width; i++) {
            const float *x = run->x + (size_t)i * cols;
            if (in->norm) {
                size_t row = (size_t)(in->index ? in->index[i] : i);
                c->kernels->norm(in->x + row * cols, in->norm, in->cols, c->cfg.norm_eps,
                                 c->y + (size_t)i * cols);
            }
            if (run->quantized)
                c->kernels->quantize(x, in->cols, c->act + (size_t)first * blocks + (i - first),
                                     width);
        }
    }
}

static const void *panel_at(const struct matrix *w, int i)
{
    return (const char *)w->data + (size_t)i * panel_bytes(w);
}

/* One or two panels of w's shape and type. */
static void multiply(const struct run *run, const struct matrix *w, const void *const panels[2],
                     int first, int width, float *out)
{
    size_t cols = (size_t)w->cols;
    struct tile tile = {
        .width = width,
        .act = run->cpu->act + (size_t)first * (cols / QUANT_BLOCK),
        .x = run->x + (size_t)first * cols,
        .stride = cols,
    };

    run->cpu->kernels->dot[w->type](panels, w->cols, &tile, out);
}

/* Rows of one panel, for the tile's columns, to where they belong. */
static void put(const struct run *run, const struct matmul_part *part, int panel, int first,
                int width, const float *result)
{
    int row = panel * PANEL;
    int n = part->w->rows - row < PANEL ? part->w->rows - row : PANEL;

    for (int i = 0; i < width; i++, result += PANEL) {
        float *out = part->out + (size_t)(first + i) * (size_t)part->w->rows + row;
        if (run->job->mode == MATMUL_ADD) {
            for (int r = 0; r < n; r++)
                out[r] += result[r];
        } else if (part->bias) {
            for (int r = 0; r < n; r++)
                out[r] = result[r] + part->bias[row + r];
        } else {
            memcpy(out, result, (size_t)n * sizeof *out);
        }
    }
}

static void multiply_gated(const struct run *run, int panel, int first, int width)
{
    const struct matrix *gate = run->job->part[0].w, *up = run->job->part[1].w;
    const void *const panels[2] = {panel_at(gate, panel), panel_at(up, panel)};
    float result[2][TILE * PANEL];

    if (gate->type == up->type) {
        multiply(run, gate, panels, first, width, result[0]);
    } else {
        multiply(run, gate, (const void *[2]){panels[0]}, first, width, result[0]);
        multiply(run, up, (const void *[2]){panels[1]}, first, width, result[1]);
    }
    run->cpu->kernels->silu_mul(result[0], result[1], width * PANEL);
    put(run, run->job->part, panel, first, width, result[0]);
}

/* Panel `panel` of all shared parts together, and the next one if it is of the same part and before
 * `end`. Returns how many that were. */
static int multiply_panels(const struct run *run, int panel, int end, int first, int width)
{
    const struct matmul_part *part = run->job->part;
    float result[2][TILE * PANEL];
    int n_left = end - panel;

    for (int i = 0; panel >= run->panels[i]; i++, part++)
        panel -= run->panels[i];
    int n = n_left > 1 && panel + 1 < panel_count(part->w) ? 2 : 1;
    const void *const panels[2] = {panel_at(part->w, panel),
                                   n == 2 ? panel_at(part->w, panel + 1) : NULL};
    multiply(run, part->w, panels, first, width, result[0]);
    for (int i = 0; i < n; i++)
        put(run, part, panel + i, first, width, result[i]);
    return n;
}

static void multiply_item(void *ud, int item, int thread)
{
    const struct run *run = ud;
    const struct kernels *k = run->cpu->kernels;
    int from = item * run->panels_per_item, to = from + run->panels_per_item, width;
    bool wide = k->begin && run->job->in.n >= TILE_COLS;
    (void)thread;

    if (to > run->n_panels)
        to = run->n_panels;
    if (wide)
        k->begin();
    for (int first = 0; first < run->job->in.n; first += width) {
        width = tile_width(run->job->in.n - first);
        for (int panel = from, n = 1; panel < to; panel += n) {
            if (run->job->mode == MATMUL_GATED)
                multiply_gated(run, panel, first, width);
            else
                n = multiply_panels(run, panel, to, first, width);
        }
    }
    if (wide)
        k->end();
}

/* Cuts the panels into items and returns how many. bytes: of all parts. */
static int cut(struct run *run, size_t bytes)
{
    size_t least = (size_t)(ITEMS_A_THREAD * pool_threads(run->cpu->pool));
    size_t wanted = bytes / ITEM_BYTES + 1;

    wanted = wanted > least ? wanted : least;
    int n_items = wanted < POOL_MAX_ITEMS ? (int)wanted : POOL_MAX_ITEMS;
    run->panels_per_item = (run->n_panels + n_items - 1) / n_items;
    return (run->n_panels + run->panels_per_item - 1) / run->panels_per_item;
}

void matmul(struct cpu *c, const struct matmul *job)
{
    struct run run = {.cpu = c, .job = job, .x = job->in.norm ? c->y : job->in.x};
    int n_shared = job->mode == MATMUL_GATED ? 1 : job->n_parts;
    double work = 0;
    size_t bytes = 0;

    for (int i = 0; i < job->n_parts; i++) {
        const struct matrix *w = job->part[i].w;
        work += (double)w->rows * w->cols * job->in.n;
        bytes += (size_t)panel_count(w) * panel_bytes(w);
        run.quantized = run.quantized || !is_float(w->type);
    }
    for (int i = 0; i < n_shared; i++) {
        run.panels[i] = panel_count(job->part[i].w);
        run.n_panels += run.panels[i];
    }

    if (job->in.norm || run.quantized)
        cpu_run(c, prepare_item, &run, (job->in.n + TILE - 1) / TILE,
                4.0 * job->in.n * job->in.cols);
    cpu_run(c, multiply_item, &run, cut(&run, bytes), work);
}
