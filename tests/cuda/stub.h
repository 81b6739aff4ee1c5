/* stub.h - a CUDA runtime that computes nothing, for machines without a GPU: memory is the host's,
 * copies are made, kernels are not run, and any call can be made to fail. Linked instead of the
 * real one. */
#ifndef TESTS_CUDA_STUB_H
#define TESTS_CUDA_STUB_H

#include <stdbool.h>

#include <cuda_runtime_api.h>

struct stub {
    int driver; /* version; 0 = there is none */
    int n_devices;
    int major, minor; /* compute capability */
    int code;         /* compute capability that kernels are compiled for, as 75 or 90 */
    size_t free_bytes;
    long fail_at; /* this call, counted from 1, and all after it fail; 0 = none */
    bool once;    /* only that one */
    cudaError_t failure;

    long n_calls, n_allocations; /* so far */
    long n_live;                 /* memory, streams, events and graphs not given back */
    long n_special;              /* kernels launched in ways that came with 9.0 */
};

extern struct stub stub;

/* A device on which everything works; n_live stays. */
void stub_reset(void);

#endif
