/* rotate.c - rotary positions (Su et al. 2021), and the way of keys and values into the cache. */
#include <math.h>

#include "cpu/cpu.h"

/* Angles are worked out in double: at position 131,072 a float's product is off by hundredths. One
 * table serves all heads and layers of the step. */
void cpu_rotate_begin(struct cpu *c)
{
    int half = c->cfg.head_dim / 2;

    for (int t = 0; t < c->batch->n_tokens; t++) {
        for (int i = 0; i < half; i++) {
            double angle = (double)c->batch->position[t] * (double)c->m->inv_freq[i];
            c->cos[t * half + i] = (float)cos(angle);
            c->sin[t * half + i] = (float)sin(angle);
        }
    }
}

/* Pairs are (2i, 2i + 1) or (i, i + head_dim / 2). */
static void rotate(const struct cpu *c, int token, int n_heads, float *x)
{
    int d = c->cfg.head_dim, half = d / 2;
    int step = c->cfg.rope_neighbours ? 2 : 1, apart = c->cfg.rope_neighbours ? 1 : half;
    const float *co = c->cos + (size_t)token * (size_t)half;
    const float *si = c->sin + (size_t)token * (size_t)half;

    for (int head = 0; head < n_heads; head++, x += d) {
        for (int i = 0; i < half; i++) {
            float *a = x + i * step, *b = a + apart;
            float turned = *a * co[i] - *b * si[i];
            *b = *a * si[i] + *b * co[i];
            *a = turned;
        }
    }
}

struct rotation {
    struct cpu *cpu;
    int layer;
};

static void rotate_token(void *ud, int t, int thread)
{
    const struct rotation *r = ud;
    struct cpu *c = r->cpu;
    int d = c->cfg.head_dim, position = c->batch->position[t], n_query = c->cfg.n_head * d;
    float *q = c->q + (size_t)t * (size_t)n_query;
    (void)thread;

    rotate(c, t, c->cfg.n_head, q);
    if (c->attend->query)
        c->attend->query(q, n_query, c->act + (size_t)t * (size_t)(n_query / QUANT_BLOCK));
    rotate(c, t, c->cfg.n_head_kv, c->k + (size_t)t * (size_t)(c->cfg.n_head_kv * d));
    for (int g = 0; g < c->cfg.n_head_kv; g++) {
        struct kv_piece piece = cpu_kv_at(c, t, r->layer, position / KV_BLOCK, g);
        size_t at = (size_t)(t * c->cfg.n_head_kv + g) * (size_t)d;
        c->attend->store(piece.k, piece.v, d, position % KV_BLOCK, c->k + at, c->v + at);
    }
}

void cpu_rotate_and_store(struct cpu *c, int layer)
{
    struct rotation r = {c, layer};
    int heads = c->cfg.n_head + 2 * c->cfg.n_head_kv;

    cpu_run(c, rotate_token, &r, c->batch->n_tokens,
            4.0 * c->batch->n_tokens * heads * c->cfg.head_dim);
}
