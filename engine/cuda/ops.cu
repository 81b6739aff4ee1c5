/* ops.cu - the small kernels: embedding and rotary angles, a product's input, and the epilogue of
 * cuBLAS's products. */
#include "cuda/finish.cuh"
#include "cuda/format.cuh"
#include "cuda/input.cuh"

/* Angles are computed in double: at position 131,072 a float's product is off by hundredths. */
template <int F> static __global__ void embed(const __grid_constant__ struct cuda_embed e)
{
    int token = blockIdx.x;

    let_next_start();
    wait_for_last();
    int position = e.step.position[token];
    if (position < 0)
        return;
    embed_row<F>(e.embed, e.step.token[token], e.cols, blockDim.x, e.x + (size_t)token * e.cols);
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

static __global__ void __launch_bounds__(INPUT_THREADS)
    make_input(const __grid_constant__ struct cuda_input in)
{
    let_next_start();
    struct early_input early = load_early(in);
    wait_for_last();
    input_row(in, early, blockIdx.x, (__half *)in.y + (size_t)blockIdx.x * in.pitch);
}

cudaError_t launch_input(const struct cuda_queue *q, const struct cuda_input *in, int n_tokens)
{
    return launch(q, make_input, dim3((unsigned)n_tokens), INPUT_THREADS, 0, *in);
}

static __global__ void finish_qkv_rows(const __grid_constant__ struct cuda_finish f, const float *v)
{
    int row = (blockIdx.x * blockDim.x + threadIdx.x) * 2, token = blockIdx.y;

    let_next_start();
    wait_for_last();
    if (row < f.n_rows) {
        float2 pair = *(const float2 *)(v + (size_t)token * f.n_rows + row);
        finish_qkv(f, token, row, pair.x, pair.y);
    }
}

/* Values too large for a half arrive as infinities, which would become NaNs. */
static __device__ __forceinline__ float2 finite(uint32_t halves)
{
    float2 v = __half22float2(half2_of(halves));
    return make_float2(fminf(fmaxf(v.x, -65504.f), 65504.f), fminf(fmaxf(v.y, -65504.f), 65504.f));
}

/* A thread makes four columns of four pairs of rows. */
static __global__ void gate_rows(const __grid_constant__ struct cuda_finish f, const __half *v)
{
    int col = (blockIdx.x * blockDim.x + threadIdx.x) * 4, token = blockIdx.y;

    let_next_start();
    wait_for_last();
    if (col * 2 >= f.n_rows)
        return;
    uint4 pairs = *(const uint4 *)(v + (size_t)token * f.n_rows + col * 2);
    float2 a = finite(pairs.x), b = finite(pairs.y), c = finite(pairs.z), d = finite(pairs.w);
    __half2 out[2] = {__halves2half2(gated(a.x, a.y), gated(b.x, b.y)),
                      __halves2half2(gated(c.x, c.y), gated(d.x, d.y))};
    *(uint2 *)((__half *)f.out + (size_t)token * f.pitch + col) = *(uint2 *)out;
}

/* n_rows is a multiple of 8: rows of q, k and v, of gate and up. */
cudaError_t launch_finish(const struct cuda_queue *q, const struct cuda_finish *f, const void *v,
                          int n_tokens)
{
    enum { THREADS = 256 };
    bool gate = f->kind == CUDA_GATE;
    int per_block = THREADS * (gate ? 8 : 2);
    dim3 grid((unsigned)((f->n_rows + per_block - 1) / per_block), (unsigned)n_tokens);

    if (gate)
        return launch(q, gate_rows, grid, THREADS, 0, *f, (const __half *)v);
    return launch(q, finish_qkv_rows, grid, THREADS, 0, *f, (const float *)v);
}

cudaError_t cuda_probe(int *capability)
{
    cudaFuncAttributes attributes = {};
    cudaError_t rc = cudaFuncGetAttributes(&attributes, gate_rows);

    *capability = attributes.ptxVersion;
    return rc;
}
