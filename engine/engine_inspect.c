/* engine_inspect.c - the part of engine.h that looks inside: tokens, prompts, metadata,
 * logits. The tokenizer and the template may be used from any thread; logits are computed
 * in the engine's. */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_state.h"
#include "file/describe.h"
#include "forward.h"

char *engine_describe(const struct engine *e)
{
    return describe_model(e->file);
}

int engine_tokenize(const struct engine *e, const char *text, size_t len, bool special,
                    int32_t **ids_out, size_t *n_out)
{
    struct tok_ids ids = {0};
    if (tok_encode(e->tokenizer, text, len, special, &ids) < 0) {
        free(ids.ids);
        return ENGINE_EMEMORY;
    }
    *ids_out = ids.ids;
    *n_out = ids.n;
    return 0;
}

int engine_detokenize(const struct engine *e, const int32_t *ids, size_t n, char **out,
                      size_t *len_out)
{
    size_t total = 0, len;
    for (size_t i = 0; i < n; i++) {
        if (!tok_bytes(e->tokenizer, ids[i], &len))
            return ENGINE_EINPUT;
        total += len;
    }
    char *text = malloc(total + 1);
    if (!text)
        return ENGINE_EMEMORY;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const char *bytes = tok_bytes(e->tokenizer, ids[i], &len);
        memcpy(text + at, bytes, len);
        at += len;
    }
    text[at] = '\0';
    *out = text;
    *len_out = at;
    return 0;
}

int engine_render(const struct engine *e, const struct engine_request *req,
                  const struct engine_rendering *how, struct engine_prompt *out, char *err,
                  size_t errlen)
{
    const struct tmpl_input input = {
        .messages = req->messages,
        .tools = req->tools,
        .date = req->date,
        .options = how->variables,
        .generate = how->generate,
        .think = req->think,
        .most = how->most,
    };
    struct tmpl_prompt prompt;
    int rc = tmpl_render(e->template, &input, &prompt, err, errlen);
    if (rc == 0)
        *out = prompt.prompt;
    return rc;
}

/* Evaluation: one sequence of its own, which neither uses cached rows nor leaves any. */

struct evaluation {
    struct engine *e;
    const struct engine_evaluation *of;
    char *err;
    size_t errlen;
    int rc;

    int n_total;
    int32_t *tokens, *position, *sequence, *output;
    struct kv_sequence kv;
    float *logits; /* of the position that was shown last */
};

static int refuse(struct evaluation *v, enum engine_error error, const char *reason)
{
    snprintf(v->err, v->errlen, "evaluate: %s", reason);
    return error;
}

static int check(struct evaluation *v)
{
    const struct engine *e = v->e;
    const struct engine_evaluation *of = v->of;
    if (e->failed)
        return refuse(v, e->failure, e->failure_text);
    if (sched_busy(e->sched))
        return refuse(v, ENGINE_EINPUT, "a request is live");
    if (of->n_tokens == 0)
        return refuse(v, ENGINE_EINPUT, "tokens: none");
    for (size_t i = 0; i < of->n_tokens; i++) {
        if (of->tokens[i] < 0 || of->tokens[i] >= e->info.n_vocab) {
            snprintf(v->err, v->errlen,
                     "evaluate: tokens[%zu]: not in the vocabulary (got %d, limit %d)", i,
                     of->tokens[i], e->info.n_vocab);
            return ENGINE_EINPUT;
        }
    }
    size_t limit = (size_t)e->info.n_ctx;
    if (of->n_tokens > limit || of->n_greedy > limit - of->n_tokens) {
        snprintf(v->err, v->errlen, "evaluate: %zu and %zu tokens do not fit (limit %zu)",
                 of->n_tokens, of->n_greedy, limit);
        return ENGINE_EFIT;
    }
    v->n_total = (int)(of->n_tokens + of->n_greedy);
    return 0;
}

static int allocate(struct evaluation *v)
{
    size_t total = (size_t)v->n_total, step = (size_t)v->e->sizes.max_tokens;
    v->tokens = calloc(total, sizeof *v->tokens);
    v->position = calloc(step, sizeof *v->position);
    v->sequence = calloc(step, sizeof *v->sequence);
    v->output = calloc(step, sizeof *v->output);
    v->kv.blocks = calloc((size_t)kv_blocks(v->n_total), sizeof *v->kv.blocks);
    v->logits = calloc((size_t)v->e->info.n_vocab, sizeof *v->logits);
    if (!v->tokens || !v->position || !v->sequence || !v->output || !v->kv.blocks || !v->logits)
        return refuse(v, ENGINE_EMEMORY, "out of memory");
    memcpy(v->tokens, v->of->tokens, v->of->n_tokens * sizeof *v->tokens);
    return 0;
}

/* Computes n tokens from position `at` on, and reports the logits of each. */
static int evaluate_step(struct evaluation *v, int at, int n)
{
    struct engine *e = v->e;
    struct backend *b = e->backend;
    struct batch batch = {
        .n_tokens = n,
        .token = v->tokens + at,
        .position = v->position,
        .sequence = v->sequence,
        .n_sequences = 1,
        .max_blocks = kv_blocks(v->n_total),
        .block_table = v->kv.blocks,
        .output = v->output,
    };
    for (int i = 0; i < n; i++)
        v->position[i] = at + i;
    kv_grow(e->kv, &v->kv, at + n);

    int rc = forward(b, &e->model, &batch, queue_shut_flag(e->queue));
    if (rc == FORWARD_ABORTED)
        return refuse(v, ENGINE_ERROR, "the engine is closing");
    for (int i = 0; rc == 0 && i < n; i++) {
        int place = i % e->sizes.max_outputs;
        if (place == 0) {
            int left = n - i;
            batch.n_outputs = left < e->sizes.max_outputs ? left : e->sizes.max_outputs;
            for (int k = 0; k < batch.n_outputs; k++)
                batch.output[k] = i + k;
            rc = b->ops->logits(b);
        }
        if (rc == 0)
            rc = b->ops->read_logits(b, place, v->logits);
        if (rc == 0 && v->of->position)
            v->of->position(v->of->ud, (size_t)(at + i), v->logits, e->info.n_vocab);
    }
    if (rc < 0)
        return refuse(v, ENGINE_EMEMORY, b->error);
    if (gguf_changed(e->file))
        return refuse(v, ENGINE_EMODEL, "model: the file was changed while in use");
    return 0;
}

static int32_t most_likely(const float *logits, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++) {
        if (logits[i] > logits[best])
            best = i;
    }
    return best;
}

static int evaluate_all(struct evaluation *v)
{
    int n_given = (int)v->of->n_tokens, chunk = v->e->sizes.max_tokens;
    if (v->of->chunk > 0 && v->of->chunk < chunk)
        chunk = v->of->chunk;
    for (int at = 0, n; at < v->n_total; at += n) {
        n = at < n_given ? n_given - at : 1;
        n = n < chunk ? n : chunk;
        if (at >= n_given)
            v->tokens[at] = most_likely(v->logits, v->e->info.n_vocab);
        int rc = evaluate_step(v, at, n);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* In the engine's thread. */
static void evaluate(void *ud)
{
    struct evaluation *v = ud;
    v->rc = check(v);
    if (v->rc == 0)
        v->rc = allocate(v);
    if (v->rc == 0) {
        /* A prompt of one token finds nothing cached; without other requests there is room. */
        kv_open(v->e->kv, &v->kv, v->tokens, 1, v->n_total);
        v->rc = evaluate_all(v);
        kv_close(v->e->kv, &v->kv, v->tokens, 0);
    }
    free(v->tokens);
    free(v->position);
    free(v->sequence);
    free(v->output);
    free(v->kv.blocks);
    free(v->logits);
}

int engine_evaluate(struct engine *e, const struct engine_evaluation *ev, char *err, size_t errlen)
{
    struct evaluation v = {.e = e, .of = ev, .err = err, .errlen = errlen};
    if (e->vocab_only)
        return refuse(&v, ENGINE_EINPUT, "model: only its vocabulary was opened");
    queue_call(e->queue, evaluate, &v);
    return v.rc;
}

/* Bandwidth */

struct reading {
    struct engine *e;
    double *passes;
    int n;
    const char *fault; /* or NULL */
    int rc;
};

/* In the engine's thread. */
static void read_memory(void *ud)
{
    struct reading *r = ud;
    struct backend *b = r->e->backend;

    if (r->e->failed) {
        r->fault = r->e->failure_text;
        r->rc = r->e->failure;
    } else if (sched_busy(r->e->sched)) {
        r->fault = "a request is live";
        r->rc = ENGINE_EINPUT;
    } else {
        queue_begin_step(r->e->queue);
        r->rc = b->ops->bandwidth(b, r->passes, r->n) < 0 ? ENGINE_EMEMORY : 0;
        r->fault = r->rc != 0 ? b->error : NULL;
    }
    if (r->rc == 0 && atomic_load(queue_interrupt_flag(r->e->queue))) {
        r->fault = "given up";
        r->rc = ENGINE_ECANCEL;
    }
}

int engine_bandwidth(struct engine *e, double *passes, int n, char *err, size_t errlen)
{
    struct reading r = {.e = e, .passes = passes, .n = n};
    if (e->vocab_only) {
        r.fault = "model: only its vocabulary was opened";
        r.rc = ENGINE_EINPUT;
    } else {
        queue_call(e->queue, read_memory, &r);
    }
    if (r.fault)
        snprintf(err, errlen, "bandwidth: %s", r.fault);
    return r.rc;
}
