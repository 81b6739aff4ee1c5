/* queue.c - one mutex, two conditions, and a pipe that is readable while events wait; see
 * queue.h. A request's waiting events are a set of types, delivered in the order of enum
 * engine_event_type. */
#include "queue.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct tokens {
    int32_t *ids;
    size_t n, cap;
};

/* Text of one kind, not yet fetched, and the tokens that came with it. */
struct piece {
    struct piece *next;
    enum engine_text kind;
    struct tokens tokens;
    size_t len, cap;
    char text[];
};

struct queue_events {
    /* Immutable. */
    uint64_t id;
    void *request;

    atomic_bool cancelled, answer_now;

    /* Under the lock. */
    struct queue_events *next_live;
    struct queue_events *next_submitted;
    struct queue_events *next_telling;
    unsigned waiting; /* bit t: an event of type t */
    struct piece *pieces;
    struct tokens last_tokens; /* that no text came with */
    int prompt_done;
    double load_ms;
    struct engine_usage usage;
    enum engine_stop stop;
    enum engine_error error;
    char error_text[256];
    char *tool_calls; /* or NULL */
    bool unfinished;
};

struct call {
    struct call *next;
    void (*call)(void *ud);
    void *ud;
    bool done;
};

struct queue {
    /* Immutable. */
    int wake[2]; /* pipe: read end, write end */

    atomic_bool shut, interrupt; /* set under the lock, read anywhere */

    pthread_mutex_t lock;
    pthread_cond_t work;   /* signals the engine: work to do */
    pthread_cond_t told;   /* signals the listener: an event waits */
    pthread_cond_t called; /* for callers of queue_call */

    /* Under the lock. */
    uint64_t last_id;
    struct queue_events ready, fatal; /* of no request */
    struct queue_events *live;        /* every request whose DONE was not fetched */
    struct queue_events *submitted, **submitted_end;
    struct queue_events *telling, **telling_end; /* those with events waiting, in turn */
    struct call *calls, **calls_end;

    /* The listener's: what the event last given points to. */
    struct engine_event event;
    struct piece *held_piece;
    struct queue_events *held_events;
};

int queue_open(struct queue **out)
{
    struct queue *q = calloc(1, sizeof *q);
    if (!q)
        return -1;
    if (pipe2(q->wake, O_CLOEXEC | O_NONBLOCK) < 0) {
        free(q);
        return -1;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->work, NULL);
    pthread_cond_init(&q->told, &monotonic);
    pthread_cond_init(&q->called, NULL);
    pthread_condattr_destroy(&monotonic);

    q->submitted_end = &q->submitted;
    q->telling_end = &q->telling;
    q->calls_end = &q->calls;
    *out = q;
    return 0;
}

static void piece_free(struct piece *piece)
{
    if (piece)
        free(piece->tokens.ids);
    free(piece);
}

static void events_free(struct queue_events *ev)
{
    if (!ev)
        return;
    while (ev->pieces) {
        struct piece *next = ev->pieces->next;
        piece_free(ev->pieces);
        ev->pieces = next;
    }
    free(ev->last_tokens.ids);
    free(ev->tool_calls);
    free(ev);
}

void queue_close(struct queue *q)
{
    if (!q)
        return;
    while (q->live) {
        struct queue_events *next = q->live->next_live;
        events_free(q->live);
        q->live = next;
    }
    events_free(q->held_events);
    piece_free(q->held_piece);
    pthread_cond_destroy(&q->called);
    pthread_cond_destroy(&q->told);
    pthread_cond_destroy(&q->work);
    pthread_mutex_destroy(&q->lock);
    close(q->wake[0]);
    close(q->wake[1]);
    free(q);
}

/* Adds an event to those waiting. The lock is held. */
static void tell(struct queue *q, struct queue_events *ev, enum engine_event_type type)
{
    bool listed = ev->waiting != 0;
    ev->waiting |= 1u << type;
    if (listed)
        return;
    if (!q->telling) {
        while (write(q->wake[1], "", 1) < 0 && errno == EINTR)
            ;
        pthread_cond_signal(&q->told);
    }
    ev->next_telling = NULL;
    *q->telling_end = ev;
    q->telling_end = &ev->next_telling;
}

/* The callers' side */

int queue_submit(struct queue *q, void *request, uint64_t *id_out)
{
    struct queue_events *ev = calloc(1, sizeof *ev);
    if (!ev)
        return -1;
    ev->request = request;

    pthread_mutex_lock(&q->lock);
    *id_out = ev->id = ++q->last_id;
    ev->next_live = q->live;
    q->live = ev;
    *q->submitted_end = ev;
    q->submitted_end = &ev->next_submitted;
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&q->lock);
    return 0;
}

/* Takes ev from the requests that the engine has not taken; false if it is not one of them. */
static bool take_back(struct queue *q, struct queue_events *ev)
{
    struct queue_events **at = &q->submitted;
    while (*at && *at != ev)
        at = &(*at)->next_submitted;
    if (!*at)
        return false;
    *at = ev->next_submitted;
    if (!*at)
        q->submitted_end = at;
    return true;
}

/* The lock is held. */
static struct queue_events *find_live(struct queue *q, uint64_t id)
{
    struct queue_events *ev = q->live;
    while (ev && ev->id != id)
        ev = ev->next_live;
    return ev;
}

/* Each request can interrupt one step only, however often it is cancelled. */
void *queue_cancel(struct queue *q, uint64_t id)
{
    void *request = NULL;

    pthread_mutex_lock(&q->lock);
    struct queue_events *ev = find_live(q, id);
    if (id == 0)
        atomic_store(&q->interrupt, true);
    if (ev && !atomic_exchange(&ev->cancelled, true)) {
        if (take_back(q, ev)) {
            request = ev->request;
            ev->stop = ENGINE_STOP_CANCEL;
            tell(q, ev, ENGINE_DONE);
        } else {
            atomic_store(&q->interrupt, true);
            pthread_cond_signal(&q->work);
        }
    }
    pthread_mutex_unlock(&q->lock);
    return request;
}

void queue_answer_now(struct queue *q, uint64_t id)
{
    pthread_mutex_lock(&q->lock);
    struct queue_events *ev = find_live(q, id);
    if (ev)
        atomic_store(&ev->answer_now, true);
    pthread_mutex_unlock(&q->lock);
}

void queue_call(struct queue *q, void (*call)(void *ud), void *ud)
{
    struct call c = {.call = call, .ud = ud};

    pthread_mutex_lock(&q->lock);
    *q->calls_end = &c;
    q->calls_end = &c.next;
    pthread_cond_signal(&q->work);
    while (!c.done)
        pthread_cond_wait(&q->called, &q->lock);
    pthread_mutex_unlock(&q->lock);
}

void queue_shut(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    atomic_store(&q->shut, true);
    atomic_store(&q->interrupt, true);
    pthread_cond_signal(&q->work);
    pthread_mutex_unlock(&q->lock);
}

int queue_fd(const struct queue *q)
{
    return q->wake[0];
}

/* Waits for an event; false on timeout. */
static bool await_told(struct queue *q, int timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000L;
    }
    while (!q->telling) {
        if (timeout_ms < 0)
            pthread_cond_wait(&q->told, &q->lock);
        else if (timeout_ms == 0 || pthread_cond_timedwait(&q->told, &q->lock, &until) == ETIMEDOUT)
            break;
    }
    return q->telling != NULL;
}

static void unlink_live(struct queue *q, struct queue_events *ev)
{
    struct queue_events **at = &q->live;
    while (*at != ev)
        at = &(*at)->next_live;
    *at = ev->next_live;
}

/* Turns the first event that waits in ev into q->event. */
static void take_event(struct queue *q, struct queue_events *ev)
{
    enum engine_event_type type = (enum engine_event_type)__builtin_ctz(ev->waiting);
    struct piece *piece = type == ENGINE_TEXT ? ev->pieces : NULL;
    q->event = (struct engine_event){
        .type = type,
        .request = ev->id,
        .prompt_done = ev->prompt_done,
        .usage = ev->usage,
        .load_ms = ev->load_ms,
    };
    if (type == ENGINE_DONE || type == ENGINE_FATAL) {
        q->event.stop = ev->stop;
        q->event.error = ev->error;
        q->event.error_text = ev->error ? ev->error_text : NULL;
        q->event.tool_calls = ev->tool_calls;
        q->event.unfinished = ev->unfinished;
        q->event.tokens = ev->last_tokens.ids;
        q->event.n_tokens = ev->last_tokens.n;
    }
    if (piece) {
        q->event.kind = piece->kind;
        q->event.text = piece->text;
        q->event.len = piece->len;
        q->event.tokens = piece->tokens.ids;
        q->event.n_tokens = piece->tokens.n;
        q->held_piece = piece;
        ev->pieces = piece->next;
    }
    if (!piece || !ev->pieces)
        ev->waiting &= ~(1u << type);
    if (type == ENGINE_DONE) {
        unlink_live(q, ev);
        q->held_events = ev;
    }
}

const struct engine_event *queue_next(struct queue *q, int timeout_ms)
{
    pthread_mutex_lock(&q->lock);
    piece_free(q->held_piece);
    events_free(q->held_events);
    q->held_piece = NULL;
    q->held_events = NULL;

    bool any = await_told(q, timeout_ms);
    if (any) {
        struct queue_events *ev = q->telling;
        take_event(q, ev);
        if (ev->waiting == 0) {
            q->telling = ev->next_telling;
            if (!q->telling) {
                q->telling_end = &q->telling;
                char byte;
                while (read(q->wake[0], &byte, 1) < 0 && errno == EINTR)
                    ;
            }
        }
    }
    pthread_mutex_unlock(&q->lock);
    return any ? &q->event : NULL;
}

/* The engine's side */

/* Makes one call, if one waits. The lock is held, but not during the call. */
static bool make_call(struct queue *q)
{
    struct call *c = q->calls;
    if (!c)
        return false;
    q->calls = c->next;
    if (!q->calls)
        q->calls_end = &q->calls;
    pthread_mutex_unlock(&q->lock);
    c->call(c->ud);
    pthread_mutex_lock(&q->lock);
    c->done = true;
    pthread_cond_broadcast(&q->called);
    return true;
}

bool queue_take(struct queue *q, bool wait, void **request_out, struct queue_events **events_out)
{
    pthread_mutex_lock(&q->lock);
    while (!q->submitted) {
        if (make_call(q))
            continue;
        if (!wait || atomic_load(&q->shut))
            break;
        pthread_cond_wait(&q->work, &q->lock);
    }
    struct queue_events *ev = q->submitted;
    if (ev) {
        q->submitted = ev->next_submitted;
        if (!q->submitted)
            q->submitted_end = &q->submitted;
        *request_out = ev->request;
        *events_out = ev;
    }
    pthread_mutex_unlock(&q->lock);
    return ev != NULL;
}

bool queue_is_shut(const struct queue *q)
{
    return atomic_load(&q->shut);
}

const atomic_bool *queue_shut_flag(const struct queue *q)
{
    return &q->shut;
}

const atomic_bool *queue_interrupt_flag(const struct queue *q)
{
    return &q->interrupt;
}

/* Not under the lock: whoever cancels first marks the request and then sets the flag, so a flag
 * lost here belongs to a mark that is seen after. */
void queue_begin_step(struct queue *q)
{
    atomic_store(&q->interrupt, false);
    if (atomic_load(&q->shut))
        atomic_store(&q->interrupt, true);
}

bool queue_is_cancelled(const struct queue_events *ev)
{
    return atomic_load(&ev->cancelled);
}

bool queue_wants_answer(const struct queue_events *ev)
{
    return atomic_load(&ev->answer_now);
}

void queue_emit_ready(struct queue *q, double load_ms)
{
    pthread_mutex_lock(&q->lock);
    q->ready.load_ms = load_ms;
    tell(q, &q->ready, ENGINE_READY);
    pthread_mutex_unlock(&q->lock);
}

void queue_emit_prefill(struct queue *q, struct queue_events *ev, int prompt_done,
                        const struct engine_usage *usage)
{
    pthread_mutex_lock(&q->lock);
    ev->prompt_done = prompt_done;
    ev->usage = *usage;
    tell(q, ev, ENGINE_PREFILL);
    pthread_mutex_unlock(&q->lock);
}

static int append_tokens(struct tokens *t, const int32_t *ids, size_t n)
{
    if (t->n + n > t->cap) {
        size_t cap = 2 * (t->n + n);
        int32_t *grown = realloc(t->ids, cap * sizeof *grown);
        if (!grown)
            return -1;
        t->ids = grown;
        t->cap = cap;
    }
    if (n > 0)
        memcpy(t->ids + t->n, ids, n * sizeof *ids);
    t->n += n;
    return 0;
}

/* Appends text to the last piece if that is of its kind, else as a new one. -1: out of memory. */
static int append(struct queue_events *ev, const struct queue_text *add)
{
    struct piece **at = &ev->pieces;
    while (*at && ((*at)->next || (*at)->kind != add->kind))
        at = &(*at)->next;

    size_t used = *at ? (*at)->len : 0;
    if (!*at || (*at)->cap <= used + add->len) {
        size_t cap = 2 * (used + add->len) + 64;
        struct piece *grown = realloc(*at, sizeof *grown + cap);
        if (!grown)
            return -1;
        if (!*at)
            *grown = (struct piece){.kind = add->kind};
        *at = grown;
        grown->cap = cap;
    }
    struct piece *p = *at;
    memcpy(p->text + used, add->text, add->len);
    p->len = used + add->len;
    p->text[p->len] = '\0';
    return append_tokens(&p->tokens, add->tokens, add->n_tokens);
}

int queue_emit_text(struct queue *q, struct queue_events *ev, const struct queue_text *text,
                    const struct engine_usage *usage)
{
    pthread_mutex_lock(&q->lock);
    int rc = append(ev, text);
    if (rc == 0) {
        ev->usage = *usage;
        tell(q, ev, ENGINE_TEXT);
    }
    pthread_mutex_unlock(&q->lock);
    return rc;
}

static void set_error(struct queue_events *ev, enum engine_error error, const char *text)
{
    ev->error = error;
    snprintf(ev->error_text, sizeof ev->error_text, "%s", text ? text : "");
}

void queue_emit_done(struct queue *q, struct queue_events *ev, const struct queue_end *end)
{
    char *tool_calls = end->tool_calls ? strdup(end->tool_calls) : NULL;
    pthread_mutex_lock(&q->lock);
    ev->tool_calls = tool_calls;
    ev->unfinished = end->unfinished;
    ev->stop = end->stop;
    ev->usage = end->usage;
    append_tokens(&ev->last_tokens, end->tokens,
                  end->n_tokens); /* without, they are only unknown */
    set_error(ev, end->error, end->error_text);
    tell(q, ev, ENGINE_DONE);
    pthread_mutex_unlock(&q->lock);
}

void queue_emit_fatal(struct queue *q, enum engine_error error, const char *text)
{
    pthread_mutex_lock(&q->lock);
    set_error(&q->fatal, error, text);
    tell(q, &q->fatal, ENGINE_FATAL);
    pthread_mutex_unlock(&q->lock);
}
