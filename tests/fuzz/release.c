/* release.c - libFuzzer target: any bytes as the files of a Hugging Face folder, through reader,
 * binding, tokenizer and the plan of a conversion. What must hold: it is refused with one line, or
 * every number of it can be read.
 *
 * An input is a row of files, each a byte that says which, its length in two
 * bytes, and its bytes. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/file/convert.h"
#include "engine/file/describe.h"
#include "engine/file/hf.h"
#include "engine/model.h"
#include "engine/text/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's own */

static const char *const names[] = {
    "config.json",
    "tokenizer.json",
    "model.safetensors",
    "tokenizer_config.json",
    "generation_config.json",
    "chat_template.jinja",
    "model.safetensors.index.json",
};
enum { N_FILES = sizeof names / sizeof *names, HEAD = 3, WEIGHTS = 2 };

static const char config[] =
    "{\"model_type\":\"llama\",\"hidden_size\":8,\"intermediate_size\":4,\"num_hidden_layers\":1,"
    "\"num_attention_heads\":2,\"num_key_value_heads\":1,\"vocab_size\":4,\"rms_norm_eps\":1e-5,"
    "\"max_position_embeddings\":64,\"tie_word_embeddings\":true,\"rope_theta\":10000,"
    "\"bos_token_id\":3,\"eos_token_id\":[3],\"rope_scaling\":{\"rope_type\":\"llama3\","
    "\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4,"
    "\"original_max_position_embeddings\":16}}";
static const char tokenizer[] =
    "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[[\"a\",\"b\"],"
    "\"a b\"]},\"added_tokens\":[{\"id\":3,\"content\":\"<|x|>\",\"special\":false}],"
    "\"pre_tokenizer\":{\"pattern\":{\"Regex\":"
    "\"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}|"
    " ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+\"}}}";
static const char settings[] =
    "{\"bos_token\":\"<|x|>\",\"eos_token\":{\"content\":\"<|x|>\"},\"add_bos_token\":true,"
    "\"chat_template\":[{\"name\":\"default\",\"template\":\"x\"}]}";
static const char generation[] =
    "{\"temperature\":0.5,\"top_p\":0.9,\"top_k\":20,\"do_sample\":true}";
static void require(bool holds)
{
    if (!holds)
        abort();
}

static size_t add_file(uint8_t *at, int file, const void *bytes, size_t n)
{
    at[0] = (uint8_t)file;
    at[1] = (uint8_t)n;
    at[2] = (uint8_t)(n >> 8);
    memcpy(at + HEAD, bytes, n);
    return HEAD + n;
}

static size_t make_weights(uint8_t *out)
{
    static const struct {
        const char *name;
        int rows, cols;
    } tensors[] = {
        {"embed_tokens.weight", 4, 8},
        {"norm.weight", 0, 8},
        {"layers.0.input_layernorm.weight", 0, 8},
        {"layers.0.post_attention_layernorm.weight", 0, 8},
        {"layers.0.self_attn.q_proj.weight", 8, 8},
        {"layers.0.self_attn.k_proj.weight", 4, 8},
        {"layers.0.self_attn.v_proj.weight", 4, 8},
        {"layers.0.self_attn.o_proj.weight", 8, 8},
        {"layers.0.mlp.gate_proj.weight", 4, 8},
        {"layers.0.mlp.up_proj.weight", 4, 8},
        {"layers.0.mlp.down_proj.weight", 8, 4},
    };
    char json[2048] = "{\"__metadata__\":{\"format\":\"pt\"}";
    size_t n = strlen(json), at = 0;
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++) {
        int rows = tensors[i].rows, cols = tensors[i].cols;
        size_t bytes = (size_t)(rows ? rows : 1) * (size_t)cols * 2;
        n += (size_t)snprintf(json + n, sizeof json - n,
                              ",\"model.%s\":{\"dtype\":\"BF16\",\"shape\":[%.*d%s%d],"
                              "\"data_offsets\":[%zu,%zu]}",
                              tensors[i].name, rows ? 1 : 0, rows, rows ? "," : "", cols, at,
                              at + bytes);
        at += bytes;
    }
    n += (size_t)snprintf(json + n, sizeof json - n, "}");
    while (n % 8 != 0)
        json[n++] = ' ';
    uint64_t len = n;
    memcpy(out, &len, 8);
    memcpy(out + 8, json, n);
    memset(out + 8 + n, 1, at);
    return 8 + n + at;
}

static size_t make_seed(uint8_t *out, size_t room)
{
    uint8_t weights[4096];
    size_t n_weights = make_weights(weights),
           n_texts = sizeof config + sizeof tokenizer + sizeof settings + sizeof generation;
    if (room < N_FILES * (HEAD + 1) + n_weights + n_texts)
        return 0;
    size_t n = add_file(out, 0, config, sizeof config - 1);
    n += add_file(out + n, 1, tokenizer, sizeof tokenizer - 1);
    n += add_file(out + n, WEIGHTS, weights, n_weights);
    n += add_file(out + n, 3, settings, sizeof settings - 1);
    n += add_file(out + n, 4, generation, sizeof generation - 1);
    n += add_file(out + n, 5, "x", 1);
    return n;
}

static const char *folder(void)
{
    static char path[] = "/tmp/duet-fuzz-XXXXXX";
    static bool made;
    if (!made)
        require(mkdtemp(path) != NULL);
    made = true;
    return path;
}

static void write_files(const uint8_t *data, size_t size)
{
    char path[128];
    for (int i = 0; i < N_FILES; i++) {
        snprintf(path, sizeof path, "%s/%s", folder(), names[i]);
        unlink(path);
    }
    while (size >= HEAD) {
        size_t n = data[1] | (size_t)data[2] << 8;
        n = n < size - HEAD ? n : size - HEAD;
        snprintf(path, sizeof path, "%s/%s", folder(), names[data[0] % N_FILES]);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        require(fd >= 0 && write(fd, data + HEAD, n) == (ssize_t)n);
        close(fd);
        data += HEAD + n;
        size -= HEAD + n;
    }
}

/* Both ends of every tensor, as the parts of a conversion have them. */
static void check_plan(const struct gguf *g, const struct model *m)
{
    struct convert_plan p;
    char err[256];
    volatile unsigned char sink = 0;
    if (convert_plan(&p, g, m, ENGINE_CONVERT_Q4_K_M, err, sizeof err) != 0)
        return;
    for (size_t i = 0; i < p.n_parts; i++) {
        const struct gguf_tensor *t = p.parts[i].from;
        int64_t n = t->n_dims > 1 ? t->dim[1] : t->dim[0];
        sink = ((const unsigned char *)t->data)[0] ^ ((const unsigned char *)t->data)[t->bytes - 1];
        for (int64_t k = 0; p.parts[i].head_dim && k < n; k++) {
            int64_t origin = convert_origin(k, p.parts[i].head_dim);
            require(origin >= 0 && origin < n);
        }
    }
    (void)sink;
    convert_plan_done(&p);
}

static void check(bool vocab_only)
{
    struct gguf *g;
    struct model m;
    struct tokenizer *t;
    char err[512] = "";
    if (hf_open(&g, folder(), vocab_only, err, sizeof err) != 0) {
        require(*err && !strchr(err, '\n'));
        return;
    }
    free(describe_model(g));
    if (!vocab_only && model_bind(&m, g, err, sizeof err) == 0) {
        check_plan(g, &m);
        model_done(&m);
    }
    if (tok_open_gguf(&t, g, err, sizeof err) == 0)
        tok_close(t);
    gguf_close(g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    write_files(data, size);
    check(false);
    check(true);
    return 0;
}

/* A number of the text becomes one that has broken readers before. */
static size_t change_number(uint8_t *text, size_t n, size_t room, unsigned seed)
{
    static const char *const odd[] = {
        "0",     "-1",     "1e999", "2147483647", "null", "4294967296",         "65536",
        "\"x\"", "1e-300", "[]",    "16777217",   "{}",   "9223372036854775807"};
    const char *value = odd[seed % (sizeof odd / sizeof *odd)];
    size_t at = n > 0 ? (seed >> 8) % n : 0, len = strlen(value), end;
    while (at < n && (text[at] < '0' || text[at] > '9'))
        at++;
    for (end = at; end < n && text[end] >= '0' && text[end] <= '9';)
        end++;
    if (at == n || n - (end - at) + len > room)
        return n;
    memmove(text + at + len, text + end, n - end);
    memcpy(text + at, value, len);
    return n - (end - at) + len;
}

/* One of the files changes, the others stay where they are. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint8_t rest[1 << 16];
    size_t at = 0, n = size < 64 ? make_seed(data, max_size) : 0;
    if (n > 0)
        return n;
    for (unsigned skip = (seed >> 4) % N_FILES + 1; skip > 0 && at + HEAD <= size; skip--) {
        n = data[at + 1] | (size_t)data[at + 2] << 8;
        n = n < size - at - HEAD ? n : size - at - HEAD;
        if (skip > 1 && at + HEAD + n + HEAD <= size)
            at += HEAD + n;
    }
    size_t after = size - at - HEAD - n;
    if (seed % 8 == 0 || at + HEAD > size || after > sizeof rest)
        return LLVMFuzzerMutate(data, size, max_size);
    memcpy(rest, data + at + HEAD + n, after);
    size_t room = max_size - at - HEAD - after;
    room = room < UINT16_MAX ? room : UINT16_MAX;
    n = seed % 2 ? change_number(data + at + HEAD, n, room, seed >> 8)
                 : LLVMFuzzerMutate(data + at + HEAD, n, room);
    data[at + 1] = (uint8_t)n;
    data[at + 2] = (uint8_t)(n >> 8);
    memcpy(data + at + HEAD + n, rest, after);
    return at + HEAD + n + after;
}
