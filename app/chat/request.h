/* request.h - a conversation as the engine wants it, and a generation as the
 * store wants it: JSON. */
#ifndef APP_CHAT_REQUEST_H
#define APP_CHAT_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "app/chat/history.h"
#include "app/options.h"
#include "engine/engine.h"

/* What a model is given: turns from..to of the path, and one more question unless that is NULL. */
struct request_span {
    size_t from, to;
    const struct str *question;
};

/* The path's first `to` turns, as far as they are in the window. */
struct request_span request_span(const struct history *h, size_t to, const struct str *question);

/* The span in the form of OpenAI's chat API, after the system prompt. Of earlier answers only what
 * was said, not what was thought. The caller's to free. */
char *request_messages(const struct history *h, const struct request_span *span);

/* What an answer was made with. The caller's to free. */
char *request_settings(const struct engine_request *request, const struct engine_info *info);

/* Makes a request for the rest of an answer be as the one for its beginning was: what the stored
 * settings say, else it stays. `date` receives what request->date then points to. */
void request_read_settings(struct engine_request *request, const char *settings, char *date,
                           size_t datelen);

/* The settings with what the answer went on from, if it did, and how long its reasoning took; and
 * that again. The text is the caller's to free. */
struct request_thought {
    int64_t begun_tokens; /* of reasoning that was there before; 0: written in one go */
    int64_t ms;           /* 0: not known */
};
char *request_add_thought(const char *settings, const struct engine_usage *usage, double ms);
struct request_thought request_thought(const char *settings);

/* Whether an answer ended because the model's context had no room for more of it. */
bool request_filled(const struct store_generation *g);

/* Whether and for how long the model thinks, as the options say. */
void request_set_thinking(struct engine_request *request, const struct options *o);

/* What the options say, else what the model recommends. A seed of -1 stays one to be drawn. */
struct engine_sampling request_sampling(const struct options *o, const struct engine_info *info);

/* The engine's names. */
const char *request_stop_name(enum engine_stop stop);

/* A random seed that any JSON reader keeps exactly. */
uint64_t request_random_seed(void);

#endif
