/* test_hf.c - models as Hugging Face's libraries save them: one safetensors file, whole and
 * damaged, and a folder whose JSON files say strange things, the outside releases' keys. Their
 * logits are in test_logits, their tokens in test_vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/file/hf.h"
#include "engine/file/safetensors.h"
#include "engine/model.h"
#include "tests/engine/folder.h"
#include "tests/engine/tests.h"

static void write_file(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(path_of(name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

/* A safetensors file: a header of this JSON, padded with spaces, and n bytes of data. */
static void write_tensors(const char *name, const char *json, size_t n)
{
    size_t len = (strlen(json) + 7) / 8 * 8;
    unsigned char *bytes = calloc(1, 8 + len + n);
    uint64_t header = len;
    memcpy(bytes, &header, 8);
    memset(bytes + 8, ' ', len);
    memcpy(bytes + 8, json, strlen(json));
    for (size_t i = 0; i < n; i++)
        bytes[8 + len + i] = (unsigned char)i;
    write_file(name, bytes, 8 + len + n);
    free(bytes);
}

static void a_whole_file(void **state)
{
    struct safetensors s;
    char err[256];
    (void)state;
    write_tensors("a",
                  "{\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[12,20]},"
                  "\"__metadata__\":{\"format\":\"pt\"},"
                  "\"a\":{\"dtype\":\"BF16\",\"shape\":[2,3],\"data_offsets\":[0,12]}}",
                  20);
    assert_int_equal(safetensors_open(&s, path_of("a"), err, sizeof err), 0);
    assert_int_equal(s.n_tensors, 2);
    const struct gguf_tensor *b = &s.tensors[0], *a = &s.tensors[1];
    assert_string_equal(b->name.data, "b");
    assert_int_equal(b->n_dims, 1);
    assert_int_equal(((const unsigned char *)b->data)[0], 12);
    assert_int_equal(a->type, QUANT_BF16);
    assert_int_equal(a->dim[0], 3);
    assert_int_equal(a->dim[1], 2);
    assert_int_equal(((const unsigned char *)a->data)[11], 11);
    safetensors_close(&s);
}

#define ONE(fields) "{\"a\":{" fields "}}"
#define F32_2       "\"dtype\":\"F32\",\"shape\":[2]"

static void damaged_files(void **state)
{
    static const struct {
        const char *json;
        size_t data;
        const char *why;
    } rows[] = {
        {"[]", 0, "header: not a JSON object"},
        {"{", 0, "header: not a JSON object"},
        {"{} x", 0, "header: not a JSON object"},
        {"{}", 4, "data: not what the header describes (got 4 bytes, limit 0)"},
        {ONE(F32_2 ",\"data_offsets\":[0,8]"), 12, "data: not what the header describes"},
        {ONE(F32_2 ",\"data_offsets\":[0,8]"), 4, "a: data_offsets: not a stretch of the file"},
        {ONE(F32_2 ",\"data_offsets\":[4,12]"), 12, "a: data_offsets: a hole or an overlap"},
        {ONE(F32_2 ",\"data_offsets\":[0,4]"), 4, "a: data_offsets: not what the shape takes"},
        {ONE(F32_2 ",\"data_offsets\":[8,0]"), 8, "a: data_offsets: not a stretch"},
        {ONE(F32_2 ",\"data_offsets\":[-8,0]"), 8, "a: data_offsets: not a stretch"},
        {ONE(F32_2 ",\"data_offsets\":[0,8.0]"), 8, "a: data_offsets: not a stretch"},
        {ONE(F32_2 ",\"data_offsets\":[0,18446744073709551615]"), 8, "header: not a JSON object"},
        {ONE(F32_2 ",\"data_offsets\":[0]"), 8, "a: data_offsets: not a stretch"},
        {ONE(F32_2), 8, "a: data_offsets: not a stretch"},
        {ONE("\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]"), 8,
         "a: dtype: not supported"},
        {ONE("\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,8]"), 8, "a: dtype: not supported"},
        {ONE("\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]"), 4, "a: shape: not of one"},
        {ONE("\"dtype\":\"F32\",\"shape\":[1,1,1],\"data_offsets\":[0,4]"), 4, "a: shape: not of"},
        {ONE("\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]"), 0,
         "a: shape: out of range"},
        {ONE("\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,0]"), 0, "a: shape: out of"},
        {ONE("\"dtype\":\"F32\",\"shape\":[2147483647,2147483647],\"data_offsets\":[0,4]"), 4,
         "a: data_offsets: not what the shape takes"},
        {ONE("\"dtype\":\"F32\",\"shape\":[4294967297],\"data_offsets\":[0,4]"), 4,
         "a: shape: out"},
        {"{\"a\":{" F32_2 ",\"data_offsets\":[0,8]},\"a\":{" F32_2 ",\"data_offsets\":[8,16]}}", 16,
         "header: not a JSON object"},
        {"{\"a\":{" F32_2 ",\"data_offsets\":[0,8]},\"b\":{" F32_2 ",\"data_offsets\":[4,12]}}", 12,
         "b: data_offsets: a hole or an overlap"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__: something in it is no string"},
        {"{\"__metadata__\":[]}", 0, "__metadata__: not an object"},
        {"{\"\":{" F32_2 ",\"data_offsets\":[0,8]}}", 8, ": not a possible name"},
        {"{\"a\":3}", 0, "a: dtype: not supported"},
        {"{\"a\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[0,2]},\"b\":{" F32_2
         ",\"data_offsets\":[2,10]}}",
         10, "b: data_offsets: not aligned to its numbers"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct safetensors s;
        char err[256] = "";
        write_tensors("a", rows[i].json, rows[i].data);
        if (safetensors_open(&s, path_of("a"), err, sizeof err) == 0 || !strstr(err, rows[i].why))
            fail_msg("%s gives: %s", rows[i].json, err);
    }
}

/* At every byte; and one whose length lies. */
static void truncated_files(void **state)
{
    struct safetensors s;
    struct stat st;
    char err[256];
    (void)state;
    write_tensors("a", ONE(F32_2 ",\"data_offsets\":[0,8]"), 8);
    assert_int_equal(stat(path_of("a"), &st), 0);
    for (off_t n = st.st_size - 1; n >= 0; n--) {
        assert_int_equal(truncate(path_of("a"), n), 0);
        assert_int_equal(safetensors_open(&s, path_of("a"), err, sizeof err), -1);
    }
    static const uint64_t lengths[] = {0, 1, 1000, 100000001, UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        unsigned char bytes[64] = {0};
        memcpy(bytes, &lengths[i], 8);
        write_file("a", bytes, sizeof bytes);
        assert_int_equal(safetensors_open(&s, path_of("a"), err, sizeof err), -1);
    }
    write_file("a", "<!DOCTYPE html><html><body>Not found", 36);
    assert_int_equal(safetensors_open(&s, path_of("a"), err, sizeof err), -1);
    assert_non_null(strstr(err, "an HTML page"));
    assert_int_equal(safetensors_open(&s, path_of("none"), err, sizeof err), -1);
    assert_int_equal(safetensors_open(&s, folder_path(), err, sizeof err), -1);
}

static const char config[] =
    "{\"model_type\":\"llama\",\"hidden_size\":32,\"intermediate_size\":16,"
    "\"num_hidden_layers\":1,\"num_attention_heads\":2,\"num_key_value_heads\":1,\"vocab_size\":4,"
    "\"max_position_embeddings\":64,\"rms_norm_eps\":1e-5,\"tie_word_embeddings\":true,"
    "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,"
    "\"high_freq_factor\":4,\"original_max_position_embeddings\":16}}";
static const char tokenizer[] =
    "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[[\"a\",\"b\"]]},"
    "\"added_tokens\":[],\"pre_tokenizer\":{\"pattern\":{\"Regex\":"
    "\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}|"
    " ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"}}}";

/* The text with its first `from` replaced, as a file of the folder. */
static void write_changed(const char *name, const char *text, const char *from, const char *to)
{
    char changed[4096];
    const char *at = strstr(text, from);
    assert_non_null(at);
    int n = snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to,
                     at + strlen(from));
    write_file(name, changed, (size_t)n);
}

static void a_folder_without_weights(void **state)
{
    struct gguf *g;
    struct model_config c;
    struct gguf_array tokens, types;
    char err[256];
    (void)state;
    write_file("config.json", config, sizeof config - 1);
    write_file("tokenizer.json", tokenizer, sizeof tokenizer - 1);
    if (hf_open(&g, folder_path(), true, err, sizeof err) != 0)
        fail_msg("%s", err);
    assert_int_equal(model_read_config(&c, g, err, sizeof err), 0);
    assert_string_equal(c.architecture, "llama");
    assert_false(c.rope_neighbours);
    assert_int_equal(c.head_dim, 16);
    assert_int_equal(c.n_vocab, 4);
    assert_int_equal(
        gguf_get_array(g, "tokenizer.ggml.tokens", GGUF_STRING, &tokens, err, sizeof err), 1);
    const void *at = tokens.data;
    for (int i = 0; i < 3; i++)
        gguf_next_string(&at);
    struct gguf_string pad = gguf_next_string(&at);
    assert_int_equal(pad.len, 6);
    assert_memory_equal(pad.data, "[PAD3]", 6);
    assert_int_equal(
        gguf_get_array(g, "tokenizer.ggml.token_type", GGUF_I32, &types, err, sizeof err), 1);
    gguf_close(g);
    assert_int_equal(hf_open(&g, folder_path(), false, err, sizeof err), -1);
    assert_non_null(strstr(err, "model.safetensors: cannot be opened"));
}

/* The folder names the model, but in the hub's cache, where the name of the folder says nothing. */
static void names_of_folders(void **state)
{
    static const struct {
        const char *folder, *name;
    } rows[] = {
        {"Some-Model", "Some-Model"},
        {"Some-Model//", "Some-Model"},
        {"models--an-org--Some-Model-1B/snapshots/0123abcd", "Some-Model-1B"},
        {"models--an-org--Some-Model-1B/snapshots/0123abcd/", "Some-Model-1B"},
        {"models--/snapshots/0123abcd", "0123abcd"},
        {"others--a--b/snapshots/0123abcd", "0123abcd"},
        {"models--a--b/snapshot/0123abcd", "0123abcd"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gguf *g;
        struct gguf_string name;
        char line[300], path[128], err[256];
        snprintf(path, sizeof path, "%s/%s", folder_path(), rows[i].folder);
        snprintf(line, sizeof line, "mkdir -p '%s'", path);
        assert_int_equal(system(line), 0);
        snprintf(line, sizeof line, "%s/config.json", rows[i].folder);
        write_file(line, config, sizeof config - 1);
        snprintf(line, sizeof line, "%s/tokenizer.json", rows[i].folder);
        write_file(line, tokenizer, sizeof tokenizer - 1);
        if (hf_open(&g, path, true, err, sizeof err) != 0)
            fail_msg("%s", err);
        assert_int_equal(gguf_get_string(g, "general.name", &name, err, sizeof err), 1);
        assert_int_equal(name.len, strlen(rows[i].name));
        assert_memory_equal(name.data, rows[i].name, name.len);
        gguf_close(g);
    }
}

static void strange_folders(void **state)
{
    static const struct {
        const char *file, *from, *to, *why;
    } rows[] = {
        {"config.json", "{", "", "config.json: not JSON"},
        {"config.json", "\"llama\"", "\"gemma\"", "model_type: gemma is not supported"},
        {"config.json", "\"llama\"", "7", "model_type: nothing is not supported"},
        {"config.json", "\"hidden_size\":32,", "", "hidden_size: missing"},
        {"config.json", ":32", ":-1", "hidden_size: out of range"},
        {"config.json", ":32", ":99999999999", "hidden_size: out of range"},
        {"config.json", ":32", ":2147483647", "head_dim: missing (limit 1 to 1024)"},
        {"config.json", "\"vocab_size\":4", "\"vocab_size\":0", "vocab_size: out of range"},
        {"config.json", "1e-5", "\"x\"", "rms_norm_eps: not a number"},
        {"config.json", "\"llama3\"", "\"yarn\"", "rope_scaling: yarn is not supported"},
        {"config.json", "\"factor\":8", "\"factor\":0", "its factors are out of range"},
        {"config.json", "\"rope_type\":\"llama3\",", "", "a factor without its rope_type"},
        {"config.json", "\"low_freq_factor\":1", "\"low_freq_factor\":9", "factors are out of"},
        {"config.json", "{", "{\"hidden_act\":\"relu\",", "hidden_act: not supported"},
        {"config.json", "{", "{\"use_sliding_window\":true,", "use_sliding_window: not supported"},
        {"config.json", "{", "{\"quantization_config\":{},", "quantization_config"},
        {"tokenizer.json", "\"BPE\"", "\"Unigram\"", "model.type: not supported"},
        {"tokenizer.json", "{1,3}", "{1,4}", "this way of splitting is not supported"},
        {"tokenizer.json", ":2}", ":4}", "id: not one of the vocabulary (limit 0 to 3)"},
        {"tokenizer.json", ":2}", ":-1}", "id: not one of the vocabulary"},
        {"tokenizer.json", ":2}", ":1}", "id 1: two tokens have it"},
        {"tokenizer.json", "[\"a\",\"b\"]", "[\"a\"]", "model.merges: number 1 is no pair"},
        {"tokenizer.json", "\"added_tokens\":[]", "\"added_tokens\":[{}]", "one without content"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gguf *g;
        char err[256] = "";
        bool is_config = strcmp(rows[i].file, "config.json") == 0;
        write_file("config.json", config, sizeof config - 1);
        write_file("tokenizer.json", tokenizer, sizeof tokenizer - 1);
        write_changed(rows[i].file, is_config ? config : tokenizer, rows[i].from, rows[i].to);
        if (hf_open(&g, folder_path(), true, err, sizeof err) == 0 || !strstr(err, rows[i].why))
            fail_msg("%s -> %s gives: %s", rows[i].from, rows[i].to, err);
    }
}

static uint32_t number_of(const struct gguf *g, const char *key)
{
    int64_t value = -1;
    char err[256];
    assert_int_equal(gguf_get_int(g, key, 0, UINT32_MAX, &value, err, sizeof err), 1);
    return (uint32_t)value;
}

static double real_of(const struct gguf *g, const char *key)
{
    double value = -1;
    char err[256];
    assert_int_equal(gguf_get_float(g, key, &value, err, sizeof err), 1);
    return value;
}

/* What looks like a marker is one, even if the release does not call it special. Where
 * tokenizer_config.json does not name the tokens, config.json does. A template may have a file of
 * its own. */
static void specials_and_sampling(void **state)
{
    static const char settings[] = "{\"pad_token\":{\"content\":\"<m>\"},\"add_bos_token\":true,"
                                   "\"chat_template\":\"the older one\"}";
    static const char generation[] = "{\"temperature\":0.5,\"top_p\":0.25,\"top_k\":20,"
                                     "\"min_p\":0.125,\"repetition_penalty\":1.5,\"x\":[]}";
    static const char greedy[] = "{\"do_sample\":false,\"temperature\":0.5,\"top_k\":-3}";
    struct gguf *g;
    struct gguf_array types;
    struct gguf_string chat;
    char err[256];
    (void)state;
    write_changed("config.json", config, "\"vocab_size\":4",
                  "\"vocab_size\":6,\"bos_token_id\":4,\"eos_token_id\":[3,4]");
    write_changed("tokenizer.json", tokenizer, "\"added_tokens\":[]",
                  "\"added_tokens\":[{\"id\":3,\"content\":\"<m>\",\"special\":false},"
                  "{\"id\":4,\"content\":\"<｜m｜>\",\"special\":false},"
                  "{\"id\":5,\"content\":\"m\",\"special\":true}]");
    write_file("tokenizer_config.json", settings, sizeof settings - 1);
    write_file("generation_config.json", generation, sizeof generation - 1);
    write_file("chat_template.jinja", "the newer one", 13);
    if (hf_open(&g, folder_path(), true, err, sizeof err) != 0)
        fail_msg("%s", err);
    assert_int_equal(
        gguf_get_array(g, "tokenizer.ggml.token_type", GGUF_I32, &types, err, sizeof err), 1);
    assert_memory_equal(types.data, ((const int32_t[]){1, 1, 1, 4, 3, 3}), 6 * sizeof(int32_t));
    assert_int_equal(number_of(g, "tokenizer.ggml.bos_token_id"), 4);
    assert_null(gguf_find_key(g, "tokenizer.ggml.eos_token_id"));
    assert_int_equal(number_of(g, "tokenizer.ggml.padding_token_id"), 3);
    assert_int_equal(gguf_get_string(g, "tokenizer.chat_template", &chat, err, sizeof err), 1);
    assert_int_equal(chat.len, 13);
    assert_memory_equal(chat.data, "the newer one", 13);
    assert_true(real_of(g, "general.sampling.temp") == 0.5);
    assert_true(real_of(g, "general.sampling.top_p") == 0.25);
    assert_true(real_of(g, "general.sampling.min_p") == 0.125);
    assert_true(real_of(g, "general.sampling.penalty_repeat") == 1.5);
    assert_int_equal(number_of(g, "general.sampling.top_k"), 20);
    gguf_close(g);

    write_file("generation_config.json", greedy, sizeof greedy - 1);
    assert_int_equal(hf_open(&g, folder_path(), true, err, sizeof err), 0);
    assert_true(real_of(g, "general.sampling.temp") == 0);
    assert_null(gguf_find_key(g, "general.sampling.top_p"));
    assert_null(gguf_find_key(g, "general.sampling.top_k"));
    gguf_close(g);
    write_file("generation_config.json", "[]", 2);
    assert_int_equal(hf_open(&g, folder_path(), true, err, sizeof err), -1);
    assert_string_equal(err, "generation_config.json: not an object");
}

static void assert_same_array(const struct gguf_array *a, const struct gguf_array *b)
{
    const void *at_a = a->data, *at_b = b->data;
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->count, b->count);
    for (uint64_t i = 0; i < a->count; i++) {
        union gguf_value x = gguf_next_element(a->type, &at_a);
        union gguf_value y = gguf_next_element(b->type, &at_b);
        if (a->type != GGUF_STRING) {
            assert_true(x.u == y.u);
            continue;
        }
        assert_int_equal(x.s.len, y.s.len);
        assert_memory_equal(x.s.data, y.s.data, x.s.len);
    }
}

/* Whether a folder's keys are those of the file, but for what names it and its number format. */
static void assert_same_keys(const char *release, const char *file)
{
    struct gguf *a, *b;
    char path[512], err[256];
    fixture_path(release, path, sizeof path);
    if (hf_open(&a, path, true, err, sizeof err) != 0)
        fail_msg("%s", err);
    fixture_path(file, path, sizeof path);
    assert_int_equal(gguf_open(&b, path, err, sizeof err), 0);
    for (size_t i = 0; i < gguf_n_keys(b); i++) {
        const struct gguf_key *y = gguf_key_at(b, i);
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)y->name.len, y->name.data);
        if (strncmp(name, "general.", 8) == 0 && strcmp(name, "general.architecture") != 0)
            continue;
        const struct gguf_key *x = gguf_find_key(a, name);
        if (!x || x->type != y->type)
            fail_msg("%s: %s: %s", release, name, x ? "another type" : "missing");
        if (x->type == GGUF_ARRAY)
            assert_same_array(&x->value.a, &y->value.a);
        else if (x->type == GGUF_F32)
            assert_true(x->value.f == y->value.f);
        else if (x->type != GGUF_STRING)
            assert_int_equal(x->value.u, y->value.u);
        else if (x->value.s.len != y->value.s.len ||
                 memcmp(x->value.s.data, y->value.s.data, x->value.s.len) != 0)
            fail_msg("%s: %s: another text", release, name);
    }
    gguf_close(a);
    gguf_close(b);
}

static void outside_releases_say_what_their_files_do(void **state)
{
    (void)state;
    assert_same_keys("hf/llama-3.2-1b-instruct", "vocab/llama-3.2-1b-instruct.vocab.gguf");
    assert_same_keys("hf/deepseek-r1-distill-qwen-1.5b",
                     "vocab/deepseek-r1-distill-qwen-1.5b.vocab.gguf");
    assert_same_keys("tiny/llama-b/hf", "tiny/llama-b/llama-b.f16.gguf");
    assert_same_keys("tiny/qwen2-a/hf", "tiny/qwen2-a/qwen2-a.bf16.gguf");
}

/* No name in an index leads out of the folder. */
static void strange_indexes(void **state)
{
    static const struct {
        const char *index, *why;
    } rows[] = {
        {"{}", "weight_map: empty or missing"},
        {"{\"weight_map\":{\"a\":\"../x\"}}", "weight_map: not a file of this folder"},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", "weight_map: not a file of this folder"},
        {"{\"weight_map\":{\"a\":7}}", "weight_map: a file without a name"},
        {"{\"weight_map\":{\"a\":\"none.safetensors\"}}", "none.safetensors: cannot be opened"},
        {"{\"weight_map\":{\"a\":\"w.safetensors\"}}", "a: this tensor has no place"},
    };
    (void)state;
    write_file("config.json", config, sizeof config - 1);
    write_file("tokenizer.json", tokenizer, sizeof tokenizer - 1);
    write_tensors("w.safetensors", ONE(F32_2 ",\"data_offsets\":[0,8]"), 8);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct gguf *g;
        char err[256] = "";
        write_file("model.safetensors.index.json", rows[i].index, strlen(rows[i].index));
        if (hf_open(&g, folder_path(), false, err, sizeof err) == 0 || !strstr(err, rows[i].why))
            fail_msg("%s gives: %s", rows[i].index, err);
    }
}

int test_hf(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_remove)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_file),
        TEST(damaged_files),
        TEST(truncated_files),
        TEST(strange_folders),
        TEST(names_of_folders),
        TEST(strange_indexes),
        TEST(a_folder_without_weights),
        TEST(specials_and_sampling),
        cmocka_unit_test(outside_releases_say_what_their_files_do),
    };
#undef TEST
    return cmocka_run_group_tests_name("hf", tests, NULL, NULL);
}
