/* export_json.c - conversations for programs: the whole tree as one object, or a line a message. */
#include "app/records/export.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "app/mem.h"

const char *const export_roles[] = {
    [STORE_SYSTEM] = "system",        [STORE_USER] = "user",
    [STORE_ASSISTANT] = "assistant",  [STORE_TOOL] = "tool",
    [STORE_UNKNOWN_ROLE] = "unknown",
};
const char *const export_states[] = {
    [STORE_STREAMING] = "interrupted",   [STORE_COMPLETE] = "complete", [STORE_STOPPED] = "stopped",
    [STORE_INTERRUPTED] = "interrupted", [STORE_FAILED] = "failed",
};

static json_t *checked(json_t *json)
{
    if (!json)
        mem_fail();
    return json;
}

/* Text as valid UTF-8, whatever is stored. */
static json_t *text_json(const char *text, size_t len)
{
    struct str valid = {0};
    str_add_valid(&valid, text ? text : "", len);
    json_t *json = checked(json_stringn(str_get(&valid), valid.len));
    str_done(&valid);
    return json;
}

static json_t *generation_json(const struct store_generation *g)
{
    json_t *settings = json_loads(g->settings, 0, NULL);
    return checked(
        json_pack("{s:s, s:s, s:s, s:s, s:o*, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}",
                  "model", g->model, "fingerprint", g->fingerprint, "engine", g->engine, "device",
                  g->device, "settings", settings, "finish_reason", g->stop_reason, "error",
                  g->error, "seed", (json_int_t)g->seed, "prompt_tokens",
                  (json_int_t)g->prompt_tokens, "cached_tokens", (json_int_t)g->cached_tokens,
                  "completion_tokens", (json_int_t)g->completion_tokens, "reasoning_tokens",
                  (json_int_t)g->reasoning_tokens, "load_ms", g->load_ms, "time_to_first_token_ms",
                  g->time_to_first_token_ms, "generation_time_ms", g->generation_time_ms));
}

static json_t *message_json(const struct store_message *m)
{
    json_t *object = checked(json_pack(
        "{s:I, s:I, s:s, s:s, s:I, s:o}", "id", (json_int_t)m->id, "parent", (json_int_t)m->parent,
        "role", export_roles[m->role], "state", export_states[m->state], "created_ms",
        (json_int_t)m->created_ms, "content", text_json(m->text[STORE_TEXT], m->len[STORE_TEXT])));
    if (m->len[STORE_REASONING] > 0)
        json_object_set_new(object, "reasoning",
                            text_json(m->text[STORE_REASONING], m->len[STORE_REASONING]));
    if (m->generation)
        json_object_set_new(object, "generation", generation_json(m->generation));
    return object;
}

static void add_dump(json_t *json, size_t flags, struct str *out)
{
    char *text = json_dumps(json, flags | JSON_REAL_PRECISION(12));
    json_decref(json);
    if (!text)
        mem_fail();
    str_addf(out, "%s\n", text);
    free(text);
}

void export_add_jsonl(const struct store_messages *path, struct str *out)
{
    for (size_t i = 0; i < path->count; i++)
        add_dump(message_json(&path->items[i]), 0, out);
}

/* Adds all answers to `parent` to messages. A negative store_status or 0. */
static int add_children(struct store *store, int64_t conversation, int64_t parent, json_t *messages)
{
    struct store_messages *children;
    int status = store_message_children(store, conversation, parent, &children);
    if (status != STORE_OK)
        return status;
    for (size_t i = 0; i < children->count; i++)
        json_array_append_new(messages, message_json(&children->items[i]));
    store_messages_free(children);
    return STORE_OK;
}

int export_add_json(struct store *store, const struct store_conversation *c, struct str *out)
{
    json_t *messages = json_array();
    int status = add_children(store, c->id, 0, messages);
    /* The array grows while it is traversed: parents precede children. */
    for (size_t i = 0; status == STORE_OK && i < json_array_size(messages); i++) {
        json_t *id = json_object_get(json_array_get(messages, i), "id");
        status = add_children(store, c->id, json_integer_value(id), messages);
    }
    if (status != STORE_OK) {
        json_decref(messages);
        return status;
    }
    add_dump(checked(json_pack("{s:i, s:o, s:o, s:b, s:I, s:I, s:I, s:o}", "duet", 1, "title",
                               text_json(c->title, strlen(c->title)), "system",
                               text_json(c->system, strlen(c->system)), "archived", c->archived,
                               "created_ms", (json_int_t)c->created_ms, "updated_ms",
                               (json_int_t)c->updated_ms, "leaf", (json_int_t)c->leaf, "messages",
                               messages)),
             JSON_INDENT(1), out);
    return STORE_OK;
}
