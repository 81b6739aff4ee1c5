/* cmd_inspect.c - `duet inspect`: what the engine sees, in forms that can be compared with outside
 * vectors. Errors name the line of standard input they belong to. */
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cmd.h"
#include "app/exit.h"
#include "app/inspect/inspect.h"
#include "app/mem.h"
#include "app/models/models.h"
#include "app/question.h"
#include "app/say.h"
#include "app/str.h"
#include "engine/engine.h"

/* Opening */

static int open_model(const struct app *app, const char *name, struct engine_options options,
                      struct engine **out)
{
    struct model_file file;
    char err[512];
    int status = models_find(&app->paths, name, &file, err, sizeof err);
    if (status != 0) {
        say_error("%s", err);
        return status;
    }
    options.model_path = file.path;
    status = engine_open(out, &options, err, sizeof err);
    if (status != 0) {
        say_error("%s", err);
        status = exit_of_engine(status);
    }
    model_file_done(&file);
    return status;
}

/* Lines */

struct lines {
    const struct app *app;
    struct engine *engine;
    int status; /* of the first line that failed in a way that lets the others go on */
    /* One line of input, as JSON: what to print for it. NULL with err set: the input is wrong. */
    char *(*answer)(struct lines *l, json_t *in, char *err, size_t errlen);
};

static int answer_line(struct lines *l, const char *line, size_t len, int number)
{
    char err[512] = "not an object";
    json_error_t error;
    json_t *in = json_loadb(line, len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
    char *out = NULL;

    if (!in)
        say_to(err, sizeof err, 0, "column %d: %s", error.column, error.text);
    else if (json_is_object(in))
        out = l->answer(l, in, err, sizeof err);
    json_decref(in);
    if (!out) {
        say_error("stdin: line %d: %s", number, err);
        return EXIT_USAGE;
    }
    puts(out);
    free(out);
    return ferror(stdout) ? say_flush() : 0;
}

static int answer_lines(struct lines *l)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    int status = 0;

    errno = 0;
    for (int number = 1; status == 0 && (len = getline(&line, &cap, stdin)) >= 0; number++)
        if (len > 1 || (len == 1 && line[0] != '\n'))
            status = answer_line(l, line, (size_t)len, number);
    if (status == 0 && ferror(stdin)) {
        say_error("stdin: %s", strerror(errno));
        status = EXIT_USAGE;
    }
    free(line);
    return status ? status : l->status;
}

/* written by hand: there is much of it */

static void add_ids(struct str *out, const int32_t *ids, size_t n, const char *comma)
{
    for (size_t i = 0; i < n; i++)
        str_addf(out, "%s%d", i ? comma : "", ids[i]);
}

static void add_string(struct str *out, const char *s, size_t len)
{
    struct str valid = {0};
    str_add_valid(&valid, s, len);
    json_t *string = json_stringn(str_get(&valid), valid.len);
    char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    if (!quoted)
        mem_fail();
    str_adds(out, quoted);
    free(quoted);
    json_decref(string);
    str_done(&valid);
}

/* JSON has no NaN and no infinities. */
static void add_float(struct str *out, float x)
{
    if (isfinite(x))
        str_addf(out, "%.9g", (double)x);
    else
        str_adds(out, "null");
}

static int read_ids(const json_t *array, int32_t **out, size_t *n)
{
    size_t i;
    json_t *value;
    *n = json_array_size(array);
    *out = mem_alloc((*n + 1) * sizeof **out);
    json_array_foreach(array, i, value)
    {
        json_int_t id = json_integer_value(value);
        if (!json_is_integer(value) || id < INT32_MIN || id > INT32_MAX) {
            free(*out);
            *out = NULL;
            return -1;
        }
        (*out)[i] = (int32_t)id;
    }
    return 0;
}

/* Tokens */

static char *encode_text(struct lines *l, const char *s, size_t len, char *err, size_t errlen)
{
    struct str out = {0};
    int32_t *ids;
    size_t n;
    if (engine_tokenize(l->engine, s, len, l->app->options.special, &ids, &n) != 0) {
        say_to(err, errlen, 0, "text: cannot be tokenized");
        return NULL;
    }
    str_adds(&out, "{\"ids\": [");
    add_ids(&out, ids, n, ", ");
    str_adds(&out, "]}");
    free(ids);
    return out.data;
}

static char *decode_ids(struct lines *l, const json_t *array, char *err, size_t errlen)
{
    struct str out = {0};
    int32_t *ids;
    char *bytes;
    size_t n, len;
    int status = read_ids(array, &ids, &n);
    if (status == 0)
        status = engine_detokenize(l->engine, ids, n, &bytes, &len);
    free(ids);
    if (status != 0) {
        say_to(err, errlen, 0, "ids: not token ids (limit 0 to %d)",
               engine_info(l->engine)->n_vocab - 1);
        return NULL;
    }
    str_adds(&out, "{\"text\": ");
    add_string(&out, bytes, len);
    str_adds(&out, "}");
    free(bytes);
    return out.data;
}

static char *answer_tokens(struct lines *l, json_t *in, char *err, size_t errlen)
{
    json_t *text = json_object_get(in, "text"), *ids = json_object_get(in, "ids");
    if (json_is_string(text))
        return encode_text(l, json_string_value(text), json_string_length(text), err, errlen);
    if (json_is_array(ids))
        return decode_ids(l, ids, err, errlen);
    say_to(err, errlen, 0, "neither a text nor ids");
    return NULL;
}

/* All of standard input is one text, whatever its bytes. */
static int inspect_text(struct lines *l)
{
    struct str in = {0}, out = {0};
    int32_t *ids;
    size_t n;
    char err[512];
    int status = question_read_stream(STDIN_FILENO, "stdin", &in, err, sizeof err);

    if (status == 0 &&
        engine_tokenize(l->engine, str_get(&in), in.len, l->app->options.special, &ids, &n) != 0)
        status = say_to(err, sizeof err, EXIT_DEVICE, "stdin: cannot be tokenized");
    if (status == 0) {
        add_ids(&out, ids, n, " ");
        free(ids);
        puts(str_get(&out));
    } else {
        say_error("%s", err);
    }
    str_done(&in);
    str_done(&out);
    return status;
}

/* Prompt */

/* A member as JSON text, or NULL where it is missing or null. The caller's. */
static char *member(const json_t *in, const char *name)
{
    json_t *value = json_object_get(in, name);
    return value && !json_is_null(value) ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
}

/* What else the line says is a variable of the template, in an object "extra" as well; null stands
 * for one that is not given. The caller's. */
static char *template_variables(const json_t *in)
{
    const char *name;
    json_t *value, *options = json_object();
    json_object_foreach((json_t *)in, name, value)
    {
        if (!json_is_null(value))
            json_object_set(options, name, value);
    }
    json_object_update(options, json_object_get(in, "extra"));
    char *text = json_dumps(options, 0);
    json_decref(options);
    return text;
}

static char *answer_prompt(struct lines *l, json_t *in, char *err, size_t errlen)
{
    char *messages = member(in, "messages"), *tools = member(in, "tools");
    char *variables = template_variables(in);
    const struct engine_rendering how = {
        .generate = !json_is_false(json_object_get(in, "add_generation_prompt")),
        .variables = variables,
    };
    struct engine_request request = {
        .messages = messages ? messages : "[]",
        .tools = tools,
    };
    struct engine_prompt prompt;
    struct str out = {0};

    if (engine_render(l->engine, &request, &how, &prompt, err, errlen) == 0) {
        str_adds(&out, "{\"rendered\": ");
        add_string(&out, prompt.text, prompt.len);
        str_adds(&out, ", \"ids\": [");
        add_ids(&out, prompt.ids, prompt.n_ids, ", ");
        str_adds(&out, "]}");
        free(prompt.text);
        free(prompt.ids);
    } else {
        /* A refusal by the template is the result for that line; the others go on. */
        str_adds(&out, "{\"error\": ");
        add_string(&out, err, strlen(err));
        str_adds(&out, "}");
        l->status = EXIT_ANSWER;
    }
    free(messages);
    free(tools);
    free(variables);
    return out.data;
}

/* Logits */

enum { TOP = 5 };

struct watch {
    size_t n_tokens, n_greedy;
    struct str *top, *last, *greedy;
};

static void add_top(struct str *out, const float *logits, int n_vocab)
{
    int top[TOP];
    int n = 0;
    for (int id = 0; id < n_vocab; id++) {
        int at = n;
        while (at > 0 && logits[id] > logits[top[at - 1]])
            at--;
        if (at == TOP)
            continue;
        n = n < TOP ? n + 1 : TOP;
        for (int i = n - 1; i > at; i--)
            top[i] = top[i - 1];
        top[at] = id;
    }
    str_adds(out, "[");
    for (int i = 0; i < n; i++) {
        str_addf(out, "%s[%d, ", i ? ", " : "", top[i]);
        add_float(out, logits[top[i]]);
        str_adds(out, "]");
    }
    str_adds(out, "]");
}

static int likeliest(const float *logits, int n_vocab)
{
    int best = 0;
    for (int id = 1; id < n_vocab; id++)
        if (logits[id] > logits[best])
            best = id;
    return best;
}

/* In the engine's thread, while engine_evaluate waits for it. */
static void watch_position(void *ud, size_t position, const float *logits, int n_vocab)
{
    struct watch *w = ud;
    if (position < w->n_tokens) {
        str_adds(w->top, position ? ", " : "");
        add_top(w->top, logits, n_vocab);
    }
    if (position + 1 == w->n_tokens)
        for (int id = 0; id < n_vocab; id++) {
            str_adds(w->last, id ? ", " : "");
            add_float(w->last, logits[id]);
        }
    if (position + 1 >= w->n_tokens && position + 1 < w->n_tokens + w->n_greedy)
        str_addf(w->greedy, "%s%d", w->greedy->len ? ", " : "", likeliest(logits, n_vocab));
}

static char *answer_logits(struct lines *l, json_t *in, char *err, size_t errlen)
{
    struct str top = {0}, last = {0}, greedy = {0}, out = {0};
    json_t *array = json_object_get(in, "tokens");
    int32_t *tokens;
    size_t n;

    if (!json_is_array(array) || read_ids(array, &tokens, &n) != 0) {
        say_to(err, errlen, 0, "tokens: not an array of token ids");
        return NULL;
    }
    size_t n_greedy = (size_t)l->app->options.n_greedy;
    struct watch watch = {n, n_greedy, &top, &last, &greedy};
    struct engine_evaluation evaluation = {
        .tokens = tokens,
        .n_tokens = n,
        .n_greedy = n_greedy,
        .position = watch_position,
        .ud = &watch,
    };
    if (engine_evaluate(l->engine, &evaluation, err, errlen) == 0) {
        str_addf(&out, "{\"logits\": [%s], \"top5\": [%s], \"greedy\": [", str_get(&last),
                 str_get(&top));
        str_addf(&out, "%s]}", str_get(&greedy));
    }
    free(tokens);
    str_done(&top);
    str_done(&last);
    str_done(&greedy);
    return out.data;
}

/* The verb */

static int inspect_lines(const struct app *app, bool vocab_only,
                         char *(*answer)(struct lines *, json_t *, char *, size_t))
{
    struct lines l = {.app = app, .answer = answer};
    struct engine_options options = {
        .vocab_only = vocab_only,
        .device = (enum engine_device)app->options.device,
        .n_threads = (int)app->options.n_threads,
        .n_ctx = (int)app->options.n_ctx,
        .kv_type = app->options.kv_type < 0 ? ENGINE_KV_F32
                                            : (enum engine_kv_type)app->options.kv_type,
    };
    int status = open_model(app, app->options.model, options, &l.engine);
    if (status != 0)
        return status;
    status = answer ? answer_lines(&l) : inspect_text(&l);
    engine_close(l.engine);
    return status;
}

int cmd_inspect(struct app *app)
{
    static const char *const subjects[] = {"model", "tokens", "prompt", "logits"};
    const char *subject = app->n_words > 0 ? app->words[0] : "";
    int status = EXIT_USAGE;

    if (app->n_words > (strcmp(subject, "model") == 0 ? 2 : 1)) {
        say_error("inspect: unexpected argument %s", app->words[app->n_words - 1]);
        return EXIT_USAGE;
    }
    if (strcmp(subject, "model") == 0) {
        status = inspect_model(app, app->n_words > 1 ? app->words[1] : app->options.model);
    } else if (strcmp(subject, "tokens") == 0) {
        status = inspect_lines(app, true, app->options.jsonl ? answer_tokens : NULL);
    } else if (strcmp(subject, "prompt") == 0) {
        status = inspect_lines(app, true, answer_prompt);
    } else if (strcmp(subject, "logits") == 0) {
        status = inspect_lines(app, false, answer_logits);
    } else {
        const char *nearest = args_nearest(subject, subjects, 4);
        say_error("inspect: unknown subject (got %s, limit model, tokens, prompt, logits)%s%s",
                  *subject ? subject : "none", nearest ? "; did you mean " : "",
                  nearest ? nearest : "");
        return EXIT_USAGE;
    }
    return status ? status : say_flush();
}
