/* convert_plan.c - see convert.h. The mixture of Q4_K_M is the usual one, so that its name says the
 * same everywhere: six bits for what the output is made of, and in some layers for v and down. */
#include "file/convert.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/gguf_build.h"

enum { QUANTIZATION_VERSION = 2 };

static const struct {
    enum quant_type type;
    uint32_t file_type; /* general.file_type: llama.cpp's enum llama_ftype */
} formats[] = {
    [ENGINE_CONVERT_F16] = {QUANT_F16, 1},
    [ENGINE_CONVERT_BF16] = {QUANT_BF16, 32},
    [ENGINE_CONVERT_Q8_0] = {QUANT_Q8_0, 7},
    [ENGINE_CONVERT_Q4_K_M] = {QUANT_Q4_K, 15},
};

static bool is_named(const struct gguf_tensor *t, const char *name)
{
    return t->name.len == strlen(name) && memcmp(t->name.data, name, t->name.len) == 0;
}

/* "blk.7.attn_v.weight": the layer and what follows it; NULL: not a layer's. */
static const char *layer_part(const struct gguf_tensor *t, int *layer, char *buf, size_t size)
{
    int end = 0;
    snprintf(buf, size, "%.*s", (int)t->name.len, t->name.data);
    return sscanf(buf, "blk.%d.%n", layer, &end) == 1 && end > 0 ? buf + end : NULL;
}

/* The first and the last eighth of the layers, and every third between. */
static bool is_sensitive(int layer, int n_layer)
{
    int eighth = n_layer / 8;
    return layer < eighth || layer >= 7 * n_layer / 8 || (layer - eighth) % 3 == 2;
}

static enum quant_type mixed(const struct gguf_tensor *t, const struct model *m)
{
    char name[72];
    int layer;
    const char *part = layer_part(t, &layer, name, sizeof name);

    if (is_named(t, m->tied ? "token_embd.weight" : "output.weight"))
        return QUANT_Q6_K;
    if (part && (strcmp(part, "attn_v.weight") == 0 || strcmp(part, "ffn_down.weight") == 0) &&
        is_sensitive(layer, m->cfg.n_layer))
        return QUANT_Q6_K;
    return QUANT_Q4_K;
}

static enum quant_type wanted(const struct gguf_tensor *t, const struct model *m,
                              enum engine_convert_type type)
{
    if (t->n_dims == 1)
        return QUANT_F32;
    return type == ENGINE_CONVERT_Q4_K_M ? mixed(t, m) : formats[type].type;
}

/* The wanted format, or the next better one whose blocks divide the rows. */
static enum quant_type fitting(enum quant_type type, int64_t cols)
{
    if (cols % quant_info(type)->block_elements == 0)
        return type;
    return cols % QUANT_BLOCK == 0 ? QUANT_Q8_0 : QUANT_F16;
}

static bool is_turned(const struct gguf_tensor *t)
{
    static const char *const turned[] = {"attn_q.weight", "attn_q.bias", "attn_k.weight",
                                         "attn_k.bias"};
    char name[72];
    int layer;
    const char *part = layer_part(t, &layer, name, sizeof name);
    for (size_t i = 0; part && i < sizeof turned / sizeof *turned; i++)
        if (strcmp(part, turned[i]) == 0)
            return true;
    return false;
}

int64_t convert_origin(int64_t i, int head_dim)
{
    int64_t in_head = i % head_dim;
    return i - in_head + in_head / 2 + in_head % 2 * (head_dim / 2);
}

/* A source below eight bits has lost too much to be requantised. */
static int check_source(const struct gguf_tensor *t, char *err, size_t errlen)
{
    char name[72];
    if (t->type == QUANT_F32 || t->type == QUANT_F16 || t->type == QUANT_BF16 ||
        t->type == QUANT_Q8_0)
        return 0;
    snprintf(err, errlen, "%s: is in %s already; convert from the original (or F16, BF16, Q8_0)",
             gguf_print(name, sizeof name, t->name), quant_info(t->type)->name);
    return -1;
}

static int plan_parts(struct convert_plan *p, const struct gguf *g, const struct model *m,
                      enum engine_convert_type type, char *err, size_t errlen)
{
    bool turn = strcmp(m->cfg.architecture, "llama") == 0 && !m->cfg.rope_neighbours;
    for (size_t i = 0; i < p->n_parts; i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        if (check_source(t, err, errlen) != 0)
            return -1;
        enum quant_type want = wanted(t, m, type), fit = fitting(want, t->dim[0]);
        p->parts[i] = (struct convert_part){
            .from = t,
            .type = fit,
            .instead = fit == want ? NULL : quant_info(want)->name,
            .head_dim = turn && is_turned(t) ? m->cfg.head_dim : 0,
            .bytes = quant_row_bytes(fit, t->dim[0]) * (uint64_t)t->dim[1],
        };
    }
    return 0;
}

/* Keys that say how the source's numbers were written, or what only our reader asks for. */
static bool is_dropped(const struct gguf_key *k)
{
    static const char *const dropped[] = {
        "general.type",      "general.file_type",     "general.quantization_version",
        "general.alignment", "llama.rope.neighbours", "split.no",
        "split.count",       "split.tensors.count",
    };
    for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
        if (k->name.len == strlen(dropped[i]) && memcmp(k->name.data, dropped[i], k->name.len) == 0)
            return true;
    return k->name.len > 9 && memcmp(k->name.data, "quantize.", 9) == 0;
}

static uint64_t padded(uint64_t n)
{
    return (n + GGUF_BUILD_ALIGN - 1) / GGUF_BUILD_ALIGN * GGUF_BUILD_ALIGN;
}

static int plan_header(struct convert_plan *p, const struct gguf *g, enum engine_convert_type type)
{
    struct gguf_build b;
    uint64_t offset = 0;

    gguf_build_init(&b);
    gguf_build_string(&b, "general.type", "model", 5);
    for (size_t i = 0; i < gguf_n_keys(g); i++)
        if (!is_dropped(gguf_key_at(g, i)))
            gguf_build_key(&b, gguf_key_at(g, i));
    gguf_build_u32(&b, "general.quantization_version", QUANTIZATION_VERSION);
    gguf_build_u32(&b, "general.file_type", formats[type].file_type);
    for (size_t i = 0; i < p->n_parts; i++) {
        gguf_build_tensor(&b, p->parts[i].from, p->parts[i].type, offset);
        offset += padded(p->parts[i].bytes);
    }
    int result = gguf_build_finish(&b);
    p->header = b.bytes;
    p->header_bytes = b.size;
    p->file_bytes = b.size + offset;
    return result;
}

int convert_plan(struct convert_plan *out, const struct gguf *g, const struct model *m,
                 enum engine_convert_type type, char *err, size_t errlen)
{
    *out = (struct convert_plan){.n_parts = gguf_n_tensors(g)};
    out->parts = calloc(out->n_parts + 1, sizeof *out->parts);
    int result = out->parts ? plan_parts(out, g, m, type, err, errlen) : -1;
    if (!out->parts || (result == 0 && plan_header(out, g, type) != 0)) {
        snprintf(err, errlen, "out of memory");
        result = -1;
    }
    if (result != 0)
        convert_plan_done(out);
    return result;
}

void convert_plan_done(struct convert_plan *p)
{
    free(p->parts);
    free(p->header);
    *p = (struct convert_plan){0};
}
