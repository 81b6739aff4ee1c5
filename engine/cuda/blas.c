/* blas.c - cuBLAS by dlopen; see blas.h. */
#include "cuda/blas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <cublas_v2.h>

struct blas {
    cudaStream_t stream;
    void *workspace;
    pthread_t opener;
    bool opened, usable; /* opened: the thread has ended */
    cublasHandle_t handle;
    __typeof__(cublasDestroy_v2) *destroy;
    __typeof__(cublasGemmEx) *gemm;
};

static void *open_library(void)
{
    static const char *const names[] = {"libcublas.so.13", "libcublas.so.12", "libcublas.so"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
    }
    return NULL;
}

/* A function's address in *to, without the cast that C forbids. */
static bool find(void *library, const char *name, void *to)
{
    void *address = dlsym(library, name);

    memcpy(to, &address, sizeof address);
    return address != NULL;
}

static void *open_blas(void *blas)
{
    struct blas *b = blas;
    __typeof__(cublasCreate_v2) *create;
    __typeof__(cublasSetStream_v2) *set_stream;
    __typeof__(cublasSetWorkspace_v2) *set_workspace;
    void *library = open_library();

    b->usable = library && find(library, "cublasCreate_v2", &create) &&
                find(library, "cublasSetStream_v2", &set_stream) &&
                find(library, "cublasSetWorkspace_v2", &set_workspace) &&
                find(library, "cublasGemmEx", &b->gemm) &&
                find(library, "cublasDestroy_v2", &b->destroy) &&
                create(&b->handle) == CUBLAS_STATUS_SUCCESS &&
                set_stream(b->handle, b->stream) == CUBLAS_STATUS_SUCCESS &&
                set_workspace(b->handle, b->workspace, BLAS_WORKSPACE) == CUBLAS_STATUS_SUCCESS;
    return NULL;
}

struct blas *blas_open(cudaStream_t stream, void *workspace)
{
    struct blas *b = calloc(1, sizeof *b);

    if (!b)
        return NULL;
    b->stream = stream;
    b->workspace = workspace;
    if (pthread_create(&b->opener, NULL, open_blas, b) != 0) {
        free(b);
        return NULL;
    }
    return b;
}

bool blas_ready(struct blas *b)
{
    if (!b->opened)
        pthread_join(b->opener, NULL);
    b->opened = true;
    return b->usable;
}

/* The library stays loaded: it cannot be unloaded safely while the driver is in use. */
void blas_close(struct blas *b)
{
    if (!b)
        return;
    blas_ready(b);
    if (b->handle)
        b->destroy(b->handle);
    free(b);
}

int blas_multiply(struct blas *b, const struct blas_product *p)
{
    const float one = 1, beta = p->add ? 1 : 0;

    /* cuBLAS counts columns first: to it w is w^T and out is out^T. */
    cublasStatus_t rc = b->gemm(b->handle, CUBLAS_OP_T, CUBLAS_OP_N, p->rows, p->n, p->cols, &one,
                                p->w, CUDA_R_16F, p->pitch, p->x, CUDA_R_16F, p->pitch, &beta,
                                p->out, p->halves ? CUDA_R_16F : CUDA_R_32F, p->out_pitch,
                                CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
    return rc == CUBLAS_STATUS_SUCCESS ? 0 : -1;
}
