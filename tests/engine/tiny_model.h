/* tiny_model.h - a whole model file with random weights, for tests that open an engine.
 *
 * Two layers of 64, a context of 512 tokens, F32, the vocabulary of build_vocab.h;
 * "qwen2" speaks DeepSeek's template, "llama" Llama's. What it answers means nothing, but
 * it is always the same. */
#ifndef TESTS_ENGINE_TINY_MODEL_H
#define TESTS_ENGINE_TINY_MODEL_H

#include <stdbool.h>

enum { TINY_CONTEXT = 512 };

struct tiny_model {
    char path[64]; /* of the file */
};

struct tiny_model_options {
    const char *architecture;
    bool without_tensors;
    bool damaged; /* some weights are NaN */
    int n_ctx;    /* trained for so many tokens; 0: TINY_CONTEXT */
};

void tiny_model_write(struct tiny_model *m, const struct tiny_model_options *opt);
void tiny_model_remove(struct tiny_model *m);

#endif
