/* kernels.h - the interface between the CUDA backend's C files and its kernels: plain structs and
 * launches. Read by C and by CUDA C++. Every launch_... enqueues its work and returns at once;
 * arrays are on the device. T is the number of tokens of a launch. Halves are IEEE half floats.
 *
 * Matrices are cut into tiles of TILE rows and chunks of CHUNK columns, both padded with zeros. Of
 * a chunk's eight units of 32 columns, lane 4 g + t of a warp always holds columns 8 t .. 8 t + 7
 * of row g: just what a tensor core instruction (m16n8k16, the matrix as its B) takes from that
 * lane, so one load of 16 bytes feeds one or more instructions and nothing moves between lanes. */
#ifndef ENGINE_CUDA_KERNELS_H
#define ENGINE_CUDA_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cuda_runtime_api.h>

#include "quant.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TILE = 8, CHUNK = 256, UNIT = 32, MATVEC_TOKENS = 16, CUDA_FUSED_TOKENS = 2 };

/* Formats of a matrix on the device: the file's types, with the bytes in another order. Q4_0 and
 * Q4_1 become one format, and so do Q5_0 and Q5_1; floats become halves, which changes a weight by
 * a factor of 2^-12, or by 2^-25, at most (bfloats of at least 2^-14 not at all). */
enum cuda_format {
    CUDA_F16, /* row after row */
    CUDA_Q8,  /* bytes; a half per 32 */
    CUDA_A4,  /* four bits; two halves per 32: scale and offset */
    CUDA_A5,  /* five */
    CUDA_K4,  /* four bits; two bytes per 32 times two halves per 256 */
    CUDA_K5,  /* five */
    CUDA_K6,  /* six bits; a byte per 16 times a half per 256 */
    CUDA_N_FORMATS,
};

struct cuda_matrix {
    enum cuda_format format;
    int n_tiles, n_chunks;
    void *data;
};

enum cuda_format cuda_format_of(enum quant_type type);
size_t cuda_tile_bytes(enum cuda_format format, int n_chunks);

/* Where launches go. dependent: the kernels are compiled for 9.0 or later: one may start before
 * the previous one ends (programmatic dependent launch), and its blocks may form clusters. Each
 * waits for the previous one before it reads or writes anything but weights. */
struct cuda_queue {
    cudaStream_t stream;
    bool dependent;
    bool whole_steps;    /* launch_step can be used */
    int n_processors;    /* multiprocessors of the device */
    size_t block_shared; /* bytes of shared memory that a block may have */
};

/* Succeeds if this build has code for the device. *capability: what the code was compiled for, as
 * 75 or 90; the device may be newer. */
cudaError_t cuda_probe(int *capability);

/* Loading */

/* Where row r of the file's matrix goes on the device. */
enum cuda_rows {
    CUDA_ROWS_PLAIN,
    CUDA_ROWS_EVEN,  /* 2 r: its neighbour is a row of another matrix */
    CUDA_ROWS_ODD,   /* 2 r + 1 */
    CUDA_ROWS_PAIRS, /* in each head, rows i and i + head_dim / 2 become neighbours */
};

struct cuda_pack {
    enum quant_type type;
    const void *from; /* rows of the file, already on the device */
    int first_row, n_rows, cols;
    size_t row_bytes;
    int block_bytes, block_elements; /* of the type */
    struct cuda_matrix to;
    int to_row; /* where row 0 of the file's matrix goes */
    enum cuda_rows rows;
    int head_dim;
};
cudaError_t launch_pack(const struct cuda_queue *q, const struct cuda_pack *p);

/* Unpacks a matrix's tiles into rows of halves. */
cudaError_t launch_unpack(const struct cuda_queue *q, const struct cuda_matrix *w, int first_tile,
                          int n_tiles, void *out);

/* A step's input and the cache */

struct cuda_step {
    const int32_t *token, *position,
        *sequence;        /* [T]; position -1: padding, computed but ignored */
    const int32_t *fresh; /* [T] positions from here on are written in this step */
    const int32_t *output;
    const int32_t *block_table; /* [sequences, max_blocks] */
    int max_blocks;
    float *turn; /* [T, head_dim / 2, 2] cosine and sine */
};

/* The cache's number format. Codes are 8-bit integers, stored plus 128, in groups of CACHE_GROUP
 * with a half as their scale. Keys are transformed before they are quantised; see cache.cu. */
enum cuda_cache_kind { CUDA_CACHE_HALVES, CUDA_CACHE_FLOATS, CUDA_CACHE_CODES };
enum { CACHE_GROUP = 32 };

/* Pieces [blocks, n_layer, n_head_kv], each [{keys, values}, KV_BLOCK, head_dim]; a piece of codes
 * ends with their scales, [{keys, values}, KV_BLOCK, head_dim / CACHE_GROUP]. */
struct cuda_cache {
    void *data;
    enum cuda_cache_kind kind;
    int n_layer, n_head, n_head_kv, head_dim;
};

/* x[T, cols] = rows of the embedding; fills step.turn. */
struct cuda_embed {
    struct cuda_step step;
    struct cuda_matrix embed;
    int cols, half_dim;
    const float *inv_freq;
    float *x;
};
cudaError_t launch_embed(const struct cuda_queue *q, const struct cuda_embed *e, int n_tokens);

/* Products */

/* The source of a product's columns of activations. */
enum cuda_input_kind {
    CUDA_READY, /* already in y */
    CUDA_NORM,  /* norm(x) */
    CUDA_MERGE, /* the merged ranges of attention */
};

struct cuda_input {
    enum cuda_input_kind kind;
    int cols, pitch;
    void *y; /* halves [T, pitch], zero beyond cols */

    /* CUDA_NORM */
    const float *x;       /* [T, cols] or rows `index` of it */
    const int32_t *index; /* or NULL */
    const float *gain;    /* [cols] */
    float eps;

    /* CUDA_MERGE: see struct cuda_attention */
    const void *part;
    const float *part_sums;
    const int32_t *position;
    int head_dim, n_splits;
};
cudaError_t launch_input(const struct cuda_queue *q, const struct cuda_input *in, int n_tokens);

/* The epilogue of a product, two neighbouring rows at a time. */
enum cuda_finish_kind {
    CUDA_STORE, /* out = v, floats */
    CUDA_ADD,   /* out += v, floats */
    CUDA_GATE,  /* out = silu(even row) * odd row, halves */
    CUDA_QKV,   /* + bias; q and k rotated; q to out, floats, k and v to the cache or, for one of
                   codes, to staged */
};

struct cuda_finish {
    enum cuda_finish_kind kind;
    void *out; /* [T, pitch] */
    int pitch, n_rows;
    const float *bias; /* or NULL */
    struct cuda_step step;
    struct cuda_cache cache;
    int layer;
    float *staged; /* [T, {keys, values}, n_head_kv, head_dim] */
};

/* Any number of tokens, MATVEC_TOKENS at a time. A token's result does not depend on the others. */
struct cuda_matvec {
    struct cuda_matrix w, w2; /* w2: more rows, of another format; n_tiles 0: none */
    struct cuda_input in;
    struct cuda_finish finish;
    int n_tokens, first_token;
};
cudaError_t launch_matvec(const struct cuda_queue *q, const struct cuda_matvec *m);

/* The same epilogue for a product [T, n_rows] computed elsewhere: halves for CUDA_GATE, floats for
 * CUDA_QKV. */
cudaError_t launch_finish(const struct cuda_queue *q, const struct cuda_finish *f, const void *v,
                          int n_tokens);

/* After a CUDA_QKV with a cache of codes: quantises the staged keys and values into it, and
 * transforms the queries. */
cudaError_t launch_codes(const struct cuda_queue *q, const struct cuda_finish *f, int n_tokens);

/* Attention */

/* A token's positions are cut into at most ATTENTION_SPLITS ranges, depending on its position
 * alone; the block that finishes last merges the ranges' results, in order. */
enum { ATTENTION_SPLITS = 32, ATTENTION_TOKENS = 64, ATTENTION_ROWS = 64 };

struct cuda_attention {
    struct cuda_step step;
    struct cuda_cache cache;
    int layer, first_token;
    const float *q; /* [T, n_head, head_dim] */
    void *out;      /* halves [T, pitch] */
    int pitch;
    void *part;             /* floats [ATTENTION_TOKENS, n_head, ATTENTION_SPLITS, head_dim] */
    float *part_sums;       /* [ATTENTION_TOKENS, n_head, ATTENTION_SPLITS, 2] */
    unsigned *ticket;       /* [ATTENTION_TOKENS, n_head] zeros; left as zeros */
    int n_splits, n_groups; /* launch_attention_heads: ranges at most, up to HEADS_SPLITS; groups of
                               up to eight query heads in a KV head */
    const int32_t *spans;   /* [n_spans, 2] first token, tokens: neighbours of one sequence */
};
cudaError_t launch_attention(const struct cuda_queue *q, const struct cuda_attention *a,
                             int n_tokens);

/* The following need heads of 64 or 128 dimensions, and a cache of halves or codes. */
bool cuda_attention_tensor_usable(const struct cuda_cache *cache);
int cuda_head_groups(const struct cuda_cache *cache);

/* The same on tensor cores, all query heads of a KV head together; the ranges' results are left
 * for a CUDA_MERGE: part is halves [T, n_head, HEADS_SPLITS, head_dim], part_sums [.., 2] the
 * maximum score and the sum of exp2(score - maximum). At most ATTENTION_TOKENS tokens. */
enum { HEADS_SPLITS = 32 };
cudaError_t launch_attention_heads(const struct cuda_queue *q, const struct cuda_attention *a,
                                   int n_tokens);

/* The same for spans of at most ATTENTION_ROWS tokens, straight to `out`. */
cudaError_t launch_attention_spans(const struct cuda_queue *q, const struct cuda_attention *a,
                                   int n_spans);

/* A whole step of one token; see step.cu. */

enum { STEP_WORKERS = 576, STEP_SHARED = 227 * 1024 };

struct cuda_word { /* the tag says which value it is */
    uint32_t value, tag;
};

struct step_counters {
    uint32_t done;      /* products that blocks have computed, and are about to write */
    uint32_t apart[31]; /* on separate cache lines */
    uint32_t attended;  /* tasks of attention finished */
};

struct step_before {
    uint32_t layers, attended; /* computed by earlier steps; see step_counters */
};

/* How blocks exchange results; see words.cuh. Initially all zeros, except `added`, which is all
 * ones. */
struct step_exchange {
    struct step_before *before;
    struct step_counters *counters;
    struct cuda_word
        *q; /* [n_head * head_dim] high halves of two rows, low halves of the same, and so on */
    struct cuda_word *kv; /* [n_head_kv, {keys, values}, head_dim / 2] pairs of halves */
    float *added;         /* to x: [2, n_embd]; of tiles that two blocks share both parts */
    void *h;              /* halves [n_ff] */
};

struct step_layer { /* products: q, k and v, out, up, down */
    struct cuda_matrix products[4], v;
    const float *attn_norm, *ffn_norm, *bias;
};

struct step_job {
    enum cuda_format format;         /* of the matrices; some may be CUDA_K6 instead */
    const struct step_layer *layers; /* [n_layer], on the device */
    int n_layer, n_embd, n_ff, n_vocab;
    int y_pitch; /* columns of the longest input */
    struct cuda_matrix embed, output;
    const float *output_norm, *inv_freq;
    float eps;
    struct cuda_step step;
    struct cuda_cache cache;
    struct cuda_attention attention;
    struct cuda_input merge;
    float *logits;
    struct step_exchange exchange;
    int n_blocks; /* one for each multiprocessor; no more than a product has tiles */
    int n_slots;  /* cuda_step_slots */
};
bool cuda_step_usable(enum cuda_format most, enum cuda_format other);
int cuda_step_slots(const struct step_job *job); /* 0: the model's shape is too large for it */
cudaError_t launch_step(const struct cuda_queue *q, const struct step_job *job);

/* Sampling; see sampler.h for what is computed. */

enum { SAMPLE_RECENT = 64, SAMPLE_BLOCKS = 128, SAMPLE_OUTPUTS = 64 };

struct cuda_pick {
    float temperature, top_p, min_p, repeat_penalty;
    int top_k;
    int n_recent;   /* tokens to penalise, each once */
    bool masked;    /* it has a row in `masks` */
    double uniform; /* the number drawn, in [0, 1) */
};

struct cuda_most { /* the most likely token; id -1: none, or some logit is NaN or infinite */
    float logit;
    int32_t id;
};

enum {
    DRAW_BLOCKS = 8,
    DRAW_BITS = 10,
    DRAW_BINS = 1 << DRAW_BITS,
    DRAW_ROUNDS = 3,
    DRAW_TOTALS = 2
};

struct cuda_draw {                                   /* sums over the blocks of a draw */
    unsigned long long bins[DRAW_ROUNDS][DRAW_BINS]; /* the first are zeros, before and after */
    unsigned long long totals[DRAW_TOTALS][DRAW_BLOCKS];
};

/* Up to SAMPLE_OUTPUTS outputs. */
struct cuda_sample {
    float *logits; /* [n_outputs, n_vocab]; changed */
    int n_vocab;
    const bool *banned;    /* [n_vocab] or NULL */
    const uint32_t *masks; /* [n_outputs, mask_words] a bit per token: 1 allows it */
    int mask_words;
    const int32_t *recent;                  /* [n_outputs, SAMPLE_RECENT], readable by the device */
    uint64_t *best;                         /* [n_outputs, SAMPLE_BLOCKS] */
    unsigned *ticket;                       /* [n_outputs] zeros; left as zeros */
    struct cuda_most *most;                 /* [n_outputs] */
    struct cuda_draw *draws;                /* [n_outputs] */
    int32_t *ids;                           /* [n_outputs], writable by the device */
    struct cuda_pick picks[SAMPLE_OUTPUTS]; /* by value: reading host memory is slow */
};
cudaError_t launch_sample_best(const struct cuda_queue *q, const struct cuda_sample *s,
                               int n_outputs);
cudaError_t launch_sample_draw(const struct cuda_queue *q, const struct cuda_sample *s,
                               int n_outputs); /* after _best; outputs of temperature 0 stay */

/* Measuring */

/* Reads `bytes`, 16 at a time, with n_blocks blocks per multiprocessor of n_threads threads. The
 * contents do not matter; sink may be written, and may be part of them. */
cudaError_t launch_read(const struct cuda_queue *q, const void *from, size_t bytes, int n_blocks,
                        int n_threads, unsigned *sink);

#ifdef __cplusplus
}
#endif
#endif
