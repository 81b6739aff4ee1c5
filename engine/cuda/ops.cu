/* ops.cu - the small kernels: embedding and angles, norm, and the finish of others' products. */
#include "cuda/finish.cuh"
#include "cuda/format.cuh"
#include "cuda/norm.cuh"

/* Lane `lane` of the row's tile writes its eight columns of each unit. */
template <int F> static __device__ void embed_row(const struct cuda_embed &e, int token, float *x)
{
    int row = e.step.token[token];
    format<F> f;

    for (int i = threadIdx.x; i < e.embed.n_chunks * 4; i += blockDim.x) {
        f.open(e.embed, row / TILE, row % TILE * 4 + i % 4);
        typename format<F>::raw raw;
        f.load(raw, i / 4);
#pragma unroll
        for (int u = 0; u < 4; u++) {
            uint32_t b[4];
            f.expand(raw, u, b);
            for (int j = 0; j < 4; j++) {
                int col = i / 4 * CHUNK + u * UNIT + i % 4 * 8 + 2 * j;
                if (col < e.cols)
                    *(float2 *)(x + col) = __half22float2(half2_of(b[j]));
            }
        }
    }
}

/* Angles are worked out in double: at position 131,072 a float's product is off by hundredths. */
template <int F> static __global__ void embed(const __grid_constant__ struct cuda_embed e)
{
    int token = blockIdx.x;

    let_next_start();
    wait_for_last();
    int position = e.step.position[token];
    if (position < 0)
        return;
    embed_row<F>(e, token, e.x + (size_t)token * e.cols);
    for (int i = threadIdx.x; i < e.half_dim; i += blockDim.x) {
        double s, c;
        sincos((double)position * (double)e.inv_freq[i], &s, &c);
        ((float2 *)e.step.turn)[token * e.half_dim + i] = make_float2((float)c, (float)s);
    }
}

cudaError_t launch_embed(const struct cuda_queue *q, const struct cuda_embed *e, int n_tokens)
{
    void (*const kernels[CUDA_N_FORMATS])(const struct cuda_embed) = {
        embed<CUDA_F16>, embed<CUDA_Q8>, embed<CUDA_A4>, embed<CUDA_A5>,
        embed<CUDA_K4>,  embed<CUDA_K5>, embed<CUDA_K6>};

    return launch(q, kernels[e->embed.format], dim3((unsigned)n_tokens), 128, 0, *e);
}

static __global__ void __launch_bounds__(NORM_THREADS)
    norm(const __grid_constant__ struct cuda_input in)
{
    let_next_start();
    struct norm_gain gain = norm_load_gain(in);
    wait_for_last();
    norm_row(in, gain, blockIdx.x, (__half *)in.y + (size_t)blockIdx.x * in.pitch);
}

cudaError_t launch_norm(const struct cuda_queue *q, const struct cuda_input *in, int n_tokens)
{
    return launch(q, norm, dim3((unsigned)n_tokens), NORM_THREADS, 0, *in);
}

static __global__ void finish_rows(const __grid_constant__ struct cuda_finish f, const float *v)
{
    int row = (blockIdx.x * blockDim.x + threadIdx.x) * 2, token = blockIdx.y;

    let_next_start();
    wait_for_last();
    if (row < f.n_rows) {
        float2 pair = *(const float2 *)(v + (size_t)token * f.n_rows + row);
        finish(f, token, row, pair.x, pair.y);
    }
}

/* n_rows is even here: rows of q, k and v, of gate and up. */
cudaError_t launch_finish(const struct cuda_queue *q, const struct cuda_finish *f, const float *v,
                          int n_tokens)
{
    unsigned n_blocks = (unsigned)(f->n_rows / 2 + 255) / 256;
    return launch(q, finish_rows, dim3(n_blocks, (unsigned)n_tokens), 256, 0, *f, v);
}

cudaError_t cuda_probe(void)
{
    cudaFuncAttributes attributes;
    return cudaFuncGetAttributes(&attributes, finish_rows);
}
