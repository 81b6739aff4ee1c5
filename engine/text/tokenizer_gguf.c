/* tokenizer_gguf.c - reads the description of a vocabulary out of a GGUF file's keys. */
#include "text/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file/gguf.h"

static int missing(const char *key, char *err, size_t errlen)
{
    snprintf(err, errlen, "%s: missing", key);
    return -1;
}

static int require_string(const struct gguf *g, const char *key, struct tok_string *out, char *err,
                          size_t errlen)
{
    struct gguf_string s;
    int found = gguf_get_string(g, key, &s, err, errlen);
    if (found == 0)
        return missing(key, err, errlen);
    *out = (struct tok_string){s.data, s.len};
    return found < 0 ? -1 : 0;
}

/* *out = the strings of an array, a block of the caller's that points into the file. */
static int require_strings(const struct gguf *g, const char *key, const struct tok_string **out,
                           size_t *n_out, char *err, size_t errlen)
{
    struct gguf_array a;
    int found = gguf_get_array(g, key, GGUF_STRING, &a, err, errlen);
    if (found == 0)
        return missing(key, err, errlen);
    if (found < 0)
        return -1;
    struct tok_string *list = malloc((a.count + 1) * sizeof *list);
    if (!list) {
        snprintf(err, errlen, "%s: out of memory", key);
        return -1;
    }
    const void *at = a.data;
    for (uint64_t i = 0; i < a.count; i++) {
        struct gguf_string s = gguf_next_string(&at);
        list[i] = (struct tok_string){s.data, s.len};
    }
    *out = list;
    *n_out = a.count;
    return 0;
}

/* Token types are optional; where they are given there must be one for each token. */
static int get_types(const struct gguf *g, struct tok_vocab *v, char *err, size_t errlen)
{
    static const char key[] = "tokenizer.ggml.token_type";
    struct gguf_array a;
    int found = gguf_get_array(g, key, GGUF_I32, &a, err, errlen);
    if (found <= 0)
        return found;
    if (a.count != v->n_tokens) {
        snprintf(err, errlen, "%s: not one for each token (got %llu, limit %zu)", key,
                 (unsigned long long)a.count, v->n_tokens);
        return -1;
    }
    int32_t *types = malloc((a.count + 1) * sizeof *types);
    if (!types) {
        snprintf(err, errlen, "%s: out of memory", key);
        return -1;
    }
    memcpy(types, a.data, a.count * sizeof *types); /* the file's may be unaligned */
    v->types = types;
    return 0;
}

static int get_specials(const struct gguf *g, struct tok_vocab *v, char *err, size_t errlen)
{
    bool add_bos;
    int found = gguf_get_bool(g, "tokenizer.ggml.add_bos_token", &add_bos, err, errlen);
    if (found < 0)
        return -1;
    v->add_bos = found ? add_bos : -1;
    int64_t last = (int64_t)v->n_tokens - 1;
    bool failed = gguf_get_int(g, "tokenizer.ggml.bos_token_id", 0, last, &v->bos, err, errlen) <
                      0 ||
                  gguf_get_int(g, "tokenizer.ggml.eos_token_id", 0, last, &v->eos, err, errlen) < 0;
    return failed ? -1 : 0;
}

static int check_model(const struct gguf *g, char *err, size_t errlen)
{
    static const char key[] = "tokenizer.ggml.model";
    struct gguf_string model;
    int found = gguf_get_string(g, key, &model, err, errlen);
    if (found == 0)
        return missing(key, err, errlen);
    if (found < 0)
        return -1;
    if (model.len == 4 && memcmp(model.data, "gpt2", 4) == 0)
        return 0;
    char shown[80];
    snprintf(err, errlen, "%s: not supported (got \"%s\", known: gpt2)", key,
             gguf_print(shown, sizeof shown, model));
    return -1;
}

int tok_open_gguf(struct tokenizer **out, const struct gguf *g, char *err, size_t errlen)
{
    struct tok_vocab v = {.bos = -1, .eos = -1};
    char why[256];
    int status = -1;
    if (check_model(g, err, errlen) != 0 ||
        require_string(g, "tokenizer.ggml.pre", &v.pre, err, errlen) != 0 ||
        require_strings(g, "tokenizer.ggml.tokens", &v.tokens, &v.n_tokens, err, errlen) != 0 ||
        require_strings(g, "tokenizer.ggml.merges", &v.merges, &v.n_merges, err, errlen) != 0 ||
        get_types(g, &v, err, errlen) != 0 || get_specials(g, &v, err, errlen) != 0)
        goto out;
    status = tok_open(out, &v, why, sizeof why);
    if (status != 0)
        snprintf(err, errlen, "tokenizer.ggml.%s", why);
out:
    free((void *)v.tokens);
    free((void *)v.merges);
    free((void *)v.types);
    return status;
}
