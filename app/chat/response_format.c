/* response_format.c - see response_format.h. */
#include "app/chat/response_format.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/exit.h"
#include "app/mem.h"
#include "app/question.h"
#include "app/say.h"

/* Shorthand */

static bool is_letter(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && ((c >= '0' && c <= '9') || c == '-'));
}

static size_t word_length(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && is_letter(s[n], n == 0))
        n++;
    return n;
}

static size_t blanks(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && strchr(" \t\r\n", s[n]))
        n++;
    return n;
}

static const char *type_of(const char *word, size_t len)
{
    static const char *const types[][2] = {
        {"str", "string"},   {"string", "string"}, {"int", "integer"},  {"integer", "integer"},
        {"float", "number"}, {"number", "number"}, {"bool", "boolean"}, {"boolean", "boolean"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strlen(types[i][0]) == len && memcmp(types[i][0], word, len) == 0)
            return types[i][1];
    return len == 0 ? "string" : NULL;
}

/* NAME [TYPE][: DESCRIPTION] */
static int add_field(json_t *properties, json_t *required, const char *s, size_t len)
{
    size_t at = blanks(s, len), n = word_length(s + at, len - at);
    const char *name = s + at;
    at += n;
    at += blanks(s + at, len - at);
    size_t type_len = word_length(s + at, len - at);
    const char *type = type_of(s + at, type_len);
    at += type_len;
    at += blanks(s + at, len - at);
    bool described = at < len && s[at] == ':';
    if (n == 0 || !type || (at < len && !described))
        return -1;
    at += described;
    at += blanks(s + at, len - at);
    while (len > at && strchr(" \t\r\n", s[len - 1]))
        len--;
    json_t *key = json_stringn(name, n), *field = json_pack("{s:s}", "type", type);
    if (described && len > at)
        json_object_set_new(field, "description", json_stringn(s + at, len - at));
    if (!key || !field || json_object_set_new(properties, json_string_value(key), field) != 0 ||
        json_array_append_new(required, key) != 0)
        mem_fail();
    return 0;
}

/* Shorthand for the schema of an object: "name, age int, bio: two sentences", fields separated by
 * commas or newlines; types are str, int, float and bool. 0, or an exit status. */
static int expand(const char *fields, struct str *schema_out, char *err, size_t errlen)
{
    json_t *properties = json_object(), *required = json_array();
    const char *between = strchr(fields, '\n') ? "\n" : ",";
    int status = 0;
    for (const char *s = fields; *s && status == 0;) {
        size_t len = strcspn(s, between);
        if (blanks(s, len) < len && add_field(properties, required, s, len) != 0)
            status = say_to(
                err, errlen, EXIT_USAGE,
                "--schema: neither a file, nor JSON, nor fields such as 'name, age int'");
        s += len + (s[len] != '\0');
    }
    if (status == 0 && json_object_size(properties) == 0)
        status = say_to(err, errlen, EXIT_USAGE, "--schema: empty");
    json_t *schema = json_pack("{s:s, s:o, s:o, s:b}", "type", "object", "properties", properties,
                               "required", required, "additionalProperties", 0);
    char *text = schema ? json_dumps(schema, JSON_COMPACT) : NULL;
    if (!text)
        mem_fail();
    str_adds(schema_out, text);
    free(text);
    json_decref(schema);
    return status;
}

/* Files */

static int read_file(const char *option, const char *path, struct str *out, char *err,
                     size_t errlen)
{
    char reason[256];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return say_to(err, errlen, EXIT_USAGE, "%s: %s: %s", option, path, strerror(errno));
    int status = question_read_stream(fd, path, out, reason, sizeof reason);
    close(fd);
    if (status != 0)
        return say_to(err, errlen, status, "%s: %s", option, reason);
    if (out->len > 0 && memchr(out->data, '\0', out->len))
        return say_to(err, errlen, EXIT_USAGE, "%s: %s: binary", option, path);
    return 0;
}

static int read_schema(struct response_format *s, const char *given, char *err, size_t errlen)
{
    const char *start = given + strspn(given, " \t\r\n");
    if (*start == '{' || strcmp(start, "true") == 0) {
        str_adds(&s->schema, given);
        return 0;
    }
    if (access(given, F_OK) == 0)
        return read_file("--schema", given, &s->schema, err, errlen);
    if (strchr(given, '/') || strstr(given, ".json"))
        return say_to(err, errlen, EXIT_USAGE, "--schema: %s: %s", given, strerror(ENOENT));
    return expand(given, &s->schema, err, errlen);
}

int response_format_read(struct response_format *s, const struct options *o, char *err,
                         size_t errlen)
{
    int status = 0;
    if (s->read)
        return 0;
    response_format_done(s);
    if (o->schema && o->grammar)
        return say_to(err, errlen, EXIT_USAGE, "--grammar: contradicts --schema");
    if (o->tool_choice && !o->tools)
        return say_to(err, errlen, EXIT_USAGE, "--tool-choice: without --tools");
    if (o->schema)
        status = read_schema(s, o->schema, err, errlen);
    if (status == 0 && o->grammar)
        status = read_file("--grammar", o->grammar, &s->grammar, err, errlen);
    if (status == 0 && o->tools)
        status = read_file("--tools", o->tools, &s->tools, err, errlen);
    s->choice = o->tool_choice;
    s->read = status == 0;
    return status;
}

void response_format_done(struct response_format *s)
{
    str_done(&s->schema);
    str_done(&s->grammar);
    str_done(&s->tools);
    *s = (struct response_format){0};
}

static const char *or_null(const struct str *s)
{
    return s->len > 0 ? s->data : NULL;
}

void response_format_apply(const struct response_format *s, struct engine_request *request)
{
    request->schema = or_null(&s->schema);
    request->grammar = or_null(&s->grammar);
    request->tools = or_null(&s->tools);
    request->tool_choice = request->tools ? s->choice : NULL;
}

static void fit_arguments(json_t *function, enum engine_family family)
{
    json_t *arguments = json_object_get(function, "arguments"), *fit = NULL;
    if (family == ENGINE_FAMILY_LLAMA && json_is_string(arguments))
        fit = json_loads(json_string_value(arguments), 0, NULL);
    if (family == ENGINE_FAMILY_DEEPSEEK && json_is_object(arguments)) {
        char *text = json_dumps(arguments, JSON_COMPACT);
        fit = text ? json_string(text) : NULL;
        free(text);
    }
    if (fit)
        json_object_set_new(function, "arguments", fit);
}

void response_format_fit_calls(json_t *messages, enum engine_family family)
{
    for (size_t i = 0; i < json_array_size(messages); i++) {
        json_t *calls = json_object_get(json_array_get(messages, i), "tool_calls");
        for (size_t k = 0; k < json_array_size(calls); k++)
            fit_arguments(json_object_get(json_array_get(calls, k), "function"), family);
    }
}
