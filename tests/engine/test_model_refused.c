/* test_model_refused.c - models that load but do not bind: missing,
 * contradicting or unsupported. */
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

#include "engine/file/gguf.h"
#include "engine/model.h"
#include "tests/engine/build_gguf.h"
#include "tests/engine/tests.h"

static void assert_bind_refused(const struct build *b, const char *says)
{
    struct gguf *g = build_parse(b);
    struct model m;
    char err[256] = "";

    assert_int_equal(model_bind(&m, g, err, sizeof err), -1);
    assert_true(strlen(err) <= 240);
    if (!strstr(err, says))
        fail_msg("said \"%s\", not \"%s\"", err, says);
    gguf_close(g);
}

static uint32_t bits(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

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

    build_model(&whole, "qwen2");
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

    build_model(&b, "qwen2");
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

    build_model(&b, "llama");
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
        build_model(&b, "llama");
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
        build_model(&b, "llama");
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

    build_model(&b, "llama");
    unsigned char *bytes = malloc(b.size + 1);
    memcpy(bytes + 1, b.bytes, b.size);
    assert_int_equal(gguf_parse(&g, bytes + 1, b.size, err, sizeof err), 0);
    assert_int_equal(model_bind(&m, g, err, sizeof err), -1);
    assert_non_null(strstr(err, "not aligned in memory"));
    gguf_close(g);
    free(bytes);
    build_done(&b);
}

int test_model_refused(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(refuses_a_model_without),
        cmocka_unit_test(refuses_every_other_shape),
        cmocka_unit_test(refuses_floats_out_of_range),
        cmocka_unit_test(refuses_rope_factors_out_of_range),
        cmocka_unit_test(refuses_other_architectures),
        cmocka_unit_test(refuses_vocabulary),
        cmocka_unit_test(refuses_misaligned_memory),
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
    return cmocka_run_group_tests_name("model refused", others, NULL, NULL) +
           cmocka_run_group_tests_name("model refused, by key", refused, NULL, NULL);
}
