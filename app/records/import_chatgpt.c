/* import_chatgpt.c - a conversation of ChatGPT's export: nodes of a tree, by name in "mapping";
 * nodes without a message, or with an unspoken one, are skipped in favour of their children. */
#include <stdlib.h>
#include <string.h>

#include "app/mem.h"
#include "app/records/import.h"
#include "app/say.h"
#include "app/str.h"

/* A pending node and its parent message. */
struct visit {
    const char *name;
    int64_t parent;
    json_t *reasoning; /* reasoning before the next message; owned; or NULL */
};

struct walk {
    struct import *in;
    const json_t *mapping;
    json_t *ids; /* name -> id of the message at or above it */
    struct visit *waiting;
    size_t n, cap;
};

static void push(struct walk *w, const char *name, int64_t parent, json_t *reasoning)
{
    if (w->n == w->cap) {
        w->cap = w->cap ? 2 * w->cap : 64;
        w->waiting = mem_realloc(w->waiting, w->cap * sizeof *w->waiting);
    }
    w->waiting[w->n++] = (struct visit){name, parent, json_incref(reasoning)};
}

static void add_parts(const json_t *parts, struct str *out)
{
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const char *text = json_string_value(json_array_get(parts, i));
        str_addf(out, "%s%s", out->len ? "\n\n" : "", text ? text : "[attachment]");
    }
}

/* The text of a node, and whether it was only reasoning. The caller's. */
static json_t *said_by(const json_t *message, bool *thought)
{
    const json_t *content = json_object_get(message, "content");
    const json_t *thoughts = json_object_get(content, "thoughts"), *text;
    struct str out = {0};

    *thought = json_is_array(thoughts);
    add_parts(json_object_get(content, "parts"), &out);
    if ((text = json_object_get(content, "text")))
        str_adds(&out, json_string_value(text) ? json_string_value(text) : "");
    for (size_t i = 0; i < json_array_size(thoughts); i++) {
        const json_t *one = json_object_get(json_array_get(thoughts, i), "content");
        str_addf(&out, "%s%s", out.len ? "\n\n" : "",
                 json_string_value(one) ? json_string_value(one) : "");
    }
    json_t *json = json_string(str_get(&out));
    str_done(&out);
    return json;
}

static bool read_role(const json_t *message, enum store_role *role)
{
    static const char *const names[] = {[STORE_SYSTEM] = "system",
                                        [STORE_USER] = "user",
                                        [STORE_ASSISTANT] = "assistant",
                                        [STORE_TOOL] = "tool"};
    const char *name = json_string_value(
        json_object_get(json_object_get(message, "author"), "role"));
    for (int i = 0; name && i <= STORE_TOOL; i++)
        if (strcmp(name, names[i]) == 0) {
            *role = (enum store_role)i;
            return true;
        }
    return false;
}

/* Adds the node's message, if it has a visible one. *id: its id, or that of the one above. */
static int add_message(struct walk *w, const struct visit *at, const json_t *node, int64_t *id,
                       json_t **reasoning)
{
    const json_t *message = json_object_get(node, "message");
    const char *model = json_string_value(
        json_object_get(json_object_get(message, "metadata"), "model_slug"));
    struct store_generation generation = {.model = model ? model : "ChatGPT"};
    struct store_draft draft = {
        .conversation = w->in->conversation,
        .parent = at->parent,
        .created_ms = import_ms(json_object_get(message, "create_time")),
    };
    bool thought;

    *id = at->parent;
    *reasoning = json_incref(at->reasoning);
    if (!read_role(message, &draft.role))
        return 0;
    json_t *text = said_by(message, &thought);
    if (thought) {
        json_decref(*reasoning);
        *reasoning = text;
        return 0;
    }
    if (json_string_length(text) > 0) {
        bool answer = draft.role == STORE_ASSISTANT;
        draft.generation = answer ? &generation : NULL;
        *id = import_message(w->in, &draft, STORE_COMPLETE, text, answer ? *reasoning : NULL);
        json_decref(*reasoning);
        *reasoning = NULL;
    }
    json_decref(text);
    return *id < 0 ? -1 : 0;
}

static int visit(struct walk *w, const struct visit *at)
{
    const json_t *node = json_object_get(w->mapping, at->name);
    const json_t *children = json_object_get(node, "children");
    json_t *reasoning;
    int64_t id;

    if (!json_is_object(node) || json_object_get(w->ids, at->name))
        return say_to(w->in->err, w->in->errlen, -1, "mapping: %s: %s", at->name,
                      node ? "reached twice" : "missing");
    int result = add_message(w, at, node, &id, &reasoning);
    if (result == 0) {
        json_object_set_new(w->ids, at->name, json_integer(id));
        for (size_t i = json_array_size(children); i-- > 0;) {
            const char *child = json_string_value(json_array_get(children, i));
            if (child)
                push(w, child, id, reasoning);
        }
    }
    json_decref(reasoning);
    return result;
}

static void push_roots(struct walk *w)
{
    const char *name;
    json_t *node;
    json_object_foreach((json_t *)w->mapping, name,
                        node) if (!json_is_string(json_object_get(node, "parent")))
        push(w, name, 0, NULL);
}

int import_chatgpt(struct import *in, const json_t *from)
{
    struct walk w = {in, json_object_get(from, "mapping"), json_object(), NULL, 0, 0};
    const char *current = json_string_value(json_object_get(from, "current_node"));
    int result = 0;

    push_roots(&w);
    while (w.n > 0) {
        struct visit at = w.waiting[--w.n];
        if (result == 0)
            result = visit(&w, &at);
        json_decref(at.reasoning);
    }
    int64_t leaf = current ? json_integer_value(json_object_get(w.ids, current)) : 0;
    json_decref(w.ids);
    free(w.waiting);
    if (result == 0 && leaf > 0) {
        int status = store_conversation_set_leaf(in->store, in->conversation, leaf);
        if (status != STORE_OK)
            result = import_failed(in, status);
    }
    return result;
}
