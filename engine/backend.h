/* backend.h - what a device must do for the forward pass: the stages of a step, and memory.
 *
 * The operations are as coarse as a fused kernel: each reads the weights of its stage once and
 * leaves only what the next stage needs, so that a backend decides on its own buffers, fusion and
 * launches. The activations of a step never leave the backend; forward.c only names the stages.
 *
 * Shapes below: T = batch->n_tokens, E = n_embd, D = head_dim, H = n_head, G = n_head_kv,
 * F = n_ff. x is the residual stream [T, E] in float.
 *
 * Promises, tested for every backend:
 *
 *   - the result for a token does not depend on what else is in the batch, on how the prompt was
 *     cut
 *     into steps, or on the number of threads (bit for bit on the CPU);
 *   - nothing is allocated after backend_open, except by bandwidth, which frees it again;
 *   - every call returns 0, or -1 when the device failed; `error` then says why and stays.
 * Called from the engine's thread only. */
#ifndef ENGINE_BACKEND_H
#define ENGINE_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "model.h"
#include "sampler.h"

/* Number formats of the KV cache. Q8: 8-bit integers in blocks of 32 with an F16 scale; for head
 * dimensions that are a multiple of 32. */
enum backend_kv_type { BACKEND_KV_F16, BACKEND_KV_F32, BACKEND_KV_Q8, BACKEND_N_KV_TYPES };

/* Why memory did not suffice, in bytes. */
struct backend_shortage {
    uint64_t needed, available;
};

struct backend_options {
    int n_threads;     /* CPU; 0 = the cores this process may use */
    int max_tokens;    /* T of the largest step; 0 = the backend's choice */
    int max_sequences; /* of the largest step */
    int max_outputs;
    int max_context; /* tokens of the longest sequence */
    int n_blocks;    /* KV blocks in all */
    enum backend_kv_type kv_type;
    bool reproducible;      /* CUDA: the same bits whatever is in the batch, for long prompts too */
    uint64_t host_memory;   /* CPU: takes at most so many bytes; 0 = what there is */
    uint64_t device_memory; /* CUDA: takes at most so many bytes; 0 = what the device has free */
    uint64_t reserved_memory;          /* of what is free, left for others */
    struct backend_shortage *shortage; /* or NULL; set when memory is too small */
    const atomic_bool *abort_load;     /* or NULL; once true, load gives up */
    const atomic_bool *abort_reading;  /* or NULL; once true, bandwidth may give up */
};

struct backend_memory {
    uint64_t weights, kv, scratch; /* bytes on the device; for the CPU, the mapped file included */
};

struct backend {
    const struct backend_ops *ops;
    const char *device;           /* "CPU, 2 threads, AVX-512 VNNI"; owned by the backend */
    const char *bus_address;      /* of a GPU, "00000000:1b:00.0"; or NULL */
    struct backend_memory memory; /* what it takes once weights are loaded */
    int max_tokens;               /* of a step */
    char error[256];              /* of the call that returned -1 */
};

struct backend_ops {
    /* Brings the weights to the device (m->...->data is set); the slow part of opening. */
    int (*load)(struct backend *b, struct model *m);
    void (*close)(struct backend *b);

    /* The stages of a step, in the order of forward.c. */
    int (*begin)(struct backend *b, const struct model *m, const struct batch *batch);
    int (*embed)(struct backend *b); /* x = embed[token] */
    /* q,k,v = rotate(W norm(x) + b); k and v are written to the cache's blocks. */
    int (*qkv)(struct backend *b, int layer);
    /* a[T, H*D] = softmax(q k / sqrt(D)) v, causal, over the sequence's blocks. */
    int (*attention)(struct backend *b, int layer);
    int (*attention_out)(struct backend *b, int layer); /* x += wo a */
    int (*ffn_up)(struct backend *b, int layer); /* h[T, F] = silu(w_gate norm(x)) * w_up norm(x) */
    int (*ffn_down)(struct backend *b, int layer); /* x += w_down h */
    /* [n_outputs, n_vocab] = output norm(x) for batch->output, which is read here, not in begin:
     * the caller may change it and call again to see more positions than max_outputs. */
    int (*logits)(struct backend *b);

    /* One token per output, by its sampler (sampler.h); ids_out [n_outputs], -1 where the logits
     * are not numbers. */
    int (*sample)(struct backend *b, struct sampler *const *samplers, int32_t *ids_out);
    /* Copies the logits of output i to host memory; for inspection. */
    int (*read_logits)(struct backend *b, int i, float *out);
    /* Measures n passes over memory: bytes a second of each, or 0 where too little is free.
     * Between steps only. */
    int (*bandwidth)(struct backend *b, double *passes, int n);
};

/* Chooses and opens a backend for models of this shape and allocates all it will ever need but
 * the weights. device: "cpu", "cuda", or NULL for the GPU where it can be used and else the CPU.
 * 0, or -1 with err set. */
int backend_open(struct backend **out, const char *device, const struct model *m,
                 const struct backend_options *opt, char *err, size_t errlen);
void backend_close(struct backend *b); /* NULL is fine */

/* The cache format for a model where `wanted` is asked for: F16 if Q8 is impossible. */
enum backend_kv_type backend_kv_type_for(const struct model_config *cfg,
                                         enum backend_kv_type wanted);

/* Bytes of a position in the KV cache: keys and values of all layers and heads. */
uint64_t backend_kv_row_bytes(const struct model_config *cfg, enum backend_kv_type type);

/* Whether there is a GPU that backend_open can use, given the memory. */
bool backend_has_gpu(void);

#endif
