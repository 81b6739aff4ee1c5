/* bandwidth.c - the device's read bandwidth: the best of a few kernel shapes, since which one is
 * fastest differs between devices. */
#include "cuda/cuda.h"

enum { TRIAL_PASSES = 4, LOAD = 16 };

static const size_t most_bytes = (size_t)4 << 30, least_bytes = (size_t)256 << 20;

static const struct shape {
    int n_blocks, n_threads; /* blocks a multiprocessor */
} shapes[] = {{1, 1024}, {2, 512}, {2, 1024}, {4, 256}, {4, 512}, {8, 256}, {16, 128}};

struct reading {
    struct cuda *c;
    void *memory;
    size_t bytes;
    cudaEvent_t begun, ended;
    cudaError_t rc; /* of the first call that failed */
};

static void note(struct reading *r, cudaError_t rc)
{
    r->rc = r->rc == cudaSuccess ? rc : r->rc;
}

/* What is free, and allowed, without taking the last of it. */
static size_t choose_bytes(struct reading *r)
{
    const struct cuda *c = r->c;
    size_t used = c->weights_bytes + c->kv_bytes + c->scratch_bytes, limit = c->opt.device_memory;
    size_t free_bytes = 0, total = 0;

    note(r, cudaMemGetInfo(&free_bytes, &total));
    size_t most = free_bytes / 4 * 3;
    if (limit > 0 && limit < used + most)
        most = limit > used ? limit - used : 0;
    most = most < most_bytes ? most : most_bytes;
    return most >= least_bytes ? most / LOAD * LOAD : 0;
}

/* Memory that is not there is no failure. */
static void take_memory(struct reading *r)
{
    r->bytes = choose_bytes(r);
    if (r->rc != cudaSuccess || r->bytes == 0)
        return;
    cudaError_t rc = cudaMalloc(&r->memory, r->bytes);
    if (rc == cudaErrorMemoryAllocation) {
        cudaGetLastError(); /* forgets it */
        r->bytes = 0;
        return;
    }
    note(r, rc);
    if (r->rc == cudaSuccess)
        note(r, cudaEventCreateWithFlags(&r->begun, cudaEventDefault));
    if (r->rc == cudaSuccess)
        note(r, cudaEventCreateWithFlags(&r->ended, cudaEventDefault));
}

/* Bytes a second of n passes on end; 0 after a failure. */
static double read_passes(struct reading *r, struct shape shape, int n)
{
    const struct cuda_queue *q = &r->c->queue;
    float ms = 0;

    if (r->rc == cudaSuccess)
        note(r, cudaEventRecord(r->begun, q->stream));
    for (int i = 0; i < n && r->rc == cudaSuccess; i++)
        note(r, launch_read(q, r->memory, r->bytes, shape.n_blocks, shape.n_threads, r->memory));
    if (r->rc == cudaSuccess)
        note(r, cudaEventRecord(r->ended, q->stream));
    if (r->rc == cudaSuccess)
        note(r, cudaEventSynchronize(r->ended));
    if (r->rc == cudaSuccess)
        note(r, cudaEventElapsedTime(&ms, r->begun, r->ended));
    return ms > 0 ? n * (double)r->bytes * 1e3 / (double)ms : 0;
}

/* The first is tried once more than it counts, which warms up. */
static struct shape best_shape(struct reading *r)
{
    struct shape best = shapes[0];
    double most = 0;

    read_passes(r, best, 1);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        double speed = read_passes(r, shapes[i], TRIAL_PASSES);
        if (speed > most) {
            most = speed;
            best = shapes[i];
        }
    }
    return best;
}

int cuda_bandwidth(struct cuda *c, double *passes, int n)
{
    struct reading r = {.c = c};

    for (int i = 0; i < n; i++)
        passes[i] = 0;
    if (c->failed)
        return -1;
    take_memory(&r);
    if (r.rc == cudaSuccess && r.bytes > 0) {
        struct shape shape = best_shape(&r);
        for (int i = 0; i < n; i++)
            passes[i] = read_passes(&r, shape, 1);
    }
    if (r.begun)
        cudaEventDestroy(r.begun);
    if (r.ended)
        cudaEventDestroy(r.ended);
    cudaFree(r.memory);
    return cuda_check(c, r.rc, "bandwidth");
}
