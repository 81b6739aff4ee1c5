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
    int split;   /* warps that share a tile; a divisor of WARPS */
    bool fused;  /* norm here, into shared memory */
};

/* c[i] += the products of unit u, by turns so that no instruction waits for the one before. */
template <int F>
static __device__ __forceinline__ void multiply_chunk(const format<F> &f,
                                                      const typename format<F>::raw &r,
                                                      const __half *x, int pitch, int n, float c[4][4])
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

/* One tile, or none where index is beyond the last; into parts[warp]. */
template <int F>
static __device__ __forceinline__ void multiply_tile(const struct job &job,
                                                     const struct cuda_matrix &w, int index,
                                                     __half *shared,
                                                     float (*parts)[MATVEC_TOKENS][TILE])
{
    constexpr int AHEAD = format<F>::AHEAD;
    int warp = threadIdx.x / 32, lane = threadIdx.x % 32, slice = warp % job.split;
    int first = slice * w.n_chunks / job.split, last = (slice + 1) * w.n_chunks / job.split;
    const struct cuda_input &in = job.m.in;
    format<F> f;
    typename format<F>::raw raw[AHEAD];

    if (index >= w.n_tiles)
        last = first;
    else
        f.open(w, index, lane);
#pragma unroll
    for (int i = 0; i < AHEAD; i++)
        if (first + i < last)
            f.load(raw[i], first + i);
    let_next_start();
    wait_for_last();

    int n = job.m.n_tokens - job.m.first_token;
    n = n < MATVEC_TOKENS ? n : MATVEC_TOKENS;
    const __half *x = (const __half *)in.y + (size_t)job.m.first_token * in.pitch;
    if (job.fused) {
        for (int i = 0; i < n; i++)
            norm_row(in, i, shared + i * in.pitch);
        x = shared;
    }
    float c[4][4] = {};
    for (int chunk = first; chunk < last; chunk += AHEAD) {
#pragma unroll
        for (int i = 0; i < AHEAD; i++) {
            if (chunk + i >= last)
                break;
            multiply_chunk<F>(f, raw[i], x + (chunk + i) * CHUNK, in.pitch, n, c);
            if (chunk + i + AHEAD < last)
                f.load(raw[i], chunk + i + AHEAD);
        }
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        float v = (c[0][i] + c[1][i]) + (c[2][i] + c[3][i]);
        parts[warp][lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2] = v;
    }
    __syncthreads();
}

/* A: the matrix's format. B: that of its last tiles, w2, or A again. */
template <int A, int B>
static __global__ void __launch_bounds__(NORM_THREADS, 2)
    matvec(const __grid_constant__ struct job job)
{
    extern __shared__ __align__(16) __half shared[];
    __shared__ float parts[WARPS][MATVEC_TOKENS][TILE];
    const struct cuda_matvec &m = job.m;
    int per_block = WARPS / job.split, first = blockIdx.x * per_block;
    int mine = first + threadIdx.x / 32 / job.split;

    if (A != B && first >= m.w.n_tiles)
        multiply_tile<B>(job, m.w2, mine - m.w.n_tiles, shared, parts);
    else
        multiply_tile<A>(job, m.w, mine, shared, parts);

    int n = m.n_tokens - m.first_token;
    n = n < MATVEC_TOKENS ? n : MATVEC_TOKENS;
    for (int i = threadIdx.x; i < per_block * n * (TILE / 2); i += NORM_THREADS) {
        int pair = i % (TILE / 2), token = i / (TILE / 2) % n, tile = i / (TILE / 2) / n;
        int row = (first + tile) * TILE + pair * 2;
        float v0 = 0, v1 = 0;
        for (int k = 0; k < job.split; k++) {
            const float *part = &parts[tile * job.split + k][token][pair * 2];
            v0 += part[0];
            v1 += part[1];
        }
        if (row < m.finish.n_rows)
            finish(m.finish, m.first_token + token, row, v0, v1);
    }
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
    struct job job = {*m, split_of(m->w.n_chunks), false};
    size_t shared = (size_t)m->n_tokens * m->in.pitch * sizeof(__half);
    int per_block = WARPS / job.split;
    int n_blocks = (m->w.n_tiles + m->w2.n_tiles + per_block - 1) / per_block;
    cudaError_t rc = cudaSuccess;

    job.fused = m->in.gain && m->n_tokens <= FUSED_TOKENS && shared <= FUSED_BYTES;
    if (m->in.gain && !job.fused)
        rc = launch_norm(q, &m->in, m->n_tokens);
    for (; rc == cudaSuccess && job.m.first_token < m->n_tokens;
         job.m.first_token += MATVEC_TOKENS)
        rc = launch(q, kernel_of(m), dim3((unsigned)n_blocks), NORM_THREADS,
                    job.fused ? shared : 0, job);
    return rc;
}
