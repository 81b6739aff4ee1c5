/* chat.c - see chat.h. */
#include "app/chat/chat.h"

#include <stdlib.h>
#include <string.h>

#include "app/chat/tokens.h"
#include "app/clock.h"
#include "app/exit.h"
#include "app/mem.h"
#include "app/say.h"

enum { FINAL_PATIENCE_MS = 700 };

void chat_init(struct chat *c, struct options *options, const struct paths *paths)
{
    *c = (struct chat){.options = options, .paths = paths, .as = "prompt", .running.fd = -1};
    model_pool_init(&c->pool, options, paths);
}

void chat_done(struct chat *c)
{
    if (c->history.store)
        store_set_patience(c->history.store, FINAL_PATIENCE_MS);
    chat_abandon(c, STORE_INTERRUPTED);
    if (c->history.store && history_save(&c->history) != 0)
        say_notice(c->options->quiet, "history: not saved: %s", c->history.problem);
    running_done(&c->running);
    model_pool_done(&c->pool);
    if (c->history.store)
        history_close(&c->history);
    response_format_done(&c->format);
    free(c->tool_calls);
    library_done(&c->library);
}

/* History */

static int resume(struct chat *c, char *err, size_t errlen)
{
    const struct options *o = c->options;
    int64_t id = library_find(c->history.store, o->session);
    if (id < 0)
        return say_to(err, errlen, EXIT_HISTORY, "history: %s", store_error(c->history.store));
    if (id == 0 && o->session)
        return say_to(err, errlen, EXIT_USAGE, "--session: no conversation %s", o->session);
    if (id > 0 && history_load(&c->history, id, err, errlen) != 0)
        return EXIT_HISTORY;
    if (id > 0 && o->system)
        history_set_system(&c->history, o->system);
    return 0;
}

int chat_open_history(struct chat *c, char *err, size_t errlen)
{
    const struct options *o = c->options;
    bool resumes = o->resume || o->session;

    if (o->session && !*o->session)
        return say_to(err, errlen, EXIT_USAGE, "--session: empty (a number or a title is wanted)");
    if (o->no_log && resumes)
        return say_to(err, errlen, EXIT_USAGE, "--no-log: contradicts --continue and --session");
    const char *path = o->no_log ? NULL : o->db ? o->db : c->paths->history;
    const char *why = o->no_log ? "--no-log" : c->paths->problem;
    int status = history_open(&c->history, path, why, err, errlen);
    history_new(&c->history, o->system);
    if (!path && resumes)
        return say_to(err, errlen, EXIT_HISTORY, "history: %s", why);
    if (status != 0 && (o->db || resumes))
        return EXIT_HISTORY;
    return resumes ? resume(c, err, errlen) : 0;
}

/* Models */

/* The named model, in memory and open. */
static int get(struct chat *c, const char *name, struct pool_model **out, char *err, size_t errlen)
{
    int status = model_pool_find(&c->pool, name, c->model, out, err, errlen);
    return status ? status : model_pool_open(&c->pool, *out, err, errlen);
}

int chat_use(struct chat *c, const char *name, char *err, size_t errlen)
{
    struct pool_model *m;
    int status = get(c, name, &m, err, errlen);
    if (status == 0)
        c->model = m;
    return status;
}

int chat_use_on(struct chat *c, const char *name, enum pool_device where, char *err, size_t errlen)
{
    struct pool_model *m;
    int status = model_pool_find(&c->pool, name, c->model, &m, err, errlen);
    if (status == 0 && m->answering)
        return say_to(err, errlen, EXIT_USAGE, "%s is answering; stop that first", m->file.name);
    if (status == 0)
        status = model_pool_move(&c->pool, m, where, err, errlen);
    if (status == 0)
        c->model = m;
    return status;
}

int chat_reopen(struct chat *c, char *err, size_t errlen)
{
    return c->model ? model_pool_open(&c->pool, c->model, err, errlen)
                    : chat_use(c, NULL, err, errlen);
}

/* Asking */

struct engine_sampling chat_sampling(const struct chat *c, const struct pool_model *model)
{
    return request_sampling(c->options, engine_info(model->engine));
}

static void record(struct turn *turn, const struct pool_model *model,
                   const struct engine_request *request)
{
    const struct engine_info *info = engine_info(model->engine);
    char fingerprint[17];
    char *settings = request_settings(request, info);

    say_to(fingerprint, sizeof fingerprint, 0, "%016llx", (unsigned long long)info->fingerprint);
    turn_drop_kept(turn);
    turn->generated = true;
    turn->generation = (struct store_generation){
        .model = turn_keep(turn, model->file.name),
        .fingerprint = turn_keep(turn, fingerprint),
        .engine = "duet " DUET_VERSION,
        .device = turn_keep(turn, info->device),
        .settings = turn_keep(turn, settings),
        .stop_reason = "",
        .error = "",
        .seed = request->sampling.seed,
    };
    free(settings);
}

void chat_prepare(struct chat *c, const struct pool_model *model, struct engine_request *request)
{
    request_date(c->options, c->date, sizeof c->date);
    *request = (struct engine_request){
        .date = c->date,
        .sampling = chat_sampling(c, model),
        .max_tokens = (int)c->options->max_tokens,
    };
    response_format_apply(&c->format, request);
    request_set_thinking(request, c->options);
    if (c->options->seed < 0)
        request->sampling.seed = request_random_seed();
}

int chat_submit(struct chat *c, const struct pool_model *model,
                const struct engine_request *request, char *err, size_t errlen)
{
    char reason[256];
    int status = engine_submit(model->engine, request, &c->request, reason, sizeof reason);
    return status ? say_to(err, errlen, exit_of_engine(status), "%s", reason) : 0;
}

void chat_begin(struct chat *c, struct pool_model *model, struct turn *turn,
                const struct engine_request *request)
{
    record(turn, model, request);
    c->answer = turn;
    c->answering = model;
    model_pool_answer(&c->pool, model, true);
    c->phase = ENGINE_READY;
    c->prompt_done = 0;
    c->usage = (struct engine_usage){0};
    c->load_ms = model->load_ms;
    c->thought_ms = c->partial_ms = 0;
    c->unfinished = false;
    free(c->tool_calls);
    c->tool_calls = NULL;
    c->offered = 0;
}

/* What is to be answered: the path up to a turn, plus one more question unless NULL. */
struct exchange {
    struct turn *after;
    const struct str *question;
    bool window_start; /* the window begins with the question */
    struct pool_model *model;
};

/* What is far too long is refused without rendering all of it: the engine would count no further
 * either. */
static int check_length(const struct chat *c, const struct exchange *x,
                        const struct request_span *span, char *err, size_t errlen)
{
    struct tokens k;
    if (!tokens_begin(&k, c, x->model) || !tokens_of_span(&k, span, true).more)
        return 0;
    return say_to(err, errlen, EXIT_FIT, "prompt: more than %lld tokens do not fit (limit %d)",
                  (long long)k.most, engine_info(x->model->engine)->n_ctx - 1);
}

/* The history is updated once the engine has accepted the request. */
static int submit(struct chat *c, const struct exchange *x, char *err, size_t errlen)
{
    struct history *h = &c->history;
    int status = response_format_read(&c->format, c->options, err, errlen);
    if (status != 0)
        return status;
    struct request_span span = request_span(h, x->after->depth, x->question);
    if (x->window_start)
        span.from = span.to;
    if ((status = check_length(c, x, &span, err, errlen)) != 0)
        return status;
    char *messages = request_messages(h, &span);
    struct engine_request request;

    chat_prepare(c, x->model, &request);
    request.messages = messages;
    history_refresh(h); /* so that its versions are counted right; without is no harm */
    status = chat_submit(c, x->model, &request, err, errlen);
    if (status == 0) {
        history_set_leaf(h, x->after);
        if (x->question)
            history_add(h, STORE_USER, STORE_COMPLETE, x->question->data, x->question->len);
        if (x->window_start)
            history_set_window(h, h->leaf);
        chat_begin(c, x->model, history_add(h, STORE_ASSISTANT, STORE_STREAMING, "", 0), &request);
    }
    free(messages);
    return status;
}

static int ask(struct chat *c, struct exchange x, const char *text, size_t len, char *err,
               size_t errlen)
{
    struct str question = {0};
    str_add_valid(&question, text, len); /* before the screen lives on */
    int status = chat_reopen(c, err, errlen);
    x.question = &question;
    x.model = c->model;
    if (status == 0)
        status = submit(c, &x, err, errlen);
    str_done(&question);
    return status;
}

int chat_ask(struct chat *c, const char *text, size_t len, char *err, size_t errlen)
{
    return ask(c, (struct exchange){.after = c->history.leaf}, text, len, err, errlen);
}

int chat_edit(struct chat *c, struct turn *question, const char *text, size_t len, char *err,
              size_t errlen)
{
    const struct exchange x = {.after = question->parent, .window_start = question->window_start};
    return ask(c, x, text, len, err, errlen);
}

int chat_regenerate(struct chat *c, struct turn *turn, const char *model, char *err, size_t errlen)
{
    struct exchange x = {.after = turn_question(turn)};
    int status = model ? get(c, model, &x.model, err, errlen) : chat_reopen(c, err, errlen);
    if (status != 0)
        return status;
    if (!model)
        x.model = c->model;
    return submit(c, &x, err, errlen);
}

void chat_stop(struct chat *c)
{
    if (c->answer)
        engine_cancel(c->answering->engine, c->request);
}

/* Events */

static void end_answer(struct chat *c, enum store_state state, const char *error)
{
    struct store_generation *g = &c->answer->generation;
    if (c->usage.partial_tokens > 0 || c->thought_ms > 0) {
        char *settings = request_add_thought(g->settings, &c->usage, c->thought_ms);
        g->settings = turn_keep(c->answer, settings);
        free(settings);
    }
    g->stop_reason = request_stop_name(c->stop);
    g->error = error ? turn_keep(c->answer, error) : "";
    g->prompt_tokens = c->usage.prompt_tokens;
    g->cached_tokens = c->usage.cached_tokens;
    g->completion_tokens = c->usage.completion_tokens;
    g->reasoning_tokens = c->usage.reasoning_tokens;
    g->load_ms = c->load_ms = c->answering->load_ms;
    g->time_to_first_token_ms = c->usage.time_to_first_token_ms;
    g->generation_time_ms = c->usage.generation_time_ms;
    history_end(&c->history, c->answer, state);
    model_pool_answer(&c->pool, c->answering, false);
    c->answer = NULL;
    c->answering = NULL;
}

void chat_abandon(struct chat *c, enum store_state state)
{
    if (!c->answer)
        return;
    chat_stop(c);
    c->stop = ENGINE_STOP_CANCEL;
    end_answer(c, state, NULL);
    history_save(&c->history);
}

/* For going on with the answer exactly. */
static void keep_tokens(struct chat *c, const struct engine_event *ev)
{
    struct str numbers = {0};
    for (size_t i = 0; i < ev->n_tokens; i++)
        str_addf(&numbers, "%d ", ev->tokens[i]);
    if (numbers.len > 0)
        history_append(&c->history, c->answer, STORE_TOKENS, numbers.data, numbers.len);
    str_done(&numbers);
}

static bool on_text(struct chat *c, const struct engine_event *ev, struct chat_event *out)
{
    c->phase = ENGINE_TEXT;
    c->usage = ev->usage;
    out->type = CHAT_TEXT;
    out->kind = c->writes = ev->kind == ENGINE_REASONING ? STORE_REASONING : STORE_TEXT;
    if (out->kind == STORE_REASONING)
        c->thought_ms = c->partial_ms + ev->usage.generation_time_ms;
    out->text = ev->text;
    out->len = ev->len;
    out->call = ev->kind == ENGINE_CALL;
    history_append(&c->history, c->answer, out->kind, ev->text, ev->len);
    keep_tokens(c, ev);
    return true;
}

static bool on_done(struct chat *c, const struct engine_event *ev, struct chat_event *out)
{
    static const enum store_state states[] = {
        [ENGINE_STOP_END] = STORE_COMPLETE,
        [ENGINE_STOP_LENGTH] = STORE_COMPLETE,
        [ENGINE_STOP_CANCEL] = STORE_STOPPED,
        [ENGINE_STOP_ERROR] = STORE_FAILED,
    };
    c->usage = ev->usage;
    c->stop = ev->stop;
    c->error = ev->error;
    if (ev->stop != ENGINE_STOP_ERROR)
        out->model->n_lost = 0;
    c->unfinished = ev->unfinished;
    if (ev->tool_calls && !(c->tool_calls = strdup(ev->tool_calls)))
        mem_fail();
    keep_tokens(c, ev);
    out->type = CHAT_END;
    out->error = ev->stop == ENGINE_STOP_ERROR ? ev->error_text : NULL;
    end_answer(c, states[ev->stop], out->error);
    return true;
}

/* Events of the current answer; leftovers of an abandoned one are dropped. */
static bool on_answer_event(struct chat *c, const struct engine_event *ev, struct chat_event *out)
{
    if (!c->answer || out->model != c->answering || ev->request != c->request)
        return false;
    out->turn = c->answer;
    switch (ev->type) {
    case ENGINE_PREFILL:
        c->phase = ENGINE_PREFILL;
        c->usage = ev->usage;
        c->prompt_done = ev->prompt_done;
        out->type = CHAT_PROGRESS;
        return true;
    case ENGINE_TEXT: return on_text(c, ev, out);
    case ENGINE_DONE: return on_done(c, ev, out);
    case ENGINE_READY:
    case ENGINE_FATAL: break;
    }
    return false;
}

/* The answer, if any, ends before its model goes away. */
static bool on_fatal(struct chat *c, const struct engine_event *ev, struct chat_event *out)
{
    struct pool_model *m = out->model;
    c->error = ev->error;
    say_to(m->fault, sizeof m->fault, 0, "%s", ev->error_text ? ev->error_text : "failed");
    if (c->answering != m)
        return false;
    c->stop = ENGINE_STOP_ERROR;
    out->type = CHAT_END;
    out->turn = c->answer;
    out->error = m->fault;
    end_answer(c, STORE_FAILED, m->fault);
    return true;
}

static bool on_event(struct chat *c, const struct engine_event *ev, struct chat_event *out)
{
    if (ev->type == ENGINE_FATAL)
        return on_fatal(c, ev, out);
    if (ev->type != ENGINE_READY)
        return on_answer_event(c, ev, out);
    model_pool_ready(&c->pool, out->model, ev->load_ms);
    out->type = CHAT_READY;
    return true;
}

static bool lose(struct chat *c, struct pool_model *m, struct chat_event *out)
{
    model_pool_close(&c->pool, m);
    m->n_lost++;
    *out = (struct chat_event){.type = CHAT_LOST, .model = m, .error = m->fault};
    return true;
}

bool chat_next_event(struct chat *c, struct chat_event *out)
{
    for (size_t i = 0; i < c->pool.n; i++) {
        struct pool_model *m = &c->pool.models[i];
        const struct engine_event *ev;
        while (m->engine && (ev = engine_next_event(m->engine, 0))) {
            *out = (struct chat_event){.model = m};
            if (on_event(c, ev, out))
                return true;
        }
        if (m->engine && m->fault[0])
            return lose(c, m, out);
    }
    return false;
}

size_t chat_poll(const struct chat *c, struct pollfd *fds)
{
    const struct model_pool *pool = &c->pool;
    size_t n = 0;
    for (size_t i = 0; i < pool->n; i++)
        if (pool->models[i].engine)
            fds[n++] = (struct pollfd){.fd = engine_wake_fd(pool->models[i].engine),
                                       .events = POLLIN};
    return n;
}

int chat_timeout_ms(const struct chat *c)
{
    return history_due_ms(&c->history);
}

static struct running_model row_of(const struct pool_model *m)
{
    struct running_model row = running_model_of(m->engine, m->file.name,
                                                m->answering ? RUNNING_ANSWERING
                                                : m->ready   ? RUNNING_IDLE
                                                             : RUNNING_LOADING);
    row.since_ms = m->used_ms;
    return row;
}

void chat_publish(struct chat *c)
{
    const struct model_pool *pool = &c->pool;
    struct running_model rows[POOL_MODELS];
    size_t n = 0;
    if (c->published == pool->revision + 1)
        return;
    c->published = pool->revision + 1;
    for (size_t i = 0; i < pool->n; i++)
        if (pool->models[i].engine)
            rows[n++] = row_of(&pool->models[i]);
    running_publish(&c->running, c->paths, c->as, rows, n);
}

void chat_save_due(struct chat *c)
{
    chat_publish(c);
    if (history_due_ms(&c->history) == 0)
        history_save(&c->history);
}

/* Numbers */

struct token_count chat_context_used(const struct chat *c)
{
    const struct history *h = &c->history;
    struct tokens k;
    if (c->answer)
        return (struct token_count){c->usage.prompt_tokens + c->usage.completion_tokens, false};
    if (!tokens_begin(&k, c, c->model))
        return (struct token_count){-1, false};
    if (h->n_turns == 0)
        return (struct token_count){0, false};
    const struct request_span all = request_span(h, h->n_turns, NULL);
    return tokens_of_span(&k, &all, false);
}

int64_t chat_count_tokens(const struct chat *c, const char *text, size_t len)
{
    int32_t *ids;
    size_t n;
    if (!c->model || !c->model->engine ||
        engine_tokenize(c->model->engine, text, len, false, &ids, &n) != 0)
        return -1;
    free(ids);
    return (int64_t)n;
}

int chat_exit_status(const struct chat *c, const struct turn *turn)
{
    switch (turn->state) {
    case STORE_COMPLETE:
        if (c->stop == ENGINE_STOP_LENGTH && turn->text[STORE_TEXT].len == 0)
            return EXIT_LENGTH;
        return c->unfinished ? EXIT_CHECK : 0;
    case STORE_FAILED:
        if (c->unfinished && c->error == ENGINE_ERROR)
            return EXIT_CHECK;
        return c->error == ENGINE_EMEMORY || c->error == ENGINE_EMODEL ? exit_of_engine(c->error)
                                                                       : EXIT_ANSWER;
    case STORE_STREAMING:
    case STORE_STOPPED:
    case STORE_INTERRUPTED: break;
    }
    return EXIT_ANSWER;
}
