/* safetensors.h - one safetensors file: names, types and shapes of tensors, and their numbers
 * mapped.
 *
 * Layout (https://github.com/huggingface/safetensors#format): u64 N, N bytes of JSON
 *     {"NAME": {"dtype": "BF16", "shape": [rows, cols], "data_offsets": [begin, end]}, ...,
 *      "__metadata__": {string: string}}
 * and the data, in which the tensors lie one after the other without holes. Everything is checked
 * here: begin and end against the shape and each other, the last end against the file's size. */
#ifndef ENGINE_FILE_SAFETENSORS_H
#define ENGINE_FILE_SAFETENSORS_H

#include <stddef.h>

#include "file/gguf.h"
#include "file/safemap.h"

struct safetensors {
    struct safemap file;
    struct gguf_tensor *tensors; /* dim[0] = elements of a row, as in GGUF; names live here */
    size_t n_tensors;
    char *names;
};

/* F32, F16 and BF16 only, at most two dimensions. *s must stay where it is until it is closed. 0,
 * or -1 with err set ("NAME: reason (got G, limit L)"); s is then closed. */
int safetensors_open(struct safetensors *s, const char *path, char *err, size_t errlen);
void safetensors_close(struct safetensors *s);

#endif
