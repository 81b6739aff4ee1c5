/* forward.c - the transformer, as a straight program.
 *
 * Both architectures run through here: biases, tied embeddings, the pairing and scaling of rotary
 * positions and the norm's epsilon are data in model.h. What each stage computes is written beside
 * its operation in backend.h; how is the backend's business. */
#include "forward.h"

/* Runs one stage unless the step was given up; leaves forward() when it was, or when it failed. */
#define STAGE(call)                                                                                \
    do {                                                                                           \
        if (abort && atomic_load_explicit(abort, memory_order_relaxed))                            \
            return FORWARD_ABORTED;                                                                \
        if ((call) != 0)                                                                           \
            return FORWARD_FAILED;                                                                 \
    } while (0)

int forward(struct backend *b, const struct model *m, const struct batch *batch,
            const atomic_bool *abort)
{
    const struct backend_ops *op = b->ops;

    STAGE(op->begin(b, m, batch));
    STAGE(op->embed(b));
    for (int layer = 0; layer < m->cfg.n_layer; layer++) {
        STAGE(op->qkv(b, layer));
        STAGE(op->attention(b, layer));
        STAGE(op->attention_out(b, layer));
        STAGE(op->ffn_up(b, layer));
        STAGE(op->ffn_down(b, layer));
    }
    if (batch->n_outputs > 0)
        STAGE(op->logits(b));
    return 0;
}
