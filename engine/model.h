/* model.h - what a loaded model is: its hyper-parameters and its weights by name.
 *
 * Both architectures are one struct; what differs between them (biases, tied embeddings, the
 * pairing and scaling of the rotation, epsilon) is data here, so that forward.c has no branches on
 * the architecture. model_bind checks every shape against the hyper-parameters: after it, kernels
 * trust them. Weights stay where the file is mapped until a backend takes them (backend.h). */
#ifndef ENGINE_MODEL_H
#define ENGINE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file/gguf.h"
#include "quant.h"

struct model_config {
    char architecture[32];
    int n_vocab, n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff, n_ctx_train;
    float norm_eps;
    float rope_theta;
    bool rope_neighbours; /* pairs (2i, 2i+1), as in llama GGUF files; else (i, i + head_dim/2) */
};

/* y = W x: W is [rows, cols], row after row in `type`. host is the file's bytes; data is where the
 * backend keeps them, in the layout it likes. */
struct matrix {
    enum quant_type type;
    int rows, cols;
    const void *host;
    const void *data;
};

struct layer {
    const float *attn_norm;     /* [n_embd] */
    struct matrix wq;           /* [n_head * head_dim, n_embd] */
    struct matrix wk, wv;       /* [n_head_kv * head_dim, n_embd] */
    const float *bq, *bk, *bv;  /* as many as the rows of the matrix, or NULL */
    struct matrix wo;           /* [n_embd, n_head * head_dim] */
    const float *ffn_norm;      /* [n_embd] */
    struct matrix w_gate, w_up; /* [n_ff, n_embd] */
    struct matrix w_down;       /* [n_embd, n_ff] */
};

struct model {
    struct model_config cfg;
    struct matrix embed;      /* [n_vocab, n_embd] */
    struct layer *layers;     /* [n_layer] */
    const float *output_norm; /* [n_embd] */
    struct matrix output;     /* [n_vocab, n_embd]; the embedding again where it is tied */
    bool tied;                /* output is embed: the same bytes */
    bool mapped;     /* host bytes are a file's: what is dropped from memory can be read again */
    float *inv_freq; /* [head_dim / 2] angle per position, scaling applied */
    uint64_t n_params, weight_bytes;
    enum quant_type type; /* of most weights */
};

/* Hyper-parameters alone: works on a file without tensors. 0, or -1 with err set. */
int model_read_config(struct model_config *out, const struct gguf *g, char *err, size_t errlen);

/* Fills *m from g, which must outlive it. F32 vectors that are not aligned in
 * the file are refused. */
int model_bind(struct model *m, const struct gguf *g, char *err, size_t errlen);
void model_done(struct model *m);

/* Same number, same contents: hashes the header and evenly spaced pages of the data. */
uint64_t model_fingerprint(const struct gguf *g);

#endif
