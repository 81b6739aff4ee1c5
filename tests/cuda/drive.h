/* drive.h - feeds tokens to a backend, and complains: what the CUDA tests share. They run on a bare
 * GPU machine, so they need nothing but the engine's own files and libc. */
#ifndef TESTS_CUDA_DRIVE_H
#define TESTS_CUDA_DRIVE_H

#include <stdbool.h>

#include "engine/backend.h"

/* Ends the program with a line when `ok` is false. */
void expect(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct drive {
    struct model *m;
    struct backend *b;
    struct batch batch;
    int n_past[64]; /* of each sequence */
    float *logits;  /* [max_outputs, n_vocab] */
    int max_outputs;
};

struct drive_options {
    const char *device;
    int max_tokens, max_sequences, max_context;
    enum backend_kv_type kv_type;
    bool reproducible;
    bool scattered; /* blocks of the sequences are mixed up */
};

void drive_open(struct drive *d, struct model *m, const struct drive_options *opt);
void drive_close(struct drive *d);
void drive_reset(struct drive *d); /* the sequences are empty again */

/* Adds n tokens of a sequence to the next step; the last one's logits are wanted if `output`. */
void drive_add(struct drive *d, int sequence, const int32_t *tokens, int n, bool output);
void drive_step(struct drive *d); /* without reading logits */
void drive_run(struct drive *d);  /* step; logits of output i are row i of d->logits */

void random_tokens(uint64_t seed, int n_vocab, int32_t *out, int n);

/* |a - b| / |b|; infinite when a has a NaN. */
double distance(const float *a, const float *b, int n);

double seconds(void);

#endif
