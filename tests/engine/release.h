/* release.h - a GGUF model written out as Hugging Face's libraries would save it: the way back from
 * what hf.h reads. */
#ifndef TESTS_ENGINE_RELEASE_H
#define TESTS_ENGINE_RELEASE_H

#include "engine/file/gguf.h"

struct release_options {
    const char *folder;   /* exists */
    enum quant_type type; /* of the safetensors: F32, F16 or BF16 */
    int n_files;
    const char *config; /* a JSON object of further members of config.json, or NULL: rope_scaling */
};

/* Fails the test where something cannot be written. */
void release_write(const struct gguf *g, const struct release_options *opt);

#endif
