/* model.c - `duet inspect model`: metadata, tensors, and the memory it would take. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/exit.h"
#include "app/inspect/inspect.h"
#include "app/mem.h"
#include "app/models/models.h"
#include "app/numbers.h"
#include "app/say.h"
#include "app/str.h"

/* Ready to run, so that the memory is planned; but a file without tensors has a vocabulary to look
 * at all the same. */
static int open_for_facts(const struct app *app, const struct model_file *file, struct engine **out)
{
    char err[512], reason[512];
    struct engine_options options = options_engine(&app->options, file->path);
    int status = engine_open(out, &options, err, sizeof err);
    if (status == 0)
        return 0;
    options.vocab_only = true;
    if (engine_open(out, &options, reason, sizeof reason) == 0) {
        say_notice(false, "%s", err);
        return 0;
    }
    say_error("%s", err);
    return exit_of_engine(status);
}

/* The number without the digits that only come from its being a float. */
static double short_number(float f)
{
    return round((double)f * 1e6) / 1e6;
}

static json_t *sampling(const struct engine_sampling *s)
{
    return json_pack("{s:f, s:i, s:f, s:f, s:f}", "temperature", short_number(s->temperature),
                     "top_k", s->top_k, "top_p", short_number(s->top_p), "min_p",
                     short_number(s->min_p), "repeat_penalty", short_number(s->repeat_penalty));
}

static json_t *facts(const struct engine_info *i)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "name", i->name, "architecture", i->architecture,
        "type", i->type, "device", i->device ? i->device : "", "kv_type",
        engine_kv_type_name(i->kv_type), "family",
        i->family == ENGINE_FAMILY_DEEPSEEK ? "deepseek" : "llama", "thinks", i->thinks);
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"n_params", i->n_params},           {"n_vocab", (uint64_t)i->n_vocab},
        {"n_layer", (uint64_t)i->n_layer},   {"n_embd", (uint64_t)i->n_embd},
        {"n_head", (uint64_t)i->n_head},     {"n_head_kv", (uint64_t)i->n_head_kv},
        {"head_dim", (uint64_t)i->head_dim}, {"n_ff", (uint64_t)i->n_ff},
        {"n_ctx", (uint64_t)i->n_ctx},       {"n_ctx_train", (uint64_t)i->n_ctx_train},
        {"file_bytes", i->file_bytes},       {"weight_bytes", i->weight_bytes},
        {"kv_bytes", i->kv_bytes},           {"scratch_bytes", i->scratch_bytes},
    };
    if (!object)
        mem_fail();
    for (size_t n = 0; n < sizeof numbers / sizeof *numbers; n++)
        json_object_set_new(object, numbers[n].name, json_integer((json_int_t)numbers[n].value));
    if (json_object_set_new(object, "sampling", sampling(&i->sampling)) != 0)
        mem_fail();
    return object;
}

static void add_member(struct str *out, const char *name, const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    if (!text)
        mem_fail();
    str_addf(out, "%-40s ", name);
    str_add_visible(out, text, strlen(text), false);
    str_adds(out, "\n");
    free(text);
}

static void add_members(struct str *out, const char *title, json_t *object)
{
    const char *name;
    json_t *value;
    str_addf(out, "%s\n", title);
    json_object_foreach(object, name, value) add_member(out, name, value);
}

static void add_tensors(struct str *out, json_t *tensors)
{
    size_t i;
    json_t *t;
    str_adds(out, "\ntensors\n");
    json_array_foreach(tensors, i, t)
    {
        struct str size = {0};
        char *shape = json_dumps(json_object_get(t, "shape"), JSON_COMPACT);
        const char *name = json_string_value(json_object_get(t, "name"));
        const char *type = json_string_value(json_object_get(t, "type"));
        numbers_add_bytes(&size, (uint64_t)json_integer_value(json_object_get(t, "bytes")));
        str_add_visible(out, name ? name : "", name ? strlen(name) : 0, false);
        str_addf(out, "%*s %-6s %-16s %s\n", name && strlen(name) < 40 ? 40 - (int)strlen(name) : 0,
                 "", type ? type : "", shape ? shape : "", size.data);
        free(shape);
        str_done(&size);
    }
}

/* {"model": facts, "metadata": ..., "tensors": ...} */
static int print(const struct app *app, struct engine *engine)
{
    char *described = engine_describe(engine);
    json_t *object = described ? json_loads(described, JSON_ALLOW_NUL, NULL) : NULL;
    struct str out = {0};

    free(described);
    if (!object || json_object_set_new(object, "model", facts(engine_info(engine))) != 0)
        mem_fail();
    if (app->options.json) {
        char *line = json_dumps(object, JSON_REAL_PRECISION(9));
        if (!line)
            mem_fail();
        str_addf(&out, "%s\n", line);
        free(line);
    } else {
        add_members(&out, "model", json_object_get(object, "model"));
        add_members(&out, "\nmetadata", json_object_get(object, "metadata"));
        add_tensors(&out, json_object_get(object, "tensors"));
    }
    json_decref(object);
    fwrite(out.data, 1, out.len, stdout);
    str_done(&out);
    return 0;
}

int inspect_model(const struct app *app, const char *name)
{
    struct engine *engine;
    struct model_file file;
    char err[512];
    int status = models_find(&app->paths, name, &file, err, sizeof err);
    if (status != 0) {
        say_error("%s", err);
        return status;
    }
    status = open_for_facts(app, &file, &engine);
    if (status == 0) {
        status = print(app, engine);
        engine_close(engine);
    }
    model_file_done(&file);
    return status;
}
