/* import_own.c - what `duet export --format json` writes. */
#include <stdlib.h>
#include <string.h>

#include "app/mem.h"
#include "app/records/export.h"
#include "app/records/import.h"
#include "app/say.h"

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int64_t int_at(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* settings: dumped by the caller, who frees it. */
static struct store_generation read_generation(const json_t *from, const char *settings)
{
    return (struct store_generation){
        .model = text_at(from, "model"),
        .fingerprint = text_at(from, "fingerprint"),
        .engine = text_at(from, "engine"),
        .device = text_at(from, "device"),
        .settings = settings ? settings : "",
        .stop_reason = text_at(from, "finish_reason"),
        .error = text_at(from, "error"),
        .seed = (uint64_t)int_at(from, "seed"),
        .prompt_tokens = int_at(from, "prompt_tokens"),
        .cached_tokens = int_at(from, "cached_tokens"),
        .completion_tokens = int_at(from, "completion_tokens"),
        .reasoning_tokens = int_at(from, "reasoning_tokens"),
        .load_ms = json_number_value(json_object_get(from, "load_ms")),
        .time_to_first_token_ms = json_number_value(
            json_object_get(from, "time_to_first_token_ms")),
        .generation_time_ms = json_number_value(json_object_get(from, "generation_time_ms")),
    };
}

static int place_of(const char *const *names, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

/* The new id of the message with this old one; 0 for none, -1: unknown. */
static int64_t new_id(const json_t *ids, int64_t old)
{
    char key[24];
    if (old == 0)
        return 0;
    say_to(key, sizeof key, 0, "%lld", (long long)old);
    const json_t *id = json_object_get(ids, key);
    return id ? json_integer_value(id) : -1;
}

static int read_message(struct import *in, const json_t *from, size_t number, json_t *ids)
{
    const json_t *text = json_object_get(from, "content");
    const json_t *made = json_object_get(from, "generation");
    int role = place_of(export_roles, STORE_UNKNOWN_ROLE, text_at(from, "role"));
    int state = place_of(export_states + 1, STORE_FAILED, text_at(from, "state")) + 1;
    int64_t parent = new_id(ids, int_at(from, "parent"));

    if (role < 0 || !json_is_string(text) || int_at(from, "id") <= 0 || parent < 0)
        return say_to(in->err, in->errlen, -1, "messages: number %zu: %s", number + 1,
                      role < 0                  ? "role: unknown"
                      : !json_is_string(text)   ? "content: no text"
                      : int_at(from, "id") <= 0 ? "id: not a number from 1 on"
                                                : "parent: not one of the messages before");
    char *settings = json_dumps(json_object_get(made, "settings"), JSON_COMPACT);
    struct store_generation generation = read_generation(made, settings);
    const struct store_draft draft = {
        .conversation = in->conversation,
        .parent = parent,
        .role = (enum store_role)role,
        .created_ms = int_at(from, "created_ms"),
        .generation = made ? &generation : NULL,
    };
    int64_t id = import_message(in, &draft, state > 0 ? (enum store_state)state : STORE_COMPLETE,
                                text, json_object_get(from, "reasoning"));
    free(settings);
    if (id < 0)
        return -1;
    char key[24];
    say_to(key, sizeof key, 0, "%lld", (long long)int_at(from, "id"));
    json_object_set_new(ids, key, json_integer(id));
    return 0;
}

int import_own(struct import *in, const json_t *from)
{
    const json_t *messages = json_object_get(from, "messages");
    json_t *ids = json_object();
    int result = 0;

    for (size_t i = 0; result == 0 && i < json_array_size(messages); i++)
        result = read_message(in, json_array_get(messages, i), i, ids);
    int64_t leaf = new_id(ids, int_at(from, "leaf"));
    json_decref(ids);
    if (result == 0 && leaf > 0) {
        int status = store_conversation_set_leaf(in->store, in->conversation, leaf);
        if (status != STORE_OK)
            result = import_failed(in, status);
    }
    return result;
}
