/* test_model.c - hyper-parameters and the binding of tensors: what a small model must become, and
 * the values of the outside fixtures. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "engine/file/gguf.h"
#include "engine/model.h"
#include "tests/engine/build_gguf.h"
#include "tests/engine/tests.h"

static void binds_qwen2(void **state)
{
    struct build b;
    struct model m;
    char err[256];
    (void)state;

    build_model(&b, "qwen2");
    struct gguf *g = build_parse(&b);
    assert_int_equal(model_bind(&m, g, err, sizeof err), 0);
    assert_string_equal(m.cfg.architecture, "qwen2");
    assert_false(m.mapped);
    assert_int_equal(m.cfg.n_layer, 2);
    assert_int_equal(m.cfg.n_embd, 16);
    assert_int_equal(m.cfg.n_head, 2);
    assert_int_equal(m.cfg.n_head_kv, 1);
    assert_int_equal(m.cfg.head_dim, 8);
    assert_int_equal(m.cfg.n_ff, 32);
    assert_int_equal(m.cfg.n_vocab, 8);
    assert_int_equal(m.cfg.n_ctx_train, 128);
    assert_true(m.cfg.norm_eps == 1e-5f);
    assert_false(m.cfg.rope_neighbours);
    assert_false(m.tied);
    assert_int_equal(m.type, QUANT_F32);

    const struct layer *l = &m.layers[1];
    assert_ptr_equal(l->w_down.host, gguf_find_tensor(g, "blk.1.ffn_down.weight")->data);
    assert_int_equal(l->w_down.rows, 16);
    assert_int_equal(l->w_down.cols, 32);
    assert_ptr_equal(l->wk.host, gguf_find_tensor(g, "blk.1.attn_k.weight")->data);
    assert_int_equal(l->wk.rows, 8);
    assert_ptr_equal(l->bq, gguf_find_tensor(g, "blk.1.attn_q.bias")->data);
    assert_ptr_equal(l->bk, gguf_find_tensor(g, "blk.1.attn_k.bias")->data);
    assert_ptr_equal(l->bv, gguf_find_tensor(g, "blk.1.attn_v.bias")->data);
    assert_ptr_equal(l->attn_norm, gguf_find_tensor(g, "blk.1.attn_norm.weight")->data);
    assert_ptr_equal(m.output.host, gguf_find_tensor(g, "output.weight")->data);

    uint64_t layer = 16 + 256 + 16 + 128 + 8 + 128 + 8 + 256 + 16 + 3 * 512;
    assert_int_equal(m.n_params, 2 * 128 + 16 + 2 * layer);
    assert_int_equal(m.weight_bytes, 4 * m.n_params);
    for (int i = 0; i < 4; i++)
        assert_true(fabs((double)m.inv_freq[i] - pow(10000, -i / 4.0)) < 1e-7);
    model_done(&m);
    gguf_close(g);
    build_done(&b);
}

static void binds_llama(void **state)
{
    static const float factors[4] = {1, 2, 4, 8};
    struct build b;
    struct model m;
    char err[256];
    (void)state;

    build_model(&b, "llama");
    memcpy(b.bytes + build_field(&b, "rope_freqs.weight:data")->offset, factors, sizeof factors);
    struct gguf *g = build_parse(&b);
    assert_int_equal(model_bind(&m, g, err, sizeof err), 0);
    assert_true(m.cfg.rope_neighbours);
    assert_true(m.tied);
    assert_ptr_equal(m.output.host, m.embed.host);
    assert_int_equal(m.output.rows, 8);
    assert_null(m.layers[0].bq);
    for (int i = 0; i < 4; i++)
        assert_true(fabs((double)m.inv_freq[i] - pow(10000, -i / 4.0) / (1 << i)) < 1e-7);
    model_done(&m);
    gguf_close(g);
    build_done(&b);
}

/* Keys that may be missing, and values that change nothing. */
static void accepts_what_changes_nothing(void **state)
{
    struct build b;
    struct model m;
    char err[256] = "";
    (void)state;

    build_init(&b);
    b.without = "llama.block_count";
    build_model_keys(&b, "llama");
    b.without = NULL;
    build_scalar(&b, "llama.block_count", GGUF_U64, (union gguf_value){.u = 2});
    build_u32(&b, "llama.attention.key_length", 8);
    build_u32(&b, "llama.attention.value_length", 8);
    build_u32(&b, "llama.rope.dimension_count", 8);
    build_u32(&b, "llama.vocab_size", 8);
    build_u32(&b, "llama.expert_count", 0);
    build_u32(&b, "llama.attention.sliding_window", 128);
    build_string(&b, "llama.rope.scaling.type", "linear");
    build_f32(&b, "llama.rope.scaling.factor", 1);
    build_u32(&b, "split.count", 1);
    build_model_tensors(&b, "llama");
    build_finish(&b);
    struct gguf *g = build_parse(&b);
    if (model_bind(&m, g, err, sizeof err) != 0)
        fail_msg("refused: %s", err);
    model_done(&m);
    gguf_close(g);
    build_done(&b);
}

static void names_the_commonest_type(void **state)
{
    static const char *const matrices[] = {"attn_q", "attn_output", "ffn_gate", "ffn_up"};
    struct build b;
    struct model m;
    char err[256], name[64];
    (void)state;

    /* One layer, 32 wide, so that rows can be blocks of Q8_0. */
    build_init(&b);
    build_model_keys(&b, "llama");
    build_set(&b, "llama.block_count:value", 1);
    build_set(&b, "llama.embedding_length:value", 32);
    build_tensor(&b, "token_embd.weight", QUANT_F16, 2, (const int64_t[]){32, 8});
    for (size_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "blk.0.%s.weight", matrices[i]);
        build_tensor(&b, name, QUANT_Q8_0, 2, (const int64_t[]){32, 32});
    }
    build_tensor(&b, "blk.0.attn_k.weight", QUANT_Q4_0, 2, (const int64_t[]){32, 16});
    build_tensor(&b, "blk.0.attn_v.weight", QUANT_Q4_0, 2, (const int64_t[]){32, 16});
    build_tensor(&b, "blk.0.ffn_down.weight", QUANT_Q4_0, 2, (const int64_t[]){32, 32});
    build_tensor(&b, "blk.0.attn_norm.weight", QUANT_F32, 1, (const int64_t[]){32});
    build_tensor(&b, "blk.0.ffn_norm.weight", QUANT_F32, 1, (const int64_t[]){32});
    build_tensor(&b, "output_norm.weight", QUANT_F32, 1, (const int64_t[]){32});
    build_finish(&b);
    struct gguf *g = build_parse(&b);
    if (model_bind(&m, g, err, sizeof err) != 0)
        fail_msg("refused: %s", err);
    assert_int_equal(m.type, QUANT_Q8_0);
    assert_int_equal(m.layers[0].wk.type, QUANT_Q4_0);
    model_done(&m);
    gguf_close(g);
    build_done(&b);
}

static void fingerprints_differ(void **state)
{
    struct build b;
    uint64_t seen[4];
    (void)state;

    build_model(&b, "llama");
    const struct build_field *last = build_field(&b, "blk.1.ffn_down.weight:data");
    for (int i = 0; i < 4; i++) {
        if (i == 1)
            b.bytes[last->offset + 7]++;
        if (i == 2)
            build_set(&b, "llama.context_length:value", 129);
        if (i == 3)
            b.bytes[b.size - 1]++;
        struct gguf *g = build_parse(&b);
        seen[i] = model_fingerprint(g);
        assert_true(seen[i] == model_fingerprint(g));
        for (int k = 0; k < i; k++)
            assert_true(seen[i] != seen[k]);
        gguf_close(g);
    }
    build_done(&b);
}

/* Outside truth */

static struct gguf *open_fixture(const char *name)
{
    struct gguf *g;
    char path[1024], err[256] = "";
    fixture_path(name, path, sizeof path);
    if (gguf_open(&g, path, err, sizeof err) != 0)
        fail_msg("%s: %s", name, err);
    return g;
}

static void reads_the_real_models(void **state)
{
    static const struct {
        const char *file;
        struct model_config cfg;
    } models[] = {
        {"vocab/deepseek-r1-distill-qwen-1.5b.vocab.gguf",
         {.architecture = "qwen2",
          .n_vocab = 151936,
          .n_layer = 28,
          .n_embd = 1536,
          .n_head = 12,
          .n_head_kv = 2,
          .head_dim = 128,
          .n_ff = 8960,
          .n_ctx_train = 131072,
          .norm_eps = 1e-6f,
          .rope_theta = 10000,
          .rope_neighbours = false}},
        {"vocab/llama-3.2-1b-instruct.vocab.gguf",
         {.architecture = "llama",
          .n_vocab = 128256,
          .n_layer = 16,
          .n_embd = 2048,
          .n_head = 32,
          .n_head_kv = 8,
          .head_dim = 64,
          .n_ff = 8192,
          .n_ctx_train = 131072,
          .norm_eps = 1e-5f,
          .rope_theta = 500000,
          .rope_neighbours = true}},
    };
    (void)state;

    for (size_t i = 0; i < 2; i++) {
        const struct model_config *want = &models[i].cfg;
        struct gguf *g = open_fixture(models[i].file);
        struct model_config c;
        char err[256];
        assert_int_equal(model_read_config(&c, g, err, sizeof err), 0);
        assert_string_equal(c.architecture, want->architecture);
        assert_int_equal(c.n_vocab, want->n_vocab);
        assert_int_equal(c.n_layer, want->n_layer);
        assert_int_equal(c.n_embd, want->n_embd);
        assert_int_equal(c.n_head, want->n_head);
        assert_int_equal(c.n_head_kv, want->n_head_kv);
        assert_int_equal(c.head_dim, want->head_dim);
        assert_int_equal(c.n_ff, want->n_ff);
        assert_int_equal(c.n_ctx_train, want->n_ctx_train);
        assert_true(c.norm_eps == want->norm_eps);
        assert_true(c.rope_theta == want->rope_theta);
        assert_int_equal(c.rope_neighbours, want->rope_neighbours);

        struct model m;
        assert_int_equal(model_bind(&m, g, err, sizeof err), -1);
        assert_string_equal(err, "token_embd.weight: missing");
        gguf_close(g);
    }
}

static void binds_the_tiny_models(void **state)
{
    static const struct {
        const char *file;
        enum quant_type type;
        int n_layer, head_dim;
        bool tied, biased;
    } models[] = {
        {"tiny/llama-a/llama-a.q8_0.gguf", QUANT_Q8_0, 2, 64, true, false},
        {"tiny/llama-a/llama-a.q4_0.gguf", QUANT_Q4_0, 2, 64, true, false},
        {"tiny/llama-a/llama-a.q4_k_m.gguf", QUANT_Q4_K, 2, 64, true, false},
        {"tiny/llama-a/llama-a.q6_k.gguf", QUANT_Q6_K, 2, 64, true, false},
        {"tiny/llama-b/llama-b.f32.gguf", QUANT_F32, 2, 64, false, false},
        {"tiny/llama-b/llama-b.f16.gguf", QUANT_F16, 2, 64, false, false},
        {"tiny/llama-b/llama-b.bf16.gguf", QUANT_BF16, 2, 64, false, false},
        {"tiny/qwen2-a/qwen2-a.bf16.gguf", QUANT_BF16, 2, 64, false, true},
        {"tiny/qwen2-a/qwen2-a.q8_0.gguf", QUANT_Q8_0, 2, 64, false, true},
        {"tiny/qwen2-a/qwen2-a.q4_0.gguf", QUANT_Q4_0, 2, 64, false, true},
        {"tiny/qwen2-r/qwen2-r.q4_k_m.gguf", QUANT_Q4_K, 1, 128, false, true},
    };
    (void)state;

    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        struct gguf *g = open_fixture(models[i].file);
        struct model m;
        char err[256] = "";
        if (model_bind(&m, g, err, sizeof err) != 0)
            fail_msg("%s: %s", models[i].file, err);
        assert_true(m.mapped);
        assert_int_equal(m.type, models[i].type);
        assert_int_equal(m.cfg.n_layer, models[i].n_layer);
        assert_int_equal(m.cfg.head_dim, models[i].head_dim);
        assert_int_equal(m.tied, models[i].tied);
        assert_int_equal(m.layers[0].bk != NULL, models[i].biased);
        model_done(&m);
        gguf_close(g);
    }
}

/* A small model with the rotation of a real one must get that one's table. */
static void check_rotation(const char *name, const json_t *table)
{
    int head_dim = (int)json_integer_value(json_object_get(table, "head_dim"));
    float theta = (float)json_number_value(json_object_get(table, "theta"));
    const json_t *factors = json_object_get(table, "rope_freqs_weight");
    const json_t *scaled = json_object_get(table, "inv_freq_scaled");
    bool has_factors = json_is_array(factors);
    struct build b;
    struct model m;
    char err[256] = "";

    assert_int_equal(json_array_size(scaled), head_dim / 2);
    build_init(&b);
    b.without = "rope_freqs.weight";
    build_model_keys(&b, "llama");
    build_set(&b, "llama.block_count:value", 1);
    build_set(&b, "llama.attention.head_count:value", 1);
    build_set(&b, "llama.embedding_length:value", (uint64_t)head_dim);
    build_set(&b, "llama.feed_forward_length:value", (uint64_t)head_dim);
    memcpy(b.bytes + build_field(&b, "llama.rope.freq_base:value")->offset, &theta, sizeof theta);
    const int64_t square[] = {head_dim, head_dim}, embed[] = {head_dim, 8}, half[] = {head_dim / 2};
    static const char *const matrices[] = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                           "ffn_gate", "ffn_up", "ffn_down"};
    for (size_t i = 0; i < 7; i++) {
        char tensor[64];
        snprintf(tensor, sizeof tensor, "blk.0.%s.weight", matrices[i]);
        build_tensor(&b, tensor, QUANT_F32, 2, square);
    }
    build_tensor(&b, "blk.0.attn_norm.weight", QUANT_F32, 1, square);
    build_tensor(&b, "blk.0.ffn_norm.weight", QUANT_F32, 1, square);
    build_tensor(&b, "output_norm.weight", QUANT_F32, 1, square);
    build_tensor(&b, "token_embd.weight", QUANT_F32, 2, embed);
    b.without = NULL;
    if (has_factors)
        build_tensor(&b, "rope_freqs.weight", QUANT_F32, 1, half);
    build_finish(&b);
    for (int i = 0; has_factors && i < head_dim / 2; i++) {
        float factor = (float)json_number_value(json_array_get(factors, (size_t)i));
        size_t at = build_field(&b, "rope_freqs.weight:data")->offset + 4 * (size_t)i;
        memcpy(b.bytes + at, &factor, 4);
    }

    struct gguf *g = build_parse(&b);
    if (model_bind(&m, g, err, sizeof err) != 0)
        fail_msg("%s: %s", name, err);
    for (int i = 0; i < head_dim / 2; i++) {
        double want = json_number_value(json_array_get(scaled, (size_t)i));
        if (!(fabs((double)m.inv_freq[i] - want) <= 2e-7 * want))
            fail_msg("%s: inv_freq[%d] is %.9g, not %.9g", name, i, (double)m.inv_freq[i], want);
    }
    model_done(&m);
    gguf_close(g);
    build_done(&b);
}

static void rotation_is_that_of_the_real_models(void **state)
{
    size_t len;
    char *text = fixture_read("tables/rope.json", &len);
    json_t *tables = json_loadb(text, len, 0, NULL);
    const char *name;
    json_t *table;
    (void)state;

    assert_int_equal(json_object_size(tables), 2);
    json_object_foreach(tables, name, table) check_rotation(name, table);
    json_decref(tables);
    free(text);
}

int test_model(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_qwen2),
        cmocka_unit_test(binds_llama),
        cmocka_unit_test(accepts_what_changes_nothing),
        cmocka_unit_test(names_the_commonest_type),
        cmocka_unit_test(fingerprints_differ),
        cmocka_unit_test(reads_the_real_models),
        cmocka_unit_test(binds_the_tiny_models),
        cmocka_unit_test(rotation_is_that_of_the_real_models),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
