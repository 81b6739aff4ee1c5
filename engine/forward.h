/* forward.h - one step of the model over a batch. */
#ifndef ENGINE_FORWARD_H
#define ENGINE_FORWARD_H

#include <stdatomic.h>
#include <stdbool.h>

#include "backend.h"

enum { FORWARD_FAILED = -1, FORWARD_ABORTED = -2 };

/* Computes the batch's logits on the backend. `abort` (or NULL) is checked before every operation:
 * once true, the step is given up, and the cache rows of its tokens are undefined. 0, or one of
 * the above (FAILED: see b->error). */
int forward(struct backend *b, const struct model *m, const struct batch *batch,
            const atomic_bool *abort);

#endif
