/* scheduler.c - continuous batching with chunked prefill; see scheduler.h. Nothing is allocated in
 * a step but the text that waits to be read. */
#include "scheduler.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "file/gguf.h"
#include "forward.h"
#include "grammar/constrain.h"
#include "text/calls.h"
#include "text/detok.h"
#include "text/tokenizer.h"
#include "thinking.h"

struct sched {
    struct sched_options opt;
    struct sched_request *waiting, **waiting_end; /* in the order they came */
    struct sched_request **running;               /* [max_sequences] in the order of admission */
    int n_running;
    bool *slot_used; /* [max_sequences] */

    /* The step. */
    struct batch batch;
    struct sampler **samplers; /* [max_sequences] of its outputs */
    int32_t *picked;           /* [max_sequences] for its outputs */
    char error[256];
};

double sched_clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void sched_request_free(struct sched_request *r)
{
    if (!r)
        return;
    detok_close(r->detok);
    constraint_close(r->constraint);
    calls_close(r->calls);
    free(r->tokens);
    free(r);
}

int sched_new(struct sched **out, const struct sched_options *opt)
{
    assert(opt->max_tokens >= opt->max_sequences);
    struct sched *s = calloc(1, sizeof *s);
    if (!s)
        return -1;
    s->opt = *opt;
    s->waiting_end = &s->waiting;

    size_t n_seq = (size_t)opt->max_sequences, n_tok = (size_t)opt->max_tokens;
    struct batch *b = &s->batch;
    b->max_blocks = kv_blocks(opt->max_context);
    b->n_sequences = opt->max_sequences;
    b->token = calloc(n_tok, sizeof *b->token);
    b->position = calloc(n_tok, sizeof *b->position);
    b->sequence = calloc(n_tok, sizeof *b->sequence);
    b->output = calloc(n_seq, sizeof *b->output);
    b->block_table = calloc(n_seq * (size_t)b->max_blocks, sizeof *b->block_table);
    s->running = calloc(n_seq, sizeof *s->running);
    s->slot_used = calloc(n_seq, sizeof *s->slot_used);
    s->samplers = calloc(n_seq, sizeof *s->samplers);
    s->picked = calloc(n_seq, sizeof *s->picked);
    if (!b->token || !b->position || !b->sequence || !b->output || !b->block_table || !s->running ||
        !s->slot_used || !s->samplers || !s->picked) {
        sched_free(s);
        return -1;
    }
    *out = s;
    return 0;
}

void sched_free(struct sched *s)
{
    if (!s)
        return;
    while (s->waiting) {
        struct sched_request *next = s->waiting->next;
        sched_request_free(s->waiting);
        s->waiting = next;
    }
    for (int i = 0; i < s->n_running; i++)
        sched_request_free(s->running[i]);
    free(s->batch.token);
    free(s->batch.position);
    free(s->batch.sequence);
    free(s->batch.output);
    free(s->batch.block_table);
    free(s->running);
    free(s->slot_used);
    free(s->samplers);
    free(s->picked);
    free(s);
}

void sched_add(struct sched *s, struct sched_request *r, struct queue_events *events)
{
    assert(r->n_prompt > 0 && r->n_prompt < r->max_tokens && r->max_tokens <= s->opt.max_context);
    r->events = events;
    r->n_tokens = r->n_told = r->n_prompt;
    r->usage.prompt_tokens = r->n_prompt;
    r->next = NULL;
    *s->waiting_end = r;
    s->waiting_end = &r->next;
}

bool sched_busy(const struct sched *s)
{
    return s->waiting || s->n_running > 0;
}

const char *sched_error(const struct sched *s)
{
    return s->error;
}

/* Ends */

struct ending {
    enum engine_stop stop;
    enum engine_error error;
    const char *error_text;
};

/* Sends pieces of the answer, and with the first of them the tokens that were not sent yet. */
static int tell_pieces(struct sched *s, struct sched_request *r, const struct calls_piece *piece,
                       int n)
{
    for (int i = 0; i < n; i++) {
        const struct queue_text text = {
            .kind = piece[i].kind,
            .text = piece[i].text,
            .len = piece[i].len,
            .tokens = r->tokens + r->n_told,
            .n_tokens = (size_t)(r->n_tokens - r->n_told),
        };
        r->n_told = r->n_tokens;
        if (queue_emit_text(s->opt.queue, r->events, &text, &r->usage) < 0)
            return -1;
    }
    return n < 0 ? -1 : 0;
}

static int tell_text(struct sched *s, struct sched_request *r, const struct detok_out *out)
{
    for (int i = 0; i < out->n; i++) {
        const struct detok_piece *p = &out->piece[i];
        struct calls_piece piece[2] = {{p->kind, p->text, p->len}};
        int n = 1;
        if (r->calls && p->kind == ENGINE_ANSWER)
            n = calls_feed(r->calls, p->text, p->len, piece);
        if (tell_pieces(s, r, piece, n) < 0)
            return -1;
    }
    return 0;
}

/* What was held back until the end. */
static int tell_rest(struct sched *s, struct sched_request *r)
{
    struct detok_out out;
    struct calls_piece piece[2];
    detok_end(r->detok, &out);
    if (tell_text(s, r, &out) < 0)
        return -1;
    return r->calls ? tell_pieces(s, r, piece, calls_end(r->calls, piece)) : 0;
}

static bool is_end(const struct sched *s, const struct sched_request *r, int32_t token)
{
    return !r->ignore_eos && tok_is_end(s->opt.tokenizer, token);
}

/* Sends a request's end, after the text that was held back, and frees it. */
static void tell_end(struct sched *s, struct sched_request *r, struct ending ending)
{
    if (r->n_tokens > r->n_told && is_end(s, r, r->tokens[r->n_tokens - 1]))
        r->n_tokens--; /* the end token is not part of the answer */
    if (tell_rest(s, r) < 0)
        ending = (struct ending){ENGINE_STOP_ERROR, ENGINE_EMEMORY, "answer: out of memory"};
    const struct queue_end end = {
        .stop = ending.stop,
        .error = ending.error,
        .error_text = ending.error_text,
        .tool_calls = r->calls ? calls_result(r->calls) : NULL,
        .unfinished = r->constraint && !constraint_is_whole(r->constraint),
        .usage = r->usage,
        .tokens = r->tokens + r->n_told,
        .n_tokens = (size_t)(r->n_tokens - r->n_told),
    };
    queue_emit_done(s->opt.queue, r->events, &end);
    sched_request_free(r);
}

/* Leaves a hole in running, for close_holes. */
static void end_running(struct sched *s, int i, struct ending ending)
{
    struct sched_request *r = s->running[i];
    kv_close(s->opt.kv, &r->kv, r->tokens, r->n_computed);
    s->slot_used[r->slot] = false;
    s->running[i] = NULL;
    tell_end(s, r, ending);
}

static void close_holes(struct sched *s)
{
    int n = 0;
    for (int i = 0; i < s->n_running; i++) {
        if (s->running[i])
            s->running[n++] = s->running[i];
    }
    s->n_running = n;
}

static struct sched_request *take_waiting(struct sched *s, struct sched_request **at)
{
    struct sched_request *r = *at;
    *at = r->next;
    if (!r->next)
        s->waiting_end = at;
    return r;
}

static void end_cancelled(struct sched *s)
{
    const struct ending cancelled = {.stop = ENGINE_STOP_CANCEL};

    for (struct sched_request **at = &s->waiting; *at;) {
        if (queue_is_cancelled((*at)->events))
            tell_end(s, take_waiting(s, at), cancelled);
        else
            at = &(*at)->next;
    }
    for (int i = 0; i < s->n_running; i++) {
        if (queue_is_cancelled(s->running[i]->events))
            end_running(s, i, cancelled);
    }
    close_holes(s);
}

void sched_end_all(struct sched *s, enum engine_stop stop, enum engine_error error,
                   const char *error_text)
{
    const struct ending ending = {stop, error, error_text};
    while (s->waiting)
        tell_end(s, take_waiting(s, &s->waiting), ending);
    for (int i = 0; i < s->n_running; i++)
        end_running(s, i, ending);
    s->n_running = 0;
}

/* The step */

/* Whether a running request is about to compute rows that r's prompt begins with too: r then
 * waits and shares them instead of computing them again. That wait ends with the other's
 * prompt at the latest. */
static bool shares_pending_prefix(const struct sched *s, const struct sched_request *r)
{
    for (int i = 0; i < s->n_running; i++) {
        const struct sched_request *q = s->running[i];
        int most = q->n_prompt < r->n_prompt ? q->n_prompt : r->n_prompt - 1, n = 0;
        while (n < most && q->tokens[n] == r->tokens[n])
            n++;
        if (n / KV_BLOCK * KV_BLOCK > q->n_computed)
            return true;
    }
    return false;
}

static void admit(struct sched *s)
{
    while (s->waiting && s->n_running < s->opt.max_sequences) {
        struct sched_request *r = s->waiting;
        int slot = 0;
        if (shares_pending_prefix(s, r))
            return;
        while (s->slot_used[slot])
            slot++;
        r->kv.blocks = s->batch.block_table + (size_t)slot * (size_t)s->batch.max_blocks;
        int n_cached = kv_open(s->opt.kv, &r->kv, r->tokens, r->n_prompt, r->max_tokens);
        if (n_cached < 0)
            return;
        r->n_computed = r->usage.cached_tokens = n_cached;
        r->slot = slot;
        s->slot_used[slot] = true;
        s->running[s->n_running++] = take_waiting(s, &s->waiting);
    }
}

/* Puts the next n tokens of r into the batch; n may be 0. */
static void add_to_batch(struct sched *s, struct sched_request *r, int n)
{
    struct batch *b = &s->batch;
    kv_grow(s->opt.kv, &r->kv, r->n_computed + n);
    for (int i = 0; i < n; i++) {
        b->token[b->n_tokens] = r->tokens[r->n_computed + i];
        b->position[b->n_tokens] = r->n_computed + i;
        b->sequence[b->n_tokens] = r->slot;
        b->n_tokens++;
    }
    r->n_step = n;
    r->output = -1;
    if (r->n_computed + n == r->n_tokens) {
        r->output = b->n_outputs++;
        b->output[r->output] = b->n_tokens - 1;
        s->samplers[r->output] = &r->sampler;
    }
}

static void fill_batch(struct sched *s)
{
    s->batch.n_tokens = s->batch.n_outputs = 0;
    for (int pass = 0; pass < 2; pass++) {
        bool decode = pass == 0;
        for (int i = 0; i < s->n_running; i++) {
            struct sched_request *r = s->running[i];
            int todo = r->n_tokens - r->n_computed, room = s->opt.max_tokens - s->batch.n_tokens;
            if ((todo == 1) == decode)
                add_to_batch(s, r, todo < room ? todo : room);
        }
    }
}

/* Gives r the token sampled for it. True when that ends it. */
static bool take_token(struct sched *s, struct sched_request *r, int32_t token,
                       struct ending *ending_out)
{
    if (token < 0) {
        *ending_out = (struct ending){ENGINE_STOP_ERROR, ENGINE_ERROR,
                                      r->stuck ? "the answer cannot go on in the form asked for"
                                               : "the model produced invalid numbers"};
        return true;
    }
    double now = sched_clock_ms();
    if (r->usage.completion_tokens++ == 0) {
        r->first_token_ms = now;
        r->usage.time_to_first_token_ms = now - r->submitted_ms;
    }
    r->usage.generation_time_ms = now - r->first_token_ms;
    enum detok_stage stage = detok_stage(r->detok);
    if (detok_kind(r->detok) == ENGINE_REASONING) {
        r->usage.reasoning_tokens++;
        r->think_left -= r->think_left > 0;
    }
    r->tokens[r->n_tokens++] = token;
    sampler_accept(&r->sampler, token);

    *ending_out = (struct ending){.stop = ENGINE_STOP_END};
    if (is_end(s, r, token))
        return true;
    struct detok_out out;
    detok_feed(r->detok, token, &out);
    if (tell_text(s, r, &out) < 0) {
        *ending_out = (struct ending){ENGINE_STOP_ERROR, ENGINE_EMEMORY, "answer: out of memory"};
        return true;
    }
    if (r->constraint && !constraint_take(r->constraint, token, stage, detok_stage(r->detok))) {
        *ending_out = (struct ending){ENGINE_STOP_ERROR, ENGINE_ERROR,
                                      "the answer left the form asked for"};
        return true;
    }
    if (out.stopped || (r->constraint && constraint_is_over(r->constraint)))
        return true;
    ending_out->stop = ENGINE_STOP_LENGTH;
    return r->n_tokens == r->max_tokens;
}

static bool must_close(const struct sched_request *r)
{
    return r->close && detok_kind(r->detok) == ENGINE_REASONING &&
           (r->think_left == 0 || queue_wants_answer(r->events));
}

/* Takes n tokens that were not sampled. True when one ends it. */
static bool take_given(struct sched *s, struct sched_request *r, const int32_t *ids, int n,
                       struct ending *ending_out)
{
    for (int i = 0; i < n; i++)
        if (take_token(s, r, ids[i], ending_out))
            return true;
    return false;
}

/* Tokens to take in place of the sampled one: the closing of the reasoning or, where an answer is
 * continued in the middle of a text that is forced, the rest of that text. Returns how many. */
static int given_instead(struct sched *s, struct sched_request *r, int32_t sampled, int32_t *out)
{
    if (must_close(r) && sampled != tok_info(s->opt.tokenizer)->think_close) {
        const int32_t *ids;
        int n = thinking_closing(r->close, s->opt.tokenizer, r->tokens[r->n_tokens - 1], &ids);
        memcpy(out, ids, (size_t)n * sizeof *out);
        return n;
    }
    bool first = r->n_tokens == r->n_prompt;
    return first && r->constraint ? constraint_forced(r->constraint, detok_stage(r->detok), out)
                                  : 0;
}

/* Gives r the token sampled for it, or what goes in its place, and then the tokens that are
 * forced. One draw is used up per token, so that an answer continued from any token goes on as it
 * would have. True when that ends it. */
static bool take_sampled(struct sched *s, struct sched_request *r, int32_t token,
                         struct ending *ending_out)
{
    int32_t ids[CONSTRAINT_FORCED];
    int n = token >= 0 ? given_instead(s, r, token, ids) : 0;
    sampler_skip(&r->sampler, n > 0 ? n - 1 : 0);
    if (n > 0 ? take_given(s, r, ids, n, ending_out) : take_token(s, r, token, ending_out))
        return true;
    n = r->constraint ? constraint_forced(r->constraint, detok_stage(r->detok), ids) : 0;
    sampler_skip(&r->sampler, n);
    return take_given(s, r, ids, n, ending_out);
}

/* Books what the step has computed and sampled. */
static void take_results(struct sched *s)
{
    for (int i = 0; i < s->n_running; i++) {
        struct sched_request *r = s->running[i];
        if (r->n_step == 0)
            continue;
        r->n_computed += r->n_step;
        kv_commit(s->opt.kv, &r->kv, r->tokens, r->n_computed);
        if (r->n_computed <= r->n_prompt)
            queue_emit_prefill(s->opt.queue, r->events, r->n_computed, &r->usage);
        struct ending ending;
        if (r->output >= 0 && take_sampled(s, r, r->stuck ? -1 : s->picked[r->output], &ending))
            end_running(s, i, ending);
    }
    close_holes(s);
}

/* A copy, since the backend may be gone when it is asked for. */
static int fail(struct sched *s, const char *why)
{
    snprintf(s->error, sizeof s->error, "%s", why);
    return -1;
}

/* What may be sampled where an answer must have a form. */
static void set_masks(struct sched *s)
{
    for (int i = 0; i < s->n_running; i++) {
        struct sched_request *r = s->running[i];
        if (!r->constraint || r->output < 0)
            continue;
        r->sampler.mask = constraint_mask(r->constraint, detok_stage(r->detok));
        r->stuck = !r->sampler.mask;
    }
}

int sched_step(struct sched *s)
{
    struct backend *b = s->opt.backend;

    queue_begin_step(s->opt.queue);
    end_cancelled(s);
    admit(s);
    if (s->n_running == 0)
        return 0;
    fill_batch(s);
    int rc = forward(b, s->opt.model, &s->batch, queue_interrupt_flag(s->opt.queue));
    if (rc == FORWARD_ABORTED)
        return 0;
    if (rc == 0)
        set_masks(s);
    if (rc < 0 || (s->batch.n_outputs > 0 && b->ops->sample(b, s->samplers, s->picked) < 0))
        return fail(s, b->error);
    if (s->opt.file && gguf_changed(s->opt.file))
        return fail(s, "model: the file was changed while in use");
    take_results(s);
    return 0;
}
