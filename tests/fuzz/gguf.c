/* gguf.c - libFuzzer target: any bytes as a model file, through parser, binding and description.
 *
 * `make fuzz` builds and runs it. Inputs grow from a small valid model, whose fields are set to
 * values that have broken loaders before as often as libFuzzer mutates freely. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/file/describe.h"
#include "engine/file/gguf.h"
#include "engine/model.h"
#include "tests/engine/build_gguf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size); /* libFuzzer's own */

static struct build *seed_model(void)
{
    static struct build b;
    if (!b.bytes)
        build_model(&b, "qwen2");
    return &b;
}

static void check_keys(const struct gguf *g)
{
    for (size_t i = 0; i < gguf_n_keys(g); i++) {
        const struct gguf_key *k = gguf_key_at(g, i);
        const struct gguf_array *a = &k->value.a;
        const void *at = a->data;
        for (uint64_t n = 0; k->type == GGUF_ARRAY && n < a->count; n++)
            gguf_next_element(a->type, &at);
    }
}

/* Reads both ends of every tensor. */
static void check_tensors(const struct gguf *g)
{
    volatile unsigned char sink = 0;
    for (size_t i = 0; i < gguf_n_tensors(g); i++) {
        const struct gguf_tensor *t = gguf_tensor_at(g, i);
        const unsigned char *bytes = t->data;
        sink = bytes[0] ^ bytes[t->bytes - 1];
    }
    (void)sink;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gguf *g;
    struct model m;
    char err[256];

    if (gguf_parse(&g, data, size, err, sizeof err) != 0)
        return 0;
    check_keys(g);
    check_tensors(g);
    if (model_bind(&m, g, err, sizeof err) == 0)
        model_done(&m);
    model_fingerprint(g);
    free(describe_model(g));
    gguf_close(g);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    static const uint64_t odd[] = {0,
                                   1,
                                   2,
                                   8,
                                   31,
                                   64,
                                   127,
                                   128,
                                   255,
                                   65535,
                                   65536,
                                   INT32_MAX,
                                   UINT32_MAX,
                                   INT64_MAX,
                                   UINT64_MAX,
                                   UINT64_C(1) << 40,
                                   UINT64_C(1) << 63};
    const struct build *b = seed_model();

    if (size < 24 && b->size <= max_size) {
        memcpy(data, b->bytes, b->size);
        return b->size;
    }
    const struct build_field *f = &b->fields[(seed >> 8) % b->n_fields];
    if (seed % 2 == 0 || f->offset + f->width > size)
        return LLVMFuzzerMutate(data, size, max_size);
    memcpy(data + f->offset, &odd[(seed >> 1) % (sizeof odd / sizeof odd[0])], f->width);
    return size;
}
