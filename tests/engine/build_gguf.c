/* build_gguf.c - see build_gguf.h. The numbers of the format are written out here once more, on
 * purpose: a mistake in the reader is then not repeated by its test. */
#include "tests/engine/build_gguf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void append(struct build *b, const void *bytes, size_t n)
{
    if (b->size + n > b->capacity) {
        b->capacity = 2 * (b->size + n) + 4096;
        b->bytes = realloc(b->bytes, b->capacity);
        assert_non_null(b->bytes);
    }
    if (bytes)
        memcpy(b->bytes + b->size, bytes, n);
    else
        memset(b->bytes + b->size, 0, n);
    b->size += n;
}

/* The field `owner:part` lies at the end of what was written so far. */
static void mark(struct build *b, const char *owner, const char *part, size_t width)
{
    if ((b->n_fields & (b->n_fields - 1)) == 0) {
        b->fields = realloc(b->fields, (2 * b->n_fields + 1) * sizeof *b->fields);
        assert_non_null(b->fields);
    }
    struct build_field *f = &b->fields[b->n_fields++];
    *f = (struct build_field){.offset = b->size, .width = width};
    snprintf(f->name, sizeof f->name, "%.60s%s%s", owner, *owner ? ":" : "", part);
}

static void append_field(struct build *b, const char *owner, const char *part, uint64_t value,
                         size_t width)
{
    mark(b, owner, part, width);
    append(b, &value, width);
}

void build_init(struct build *b)
{
    *b = (struct build){.alignment = 32};
    append_field(b, "", "magic", 0x46554747, 4);
    append_field(b, "", "version", 3, 4);
    append_field(b, "", "n_tensors", 0, 8);
    append_field(b, "", "n_keys", 0, 8);
}

void build_done(struct build *b)
{
    free(b->bytes);
    free(b->fields);
    *b = (struct build){0};
}

static void append_string(struct build *b, const void *bytes, size_t len)
{
    uint64_t n = len;
    append(b, &n, sizeof n);
    append(b, bytes, len);
}

static bool begin_entry(struct build *b, const char *name, uint64_t *count)
{
    if (b->without && strcmp(b->without, name) == 0)
        return false;
    (*count)++;
    mark(b, name, "name_len", 8);
    append_string(b, name, strlen(name));
    return true;
}

static bool begin_key(struct build *b, const char *key, enum gguf_type type)
{
    if (!begin_entry(b, key, &b->n_keys))
        return false;
    append_field(b, key, "type", type, 4);
    return true;
}

static size_t width_of(enum gguf_type type)
{
    static const size_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return widths[type];
}

void build_scalar(struct build *b, const char *key, enum gguf_type type, union gguf_value value)
{
    float f = type == GGUF_F32 ? (float)value.f : 0;

    if (!begin_key(b, key, type))
        return;
    mark(b, key, "value", width_of(type));
    append(b, type == GGUF_F32 ? (const void *)&f : (const void *)&value, width_of(type));
}

void build_u32(struct build *b, const char *key, uint32_t value)
{
    build_scalar(b, key, GGUF_U32, (union gguf_value){.u = value});
}

void build_f32(struct build *b, const char *key, float value)
{
    build_scalar(b, key, GGUF_F32, (union gguf_value){.f = (double)value});
}

void build_bytes(struct build *b, const char *key, const void *value, size_t len)
{
    if (!begin_key(b, key, GGUF_STRING))
        return;
    append_field(b, key, "len", len, 8);
    mark(b, key, "data", 0);
    append(b, value, len);
}

void build_string(struct build *b, const char *key, const char *value)
{
    build_bytes(b, key, value, strlen(value));
}

static bool begin_array(struct build *b, const char *key, enum gguf_type type, size_t n)
{
    if (!begin_key(b, key, GGUF_ARRAY))
        return false;
    append_field(b, key, "element_type", type, 4);
    append_field(b, key, "count", n, 8);
    mark(b, key, "data", type == GGUF_STRING ? 8 : width_of(type));
    return true;
}

void build_strings(struct build *b, const char *key, const char *const *values, size_t n)
{
    if (!begin_array(b, key, GGUF_STRING, n))
        return;
    for (size_t i = 0; i < n; i++)
        append_string(b, values[i], strlen(values[i]));
}

void build_array(struct build *b, const char *key, enum gguf_type type, const void *values,
                 size_t n)
{
    if (begin_array(b, key, type, n))
        append(b, values, n * width_of(type));
}

static uint64_t padded(uint64_t n, uint64_t alignment)
{
    return (n + alignment - 1) / alignment * alignment;
}

void build_tensor(struct build *b, const char *name, enum quant_type type, int n_dims,
                  const int64_t *dims)
{
    static const char *const parts[] = {"dim0", "dim1", "dim2", "dim3"};
    const struct quant_info *info = quant_info(type);
    uint64_t bytes = (uint64_t)(dims[0] / info->block_elements) * (uint64_t)info->block_bytes;

    if (!begin_entry(b, name, &b->n_tensors))
        return;
    append_field(b, name, "n_dims", (uint64_t)n_dims, 4);
    for (int i = 0; i < n_dims; i++) {
        append_field(b, name, parts[i], (uint64_t)dims[i], 8);
        bytes *= i > 0 ? (uint64_t)dims[i] : 1;
    }
    append_field(b, name, "tensor_type", type, 4);
    append_field(b, name, "offset", b->data_bytes, 8);
    mark(b, name, "data", 0);
    b->fields[b->n_fields - 1].offset = b->data_bytes; /* build_finish adds where data starts */
    b->fields[b->n_fields - 1].in_data = true;
    b->data_bytes += padded(bytes, b->alignment);
}

void build_finish(struct build *b)
{
    static const float one = 1;

    build_set(b, "n_tensors", b->n_tensors);
    build_set(b, "n_keys", b->n_keys);
    if (b->n_tensors == 0)
        return;
    append(b, NULL, padded(b->size, b->alignment) - b->size);
    for (size_t i = 0; i < b->n_fields; i++)
        b->fields[i].offset += b->fields[i].in_data ? b->size : 0;
    for (uint64_t i = 0; i < b->data_bytes; i += sizeof one)
        append(b, &one, sizeof one);
}

const struct build_field *build_field(const struct build *b, const char *name)
{
    for (size_t i = 0; i < b->n_fields; i++) {
        if (strcmp(b->fields[i].name, name) == 0)
            return &b->fields[i];
    }
    fail_msg("no field %s", name);
    return NULL;
}

void build_set(struct build *b, const char *field, uint64_t value)
{
    const struct build_field *f = build_field(b, field);
    memcpy(b->bytes + f->offset, &value, f->width ? f->width : sizeof value);
}

void build_truncate(struct build *b, size_t size)
{
    assert_true(size <= b->size);
    b->size = size;
}

/* A small model */

enum { VOCAB = 8, WIDTH = 16, HEADS = 2, HEAD_DIM = 8, FFN = 32, LAYERS = 2 };

void build_model_keys(struct build *b, const char *architecture)
{
    static const char *const tokens[VOCAB] = {"a", "b", "c", "d", "ab", "cd", "<s>", "</s>"};
    static const char *const merges[] = {"a b", "c d"};
    static const int32_t types[VOCAB] = {1, 1, 1, 1, 1, 1, 3, 3};
    static const struct {
        const char *suffix;
        uint32_t value;
    } numbers[] = {
        {"block_count", LAYERS},         {"context_length", 128},
        {"embedding_length", WIDTH},     {"feed_forward_length", FFN},
        {"attention.head_count", HEADS}, {"attention.head_count_kv", 1},
    };
    char key[64];

    build_string(b, "general.architecture", architecture);
    build_string(b, "general.name", "Small");
    build_u32(b, "general.alignment", b->alignment);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        snprintf(key, sizeof key, "%s.%s", architecture, numbers[i].suffix);
        build_u32(b, key, numbers[i].value);
    }
    snprintf(key, sizeof key, "%s.rope.freq_base", architecture);
    build_f32(b, key, 10000);
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", architecture);
    build_f32(b, key, 1e-5f);
    build_string(b, "tokenizer.ggml.model", "gpt2");
    build_strings(b, "tokenizer.ggml.tokens", tokens, VOCAB);
    build_array(b, "tokenizer.ggml.token_type", GGUF_I32, types, VOCAB);
    build_strings(b, "tokenizer.ggml.merges", merges, 2);
    build_u32(b, "tokenizer.ggml.bos_token_id", 6);
    build_u32(b, "tokenizer.ggml.eos_token_id", 7);
    build_scalar(b, "tokenizer.ggml.add_bos_token", GGUF_BOOL, (union gguf_value){.u = 1});
}

static void matrix(struct build *b, const char *name, int64_t rows, int64_t cols)
{
    build_tensor(b, name, QUANT_F32, 2, (const int64_t[]){cols, rows});
}

static void vector(struct build *b, const char *name, int64_t n)
{
    build_tensor(b, name, QUANT_F32, 1, &n);
}

void build_model_tensors(struct build *b, const char *architecture)
{
    static const struct {
        const char *name;
        int rows, cols; /* rows 0: a vector */
        bool qwen2_only;
    } tensors[] = {
        {"attn_norm.weight", 0, WIDTH, false}, {"attn_q.weight", WIDTH, WIDTH, false},
        {"attn_q.bias", 0, WIDTH, true},       {"attn_k.weight", HEAD_DIM, WIDTH, false},
        {"attn_k.bias", 0, HEAD_DIM, true},    {"attn_v.weight", HEAD_DIM, WIDTH, false},
        {"attn_v.bias", 0, HEAD_DIM, true},    {"attn_output.weight", WIDTH, WIDTH, false},
        {"ffn_norm.weight", 0, WIDTH, false},  {"ffn_gate.weight", FFN, WIDTH, false},
        {"ffn_up.weight", FFN, WIDTH, false},  {"ffn_down.weight", WIDTH, FFN, false},
    };
    bool is_qwen2 = strcmp(architecture, "qwen2") == 0;
    char name[64];

    matrix(b, "token_embd.weight", VOCAB, WIDTH);
    vector(b, "output_norm.weight", WIDTH);
    if (is_qwen2)
        matrix(b, "output.weight", VOCAB, WIDTH);
    else
        vector(b, "rope_freqs.weight", HEAD_DIM / 2);
    for (int layer = 0; layer < LAYERS; layer++) {
        for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
            if (tensors[i].qwen2_only && !is_qwen2)
                continue;
            snprintf(name, sizeof name, "blk.%d.%s", layer, tensors[i].name);
            if (tensors[i].rows == 0)
                vector(b, name, tensors[i].cols);
            else
                matrix(b, name, tensors[i].rows, tensors[i].cols);
        }
    }
}

void build_model(struct build *b, const char *architecture)
{
    build_init(b);
    build_model_keys(b, architecture);
    build_model_tensors(b, architecture);
    build_finish(b);
}

struct gguf *build_parse(const struct build *b)
{
    struct gguf *g;
    char err[256] = "";
    if (gguf_parse(&g, b->bytes, b->size, err, sizeof err) != 0)
        fail_msg("refused: %s", err);
    return g;
}
