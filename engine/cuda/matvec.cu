/* matvec.cu - a matrix times up to sixteen columns, on tensor cores: decoding's one product.
 *
 * A warp multiplies a slice of a tile's columns, a few warps share a tile, and the block adds up
 * their parts in a fixed order. The weights come straight from memory into the registers that the
 * tensor core reads; the first of them are on their way before the kernel before this one has ended.
 * The tokens are the sixteen rows of the instruction's A, whether they are there or not: so a token's
 * bits do not depend on how many others there are. */
#include "cuda/finish.cuh"
#include "cuda/format.cuh"
#include "cuda/norm.cuh"

enum { WARPS = NORM_THREADS / 32, FUSED_TOKENS = 2, FUSED_BYTES = 32768 };

struct job {
    struct cuda_matvec m;
    int split;    /* warps that share a tile; a divisor of WARPS. The block's tiles are a group */
    int n_groups; /* shared out among the blocks */
    bool fused;   /* norm here, into shared memory */
};

/* c[i] += the products of unit u, by turns so that no instruction waits for the one before. */
template <int F>
static __device__ __forceinline__ void
multiply_chunk(const format<F> &f, const typename format<F>::raw &r, const __half *x, int pitch,
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
        f.expand(r, u, b);
        multiply_add(c[u % 2 * 2], low.x, high.x, low.y, high.y, b[0], b[1]);
        multiply_add(c[u % 2 * 2 + 1], low.z, high.z, low.w, high.w, b[2], b[3]);
    }
}

/* Adds up the warps' parts of a group of tiles and finishes its rows. */
static __device__ __forceinline__ void finish_group(const struct job &job, int group, int n,
                                                    const float (*parts)[MATVEC_TOKENS][TILE])
{
    const struct cuda_matvec &m = job.m;
    int per_group = WARPS / job.split;

    for (int i = threadIdx.x; i < per_group * n * (TILE / 2); i += NORM_THREADS) {
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

/* This block's groups of tiles of one matrix, from tile `offset` of the product on. While a group is
 * multiplied the next one's first chunks come into the registers that have become free. */
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
    int first = slice * w.n_chunks / job.split;
    int n_chunks = (slice + 1) * w.n_chunks / job.split - first;
    int tile = first_group * (WARPS / job.split) + warp / job.split - offset;
    int tiles_on = gridDim.x * (WARPS / job.split);
    format<F> f;
    typename format<F>::raw raw[AHEAD];

    if (tile < w.n_tiles)
        f.open(w, tile, lane);
#pragma unroll
    for (int i = 0; i < AHEAD; i++)
        if (tile < w.n_tiles && i < n_chunks)
            f.load(raw[i], first + i);
    struct norm_gain gain = {};
    if (job.fused)
        gain = norm_load_gain(in);
    let_next_start();
    wait_for_last();

    int n = job.m.n_tokens - job.m.first_token;
    n = n < MATVEC_TOKENS ? n : MATVEC_TOKENS;
    const __half *x = (const __half *)in.y + (size_t)job.m.first_token * in.pitch;
    if (job.fused) {
        for (int i = 0; i < n; i++)
            norm_row(in, gain, i, shared + i * in.pitch);
        x = shared;
    }
    x += first * CHUNK;
    int turn = 0;
    for (int group = first_group; group < last_group; group += gridDim.x, turn ^= 1) {
        bool on = tile < w.n_tiles,
             more = tile + tiles_on < w.n_tiles && group + gridDim.x < last_group;
        format<F> next = f;
        if (more)
            next.open(w, tile + tiles_on, lane);
        float c[4][4] = {};
        for (int chunk = 0; on && chunk < n_chunks; chunk += AHEAD) {
#pragma unroll
            for (int i = 0; i < AHEAD; i++) {
                if (chunk + i >= n_chunks)
                    break;
                multiply_chunk<F>(f, raw[i], x + (chunk + i) * CHUNK, in.pitch, n, c);
                if (chunk + i + AHEAD < n_chunks)
                    f.load(raw[i], first + chunk + i + AHEAD);
                else if (more)
                    next.load(raw[i], first + i);
            }
        }
#pragma unroll
        for (int i = 0; i < 2; i++)
            *(float2 *)&parts[turn][warp][lane / 4 + i * 8][lane % 4 * 2] = make_float2(
                (c[0][2 * i] + c[1][2 * i]) + (c[2][2 * i] + c[3][2 * i]),
                (c[0][2 * i + 1] + c[1][2 * i + 1]) + (c[2][2 * i + 1] + c[3][2 * i + 1]));
        __syncthreads();
        finish_group(job, group, n, parts[turn]);
        f = next;
        tile += tiles_on;
    }
}

/* A: the matrix's format. B: that of its last tiles, w2, or A again; then a block has one group. */
template <int A, int B>
static __global__ void __launch_bounds__(NORM_THREADS, 2)
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

/* The more columns there are, the more warps share a tile; by the matrix alone, so that sums are
 * always added up in the same order. */
static int split_of(int n_chunks)
{
    return n_chunks >= 32 ? 8 : n_chunks >= 4 ? 4 : 1;
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

    job.fused = m->in.gain && m->n_tokens <= FUSED_TOKENS && shared <= FUSED_BYTES;
    if (m->in.gain && !job.fused)
        rc = launch_norm(q, &m->in, m->n_tokens);
    for (; rc == cudaSuccess && job.m.first_token < m->n_tokens; job.m.first_token += MATVEC_TOKENS)
        rc = launch(q, kernel_of(m), dim3((unsigned)n_blocks), NORM_THREADS, job.fused ? shared : 0,
                    job);
    return rc;
}
