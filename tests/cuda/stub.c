/* stub.c - see the header. */
#include "tests/cuda/stub.h"

#include <stdlib.h>
#include <string.h>

struct stub stub;

void stub_reset(void)
{
    stub = (struct stub){.driver = CUDART_VERSION,
                         .n_devices = 1,
                         .major = 9,
                         .code = 90,
                         .free_bytes = (size_t)8 << 30,
                         .failure = cudaErrorLaunchFailure,
                         .n_live = stub.n_live};
}

static cudaError_t call(void)
{
    bool past = ++stub.n_calls > stub.fail_at;
    bool fails = stub.fail_at > 0 && (stub.n_calls == stub.fail_at || (past && !stub.once));
    return fails ? stub.failure : cudaSuccess;
}

/* A thing that must be given back. */
static cudaError_t make(void *out, size_t bytes)
{
    cudaError_t rc = call();
    void *p = rc == cudaSuccess ? calloc(bytes ? bytes : 1, 1) : NULL;

    if (p) {
        memcpy(out, &p, sizeof p);
        stub.n_live++;
    }
    return rc;
}

/* Always works, and is no call: nobody could do anything if it failed. */
static cudaError_t give_back(void *p)
{
    if (p)
        stub.n_live--;
    free(p);
    return cudaSuccess;
}

/* The device */

cudaError_t cudaGetDeviceCount(int *count)
{
    cudaError_t rc = call();

    *count = stub.n_devices;
    if (rc != cudaSuccess)
        return rc;
    if (stub.driver < CUDART_VERSION)
        return cudaErrorInsufficientDriver;
    return stub.n_devices > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = stub.driver;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *prop, int device)
{
    (void)device;
    memset(prop, 0, sizeof *prop);
    strcpy(prop->name, "stub");
    prop->major = stub.major;
    prop->minor = stub.minor;
    prop->multiProcessorCount = 4;
    prop->cooperativeLaunch = 1;
    prop->sharedMemPerBlockOptin = 227 * 1024;
    return call();
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total)
{
    *free_bytes = *total = stub.free_bytes;
    return call();
}

cudaError_t cudaGetLastError(void)
{
    return cudaSuccess;
}

const char *cudaGetErrorString(cudaError_t error)
{
    (void)error;
    return "the stub was told to fail";
}

/* Memory */

cudaError_t cudaMalloc(void **p, size_t bytes)
{
    stub.n_allocations++;
    return make(p, bytes);
}

cudaError_t cudaFree(void *p)
{
    return give_back(p);
}

cudaError_t cudaHostAlloc(void **p, size_t bytes, unsigned flags)
{
    (void)flags;
    stub.n_allocations++;
    return make(p, bytes);
}

cudaError_t cudaFreeHost(void *p)
{
    return give_back(p);
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind)
{
    cudaError_t rc = call();
    (void)kind;

    if (rc == cudaSuccess)
        memcpy(to, from, bytes);
    return rc;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, enum cudaMemcpyKind kind,
                            cudaStream_t stream)
{
    (void)stream;
    return cudaMemcpy(to, from, bytes, kind);
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t bytes, cudaStream_t stream)
{
    cudaError_t rc = call();
    (void)stream;

    if (rc == cudaSuccess)
        memset(to, value, bytes);
    return rc;
}

/* Streams, events, graphs */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags)
{
    (void)flags;
    return make(out, 1);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    return give_back(stream);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    (void)stream;
    return call();
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *out, unsigned flags)
{
    (void)flags;
    return make(out, 1);
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    return give_back(event);
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    (void)event, (void)stream;
    return call();
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    (void)event;
    return call();
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to)
{
    (void)from, (void)to;
    *ms = 1;
    return call();
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode)
{
    (void)stream, (void)mode;
    return call();
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *out)
{
    (void)stream;
    return make(out, 1);
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    return give_back(graph);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long flags)
{
    (void)graph, (void)flags;
    return make(out, 1);
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph)
{
    return give_back(graph);
}

cudaError_t cudaGraphUpload(cudaGraphExec_t graph, cudaStream_t stream)
{
    (void)graph, (void)stream;
    return call();
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream)
{
    (void)graph, (void)stream;
    return call();
}

/* Kernels */

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t *config, const void *func, void **args)
{
    (void)func, (void)args;
    for (unsigned i = 0; i < config->numAttrs; i++) {
        const cudaLaunchAttribute *a = &config->attrs[i];
        stub.n_special += a->id == cudaLaunchAttributeClusterDimension ||
                          (a->id == cudaLaunchAttributeProgrammaticStreamSerialization &&
                           a->val.programmaticStreamSerializationAllowed);
    }
    return call();
}

cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *attributes, const void *func)
{
    (void)func;
    memset(attributes, 0, sizeof *attributes);
    attributes->ptxVersion = stub.code;
    return call();
}

cudaError_t cudaFuncSetAttribute(const void *func, enum cudaFuncAttribute attribute, int value)
{
    (void)func, (void)attribute, (void)value;
    return call();
}

/* What the compiler's own code asks for: kernels are made known, never launched. */

void **__cudaRegisterFatBinary(void *binary);
void __cudaRegisterFatBinaryEnd(void **handle);
void __cudaUnregisterFatBinary(void **handle);
void __cudaRegisterFunction(void **handle, const char *host, char *device, const char *name,
                            int limit, void *t, void *b, void *bd, void *gd, int *w);
unsigned __cudaPopCallConfiguration(void *grid, void *block, size_t *shared, void *stream);
cudaError_t __cudaGetKernel(void **kernel, const void *entry);
cudaError_t __cudaLaunchKernel(void *kernel, struct dim3 grid, struct dim3 block, void **args,
                               size_t shared, cudaStream_t stream);

void **__cudaRegisterFatBinary(void *binary)
{
    static void *handle;
    (void)binary;
    return &handle;
}

void __cudaRegisterFatBinaryEnd(void **handle)
{
    (void)handle;
}

void __cudaUnregisterFatBinary(void **handle)
{
    (void)handle;
}

void __cudaRegisterFunction(void **handle, const char *host, char *device, const char *name,
                            int limit, void *t, void *b, void *bd, void *gd, int *w)
{
    (void)handle, (void)host, (void)device, (void)name, (void)limit;
    (void)t, (void)b, (void)bd, (void)gd, (void)w;
}

unsigned __cudaPopCallConfiguration(void *grid, void *block, size_t *shared, void *stream)
{
    (void)grid, (void)block, (void)shared, (void)stream;
    return 0;
}

cudaError_t __cudaGetKernel(void **kernel, const void *entry)
{
    (void)kernel, (void)entry;
    return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(void *kernel, struct dim3 grid, struct dim3 block, void **args,
                               size_t shared, cudaStream_t stream)
{
    (void)kernel, (void)grid, (void)block, (void)args, (void)shared, (void)stream;
    return call();
}
