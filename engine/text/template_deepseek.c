/* template_deepseek.c - the chat template of DeepSeek's R1 distills:
 *
 *     BOS system <｜User｜>question<｜Assistant｜>answer<｜end▁of▁sentence｜> ... <｜Assistant｜><think>\n
 *
 * Nothing is trimmed. Its oddities are kept, since the model has seen them: the last system message
 * wins wherever it stood; the marks of a first call and a first output are never set back, so later
 * rounds of tools look like the continuation of the first; <｜tool▁calls▁end｜> follows every call
 * but the first. The tools themselves are not printed at all. */
#include "text/template_form.h"

#include <string.h>

#include "text/prompt.h"
#include "text/tokenizer.h"

struct flags {
    bool called;     /* some tool call was printed */
    bool output;     /* some tool output was printed */
    bool in_outputs; /* the outputs are still open */
};

static int put_call(struct render *r, struct flags *flags, const json_t *call, size_t i, size_t nth)
{
    const json_t *function = json_object_get(call, "function");
    const json_t *type = call_string(r, call, "type", i, nth, "type");
    const json_t *name = type ? call_string(r, function, "name", i, nth, "function.name") : NULL;
    const json_t *arguments =
        name ? call_string(r, function, "arguments", i, nth, "function.arguments") : NULL;
    if (!arguments)
        return -1;
    prompt_words(r->prompt, flags->called ? "\n" : "<｜Assistant｜><｜tool▁calls▁begin｜>");
    prompt_words(r->prompt, "<｜tool▁call▁begin｜>");
    put_json_string(r, type);
    prompt_words(r->prompt, "<｜tool▁sep｜>");
    put_json_string(r, name);
    prompt_words(r->prompt, "\n```json\n");
    put_json_string(r, arguments);
    prompt_words(r->prompt, "\n```<｜tool▁call▁end｜>");
    if (flags->called)
        prompt_words(r->prompt, "<｜tool▁calls▁end｜><｜end▁of▁sentence｜>");
    flags->called = true;
    return 0;
}

/* A message without content (null or missing, not empty) stands for its tool calls. */
static int put_calls(struct render *r, struct flags *flags, size_t i)
{
    const json_t *calls = json_object_get(json_array_get(r->messages, i), "tool_calls");
    flags->in_outputs = false;
    if (calls && !json_is_array(calls))
        return refuse(r, "messages[%zu].tool_calls: must be an array", i);
    for (size_t nth = 0; nth < json_array_size(calls); nth++)
        if (put_call(r, flags, json_array_get(calls, nth), i, nth) != 0)
            return -1;
    return 0;
}

/* What follows the last </think>. */
static void put_answer(struct render *r, const json_t *content)
{
    static const char close[] = "</think>";
    const char *s = json_string_value(content), *end = s + json_string_length(content), *found;
    while ((found = memmem(s, (size_t)(end - s), close, strlen(close))))
        s = found + strlen(close);
    prompt_text(r->prompt, s, (size_t)(end - s));
}

static int put_assistant(struct render *r, struct flags *flags, size_t i)
{
    const json_t *message = json_array_get(r->messages, i);
    bool silent = !json_object_get(message, "content") && json_object_get(message, "tool_calls");
    if (silent || json_is_null(json_object_get(message, "content")))
        return put_calls(r, flags, i);
    const json_t *content = message_string(r, i, "content");
    if (!content)
        return -1;
    if (flags->in_outputs) {
        prompt_words(r->prompt, "<｜tool▁outputs▁end｜>");
        put_json_string(r, content);
    } else {
        prompt_words(r->prompt, "<｜Assistant｜>");
        put_answer(r, content);
    }
    prompt_words(r->prompt, "<｜end▁of▁sentence｜>");
    flags->in_outputs = false;
    return 0;
}

static int put_user(struct render *r, struct flags *flags, size_t i)
{
    const json_t *content = message_string(r, i, "content");
    if (!content)
        return -1;
    prompt_words(r->prompt, "<｜User｜>");
    put_json_string(r, content);
    flags->in_outputs = false;
    return 0;
}

static int put_output(struct render *r, struct flags *flags, size_t i)
{
    const json_t *content = message_string(r, i, "content");
    if (!content)
        return -1;
    prompt_words(r->prompt, flags->output ? "\n" : "<｜tool▁outputs▁begin｜>");
    prompt_words(r->prompt, "<｜tool▁output▁begin｜>");
    put_json_string(r, content);
    prompt_words(r->prompt, "<｜tool▁output▁end｜>");
    flags->output = flags->in_outputs = true;
    return 0;
}

static int put_system(struct render *r)
{
    const json_t *system = NULL;
    for (size_t i = 0; i < json_array_size(r->messages); i++) {
        const json_t *role = json_object_get(json_array_get(r->messages, i), "role");
        if (is_role(role, "system") && !(system = message_string(r, i, "content")))
            return -1;
    }
    prompt_token(r->prompt, tok_info(r->prompt->tokens)->bos);
    if (system)
        put_json_string(r, system);
    return 0;
}

/* Nothing between the tags is what the model's makers give as the way to have it not think. */
static void open_turn(struct render *r, bool opens_think)
{
    prompt_words(r->prompt, "<｜Assistant｜>");
    if (r->think == ENGINE_THINK_OFF) {
        prompt_words(r->prompt, "<think>\n\n</think>\n\n");
        r->reasoned = true;
    } else if (opens_think || r->think == ENGINE_THINK_ON) {
        prompt_words(r->prompt, "<think>\n");
        r->reasoning = true;
    }
}

int form_deepseek(struct render *r, bool opens_think)
{
    static const struct {
        const char *role;
        int (*put)(struct render *r, struct flags *flags, size_t i);
    } roles[] = {{"user", put_user}, {"assistant", put_assistant}, {"tool", put_output}};

    struct flags flags = {0};
    if (put_system(r) != 0)
        return -1;
    for (size_t i = 0; i < json_array_size(r->messages); i++) {
        const json_t *role = json_object_get(json_array_get(r->messages, i), "role");
        for (size_t k = 0; k < sizeof roles / sizeof *roles; k++)
            if (is_role(role, roles[k].role) && roles[k].put(r, &flags, i) != 0)
                return -1;
    }
    if (flags.in_outputs)
        prompt_words(r->prompt, "<｜tool▁outputs▁end｜>");
    else if (r->generate)
        open_turn(r, opens_think);
    return 0;
}
