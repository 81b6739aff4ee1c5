/* hf.h - a model as Hugging Face's libraries save it: a folder with config.json, tokenizer.json,
 * tokenizer_config.json, generation_config.json and safetensors files, one or several.
 *
 * What the JSON files say is written as the keys of a GGUF header, and the tensors get GGUF's
 * names, so that the rest of the engine sees one kind of model. The numbers stay where the files
 * are mapped; only vectors are copied, as F32. The rows of a llama's q and k keep the release's
 * order, which the key "llama.rope.neighbours" = false tells model.c. */
#ifndef ENGINE_FILE_HF_H
#define ENGINE_FILE_HF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "file/gguf.h"
#include "file/gguf_build.h"

bool hf_is_folder(const char *path);

/* vocab_only: there need be no tensors. 0, or -1 with err set ("FILE: FIELD: reason"). Close with
 * gguf_close. */
int hf_open(struct gguf **out, const char *folder, bool vocab_only, char *err, size_t errlen);

/* The parts; private to hf*.c. */

struct hf_reader {
    const char *folder;
    struct gguf_build *header;
    char *err;
    size_t errlen;
};

/* "FILE: FIELD: reason"; always -1. */
__attribute__((format(printf, 3, 4))) int hf_refuse(const struct hf_reader *r, const char *file,
                                                    const char *format, ...);

struct hf_config {
    char architecture[16];
    int n_vocab, n_head, n_head_kv, head_dim;
    bool tied;
    int64_t bos, eos; /* -1: not named; the tokenizer's files take precedence */
    bool scaled;      /* Llama 3's scaling of the rotation */
    double theta, factor, low, high, trained;
};

int hf_read_config(const struct hf_reader *r, struct hf_config *out);
int hf_read_tokenizer(const struct hf_reader *r, const struct hf_config *c);

#endif
