/* chat.h - one exchange after another between a person, a model and the store.
 *
 * A chat holds the models that were used, one conversation (history.h) and at most one answer that
 * is being written. The screen, the line mode and the pipe all work on it, and in the same way:
 *
 *     chat_use(c, NULL, ...)                 the default model; loading goes on by itself
 *     chat_ask(c, text, len, ...)            a question, which begins an answer
 *     poll(chat_poll(c, fds, n), ..., chat_timeout_ms(c))
 *     while (chat_next_event(c, &event)) ... what came of it
 *     chat_save_due(c)                       the store follows
 *
 * No call waits for a model. Statuses are 0 or an exit status (exit.h), with one line in err. */
#ifndef APP_CHAT_CHAT_H
#define APP_CHAT_CHAT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/chat/history.h"
#include "app/chat/library.h"
#include "app/chat/request.h"
#include "app/chat/response_format.h"
#include "app/models/models.h"
#include "app/models/pool.h"
#include "app/models/running.h"
#include "app/options.h"
#include "app/paths.h"
#include "engine/engine.h"

enum { CHAT_MODELS = POOL_MODELS };

struct chat {
    struct options *options;
    const struct paths *paths;
    struct history history;
    struct response_format format; /* the form that answers must have */
    struct library library;
    struct running running; /* tells `duet ps` of us, */
    const char *as;         /* as this, see running_process */
    uint64_t published;     /* the pool's revision that was published last, plus 1 */
    int64_t marked;         /* the turn that the user has marked, by its number; 0: none */

    struct model_pool pool;   /* the models in memory */
    struct pool_model *model; /* who answers next; NULL: none yet */

    /* The answer that is being written; NULL: none. */
    struct turn *answer;
    struct pool_model *answering;
    enum store_kind writes; /* what it is writing */
    double thought_ms;      /* that its reasoning took, */
    double partial_ms;      /* in the part of it that was there already; 0: none yet */
    uint64_t request;
    enum engine_event_type phase; /* ENGINE_READY: waits, ENGINE_PREFILL, ENGINE_TEXT */
    int prompt_done;
    struct engine_usage usage; /* of this answer, or else of the last one */
    double load_ms;            /* that its model took to load */
    enum engine_stop stop;     /* why the last answer ended */
    enum engine_error error;   /* and, if that was an error, which */
    bool unfinished;           /* it ended before it had its form */
    char *tool_calls;          /* its tool calls as JSON; or NULL */
    int64_t offered;           /* conversation whose answer may be continued; 0: none */
    char date[32];             /* of the answer */
};

void chat_init(struct chat *c, struct options *options, const struct paths *paths);

/* Marks an answer that is being written as interrupted, saves, frees everything. */
void chat_done(struct chat *c);

/* Opens the history that the options name, at the conversation that they name. If the default file
 * cannot be used the chat continues without one and c->history.off says why. Fails if a database or
 * a conversation was named and cannot be opened. */
int chat_open_history(struct chat *c, char *err, size_t errlen);

/* Makes the named model the current one, and loads it unless it is in memory; others may be
 * unloaded to make room, which model_pool_take_note() reports. NULL: the options' model, else the
 * default. */
int chat_use(struct chat *c, const char *name, char *err, size_t errlen);

/* The same, on this device. */
int chat_use_on(struct chat *c, const char *name, enum pool_device where, char *err, size_t errlen);

/* Reloads a model that was unloaded or lost, see model_pool_open(). */
int chat_reopen(struct chat *c, char *err, size_t errlen);

/* Asks the model, with the conversation so far. On failure nothing has changed. */
int chat_ask(struct chat *c, const char *text, size_t len, char *err, size_t errlen);

/* The same on a branch: chat_edit replaces a question on the path; chat_regenerate answers the
 * question of a turn again, with the named model unless NULL. */
int chat_edit(struct chat *c, struct turn *question, const char *text, size_t len, char *err,
              size_t errlen);
int chat_regenerate(struct chat *c, struct turn *turn, const char *model, char *err, size_t errlen);

/* Continues the last answer, in its turn and with its model, if it was cut short. */
int chat_continue(struct chat *c, char *err, size_t errlen);

/* Adds a sentence saying that the context is full, and what would make room. */
void chat_add_full(const struct chat *c, struct str *out);

/* Lets the model think further about its last answer; the result is a new version of it. */
int chat_think_more(struct chat *c, char *err, size_t errlen);

/* Looks for an interrupted answer that chat_continue, or /continue, could resume: then c->offered
 * is its conversation, and the beginning of its question is appended to out. */
bool chat_find_offer(struct chat *c, struct str *out);

/* Declines that offer for good. */
void chat_decline(struct chat *c);

/* Ends the thinking of the current answer. */
void chat_answer_now(struct chat *c);

/* The three steps of starting any answer: its request, as the options want it; its submission; the
 * turn that it is written to. */
void chat_prepare(struct chat *c, const struct pool_model *model, struct engine_request *request);
int chat_submit(struct chat *c, const struct pool_model *model,
                const struct engine_request *request, char *err, size_t errlen);
void chat_begin(struct chat *c, struct pool_model *model, struct turn *turn,
                const struct engine_request *request);

/* Stops the answer; the text so far is kept. CHAT_END still follows. */
void chat_stop(struct chat *c);

/* Ends the answer immediately, without waiting for the engine. No event follows. */
void chat_abandon(struct chat *c, enum store_state state);

enum chat_event_type {
    CHAT_READY,    /* a model is loaded */
    CHAT_PROGRESS, /* the prompt is being read, c->prompt_done of c->usage.prompt_tokens */
    CHAT_TEXT,     /* a piece of the answer */
    CHAT_END,      /* the answer is over; error says why where it failed */
    CHAT_LOST,     /* a model cannot go on; error says why */
};

struct chat_event {
    enum chat_event_type type;
    struct pool_model *model;
    struct turn *turn;
    enum store_kind kind;
    const char *text; /* until the next call */
    size_t len;
    bool call; /* the text is a tool call, as the model writes it */
    const char *error;
};

/* Fills in at most CHAT_MODELS descriptors to wait for; returns how many. */
size_t chat_poll(const struct chat *c, struct pollfd *fds);

/* How long poll may sleep until something is to be saved; -1: for ever. */
int chat_timeout_ms(const struct chat *c);

/* The next event, or false when nothing waits. */
bool chat_next_event(struct chat *c, struct chat_event *out);

/* Saves if due, and publishes what is in memory to other processes. */
void chat_save_due(struct chat *c);

/* Publishes what is in memory to other processes, if that has changed. */
void chat_publish(struct chat *c);

/* A number of tokens; -1: unknown. */
struct token_count {
    int64_t n;
    bool more; /* there are more, which were not counted */
};

/* Tokens of the conversation as the model will get it, without a next question. */
struct token_count chat_context_used(const struct chat *c);

/* Tokens of a text by itself; -1: unknown. */
int64_t chat_count_tokens(const struct chat *c, const char *text, size_t len);

/* The sampling of an answer started now; a seed of -1 is not drawn yet. */
struct engine_sampling chat_sampling(const struct chat *c, const struct pool_model *model);

/* The exit status that stands for how the last answer ended. */
int chat_exit_status(const struct chat *c, const struct turn *turn);

#endif
