/* tiny_model.c - writes the tiny model. */
#include "tests/engine/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/engine/build_gguf.h"
#include "tests/engine/build_vocab.h"

enum { LAYERS = 2, WIDTH = 64, HEADS = 4, KV_HEADS = 2, HEAD_DIM = 16, FFN = 96 };

static void add_number(struct build *b, const char *architecture, const char *name, uint32_t value)
{
    char key[96];
    snprintf(key, sizeof key, "%s.%s", architecture, name);
    build_u32(b, key, value);
}

static void add_vocabulary(struct build *b, const struct build_vocab *v, bool is_llama)
{
    const char *texts[BUILD_VOCAB_MAX], *merges[32];
    for (size_t i = 0; i < v->vocab.n_tokens; i++)
        texts[i] = v->tokens[i].data;
    for (size_t i = 0; i < v->vocab.n_merges; i++)
        merges[i] = v->merges[i].data;
    build_string(b, "tokenizer.ggml.model", "gpt2");
    build_string(b, "tokenizer.ggml.pre", is_llama ? "llama-bpe" : "deepseek-r1-qwen");
    build_strings(b, "tokenizer.ggml.tokens", texts, v->vocab.n_tokens);
    build_array(b, "tokenizer.ggml.token_type", GGUF_I32, v->types, v->vocab.n_tokens);
    build_strings(b, "tokenizer.ggml.merges", merges, v->vocab.n_merges);
    for (uint32_t i = 0; i < v->vocab.n_tokens; i++) {
        if (strcmp(texts[i], is_llama ? "<|begin_of_text|>" : "<｜begin▁of▁sentence｜>") == 0)
            build_u32(b, "tokenizer.ggml.bos_token_id", i);
        if (strcmp(texts[i], is_llama ? "<|eot_id|>" : "<｜end▁of▁sentence｜>") == 0)
            build_u32(b, "tokenizer.ggml.eos_token_id", i);
    }
}

static void add_matrix(struct build *b, const char *name, int64_t rows, int64_t cols)
{
    build_tensor(b, name, QUANT_F32, 2, (const int64_t[]){cols, rows});
}

static void add_tensors(struct build *b, int64_t n_vocab, bool is_llama)
{
    static const struct {
        const char *name;
        int64_t rows, cols; /* rows 0: a vector */
        bool in_llama;
    } tensors[] = {
        {"attn_norm.weight", 0, WIDTH, true},
        {"attn_q.weight", HEADS * HEAD_DIM, WIDTH, true},
        {"attn_k.weight", KV_HEADS * HEAD_DIM, WIDTH, true},
        {"attn_v.weight", KV_HEADS * HEAD_DIM, WIDTH, true},
        {"attn_q.bias", 0, HEADS * HEAD_DIM, false},
        {"attn_k.bias", 0, KV_HEADS * HEAD_DIM, false},
        {"attn_v.bias", 0, KV_HEADS * HEAD_DIM, false},
        {"attn_output.weight", WIDTH, HEADS * HEAD_DIM, true},
        {"ffn_norm.weight", 0, WIDTH, true},
        {"ffn_gate.weight", FFN, WIDTH, true},
        {"ffn_up.weight", FFN, WIDTH, true},
        {"ffn_down.weight", WIDTH, FFN, true},
    };
    const int64_t width = WIDTH;

    add_matrix(b, "token_embd.weight", n_vocab, WIDTH);
    build_tensor(b, "output_norm.weight", QUANT_F32, 1, &width);
    if (!is_llama)
        add_matrix(b, "output.weight", n_vocab, WIDTH);
    for (int layer = 0; layer < LAYERS; layer++) {
        for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++) {
            char name[64];
            snprintf(name, sizeof name, "blk.%d.%s", layer, tensors[i].name);
            if (is_llama && !tensors[i].in_llama)
                continue;
            if (tensors[i].rows == 0)
                build_tensor(b, name, QUANT_F32, 1, &tensors[i].cols);
            else
                add_matrix(b, name, tensors[i].rows, tensors[i].cols);
        }
    }
}

/* Norms stay 1. The others are even between bounds that keep activations near 1; the embedding and
 * the output are wider, so that some tokens are far more likely than others. */
static void randomise(struct build *b, bool damaged)
{
    struct gguf *g;
    char err[256];
    if (gguf_parse(&g, b->bytes, b->size, err, sizeof err) != 0)
        fail_msg("%s", err);
    uint32_t random = 1;
    for (size_t i = 0; i < gguf_n_tensors(g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)t->name.len, t->name.data);
        if (strstr(name, "norm"))
            continue;
        double bound = t->n_dims == 2 ? sqrt(3.0 / (double)t->dim[0]) : 0.5;
        if (strstr(name, "output.weight") || strstr(name, "token_embd"))
            bound *= 3;
        size_t at = (size_t)((const unsigned char *)t->data - b->bytes);
        for (size_t k = 0; k < t->bytes / sizeof(float); k++) {
            random = random * 1664525u + 1013904223u;
            float value = (float)(bound * ((double)(random >> 8) / (1 << 23) - 1));
            if (damaged && strstr(name, "blk.1.ffn_up") && k % 1000 == 0)
                value = NAN;
            memcpy(b->bytes + at + k * sizeof value, &value, sizeof value);
        }
    }
    gguf_close(g);
}

void tiny_model_write(struct tiny_model *m, const struct tiny_model_options *opt)
{
    bool is_llama = strcmp(opt->architecture, "llama") == 0;
    struct build_vocab v;
    struct build b;
    build_vocab(&v, "qwen2");
    build_init(&b);
    build_string(&b, "general.architecture", opt->architecture);
    build_string(&b, "general.name", "Tiny");
    add_number(&b, opt->architecture, "block_count", LAYERS);
    add_number(&b, opt->architecture, "context_length", opt->n_ctx ? opt->n_ctx : TINY_CONTEXT);
    add_number(&b, opt->architecture, "embedding_length", WIDTH);
    add_number(&b, opt->architecture, "feed_forward_length", FFN);
    add_number(&b, opt->architecture, "attention.head_count", HEADS);
    add_number(&b, opt->architecture, "attention.head_count_kv", KV_HEADS);
    add_number(&b, opt->architecture, "vocab_size", (uint32_t)v.vocab.n_tokens);
    char key[96];
    snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", opt->architecture);
    build_f32(&b, key, 1e-5f);
    add_vocabulary(&b, &v, is_llama);
    if (!opt->without_tensors)
        add_tensors(&b, (int64_t)v.vocab.n_tokens, is_llama);
    build_finish(&b);
    randomise(&b, opt->damaged);

    snprintf(m->path, sizeof m->path, "/tmp/duet-tiny-XXXXXX");
    int fd = mkstemp(m->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, b.bytes, b.size), b.size);
    close(fd);
    build_done(&b);
}

void tiny_model_remove(struct tiny_model *m)
{
    unlink(m->path);
}
