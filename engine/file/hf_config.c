/* hf_config.c - config.json and generation_config.json as keys of a GGUF header. What the forward
 * pass does not do is refused by name. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "file/hf_json.h"

static const char config_file[] = "config.json";

static void put_int(const struct hf_reader *r, const struct hf_config *c, const char *suffix,
                    int value)
{
    char key[80];
    snprintf(key, sizeof key, "%s.%s", c->architecture, suffix);
    gguf_build_u32(r->header, key, (uint32_t)value);
}

static void put_real(const struct hf_reader *r, const struct hf_config *c, const char *suffix,
                     double value)
{
    char key[80];
    snprintf(key, sizeof key, "%s.%s", c->architecture, suffix);
    gguf_build_f32(r->header, key, (float)value);
}

static int read_architecture(const struct hf_reader *r, const json_t *json, struct hf_config *c)
{
    const char *type = json_string_value(json_object_get(json, "model_type"));
    if (!type || (strcmp(type, "qwen2") != 0 && strcmp(type, "llama") != 0)) {
        char shown[40];
        struct gguf_string got = {type ? type : "nothing", strlen(type ? type : "nothing")};
        return hf_refuse(r, config_file,
                         "model_type: %s is not supported (supported: qwen2, llama)",
                         gguf_print(shown, sizeof shown, got));
    }
    snprintf(c->architecture, sizeof c->architecture, "%s", type);
    gguf_build_string(r->header, "general.architecture", type, strlen(type));
    if (strcmp(type, "llama") == 0)
        gguf_build_bool(r->header, "llama.rope.neighbours", false);
    return 0;
}

static int read_sizes(const struct hf_reader *r, const json_t *json, struct hf_config *c)
{
    static const struct {
        const char *from, *to;
    } plain[] = {
        {"num_hidden_layers", "block_count"},
        {"max_position_embeddings", "context_length"},
        {"hidden_size", "embedding_length"},
        {"intermediate_size", "feed_forward_length"},
    };
    const struct hf_json in = {r, config_file, json};
    int hidden = 0, value;
    double epsilon;

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        if (hf_json_int(&in, plain[i].from, INT_MAX, 0, &value) != 0)
            return -1;
        put_int(r, c, plain[i].to, value);
        hidden = strcmp(plain[i].from, "hidden_size") == 0 ? value : hidden;
    }
    if (hf_json_int(&in, "vocab_size", 1 << 24, 0, &c->n_vocab) != 0 ||
        hf_json_int(&in, "num_attention_heads", 4096, 0, &c->n_head) != 0 ||
        hf_json_int(&in, "num_key_value_heads", 4096, c->n_head, &c->n_head_kv) != 0 ||
        hf_json_int(&in, "head_dim", 1024, hidden / c->n_head + !hidden, &c->head_dim) != 0 ||
        hf_json_real(&in, "rms_norm_eps", NAN, &epsilon) != 0)
        return -1;
    put_int(r, c, "attention.head_count", c->n_head);
    put_int(r, c, "attention.head_count_kv", c->n_head_kv);
    put_int(r, c, "attention.key_length", c->head_dim);
    put_int(r, c, "attention.value_length", c->head_dim);
    put_int(r, c, "rope.dimension_count", c->head_dim);
    put_int(r, c, "vocab_size", c->n_vocab);
    put_real(r, c, "attention.layer_norm_rms_epsilon", epsilon);
    return 0;
}

/* Newer files have the base and the scaling in one object. */
static int read_rotation(const struct hf_reader *r, const json_t *json, struct hf_config *c)
{
    const json_t *one = json_object_get(json, "rope_parameters");
    const json_t *scaling = json_is_object(one) ? one : json_object_get(json, "rope_scaling");
    const json_t *kind = json_object_get(scaling, "rope_type");
    const char *type = json_string_value(kind ? kind : json_object_get(scaling, "type"));
    const struct hf_json in = {r, config_file, json_is_object(one) ? one : json};
    const struct hf_json in_scaling = {r, config_file, scaling};

    if (hf_json_real(&in, "rope_theta", 10000, &c->theta) != 0)
        return -1;
    put_real(r, c, "rope.freq_base", c->theta);
    if (!type && json_object_get(scaling, "factor"))
        return hf_refuse(r, config_file, "rope_scaling: a factor without its rope_type");
    if (!type || strcmp(type, "default") == 0)
        return 0;
    if (strcmp(type, "llama3") != 0) {
        char shown[40];
        return hf_refuse(r, config_file,
                         "rope_scaling: %s is not supported (supported: default, llama3)",
                         gguf_print(shown, sizeof shown, (struct gguf_string){type, strlen(type)}));
    }
    c->scaled = true;
    if (hf_json_real(&in_scaling, "factor", NAN, &c->factor) != 0 ||
        hf_json_real(&in_scaling, "low_freq_factor", NAN, &c->low) != 0 ||
        hf_json_real(&in_scaling, "high_freq_factor", NAN, &c->high) != 0 ||
        hf_json_real(&in_scaling, "original_max_position_embeddings", NAN, &c->trained) != 0)
        return -1;
    if (!(c->factor >= 1 && c->low > 0 && c->high > c->low && c->trained >= 1))
        return hf_refuse(r, config_file, "rope_scaling: its factors are out of range");
    return 0;
}

static int check_unsupported(const struct hf_reader *r, const json_t *json)
{
    const char *act = json_string_value(json_object_get(json, "hidden_act"));
    if (act && strcmp(act, "silu") != 0)
        return hf_refuse(r, config_file, "hidden_act: not supported (supported: silu)");
    if (json_is_true(json_object_get(json, "use_sliding_window")))
        return hf_refuse(r, config_file, "use_sliding_window: not supported");
    if (json_is_object(json_object_get(json, "quantization_config")))
        return hf_refuse(r, config_file,
                         "quantization_config: quantised releases are not "
                         "supported; GGUF files are");
    return 0;
}

/* What the release recommends for sampling; its reader decides whether that can be used. */
static int read_generation(const struct hf_reader *r)
{
    static const char file[] = "generation_config.json";
    static const struct {
        const char *from, *to;
    } reals[] = {
        {"temperature", "general.sampling.temp"},
        {"top_p", "general.sampling.top_p"},
        {"min_p", "general.sampling.min_p"},
        {"repetition_penalty", "general.sampling.penalty_repeat"},
    };
    bool failed;
    json_t *json = hf_json_read(r, file, &failed);
    const json_t *top_k = json_object_get(json, "top_k");
    bool greedy = json_is_false(json_object_get(json, "do_sample"));

    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        const json_t *value = json_object_get(json, reals[i].from);
        if (json_is_number(value) && !(i == 0 && greedy))
            gguf_build_f32(r->header, reals[i].to, (float)json_number_value(value));
    }
    if (greedy)
        gguf_build_f32(r->header, reals[0].to, 0);
    if (json_is_integer(top_k) && json_integer_value(top_k) >= 0 &&
        json_integer_value(top_k) <= INT_MAX)
        gguf_build_u32(r->header, "general.sampling.top_k", (uint32_t)json_integer_value(top_k));
    json_decref(json);
    return failed ? -1 : 0;
}

static int64_t read_id(const json_t *json, const char *key)
{
    const json_t *id = json_object_get(json, key);
    return json_is_integer(id) ? json_integer_value(id) : -1;
}

int hf_read_config(const struct hf_reader *r, struct hf_config *out)
{
    json_t *json = hf_json_need(r, config_file);
    if (!json)
        return -1;
    *out = (struct hf_config){.tied = json_is_true(json_object_get(json, "tie_word_embeddings")),
                              .bos = read_id(json, "bos_token_id"),
                              .eos = read_id(json, "eos_token_id")};
    bool failed = read_architecture(r, json, out) != 0 || check_unsupported(r, json) != 0 ||
                  read_sizes(r, json, out) != 0 || read_rotation(r, json, out) != 0 ||
                  read_generation(r) != 0;
    json_decref(json);
    return failed ? -1 : 0;
}
