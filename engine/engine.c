/* engine.c - an open engine: its thread, its requests and its end; see engine.h. The scheduler
 * knows what a step is, the queue how threads talk. */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_state.h"
#include "text/calls.h"
#include "text/detok.h"

/* Of a prompt that does not fit, so many tokens more are counted, some 20 ms, to say how many. */
enum { COUNTED_MOST = 1 << 16 };

/* The engine's thread */

/* Nothing can be computed any more: every request, live or to come, ends with this error. */
static void fail(struct engine *e, const char *why)
{
    e->failed = true;
    e->failure = gguf_changed(e->file) ? ENGINE_EMODEL : ENGINE_EMEMORY;
    snprintf(e->failure_text, sizeof e->failure_text, "%s", why);
    sched_end_all(e->sched, ENGINE_STOP_ERROR, e->failure, e->failure_text);
    queue_emit_fatal(e->queue, e->failure, e->failure_text);
}

static void load(struct engine *e)
{
    double start = sched_clock_ms();
    if (e->backend->ops->load(e->backend, &e->model) < 0)
        fail(e, e->backend->error);
    else if (gguf_changed(e->file))
        fail(e, "model: the file was changed while it was loaded");
    else
        queue_emit_ready(e->queue, sched_clock_ms() - start);
}

static void take_requests(struct engine *e)
{
    void *request;
    struct queue_events *events;
    while (queue_take(e->queue, !sched_busy(e->sched), &request, &events)) {
        sched_add(e->sched, request, events);
        if (e->failed)
            sched_end_all(e->sched, ENGINE_STOP_ERROR, e->failure, e->failure_text);
    }
}

void *engine_serve(void *arg)
{
    struct engine *e = arg;
    load(e);
    while (!queue_is_shut(e->queue)) {
        take_requests(e);
        if (sched_busy(e->sched) && sched_step(e->sched) < 0)
            fail(e, sched_error(e->sched));
    }
    return NULL;
}

void engine_close(struct engine *e)
{
    if (!e)
        return;
    queue_shut(e->queue);
    if (e->has_thread)
        pthread_join(e->thread, NULL);
    void *request;
    struct queue_events *events;
    while (queue_take(e->queue, false, &request, &events))
        sched_request_free(request);
    sched_free(e->sched);
    kv_free(e->kv);
    backend_close(e->backend);
    queue_close(e->queue);
    tmpl_close(e->template);
    shapes_close(e->shapes);
    tok_close(e->tokenizer);
    model_done(&e->model);
    gguf_close(e->file);
    free(e);
}

const struct engine_info *engine_info(const struct engine *e)
{
    return &e->info;
}

int engine_cached_tokens(const struct engine *e)
{
    return e->kv ? kv_cached(e->kv) : 0;
}

/* Asking */

static int refuse(char *err, size_t errlen, enum engine_error error, const char *reason)
{
    snprintf(err, errlen, "%s", reason);
    return error;
}

/* What an answer starts from: the rendered prompt, then the part of the answer
 * that exists already. */
struct opening {
    struct tmpl_prompt prompt;
    struct detok_options text;
    struct thinking_partial partial;
    struct constraint *constraint;
};

static void opening_done(struct opening *o)
{
    free(o->prompt.prompt.text);
    free(o->prompt.prompt.ids);
    free(o->partial.ids.ids);
    detok_close(o->partial.detok);
    constraint_close(o->constraint);
}

/* A prompt that came as tokens. */
static int copy_prompt(const struct engine *e, const struct engine_request *req,
                       struct tmpl_prompt *out, char *err, size_t errlen)
{
    if (req->n_tokens == 0)
        return refuse(err, errlen, ENGINE_EINPUT, "tokens: none");
    for (size_t i = 0; i < req->n_tokens; i++) {
        if (req->tokens[i] < 0 || req->tokens[i] >= e->info.n_vocab) {
            snprintf(err, errlen, "tokens[%zu]: not in the vocabulary (got %d, limit %d)", i,
                     req->tokens[i], e->info.n_vocab);
            return ENGINE_EINPUT;
        }
    }
    int32_t *ids = malloc(req->n_tokens * sizeof *ids);
    if (!ids)
        return refuse(err, errlen, ENGINE_EMEMORY, "request: out of memory");
    memcpy(ids, req->tokens, req->n_tokens * sizeof *ids);
    *out = (struct tmpl_prompt){.prompt = {.ids = ids, .n_ids = req->n_tokens}, .reasoned = true};
    return 0;
}

static size_t limit_of(const struct engine *e)
{
    return (size_t)e->info.n_ctx - 1; /* one for the answer */
}

static int too_long(const struct engine *e, const char *than, size_t n, char *err, size_t errlen)
{
    snprintf(err, errlen, "prompt: %s%zu tokens do not fit (limit %zu)", than, n, limit_of(e));
    return ENGINE_EFIT;
}

/* 0, or an error after err was set. */
static int make_opening(const struct engine *e, const struct engine_request *req,
                        struct opening *out, char *err, size_t errlen)
{
    const struct engine_partial *partial = req->partial;
    const struct tmpl_input input = {
        .messages = req->messages,
        .tools = req->tools,
        .date = req->date,
        .generate = true,
        .most = COUNTED_MOST + (size_t)e->info.n_ctx,
        .think = partial && partial->reasoning_len > 0 && req->think == ENGINE_THINK_OFF
                     ? ENGINE_THINK_ON
                     : req->think,
    };
    *out = (struct opening){0};
    int rc = constraint_open(&out->constraint, e->shapes, req, err, errlen);
    if (rc == 0)
        rc = req->tokens ? copy_prompt(e, req, &out->prompt, err, errlen)
                         : tmpl_render(e->template, &input, &out->prompt, err, errlen);
    if (rc == ENGINE_EFIT)
        return too_long(e, "more than ", input.most, err, errlen);
    if (rc < 0)
        return rc;
    out->text = (struct detok_options){
        .thinks = tmpl_thinks(e->template),
        .stage = out->prompt.reasoning  ? DETOK_REASONING_START
                 : out->prompt.reasoned ? DETOK_ANSWER_START
                                        : DETOK_OPENING,
        .stop = req->stop,
    };
    rc = partial ? thinking_begin(&out->partial, e->tokenizer, &out->text, &e->closing, partial)
                 : detok_open(&out->partial.detok, e->tokenizer, &out->text);
    if (rc != 0)
        return refuse(err, errlen, ENGINE_EMEMORY, "request: out of memory");
    size_t n = out->prompt.prompt.n_ids + out->partial.ids.n;
    return n <= limit_of(e) ? 0 : too_long(e, "", n, err, errlen);
}

static int reasoning_left(const struct engine_request *req, const struct thinking_partial *partial)
{
    if (req->reasoning_budget == 0)
        return -1;
    bool anew = req->partial && req->partial->state == ENGINE_PARTIAL_OPEN;
    int used = anew ? 0 : partial->n_reasoning;
    return used < req->reasoning_budget ? req->reasoning_budget - used : 0;
}

/* Prepares to find tool calls, also in the part of the answer that exists already. 0, or
 * -1: out of memory. */
static int open_calls(const struct engine *e, const struct engine_request *req,
                      struct sched_request *r)
{
    struct calls_piece told[2];
    if (!calls_wanted(req))
        return 0;
    if (calls_open(&r->calls, e->info.family) < 0)
        return -1;
    if (!req->partial || req->partial->answer_len == 0)
        return 0;
    return calls_feed(r->calls, req->partial->answer, req->partial->answer_len, told) < 0 ? -1 : 0;
}

/* NULL when out of memory. Takes the detok and the constraint over. */
static struct sched_request *new_request(const struct engine *e, const struct engine_request *req,
                                         struct opening *from)
{
    struct sched_request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    const struct engine_prompt *prompt = &from->prompt.prompt;
    const struct tok_ids *partial = &from->partial.ids;
    r->submitted_ms = sched_clock_ms();
    r->n_prompt = (int)(prompt->n_ids + partial->n);
    int room = e->info.n_ctx - r->n_prompt;
    r->max_tokens = r->n_prompt;
    r->max_tokens += req->max_tokens > 0 && req->max_tokens < room ? req->max_tokens : room;
    r->tokens = malloc((size_t)r->max_tokens * sizeof *r->tokens);
    if (!r->tokens || open_calls(e, req, r) < 0) {
        sched_request_free(r);
        return NULL;
    }
    memcpy(r->tokens, prompt->ids, prompt->n_ids * sizeof *r->tokens);
    if (partial->n > 0)
        memcpy(r->tokens + prompt->n_ids, partial->ids, partial->n * sizeof *r->tokens);
    r->detok = from->partial.detok;
    from->partial.detok = NULL;
    r->constraint = from->constraint;
    from->constraint = NULL;
    r->close = e->closes ? &e->closing : NULL;
    r->think_left = reasoning_left(req, &from->partial);
    r->ignore_eos = req->ignore_eos;
    r->usage.partial_tokens = (int)partial->n;
    r->usage.partial_reasoning_tokens = from->partial.n_reasoning;
    sampler_init(&r->sampler, &req->sampling, tok_info(e->tokenizer)->banned);
    sampler_skip(&r->sampler, (int)partial->n);
    for (int i = 0; i < r->n_prompt; i++)
        sampler_accept(&r->sampler, r->tokens[i]);
    return r;
}

/* What is wrong with a request apart from its messages, or NULL. */
static const char *fault_of(const struct engine *e, const struct engine_request *req)
{
    if (e->vocab_only)
        return "model: only its vocabulary was opened";
    if (req->max_tokens < 0)
        return "max_tokens: less than 0";
    if (req->reasoning_budget < 0)
        return "reasoning_budget: less than 0";
    return sampler_fault(&req->sampling);
}

int engine_submit(struct engine *e, const struct engine_request *req, uint64_t *id_out, char *err,
                  size_t errlen)
{
    const char *fault = fault_of(e, req);
    if (fault)
        return refuse(err, errlen, ENGINE_EINPUT, fault);

    struct opening from;
    struct sched_request *r = NULL;
    int rc = make_opening(e, req, &from, err, errlen);
    if (rc == 0 && (!(r = new_request(e, req, &from)) || queue_submit(e->queue, r, id_out) < 0)) {
        sched_request_free(r);
        rc = refuse(err, errlen, ENGINE_EMEMORY, "request: out of memory");
    }
    opening_done(&from);
    return rc;
}

void engine_cancel(struct engine *e, uint64_t id)
{
    sched_request_free(queue_cancel(e->queue, id));
}

void engine_answer_now(struct engine *e, uint64_t id)
{
    queue_answer_now(e->queue, id);
}

/* Listening */

int engine_wake_fd(const struct engine *e)
{
    return queue_fd(e->queue);
}

const struct engine_event *engine_next_event(struct engine *e, int timeout_ms)
{
    return queue_next(e->queue, timeout_ms);
}
