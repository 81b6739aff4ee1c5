/* model.c - reading hyper-parameters, and giving every tensor of a file its place.
 *
 * A file that asks for something the forward pass does not do (another architecture, another
 * scaling of the rotation, experts, a tensor without a place) is refused by name: ignoring it would
 * give plausible, wrong answers. */
#include "model.h"

#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct architecture {
    const char *name;
    bool rope_neighbours;
} architectures[] = {{"qwen2", false}, {"llama", true}};

enum {
    N_ARCHITECTURES = sizeof architectures / sizeof architectures[0],
    MAX_LAYERS = 1024,
    MAX_WIDTH = 1 << 20, /* of the residual stream and the FFN: products of two fit an int64 */
    MAX_HEADS = 4096,
    MAX_HEAD_DIM = 1024,
    MAX_VOCAB = 1 << 24,
    MAX_CONTEXT = 1 << 30,
    REQUIRED = INT_MIN, /* in place of a default */
};

/* Hyper-parameters */

/* The keys of one architecture: "qwen2." and a suffix. */
struct source {
    const struct gguf *g;
    const char *arch;
    char key[80]; /* the one asked for last */
    char *err;
    size_t errlen;
};

static const char *key(struct source *s, const char *suffix)
{
    snprintf(s->key, sizeof s->key, "%s.%s", s->arch, suffix);
    return s->key;
}

/* "KEY: reason (got G, limit L)" of the key asked for last. Always -1. */
static int refuse_int(struct source *s, const char *reason, int got, int limit)
{
    snprintf(s->err, s->errlen, "%s: %s (got %d, limit %d)", s->key, reason, got, limit);
    return -1;
}

static int missing(char *err, size_t errlen, const char *name)
{
    snprintf(err, errlen, "%s: missing", name);
    return -1;
}

static int read_int(struct source *s, const char *suffix, int max, int fallback, int *out)
{
    int64_t value;
    int found = gguf_get_int(s->g, key(s, suffix), 1, max, &value, s->err, s->errlen);

    if (found < 0)
        return -1;
    if (!found && fallback == REQUIRED)
        return missing(s->err, s->errlen, s->key);
    *out = found ? (int)value : fallback;
    return 0;
}

/* NAN as the default: the key is required. */
static int read_float(struct source *s, const char *suffix, double min, double max, double fallback,
                      float *out)
{
    double value = fallback;
    int found = gguf_get_float(s->g, key(s, suffix), &value, s->err, s->errlen);

    if (found < 0)
        return -1;
    if (!found && isnan(fallback))
        return missing(s->err, s->errlen, s->key);
    if (!(value >= min && value <= max)) { /* NaN is neither */
        snprintf(s->err, s->errlen, "%s: out of range (got %g, limit %g to %g)", s->key, value, min,
                 max);
        return -1;
    }
    *out = (float)value;
    return 0;
}

static int read_architecture(const struct gguf *g, const struct architecture **out, char *err,
                             size_t errlen)
{
    struct gguf_string name;
    char printed[40], supported[64] = "";
    int found = gguf_get_string(g, "general.architecture", &name, err, errlen);

    if (found < 0)
        return -1;
    if (!found)
        return missing(err, errlen, "general.architecture");
    for (int i = 0; i < N_ARCHITECTURES; i++) {
        const char *known = architectures[i].name;
        size_t len = strlen(supported);
        if (name.len == strlen(known) && memcmp(name.data, known, name.len) == 0) {
            *out = &architectures[i];
            return 0;
        }
        snprintf(supported + len, sizeof supported - len, "%s%s", len ? ", " : "", known);
    }
    snprintf(err, errlen, "general.architecture: %s is not supported (supported: %s)",
             gguf_print(printed, sizeof printed, name), supported);
    return -1;
}

/* The rows of the vocabulary: its tokens, else those of the embedding, else what a key says. */
static int read_vocab(struct source *s, int *out)
{
    struct gguf_array tokens;
    int found = gguf_get_array(s->g, "tokenizer.ggml.tokens", GGUF_STRING, &tokens, s->err,
                               s->errlen);
    if (found < 0)
        return -1;

    const struct gguf_tensor *embed = gguf_find_tensor(s->g, "token_embd.weight");
    if (!found && !embed)
        return read_int(s, "vocab_size", MAX_VOCAB, REQUIRED, out);
    uint64_t n = found ? tokens.count : (uint64_t)embed->dim[1];
    if (n < 1 || n > MAX_VOCAB) {
        snprintf(s->err, s->errlen, "%s: out of range (got %" PRIu64 ", limit 1 to %d)",
                 found ? "tokenizer.ggml.tokens" : "token_embd.weight", n, MAX_VOCAB);
        return -1;
    }
    *out = (int)n;
    return 0;
}

static int read_heads(struct source *s, struct model_config *c)
{
    int value_length, rope_dims;

    if (read_int(s, "attention.head_count", MAX_HEADS, REQUIRED, &c->n_head) != 0 ||
        read_int(s, "attention.head_count_kv", MAX_HEADS, c->n_head, &c->n_head_kv) != 0)
        return -1;
    if (c->n_head % c->n_head_kv != 0)
        return refuse_int(s, "does not divide head_count", c->n_head_kv, c->n_head);

    int share = c->n_embd % c->n_head == 0 ? c->n_embd / c->n_head : REQUIRED;
    if (read_int(s, "attention.key_length", MAX_HEAD_DIM, share, &c->head_dim) != 0)
        return -1;
    if (c->head_dim > MAX_HEAD_DIM || c->head_dim % 2 != 0)
        return refuse_int(s, "must be even and in range", c->head_dim, MAX_HEAD_DIM);
    if (read_int(s, "attention.value_length", MAX_HEAD_DIM, c->head_dim, &value_length) != 0)
        return -1;
    if (value_length != c->head_dim)
        return refuse_int(s, "must equal key_length", value_length, c->head_dim);
    if (read_int(s, "rope.dimension_count", MAX_HEAD_DIM, c->head_dim, &rope_dims) != 0)
        return -1;
    if (rope_dims != c->head_dim)
        return refuse_int(s, "rotating a part of the head is not supported", rope_dims,
                          c->head_dim);
    return 0;
}

/* Llama 3's scaling is a tensor (rope_freqs.weight); none of the kinds that keys
 * name is supported. */
static int check_rope_scaling(struct source *s)
{
    struct gguf_string type = {.data = "linear", .len = 6};
    float factor;

    if (gguf_get_string(s->g, key(s, "rope.scaling.type"), &type, s->err, s->errlen) < 0)
        return -1;
    if (type.len == 4 && memcmp(type.data, "none", 4) == 0)
        return 0;
    if (type.len != 6 || memcmp(type.data, "linear", 6) != 0) {
        char name[40];
        snprintf(s->err, s->errlen, "%s: %s is not supported (supported: none, rope_freqs.weight)",
                 s->key, gguf_print(name, sizeof name, type));
        return -1;
    }
    /* Linear by 1 is no scaling. The second key is the older name of the first. */
    if (read_float(s, "rope.scaling.factor", 1, 1, 1, &factor) != 0)
        return -1;
    return read_float(s, "rope.scale_linear", 1, 1, 1, &factor);
}

/* Whether rows are in the order of a Hugging Face release; see hf.h. */
static int read_pairing(struct source *s, struct model_config *c)
{
    return gguf_get_bool(s->g, key(s, "rope.neighbours"), &c->rope_neighbours, s->err, s->errlen) <
                   0
               ? -1
               : 0;
}

static int check_unsupported(struct source *s, const struct model_config *c)
{
    int64_t value;

    if (gguf_get_int(s->g, key(s, "expert_count"), 0, 0, &value, s->err, s->errlen) < 0)
        return -1;
    int found = gguf_get_int(s->g, key(s, "attention.sliding_window"), 0, INT64_MAX, &value, s->err,
                             s->errlen);
    if (found < 0)
        return -1;
    if (found && value > 0 && value < c->n_ctx_train) {
        snprintf(s->err, s->errlen, "%s: not supported (got %" PRId64 ", limit context_length %d)",
                 s->key, value, c->n_ctx_train);
        return -1;
    }
    if (gguf_get_int(s->g, "split.count", 0, 1, &value, s->err, s->errlen) < 0)
        return -1;
    return 0;
}

int model_read_config(struct model_config *out, const struct gguf *g, char *err, size_t errlen)
{
    const struct architecture *arch;
    struct model_config c = {0};

    if (read_architecture(g, &arch, err, errlen) != 0)
        return -1;
    snprintf(c.architecture, sizeof c.architecture, "%s", arch->name);
    c.rope_neighbours = arch->rope_neighbours;

    struct source s = {.g = g, .arch = arch->name, .err = err, .errlen = errlen};
    if (read_int(&s, "block_count", MAX_LAYERS, REQUIRED, &c.n_layer) != 0 ||
        read_int(&s, "context_length", MAX_CONTEXT, REQUIRED, &c.n_ctx_train) != 0 ||
        read_int(&s, "embedding_length", MAX_WIDTH, REQUIRED, &c.n_embd) != 0 ||
        read_int(&s, "feed_forward_length", MAX_WIDTH, REQUIRED, &c.n_ff) != 0 ||
        read_heads(&s, &c) != 0 || read_vocab(&s, &c.n_vocab) != 0)
        return -1;
    if (read_float(&s, "attention.layer_norm_rms_epsilon", 1e-12, 1, NAN, &c.norm_eps) != 0 ||
        read_float(&s, "rope.freq_base", 1, 1e12, 10000, &c.rope_theta) != 0 ||
        check_rope_scaling(&s) != 0 || read_pairing(&s, &c) != 0 || check_unsupported(&s, &c) != 0)
        return -1;
    *out = c;
    return 0;
}

/* Tensors */

struct binder {
    const struct gguf *g;
    struct model *m;
    bool *placed;                      /* [tensors of the file] */
    uint64_t elements[QUANT_BF16 + 1]; /* of the matrices, by type */
    char *err;
    size_t errlen;
};

/* 1 = found and of that shape, 0 = not there, -1 = another shape. */
static int take_tensor(struct binder *b, const char *name, int64_t cols, int64_t rows,
                       const struct gguf_tensor **out)
{
    const struct gguf_tensor *t = gguf_find_tensor(b->g, name);

    if (!t)
        return 0;
    if (t->dim[0] != cols || t->dim[1] != rows || t->dim[2] != 1 || t->dim[3] != 1) {
        snprintf(b->err, b->errlen,
                 "%s: shape does not follow from the hyper-parameters (got %" PRId64 "x%" PRId64
                 "x%" PRId64 "x%" PRId64 ", limit %" PRId64 "x%" PRId64 ")",
                 name, t->dim[0], t->dim[1], t->dim[2], t->dim[3], cols, rows);
        return -1;
    }
    b->placed[t - gguf_tensor_at(b->g, 0)] = true;
    b->m->n_params += (uint64_t)(cols * rows);
    b->m->weight_bytes += t->bytes;
    *out = t;
    return 1;
}

/* 1 = bound, 0 = not there, -1 = refused; as take_tensor. */
static int bind_matrix(struct binder *b, const char *name, int rows, int cols, struct matrix *out)
{
    const struct gguf_tensor *t;
    int found = take_tensor(b, name, cols, rows, &t);

    if (found == 1) {
        *out = (struct matrix){.type = t->type, .rows = rows, .cols = cols, .host = t->data};
        b->elements[t->type] += (uint64_t)rows * (uint64_t)cols;
    }
    return found;
}

static int bind_vector(struct binder *b, const char *name, int n, const float **out)
{
    const struct gguf_tensor *t;
    int found = take_tensor(b, name, n, 1, &t);

    if (found != 1)
        return found;
    if (t->type != QUANT_F32) {
        snprintf(b->err, b->errlen, "%s: wrong type (got %s, limit F32)", name,
                 quant_info(t->type)->name);
        return -1;
    }
    if ((uintptr_t)t->data % _Alignof(float) != 0) {
        snprintf(b->err, b->errlen, "%s: not aligned in memory", name);
        return -1;
    }
    *out = t->data;
    return 1;
}

/* 0, or -1 where the tensor was refused, or is not there though it must be. */
static int settle(struct binder *b, int found, const char *name, bool optional)
{
    if (found == 0 && !optional)
        return missing(b->err, b->errlen, name);
    return found < 0 ? -1 : 0;
}

static int bind_layer(struct binder *b, int i)
{
    const struct model_config *c = &b->m->cfg;
    struct layer *l = &b->m->layers[i];
    int q = c->n_head * c->head_dim, kv = c->n_head_kv * c->head_dim;
    char name[64];

    const struct {
        const char *name;
        struct matrix *to;
        int rows, cols;
    } matrices[] = {
        {"attn_q.weight", &l->wq, q, c->n_embd},
        {"attn_k.weight", &l->wk, kv, c->n_embd},
        {"attn_v.weight", &l->wv, kv, c->n_embd},
        {"attn_output.weight", &l->wo, c->n_embd, q},
        {"ffn_gate.weight", &l->w_gate, c->n_ff, c->n_embd},
        {"ffn_up.weight", &l->w_up, c->n_ff, c->n_embd},
        {"ffn_down.weight", &l->w_down, c->n_embd, c->n_ff},
    };
    for (size_t k = 0; k < sizeof matrices / sizeof matrices[0]; k++) {
        snprintf(name, sizeof name, "blk.%d.%s", i, matrices[k].name);
        int found = bind_matrix(b, name, matrices[k].rows, matrices[k].cols, matrices[k].to);
        if (settle(b, found, name, false) != 0)
            return -1;
    }

    const struct {
        const char *name;
        const float **to;
        int n;
        bool optional;
    } vectors[] = {
        {"attn_norm.weight", &l->attn_norm, c->n_embd, false},
        {"ffn_norm.weight", &l->ffn_norm, c->n_embd, false},
        {"attn_q.bias", &l->bq, q, true},
        {"attn_k.bias", &l->bk, kv, true},
        {"attn_v.bias", &l->bv, kv, true},
    };
    for (size_t k = 0; k < sizeof vectors / sizeof vectors[0]; k++) {
        snprintf(name, sizeof name, "blk.%d.%s", i, vectors[k].name);
        int found = bind_vector(b, name, vectors[k].n, vectors[k].to);
        if (settle(b, found, name, vectors[k].optional) != 0)
            return -1;
    }
    return 0;
}

static int bind_ends(struct binder *b)
{
    struct model *m = b->m;
    const struct model_config *c = &m->cfg;

    int found = bind_matrix(b, "token_embd.weight", c->n_vocab, c->n_embd, &m->embed);
    if (settle(b, found, "token_embd.weight", false) != 0)
        return -1;
    found = bind_vector(b, "output_norm.weight", c->n_embd, &m->output_norm);
    if (settle(b, found, "output_norm.weight", false) != 0)
        return -1;
    found = bind_matrix(b, "output.weight", c->n_vocab, c->n_embd, &m->output);
    if (found == 0) {
        m->tied = true;
        m->output = m->embed;
    }
    return settle(b, found, "output.weight", true);
}

/* freq_i = theta^(-2i/head_dim), divided by Llama 3's factors where the file has them. */
static int bind_rotation(struct binder *b)
{
    struct model *m = b->m;
    int half = m->cfg.head_dim / 2;
    const float *factors = NULL;

    if (bind_vector(b, "rope_freqs.weight", half, &factors) < 0)
        return -1;
    for (int i = 0; i < half; i++) {
        double factor = factors ? (double)factors[i] : 1;
        if (!(factor > 0 && isfinite(factor))) {
            snprintf(b->err, b->errlen,
                     "rope_freqs.weight: element %d is out of range (got %g, limit above 0)", i,
                     factor);
            return -1;
        }
        m->inv_freq[i] = (float)(pow((double)m->cfg.rope_theta, -2.0 * i / m->cfg.head_dim) /
                                 factor);
    }
    return 0;
}

static int check_all_placed(struct binder *b)
{
    for (size_t i = 0; i < gguf_n_tensors(b->g); i++) {
        char name[72];
        if (b->placed[i])
            continue;
        snprintf(b->err, b->errlen, "%s: this tensor has no place in the architecture %s",
                 gguf_print(name, sizeof name, gguf_tensor_at(b->g, i)->name),
                 b->m->cfg.architecture);
        return -1;
    }
    return 0;
}

static enum quant_type commonest(const uint64_t *elements)
{
    enum quant_type best = QUANT_F32;
    for (int type = 0; type <= QUANT_BF16; type++) {
        if (elements[type] > elements[best])
            best = (enum quant_type)type;
    }
    return best;
}

static int bind_all(struct binder *b)
{
    struct model *m = b->m;

    m->layers = calloc((size_t)m->cfg.n_layer, sizeof *m->layers);
    m->inv_freq = calloc((size_t)m->cfg.head_dim / 2, sizeof *m->inv_freq);
    b->placed = calloc(gguf_n_tensors(b->g) + 1, sizeof *b->placed);
    if (!m->layers || !m->inv_freq || !b->placed) {
        snprintf(b->err, b->errlen, "out of memory for the layers");
        return -1;
    }
    if (bind_ends(b) != 0 || bind_rotation(b) != 0)
        return -1;
    for (int i = 0; i < m->cfg.n_layer; i++) {
        if (bind_layer(b, i) != 0)
            return -1;
    }
    m->type = commonest(b->elements);
    return check_all_placed(b);
}

int model_bind(struct model *m, const struct gguf *g, char *err, size_t errlen)
{
    struct binder b = {.g = g, .m = m, .err = err, .errlen = errlen};

    *m = (struct model){.mapped = gguf_is_mapped(g)};
    if (model_read_config(&m->cfg, g, err, errlen) != 0)
        return -1;
    int failed = bind_all(&b);
    free(b.placed);
    if (failed)
        model_done(m);
    return failed;
}

void model_done(struct model *m)
{
    free(m->layers);
    free(m->inv_freq);
    m->layers = NULL;
    m->inv_freq = NULL;
}

/* Fingerprint */

/* Eight bytes at a time: the multiplication mixes bits upwards, the fold brings them down. */
static uint64_t hash(uint64_t h, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, bytes + i, n - i < sizeof word ? n - i : sizeof word);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 32;
    }
    return h;
}

/* Evenly spaced pages, or all where that is less. */
static uint64_t hash_pages(uint64_t h, const unsigned char *bytes, size_t size)
{
    enum { PAGE = 4096, PAGES = 64 };
    size_t step = size / PAGES;
    if (step < PAGE)
        return hash(h, bytes, size);
    for (size_t i = 0; i < PAGES; i++)
        h = hash(h, bytes + i * step, PAGE);
    return hash(h, bytes + size - PAGE, PAGE);
}

uint64_t model_fingerprint(const struct gguf *g)
{
    size_t size, start = gguf_data_start(g);
    const unsigned char *bytes = gguf_span(g, 0, &size);
    uint64_t h = hash_pages(hash(size, bytes, start), bytes + start, size - start);

    for (size_t i = 1; (bytes = gguf_span(g, i, &size)); i++)
        h = hash_pages(h ^ size, bytes, size);
    return h;
}
