/* request.c - see request.h. */
#include "app/request.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>

#include "app/clock.h"
#include "app/mem.h"

static void add_message(json_t *messages, const char *role, const char *text, size_t len)
{
    json_t *message = json_object();
    if (json_object_set_new(message, "role", json_string(role)) != 0 ||
        json_object_set_new(message, "content", json_stringn(text, len)) != 0 ||
        json_array_append_new(messages, message) != 0)
        mem_fail();
}

static char *dump(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!text)
        mem_fail();
    return text;
}

struct request_span request_span(const struct history *h, size_t to, const struct str *question)
{
    return (struct request_span){history_window(h, to), to, question};
}

char *request_messages(const struct history *h, const struct request_span *span)
{
    static const char *const roles[] = {
        [STORE_SYSTEM] = "system",
        [STORE_USER] = "user",
        [STORE_ASSISTANT] = "assistant",
        [STORE_TOOL] = "tool",
    };
    json_t *messages = json_array();

    if (h->system && h->system[0])
        add_message(messages, "system", h->system, strlen(h->system));
    for (size_t i = span->from; i < span->to; i++) {
        const struct turn *t = h->turns[i];
        const struct str *said = &t->text[STORE_TEXT];
        if (t->role <= STORE_TOOL)
            add_message(messages, roles[t->role], str_get(said), said->len);
    }
    if (span->question)
        add_message(messages, "user", str_get(span->question), span->question->len);
    return dump(messages);
}

char *request_settings(const struct engine_request *request, const struct engine_info *info)
{
    const struct engine_sampling *s = &request->sampling;
    json_t *settings = json_pack(
        "{s:f, s:i, s:f, s:f, s:f, s:i, s:i, s:s*, s:s*, s:s*, s:s*, s:s*}", "temperature",
        (double)s->temperature, "top_k", s->top_k, "top_p", (double)s->top_p, "min_p",
        (double)s->min_p, "repeat_penalty", (double)s->repeat_penalty, "max_tokens",
        request->max_tokens, "n_ctx", info->n_ctx, "date", request->date, "schema", request->schema,
        "grammar", request->grammar, "tools", request->tools, "tool_choice", request->tool_choice);
    if (!settings)
        mem_fail();
    char *text = json_dumps(settings, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(settings);
    return text;
}

struct engine_sampling request_sampling(const struct options *o, const struct engine_info *info)
{
    return (struct engine_sampling){
        .temperature = isnan(o->temperature) ? info->temperature : (float)o->temperature,
        .top_k = o->top_k < 0 ? 0 : (int)o->top_k,
        .top_p = isnan(o->top_p) ? info->top_p : (float)o->top_p,
        .min_p = isnan(o->min_p) ? 0.0f : (float)o->min_p,
        .repeat_penalty = isnan(o->repeat_penalty) ? 1.0f : (float)o->repeat_penalty,
        .seed = (uint64_t)o->seed,
    };
}

const char *request_stop_name(enum engine_stop stop)
{
    switch (stop) {
    case ENGINE_STOP_END: return "stop";
    case ENGINE_STOP_LENGTH: return "length";
    case ENGINE_STOP_CANCEL: return "cancelled";
    case ENGINE_STOP_ERROR: return "error";
    }
    return "";
}

uint64_t request_random_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)(clock_ms() * 1e6) * 0x9e3779b97f4a7c15u;
    return seed >> 11;
}
