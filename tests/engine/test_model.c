/* test_model.c - hyper-parameters and the binding of tensors: what a small model must become, every
 * way it is refused, and the values of the outside fixtures. */
#include <float.h>
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

#include "engine/gguf.h"
#include "engine/model.h"
#include "tests/engine/build_gguf.h"
#include "tests/engine/tests.h"

static struct gguf *parse(const struct build *b)
{
    struct gguf *g;
    char err[256] = "";
    if (gguf_parse(&g, b->bytes, b->size, err, sizeof err) != 0)
        fail_msg("refused: %s", err);
    return g;
}

static void build_small(struct build *b, const char *architecture)
{
    build_init(b);
    build_model_keys(b, architecture);
    build_model_tensors(b, architecture);
    build_finish(b);
}

static void assert_bind_refused(const struct build *b, const char *says)
{
    struct gguf *g = parse(b);
    struct model m;
    char err[256] = "";

    assert_int_equal(model_bind(&m, g, err, sizeof err), -1);
    assert_true(strlen(err) <= 240);
    if (!strstr(err, says))
        fail_msg("said \"%s\", not \"%s\"", err, says);
    gguf_close(g);
}

/* What binds */

static void binds_qwen2(void **state)
{
    struct build b;
    struct model m;
    char err[256];
    (void)state;

    build_small(&b, "qwen2");
    struct gguf *g = parse(&b);
    assert_int_equal(model_bind(&m, g, err, sizeof err), 0);
    assert_string_equal(m.cfg.architecture, "qwen2");
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

    build_small(&b, "llama");
    memcpy(b.bytes + build_field(&b, "rope_freqs.weight:data")->offset, factors, sizeof factors);
    struct gguf *g = parse(&b);
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
    struct gguf *g = parse(&b);
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
    struct gguf *g = parse(&b);
    if (model_bind(&m, g, err, sizeof err) != 0)
        fail_msg("refused: %s", err);
    assert_int_equal(m.type, QUANT_Q8_0);
    assert_int_equal(m.layers[0].wk.type, QUANT_Q4_0);
    model_done(&m);
    gguf_close(g);
    build_done(&b);
}

/* What does not */

static void refuses_a_model_without(void **state)
{
    static const char *const optional[] = {
        "general.name", "general.alignment", "tokenizer.ggml.model", "tokenizer.ggml.tokens",
        "tokenizer.ggml.token_type", "tokenizer.ggml.merges", "tokenizer.ggml.bos_token_id",
        "tokenizer.ggml.eos_token_id", "tokenizer.ggml.add_bos_token", "qwen2.rope.freq_base",
        "output.weight", "blk.0.attn_q.bias", "blk.0.attn_k.bias", "blk.0.attn_v.bias",
        "blk.1.attn_q.bias", "blk.1.attn_k.bias", "blk.1.attn_v.bias",
        /* As many as query heads then, which the tensors contradict. */
        "qwen2.attention.head_count_kv"};
    struct build whole;
    int refused = 0;
    (void)state;

    build_small(&whole, "qwen2");
    for (size_t i = 0; i < whole.n_fields; i++) {
        char name[96];
        snprintf(name, sizeof name, "%s", whole.fields[i].name);
        char *colon = strstr(name, ":name_len");
        if (!colon)
            continue;
        *colon = '\0';
        bool is_optional = false;
        for (size_t k = 0; k < sizeof optional / sizeof optional[0]; k++)
            is_optional = is_optional || strcmp(name, optional[k]) == 0;
        if (is_optional)
            continue;

        struct build b;
        char says[128];
        build_init(&b);
        b.without = name;
        build_model_keys(&b, "qwen2");
        build_model_tensors(&b, "qwen2");
        build_finish(&b);
        snprintf(says, sizeof says, "%s: missing", name);
        assert_bind_refused(&b, says);
        build_done(&b);
        refused++;
    }
    assert_int_equal(refused, 1 + 6 + 2 + 2 * 9); /* keys, whole-model tensors, those of layers */
    build_done(&whole);
}

static uint64_t get(const struct build *b, const struct build_field *f)
{
    uint64_t value;
    memcpy(&value, b->bytes + f->offset, sizeof value);
    return value;
}

/* Each tensor in turn gets half its row, and where it has rows, twice as many. Vectors that are
 * longer than the alignment would leave a hole, and are not tried. */
static void refuses_every_other_shape(void **state)
{
    struct build b;
    int refused = 0;
    (void)state;

    build_small(&b, "qwen2");
    for (size_t i = 0; i < b.n_fields; i++) {
        const struct build_field *dim0 = &b.fields[i], *dim1 = dim0 + 1;
        size_t name_len = strlen(dim0->name) - strlen(":dim0");
        if (strcmp(dim0->name + name_len, ":dim0") != 0)
            continue;
        bool is_matrix = strstr(dim1->name, ":dim1") != NULL;
        uint64_t cols = get(&b, dim0), rows = get(&b, dim1);
        if (!is_matrix && cols * sizeof(float) > b.alignment)
            continue;

        char says[128];
        snprintf(says, sizeof says, "%.*s: shape does not follow", (int)name_len, dim0->name);
        build_set(&b, dim0->name, cols / 2);
        if (is_matrix)
            build_set(&b, dim1->name, 2 * rows);
        assert_bind_refused(&b, says);
        build_set(&b, dim0->name, cols);
        if (is_matrix)
            build_set(&b, dim1->name, rows);
        refused++;
    }
    assert_int_equal(refused, 2 + 2 * (7 + 2)); /* matrices, and the biases of 8 */
    build_done(&b);
}

struct refusal {
    const char *name;
    const char *field;
    uint64_t value;
    const char *says;
};

static uint32_t bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static const struct refusal refusals[] = {
    {"block_count 0 (CVE-2024-8063)", "llama.block_count:value", 0,
     "llama.block_count: out of range (got 0, limit 1 to 1024)"},
    {"block_count 1025 (#25821)", "llama.block_count:value", 1025,
     "llama.block_count: out of range (got 1025, limit 1 to 1024)"},
    {"block_count 2^32-1", "llama.block_count:value", UINT32_MAX,
     "llama.block_count: out of range"},
    {"block_count one more", "llama.block_count:value", 3, "blk.2.attn_q.weight: missing"},
    {"block_count one fewer", "llama.block_count:value", 1,
     "blk.1.attn_norm.weight: this tensor has no place in the architecture llama"},
    {"block_count is an f32", "llama.block_count:type", GGUF_F32,
     "llama.block_count: wrong type (got f32, limit an integer)"},
    {"embedding_length 0", "llama.embedding_length:value", 0,
     "llama.embedding_length: out of range"},
    {"embedding_length 2^31", "llama.embedding_length:value", UINT64_C(1) << 31,
     "llama.embedding_length: out of range"},
    {"embedding_length of another model", "llama.embedding_length:value", 32,
     "token_embd.weight: shape does not follow from the hyper-parameters (got 16x8x1x1, limit "
     "32x8)"},
    {"embedding_length odd for the heads", "llama.embedding_length:value", 15,
     "llama.attention.key_length: missing"},
    {"feed_forward_length 0", "llama.feed_forward_length:value", 0,
     "llama.feed_forward_length: out of range"},
    {"feed_forward_length of another model", "llama.feed_forward_length:value", 64,
     "blk.0.ffn_gate.weight: shape does not follow"},
    {"head_count 0", "llama.attention.head_count:value", 0,
     "llama.attention.head_count: out of range"},
    {"head_count_kv 0", "llama.attention.head_count_kv:value", 0,
     "llama.attention.head_count_kv: out of range"},
    {"head_count_kv above head_count", "llama.attention.head_count_kv:value", 4,
     "llama.attention.head_count_kv: does not divide head_count (got 4, limit 2)"},
    {"head of odd size", "llama.attention.head_count:value", 16,
     "llama.attention.key_length: must be even and in range (got 1, limit 1024)"},
    {"context_length 0", "llama.context_length:value", 0, "llama.context_length: out of range"},
    {"context_length 2^31", "llama.context_length:value", UINT64_C(1) << 31,
     "llama.context_length: out of range"},
};
enum { N_REFUSALS = sizeof refusals / sizeof refusals[0] };

static void refuses_value(void **state)
{
    const struct refusal *r = *state;
    struct build b;

    build_small(&b, "llama");
    build_set(&b, r->field, r->value);
    assert_bind_refused(&b, r->says);
    build_done(&b);
}

static void refuses_floats_out_of_range(void **state)
{
    static const char eps[] = "llama.attention.layer_norm_rms_epsilon",
                      theta[] = "llama.rope.freq_base";
    static const struct {
        const char *key;
        float value;
    } floats[] = {{eps, 0},   {eps, -1e-5f}, {eps, NAN},   {eps, INFINITY}, {eps, FLT_MAX},
                  {theta, 0}, {theta, -1},   {theta, NAN}, {theta, 1e38f},  {theta, INFINITY}};
    (void)state;

    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++) {
        struct build b;
        char field[96], says[96];
        build_small(&b, "llama");
        snprintf(field, sizeof field, "%s:value", floats[i].key);
        snprintf(says, sizeof says, "%s: out of range (got ", floats[i].key);
        build_set(&b, field, bits(floats[i].value));
        assert_bind_refused(&b, says);
        build_done(&b);
    }
}

static void refuses_rope_factors_out_of_range(void **state)
{
    static const float factors[] = {0, -1, NAN, INFINITY};
    (void)state;

    for (size_t i = 0; i < sizeof factors / sizeof factors[0]; i++) {
        struct build b;
        build_small(&b, "llama");
        size_t at = build_field(&b, "rope_freqs.weight:data")->offset + 4;
        memcpy(b.bytes + at, &factors[i], 4);
        assert_bind_refused(&b, "rope_freqs.weight: element 1 is out of range");
        build_done(&b);
    }
}

/* Keys more than the small model has, that ask for something we do not do. */

static void add_yarn(struct build *b)
{
    build_string(b, "llama.rope.scaling.type", "yarn");
}

static void add_linear(struct build *b)
{
    build_string(b, "llama.rope.scaling.type", "linear");
    build_f32(b, "llama.rope.scaling.factor", 4);
}

static void add_scale_linear(struct build *b)
{
    build_f32(b, "llama.rope.scale_linear", 2);
}

static void add_window(struct build *b)
{
    build_u32(b, "llama.attention.sliding_window", 127);
}

static void add_experts(struct build *b)
{
    build_u32(b, "llama.expert_count", 8);
}

static void add_split(struct build *b)
{
    build_scalar(b, "split.count", GGUF_U16, (union gguf_value){.u = 3});
}

static void add_value_length(struct build *b)
{
    build_u32(b, "llama.attention.value_length", 4);
}

static void add_rope_dims(struct build *b)
{
    build_u32(b, "llama.rope.dimension_count", 4);
}

static void add_key_length(struct build *b)
{
    build_u32(b, "llama.attention.key_length", 7);
}

static void add_head_norm(struct build *b)
{
    build_tensor(b, "blk.0.attn_q_norm.weight", QUANT_F32, 1, (const int64_t[]){8});
}

static void add_controls(struct build *b)
{
    build_tensor(b, "\x1b]0;x\a", QUANT_F32, 1, (const int64_t[]){8});
}

static void add_half_norm(struct build *b)
{
    build_tensor(b, "output_norm.weight", QUANT_F16, 1, (const int64_t[]){16});
}

static const struct demand {
    const char *name, *without;
    void (*key)(struct build *b);
    void (*tensor)(struct build *b);
    const char *says;
} demands[] = {
    {"yarn", "", add_yarn, NULL,
     "llama.rope.scaling.type: yarn is not supported (supported: none, rope_freqs.weight)"},
    {"linear scaling", "", add_linear, NULL, "llama.rope.scaling.factor: out of range (got 4"},
    {"linear scaling, older key", "", add_scale_linear, NULL,
     "llama.rope.scale_linear: out of range"},
    {"sliding window", "", add_window, NULL,
     "llama.attention.sliding_window: not supported (got 127"},
    {"experts", "", add_experts, NULL, "llama.expert_count: out of range (got 8, limit 0 to 0)"},
    {"split model", "", add_split, NULL, "split.count: out of range (got 3, limit 0 to 1)"},
    {"values of another size", "", add_value_length, NULL,
     "llama.attention.value_length: must equal key_length (got 4, limit 8)"},
    {"part of the head rotated", "", add_rope_dims, NULL,
     "llama.rope.dimension_count: rotating a part of the head is not supported (got 4, limit 8)"},
    {"odd head", "", add_key_length, NULL, "llama.attention.key_length: must be even"},
    {"tensor of another architecture", "", NULL, add_head_norm,
     "blk.0.attn_q_norm.weight: this tensor has no place in the architecture llama"},
    {"tensor name with controls", "", NULL, add_controls,
     "\\x1b]0;x\\x07: this tensor has no place"},
    {"norm in halves", "output_norm.weight", NULL, add_half_norm,
     "output_norm.weight: wrong type (got F16, limit F32)"},
};
enum { N_DEMANDS = sizeof demands / sizeof demands[0] };

static void refuses_demand(void **state)
{
    const struct demand *d = *state;
    struct build b;

    build_init(&b);
    b.without = d->without;
    build_model_keys(&b, "llama");
    if (d->key)
        d->key(&b);
    build_model_tensors(&b, "llama");
    b.without = NULL;
    if (d->tensor)
        d->tensor(&b);
    build_finish(&b);
    assert_bind_refused(&b, d->says);
    build_done(&b);
}

static void refuses_other_architectures(void **state)
{
    static const struct {
        const char *name, *says;
    } names[] = {
        {"gpt2", "general.architecture: gpt2 is not supported (supported: qwen2, llama)"},
        {"qwen", "general.architecture: qwen is not supported"},
        {"llama4", "general.architecture: llama4 is not supported"},
        {"", "general.architecture:  is not supported"},
        {"\x1b[31m", "general.architecture: \\x1b[31m is not supported"},
    };
    (void)state;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct build b;
        build_init(&b);
        build_string(&b, "general.architecture", names[i].name);
        build_finish(&b);
        assert_bind_refused(&b, names[i].says);
        build_done(&b);
    }
}

static void refuses_vocabulary(void **state)
{
    static const char *const one[] = {"a"};
    static const int32_t numbers[8] = {0};
    struct build b;
    (void)state;

    for (int kind = 0; kind < 3; kind++) {
        static const char *const says[] = {
            "tokenizer.ggml.tokens: out of range (got 0, limit 1 to",
            "token_embd.weight: shape does not follow from the hyper-parameters (got 16x8x1x1, "
            "limit 16x1)",
            "tokenizer.ggml.tokens: wrong type (got array of i32, limit array of string)"};
        build_init(&b);
        b.without = "tokenizer.ggml.tokens";
        build_model_keys(&b, "llama");
        b.without = NULL;
        if (kind == 2)
            build_array(&b, "tokenizer.ggml.tokens", GGUF_I32, numbers, 8);
        else
            build_strings(&b, "tokenizer.ggml.tokens", one, (size_t)kind);
        build_model_tensors(&b, "llama");
        build_finish(&b);
        assert_bind_refused(&b, says[kind]);
        build_done(&b);
    }
}

static void refuses_misaligned_memory(void **state)
{
    struct build b;
    struct gguf *g;
    struct model m;
    char err[256] = "";
    (void)state;

    build_small(&b, "llama");
    unsigned char *bytes = malloc(b.size + 1);
    memcpy(bytes + 1, b.bytes, b.size);
    assert_int_equal(gguf_parse(&g, bytes + 1, b.size, err, sizeof err), 0);
    assert_int_equal(model_bind(&m, g, err, sizeof err), -1);
    assert_non_null(strstr(err, "not aligned in memory"));
    gguf_close(g);
    free(bytes);
    build_done(&b);
}

static void fingerprints_differ(void **state)
{
    struct build b;
    uint64_t seen[4];
    (void)state;

    build_small(&b, "llama");
    const struct build_field *last = build_field(&b, "blk.1.ffn_down.weight:data");
    for (int i = 0; i < 4; i++) {
        if (i == 1)
            b.bytes[last->offset + 7]++;
        if (i == 2)
            build_set(&b, "llama.context_length:value", 129);
        if (i == 3)
            b.bytes[b.size - 1]++;
        struct gguf *g = parse(&b);
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
    double theta = json_number_value(json_object_get(table, "theta"));
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
    build_set(&b, "llama.rope.freq_base:value", bits((float)theta));
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

    struct gguf *g = parse(&b);
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
    const struct CMUnitTest others[] = {
        cmocka_unit_test(binds_qwen2),
        cmocka_unit_test(binds_llama),
        cmocka_unit_test(accepts_what_changes_nothing),
        cmocka_unit_test(names_the_commonest_type),
        cmocka_unit_test(refuses_a_model_without),
        cmocka_unit_test(refuses_every_other_shape),
        cmocka_unit_test(refuses_floats_out_of_range),
        cmocka_unit_test(refuses_rope_factors_out_of_range),
        cmocka_unit_test(refuses_other_architectures),
        cmocka_unit_test(refuses_vocabulary),
        cmocka_unit_test(refuses_misaligned_memory),
        cmocka_unit_test(fingerprints_differ),
        cmocka_unit_test(reads_the_real_models),
        cmocka_unit_test(binds_the_tiny_models),
        cmocka_unit_test(rotation_is_that_of_the_real_models),
    };
    struct CMUnitTest refused[N_REFUSALS + N_DEMANDS];

    for (int i = 0; i < N_REFUSALS; i++) {
        refused[i] = (struct CMUnitTest){.name = refusals[i].name,
                                         .test_func = refuses_value,
                                         .initial_state = (void *)&refusals[i]};
    }
    for (int i = 0; i < N_DEMANDS; i++) {
        refused[N_REFUSALS + i] = (struct CMUnitTest){.name = demands[i].name,
                                                      .test_func = refuses_demand,
                                                      .initial_state = (void *)&demands[i]};
    }
    return cmocka_run_group_tests_name("model", others, NULL, NULL) +
           cmocka_run_group_tests_name("model, refused", refused, NULL, NULL);
}
