/* envelope.c - see envelope.h. */
#include "app/plain/envelope.h"

#include <jansson.h>
#include <stdlib.h>

#include "app/mem.h"
#include "app/numbers.h"

static void add_line(struct outlet *out, json_t *object)
{
    size_t flags = JSON_REAL_PRECISION(12) | (out->terminal ? JSON_ENSURE_ASCII : 0);
    char *line = object ? json_dumps(object, flags) : NULL;
    json_decref(object);
    if (!line)
        mem_fail();
    str_addf(&out->pending, "%s\n", line);
    free(line);
}

void envelope_add_piece(struct outlet *out, enum store_kind kind, const char *text, size_t len)
{
    add_line(out, json_pack("{s:s, s:s%}", "type", kind == STORE_REASONING ? "reasoning" : "answer",
                            "text", text, len));
}

static json_t *text_of(const struct turn *turn, enum store_kind kind)
{
    return json_stringn(str_get(&turn->text[kind]), turn->text[kind].len);
}

static json_t *calls_of(const struct chat *c)
{
    return c->tool_calls ? json_loads(c->tool_calls, 0, NULL) : NULL;
}

void envelope_add_calls(struct outlet *out, const struct chat *c)
{
    add_line(out, json_pack("{s:o}", "tool_calls", calls_of(c)));
}

/* A number by which the history knows something; NULL where nothing is kept. */
static json_t *kept_id(const struct chat *c, int64_t id)
{
    return c->history.off[0] || id == 0 ? NULL : json_integer((json_int_t)id);
}

void envelope_add_answer(struct outlet *out, const char *type, const struct chat *c,
                         const struct turn *turn)
{
    const struct store_generation *g = &turn->generation;
    json_t *object = json_pack(
        "{s:s*, s:o, s:o*, s:o, s:s, s:s, s:I, s:o*, s:o*, s:o, s:s*}", "type", type, "answer",
        c->tool_calls ? json_null() : text_of(turn, STORE_TEXT), "tool_calls", calls_of(c),
        "reasoning", text_of(turn, STORE_REASONING), "model", g->model, "finish_reason",
        c->tool_calls ? "tool_calls" : g->stop_reason, "seed", (json_int_t)g->seed, "conversation",
        kept_id(c, c->history.conversation), "message", kept_id(c, turn->saved.id), "usage",
        numbers_json(&c->usage, g->load_ms), "error", g->error[0] ? g->error : NULL);
    add_line(out, object);
}
