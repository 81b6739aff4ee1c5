/* step.cu - a whole decode step of one token in one kernel, on devices with a bulk copy engine.
 *
 * A single token's step is bound not by memory bandwidth alone but by the time between the last
 * weights of one stage and the first of the next. Here the weights never stop coming: one thread
 * of each block fetches the block's chunks of all matrices, in order, into a ring of slots in
 * shared memory, whatever stage the other threads have reached. One block runs on each
 * multiprocessor, all of them at once; they exchange the results of stages through global memory.
 *
 * Every block keeps x, and makes a stage's input from what the others have written. A block's
 * chunks are dealt out to its warps in turn; this, and the order in which partial sums are added,
 * depend on the matrix and the device alone. */
#include "cuda/step.cuh"

/* Offsets in shared memory that depend on the model's shape; `ring` comes last, so it is also
 * their total size. */
struct plan {
    size_t layers, x, y, sums, ring;
};

static __host__ __device__ size_t after(size_t at, size_t bytes)
{
    return (at + bytes + 127) / 128 * 128;
}

template <int D> static __host__ __device__ struct plan plan_of(const struct step_job &job)
{
    struct plan p;
    p.layers = after(0, sizeof(struct room<D>));
    p.x = after(p.layers, (size_t)job.n_layer * sizeof(struct step_layer));
    p.y = after(p.x, (size_t)job.n_embd * sizeof(float));
    p.sums = after(p.y, (size_t)job.y_pitch * sizeof(__half));
    p.ring = after(p.sums, (size_t)job.y_pitch / SUMMED * sizeof(float2));
    return p;
}

template <int A, int B, int D>
static __global__ void __launch_bounds__(THREADS, 1)
    whole_step(const __grid_constant__ struct step_job job)
{
#if __CUDA_ARCH__ >= 900 /* elsewhere it is never launched, and little here is used */
    extern __shared__ __align__(128) char shared[];
    const struct plan plan = plan_of<D>(job);
    struct room<D> &r = *(struct room<D> *)shared;
    struct step_layer *layers = (struct step_layer *)(shared + plan.layers);
    const struct columns y = {(__half *)(shared + plan.y), (float2 *)(shared + plan.sums)};
    const int thread = thread_once(), warp = thread / 32, lane = thread % 32;
    float *x = (float *)(shared + plan.x);
    char *ring = shared + plan.ring;
    using one = struct step<A, B, D>;
    const one s = {{job, r, layers, ring}, x, y, *job.exchange.before, thread, warp, lane};

    if ((int)threadIdx.x < job.n_slots) {
        barrier_init(&r.full[threadIdx.x], 1);
        barrier_init(&r.empty[threadIdx.x], s.AT_ONCE * 32);
        barriers_ready();
    }
    for (int i = threadIdx.x; i < job.n_layer * (int)sizeof *layers / 16; i += THREADS)
        ((uint4 *)layers)[i] = __ldg((const uint4 *)job.layers + i);
    for (int i = threadIdx.x; i < job.y_pitch / 2; i += THREADS)
        ((__half2 *)y.x)[i] = __float2half2_rn(0);
    for (int i = threadIdx.x; i < job.y_pitch / SUMMED; i += THREADS)
        y.sums[i] = make_float2(0, 0);
    __syncthreads();
    if (threadIdx.x < N_KINDS)
        s.work_out_share(threadIdx.x);
    __syncthreads();
    if (threadIdx.x < WORKERS)
        s.work();
    else if (threadIdx.x == WORKERS)
        s.bring_weights();
#endif
}

typedef void (*step_kernel)(const struct step_job);

struct choice {
    step_kernel kernel;
    size_t slot_bytes, room, queries;
    int groups;
};

template <int A, int B, int D> static struct choice choice_of(const struct step_job &job)
{
    return {whole_step<A, B, D>, (size_t)step<A, B, D>::SLOT, plan_of<D>(job).ring,
            sizeof(struct queries<D>), step<A, B, D>::GROUPS};
}

template <int A, int B> static struct choice choice_for(const struct step_job &job)
{
    return job.cache.head_dim == 64 ? choice_of<A, B, 64>(job) : choice_of<A, B, 128>(job);
}

static struct choice choose(const struct step_job &job)
{
    switch (job.format) {
    case CUDA_F16: return choice_for<CUDA_F16, CUDA_F16>(job);
    case CUDA_Q8: return choice_for<CUDA_Q8, CUDA_Q8>(job);
    case CUDA_A4: return choice_for<CUDA_A4, CUDA_K6>(job);
    case CUDA_A5: return choice_for<CUDA_A5, CUDA_K6>(job);
    case CUDA_K4: return choice_for<CUDA_K4, CUDA_K6>(job);
    case CUDA_K5: return choice_for<CUDA_K5, CUDA_K6>(job);
    default: return choice_for<CUDA_K6, CUDA_K6>(job);
    }
}

bool cuda_step_usable(enum cuda_format most, enum cuda_format other)
{
    return other == most || (most != CUDA_F16 && most != CUDA_Q8 && other == CUDA_K6);
}

/* Of a block's chunks of q, k and v. While they are added up, attention's values are coming in: to
 * behind the queries, which take the results' place later. */
static size_t results_bytes(const struct step_job *job)
{
    int n_tiles = (job->cache.n_head + 2 * job->cache.n_head_kv) * job->cache.head_dim / TILE;
    int per_block = (n_tiles + job->n_blocks - 1) / job->n_blocks;

    return (size_t)(per_block * ((job->n_embd + CHUNK - 1) / CHUNK) * TILE) * sizeof(float);
}

int cuda_step_slots(const struct step_job *job)
{
    const struct choice choice = choose(*job);
    int n = 0;

    if (job->n_embd > 2 * KEPT * WORKERS || job->attention.n_splits < 1 ||
        results_bytes(job) > choice.queries)
        return 0;
    if (choice.room < STEP_SHARED)
        n = (int)((STEP_SHARED - choice.room) / choice.slot_bytes);
    n = n < MAX_SLOTS ? n : MAX_SLOTS;
    n -= n % choice.groups; /* a slot always belongs to the same group */
    return n >= IN_FLIGHT ? n : 0;
}

cudaError_t launch_step(const struct cuda_queue *q, const struct step_job *job)
{
    const struct choice choice = choose(*job);
    size_t shared = choice.room + (size_t)job->n_slots * choice.slot_bytes;

    cudaLaunchAttribute attribute = {};
    attribute.id = cudaLaunchAttributeCooperative; /* blocks wait for each other */
    attribute.val.cooperative = 1;

    cudaLaunchConfig_t config = {};
    config.gridDim = dim3((unsigned)job->n_blocks);
    config.blockDim = dim3(THREADS);
    config.dynamicSmemBytes = shared;
    config.stream = q->stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    cudaError_t rc = cudaFuncSetAttribute(choice.kernel,
                                          cudaFuncAttributeMaxDynamicSharedMemorySize, (int)shared);
    return rc == cudaSuccess ? cudaLaunchKernelEx(&config, choice.kernel, *job) : rc;
}
