/* write_model.c - writes a whole model file of random weights, of any size and type.
 *
 *     write_model deepseek|llama TYPE FILE [VOCABULARY]
 *
 * The shapes are those of DeepSeek-R1-Distill-Qwen-1.5B and Llama-3.2-1B-Instruct. TYPE is a
 * tensor type, or Q4_K_M for its usual mixture. The tokeniser is that of VOCABULARY, a GGUF file of
 * the same family; without it there is none, and only tests can use the file. Values keep the
 * variance of what passes through about as it is. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/file/gguf.h"
#include "tests/engine/random_model.h"

enum { ALIGNMENT = 32, POOL_ROWS = 512, MAX_TENSORS = 512 };

struct shape {
    const char *name, *architecture;
    int layers, embd, heads, heads_kv, head_dim, ff, vocab;
    float theta, eps;
    bool biases, tied, factors;
};

static const struct shape shapes[] = {
    {"deepseek", "qwen2", 28, 1536, 12, 2, 128, 8960, 151936, 10000, 1e-6f, true, false, false},
    {"llama", "llama", 16, 2048, 32, 8, 64, 8192, 128256, 500000, 1e-5f, false, true, true},
};

struct tensor {
    char name[64];
    enum quant_type type;
    int cols, rows;
    float scale, middle;
};

struct writer {
    FILE *out;
    struct tensor tensors[MAX_TENSORS];
    int n_tensors;
    uint64_t seed;
};

static void die(const char *what)
{
    fprintf(stderr, "write_model: %s\n", what);
    exit(1);
}

static void put(struct writer *w, const void *bytes, size_t n)
{
    if (fwrite(bytes, 1, n, w->out) != n)
        die("cannot write");
}

static void put_u32(struct writer *w, uint32_t v)
{
    put(w, &v, sizeof v);
}

static void put_u64(struct writer *w, uint64_t v)
{
    put(w, &v, sizeof v);
}

static void put_string(struct writer *w, const char *s)
{
    put_u64(w, strlen(s));
    put(w, s, strlen(s));
}

static void put_key(struct writer *w, const struct shape *s, const char *key, enum gguf_type type)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", s->architecture, key);
    put_string(w, full);
    put_u32(w, type);
}

static void put_int(struct writer *w, const struct shape *s, const char *key, int v)
{
    put_key(w, s, key, GGUF_U32);
    put_u32(w, (uint32_t)v);
}

static void put_float(struct writer *w, const struct shape *s, const char *key, float v)
{
    put_key(w, s, key, GGUF_F32);
    put(w, &v, sizeof v);
}

static void add(struct writer *w, const char *name, enum quant_type type, int cols, int rows,
                float scale, float middle)
{
    struct tensor *t = &w->tensors[w->n_tensors++];
    *t = (struct tensor){
        .type = type, .cols = cols, .rows = rows, .scale = scale, .middle = middle};
    snprintf(t->name, sizeof t->name, "%s", name);
}

struct recipe {
    enum quant_type most, more, head; /* more: of v and down in half of the layers */
};

static void add_layer(struct writer *w, const struct shape *s, const struct recipe *r, int i)
{
    int q = s->heads * s->head_dim, kv = s->heads_kv * s->head_dim;
    float in = 1.7f / sqrtf((float)s->embd);
    enum quant_type more = i % 2 ? r->most : r->more;
    char name[64];
    const struct {
        const char *name;
        enum quant_type type;
        int cols, rows;
        float scale, middle;
    } all[] = {
        {"attn_norm.weight", QUANT_F32, s->embd, 1, 0.2f, 1},
        {"attn_q.weight", r->most, s->embd, q, in, 0},
        {"attn_k.weight", r->most, s->embd, kv, in, 0},
        {"attn_v.weight", more, s->embd, kv, in, 0},
        {"attn_output.weight", r->most, q, s->embd, 1.7f / sqrtf((float)q), 0},
        {"ffn_norm.weight", QUANT_F32, s->embd, 1, 0.2f, 1},
        {"ffn_gate.weight", r->most, s->embd, s->ff, in, 0},
        {"ffn_up.weight", r->most, s->embd, s->ff, in, 0},
        {"ffn_down.weight", more, s->ff, s->embd, 1.7f / sqrtf((float)s->ff), 0},
        {"attn_q.bias", QUANT_F32, q, 1, 0.5f, 0},
        {"attn_k.bias", QUANT_F32, kv, 1, 10, 0},
        {"attn_v.bias", QUANT_F32, kv, 1, 0.5f, 0},
    };
    for (int k = 0; k < (s->biases ? 12 : 9); k++) {
        snprintf(name, sizeof name, "blk.%d.%s", i, all[k].name);
        add(w, name, all[k].type, all[k].cols, all[k].rows, all[k].scale, all[k].middle);
    }
}

static void add_tensors(struct writer *w, const struct shape *s, const struct recipe *r)
{
    float in = 1.7f / sqrtf((float)s->embd);

    add(w, "token_embd.weight", s->tied ? r->head : r->most, s->embd, s->vocab, s->tied ? in : 1,
        0);
    add(w, "output_norm.weight", QUANT_F32, s->embd, 1, 0.2f, 1);
    if (!s->tied)
        add(w, "output.weight", r->head, s->embd, s->vocab, in, 0);
    if (s->factors)
        add(w, "rope_freqs.weight", QUANT_F32, s->head_dim / 2, 1, 0.5f, 2);
    for (int i = 0; i < s->layers; i++)
        add_layer(w, s, r, i);
}

static uint64_t bytes_of(const struct tensor *t)
{
    return (uint64_t)t->rows * quant_row_bytes(t->type, t->cols);
}

static uint64_t aligned(uint64_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static void put_directory(struct writer *w)
{
    uint64_t offset = 0;

    for (int i = 0; i < w->n_tensors; i++) {
        const struct tensor *t = &w->tensors[i];
        put_string(w, t->name);
        put_u32(w, t->rows > 1 ? 2 : 1);
        put_u64(w, (uint64_t)t->cols);
        if (t->rows > 1)
            put_u64(w, (uint64_t)t->rows);
        put_u32(w, t->type);
        put_u64(w, offset);
        offset += aligned(bytes_of(t));
    }
}

static void pad(struct writer *w)
{
    static const char zeros[ALIGNMENT];
    long at = ftell(w->out);
    put(w, zeros, (size_t)(aligned((uint64_t)at) - (uint64_t)at));
}

/* A matrix is made of POOL_ROWS random rows, in random order: random enough, and a thousand times
 * faster to write. */
static void put_tensor(struct writer *w, const struct tensor *t)
{
    size_t row = quant_row_bytes(t->type, t->cols);

    if (t->rows == 1) {
        for (int i = 0; i < t->cols; i++) {
            float v = t->middle + t->scale * random_float(&w->seed);
            put(w, &v, sizeof v);
        }
    } else {
        int n = t->rows < POOL_ROWS ? t->rows : POOL_ROWS;
        struct matrix pool = random_matrix(&w->seed, t->type, n, t->cols, t->scale);
        for (int i = 0; i < t->rows; i++) {
            size_t k = i < n ? (size_t)i : random_next(&w->seed) % (uint64_t)n;
            put(w, (const char *)pool.host + k * row, row);
        }
        free((void *)pool.host);
    }
    pad(w);
}

static bool is_of_tokeniser(const struct gguf_key *key)
{
    static const char start[] = "tokenizer.";
    return key->name.len >= sizeof start - 1 &&
           memcmp(key->name.data, start, sizeof start - 1) == 0;
}

/* Where the value of a key ends that begins at `value`, in the file's memory. */
static const char *end_of_value(const struct gguf_key *key, const char *value)
{
    const struct gguf_array *a = &key->value.a;
    if (key->type == GGUF_STRING)
        return key->value.s.data + key->value.s.len;
    if (key->type != GGUF_ARRAY)
        return value + gguf_type_bytes(key->type);
    if (a->type != GGUF_STRING)
        return (const char *)a->data + a->count * gguf_type_bytes(a->type);
    const void *at = a->data;
    for (uint64_t i = 0; i < a->count; i++)
        gguf_next_string(&at);
    return at;
}

/* As it stands in its file. */
static void put_foreign_key(struct writer *w, const struct gguf_key *key)
{
    const char *value = key->name.data + key->name.len + sizeof(uint32_t);
    put_u64(w, key->name.len);
    put(w, key->name.data, (size_t)(end_of_value(key, value) - key->name.data));
}

static uint64_t put_tokeniser(struct writer *w, const struct gguf *vocabulary, bool count_only)
{
    uint64_t n = 0;
    for (size_t i = 0; vocabulary && i < gguf_n_keys(vocabulary); i++) {
        const struct gguf_key *key = gguf_key_at(vocabulary, i);
        if (!is_of_tokeniser(key))
            continue;
        if (!count_only)
            put_foreign_key(w, key);
        n++;
    }
    return n;
}

static void write_file(struct writer *w, const struct shape *s, const struct gguf *vocabulary)
{
    put(w, "GGUF", 4);
    put_u32(w, 3);
    put_u64(w, (uint64_t)w->n_tensors);
    put_u64(w, 10 + put_tokeniser(w, vocabulary, true));
    put_string(w, "general.architecture");
    put_u32(w, GGUF_STRING);
    put_string(w, s->architecture);
    put_int(w, s, "block_count", s->layers);
    put_int(w, s, "context_length", 131072);
    put_int(w, s, "embedding_length", s->embd);
    put_int(w, s, "feed_forward_length", s->ff);
    put_int(w, s, "attention.head_count", s->heads);
    put_int(w, s, "attention.head_count_kv", s->heads_kv);
    put_int(w, s, "attention.key_length", s->head_dim);
    put_float(w, s, "attention.layer_norm_rms_epsilon", s->eps);
    put_float(w, s, "rope.freq_base", s->theta);
    put_tokeniser(w, vocabulary, false);
    put_directory(w);
    pad(w);
    for (int i = 0; i < w->n_tensors; i++)
        put_tensor(w, &w->tensors[i]);
}

static struct recipe recipe_of(const char *name)
{
    if (strcmp(name, "Q4_K_M") == 0)
        return (struct recipe){QUANT_Q4_K, QUANT_Q6_K, QUANT_Q6_K};
    for (uint32_t type = 0; type <= QUANT_BF16; type++)
        if (quant_info(type) && strcmp(quant_info(type)->name, name) == 0)
            return (struct recipe){type, type, type};
    die("unknown type");
    exit(1);
}

int main(int argc, char **argv)
{
    static struct writer w = {.seed = 2026};
    struct gguf *vocabulary = NULL;
    char err[256];

    if (argc < 4 || argc > 5)
        die("usage: write_model deepseek|llama TYPE FILE [VOCABULARY]");
    if (argc == 5 && gguf_open(&vocabulary, argv[4], err, sizeof err) != 0)
        die(err);
    const struct shape *s = strcmp(argv[1], "llama") == 0 ? &shapes[1] : &shapes[0];
    struct recipe r = recipe_of(argv[2]);
    w.out = fopen(argv[3], "wb");
    if (!w.out)
        die("cannot open the file");
    add_tensors(&w, s, &r);
    write_file(&w, s, vocabulary);
    if (fclose(w.out) != 0)
        die("cannot write");
    gguf_close(vocabulary);
    return 0;
}
