/* template_form.c - reads the caller's JSON and words its errors. */
#include "text/template_form.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"
#include "text/prompt.h"
#include "text/utf8.h"

enum { MAX_DEPTH = 64 };

int refuse(struct render *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(r->err, r->errlen, format, args);
    va_end(args);
    return -1;
}

const char *json_type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string",
        [JSON_INTEGER] = "a number", [JSON_REAL] = "a number",  [JSON_TRUE] = "true",
        [JSON_FALSE] = "false",      [JSON_NULL] = "null",
    };
    return value ? names[json_typeof(value)] : "nothing";
}

const json_t *message_string(struct render *r, size_t i, const char *key)
{
    const json_t *value = json_object_get(json_array_get(r->messages, i), key);
    if (json_is_string(value))
        return value;
    refuse(r, "messages[%zu].%s: must be a string (got %s)", i, key, json_type_name(value));
    return NULL;
}

const json_t *call_string(struct render *r, const json_t *object, const char *key, size_t i,
                          size_t call, const char *name)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_string(value))
        return value;
    refuse(r, "messages[%zu].tool_calls[%zu].%s: must be a string (got %s)", i, call, name,
           json_type_name(value));
    return NULL;
}

bool is_role(const json_t *role, const char *name)
{
    return json_is_string(role) && strcmp(json_string_value(role), name) == 0;
}

void put_json_string(struct render *r, const json_t *string)
{
    prompt_text(r->prompt, json_string_value(string), json_string_length(string));
}

/* The closing quote of the string whose first character is s; or the end of the text. */
static const char *string_end(const char *s)
{
    while (*(s += strcspn(s, "\"\\")) == '\\' && s[1])
        s += 2;
    return s;
}

/* How deep brackets nest; what stands in strings does not count. */
static int nesting(const char *s)
{
    int depth = 0, deepest = 0;
    for (; *s; s++) {
        if (*s == '"' && *(s = string_end(s + 1)) != '"')
            break;
        if (*s == '[' || *s == '{')
            deepest = ++depth > deepest ? depth : deepest;
        else if (*s == ']' || *s == '}')
            depth--;
    }
    return deepest;
}

int read_json(struct render *r, const char *name, const char *text, json_type type, json_t **out)
{
    *out = NULL;
    if (!text)
        return 0;
    if (nesting(text) > MAX_DEPTH) {
        refuse(r, "%s: nested too deep (limit %d)", name, MAX_DEPTH);
        return ENGINE_EINPUT;
    }
    json_error_t e;
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
    if (!value) {
        char shown[sizeof e.text];
        bool memory = json_error_code(&e) == json_error_out_of_memory;
        refuse(r, "%s: not JSON: %s (line %d, column %d)", name,
               utf8_escape(shown, sizeof shown, e.text, strlen(e.text)), e.line, e.column);
        return memory ? ENGINE_EMEMORY : ENGINE_EINPUT;
    }
    if (json_is_null(value) || json_typeof(value) == type) {
        *out = json_is_null(value) ? NULL : value;
        return 0;
    }
    refuse(r, "%s: must be %s (got %s)", name, type == JSON_ARRAY ? "an array" : "an object",
           json_type_name(value));
    json_decref(value);
    return ENGINE_EINPUT;
}
