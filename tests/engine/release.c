/* release.c - see release.h. The names and the order of rows are written out here once more, on
 * purpose: a mistake in the reader is then not repeated by its test. */
#include "tests/engine/release.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

struct release {
    const struct gguf *g;
    const struct release_options *opt;
    char architecture[16];
    int head_dim;
};

static int number(const struct release *r, const char *suffix, int otherwise)
{
    char key[96], err[256];
    int64_t value = otherwise;
    snprintf(key, sizeof key, "%s.%s", r->architecture, suffix);
    assert_true(gguf_get_int(r->g, key, 0, INT32_MAX, &value, err, sizeof err) >= 0);
    return (int)value;
}

static double real(const struct release *r, const char *suffix, double otherwise)
{
    char key[96], err[256];
    double value = otherwise;
    snprintf(key, sizeof key, "%s.%s", r->architecture, suffix);
    assert_true(gguf_get_float(r->g, key, &value, err, sizeof err) >= 0);
    return value;
}

static char *text_of(struct gguf_string s)
{
    char *text = strndup(s.data, s.len);
    assert_non_null(text);
    return text;
}

static void write_json(const struct release *r, const char *name, json_t *json)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", r->opt->folder, name);
    assert_int_equal(json_dump_file(json, path, 0), 0);
    json_decref(json);
}

static void write_config(const struct release *r, int n_vocab)
{
    int heads = number(r, "attention.head_count", 0);
    json_t *config = json_pack(
        "{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:b}", "model_type",
        r->architecture, "hidden_size", number(r, "embedding_length", 0), "intermediate_size",
        number(r, "feed_forward_length", 0), "num_hidden_layers", number(r, "block_count", 0),
        "num_attention_heads", heads, "num_key_value_heads",
        number(r, "attention.head_count_kv", heads), "head_dim", r->head_dim,
        "max_position_embeddings", number(r, "context_length", 0), "vocab_size", n_vocab,
        "rms_norm_eps", real(r, "attention.layer_norm_rms_epsilon", 0), "rope_theta",
        real(r, "rope.freq_base", 10000), "tie_word_embeddings",
        !gguf_find_tensor(r->g, "output.weight"));
    assert_non_null(config);
    if (r->opt->config) {
        json_t *more = json_loads(r->opt->config, 0, NULL);
        assert_int_equal(json_object_update(config, more), 0);
        json_decref(more);
    }
    write_json(r, "config.json", config);
}

static const char *pattern_of(const struct gguf *g)
{
    struct gguf_string pre;
    char err[256];
    assert_int_equal(gguf_get_string(g, "tokenizer.ggml.pre", &pre, err, sizeof err), 1);
    return pre.len == 9 && memcmp(pre.data, "llama-bpe", 9) == 0
               ? "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
                 " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
               : "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
                 " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
}

/* Returns the number of rows. */
static int write_tokenizer(const struct release *r, json_t *settings)
{
    static const char *const named[] = {"bos", "eos", "padding"};
    struct gguf_array tokens, types, merges;
    int64_t ids[3] = {-1, -1, -1};
    char err[256], key[64];
    json_t *vocab = json_object(), *added = json_array(), *list = json_array();

    for (int i = 0; i < 3; i++) {
        snprintf(key, sizeof key, "tokenizer.ggml.%s_token_id", named[i]);
        gguf_get_int(r->g, key, 0, INT32_MAX, &ids[i], err, sizeof err);
    }
    assert_int_equal(
        gguf_get_array(r->g, "tokenizer.ggml.tokens", GGUF_STRING, &tokens, err, sizeof err), 1);
    assert_int_equal(
        gguf_get_array(r->g, "tokenizer.ggml.token_type", GGUF_I32, &types, err, sizeof err), 1);
    assert_int_equal(
        gguf_get_array(r->g, "tokenizer.ggml.merges", GGUF_STRING, &merges, err, sizeof err), 1);
    const void *token = tokens.data, *type = types.data, *merge = merges.data;
    for (uint64_t i = 0; i < tokens.count; i++) {
        char *text = text_of(gguf_next_string(&token));
        int64_t kind = gguf_next_element(GGUF_I32, &type).i;
        if (kind == 1)
            json_object_set_new(vocab, text, json_integer((json_int_t)i));
        else if (kind != 5)
            json_array_append_new(added, json_pack("{s:I, s:s, s:b}", "id", (json_int_t)i,
                                                   "content", text, "special", kind == 3));
        for (int k = 0; k < 3; k++)
            if (ids[k] == (int64_t)i) {
                snprintf(key, sizeof key, "%s_token", k == 2 ? "pad" : named[k]);
                json_object_set_new(settings, key, json_string(text));
            }
        free(text);
    }
    for (uint64_t i = 0; i < merges.count; i++) {
        char *text = text_of(gguf_next_string(&merge));
        json_array_append_new(list, json_string(text));
        free(text);
    }
    write_json(r, "tokenizer.json",
               json_pack("{s:{s:s, s:o, s:o}, s:o, s:{s:{s:s}}}", "model", "type", "BPE", "vocab",
                         vocab, "merges", list, "added_tokens", added, "pre_tokenizer", "pattern",
                         "Regex", pattern_of(r->g)));
    return (int)tokens.count;
}

static void write_settings(const struct release *r, json_t *settings)
{
    struct gguf_string chat;
    char err[256];
    if (gguf_get_string(r->g, "tokenizer.chat_template", &chat, err, sizeof err) == 1) {
        char *text = text_of(chat);
        json_object_set_new(settings, "chat_template", json_string(text));
        free(text);
    }
    write_json(r, "tokenizer_config.json", settings);
}

/* Tensors */

static void name_of(struct gguf_string from, char *to, size_t size)
{
    static const struct {
        const char *here, *there;
    } parts[] = {
        {"attn_norm.weight", "input_layernorm.weight"},
        {"ffn_norm.weight", "post_attention_layernorm.weight"},
        {"attn_q.weight", "self_attn.q_proj.weight"},
        {"attn_k.weight", "self_attn.k_proj.weight"},
        {"attn_v.weight", "self_attn.v_proj.weight"},
        {"attn_q.bias", "self_attn.q_proj.bias"},
        {"attn_k.bias", "self_attn.k_proj.bias"},
        {"attn_v.bias", "self_attn.v_proj.bias"},
        {"attn_output.weight", "self_attn.o_proj.weight"},
        {"ffn_gate.weight", "mlp.gate_proj.weight"},
        {"ffn_up.weight", "mlp.up_proj.weight"},
        {"ffn_down.weight", "mlp.down_proj.weight"},
    };
    char name[80];
    int layer, end = 0;
    snprintf(name, sizeof name, "%.*s", (int)from.len, from.data);
    if (strcmp(name, "token_embd.weight") == 0)
        snprintf(to, size, "model.embed_tokens.weight");
    else if (strcmp(name, "output.weight") == 0)
        snprintf(to, size, "lm_head.weight");
    else if (strcmp(name, "output_norm.weight") == 0)
        snprintf(to, size, "model.norm.weight");
    else if (sscanf(name, "blk.%d.%n", &layer, &end) == 1)
        for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
            if (strcmp(name + end, parts[i].here) == 0)
                snprintf(to, size, "model.layers.%d.%s", layer, parts[i].there);
}

static bool is_turned(const struct release *r, struct gguf_string name)
{
    return strcmp(r->architecture, "llama") == 0 &&
           (memmem(name.data, name.len, "attn_q.", 7) || memmem(name.data, name.len, "attn_k.", 7));
}

static void append_number(const struct release *r, FILE *f, float value)
{
    uint16_t half = r->opt->type == QUANT_F16 ? quant_float_to_half(value)
                                              : quant_float_to_bf16(value);
    if (r->opt->type == QUANT_F32)
        fwrite(&value, sizeof value, 1, f);
    else
        fwrite(&half, sizeof half, 1, f);
}

/* In a llama's GGUF the partners of a rotation are neighbours; in a release they are half a head
 * apart. */
static void write_numbers(const struct release *r, FILE *f, const struct gguf_tensor *t)
{
    int64_t cols = t->n_dims > 1 ? t->dim[0] : 1, rows = t->n_dims > 1 ? t->dim[1] : t->dim[0];
    float *all = malloc((size_t)(rows * cols) * sizeof *all);
    assert_non_null(all);
    quant_to_float(t->type, t->data, rows * cols, all);
    for (int64_t row = 0; row < rows; row++) {
        int64_t from = row, half = r->head_dim / 2;
        if (is_turned(r, t->name)) {
            int64_t head = row / r->head_dim, i = row % r->head_dim;
            from = head * r->head_dim + (i < half ? 2 * i : 2 * (i - half) + 1);
        }
        for (int64_t i = 0; i < cols; i++)
            append_number(r, f, all[from * cols + i]);
    }
    free(all);
}

static bool is_of_file(const struct release *r, size_t i, int file)
{
    struct gguf_string name = gguf_tensor_at(r->g, i)->name;
    return (int)i % r->opt->n_files == file &&
           memmem(name.data, name.len, "rope_freqs", 10) == NULL;
}

static void write_file(const struct release *r, int file, const char *name, json_t *map)
{
    char path[256], to[96];
    json_t *header = json_object();
    json_int_t at = 0, element = r->opt->type == QUANT_F32 ? 4 : 2;

    for (size_t i = 0; i < gguf_n_tensors(r->g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(r->g, i);
        if (!is_of_file(r, i, file))
            continue;
        json_int_t bytes = t->dim[0] * t->dim[1] * element;
        json_t *shape = t->n_dims > 1
                            ? json_pack("[I, I]", (json_int_t)t->dim[1], (json_int_t)t->dim[0])
                            : json_pack("[I]", (json_int_t)t->dim[0]);
        name_of(t->name, to, sizeof to);
        json_object_set_new(header, to,
                            json_pack("{s:s, s:o, s:[I, I]}", "dtype",
                                      quant_info(r->opt->type)->name, "shape", shape,
                                      "data_offsets", at, at + bytes));
        json_object_set_new(map, to, json_string(name));
        at += bytes;
    }
    snprintf(path, sizeof path, "%s/%s", r->opt->folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    char *text = json_dumps(header, 0);
    uint64_t len = (strlen(text) + 7) / 8 * 8;
    fwrite(&len, sizeof len, 1, f);
    fprintf(f, "%-*s", (int)len, text);
    for (size_t i = 0; i < gguf_n_tensors(r->g); i++)
        if (is_of_file(r, i, file))
            write_numbers(r, f, gguf_tensor_at(r->g, i));
    assert_int_equal(fclose(f), 0);
    free(text);
    json_decref(header);
}

static void write_weights(const struct release *r)
{
    json_t *map = json_object();
    for (int file = 0; file < r->opt->n_files; file++) {
        char name[64] = "model.safetensors";
        if (r->opt->n_files > 1)
            snprintf(name, sizeof name, "model-%05d-of-%05d.safetensors", file + 1,
                     r->opt->n_files);
        write_file(r, file, name, map);
    }
    if (r->opt->n_files > 1)
        write_json(r, "model.safetensors.index.json", json_pack("{s:o}", "weight_map", map));
    else
        json_decref(map);
}

void release_write(const struct gguf *g, const struct release_options *opt)
{
    struct release r = {.g = g, .opt = opt};
    struct gguf_string architecture;
    char err[256];
    json_t *settings = json_object();

    assert_int_equal(gguf_get_string(g, "general.architecture", &architecture, err, sizeof err), 1);
    snprintf(r.architecture, sizeof r.architecture, "%.*s", (int)architecture.len,
             architecture.data);
    r.head_dim = number(&r, "attention.key_length",
                        number(&r, "embedding_length", 0) / number(&r, "attention.head_count", 1));
    write_config(&r, write_tokenizer(&r, settings));
    write_settings(&r, settings);
    write_weights(&r);
}
