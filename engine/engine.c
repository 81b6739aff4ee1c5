/* engine.c - an open engine: its thread, its requests and its end; see engine.h. What a step is, the
 * scheduler knows; how threads talk, the queue. */
#include "engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detok.h"
#include "engine_state.h"

/* The engine's thread */

/* Nothing can be computed any more: whatever is asked for ends with this error. */
static void fail(struct engine *e, const char *why)
{
    e->failed = true;
    e->failure = gguf_changed(e->file) ? ENGINE_EMODEL : ENGINE_EMEMORY;
    snprintf(e->failure_text, sizeof e->failure_text, "%s", why);
    sched_end_all(e->sched, ENGINE_STOP_ERROR, e->failure, e->failure_text);
    queue_tell_fatal(e->queue, e->failure, e->failure_text);
}

static void load(struct engine *e)
{
    double start = sched_clock_ms();
    if (e->backend->ops->load(e->backend, &e->model) < 0)
        fail(e, e->backend->error);
    else if (gguf_changed(e->file))
        fail(e, "model: the file was changed while it was loaded");
    else
        queue_tell_ready(e->queue, sched_clock_ms() - start);
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
    tok_close(e->tokenizer);
    model_done(&e->model);
    gguf_close(e->file);
    free(e);
}

const struct engine_info *engine_info(const struct engine *e)
{
    return &e->info;
}

/* Asking */

static int refuse(char *err, size_t errlen, enum engine_error error, const char *reason)
{
    snprintf(err, errlen, "%s", reason);
    return error;
}

/* NULL when memory is short. */
static struct sched_request *new_request(const struct engine *e, const struct engine_request *req,
                                         const struct tmpl_prompt *prompt)
{
    struct sched_request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->submitted_ms = sched_clock_ms();
    r->n_prompt = (int)prompt->prompt.n_ids;
    int room = e->info.n_ctx - r->n_prompt;
    r->max_tokens = r->n_prompt;
    r->max_tokens += req->max_tokens > 0 && req->max_tokens < room ? req->max_tokens : room;
    r->tokens = malloc((size_t)r->max_tokens * sizeof *r->tokens);

    const struct detok_options text = {
        .thinks = tmpl_thinks(e->template),
        .reasoning = prompt->reasoning,
        .stop = req->stop,
    };
    if (!r->tokens || detok_open(&r->detok, e->tokenizer, &text) < 0) {
        sched_request_free(r);
        return NULL;
    }
    memcpy(r->tokens, prompt->prompt.ids, prompt->prompt.n_ids * sizeof *r->tokens);
    sampler_init(&r->sampler, &req->sampling, tok_info(e->tokenizer)->banned);
    for (int i = 0; i < r->n_prompt; i++)
        sampler_accept(&r->sampler, r->tokens[i]);
    return r;
}

/* What is wrong with a request beside its messages, or NULL. */
static const char *fault_of(const struct engine *e, const struct engine_request *req)
{
    if (e->vocab_only)
        return "model: only its vocabulary was opened";
    if (req->max_tokens < 0)
        return "max_tokens: less than 0";
    return sampler_fault(&req->sampling);
}

int engine_submit(struct engine *e, const struct engine_request *req, uint64_t *id_out, char *err,
                  size_t errlen)
{
    const char *fault = fault_of(e, req);
    if (fault)
        return refuse(err, errlen, ENGINE_EINPUT, fault);

    struct tmpl_prompt prompt;
    const struct tmpl_input input = {
        .messages = req->messages, .tools = req->tools, .date = req->date, .generate = true};
    int rc = tmpl_render(e->template, &input, &prompt, err, errlen);
    if (rc < 0)
        return rc;
    struct sched_request *r = NULL;
    size_t limit = (size_t)e->info.n_ctx - 1; /* one for the answer */
    if (prompt.prompt.n_ids > limit) {
        snprintf(err, errlen, "prompt: %zu tokens do not fit (limit %zu)", prompt.prompt.n_ids,
                 limit);
        rc = ENGINE_EFIT;
    } else if (!(r = new_request(e, req, &prompt)) || queue_submit(e->queue, r, id_out) < 0) {
        sched_request_free(r);
        rc = refuse(err, errlen, ENGINE_EMEMORY, "request: memory is short");
    }
    free(prompt.prompt.text);
    free(prompt.prompt.ids);
    return rc;
}

void engine_cancel(struct engine *e, uint64_t id)
{
    sched_request_free(queue_cancel(e->queue, id));
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
