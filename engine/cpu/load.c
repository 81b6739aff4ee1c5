/* load.c - packs the file's matrices into panels.
 *
 * One matrix after the other, so that the pages of the file can leave memory as its panels come:
 * there are never two copies. An embedding that is not the output matrix too is looked up row by
 * row and stays in the file; so does a tied one, whose panels only the output uses. */
#include <stdio.h>

#include "cpu/cpu.h"
#include "host/pages.h"

enum { LAYER_MATRICES = 7, ALIGN = 64, PANELS_PER_ITEM = 8 };

/* Matrix i of those that are packed, or NULL after the last. */
static struct matrix *matrix_at(const struct model *m, int i)
{
    if (i == m->cfg.n_layer * LAYER_MATRICES)
        return (struct matrix *)&m->output;
    if (i > m->cfg.n_layer * LAYER_MATRICES)
        return NULL;
    struct layer *l = &m->layers[i / LAYER_MATRICES];
    struct matrix *const of_layer[LAYER_MATRICES] = {&l->wq,     &l->wk,   &l->wv,    &l->wo,
                                                     &l->w_gate, &l->w_up, &l->w_down};
    return of_layer[i % LAYER_MATRICES];
}

static size_t packed_bytes(const struct matrix *w)
{
    size_t bytes = (size_t)panel_count(w) * panel_bytes(w);
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

size_t cpu_weights_bytes(const struct model *m)
{
    size_t bytes = 0;

    for (int i = 0; matrix_at(m, i); i++)
        bytes += packed_bytes(matrix_at(m, i));
    return bytes;
}

struct packing {
    const struct matrix *w;
    char *out;
    const atomic_bool *abort;
};

static bool given_up(const atomic_bool *abort)
{
    return abort && atomic_load_explicit(abort, memory_order_relaxed);
}

static void pack_item(void *ud, int item, int thread)
{
    const struct packing *p = ud;
    int n_panels = panel_count(p->w);
    (void)thread;

    if (given_up(p->abort))
        return;
    for (int i = item * PANELS_PER_ITEM; i < (item + 1) * PANELS_PER_ITEM && i < n_panels; i++)
        panel_pack(p->w, i, p->out + (size_t)i * panel_bytes(p->w));
}

int cpu_load(struct cpu *c, struct model *m)
{
    c->weights_bytes = cpu_weights_bytes(m);
    c->weights = pages_map(c->weights_bytes, true);
    if (!c->weights) {
        snprintf(c->base.error, sizeof c->base.error, "weights: out of memory (want %zu MiB)",
                 c->weights_bytes >> 20);
        return -1;
    }
    char *out = c->weights;
    struct matrix *w;
    for (int i = 0; (w = matrix_at(m, i)) != NULL; i++) {
        struct packing p = {w, out, c->opt.abort_load};
        int n_items = (panel_count(w) + PANELS_PER_ITEM - 1) / PANELS_PER_ITEM;
        cpu_run(c, pack_item, &p, n_items, (double)packed_bytes(w));
        if (given_up(c->opt.abort_load)) {
            snprintf(c->base.error, sizeof c->base.error, "loading was given up");
            return -1;
        }
        if (m->mapped)
            pages_drop_file(w->host, (size_t)w->rows * quant_row_bytes(w->type, w->cols));
        w->data = out;
        out += packed_bytes(w);
    }
    return 0;
}
