/* calls.c - see calls.h. */
#include "text/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "text/pattern.h"

struct calls {
    enum engine_family family;
    struct pattern begin;
    bool started, in_calls; /* the answer has begun; calls have begun */
    char *text;             /* answer that is held back or, in calls, all of them */
    size_t len, cap;
    size_t given; /* bytes of text that have been given */
    char *result;
};

bool calls_wanted(const struct engine_request *req)
{
    return req->tools && !(req->tool_choice && strcmp(req->tool_choice, "none") == 0);
}

int calls_open(struct calls **out, enum engine_family family)
{
    struct calls *c = calloc(1, sizeof *c);
    if (!c || pattern_init(&c->begin, CALLS_BEGIN) != 0) {
        free(c);
        return -1;
    }
    c->family = family;
    *out = c;
    return 0;
}

void calls_close(struct calls *c)
{
    if (!c)
        return;
    pattern_done(&c->begin);
    free(c->text);
    free(c->result);
    free(c);
}

static int keep(struct calls *c, const char *text, size_t len)
{
    if (c->len + len + 1 > c->cap) {
        size_t cap = 2 * (c->len + len) + 256;
        char *grown = realloc(c->text, cap);
        if (!grown)
            return -1;
        c->text = grown;
        c->cap = cap;
    }
    if (len > 0)
        memcpy(c->text + c->len, text, len);
    c->len += len;
    c->text[c->len] = '\0';
    return 0;
}

static int give(struct calls *c, size_t end, struct calls_piece *out, int n)
{
    if (end > c->given)
        out[n++] = (struct calls_piece){c->in_calls ? ENGINE_CALL : ENGINE_ANSWER,
                                        c->text + c->given, end - c->given};
    c->given = end;
    return n;
}

/* Drops what has been given of an answer; calls are kept, to be read at the end. */
static void forget(struct calls *c)
{
    if (c->in_calls || c->given == 0)
        return;
    memmove(c->text, c->text + c->given, c->len - c->given);
    c->len -= c->given;
    c->given = 0;
}

/* Llama: calls, if the first thing written is a brace. */
static int look_for_brace(struct calls *c, struct calls_piece *out)
{
    size_t blanks = strspn(c->text, " \t\r\n");
    if (!c->started && blanks == c->len)
        return 0;
    c->in_calls = c->in_calls || (!c->started && c->text[blanks] == '{');
    c->started = true;
    return give(c, c->len, out, 0);
}

/* DeepSeek: calls from the marker on. `from`: what has not been looked at. */
static int look_for_marker(struct calls *c, size_t from, struct calls_piece *out)
{
    int n = 0;
    for (size_t i = from; i < c->len && !c->in_calls; i++) {
        if (!pattern_step(&c->begin, c->text[i]))
            continue;
        size_t at = i + 1 - c->begin.len;
        n = give(c, at, out, n);
        c->in_calls = true;
    }
    size_t held = c->in_calls ? 0 : c->begin.state;
    return give(c, c->len - held, out, n);
}

int calls_feed(struct calls *c, const char *text, size_t len, struct calls_piece out[2])
{
    forget(c);
    size_t from = c->len;
    if (keep(c, text, len) != 0)
        return -1;
    return c->family == ENGINE_FAMILY_LLAMA ? look_for_brace(c, out)
                                            : look_for_marker(c, from, out);
}

int calls_end(struct calls *c, struct calls_piece out[2])
{
    forget(c);
    return give(c, c->len, out, 0);
}

/* Reading */

static void add_call(json_t *list, const char *name, const json_t *arguments)
{
    char id[32];
    char *text = json_dumps(arguments, JSON_COMPACT);
    snprintf(id, sizeof id, "call_%zu", json_array_size(list) + 1);
    json_array_append_new(list, json_pack("{s:s, s:s, s:{s:s, s:s*}}", "id", id, "type", "function",
                                          "function", "name", name, "arguments", text));
    free(text);
}

static void read_llama(const char *text, size_t len, json_t *list)
{
    json_t *call = json_loadb(text, len, JSON_DISABLE_EOF_CHECK, NULL);
    const char *name = json_string_value(json_object_get(call, "name"));
    const json_t *arguments = json_object_get(call, "parameters");
    if (name && json_is_object(arguments))
        add_call(list, name, arguments);
    json_decref(call);
}

/* The text between two marks, from *at on, which moves behind the second. NULL: not there. */
static char *between(const char **at, const char *open, const char *close)
{
    const char *start = strstr(*at, open);
    const char *end = start ? strstr(start + strlen(open), close) : NULL;
    if (!end)
        return NULL;
    start += strlen(open);
    *at = end + strlen(close);
    return strndup(start, (size_t)(end - start));
}

static void read_deepseek(const char *text, json_t *list)
{
    static const char open[] = "\n```json\n";
    char *one;
    while ((one = between(&text, CALLS_ONE_BEGIN, CALLS_ONE_END))) {
        char *name = strstr(one, CALLS_SEPARATOR);
        char *body = name ? strstr(name, open) : NULL;
        if (body) {
            name += strlen(CALLS_SEPARATOR);
            *body = '\0';
            json_t *arguments = json_loads(body + strlen(open), JSON_DISABLE_EOF_CHECK, NULL);
            if (json_is_object(arguments))
                add_call(list, name, arguments);
            json_decref(arguments);
        }
        free(one);
    }
}

const char *calls_result(struct calls *c)
{
    json_t *list = c->in_calls && !c->result ? json_array() : NULL;
    if (!list)
        return c->result;
    if (c->family == ENGINE_FAMILY_LLAMA)
        read_llama(c->text, c->len, list);
    else
        read_deepseek(c->text, list);
    if (json_array_size(list) > 0)
        c->result = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return c->result;
}
