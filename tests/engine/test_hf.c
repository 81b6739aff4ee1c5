/* test_hf.c - models as Hugging Face's libraries save them: one safetensors file, whole and damaged,
 * and a folder whose JSON files say strange things. The outside releases are in test_hf_vectors. */
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

#include "engine/hf.h"
#include "engine/model.h"
#include "engine/safetensors.h"
#include "tests/engine/tests.h"

static char folder[64];

static int folder_new(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/duet-hf-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
    char line[128];
    (void)state;
    snprintf(line, sizeof line, "rm -rf %s", folder);
    return system(line);
}

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

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

/* Cut at every byte, and with a length that lies. */
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
    assert_int_equal(safetensors_open(&s, folder, err, sizeof err), -1);
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
    if (hf_open(&g, folder, true, err, sizeof err) != 0)
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
    assert_int_equal(hf_open(&g, folder, false, err, sizeof err), -1);
    assert_non_null(strstr(err, "model.safetensors: cannot be opened"));
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
        {"config.json", "\"vocab_size\":4", "\"vocab_size\":0", "vocab_size: out of range"},
        {"config.json", "1e-5", "\"x\"", "rms_norm_eps: not a number"},
        {"config.json", "\"llama3\"", "\"yarn\"", "rope_scaling: yarn is not supported"},
        {"config.json", "\"factor\":8", "\"factor\":0", "its factors are out of range"},
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
        if (hf_open(&g, folder, true, err, sizeof err) == 0 || !strstr(err, rows[i].why))
            fail_msg("%s -> %s gives: %s", rows[i].from, rows[i].to, err);
    }
}

/* No name from an index leaves the folder, and what has no place is refused by its name. */
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
        if (hf_open(&g, folder, false, err, sizeof err) == 0 || !strstr(err, rows[i].why))
            fail_msg("%s gives: %s", rows[i].index, err);
    }
}

int test_hf(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_remove)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_file),    TEST(damaged_files),   TEST(truncated_files),
        TEST(strange_folders), TEST(strange_indexes), TEST(a_folder_without_weights),
    };
#undef TEST
    return cmocka_run_group_tests_name("hf", tests, NULL, NULL);
}
