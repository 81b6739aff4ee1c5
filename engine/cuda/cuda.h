/* cuda.h - the CUDA backend's own state, shared by the C files of this folder. */
#ifndef ENGINE_CUDA_CUDA_H
#define ENGINE_CUDA_CUDA_H

#include "backend.h"
#include "cuda/blas.h"
#include "cuda/kernels.h"

/* A layer's weights. Rows of gate and up alternate. */
struct cuda_layer {
    struct cuda_matrix qkv;
    struct cuda_matrix v; /* if v has a different format; otherwise empty, and qkv ends with v */
    struct cuda_matrix out, up, down;
    float *attn_norm, *ffn_norm, *bias; /* bias: q, k and v's, or NULL */
};

/* Where a matrix of the file goes. */
struct cuda_placement {
    const struct matrix *from;
    struct cuda_matrix to;
    int to_row;
    enum cuda_rows rows;
};

/* Graphs recorded for steps of one token per sequence, by number of sequences; replayed from then
 * on. */
enum { CUDA_MAX_GRAPHS = 7 };

/* Pieces of pinned memory that loading cycles through. */
enum { CUDA_STAGES = 3, CUDA_STAGE_BYTES = 16 << 20 };

struct cuda {
    struct backend base;
    char device[128], bus_address[24];
    struct model_config cfg;
    struct backend_options opt;
    struct cuda_queue queue;
    struct blas *blas; /* or NULL */
    bool failed;

    struct cuda_layer *layers; /* [n_layer] */
    struct cuda_matrix embed, output;
    float *output_norm, *inv_freq;
    struct step_layer *step_layers; /* [n_layer], on the device */
    bool whole_steps;               /* a step of one token is one kernel */

    /* Memory on the device; see the plan in memory.c. */
    void *weights, *kv, *scratch;
    size_t weights_bytes, kv_bytes, scratch_bytes;

    /* Scratch. T = max_tokens, O = max_outputs; pitches are multiples of CHUNK. */
    float *x;      /* [T, n_embd] */
    float *q;      /* [T, n_head * head_dim] */
    float *staged; /* [T, {keys, values}, n_head_kv, head_dim] on their way to a cache of codes */
    /* These share one place: */
    void *product; /* [T, rows] of qkv, floats, or of gate and up, halves */
    float *logits; /* [O, n_vocab] */
    void *part;    /* of attention: see struct cuda_attention */
    float *part_sums;
    void *a, *y, *h; /* halves [T, pitch] of attention, normed x ([O] too), gated */
    void *unpacked;  /* a matrix, or part of one, as halves */
    size_t unpacked_bytes;
    void *workspace;
    unsigned *tickets, *sample_tickets;
    struct step_exchange exchange;
    uint64_t *best;
    struct cuda_most *most;
    struct cuda_draw *draws;
    bool *banned;
    uint32_t *masks; /* [O, words of n_vocab bits] */
    int32_t *inputs; /* the arrays of `step`, one after the other */
    size_t n_inputs;
    struct cuda_step step;
    int32_t *spans;

    /* Pinned memory of the host. */
    int32_t *host_inputs, *host_ids;
    int32_t *recent; /* [O, SAMPLE_RECENT] */
    cudaEvent_t inputs_sent;
    const bool *banned_host; /* what `banned` is a copy of */

    cudaGraphExec_t graphs[CUDA_MAX_GRAPHS];
    int graph_tokens[CUDA_MAX_GRAPHS], n_graphs;

    /* The current step. */
    const struct batch *batch;
    int n_tokens, n_outputs, n_spans;
    struct cuda_input attended; /* attention's output, as the next product's input */
    int graph;                  /* the graph that `logits` will launch for the whole step, or -1 */
};

/* 0 if rc is success; otherwise -1, and the backend has failed, with `what` in its message. */
int cuda_check(struct cuda *c, cudaError_t rc, const char *what);

/* memory.c: lays out memory. With a NULL base it only counts bytes. */
size_t cuda_lay_out_weights(struct cuda *c, const struct model *m, char *base);
size_t cuda_lay_out_scratch(struct cuda *c, char *base);
size_t cuda_kv_bytes(const struct cuda *c);
void cuda_arrange_inputs(struct cuda *c, int n_tokens, int n_outputs);
int cuda_pitch(int n); /* n up to a multiple of CHUNK */

/* Placement i of the model's matrices; false after the last. */
bool cuda_placement_at(const struct cuda *c, const struct model *m, int i,
                       struct cuda_placement *out);

/* load.c: brings the weights to the device. */
int cuda_load(struct cuda *c, struct model *m);

/* bandwidth.c: the operation of that name. */
int cuda_bandwidth(struct cuda *c, double *passes, int n);

/* stages.c: enqueues the stages of a step. */
struct cuda_cache cuda_cache_of(const struct cuda *c);
void cuda_set_inputs(struct cuda *c, int n_tokens); /* host_inputs from the batch */
int cuda_send_inputs(struct cuda *c);
int cuda_stage_embed(struct cuda *c);
int cuda_stage_qkv(struct cuda *c, int layer);
int cuda_stage_attention(struct cuda *c, int layer);
int cuda_stage_attention_out(struct cuda *c, int layer);
int cuda_stage_ffn_up(struct cuda *c, int layer);
int cuda_stage_ffn_down(struct cuda *c, int layer);
int cuda_stage_logits(struct cuda *c);
int cuda_stage_all(struct cuda *c); /* from the inputs to the logits */
int cuda_record_graphs(struct cuda *c);

#endif
