/* hf.c - a folder's tensors under the names of GGUF, and all of it as one model; see hf.h. */
#include "file/hf.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file/hf_json.h"
#include "file/safetensors.h"

enum { MAX_SHARDS = 1024, MAX_PATH = 4096, NAME_BYTES = 64 };

static const char single_file[] = "model.safetensors";
static const char index_file[] = "model.safetensors.index.json";

/* Owns the model's tensors. */
struct folder {
    struct safetensors *shards;
    size_t n_shards;
    struct gguf_tensor *tensors;
    size_t n_tensors;
    char (*names)[NAME_BYTES];
    float **vectors; /* copies */
    size_t n_vectors;
};

static void folder_close(void *self)
{
    struct folder *f = self;
    for (size_t i = 0; i < f->n_shards; i++)
        safetensors_close(&f->shards[i]);
    for (size_t i = 0; i < f->n_vectors; i++)
        free(f->vectors[i]);
    free(f->shards);
    free(f->tensors);
    free(f->names);
    free(f->vectors);
    free(f);
}

static bool folder_changed(const void *self)
{
    const struct folder *f = self;
    for (size_t i = 0; i < f->n_shards; i++)
        if (safemap_changed(&f->shards[i].file))
            return true;
    return false;
}

static const void *folder_span(const void *self, size_t i, size_t *size)
{
    const struct folder *f = self;
    if (i >= f->n_shards)
        return NULL;
    *size = f->shards[i].file.size;
    return f->shards[i].file.bytes;
}

/* Shards */

static int open_shard(const struct hf_reader *r, struct folder *f, const char *name)
{
    char path[MAX_PATH], why[200];
    if (strchr(name, '/') || strlen(name) > 255 || name[0] == '.')
        return hf_refuse(r, index_file, "weight_map: not a file of this folder");
    snprintf(path, sizeof path, "%s/%s", r->folder, name);
    if (safetensors_open(&f->shards[f->n_shards], path, why, sizeof why) != 0)
        return hf_refuse(r, name, "%s", why);
    f->n_shards++;
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Opens each file that the index names, once. */
static int open_indexed(const struct hf_reader *r, struct folder *f, const json_t *index)
{
    json_t *map = json_object_get(index, "weight_map"), *file;
    size_t n = json_object_size(map), k = 0;
    const char **files = calloc(n + 1, sizeof *files), *name;
    int result = files && n > 0 ? 0 : hf_refuse(r, index_file, "weight_map: empty or missing");

    json_object_foreach(map, name, file) if (result == 0 && !(files[k++] = json_string_value(file)))
        result = hf_refuse(r, index_file, "weight_map: a file without a name");
    if (result == 0)
        qsort(files, n, sizeof *files, by_text);
    for (size_t i = 0; result == 0 && i < n; i++) {
        if (i > 0 && strcmp(files[i], files[i - 1]) == 0)
            continue;
        result = f->n_shards < MAX_SHARDS ? open_shard(r, f, files[i])
                                          : hf_refuse(r, index_file, "too many files");
    }
    free(files);
    return result;
}

static int open_shards(const struct hf_reader *r, struct folder *f)
{
    bool failed;
    f->shards = calloc(MAX_SHARDS, sizeof *f->shards);
    if (!f->shards)
        return hf_refuse(r, single_file, "out of memory");
    json_t *index = hf_json_read(r, index_file, &failed);
    if (!index)
        return failed ? -1 : open_shard(r, f, single_file);
    int result = open_indexed(r, f, index);
    json_decref(index);
    return result;
}

/* Names */

static const struct {
    const char *from, *to;
} layer_names[] = {
    {"input_layernorm.weight", "attn_norm.weight"},
    {"post_attention_layernorm.weight", "ffn_norm.weight"},
    {"self_attn.q_proj.weight", "attn_q.weight"},
    {"self_attn.k_proj.weight", "attn_k.weight"},
    {"self_attn.v_proj.weight", "attn_v.weight"},
    {"self_attn.o_proj.weight", "attn_output.weight"},
    {"self_attn.q_proj.bias", "attn_q.bias"},
    {"self_attn.k_proj.bias", "attn_k.bias"},
    {"self_attn.v_proj.bias", "attn_v.bias"},
    {"mlp.gate_proj.weight", "ffn_gate.weight"},
    {"mlp.up_proj.weight", "ffn_up.weight"},
    {"mlp.down_proj.weight", "ffn_down.weight"},
};

/* The name in GGUF. 1; 0: the tensor is redundant (a table of older files, the second copy of a
 * tied matrix); -1: it has no name. */
static int translate(const char *from, bool tied, char *to)
{
    int layer, end = 0;

    if (strcmp(from, "model.embed_tokens.weight") == 0)
        return snprintf(to, NAME_BYTES, "token_embd.weight") > 0;
    if (strcmp(from, "model.norm.weight") == 0)
        return snprintf(to, NAME_BYTES, "output_norm.weight") > 0;
    if (strcmp(from, "lm_head.weight") == 0)
        return tied ? 0 : snprintf(to, NAME_BYTES, "output.weight") > 0;
    if (sscanf(from, "model.layers.%5d.%n", &layer, &end) != 1 || end == 0 || layer < 0)
        return -1;
    if (strcmp(from + end, "self_attn.rotary_emb.inv_freq") == 0)
        return 0;
    for (size_t i = 0; i < sizeof layer_names / sizeof *layer_names; i++)
        if (strcmp(from + end, layer_names[i].from) == 0)
            return snprintf(to, NAME_BYTES, "blk.%d.%s", layer, layer_names[i].to) > 0;
    return -1;
}

/* Tensors */

/* A vector of n numbers that the folder owns, or NULL. */
static float *new_vector(struct folder *f, size_t n)
{
    float **grown = realloc(f->vectors, (f->n_vectors + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    f->vectors = grown;
    float *vector = malloc(n * sizeof *vector);
    if (vector)
        f->vectors[f->n_vectors++] = vector;
    return vector;
}

static int copy_vector(struct folder *f, struct gguf_tensor *t)
{
    size_t n = (size_t)t->dim[0];
    float *vector = new_vector(f, n);
    if (!vector)
        return -1;
    quant_to_float(t->type, t->data, (int64_t)n, vector);
    t->type = QUANT_F32;
    t->bytes = n * sizeof *vector;
    t->data = vector;
    return 0;
}

static struct gguf_tensor *next_tensor(struct folder *f)
{
    struct gguf_tensor *t = &f->tensors[f->n_tensors];
    t->name.data = f->names[f->n_tensors];
    t->name.len = strlen(f->names[f->n_tensors]);
    f->n_tensors++;
    return t;
}

static int take_tensors(const struct hf_reader *r, const struct hf_config *c, struct folder *f)
{
    for (size_t i = 0; i < f->n_shards; i++) {
        for (size_t k = 0; k < f->shards[i].n_tensors; k++) {
            const struct gguf_tensor *from = &f->shards[i].tensors[k];
            int known = translate(from->name.data, c->tied, f->names[f->n_tensors]);
            char shown[80];
            if (known == 0)
                continue;
            if (known < 0)
                return hf_refuse(r, gguf_print(shown, sizeof shown, from->name),
                                 "this tensor has no place in the architecture %s",
                                 c->architecture);
            struct gguf_tensor *t = next_tensor(f);
            struct gguf_string name = t->name;
            *t = *from;
            t->name = name;
            if (t->n_dims == 1 && copy_vector(f, t) != 0)
                return hf_refuse(r, single_file, "out of memory for a vector");
        }
    }
    return 0;
}

/* Llama 3's factors of the rotation's frequencies (Llama 3.1's release, `apply_scaling`). */
static int add_rope_factors(const struct hf_reader *r, const struct hf_config *c, struct folder *f)
{
    int half = c->head_dim / 2;
    float *factors = half > 0 ? new_vector(f, (size_t)half) : NULL;
    if (!factors)
        return hf_refuse(r, "config.json", "out of memory for the rotation");
    for (int i = 0; i < half; i++) {
        double length = 2 * 3.14159265358979323846 * pow(c->theta, 2.0 * i / c->head_dim);
        double smooth = (c->trained / length - c->low) / (c->high - c->low);
        factors[i] = (float)(length < c->trained / c->high ? 1
                             : length > c->trained / c->low
                                 ? c->factor
                                 : 1 / ((1 - smooth) / c->factor + smooth));
    }
    snprintf(f->names[f->n_tensors], NAME_BYTES, "rope_freqs.weight");
    struct gguf_tensor *t = next_tensor(f);
    t->n_dims = 1;
    t->dim[0] = half;
    t->dim[1] = t->dim[2] = t->dim[3] = 1;
    t->type = QUANT_F32;
    t->bytes = (size_t)half * sizeof *factors;
    t->data = factors;
    return 0;
}

static int read_weights(const struct hf_reader *r, const struct hf_config *c, struct folder *f)
{
    size_t n = 1; /* the rotation's */
    if (open_shards(r, f) != 0)
        return -1;
    for (size_t i = 0; i < f->n_shards; i++)
        n += f->shards[i].n_tensors;
    f->tensors = calloc(n, sizeof *f->tensors);
    f->names = calloc(n, sizeof *f->names);
    if (!f->tensors || !f->names)
        return hf_refuse(r, single_file, "out of memory for the tensors");
    if (take_tensors(r, c, f) != 0)
        return -1;
    return c->scaled ? add_rope_factors(r, c, f) : 0;
}

/* Opening */

bool hf_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Where the last part of a path of *len bytes starts; slashes at its end are taken off *len. */
static size_t last_part(const char *path, size_t *len)
{
    while (*len > 1 && path[*len - 1] == '/')
        --*len;
    size_t start = *len;
    while (start > 0 && path[start - 1] != '/')
        start--;
    return start;
}

/* The name of the folder; in the hub's cache, models--ORGANISATION--NAME/snapshots/REVISION, of the
 * model. */
static void name_model(const struct hf_reader *r)
{
    static const char snapshots[] = "snapshots", models[] = "models--";
    const char *path = r->folder;
    size_t end = strlen(path), start = last_part(path, &end);
    size_t above_end = start, above = last_part(path, &above_end);

    if (above_end - above == strlen(snapshots) &&
        memcmp(path + above, snapshots, strlen(snapshots)) == 0) {
        size_t top_end = above, top = last_part(path, &top_end);
        if (top_end - top > strlen(models) && memcmp(path + top, models, strlen(models)) == 0) {
            start = end = top_end;
            while (memcmp(path + start - 2, "--", 2) != 0)
                start--;
        }
    }
    gguf_build_string(r->header, "general.name", path + start, end - start);
}

int hf_open(struct gguf **out, const char *folder, bool vocab_only, char *err, size_t errlen)
{
    static const struct gguf_origin calls = {NULL, folder_close, folder_changed, folder_span};
    struct gguf_build header;
    struct hf_config config;
    const struct hf_reader r = {folder, &header, err, errlen};
    struct folder *f = calloc(1, sizeof *f);

    gguf_build_init(&header);
    name_model(&r);
    int result = f ? hf_read_config(&r, &config) : hf_refuse(&r, "config.json", "out of memory");
    if (result == 0)
        result = hf_read_tokenizer(&r, &config);
    if (result == 0 && !vocab_only)
        result = read_weights(&r, &config, f);
    if (result == 0 && gguf_build_finish(&header) != 0)
        result = hf_refuse(&r, "config.json", "out of memory for the header");
    if (result == 0) {
        struct gguf_origin origin = calls;
        origin.self = f;
        const struct gguf_parts parts = {header.bytes, header.size, f->tensors, f->n_tensors,
                                         origin};
        return gguf_assemble(out, &parts, err, errlen);
    }
    free(header.bytes);
    if (f)
        folder_close(f);
    return -1;
}
