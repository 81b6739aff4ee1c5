/* random_model.c - see the header. */
#include "tests/engine/random_model.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

float random_float(uint64_t *state)
{
    return (float)((double)(random_next(state) >> 11) * 0x1p-52 - 1);
}

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n, size);
    assert(p);
    return p;
}

/* A positive half of about x. */
static uint16_t some_half(uint64_t *state, float x)
{
    return quant_float_to_half(x * (1.5f + random_float(state)) / 1.5f);
}

/* Codes are any bits; the scales decide how large the values are. */
static void random_block(uint64_t *state, enum quant_type type, void *block, float scale)
{
    size_t bytes = (size_t)quant_info(type)->block_bytes;

    for (size_t i = 0; i < bytes; i++)
        ((uint8_t *)block)[i] = (uint8_t)random_next(state);
    switch (type) {
    case QUANT_F32: *(float *)block = random_float(state) * scale; break;
    case QUANT_F16: *(uint16_t *)block = quant_float_to_half(random_float(state) * scale); break;
    case QUANT_BF16: {
        float f = random_float(state) * scale;
        memcpy(block, (char *)&f + 2, 2);
        break;
    }
    case QUANT_Q4_0: ((struct quant_q4_0 *)block)->d = some_half(state, scale / 8); break;
    case QUANT_Q4_1:
        ((struct quant_q4_1 *)block)->d = some_half(state, scale / 8);
        ((struct quant_q4_1 *)block)->m = some_half(state, scale) | 0x8000;
        break;
    case QUANT_Q5_0: ((struct quant_q5_0 *)block)->d = some_half(state, scale / 16); break;
    case QUANT_Q5_1:
        ((struct quant_q5_1 *)block)->d = some_half(state, scale / 16);
        ((struct quant_q5_1 *)block)->m = some_half(state, scale) | 0x8000;
        break;
    case QUANT_Q8_0: ((struct quant_q8_0 *)block)->d = some_half(state, scale / 128); break;
    case QUANT_Q4_K:
        ((struct quant_q4_k *)block)->d = some_half(state, scale / 8 / 32);
        ((struct quant_q4_k *)block)->dmin = some_half(state, scale / 32);
        break;
    case QUANT_Q5_K:
        ((struct quant_q5_k *)block)->d = some_half(state, scale / 16 / 32);
        ((struct quant_q5_k *)block)->dmin = some_half(state, scale / 32);
        break;
    case QUANT_Q6_K: ((struct quant_q6_k *)block)->d = some_half(state, scale / 32 / 64); break;
    }
}

struct matrix random_matrix(uint64_t *state, enum quant_type type, int rows, int cols, float scale)
{
    size_t row_bytes = quant_row_bytes(type, cols), block = (size_t)quant_info(type)->block_bytes;
    char *host = zeroed((size_t)rows, row_bytes);

    for (size_t at = 0; at < (size_t)rows * row_bytes; at += block)
        random_block(state, type, host + at, scale);
    return (struct matrix){.type = type, .rows = rows, .cols = cols, .host = host};
}

static float *random_vector(uint64_t *state, int n, float middle, float spread)
{
    float *v = zeroed((size_t)n, sizeof *v);

    for (int i = 0; i < n; i++)
        v[i] = middle + spread * random_float(state);
    return v;
}

void random_model(struct model *m, const struct random_options *o, uint64_t seed)
{
    uint64_t *s = &seed;
    int q = o->n_head * o->head_dim, kv = o->n_head_kv * o->head_dim;
    float in = 1.7f / sqrtf((float)o->n_embd); /* keeps the variance of what passes through */

    *m = (struct model){
        .cfg = {.n_vocab = o->n_vocab,
                .n_layer = o->n_layer,
                .n_embd = o->n_embd,
                .n_head = o->n_head,
                .n_head_kv = o->n_head_kv,
                .head_dim = o->head_dim,
                .n_ff = o->n_ff,
                .n_ctx_train = 4096,
                .norm_eps = 1e-5f,
                .rope_theta = 10000,
                .rope_neighbours = o->neighbours},
        .tied = o->tied,
        .type = o->type,
    };
    m->embed = random_matrix(s, o->type, o->n_vocab, o->n_embd, 1);
    m->output = o->tied ? m->embed : random_matrix(s, o->type, o->n_vocab, o->n_embd, in);
    m->output_norm = random_vector(s, o->n_embd, 1, 0.2f);
    m->inv_freq = zeroed((size_t)o->head_dim / 2, sizeof *m->inv_freq);
    for (int i = 0; i < o->head_dim / 2; i++)
        m->inv_freq[i] = powf(m->cfg.rope_theta, -2.0f * (float)i / (float)o->head_dim);
    m->layers = zeroed((size_t)o->n_layer, sizeof *m->layers);
    for (int i = 0; i < o->n_layer; i++) {
        struct layer *l = &m->layers[i];
        l->attn_norm = random_vector(s, o->n_embd, 1, 0.2f);
        l->ffn_norm = random_vector(s, o->n_embd, 1, 0.2f);
        l->wq = random_matrix(s, o->type, q, o->n_embd, in);
        l->wk = random_matrix(s, o->type, kv, o->n_embd, in);
        l->wv = random_matrix(s, o->type, kv, o->n_embd, in);
        l->wo = random_matrix(s, o->type, o->n_embd, q, 1.7f / sqrtf((float)q));
        l->w_gate = random_matrix(s, o->type, o->n_ff, o->n_embd, in);
        l->w_up = random_matrix(s, o->type, o->n_ff, o->n_embd, in);
        l->w_down = random_matrix(s, o->type, o->n_embd, o->n_ff, 1.7f / sqrtf((float)o->n_ff));
        if (o->key_bias != 0) {
            l->bq = random_vector(s, q, 0, 0.5f);
            l->bk = random_vector(s, kv, 0, o->key_bias);
            l->bv = random_vector(s, kv, 0, 0.5f);
        }
    }
}

void random_model_done(struct model *m)
{
    for (int i = 0; i < m->cfg.n_layer; i++) {
        struct layer *l = &m->layers[i];
        const void *all[] = {l->attn_norm, l->ffn_norm,  l->bq,          l->bk,
                             l->bv,        l->wq.host,   l->wk.host,     l->wv.host,
                             l->wo.host,   l->w_up.host, l->w_gate.host, l->w_down.host};
        for (size_t j = 0; j < sizeof all / sizeof all[0]; j++)
            free((void *)all[j]);
    }
    free(m->layers);
    free(m->inv_freq);
    free((void *)m->output_norm);
    free((void *)m->embed.host);
    if (!m->tied)
        free((void *)m->output.host);
}

/* The reference */

/* out = w x + bias */
static void multiply(const struct matrix *w, const float *bias, const double *x, double *out)
{
    float *row = zeroed((size_t)w->cols, sizeof *row);
    size_t bytes = quant_row_bytes(w->type, w->cols);

    for (int r = 0; r < w->rows; r++) {
        quant_to_float(w->type, (const char *)w->host + (size_t)r * bytes, w->cols, row);
        out[r] = bias ? (double)bias[r] : 0;
        for (int i = 0; i < w->cols; i++)
            out[r] += (double)row[i] * x[i];
    }
    free(row);
}

static void norm(const double *x, const float *w, int n, double eps, double *out)
{
    double sum = 0;

    for (int i = 0; i < n; i++)
        sum += x[i] * x[i];
    for (int i = 0; i < n; i++)
        out[i] = x[i] / sqrt(sum / n + eps) * (double)w[i];
}

static void rotate(const struct model *m, int position, int n_heads, double *x)
{
    int d = m->cfg.head_dim;

    for (int h = 0; h < n_heads; h++, x += d) {
        for (int i = 0; i < d / 2; i++) {
            double angle = position * (double)m->inv_freq[i];
            double *a = m->cfg.rope_neighbours ? x + 2 * i : x + i;
            double *b = m->cfg.rope_neighbours ? a + 1 : a + d / 2;
            double turned = *a * cos(angle) - *b * sin(angle);
            *b = *a * sin(angle) + *b * cos(angle);
            *a = turned;
        }
    }
}

/* One head of one position over keys and values 0 .. last, rows `stride` apart. */
static void attend(const double *q, const double *k, const double *v, int last, int stride, int d,
                   double *out)
{
    double *p = zeroed((size_t)last + 1, sizeof *p), max = -INFINITY, sum = 0;

    for (int i = 0; i <= last; i++) {
        for (int j = 0; j < d; j++)
            p[i] += q[j] * k[i * stride + j] / sqrt(d);
        max = fmax(max, p[i]);
    }
    memset(out, 0, (size_t)d * sizeof *out);
    for (int i = 0; i <= last; i++) {
        p[i] = exp(p[i] - max);
        sum += p[i];
    }
    for (int i = 0; i <= last; i++)
        for (int j = 0; j < d; j++)
            out[j] += p[i] / sum * v[i * stride + j];
    free(p);
}

static void reference_layer(const struct model *m, const struct layer *l, double *x, int n)
{
    const struct model_config *c = &m->cfg;
    int e = c->n_embd, d = c->head_dim, nq = c->n_head * d, nkv = c->n_head_kv * d;
    size_t rows = (size_t)n;
    double *y = zeroed((size_t)e, sizeof *y), *a = zeroed((size_t)nq, sizeof *a);
    double *q = zeroed(rows * (size_t)nq, sizeof *q), *k = zeroed(rows * (size_t)nkv, sizeof *k);
    double *v = zeroed(rows * (size_t)nkv, sizeof *v), *sum = zeroed((size_t)e, sizeof *sum);
    double *gate = zeroed((size_t)c->n_ff, sizeof *gate), *up = zeroed((size_t)c->n_ff, sizeof *up);

    for (int t = 0; t < n; t++) {
        norm(x + t * e, l->attn_norm, e, (double)c->norm_eps, y);
        multiply(&l->wq, l->bq, y, q + t * nq);
        multiply(&l->wk, l->bk, y, k + t * nkv);
        multiply(&l->wv, l->bv, y, v + t * nkv);
        rotate(m, t, c->n_head, q + t * nq);
        rotate(m, t, c->n_head_kv, k + t * nkv);
    }
    for (int t = 0; t < n; t++, x += e) {
        for (int h = 0; h < c->n_head; h++) {
            int g = h / (c->n_head / c->n_head_kv) * d;
            attend(q + t * nq + h * d, k + g, v + g, t, nkv, d, a + h * d);
        }
        multiply(&l->wo, NULL, a, sum);
        for (int i = 0; i < e; i++)
            x[i] += sum[i];
        norm(x, l->ffn_norm, e, (double)c->norm_eps, y);
        multiply(&l->w_gate, NULL, y, gate);
        multiply(&l->w_up, NULL, y, up);
        for (int i = 0; i < c->n_ff; i++)
            gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
        multiply(&l->w_down, NULL, gate, sum);
        for (int i = 0; i < e; i++)
            x[i] += sum[i];
    }
    double *all[] = {y, a, q, k, v, sum, gate, up};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        free(all[i]);
}

double *reference_forward(const struct model *m, const int32_t *tokens, int n)
{
    int e = m->cfg.n_embd;
    double *x = zeroed((size_t)n * (size_t)e, sizeof *x), *y = zeroed((size_t)e, sizeof *y);
    double *logits = zeroed((size_t)n * (size_t)m->cfg.n_vocab, sizeof *logits);
    float *row = zeroed((size_t)e, sizeof *row);
    size_t row_bytes = quant_row_bytes(m->embed.type, e);

    for (int t = 0; t < n; t++) {
        const char *from = (const char *)m->embed.host + (size_t)tokens[t] * row_bytes;
        quant_to_float(m->embed.type, from, e, row);
        for (int i = 0; i < e; i++)
            x[t * e + i] = (double)row[i];
    }
    for (int i = 0; i < m->cfg.n_layer; i++)
        reference_layer(m, &m->layers[i], x, n);
    for (int t = 0; t < n; t++) {
        norm(x + t * e, m->output_norm, e, (double)m->cfg.norm_eps, y);
        multiply(&m->output, NULL, y, logits + (size_t)t * (size_t)m->cfg.n_vocab);
    }
    free(row);
    free(y);
    free(x);
    return logits;
}
