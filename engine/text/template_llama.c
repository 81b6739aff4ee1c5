/* template_llama.c - the chat template of Llama 3.2 instruct: a system turn that is always there,
 * then one turn a message,
 *
 *     <|start_header_id|>role<|end_header_id|>\n\ncontent, trimmed<|eot_id|>
 *
 * Its oddities are kept: only a first message can be the system's; an empty list of tools counts as
 * tools; tools go into the first turn of the user, whose role is not looked at; arguments and tool
 * results that are strings are quoted again. */
#include "text/template_form.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "text/prompt.h"
#include "text/pyjson.h"
#include "text/tokenizer.h"
#include "text/utf8.h"

static const char HOW_TO_CALL[] =
    "Respond in the format {\"name\": function name, \"parameters\": dictionary of argument name "
    "and its value}.Do not use variables.\n\n";

/* str.strip() of Python takes four more than the White_Space property. */
static bool is_strippable(int32_t c)
{
    return utf8_is_space(c) || (c >= 0x1C && c <= 0x1F);
}

static void put_trimmed(struct render *r, const json_t *string)
{
    const char *s = json_string_value(string);
    size_t start = 0, end = json_string_length(string), len;
    while (start < end && is_strippable(utf8_decode(s + start, end - start, &len)))
        start += len;
    while (end > start) {
        size_t last = end - 1;
        while (last > start && (s[last] & 0xC0) == 0x80)
            last--;
        if (!is_strippable(utf8_decode(s + last, end - last, &len)))
            break;
        end = last;
    }
    prompt_text(r->prompt, s + start, end - start);
}

static void put_header(struct render *r, const char *role)
{
    prompt_words(r->prompt, "<|start_header_id|>");
    prompt_text(r->prompt, role, strlen(role));
    prompt_words(r->prompt, "<|end_header_id|>\n\n");
}

static bool is_true(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return json_object_size(value) > 0;
    case JSON_ARRAY: return json_array_size(value) > 0;
    case JSON_STRING: return json_string_length(value) > 0;
    case JSON_INTEGER:
    case JSON_REAL: return json_number_value(value) != 0;
    default: return json_is_true(value);
    }
}

static void put_today(struct render *r)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char date[32];
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    int n = snprintf(date, sizeof date, "%02d %.3s %04d", tm.tm_mday, months + 3 * tm.tm_mon,
                     tm.tm_year + 1900);
    prompt_text(r->prompt, date, (size_t)n);
}

static int put_date(struct render *r)
{
    const json_t *given = json_object_get(r->options, "date_string");
    const json_t *no_clock = json_object_get(r->options, "no_strftime_now");
    prompt_words(r->prompt, "Today Date: ");
    if (r->date)
        prompt_text(r->prompt, r->date, strlen(r->date));
    else if (given && !json_is_string(given))
        return refuse(r, "date_string: must be a string");
    else if (given)
        put_json_string(r, given);
    else if (no_clock && is_true(no_clock))
        prompt_words(r->prompt, "26 Jul 2024");
    else
        put_today(r);
    prompt_words(r->prompt, "\n\n");
    return 0;
}

static void put_tools(struct render *r)
{
    prompt_words(r->prompt, HOW_TO_CALL);
    for (size_t i = 0; i < json_array_size(r->tools); i++) {
        pyjson_dump(r->prompt, json_array_get(r->tools, i), 4);
        prompt_words(r->prompt, "\n\n");
    }
}

/* *used_out: messages[0] was the system's. */
static int put_system(struct render *r, bool tools_here, size_t *used_out)
{
    const json_t *role = json_object_get(json_array_get(r->messages, 0), "role");
    const json_t *content = NULL;
    *used_out = is_role(role, "system");
    if (*used_out && !(content = message_string(r, 0, "content")))
        return -1;
    prompt_token(r->prompt, tok_info(r->prompt->tokens)->bos);
    put_header(r, "system");
    if (r->tools)
        prompt_words(r->prompt, "Environment: ipython\n");
    prompt_words(r->prompt, "Cutting Knowledge Date: December 2023\n");
    if (put_date(r) != 0)
        return -1;
    if (tools_here) {
        prompt_words(r->prompt, "You have access to the following functions. To call a function, "
                                "please respond with JSON for a function call.");
        put_tools(r);
    }
    if (content)
        put_trimmed(r, content);
    prompt_words(r->prompt, "<|eot_id|>");
    return 0;
}

static int put_first_user_with_tools(struct render *r, size_t i)
{
    if (i == json_array_size(r->messages))
        return refuse(r, "tools: no first user message to put them into");
    const json_t *content = message_string(r, i, "content");
    if (!content)
        return -1;
    put_header(r, "user");
    prompt_words(r->prompt, "Given the following functions, please respond with a JSON for a "
                            "function call with its proper arguments that best answers the given "
                            "prompt.\n\n");
    put_tools(r);
    put_trimmed(r, content);
    prompt_words(r->prompt, "<|eot_id|>");
    return 0;
}

static int put_call(struct render *r, size_t i, const json_t *calls)
{
    if (json_array_size(calls) != 1)
        return refuse(r, "messages[%zu].tool_calls: this model makes one call at a time (got %zu)",
                      i, json_array_size(calls));
    const json_t *function = json_object_get(json_array_get(calls, 0), "function");
    const json_t *name = call_string(r, function, "name", i, 0, "function.name");
    const json_t *arguments = json_object_get(function, "arguments");
    if (!name)
        return -1;
    if (!arguments)
        return refuse(r, "messages[%zu].tool_calls[0].function.arguments: missing", i);
    put_header(r, "assistant");
    prompt_words(r->prompt, "{\"name\": \"");
    put_json_string(r, name);
    prompt_words(r->prompt, "\", \"parameters\": ");
    pyjson_dump(r->prompt, arguments, 0);
    prompt_words(r->prompt, "}<|eot_id|>");
    return 0;
}

static int put_result(struct render *r, size_t i, const json_t *content)
{
    if (!content)
        return refuse(r, "messages[%zu].content: missing", i);
    put_header(r, "ipython");
    if (json_is_object(content) || json_is_array(content) || json_is_string(content))
        pyjson_dump(r->prompt, content, 0);
    else
        pyjson_str(r->prompt, content);
    prompt_words(r->prompt, "<|eot_id|>");
    return 0;
}

static int put_message(struct render *r, size_t i)
{
    const json_t *message = json_array_get(r->messages, i);
    const json_t *calls = json_object_get(message, "tool_calls");
    const json_t *role = json_object_get(message, "role");
    if (calls)
        return put_call(r, i, calls);
    if (is_role(role, "tool") || is_role(role, "ipython"))
        return put_result(r, i, json_object_get(message, "content"));
    const json_t *content = message_string(r, i, "content");
    if (!content)
        return -1;
    prompt_words(r->prompt, "<|start_header_id|>");
    put_json_string(r, role);
    prompt_words(r->prompt, "<|end_header_id|>\n\n");
    put_trimmed(r, content);
    prompt_words(r->prompt, "<|eot_id|>");
    return 0;
}

int form_llama(struct render *r)
{
    const json_t *where = json_object_get(r->options, "tools_in_user_message");
    bool with_user = !where || is_true(where);
    size_t n = json_array_size(r->messages), next;
    if (n == 0)
        return refuse(r, "messages: must not be empty");
    if (put_system(r, r->tools && !with_user, &next) != 0)
        return -1;
    if (r->tools && with_user && put_first_user_with_tools(r, next++) != 0)
        return -1;
    for (; next < n; next++)
        if (put_message(r, next) != 0)
            return -1;
    if (r->generate)
        put_header(r, "assistant");
    return 0;
}
