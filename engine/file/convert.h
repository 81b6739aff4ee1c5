/* convert.h - what a conversion writes: which tensor in which number format, and the file's header.
 * engine_convert (engine.h) carries it out. */
#ifndef ENGINE_FILE_CONVERT_H
#define ENGINE_FILE_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "file/gguf.h"
#include "model.h"

struct convert_part {
    const struct gguf_tensor *from;
    enum quant_type type;
    const char *instead; /* NULL, or the format that its rows do not divide into */
    int head_dim;   /* not 0: its rows (a vector's elements) go into the order of GGUF's llama */
    uint64_t bytes; /* of data, without what pads it */
};

struct convert_plan {
    struct convert_part *parts; /* in the order of the file */
    size_t n_parts;
    unsigned char *header; /* padded */
    size_t header_bytes;
    uint64_t file_bytes;
};

/* g and m stay the caller's and must outlive the plan. 0, or -1 with err set. */
int convert_plan(struct convert_plan *out, const struct gguf *g, const struct model *m,
                 enum engine_convert_type type, char *err, size_t errlen);
void convert_plan_done(struct convert_plan *p);

/* Which element of the release is GGUF's element i, in heads of head_dim: the release rotates
 * halves together, GGUF neighbours. */
int64_t convert_origin(int64_t i, int head_dim);

#endif
