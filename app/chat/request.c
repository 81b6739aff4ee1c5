/* request.c - see request.h. */
#include "app/chat/request.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "app/clock.h"
#include "app/mem.h"
#include "app/say.h"

/* Named like the option's choices. */
static const char *const think_names[] = {
    [ENGINE_THINK_AUTO] = "auto", [ENGINE_THINK_OFF] = "off", [ENGINE_THINK_ON] = "on"};

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
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(json);
    if (!text)
        mem_fail();
    return text;
}

struct request_span request_span(const struct history *h, size_t to, const struct str *question)
{
    return (struct request_span){history_window(h, to), to, question};
}

static void add_said(json_t *messages, enum store_role role, const struct str *text)
{
    static const char *const roles[] = {
        [STORE_SYSTEM] = "system",
        [STORE_USER] = "user",
        [STORE_ASSISTANT] = "assistant",
        [STORE_TOOL] = "tool",
    };
    if (role <= STORE_TOOL)
        add_message(messages, roles[role], str_get(text), text->len);
}

char *request_message(enum store_role role, const struct str *text)
{
    json_t *messages = json_array();
    add_said(messages, role, text);
    return dump(messages);
}

char *request_messages(const struct history *h, const struct request_span *span)
{
    json_t *messages = json_array();

    if (h->system && h->system[0])
        add_message(messages, "system", h->system, strlen(h->system));
    for (size_t i = span->from; i < span->to; i++)
        add_said(messages, h->turns[i]->role, &h->turns[i]->text[STORE_TEXT]);
    if (span->question)
        add_said(messages, STORE_USER, span->question);
    return dump(messages);
}

char *request_settings(const struct engine_request *request, const struct engine_info *info)
{
    const struct engine_sampling *s = &request->sampling;
    json_t *settings = json_pack(
        "{s:f, s:i, s:f, s:f, s:f, s:i, s:i, s:s, s:s*, s:s*, s:s*, s:s*, s:s*}", "temperature",
        (double)s->temperature, "top_k", s->top_k, "top_p", (double)s->top_p, "min_p",
        (double)s->min_p, "repeat_penalty", (double)s->repeat_penalty, "max_tokens",
        request->max_tokens, "n_ctx", info->n_ctx, "kv_type", engine_kv_type_name(info->kv_type),
        "date", request->date, "schema", request->schema, "grammar", request->grammar, "tools",
        request->tools, "tool_choice", request->tool_choice);
    if (!settings)
        mem_fail();
    if (info->thinks) {
        json_object_set_new(settings, "think", json_string(think_names[request->think]));
        json_object_set_new(settings, "reasoning_budget", json_integer(request->reasoning_budget));
    }
    return dump(settings);
}

static float real_or(const json_t *settings, const char *key, float otherwise)
{
    const json_t *value = json_object_get(settings, key);
    return json_is_number(value) ? (float)json_number_value(value) : otherwise;
}

static int int_or(const json_t *settings, const char *key, int otherwise)
{
    const json_t *value = json_object_get(settings, key);
    json_int_t n = json_integer_value(value);
    return json_is_integer(value) && n >= 0 && n <= INT_MAX ? (int)n : otherwise;
}

void request_read_settings(struct engine_request *request, const char *settings, char *date,
                           size_t datelen)
{
    struct engine_sampling *s = &request->sampling;
    json_t *json = json_loads(settings, 0, NULL);
    const char *day = json_string_value(json_object_get(json, "date"));
    const char *think = json_string_value(json_object_get(json, "think"));

    s->temperature = real_or(json, "temperature", s->temperature);
    s->top_k = int_or(json, "top_k", s->top_k);
    s->top_p = real_or(json, "top_p", s->top_p);
    s->min_p = real_or(json, "min_p", s->min_p);
    s->repeat_penalty = real_or(json, "repeat_penalty", s->repeat_penalty);
    request->max_tokens = int_or(json, "max_tokens", request->max_tokens);
    request->reasoning_budget = int_or(json, "reasoning_budget", request->reasoning_budget);
    for (int i = 0; think && i <= ENGINE_THINK_ON; i++)
        if (strcmp(think, think_names[i]) == 0)
            request->think = (enum engine_think)i;
    if (day && say_to(date, datelen, 0, "%s", day) == 0)
        request->date = date;
    json_decref(json);
}

char *request_add_thought(const char *settings, const struct engine_usage *usage, double ms)
{
    json_t *json = json_loads(settings, 0, NULL);
    if (!json)
        json = json_object();
    if (usage->partial_tokens > 0)
        json_object_set_new(json, "continued",
                            json_pack("{s:i, s:i}", "tokens", usage->partial_tokens,
                                      "reasoning_tokens", usage->partial_reasoning_tokens));
    if (ms > 0)
        json_object_set_new(json, "reasoning_ms", json_integer((json_int_t)ms));
    return dump(json);
}

struct request_thought request_thought(const char *settings)
{
    json_t *json = settings ? json_loads(settings, 0, NULL) : NULL;
    struct request_thought thought = {
        .continued_tokens = int_or(json_object_get(json, "continued"), "reasoning_tokens", 0),
        .ms = int_or(json, "reasoning_ms", 0),
    };
    json_decref(json);
    return thought;
}

bool request_filled(const struct store_generation *g)
{
    json_t *json = g->settings ? json_loads(g->settings, 0, NULL) : NULL;
    int n_ctx = int_or(json, "n_ctx", 0);
    json_decref(json);
    return n_ctx > 0 && g->prompt_tokens + g->completion_tokens >= n_ctx;
}

void request_date(const struct options *o, char *out, size_t outlen)
{
    struct tm day = {.tm_year = (int)(o->date / 10000) - 1900,
                     .tm_mon = (int)(o->date / 100 % 100) - 1,
                     .tm_mday = (int)(o->date % 100)};
    time_t now = time(NULL);
    if (o->date == 0)
        localtime_r(&now, &day);
    strftime(out, outlen, "%d %b %Y", &day);
}

void request_set_thinking(struct engine_request *request, const struct options *o)
{
    bool none = o->think == ENGINE_THINK_OFF || o->reasoning_budget == 0;
    request->think = none ? ENGINE_THINK_OFF : (enum engine_think)o->think;
    request->reasoning_budget = o->reasoning_budget > 0 ? (int)o->reasoning_budget : 0;
}

struct engine_sampling request_sampling(const struct options *o, const struct engine_info *info)
{
    const struct engine_sampling *model = &info->sampling;
    return (struct engine_sampling){
        .temperature = isnan(o->temperature) ? model->temperature : (float)o->temperature,
        .top_k = o->top_k < 0 ? model->top_k : (int)o->top_k,
        .top_p = isnan(o->top_p) ? model->top_p : (float)o->top_p,
        .min_p = isnan(o->min_p) ? model->min_p : (float)o->min_p,
        .repeat_penalty = isnan(o->repeat_penalty) ? model->repeat_penalty
                                                   : (float)o->repeat_penalty,
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
