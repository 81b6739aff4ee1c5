/* request.h - a conversation as the engine takes it, and an answer's settings as the store keeps
 * them: JSON. */
#ifndef APP_CHAT_REQUEST_H
#define APP_CHAT_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "app/chat/history.h"
#include "app/options.h"
#include "engine/engine.h"

/* What a model gets: turns from..to of the path, and one more question unless it is NULL. */
struct request_span {
    size_t from, to;
    const struct str *question;
};

/* The path's first `to` turns, without those before the window. */
struct request_span request_span(const struct history *h, size_t to, const struct str *question);

/* The span in the form of OpenAI's chat API, after the system prompt; of earlier answers without
 * the reasoning. The caller's to free. */
char *request_messages(const struct history *h, const struct request_span *span);

/* One message alone, in the same form. The caller's to free. */
char *request_message(enum store_role role, const struct str *text);

/* The settings of an answer. The caller's to free. */
char *request_settings(const struct engine_request *request, const struct engine_info *info);

/* Gives a request for the rest of an answer the settings of its beginning, as far as they are
 * stored. `date` receives what request->date then points to. */
void request_read_settings(struct engine_request *request, const char *settings, char *date,
                           size_t datelen);

/* Adds to the settings how much reasoning the answer continued and how long its reasoning took;
 * and reads that again. The text is the caller's to free. */
struct request_thought {
    int64_t continued_tokens; /* length of the continued reasoning; 0: written in one go */
    int64_t ms;               /* 0: not known */
};
char *request_add_thought(const char *settings, const struct engine_usage *usage, double ms);
struct request_thought request_thought(const char *settings);

/* Whether an answer ended because the context was full. */
bool request_filled(const struct store_generation *g);

/* The date as prompts tell it, "26 Jul 2024": the option's, else today. */
void request_date(const struct options *o, char *out, size_t outlen);

/* Whether and for how long the model thinks, as the options say. */
void request_set_thinking(struct engine_request *request, const struct options *o);

/* The options' settings, else the model's. A seed of -1 is left to be drawn later. */
struct engine_sampling request_sampling(const struct options *o, const struct engine_info *info);

/* The engine's names. */
const char *request_stop_name(enum engine_stop stop);

/* A random seed that any JSON reader keeps exactly. */
uint64_t request_random_seed(void);

#endif
