/* hf_tokenizer.c - tokenizer.json and tokenizer_config.json as keys of a GGUF header. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/hf_json.h"

static const char tokenizer_file[] = "tokenizer.json", config_file[] = "tokenizer_config.json";

enum { TYPE_NORMAL = 1, TYPE_CONTROL = 3, TYPE_USER = 4, TYPE_UNUSED = 5 };

/* The two known pre-tokenizers, by their patterns. */
static const struct {
    const char *pattern, *pre;
} rules[] = {
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}|"
     " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     "deepseek-r1-qwen"},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|"
     " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     "llama-bpe"},
};

/* Whether a marker belongs to the template: releases mark some of theirs as not
 * special ("<｜User｜>"). */
static bool looks_special(const char *text)
{
    static const struct {
        const char *open, *close;
    } marks[] = {{"<|", "|>"}, {"<｜", "｜>"}};
    size_t len = strlen(text);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t n = strlen(marks[i].open);
        if (len >= 2 * n && strncmp(text, marks[i].open, n) == 0 &&
            strcmp(text + len - n, marks[i].close) == 0)
            return true;
    }
    return false;
}

/* Text and type of each token, by id; unnamed ids stay NULL. */
struct table {
    const char **text;
    int32_t *type;
    int n;
};

static int put_token(const struct hf_reader *r, struct table *t, const char *text, json_t *id,
                     int32_t type)
{
    json_int_t i = json_integer_value(id);
    if (!json_is_integer(id) || i < 0 || i >= t->n)
        return hf_refuse(r, tokenizer_file, "id: not one of the vocabulary (limit 0 to %d)",
                         t->n - 1);
    if (t->text[i] && strcmp(t->text[i], text) != 0)
        return hf_refuse(r, tokenizer_file, "id %d: two tokens have it", (int)i);
    t->text[i] = text;
    t->type[i] = type;
    return 0;
}

static int take_tokens(const struct hf_reader *r, json_t *json, struct table *t)
{
    json_t *vocab = json_object_get(json_object_get(json, "model"), "vocab"), *id;
    const json_t *added = json_object_get(json, "added_tokens");
    const char *text;

    if (!json_is_object(vocab))
        return hf_refuse(r, tokenizer_file, "model.vocab: missing");
    json_object_foreach(vocab, text, id) if (put_token(r, t, text, id, TYPE_NORMAL) != 0) return -1;
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *token = json_array_get(added, i);
        text = json_string_value(json_object_get(token, "content"));
        if (!text)
            return hf_refuse(r, tokenizer_file, "added_tokens: one without content");
        bool special = json_is_true(json_object_get(token, "special")) || looks_special(text);
        if (put_token(r, t, text, json_object_get(token, "id"),
                      special ? TYPE_CONTROL : TYPE_USER) != 0)
            return -1;
    }
    return 0;
}

static void write_tokens(const struct hf_reader *r, const struct table *t)
{
    gguf_build_array(r->header, "tokenizer.ggml.tokens", GGUF_STRING, (uint64_t)t->n);
    for (int i = 0; i < t->n; i++) {
        char pad[24];
        snprintf(pad, sizeof pad, "[PAD%d]", i);
        const char *text = t->text[i] ? t->text[i] : pad;
        gguf_build_element_string(r->header, text, strlen(text));
    }
    gguf_build_array(r->header, "tokenizer.ggml.token_type", GGUF_I32, (uint64_t)t->n);
    for (int i = 0; i < t->n; i++)
        gguf_build_element_i32(r->header, t->text[i] ? t->type[i] : TYPE_UNUSED);
}

/* "a b", or in newer files ["a", "b"]. */
static int write_merges(const struct hf_reader *r, const json_t *json)
{
    const json_t *merges = json_object_get(json_object_get(json, "model"), "merges");
    char *pair = NULL;
    int result = 0;

    if (!json_is_array(merges))
        return hf_refuse(r, tokenizer_file, "model.merges: missing");
    gguf_build_array(r->header, "tokenizer.ggml.merges", GGUF_STRING, json_array_size(merges));
    for (size_t i = 0; result == 0 && i < json_array_size(merges); i++) {
        const json_t *merge = json_array_get(merges, i);
        const char *a = json_string_value(json_array_get(merge, 0));
        const char *b = json_string_value(json_array_get(merge, 1));
        const char *text = json_string_value(merge);
        if (text) {
            gguf_build_element_string(r->header, text, strlen(text));
            continue;
        }
        size_t n = a && b ? strlen(a) + strlen(b) + 2 : 0;
        char *grown = n ? realloc(pair, n) : NULL;
        if (!grown) {
            result = hf_refuse(r, tokenizer_file, "model.merges: number %zu is no pair", i + 1);
            break;
        }
        pair = grown;
        snprintf(pair, n, "%s %s", a, b);
        gguf_build_element_string(r->header, pair, n - 1);
    }
    free(pair);
    return result;
}

/* The pattern of the first pre-tokenizer. */
static const char *find_pattern(const json_t *json)
{
    const json_t *pre = json_object_get(json, "pre_tokenizer");
    const json_t *list = json_object_get(pre, "pretokenizers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *pattern = json_object_get(json_array_get(list, i), "pattern");
        if (pattern)
            return json_string_value(json_object_get(pattern, "Regex"));
    }
    return json_string_value(json_object_get(json_object_get(pre, "pattern"), "Regex"));
}

static int write_rule(const struct hf_reader *r, const json_t *json)
{
    const char *type = json_string_value(json_object_get(json_object_get(json, "model"), "type"));
    const char *pattern = find_pattern(json);

    if (!type || strcmp(type, "BPE") != 0)
        return hf_refuse(r, tokenizer_file, "model.type: not supported (supported: BPE)");
    for (size_t i = 0; pattern && i < sizeof rules / sizeof *rules; i++)
        if (strcmp(pattern, rules[i].pattern) == 0) {
            gguf_build_string(r->header, "tokenizer.ggml.model", "gpt2", 4);
            gguf_build_string(r->header, "tokenizer.ggml.pre", rules[i].pre, strlen(rules[i].pre));
            return 0;
        }
    return hf_refuse(r, tokenizer_file, "pre_tokenizer: this way of splitting is not supported");
}

/* The id of a special token that is named by its text, or by an object with it; else `otherwise`,
 * -1: none. */
static int64_t find_special(const struct table *t, const json_t *config, const char *key,
                            int64_t otherwise)
{
    const json_t *value = json_object_get(config, key);
    const char *text = json_string_value(json_is_object(value) ? json_object_get(value, "content")
                                                               : value);
    for (int i = t->n; text && i-- > 0;)
        if (t->text[i] && strcmp(t->text[i], text) == 0)
            return i;
    return otherwise < t->n ? otherwise : -1;
}

/* The template of a conversation; of several the one called "default". */
static const char *find_template(const json_t *config)
{
    const json_t *value = json_object_get(config, "chat_template");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *one = json_array_get(value, i);
        const char *name = json_string_value(json_object_get(one, "name"));
        if (name && strcmp(name, "default") == 0)
            return json_string_value(json_object_get(one, "template"));
    }
    return json_string_value(value);
}

/* Newer releases keep it in a file of its own, which takes precedence. */
static int write_template(const struct hf_reader *r, const json_t *config)
{
    bool failed;
    struct safemap file;
    const char *chat = find_template(config);

    if (hf_text_read(r, "chat_template.jinja", &file, &failed)) {
        gguf_build_string(r->header, "tokenizer.chat_template", (const char *)file.bytes,
                          file.size);
        safemap_close(&file);
    } else if (chat && !failed) {
        gguf_build_string(r->header, "tokenizer.chat_template", chat, strlen(chat));
    }
    return failed ? -1 : 0;
}

static int write_config(const struct hf_reader *r, const struct hf_config *c, const struct table *t)
{
    bool failed;
    json_t *config = hf_json_read(r, config_file, &failed);
    const struct {
        const char *from, *to;
        int64_t otherwise;
    } ids[] = {
        {"bos_token", "tokenizer.ggml.bos_token_id", c->bos},
        {"eos_token", "tokenizer.ggml.eos_token_id", c->eos},
        {"pad_token", "tokenizer.ggml.padding_token_id", -1},
    };
    static const struct {
        const char *from, *to;
    } flags[] = {
        {"add_bos_token", "tokenizer.ggml.add_bos_token"},
        {"add_eos_token", "tokenizer.ggml.add_eos_token"},
    };

    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        int64_t id = find_special(t, config, ids[i].from, ids[i].otherwise);
        if (id >= 0)
            gguf_build_u32(r->header, ids[i].to, (uint32_t)id);
    }
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        const json_t *flag = json_object_get(config, flags[i].from);
        if (json_is_boolean(flag))
            gguf_build_bool(r->header, flags[i].to, json_is_true(flag));
    }
    int result = failed ? -1 : write_template(r, config);
    json_decref(config);
    return result;
}

int hf_read_tokenizer(const struct hf_reader *r, const struct hf_config *c)
{
    json_t *json = hf_json_need(r, tokenizer_file);
    struct table t = {calloc((size_t)c->n_vocab, sizeof *t.text),
                      calloc((size_t)c->n_vocab, sizeof *t.type), c->n_vocab};
    int result = -1;

    if (json && (!t.text || !t.type))
        hf_refuse(r, tokenizer_file, "out of memory for the vocabulary");
    else if (json && write_rule(r, json) == 0 && take_tokens(r, json, &t) == 0 &&
             write_merges(r, json) == 0) {
        write_tokens(r, &t);
        result = write_config(r, c, &t);
    }
    free(t.text);
    free(t.type);
    json_decref(json);
    return result;
}
