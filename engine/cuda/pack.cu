/* pack.cu - repacks the file's rows into the device's tiles, and unpacks tiles into rows of
 * halves.
 *
 * Deliberately simple: each thread fetches the eight columns of one lane and unit from the file's
 * block by its definition in quant.h. It is done once. */
#include "cuda/format.cuh"

static __device__ uint32_t u16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

/* Bits of element i of a block, or of a superblock; what quant.h calls q, made unsigned. */
static __device__ uint32_t code_of(enum quant_type type, const uint8_t *block, int i)
{
    int half = i / 16 % 2 * 4, g = i / 32;

    switch (type) {
    case QUANT_Q8_0: return block[2 + i] ^ 0x80;
    case QUANT_Q4_0: return block[2 + i % 16] >> half & 15;
    case QUANT_Q4_1: return block[4 + i % 16] >> half & 15;
    case QUANT_Q5_0: return (block[6 + i % 16] >> half & 15) | (block[2 + i / 8] >> i % 8 & 1) << 4;
    case QUANT_Q5_1: return (block[8 + i % 16] >> half & 15) | (block[4 + i / 8] >> i % 8 & 1) << 4;
    case QUANT_Q4_K: return block[16 + g / 2 * 32 + i % 32] >> g % 2 * 4 & 15;
    case QUANT_Q5_K:
        return (block[48 + g / 2 * 32 + i % 32] >> g % 2 * 4 & 15) | (block[16 + i % 32] >> g & 1)
                                                                         << 4;
    default: { /* Q6_K */
        int j = g % 4;
        uint32_t low = block[i / 128 * 64 + j % 2 * 32 + i % 32] >> j / 2 * 4 & 15;
        return low | (block[128 + i / 128 * 32 + i % 32] >> 2 * j & 3) << 4;
    }
    }
}

static __device__ uint16_t half_bits(float v)
{
    return __half_as_ushort(__float2half_rn(v));
}

static __device__ float half_value(const uint8_t *p)
{
    return __half2float(__ushort_as_half((unsigned short)u16(p)));
}

/* Scales of 32 elements from element i on, of Q8_0 and the affine types. */
static __device__ uint32_t scales_of(enum quant_type type, const uint8_t *block)
{
    uint32_t d = u16(block);

    switch (type) {
    case QUANT_Q4_0: return d | (uint32_t)half_bits(-8 * half_value(block)) << 16;
    case QUANT_Q5_0: return d | (uint32_t)half_bits(-16 * half_value(block)) << 16;
    case QUANT_Q4_1:
    case QUANT_Q5_1: return d | u16(block + 2) << 16;
    default: return d;
    }
}

/* Scale and minimum of group g of Q4_K and Q5_K; see quant_k_scale. */
static __device__ uint32_t k_scales_of(const uint8_t *scales, int g)
{
    if (g < 4)
        return (scales[g] & 63) | (uint32_t)(scales[g + 4] & 63) << 8;
    return ((scales[g + 4] & 15) | scales[g - 4] >> 6 << 4) |
           (uint32_t)(scales[g + 4] >> 4 | scales[g] >> 6 << 4) << 8;
}

/* Element i of a block, for what is kept as halves. */
static __device__ float value_of(enum quant_type type, const uint8_t *block, int i)
{
    switch (type) {
    case QUANT_F32: return __uint_as_float(u16(block) | u16(block + 2) << 16);
    case QUANT_F16: return half_value(block);
    case QUANT_BF16: return __uint_as_float(u16(block) << 16);
    case QUANT_Q8_0: return half_value(block) * ((int)code_of(type, block, i) - 128);
    case QUANT_Q4_0: return half_value(block) * ((int)code_of(type, block, i) - 8);
    case QUANT_Q5_0: return half_value(block) * ((int)code_of(type, block, i) - 16);
    case QUANT_Q4_1:
    case QUANT_Q5_1: return half_value(block) * code_of(type, block, i) + half_value(block + 2);
    case QUANT_Q6_K:
        return half_value(block + 208) * (int8_t)block[192 + i / 16] *
               ((int)code_of(type, block, i) - 32);
    default: { /* Q4_K, Q5_K */
        uint32_t scales = k_scales_of(block + 4, i / 32);
        return half_value(block) * (scales & 255) * code_of(type, block, i) -
               half_value(block + 2) * (scales >> 8);
    }
    }
}

static __device__ int row_on_device(const struct cuda_pack &p, int row)
{
    int half = p.head_dim / 2, i = row % p.head_dim;

    switch (p.rows) {
    case CUDA_ROWS_EVEN: return p.to_row + 2 * row;
    case CUDA_ROWS_ODD: return p.to_row + 2 * row + 1;
    case CUDA_ROWS_PAIRS: return p.to_row + row - i + (i < half ? 2 * i : 2 * (i - half) + 1);
    default: return p.to_row + row;
    }
}

static __device__ void pack_halves(const struct cuda_pack &p, const uint8_t *row, int to, int col)
{
    __half *out = (__half *)p.to.data + (size_t)to * p.to.n_chunks * CHUNK + col;

    for (int i = 0; i < 8 && col + i < p.cols; i++) {
        const uint8_t *block = row + (size_t)((col + i) / p.block_elements) * p.block_bytes;
        out[i] = to_half(value_of(p.type, block, (col + i) % p.block_elements));
    }
}

/* Packs the codes of the eight columns from col on: low four bits as code words, or bytes; high
 * bits. */
static __device__ void pack_codes(int format, enum quant_type type, char *chunk,
                                  const uint8_t *block, int i, int lane, int half, int u)
{
    uint32_t word = 0, high = 0, bytes[2] = {0, 0};
    char *highs = chunk + parts_of(format).code;

    for (int k = 0; k < 8; k++) {
        uint32_t code = code_of(type, block, i + k);
        int place = k / 2 + k % 2 * 4;
        bytes[k / 4] |= (code & 255) << k % 4 * 8;
        word |= (code & 15) << place * 4;
        high |= code >> 4 << (format == CUDA_K6 ? k / 2 * 2 + k % 2 * 16 : place);
    }
    if (format == CUDA_Q8) {
        uint32_t *out = (uint32_t *)(chunk + half * 1024 + u / 2 * 512 + lane * 16 + u % 2 * 8);
        out[0] = bytes[0];
        out[1] = bytes[1];
        return;
    }
    *(uint32_t *)(chunk + half * 512 + lane * 16 + u * 4) = word;
    if (format == CUDA_K6) {
        uint8_t *out = (uint8_t *)(highs + half * 256 + lane * 8 + u / 2 * 4 + u % 2);
        out[0] = (uint8_t)high;
        out[2] = (uint8_t)(high >> 16);
    }
    if (format == CUDA_A5 || format == CUDA_K5)
        *(uint8_t *)(highs + half * 128 + lane * 4 + u) = (uint8_t)high;
}

static __device__ void pack_scales(int format, enum quant_type type, char *chunk,
                                   const uint8_t *block, int g, int row, int half, int u)
{
    struct parts p = parts_of(format);
    char *scale = chunk + p.code + p.high, *super = scale + p.scale;

    switch (format) {
    case CUDA_Q8:
        *(uint16_t *)(scale + half * 64 + row * 8 + u * 2) = (uint16_t)scales_of(type, block);
        break;
    case CUDA_A4:
    case CUDA_A5:
        *(uint32_t *)(scale + half * 128 + row * 16 + u * 4) = scales_of(type, block);
        break;
    case CUDA_K4:
    case CUDA_K5:
        *(uint16_t *)(scale + half * 64 + row * 8 + u * 2) = (uint16_t)k_scales_of(block + 4, g);
        *(uint32_t *)(super + row * 4) = u16(block) | (u16(block + 2) ^ 0x8000) << 16;
        break;
    default: /* K6 */
        for (int k = 0; k < 2; k++)
            scale[half * 64 + row * 8 + u * 2 + k] = (char)(block[192 + g * 2 + k] ^ 0x80);
        *(uint16_t *)(super + row * 2) = (uint16_t)u16(block + 208);
    }
}

/* A thread's work: eight columns of one row. */
static __global__ void pack(const __grid_constant__ struct cuda_pack p)
{
    int col = (blockIdx.x * blockDim.x + threadIdx.x) * 8;
    const uint8_t *row = (const uint8_t *)p.from + blockIdx.y * p.row_bytes;
    int to = row_on_device(p, p.first_row + (int)blockIdx.y);

    if (col >= p.cols)
        return;
    if (p.to.format == CUDA_F16) {
        pack_halves(p, row, to, col);
        return;
    }
    char *chunk = (char *)chunk_at(p.to, p.to.format, to / TILE, col / CHUNK).at;
    const uint8_t *block = row + (size_t)(col / p.block_elements) * p.block_bytes;
    int i = col % p.block_elements, half = col % CHUNK / (CHUNK / 2);
    int u = col % (CHUNK / 2) / UNIT;
    pack_codes(p.to.format, p.type, chunk, block, i, to % TILE * 4 + col % UNIT / 8, half, u);
    if (col % UNIT == 0)
        pack_scales(p.to.format, p.type, chunk, block, i / 32, to % TILE, half, u);
}

cudaError_t launch_pack(const struct cuda_queue *q, const struct cuda_pack *p)
{
    struct cuda_queue plain = {q->stream, false, false, 0};
    dim3 grid((unsigned)(p->cols / 8 + 127) / 128, (unsigned)p->n_rows);

    return launch(&plain, pack, grid, 128, 0, *p);
}

/* Each warp unpacks half a chunk. */
template <int F> static __global__ void unpack(struct cuda_matrix w, int first_tile, __half *out)
{
    int lane = threadIdx.x % 32, i = blockIdx.x * 8 + threadIdx.x / 32, tile = (int)blockIdx.y;
    format<F> f;

    if (i < 2 * w.n_chunks)
        f.template load<in_memory>(chunk_at(w, F, first_tile + tile, i / 2), i % 2, lane);
    let_next_start();
    wait_for_last();
    if (i >= 2 * w.n_chunks)
        return;
    __half *at = out + ((size_t)tile * TILE + lane / 4) * w.n_chunks * CHUNK + i * (CHUNK / 2) +
                 lane % 4 * 8;
#pragma unroll
    for (int u = 0; u < 4; u++) {
        uint32_t b[4];
        f.expand(u, b);
        *(uint4 *)(at + u * UNIT) = make_uint4(b[0], b[1], b[2], b[3]);
    }
}

cudaError_t launch_unpack(const struct cuda_queue *q, const struct cuda_matrix *w, int first_tile,
                          int n_tiles, void *out)
{
    void (*const kernels[CUDA_N_FORMATS])(struct cuda_matrix, int, __half *) = {
        unpack<CUDA_F16>, unpack<CUDA_Q8>, unpack<CUDA_A4>, unpack<CUDA_A5>,
        unpack<CUDA_K4>,  unpack<CUDA_K5>, unpack<CUDA_K6>};
    dim3 grid((unsigned)(2 * w->n_chunks + 7) / 8, (unsigned)n_tiles);

    return launch(q, kernels[w->format], grid, 256, 0, *w, first_tile, (__half *)out);
}

enum cuda_format cuda_format_of(enum quant_type type)
{
    switch (type) {
    case QUANT_Q8_0: return CUDA_Q8;
    case QUANT_Q4_0:
    case QUANT_Q4_1: return CUDA_A4;
    case QUANT_Q5_0:
    case QUANT_Q5_1: return CUDA_A5;
    case QUANT_Q4_K: return CUDA_K4;
    case QUANT_Q5_K: return CUDA_K5;
    case QUANT_Q6_K: return CUDA_K6;
    default: return CUDA_F16;
    }
}

size_t cuda_tile_bytes(enum cuda_format format, int n_chunks)
{
    return (size_t)chunk_bytes(format) * (size_t)n_chunks;
}
