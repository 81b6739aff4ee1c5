/* cpu.h - the CPU backend's own state, shared by the files of this folder. */
#ifndef ENGINE_CPU_CPU_H
#define ENGINE_CPU_CPU_H

#include "backend.h"
#include "cpu/kernels.h"
#include "host/features.h"
#include "host/pool.h"

/* Attention adds up keys in fixed ranges of positions, and ranges in order: so a result does not
 * depend on which thread did which range, or on how the prompt was cut. */
enum { RANGE = 256, RANGE_BLOCKS = RANGE / KV_BLOCK };

/* Tokens of one sequence, next to one another in the batch, that attention works on together. */
enum { SPAN_TOKENS = 8 };
struct span {
    int first, n;
};

/* Up to this many tokens have their ranges shared out among threads, which takes memory for each
 * range; more tokens are enough work without that. */
enum { SPLIT_TOKENS = 4 };

/* Largest scaled score and sum of exponentials of a range of keys, for one head. */
struct sums {
    float max, sum;
};

struct cpu {
    struct backend base;
    char device[64];
    const struct kernels *kernels;
    const struct attend_kernels *attend; /* of the cache's type */
    struct pool *pool;
    struct model_config cfg;
    struct backend_options opt;
    int n_ranges;       /* of the longest context */
    size_t piece_bytes; /* keys, or values, of one block, layer and KV head */

    /* Memory; see the plan in cpu.c. */
    void *weights, *kv, *scratch;
    size_t weights_bytes, kv_bytes, scratch_bytes;

    /* Of the step that is on. */
    const struct model *m;
    const struct batch *batch;
    int n_spans;

    /* Scratch, T = max_tokens. */
    float *x;                 /* [T, n_embd] */
    float *y;                 /* [T, n_embd] normed */
    float *q, *k, *v;         /* [T, heads * head_dim] */
    float *a;                 /* [T, n_head * head_dim] */
    float *h;                 /* [T, n_ff] */
    float *cos, *sin;         /* [T, head_dim / 2] */
    struct act_block *act;    /* [T, widest input / 32], in tiles (matmul.h); between products the
                                 queries, [T, heads * head_dim / 32], if attention wants integers */
    struct span *spans;       /* [T] */
    float *part_out;          /* [SPLIT_TOKENS, n_head_kv, n_ranges, heads of it, head_dim] */
    struct sums *part_sums;   /* [..., heads of a KV head] */
    float *thread_out;        /* [n_threads, heads of a KV head, head_dim] */
    struct sums *thread_sums; /* [n_threads, SPAN_TOKENS + 1, heads of a KV head] */
    float *thread_score;      /* [n_threads, HEADS, RANGE] */
    float *logits;            /* [max_outputs, n_vocab] */
    struct sampler_candidate *candidate; /* [n_threads, n_vocab] */
};

/* Opens the backend with the kernels of a level that this machine can use. */
int cpu_open(struct backend **out, enum cpu_level level, const struct model *m,
             const struct backend_options *opt, char *err, size_t errlen);

/* Runs the items on the pool, or here when `work` (multiplications, about) is not worth waking
 * anybody. */
void cpu_run(struct cpu *c, pool_fn fn, void *ud, int n_items, double work);

/* bandwidth.c: the operation of that name. */
void cpu_bandwidth(struct cpu *c, double *passes, int n);

/* load.c: packs the weights. */
size_t cpu_weights_bytes(const struct model *m);
int cpu_load(struct cpu *c, struct model *m);

/* rotate.c: positions. */
void cpu_rotate_begin(struct cpu *c);
void cpu_rotate_and_store(struct cpu *c, int layer);

/* attention.c: the cache, and reading it. */
struct kv_piece {
    void *k, *v; /* kernels.h says how they lie */
};
/* The n-th block of a token's sequence, for one layer and KV head. */
struct kv_piece cpu_kv_at(const struct cpu *c, int token, int layer, int n, int head_kv);
void cpu_attention_begin(struct cpu *c);
void cpu_attention(struct cpu *c, int layer);

#endif
