/* line.c - see line.h. */
#include "app/batch/line.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "app/chat/request.h"
#include "app/lines.h"
#include "app/mem.h"
#include "app/numbers.h"
#include "app/say.h"

/* Reading */

struct reader {
    struct batch_line *line;
    const struct batch_defaults *defaults;
    char *err;
    size_t errlen;
};

static int refuse(const struct reader *r, const char *key, const char *reason)
{
    return say_to(r->err, r->errlen, -1, "%s: %s", key, reason);
}

static int read_real(const struct reader *r, const char *key, json_t *value)
{
    struct engine_sampling *s = &r->line->request.sampling;
    float *to = strcmp(key, "temperature") == 0 ? &s->temperature
                : strcmp(key, "top_p") == 0     ? &s->top_p
                : strcmp(key, "min_p") == 0     ? &s->min_p
                                                : &s->repeat_penalty;
    if (!json_is_number(value))
        return refuse(r, key, "not a number");
    *to = (float)json_number_value(value);
    return 0;
}

static int read_int(const struct reader *r, const char *key, json_t *value)
{
    int *to = strcmp(key, "top_k") == 0 ? &r->line->request.sampling.top_k
                                        : &r->line->request.max_tokens;
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 0 || n > INT_MAX)
        return refuse(r, key, "not a whole number that is possible");
    *to = (int)n;
    return 0;
}

static int read_seed(const struct reader *r, const char *key, json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return refuse(r, key, "not a whole number from 0 on");
    r->line->request.sampling.seed = (uint64_t)json_integer_value(value);
    return 0;
}

static int read_stop(const struct reader *r, const char *key, json_t *value)
{
    size_t n = json_is_array(value) ? json_array_size(value) : 1;
    const char **stop = mem_alloc((n + 1) * sizeof *stop);
    r->line->stop = stop;
    r->line->request.stop = stop;
    for (size_t i = 0; i < n; i++) {
        json_t *text = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_string(text))
            return refuse(r, key, "neither a string nor an array of strings");
        stop[i] = json_string_value(text);
    }
    return 0;
}

static int read_model(const struct reader *r, const char *key, json_t *value)
{
    const char *name = json_string_value(value), *ours = r->defaults->model;
    if (name && strcmp(name, ours) == 0)
        return 0;
    return say_to(r->err, r->errlen, -1, "%s: not the one of this batch (got %s, limit %s)", key,
                  name ? name : "no string", ours);
}

/* A value of the line as a string that lives as long as the line. NULL: out of memory. */
static const char *keep_text(const struct reader *r, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    json_t *kept = text ? json_string(text) : NULL;
    free(text);
    if (!kept || json_array_append_new(r->line->texts, kept) != 0)
        mem_fail();
    return json_string_value(kept);
}

static int read_schema(const struct reader *r, const char *key, json_t *value)
{
    (void)key;
    r->line->request.schema = keep_text(r, value);
    r->line->request.grammar = NULL;
    return 0;
}

static int read_grammar(const struct reader *r, const char *key, json_t *value)
{
    if (!json_is_string(value))
        return refuse(r, key, "not a string");
    r->line->request.grammar = json_string_value(value);
    r->line->request.schema = NULL;
    return 0;
}

/* OpenAI's: {"type": "json_schema", "json_schema": {"schema": ...}} and two simpler ones. */
static int read_response_format(const struct reader *r, const char *key, json_t *value)
{
    const char *type = json_string_value(json_object_get(value, "type"));
    json_t *schema = json_object_get(json_object_get(value, "json_schema"), "schema");
    if (type && strcmp(type, "text") == 0)
        return 0;
    if (type && strcmp(type, "json_schema") == 0 && schema)
        return read_schema(r, key, schema);
    if (!type || strcmp(type, "json_object") != 0)
        return refuse(r, key, "neither text, json_object nor json_schema");
    r->line->request.schema = "{\"type\":\"object\"}";
    r->line->request.grammar = NULL;
    return 0;
}

static int read_tools(const struct reader *r, const char *key, json_t *value)
{
    if (!json_is_array(value))
        return refuse(r, key, "not an array");
    r->line->request.tools = json_array_size(value) > 0 ? keep_text(r, value) : NULL;
    return 0;
}

/* A word, or {"type": "function", "function": {"name": ...}}. */
static int read_tool_choice(const struct reader *r, const char *key, json_t *value)
{
    json_t *name = json_object_get(json_object_get(value, "function"), "name");
    if (!json_is_string(value) && !json_is_string(name))
        return refuse(r, key, "neither a string nor a function");
    r->line->request.tool_choice = json_string_value(json_is_string(value) ? value : name);
    return 0;
}

/* Settings of a line; keys not in the table belong to the user and are ignored. */
static const struct {
    const char *key;
    int (*read)(const struct reader *r, const char *key, json_t *value);
} settings[] = {
    {"temperature", read_real},
    {"top_p", read_real},
    {"min_p", read_real},
    {"repeat_penalty", read_real},
    {"repetition_penalty", read_real},
    {"top_k", read_int},
    {"max_tokens", read_int},
    {"max_completion_tokens", read_int},
    {"seed", read_seed},
    {"stop", read_stop},
    {"schema", read_schema},
    {"grammar", read_grammar},
    {"response_format", read_response_format},
    {"tools", read_tools},
    {"tool_choice", read_tool_choice},
    {"model", read_model},
};
enum { N_SETTINGS = sizeof settings / sizeof *settings };

/* A key close to a setting is probably a typo. */
static int doubt_key(const struct reader *r, const char *key)
{
    static const char *const others[] = {"prompt", "messages", "system", "id", "custom_id"};
    enum { N_OTHERS = sizeof others / sizeof *others };
    const char *names[N_SETTINGS + N_OTHERS];

    for (int i = 0; i < N_SETTINGS; i++)
        names[i] = settings[i].key;
    for (int i = 0; i < N_OTHERS; i++) {
        names[N_SETTINGS + i] = others[i];
        if (strcmp(key, others[i]) == 0)
            return 0;
    }
    const char *nearest = args_nearest(key, names, N_SETTINGS + N_OTHERS);
    return nearest ? say_to(r->err, r->errlen, -1, "%s: unknown; did you mean %s?", key, nearest)
                   : 0;
}

static int read_setting(const struct reader *r, const char *key, json_t *value)
{
    for (int i = 0; i < N_SETTINGS; i++)
        if (strcmp(key, settings[i].key) == 0)
            return json_is_null(value) ? 0 : settings[i].read(r, key, value);
    return doubt_key(r, key);
}

static json_t *message(const char *role, json_t *content)
{
    json_t *m = json_pack("{s:s, s:O}", "role", role, "content", content);
    if (!m)
        mem_fail();
    return m;
}

static bool is_blank(const json_t *text)
{
    size_t len = json_string_length(text);
    if (!json_is_string(text))
        return false;
    str_trim(json_string_value(text), &len);
    return len == 0;
}

static bool is_blank_question(const json_t *message)
{
    const char *role = json_string_value(json_object_get(message, "role"));
    return role && strcmp(role, "user") == 0 && is_blank(json_object_get(message, "content"));
}

/* The conversation: the line's own, or one made of its prompt, with a system prompt before it. */
static int read_messages(const struct reader *r, json_t *body)
{
    json_t *prompt = json_is_string(body) ? body : json_object_get(body, "prompt");
    json_t *given = json_object_get(body, "messages"), *system = json_object_get(body, "system");

    if (prompt && given)
        return refuse(r, "messages", "given beside prompt");
    if (!prompt && !given)
        return refuse(r, "prompt", "missing, and there are no messages");
    if (prompt && !json_is_string(prompt))
        return refuse(r, "prompt", "not a string");
    if (given && !json_is_array(given))
        return refuse(r, "messages", "not an array");
    if (prompt && is_blank(prompt))
        return refuse(r, "prompt", "empty");
    if (given && json_array_size(given) == 0)
        return refuse(r, "messages", "empty");
    if (given && is_blank_question(json_array_get(given, json_array_size(given) - 1)))
        return refuse(r, "messages", "the question at the end is empty");
    if (system && !json_is_string(system))
        return refuse(r, "system", "not a string");

    json_t *all = json_array(), *ours = NULL;
    if (!system && r->defaults->options->system)
        system = ours = json_string(r->defaults->options->system);
    if (system)
        json_array_append_new(all, message("system", system));
    json_decref(ours);
    if (prompt)
        json_array_append_new(all, message("user", prompt));
    else
        json_array_extend(all, given);
    response_format_fit_calls(all, r->defaults->info->family);
    r->line->messages = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    if (!r->line->messages)
        mem_fail();
    r->line->request.messages = r->line->messages;
    return 0;
}

static int read_line(const struct reader *r)
{
    json_t *line = r->line->read;
    if (!json_is_object(line) && !json_is_string(line))
        return say_to(r->err, r->errlen, -1, "neither a string nor an object");
    json_t *body = json_object_get(line, "body");
    if (!json_is_object(body))
        body = line;

    const char *key;
    json_t *value;
    json_object_foreach(body, key, value) if (read_setting(r, key, value) != 0) return -1;
    return read_messages(r, body);
}

static void take_id(struct batch_line *line)
{
    json_t *id = json_object_get(line->read, "id");
    if (!id)
        id = json_object_get(line->read, "custom_id");
    line->id = id && !json_is_null(id) ? json_incref(id) : json_integer(line->number);
}

int batch_line_read(struct batch_line *line, const char *text, size_t len,
                    const struct batch_defaults *defaults, char *err, size_t errlen)
{
    json_error_t error;
    const struct reader r = {line, defaults, err, errlen};

    line->request = (struct engine_request){
        .date = defaults->date,
        .sampling = request_sampling(defaults->options, defaults->info),
        .max_tokens = (int)defaults->options->max_tokens,
    };
    response_format_apply(defaults->format, &line->request);
    line->texts = json_array();
    request_set_thinking(&line->request, defaults->options);
    if (defaults->options->seed < 0)
        line->request.sampling.seed = request_random_seed();
    if (!text) {
        line->id = json_integer(line->number);
        return say_to(err, errlen, -1, "line: too long (limit %d bytes)", LINES_LONGEST);
    }
    line->read = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    take_id(line);
    if (!line->read && len > 0 && !memchr("{[\" \t", *text, 5))
        return say_to(err, errlen, -1, "not JSON; `jq -R .` makes it of lines of text");
    if (!line->read)
        return say_to(err, errlen, -1, "not JSON: %s at byte %d", error.text, error.position);
    return read_line(&r);
}

void batch_line_done(struct batch_line *line)
{
    json_decref(line->id);
    json_decref(line->read);
    json_decref(line->texts);
    free(line->messages);
    free(line->stop);
    *line = (struct batch_line){0};
}

/* Writing */

static json_t *text_or_null(const struct str *t)
{
    return json_stringn(str_get(t), t->len);
}

/* Tool calls replace the answer text they were parsed from. */
static json_t *answer_of(const struct job_result *result)
{
    return result->tool_calls ? json_null() : text_or_null(&result->answer);
}

static const char *finish_of(const struct job_result *result)
{
    return result->tool_calls ? "tool_calls" : request_stop_name(result->stop);
}

static json_t *calls_of(const struct job_result *result)
{
    return result->tool_calls ? json_loads(result->tool_calls, 0, NULL) : NULL;
}

void batch_line_write(const struct batch_line *line, const struct job_result *result,
                      const char *model, struct str *out)
{
    json_t *object = json_pack("{s:O, s:I}", "id", line->id, "line", (json_int_t)line->number);
    if (!object)
        mem_fail();
    if (!result->error_text[0] || result->usage.completion_tokens > 0)
        json_object_update_new(object, json_pack("{s:o, s:o*, s:o, s:s, s:s, s:I, s:o}", "answer",
                                                 answer_of(result), "tool_calls", calls_of(result),
                                                 "reasoning", text_or_null(&result->reasoning),
                                                 "model", model, "finish_reason", finish_of(result),
                                                 "seed", (json_int_t)line->request.sampling.seed,
                                                 "usage", numbers_json(&result->usage, -1)));
    if (result->unfinished && !result->error_text[0])
        json_object_set_new(object, "unfinished", json_true());
    if (result->error_text[0])
        json_object_set_new(object, "error",
                            json_pack("{s:s, s:s}", "code", job_error_code(result->error),
                                      "message", result->error_text));
    char *text = json_dumps(object, JSON_REAL_PRECISION(12));
    json_decref(object);
    if (!text)
        mem_fail();
    str_addf(out, "%s\n", text);
    free(text);
}
