/* finish.cuh - the epilogue of a product: what is done with two neighbouring rows of its result;
 * see enum cuda_finish_kind. */
#ifndef ENGINE_CUDA_FINISH_CUH
#define ENGINE_CUDA_FINISH_CUH

#include "cuda/device.cuh"

static __device__ __forceinline__ void finish_qkv(const struct cuda_finish &f, int token, int row,
                                                  float v0, float v1)
{
    const struct cuda_cache &c = f.cache;
    int n_q = c.n_head * c.head_dim, n_kv = c.n_head_kv * c.head_dim, i = row % c.head_dim;
    int position = f.step.position[token];

    if (position < 0)
        return;
    if (f.bias) {
        v0 += f.bias[row];
        v1 += f.bias[row + 1];
    }
    if (row < n_q + n_kv) {
        float2 turn = ((const float2 *)f.step.turn)[token * (c.head_dim / 2) + i / 2];
        float turned = v0 * turn.x - v1 * turn.y;
        v1 = v0 * turn.y + v1 * turn.x;
        v0 = turned;
    }
    if (row < n_q) {
        *(float2 *)((float *)f.out + (size_t)token * f.pitch + row) = make_float2(v0, v1);
        return;
    }
    if (c.kind == CUDA_CACHE_CODES) {
        *(float2 *)(f.staged + (size_t)token * 2 * n_kv + row - n_q) = make_float2(v0, v1);
        return;
    }
    int of_values = row >= n_q + n_kv;
    int head_kv = (row - n_q - of_values * n_kv) / c.head_dim;
    size_t at = cache_at(c, f.step, f.step.sequence[token], position, f.layer, head_kv) +
                (size_t)of_values * KV_BLOCK * c.head_dim + i;
    if (c.kind == CUDA_CACHE_FLOATS)
        *(float2 *)((float *)c.data + at) = make_float2(v0, v1);
    else
        *(__half2 *)((__half *)c.data + at) = __halves2half2(to_half(v0), to_half(v1));
}

static __device__ __forceinline__ __half gated(float gate, float up)
{
    return to_half(gate / (1 + __expf(-gate)) * up);
}

/* row is even; v1 means nothing where row + 1 is n_rows. */
static __device__ __forceinline__ void finish(const struct cuda_finish &f, int token, int row,
                                              float v0, float v1)
{
    if (f.kind == CUDA_QKV) {
        finish_qkv(f, token, row, v0, v1);
    } else if (f.kind == CUDA_GATE) {
        ((__half *)f.out)[(size_t)token * f.pitch + row / 2] = gated(v0, v1);
    } else {
        float *out = (float *)f.out + (size_t)token * f.pitch + row;
        bool add = f.kind == CUDA_ADD;
        out[0] = add ? out[0] + v0 : v0;
        if (row + 1 < f.n_rows)
            out[1] = add ? out[1] + v1 : v1;
    }
}

#endif
