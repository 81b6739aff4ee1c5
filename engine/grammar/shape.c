/* shape.c - see shape.h.
 *
 * Tool calls are those of the families' templates. Llama's is an answer that is one JSON
 * object, so with tools an answer that begins with "{" is a call. DeepSeek's are spelt out
 * behind a marker that may come after any text; free text is then a rule for each part of the
 * marker that was just read. */
#include "grammar/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "grammar/gbnf.h"
#include "grammar/grammar.h"
#include "grammar/jsontext.h"
#include "grammar/schema.h"
#include "text/calls.h"
#include "text/utf8.h"

enum { MAX_TOOLS = 128, MAX_CALLS = 32, MAX_MARKER = 64 };

struct shape {
    struct grammar *g;
    enum engine_family family;
    const char *choice; /* "auto", "required" or a tool's name */
    char *err;
    size_t errlen;
};

static int refuse(struct shape *s, enum engine_error error, const char *what, const char *reason)
{
    char shown[96];
    snprintf(s->err, s->errlen, "%s: %s", utf8_escape(shown, sizeof shown, what, strlen(what)),
             reason);
    return error;
}

/* Puts the name of the request's field before the line. */
static int blame(struct shape *s, const char *field)
{
    char line[400];
    snprintf(line, sizeof line, "%s: %s", field, s->err);
    snprintf(s->err, s->errlen, "%s", line);
    return ENGINE_EINPUT;
}

static int read_json(struct shape *s, const char *field, const char *text, json_t **out)
{
    json_error_t error;
    *out = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (*out)
        return 0;
    char reason[256], shown[200];
    snprintf(reason, sizeof reason, "not JSON: line %d, column %d: %s", error.line, error.column,
             utf8_escape(shown, sizeof shown, error.text, strlen(error.text)));
    return refuse(s, ENGINE_EINPUT, field, reason);
}

/* Tools */

static int optional_blank(struct grammar *g)
{
    return gx_maybe(g, gx_string(g, " "));
}

/* {"name": "NAME", "parameters": {...}} */
static int llama_call(struct grammar *g, const char *name, int arguments)
{
    int blank = optional_blank(g), space = jsontext_space(g);
    const int parts[] = {gx_string(g, "{"),
                         space,
                         gx_string(g, "\"name\":"),
                         blank,
                         gx_string(g, name),
                         gx_string(g, ","),
                         space,
                         gx_string(g, "\"parameters\":"),
                         blank,
                         arguments,
                         space,
                         gx_string(g, "}")};
    return gx_seq(g, parts, sizeof parts / sizeof *parts);
}

static int deepseek_call(struct grammar *g, const char *name, int arguments)
{
    const int parts[] = {gx_string(g, CALLS_ONE_BEGIN "function" CALLS_SEPARATOR),
                         gx_string(g, name), gx_string(g, "\n```json\n"), arguments,
                         gx_string(g, "\n```" CALLS_ONE_END)};
    return gx_seq(g, parts, sizeof parts / sizeof *parts);
}

/* The call of one tool. 0 or an enum engine_error. */
static int read_tool(struct shape *s, const json_t *tool, int *id_out)
{
    const json_t *function = json_object_get(tool, "function");
    const json_t *of = function ? function : tool;
    const json_t *name = json_object_get(of, "name");
    json_t *parameters = json_object_get(of, "parameters");
    json_t *none = json_pack("{s:s, s:b}", "type", "object", "additionalProperties", 0);
    char *quoted = NULL;
    int arguments, rc = 0;

    if (!json_is_string(name) || !json_string_value(name)[0])
        rc = refuse(s, ENGINE_EINPUT, "tools", "a tool without a name");
    else if (schema_read(s->g, parameters ? parameters : none, &arguments, s->err, s->errlen) != 0)
        rc = blame(s, json_string_value(name));
    else if (!(quoted = jsontext_dump(name)))
        rc = refuse(s, ENGINE_EMEMORY, "tools", "out of memory");
    else if (s->family == ENGINE_FAMILY_LLAMA)
        *id_out = llama_call(s->g, quoted, arguments);
    else
        *id_out = deepseek_call(s->g, json_string_value(name), arguments);
    free(quoted);
    json_decref(none);
    return rc;
}

static bool is_chosen(const struct shape *s, const json_t *tool)
{
    const json_t *function = json_object_get(tool, "function");
    const char *name = json_string_value(json_object_get(function ? function : tool, "name"));
    return strcmp(s->choice, "auto") == 0 || strcmp(s->choice, "required") == 0 ||
           (name && strcmp(name, s->choice) == 0);
}

/* A call of any of the tools that may be called. */
static int read_tools(struct shape *s, const json_t *tools, int *id_out)
{
    int parts[MAX_TOOLS], rc = 0;
    size_t n = 0;
    if (!json_is_array(tools))
        return refuse(s, ENGINE_EINPUT, "tools", "must be an array");
    if (json_array_size(tools) > MAX_TOOLS)
        return refuse(s, ENGINE_EINPUT, "tools", "too many (limit 128)");
    for (size_t i = 0; i < json_array_size(tools) && rc == 0; i++)
        if (is_chosen(s, json_array_get(tools, i)))
            rc = read_tool(s, json_array_get(tools, i), &parts[n++]);
    if (rc == 0 && n == 0)
        return refuse(s, ENGINE_EINPUT, "tool_choice", "no such tool");
    *id_out = gx_alt(s->g, parts, n);
    return rc;
}

/* Free text */

static int all_but(struct grammar *g, const char *chars)
{
    struct charset set = {0};
    for (; *chars; chars++)
        charset_add(&set, *chars, *chars);
    charset_finish(&set);
    charset_invert(&set);
    int id = gx_set(g, &set);
    charset_done(&set);
    return id;
}

/* Text that does not begin with "{". */
static int llama_text(struct grammar *g)
{
    return gx_maybe(g,
                    gx_two(g, all_but(g, "{ \n\t\r"), gx_repeat(g, all_but(g, ""), 0, GX_FOREVER)));
}

/* The marker's characters; how many. */
static int marker_chars(int32_t *out)
{
    static const char marker[] = CALLS_BEGIN;
    int n = 0;
    for (size_t at = 0, len; at < sizeof marker - 1; at += len)
        out[n++] = utf8_decode(marker + at, sizeof marker - 1 - at, &len);
    return n;
}

/* Of a text that ends with the marker's first `matched` characters and then c: how many
 * it ends with then. */
static int next_match(const int32_t *marker, int matched, int32_t c)
{
    for (int n = matched + 1; n > 0; n--) {
        bool fits = marker[n - 1] == c;
        for (int i = 0; i < n - 1 && fits; i++)
            fits = marker[i] == marker[matched - (n - 1) + i];
        if (fits)
            return n;
    }
    return 0;
}

/* Any text, and behind the marker only calls. */
static int deepseek_text(struct grammar *g, int calls)
{
    int32_t marker[MAX_MARKER];
    int n = marker_chars(marker), rule[MAX_MARKER + 1];
    for (int k = 0; k < n; k++)
        rule[k] = grammar_rule(g, NULL);
    for (int k = 0; k < n; k++) {
        struct charset other = {0};
        int parts[MAX_MARKER + 1], n_parts = 0;
        for (int i = 0; i < n; i++) {
            struct charset one = {0};
            int to = next_match(marker, k, marker[i]);
            if (to == 0 || charset_has(&other, marker[i]))
                continue;
            charset_add(&other, marker[i], marker[i]);
            charset_finish(&other);
            charset_add(&one, marker[i], marker[i]);
            parts[n_parts++] = gx_two(g, gx_set(g, &one), to == n ? calls : gx_call(g, rule[to]));
            charset_done(&one);
        }
        charset_invert(&other);
        int free_char = gx_set(g, &other);
        charset_done(&other);
        int marked = gx_alt(g, parts, (size_t)n_parts);
        int body = k > 0 ? gx_or(g, marked, gx_two(g, free_char, gx_call(g, rule[0])))
                         : gx_two(g, gx_repeat(g, free_char, 0, GX_FOREVER), gx_maybe(g, marked));
        grammar_define(g, rule[k], k > 0 ? gx_maybe(g, body) : body);
    }
    return gx_call(g, rule[0]);
}

/* Joins the calls with what an answer may be instead; text: an expression, or -1 for any text. */
static int with_calls(struct shape *s, int call, int text)
{
    struct grammar *g = s->g;
    bool must = strcmp(s->choice, "auto") != 0;
    if (s->family == ENGINE_FAMILY_LLAMA)
        return must ? call : gx_or(g, call, text < 0 ? llama_text(g) : text);
    int more = gx_repeat(g, gx_two(g, gx_string(g, "\n"), call), 0, MAX_CALLS - 1);
    const int parts[] = {call, more, gx_string(g, CALLS_END)};
    int calls = gx_seq(g, parts, 3);
    int marked = gx_two(g, gx_string(g, CALLS_BEGIN), calls);
    return must ? marked : text < 0 ? deepseek_text(g, calls) : gx_or(g, marked, text);
}

/* Everything */

static int read_schema(struct shape *s, const char *text, int *id_out)
{
    json_t *schema;
    int rc = read_json(s, "schema", text, &schema);
    if (rc == 0 && schema_read(s->g, schema, id_out, s->err, s->errlen) != 0)
        rc = blame(s, "schema");
    json_decref(schema);
    return rc;
}

static int read_grammar(struct shape *s, const char *text, int *id_out)
{
    int root;
    if (gbnf_read(s->g, text, &root, s->err, s->errlen) != 0)
        return blame(s, "grammar");
    *id_out = gx_call(s->g, root);
    return 0;
}

static int read_request(struct shape *s, const struct engine_request *req, int *id_out)
{
    json_t *tools = NULL;
    int rc = 0, call = -1;
    *id_out = -1;
    if (req->schema && req->grammar)
        return refuse(s, ENGINE_EINPUT, "schema", "not together with a grammar");
    if (req->schema)
        rc = read_schema(s, req->schema, id_out);
    else if (req->grammar)
        rc = read_grammar(s, req->grammar, id_out);
    if (rc != 0 || !calls_wanted(req))
        return rc;
    s->choice = req->tool_choice ? req->tool_choice : "auto";
    if ((rc = read_json(s, "tools", req->tools, &tools)) == 0 &&
        (rc = read_tools(s, tools, &call)) == 0)
        *id_out = with_calls(s, call, *id_out);
    json_decref(tools);
    return rc;
}

int shape_grammar(struct grammar **out, const struct engine_request *req, enum engine_family family,
                  char *err, size_t errlen)
{
    struct shape s = {.g = grammar_new(), .family = family, .err = err, .errlen = errlen};
    const char *field = req->schema ? "schema" : req->grammar ? "grammar" : "tools";
    int body;
    if (!s.g)
        return refuse(&s, ENGINE_EMEMORY, field, "out of memory");
    int rc = read_request(&s, req, &body);
    if (rc == 0) {
        int root = grammar_rule(s.g, NULL);
        grammar_define(s.g, root, body);
        if (grammar_finish(s.g, root, err, errlen) != 0)
            rc = blame(&s, field);
    }
    if (rc != 0)
        grammar_free(s.g);
    else
        *out = s.g;
    return rc;
}
