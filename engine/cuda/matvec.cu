/* matvec.cu - a matrix times up to sixteen columns, on tensor cores: the product of decoding, on
 * any device.
 *
 * A warp multiplies a slice of a tile's columns, a few warps share a tile, and the block adds up
 * their partial sums in a fixed order. The weights go straight from memory into the registers that
 * the tensor core reads; the first loads are issued before the previous kernel has ended. The
 * tokens are the sixteen rows of the instruction's A, whether all sixteen exist or not: so a
 * token's bits do not depend on the size of the batch. */
#include "cuda/finish.cuh"
#include "cuda/format.cuh"
#include "cuda/input.cuh"

enum { WARPS = INPUT_WARPS, FUSED_BYTES = 32768 };

struct job {
    struct cuda_matvec m;
    int split;    /* warps that share a tile; a divisor of WARPS. The block's tiles are a group */
    int n_groups; /* shared out among the blocks */
    bool fused;   /* the input is made here, into shared memory */
};

/* c[i] += the products of half a chunk, interleaved so that no instruction waits for the one
 * before. x: [n, pitch] from the half chunk's first column on. */
template <int F>
static __device__ __forceinline__ void multiply_half(const format<F> &f, const __half *x, int pitch,
                                                     int n, float c[4][4])
{
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
    for (int u = 0; u < 4; u++) {
        uint4 low = make_uint4(0, 0, 0, 0), high = low;
        const __half *at = x + u * UNIT + t * 8;
        if (g < n)
            low = *(const uint4 *)(at + (size_t)g * pitch);
        if (g + 8 < n)
            high = *(const uint4 *)(at + (size_t)(g + 8) * pitch);
        uint32_t b[4];
        f.expand(u, b);
        multiply_add(c[u % 2 * 2], low.x, high.x, low.y, high.y, b[0], b[1]);
        multiply_add(c[u % 2 * 2 + 1], low.z, high.z, low.w, high.w, b[2], b[3]);
    }
}

/* A warp's sums to part[n, TILE], of n tokens at least those that are there. */
static __device__ __forceinline__ void store_part(const float c[4][4], float *part, int n)
{
    int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
    for (int i = 0; i < 2; i++)
        if (g + i * 8 < n)
            *(float2 *)(part + (g + i * 8) * TILE + t * 2) = make_float2(
                (c[0][2 * i] + c[1][2 * i]) + (c[2][2 * i] + c[3][2 * i]),
                (c[0][2 * i + 1] + c[1][2 * i + 1]) + (c[2][2 * i + 1] + c[3][2 * i + 1]));
}

/* Adds up the warps' parts of a group of tiles and finishes its rows. */
static __device__ __forceinline__ void finish_group(const struct job &job, int group, int n,
                                                    const float (*parts)[MATVEC_TOKENS][TILE])
{
    const struct cuda_matvec &m = job.m;
    int per_group = WARPS / job.split;

    for (int i = threadIdx.x; i < per_group * n * (TILE / 2); i += INPUT_THREADS) {
        int pair = i % (TILE / 2), token = i / (TILE / 2) % n, tile = i / (TILE / 2) / n;
        int row = (group * per_group + tile) * TILE + pair * 2;
        float v0 = 0, v1 = 0;
        for (int k = 0; k < job.split; k++) {
            float2 part = *(const float2 *)&parts[tile * job.split + k][token][pair * 2];
            v0 += part.x;
            v1 += part.y;
        }
        if (row < m.finish.n_rows)
            finish(m.finish, m.first_token + token, row, v0, v1);
    }
}

/* This block's groups of tiles of one matrix, which begins with tile `offset` of the product.
 * While one group is multiplied, the first half chunks of the next are loaded into the registers
 * that become free. */
template <int F>
static __device__ __forceinline__ void multiply_groups(const struct job &job,
                                                       const struct cuda_matrix &w, int first_group,
                                                       int last_group, int offset)
{
    extern __shared__ __align__(16) __half shared[];
    __shared__ float parts[2][WARPS][MATVEC_TOKENS][TILE];
    constexpr int AHEAD = format<F>::AHEAD;
    const struct cuda_input &in = job.m.in;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, slice = warp % job.split;
    int first = slice * 2 * w.n_chunks / job.split;
    int n_halves = (slice + 1) * 2 * w.n_chunks / job.split - first;
    int tile = first_group * (WARPS / job.split) + warp / job.split - offset;
    int tiles_on = gridDim.x * (WARPS / job.split);
    format<F> raw[AHEAD];

    auto load = [&](format<F> &f, int of_tile, int i) {
        f.template load<in_memory>(chunk_at(w, F, of_tile, (first + i) / 2), (first + i) % 2, lane);
    };
#pragma unroll
    for (int i = 0; i < AHEAD; i++)
        if (tile < w.n_tiles && i < n_halves)
            load(raw[i], tile, i);
    struct early_input early = {};
    if (job.fused)
        early = load_early(in);
    let_next_start();
    wait_for_last();

    int n = job.m.n_tokens - job.m.first_token;
    n = n < MATVEC_TOKENS ? n : MATVEC_TOKENS;
    const __half *x = (const __half *)in.y + (size_t)job.m.first_token * in.pitch;
    if (job.fused) {
        for (int i = 0; i < n; i++) {
            input_row(in, early, i, shared + i * in.pitch);
            __syncthreads();
        }
        x = shared;
    }
    x += first * (CHUNK / 2);
    int turn = 0;
    for (int group = first_group; group < last_group; group += gridDim.x, turn ^= 1) {
        bool on = tile < w.n_tiles,
             more = tile + tiles_on < w.n_tiles && group + gridDim.x < last_group;
        float c[4][4] = {};
        for (int half = 0; on && half < n_halves; half += AHEAD) {
#pragma unroll
            for (int i = 0; i < AHEAD; i++) {
                if (half + i >= n_halves)
                    break;
                multiply_half<F>(raw[i], x + (half + i) * (CHUNK / 2), in.pitch, n, c);
                if (half + i + AHEAD < n_halves)
                    load(raw[i], tile, half + i + AHEAD);
                else if (more)
                    load(raw[i], tile + tiles_on, i);
            }
        }
        store_part(c, parts[turn][warp][0], MATVEC_TOKENS);
        __syncthreads();
        finish_group(job, group, n, parts[turn]);
        tile += tiles_on;
    }
}

/* A: the matrix's format. B: that of its last tiles, w2, or A again; then a block has one group. */
template <int A, int B>
static __global__ void __launch_bounds__(INPUT_THREADS, 2)
    matvec(const __grid_constant__ struct job job)
{
    const struct cuda_matvec &m = job.m;
    int group = blockIdx.x, per_group = WARPS / job.split;

    if (A != B && group * per_group >= m.w.n_tiles)
        multiply_groups<B>(job, m.w2, group, group + 1, m.w.n_tiles);
    else
        multiply_groups<A>(job, m.w, group, A != B ? group + 1 : job.n_groups, 0);
}

typedef void (*matvec_kernel)(const struct job);

template <int A> static matvec_kernel kernel_with(const struct cuda_matvec *m)
{
    if constexpr (A == CUDA_K4 || A == CUDA_K5) {
        if (m->w2.n_tiles > 0)
            return matvec<A, CUDA_K6>;
    }
    return matvec<A, A>;
}

static matvec_kernel kernel_of(const struct cuda_matvec *m)
{
    switch (m->w.format) {
    case CUDA_F16: return kernel_with<CUDA_F16>(m);
    case CUDA_Q8: return kernel_with<CUDA_Q8>(m);
    case CUDA_A4: return kernel_with<CUDA_A4>(m);
    case CUDA_A5: return kernel_with<CUDA_A5>(m);
    case CUDA_K4: return kernel_with<CUDA_K4>(m);
    case CUDA_K5: return kernel_with<CUDA_K5>(m);
    default: return kernel_with<CUDA_K6>(m);
    }
}

/* Warps that share a tile: more for longer rows. It depends on the matrix alone, so that sums are
 * always added in the same order. */
static int split_of(int n_chunks)
{
    return n_chunks >= 16 ? 8 : n_chunks >= 2 ? 4 : 1;
}

cudaError_t launch_matvec(const struct cuda_queue *q, const struct cuda_matvec *m)
{
    struct job job = {*m, split_of(m->w.n_chunks), 0, false};
    size_t shared = (size_t)m->n_tokens * m->in.pitch * sizeof(__half);
    int per_group = WARPS / job.split;
    cudaError_t rc = cudaSuccess;

    /* Many groups: two blocks for each multiprocessor, with equal shares. */
    job.n_groups = (m->w.n_tiles + m->w2.n_tiles + per_group - 1) / per_group;
    int at_once = 2 * q->n_processors, rounds = (job.n_groups + at_once - 1) / at_once;
    int n_blocks = m->w2.n_tiles > 0 ? job.n_groups : (job.n_groups + rounds - 1) / rounds;

    job.fused = m->in.kind != CUDA_READY && m->n_tokens <= CUDA_FUSED_TOKENS &&
                shared <= FUSED_BYTES;
    if (m->in.kind != CUDA_READY && !job.fused)
        rc = launch_input(q, &m->in, m->n_tokens);
    for (; rc == cudaSuccess && job.m.first_token < m->n_tokens; job.m.first_token += MATVEC_TOKENS)
        rc = launch(q, kernel_of(m), dim3((unsigned)n_blocks), INPUT_THREADS,
                    job.fused ? shared : 0, job);
    return rc;
}
