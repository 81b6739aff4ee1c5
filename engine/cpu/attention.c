/* attention.c - softmax(q k / sqrt(D)) v over the blocks of a sequence.
 *
 * For one token, one KV head and one range of positions, all query heads of that KV head are worked
 * out together: a partial result, with the largest score and the sum of the exponentials it was
 * scaled by. Partial results of a token are folded together in the order of positions (Milakov and
 * Gimelshein 2018), always the same ones, whoever computed them. */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"

struct attention {
    struct cpu *cpu;
    int layer, n_ranges;
};

/* A cache block holds all layers, [layer][KV head][keys, values]: a conversation's memory grows
 * block by block. */
struct kv_piece cpu_kv_at(const struct cpu *c, int token, int layer, int n, int head_kv)
{
    const struct batch *b = c->batch;
    size_t id = (size_t)b->block_table[b->sequence[token] * b->max_blocks + n];
    size_t at = (id * (size_t)c->cfg.n_layer + (size_t)layer) * (size_t)c->cfg.n_head_kv +
                (size_t)head_kv;
    char *k = (char *)c->kv + at * 2 * c->piece_bytes;

    return (struct kv_piece){k, k + c->piece_bytes};
}

/* Keys of range r that token t may see. */
static int n_visible(const struct cpu *c, int t, int r)
{
    int n = c->batch->position[t] + 1 - r * RANGE;
    return n < RANGE ? n : RANGE;
}

static int n_ranges_of(const struct cpu *c, int t)
{
    return c->batch->position[t] / RANGE + 1;
}

/* A partial result of some query heads: out [head][head_dim], sums [head]. */
struct partial {
    float *out;
    struct sums *sums;
};

/* That of one range, for HEADS query heads from `head` on, or those left of its KV head. */
static void attend(const struct attention *at, int t, int head, int r, float *score,
                   struct partial to)
{
    const struct cpu *c = at->cpu;
    int d = c->cfg.head_dim, visible = n_visible(c, t, r);
    int group = c->cfg.n_head / c->cfg.n_head_kv, head_kv = head / group;
    int left = group - head % group, n = left < HEADS ? left : HEADS;
    size_t first = ((size_t)t * (size_t)c->cfg.n_head + (size_t)head) * (size_t)d;
    struct query q = {c->q + first, c->act + first / QUANT_BLOCK};
    struct kv_piece piece[RANGE_BLOCKS];

    for (int i = 0; i * KV_BLOCK < visible; i++) {
        piece[i] = cpu_kv_at(c, t, at->layer, r * RANGE_BLOCKS + i, head_kv);
        c->attend->scores(piece[i].k, d, &q, n, score + i * KV_BLOCK, RANGE);
    }
    float scale = 1 / sqrtf((float)d);
    for (int h = 0; h < n; h++)
        c->kernels->softmax(score + h * RANGE, visible, scale, &to.sums[h].max, &to.sums[h].sum);
    memset(to.out, 0, (size_t)(n * d) * sizeof *to.out);
    for (int i = 0; i * KV_BLOCK < visible; i++) {
        int rest = visible - i * KV_BLOCK;
        c->attend->values(piece[i].v, d, score + i * KV_BLOCK, RANGE, n,
                          rest < KV_BLOCK ? rest : KV_BLOCK, to.out);
    }
}

/* The same for all query heads of a KV head. */
static void attend_group(const struct attention *at, int t, int head_kv, int r, int thread,
                         struct partial to)
{
    const struct cpu *c = at->cpu;
    int group = c->cfg.n_head / c->cfg.n_head_kv;
    float *score = c->thread_score + (size_t)thread * HEADS * RANGE;

    for (int h = 0; h < group; h += HEADS)
        attend(at, t, head_kv * group + h, r, score,
               (struct partial){to.out + h * c->cfg.head_dim, to.sums + h});
}

/* Takes the partial result of the next range into that of the ranges before it. */
static void fold(const struct cpu *c, struct partial to, struct partial next, int n_heads)
{
    int d = c->cfg.head_dim;

    for (int h = 0; h < n_heads; h++) {
        struct sums *all = &to.sums[h];
        const struct sums *more = &next.sums[h];
        float max = more->max > all->max ? more->max : all->max;
        float a = expf(all->max - max), b = expf(more->max - max);
        all->max = max;
        all->sum = all->sum * a + more->sum * b;
        c->kernels->blend(to.out + h * d, a, next.out + h * d, b, d);
    }
}

static void divide(const struct cpu *c, float *out, const struct sums *total, int n_heads)
{
    for (int h = 0; h < n_heads; h++) {
        float inverse = 1 / total[h].sum;
        for (int i = 0; i < c->cfg.head_dim; i++)
            out[h * c->cfg.head_dim + i] *= inverse;
    }
}

static float *result_of(const struct cpu *c, int t, int head_kv)
{
    int group = c->cfg.n_head / c->cfg.n_head_kv;

    return c->a + ((size_t)t * (size_t)c->cfg.n_head + (size_t)(head_kv * group)) *
                      (size_t)c->cfg.head_dim;
}

/* Many tokens: an item is a span and a KV head. Ranges are outside, so that the tokens of a span
 * find a range's keys and values in the cache of the core. */
static void span_item(void *ud, int item, int thread)
{
    const struct attention *at = ud;
    const struct cpu *c = at->cpu;
    int head_kv = item % c->cfg.n_head_kv, group = c->cfg.n_head / c->cfg.n_head_kv;
    struct span span = c->spans[item / c->cfg.n_head_kv];
    struct sums *total = c->thread_sums + (size_t)thread * (size_t)((SPAN_TOKENS + 1) * group);
    struct partial next = {c->thread_out + (size_t)thread * (size_t)(group * c->cfg.head_dim),
                           total + SPAN_TOKENS * group};
    int last = span.first + span.n - 1;

    for (int r = 0; r < n_ranges_of(c, last); r++) {
        for (int i = 0; i < span.n; i++) {
            int t = span.first + i;
            struct partial result = {result_of(c, t, head_kv), total + i * group};
            if (r >= n_ranges_of(c, t))
                continue;
            if (r == 0) {
                attend_group(at, t, head_kv, r, thread, result);
            } else {
                attend_group(at, t, head_kv, r, thread, next);
                fold(c, result, next, group);
            }
        }
    }
    for (int i = 0; i < span.n; i++)
        divide(c, result_of(c, span.first + i, head_kv), total + i * group, group);
}

/* Few tokens, long contexts: an item is a token, a KV head and a range. */
static void range_item(void *ud, int item, int thread)
{
    const struct attention *at = ud;
    const struct cpu *c = at->cpu;
    int r = item % at->n_ranges, group = c->cfg.n_head / c->cfg.n_head_kv;
    int head_kv = item / at->n_ranges % c->cfg.n_head_kv;
    int t = item / at->n_ranges / c->cfg.n_head_kv;

    if (r < n_ranges_of(c, t))
        attend_group(
            at, t, head_kv, r, thread,
            (struct partial){c->part_out + (size_t)item * (size_t)(group * c->cfg.head_dim),
                             c->part_sums + (size_t)item * (size_t)group});
}

static void fold_item(void *ud, int item, int thread)
{
    const struct attention *at = ud;
    const struct cpu *c = at->cpu;
    int group = c->cfg.n_head / c->cfg.n_head_kv, size = group * c->cfg.head_dim;
    int t = item / c->cfg.n_head_kv;
    size_t first = (size_t)item * (size_t)at->n_ranges;
    struct partial part = {c->part_out + first * (size_t)size,
                           c->part_sums + first * (size_t)group};
    struct partial result = {result_of(c, t, item % c->cfg.n_head_kv), part.sums};
    (void)thread;

    memcpy(result.out, part.out, (size_t)size * sizeof *result.out);
    for (int r = 1; r < n_ranges_of(c, t); r++) {
        part.out += size;
        part.sums += group;
        fold(c, result, part, group);
    }
    divide(c, result.out, result.sums, group);
}

void cpu_attention_begin(struct cpu *c)
{
    const struct batch *b = c->batch;

    c->n_spans = 0;
    for (int t = 0; t < b->n_tokens; t++) {
        struct span *last = c->n_spans > 0 ? &c->spans[c->n_spans - 1] : NULL;
        if (last && last->n < SPAN_TOKENS && b->sequence[t] == b->sequence[last->first])
            last->n++;
        else
            c->spans[c->n_spans++] = (struct span){t, 1};
    }
}

void cpu_attention(struct cpu *c, int layer)
{
    const struct batch *b = c->batch;
    struct attention at = {c, layer, 1};
    double keys = 0;

    for (int t = 0; t < b->n_tokens; t++) {
        int n_ranges = n_ranges_of(c, t);
        at.n_ranges = n_ranges > at.n_ranges ? n_ranges : at.n_ranges;
        keys += b->position[t] + 1;
    }
    double work = 8 * keys * c->cfg.n_head * c->cfg.head_dim; /* floats are slower */
    int n_parts = b->n_tokens * c->cfg.n_head_kv;
    if (b->n_tokens <= SPLIT_TOKENS && at.n_ranges > 1 && n_parts * at.n_ranges <= POOL_MAX_ITEMS) {
        cpu_run(c, range_item, &at, n_parts * at.n_ranges, work);
        cpu_run(c, fold_item, &at, n_parts, work / RANGE);
    } else {
        cpu_run(c, span_item, &at, c->n_spans * c->cfg.n_head_kv, work);
    }
}
